"""Recording changes of rights and requests, in the transaction that makes them, as a chain of hashes."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import transaction

from gridgate.audit.changes import RIGHTS, Change, say
from gridgate.audit.models import AuditEvent


class Actor(Protocol):
    """A membership, as far as this app needs to know: it lives above."""

    user_id: int
    organisation_id: int
    user: Any
    organisation: Any


@dataclass(frozen=True, slots=True)
class Subject:
    """What was changed, named as it was then."""

    kind: str
    id: str
    label: str


def record(
    action: str,
    *,
    subject: Subject,
    organisation: int | None,
    actor: Actor | None = None,
    user: Any = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> AuditEvent:
    """Append one event; call it inside the transaction of the change.

    `actor` is the membership that acted; `user` a person who acted for no company; neither, the portal itself.
    `before` and `after` hold what changed only, as JSON values, and no secret.
    """
    person = actor.user if actor is not None else user
    event = AuditEvent(
        at=now,
        organisation=organisation,
        user=person.pk if person is not None else None,
        user_name=str(person)[:200] if person is not None else "",
        acting_for=actor.organisation_id if actor is not None else None,
        acting_for_name=actor.organisation.legal_name if actor is not None else "",
        action=action,
        subject_kind=subject.kind,
        subject=subject.id,
        subject_label=subject.label[:200],
        before=dict(before or {}),
        after=dict(after or {}),
    )
    with transaction.atomic():
        # One writer at a time: SQLite's transactions begin IMMEDIATE, elsewhere the last row is locked.
        last = AuditEvent.objects.select_for_update().order_by("-pk").only("hash").first()
        event.previous = last.hash if last is not None else ""
        event.hash = hash_of(event)
        event.save(force_insert=True)
        say(change_of(event))
    return event


def change_of(event: AuditEvent) -> Change:
    """The event as the chained log says it: enough to tell a person what was done, if the registry loses it."""
    says = {
        "at": event.at.astimezone(UTC).isoformat(),
        "action": event.action,
        "organisation": event.organisation,
        "subject": f"{event.subject_kind} {event.subject_label or event.subject}".strip(),
        "by": event.user_name,
    }
    return Change(RIGHTS, str(event.pk), event.hash, says)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two sides without what stayed the same.

    >>> changed({"role": "user", "external": False}, {"role": "administrator", "external": False})
    ({'role': 'user'}, {'role': 'administrator'})
    """
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def hash_of(event: AuditEvent) -> str:
    """SHA-256 of the previous hash and of all that the event says, as canonical JSON."""
    fields = [
        event.previous,
        event.at.astimezone(UTC).isoformat(),  # however it was given, as it is read back
        event.organisation,
        event.user,
        event.user_name,
        event.acting_for,
        event.acting_for_name,
        event.action,
        event.subject_kind,
        event.subject,
        event.subject_label,
        event.before,
        event.after,
    ]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def broken_links() -> Iterator[AuditEvent]:
    """The events whose hash, or whose link to the one before, does not hold; none in a sound chain."""
    previous = ""
    for event in AuditEvent.objects.order_by("pk").iterator():
        if event.previous != previous or event.hash != hash_of(event):
            yield event
        previous = event.hash
