"""The e-mails that an instance without a mail server writes into files."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from tests.instance import Server
from tests.waiting import until

_END = b"\n" + b"-" * 79 + b"\n"
"""What stands after each: one that is not followed by it is still being written."""


def mails(folder: Path) -> list[EmailMessage]:
    """Those that are written to their end, the oldest first. What leaves within a second may share a file."""
    files = sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime_ns)
    written = [part for file in files for part in file.read_bytes().split(_END)[:-1]]
    return [
        cast(EmailMessage, email.message_from_bytes(part, policy=email.policy.default)) for part in written
    ]


def newest_mail(server: Server, to: str, *, holding: str = "") -> str:
    """The text of the newest e-mail to an address that holds these words, waited for."""
    found: list[str] = []

    def came() -> bool:
        found[:] = [text for text in _texts(server, to) if holding in text]
        return bool(found)

    until(came, f"an e-mail to {to} with {holding!r}")
    return found[-1]


def code_sent_to(server: Server, address: str) -> str:
    """The newest one-time code sent to an address, waited for."""
    found: list[str] = []

    def came() -> bool:
        found[:] = [code for text in _texts(server, address) for code in re.findall(r"^(\d{8})$", text, re.M)]
        return bool(found)

    until(came, f"a one-time code for {address}")
    return found[-1]


def _texts(server: Server, to: str) -> list[str]:
    bodies = [mail.get_body(("plain",)) for mail in mails(server.data / "mail") if mail["To"] == to]
    return [body.get_content() for body in bodies if body is not None]
