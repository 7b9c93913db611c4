"""E-mails to one person: about their account, an invitation, a request. Those that an act of others brings are asked for
(`asking.py`) and rendered after its commit; the others are written where they arise.

What opens something, a link or a code, is never in the queue: the e-mail says `SECRET` where it stands and names it
in `secret`, and whoever makes it puts it in when the e-mail leaves:

    @secret("invitation")
    def link(name: str) -> str | None: ...      # None: no longer good, the e-mail is not sent
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.queries import operator

SECRET = "⟦secret⟧"  # noqa: S105  a place holder
"""Stands in a letter's template, as `{{ secret }}`, for what is put in when it leaves."""
LONGEST_SUBJECT = 200

_MAKERS: dict[str, Callable[[str], str | None]] = {}


class Withdrawn(Exception):
    """What the letter carries is no longer good."""


def secret(kind: str) -> Callable[[Callable[[str], str | None]], Callable[[str], str | None]]:
    """Register who makes the secrets of a kind; `secret="kind:name"` of a letter is made from `name`."""

    def register(make: Callable[[str], str | None]) -> Callable[[str], str | None]:
        _MAKERS[kind] = make
        return make

    return register


def write(
    letter: str,
    *,
    key: str,
    email: str,
    language: str,
    facts: Mapping[str, Any],
    secret: str = "",
    attachment: tuple[str, str] = ("", ""),
    zone: ZoneInfo | None = None,
    now: datetime,
) -> bool:
    """Queue the letter of template `letters/<letter>.txt`: its first line is the subject, the rest the text.

    Its times are told on the clock of `zone`, by default the network's, and never on that of whoever made it leave.
    `attachment` is the name of a file and its content. The same `key` is written once; returns whether this one is new.
    """
    made = render(letter, key=key, email=email, language=language, facts=facts, zone=zone, now=now)
    made.secret = secret
    made.attachment_name, made.attachment = attachment
    fields = {field.attname: getattr(made, field.attname) for field in made._meta.concrete_fields[1:]}
    _row, new = OutgoingEmail.objects.get_or_create(key=fields.pop("key"), defaults=fields)
    return new


def render(
    letter: str,
    *,
    key: str,
    email: str,
    language: str,
    facts: Mapping[str, Any],
    thread: str = "",
    zone: ZoneInfo | None = None,
    now: datetime,
) -> OutgoingEmail:
    """The same, not queued."""
    context = {**facts, "operator": operator(), "base_url": settings.BASE_URL, "secret": SECRET}
    with translation.override(language), timezone.override(zone):
        text = render_to_string(f"letters/{letter}.txt", context)
    subject, _, body = text.strip().partition("\n")
    return OutgoingEmail(
        key=f"{letter}:{key}",
        thread=thread,
        recipient=email,
        language=language,
        subject=subject.strip()[:LONGEST_SUBJECT],
        body=f"{body.strip()}\n",
        created_at=now,
        due_at=now,
    )


def enqueue(emails: Sequence[OutgoingEmail]) -> int:
    """Write the e-mails; the same notice to the same reader is written once. Returns how many are new."""
    there = OutgoingEmail.objects.filter(key__in=[email.key for email in emails])
    known = there.count()
    OutgoingEmail.objects.bulk_create(emails, ignore_conflicts=True)
    return there.count() - known


def body_of(email: OutgoingEmail) -> str:
    """The text to send. Raises `Withdrawn` when what it carries is no longer good."""
    if not email.secret:
        return email.body
    kind, _, name = email.secret.partition(":")
    made = _MAKERS[kind](name)
    if made is None:
        raise Withdrawn
    return email.body.replace(SECRET, made)
