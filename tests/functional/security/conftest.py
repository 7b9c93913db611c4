"""Second factors as a telephone and a mailbox would give them."""

import base64
import hashlib
import hmac
import html
import re
import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from gridgate.accounts.models import SecurityPolicy
from gridgate.notifications.letters import body_of
from gridgate.notifications.models import OutgoingEmail
from gridgate.portal.guards.acting import OF_A_PAGE


def totp(secret: str, at: datetime) -> str:
    """RFC 6238 with RFC 4226's truncation, written here from the standards."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(at.timestamp()) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def wrong_codes(secret: str, at: datetime, count: int) -> list[str]:
    """That many codes of which the application shows none about that moment."""
    near = {totp(secret, at + timedelta(seconds=30 * steps)) for steps in range(-2, 3)}
    return [code for number in range(count + len(near)) if (code := f"{731_000 + number}") not in near][
        :count
    ]


def newest_code(email: str) -> str:
    """The digits of the newest one-time code sent to an address, as the e-mail says them when it leaves."""
    letter = OutgoingEmail.objects.filter(recipient=email, key__startswith="step_up:").latest("pk")
    found = re.search(r"^(\d{8})$", body_of(letter), re.M)
    assert found
    return found[1]


def letters_to(email: str, kind: str) -> list[OutgoingEmail]:
    return list(OutgoingEmail.objects.filter(recipient=email, key__startswith=f"{kind}:").order_by("pk"))


def ask_for(**choice: Any) -> None:
    """What the operator asks, for the rest of the test."""
    SecurityPolicy.objects.update_or_create(pk=1, defaults=choice)


def sign_in(client: Client, email: str, password: str, **headers: Any) -> Any:
    return client.post("/connexion/", {"login": email, "password": password}, **headers)


def kept_form(page: Any) -> tuple[str, dict[str, list[str]]]:
    """Where the page that asks for a proof sends the form it carries on, and that form's fields."""
    found = re.search(
        r'<form class="card flow" method="post" action="([^"]*)".*?</form>', page.content.decode(), re.S
    )
    assert found
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', found[0]):
        if name not in OF_A_PAGE:
            fields.setdefault(name, []).append(html.unescape(value))
    return found[1], fields


def confirm_by_email(client: Client, email: str) -> Any:
    """Type the newest code into the page that waits for it, as a person would."""
    assert client.get("/confirmation/").status_code == 200
    return client.post("/confirmation/", {"step_up_code": newest_code(email)})


def set_up_totp(client: Client, email: str) -> str:
    """Add an application to the account of a signed-in person; returns its secret."""
    page = client.get("/compte/securite/application/")
    if page.status_code == 302:
        confirm_by_email(client, email)
        page = client.get("/compte/securite/application/")
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.content.decode())
    assert found, page.content.decode()
    secret = found[1].replace(" ", "")
    done = client.post("/compte/securite/application/", {"code": totp(secret, timezone.now())})
    assert done["Location"] == "/compte/securite/codes/"
    return secret


def recovery_codes(client: Client) -> list[str]:
    page = client.get("/compte/securite/codes/").content.decode()
    return [code.replace(" ", "") for code in re.findall(r"<li><code>([\d ]+)</code>", page)]


@pytest.fixture
def later(world: Any) -> Iterator[Callable[[datetime], None]]:
    """Move the clock of the code under test."""
    with time_machine.travel(world.now, tick=False) as traveller:
        yield traveller.move_to
