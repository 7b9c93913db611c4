"""What the tests of the questionnaire read from pages."""

import re
from html import unescape
from typing import Any


def text_of(response: Any) -> str:
    """The words of the page, with plain spaces."""
    return text_in(response.content.decode())


def text_in(page: str) -> str:
    """The words between the tags."""
    words = unescape(re.sub(r"<[^>]+>", " ", page)).replace("\xa0", " ").replace("\u202f", " ")
    return re.sub(r"\s+", " ", words).strip()


def error_of(response: Any, name: str) -> str:
    """What stands beside a control as its error; empty for none."""
    place = re.escape(f'<div class="errors" id="id_{name}_error">')
    found = re.search(rf"{place}(.*?)</div>", response.content.decode(), re.S)
    return text_in(found[1]) if found else ""


def value_of(response: Any, name: str) -> str:
    """What a text control holds."""
    page = response.content.decode()
    found = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
    if found is not None:
        value = re.search(r'value="([^"]*)"', found[0])
        return unescape(value[1]) if value else ""
    area = re.search(rf'<textarea[^>]*name="{re.escape(name)}"[^>]*>(.*?)</textarea>', page, re.S)
    assert area is not None, f"no control {name}"
    return unescape(area[1]).strip()
