"""Letters to people about the last day on which they act for a company: set, moved or taken away, and near."""

from datetime import datetime, timedelta

from gridgate.notifications import letters
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations import events
from gridgate.organisations.models import Membership

FRESH = timedelta(days=8)
"""A letter about a day that came within this time of its end needs no reminder."""


def tell(*, membership: Membership, now: datetime, **_: object) -> None:
    _write(membership, f"{now.isoformat()}", near=False, now=now)


def remind(*, membership: Membership, now: datetime, **_: object) -> None:
    """Once for each last day, whatever the worker's rounds; not when setting it has just told of it."""
    assert membership.until is not None
    told = OutgoingEmail.objects.filter(
        key__startswith=f"last_day:{membership.pk}:{_day(membership)}:",
        created_at__gt=membership.until - FRESH,
    )
    if not told.exists():
        _write(membership, "near", near=True, now=now)


def _write(membership: Membership, which: str, *, near: bool, now: datetime) -> None:
    letters.write(
        "last_day",
        key=f"{membership.pk}:{_day(membership)}:{which}",
        email=membership.user.email,
        language=membership.user.language,
        facts={"company": membership.organisation, "last_day": membership.last_day, "near": near},
        now=now,
    )


def _day(membership: Membership) -> str:
    return membership.last_day.isoformat() if membership.last_day is not None else "open"


def connect() -> None:
    """Listen to organisations."""
    events.last_day_set.connect(tell)
    events.last_day_comes.connect(remind)
