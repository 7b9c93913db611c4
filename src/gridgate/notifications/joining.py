"""Letters about requests to act for a company: to its administrators, and the answer to who asked."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from gridgate.core.clock import zone_named
from gridgate.notifications import letters
from gridgate.organisations import events
from gridgate.organisations.models import JoinRequest, Membership


def tell_administrators(
    *, asked: JoinRequest, administrators: Iterable[Membership], now: datetime, **_: object
) -> None:
    for administrator in administrators:
        reader = administrator.user
        letters.write(
            "join_asked",
            key=f"{asked.pk}:{administrator.pk}",
            email=reader.email,
            language=reader.language,
            facts={
                "asked": asked,
                "company": administrator.organisation,
                "page": settings.BASE_URL + reverse("company_join_requests"),
            },
            zone=zone_named(reader.time_zone),
            now=now,
        )


def tell_asker(*, asked: JoinRequest, now: datetime, **_: object) -> None:
    letters.write(
        "join_answered",
        key=str(asked.pk),
        email=asked.user.email,
        language=asked.user.language,
        facts={"asked": asked, "company": asked.organisation, "accepted": asked.accepted_at is not None},
        now=now,
    )


def connect() -> None:
    """Listen to organisations."""
    events.join_asked.connect(tell_administrators)
    events.join_answered.connect(tell_asker)
