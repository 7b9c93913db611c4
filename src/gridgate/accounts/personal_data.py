"""All that the portal holds about one person, for that person (GDPR articles 15 and 20).

The shape is described in docs/1-running/personal-data.md and is added to, never changed. Instants are ISO 8601 in UTC.
Each room says what it keeps (`core.capability`); here are what no room has alone, and the reads of the access log.
What is not there: secrets (password hash, keys of second factors), and what is other people's or a company's (article
15(4)): an event that the person made about something else is told without what it changed, a request made for a
company without its content. The company's own screens show both.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Q

from gridgate.audit.models import AuditEvent
from gridgate.audit.queries.entries import entries_by
from gridgate.core.capability import PersonalData, Rows, declared, iso
from gridgate.onboarding.queries import invitations_to
from gridgate.organisations.models import User

FORMAT = "gridgate-personal-data/1"

_ONLY_HERE = ("member.asked_in", "member.asked_in_withdrawn")
"""Recorded only when the company asked is here, which whoever asks does not learn; `join_requests` tells of all."""


def kept_of_people() -> list[PersonalData]:
    """What each room says that it keeps, the lowest room first."""
    return declared([app.name for app in reversed(list(apps.get_app_configs()))], "PERSONAL_DATA")


def export_of(*, user: User, now: datetime) -> dict[str, Any]:
    """Everything but `reads`, which may be long: see `reads_of`."""
    told: dict[str, list[Any]] = defaultdict(list)
    for room in kept_of_people():
        for name, section in room.sections.items():
            told[name].append(section(user))
    sections = {name: parts[0] if len(parts) == 1 else _together(parts) for name, parts in told.items()}
    return {"format": FORMAT, "exported_at": iso(now), **sections, "events": _events(user)}


def _together(parts: list[Rows]) -> Rows:
    """What several rooms have of one section, in the order of time."""
    return sorted((row for part in parts for row in part), key=lambda row: (row["created_at"], row["number"]))


def reads_of(*, user: User) -> Iterator[dict[str, Any] | None]:
    """The measurements that the person read, or asked for in vain, on screens: one row of the access log each, None for
    one that is counted and cannot be read.
    """
    for entry in entries_by(user=user.pk):
        yield (
            None
            if entry is None
            else {
                "at": iso(entry.at),
                "for_company": entry.reader_name,
                "outcome": entry.outcome,
                "channel": entry.channel,
                "metering_point": entry.metering_point_id,
                "kind": entry.kind,
                "direction": entry.direction,
                "start": iso(entry.start),
                "end": iso(entry.end),
            }
        )


def _events(user: User) -> Rows:
    """Those that the person made, and those about them: their account, their memberships, their invitations."""
    about = {
        "user": {str(user.pk)},
        "member": {str(pk) for pk in user.memberships.values_list("pk", flat=True)},
        "invitation": {str(pk) for pk in invitations_to(user=user).values_list("pk", flat=True)},
    }
    wanted = Q(user=user.pk)
    for kind, subjects in about.items():
        wanted |= Q(subject_kind=kind, subject__in=subjects)
    events = AuditEvent.objects.filter(wanted).exclude(action__in=_ONLY_HERE).order_by("at", "pk")
    return [_event(event, user, event.subject in about.get(event.subject_kind, ())) for event in events]


def _event(event: AuditEvent, user: User, about_them: bool) -> dict[str, Any]:
    told = {
        "at": iso(event.at),
        "action": event.action,
        "by_you": event.user == user.pk,
        "acting_for": event.acting_for_name if event.user == user.pk else "",
        "about_you": about_them,
        "subject_kind": event.subject_kind,
        "subject": event.subject_label,
    }
    return told | ({"before": event.before, "after": event.after} if about_them else {})
