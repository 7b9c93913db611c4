"""Pressing the button of a page that says what it gives."""

import re
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client


def hidden_in(page: HttpResponse) -> dict[str, list[str]]:
    """The hidden fields of a page's forms, the token excepted."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r'<input type="hidden"[^>]*>', page.content.decode()):
        name, value = (re.search(rf'\b{part}="([^"]*)"', tag) for part in ("name", "value"))
        if name is not None and value is not None and name[1] != "csrfmiddlewaretoken":
            found.setdefault(name[1], []).append(unescape(value[1]))
    return found


def button_of(page: HttpResponse, value: str) -> str:
    """What the button of this value says."""
    found = re.search(rf'<button[^>]* value="{value}"[^>]*>(.*?)</button>', page.content.decode(), flags=re.S)
    assert found is not None
    return re.sub(r"\s+", " ", found[1]).strip()


def give(client: Client, address: str, data: dict[str, Any], press: tuple[str, str]) -> Any:
    """Choose, read what would be given, and give it: or what the first press answered when it took no choice."""
    page = client.post(address, data | dict([press]))
    if page.status_code != 200:
        return page
    return client.post(address, hidden_in(page) | dict([press]))


def save(client: Client, address: str, typed: dict[str, Any], **how: Any) -> Any:
    """Open the page and save it: a form says what it was read from."""
    seen = hidden_in(client.get(address)).get("seen", [""])[0]
    return client.post(address, {"seen": seen, **typed}, **how)
