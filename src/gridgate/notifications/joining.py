"""Letters about requests to act for a company: to its administrators, and the answer to who asked."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from gridgate.core.clock import zone_named
from gridgate.notifications import letters
from gridgate.organisations import events
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models import JoinRequest, Membership


def tell_administrators(
    *, asked: JoinRequest, administrators: Iterable[Membership], now: datetime, **others: object
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
                "name": _unlinked(str(asked.user), reader.language),
                "message": _unlinked(asked.message, reader.language),
                "company": administrator.organisation,
                "page": settings.BASE_URL + reverse("company_join_requests"),
            },
            zone=zone_named(reader.time_zone),
            now=now,
        )


def tell_asker(*, asked: JoinRequest, until: datetime | None, now: datetime, **others: object) -> None:
    letters.write(
        "join_answered",
        key=str(asked.pk),
        email=asked.user.email,
        language=asked.user.language,
        facts={
            "asked": asked,
            "company": asked.organisation,
            "accepted": asked.accepted_at is not None,
            "last_day": last_day(until) if until is not None else None,
        },
        now=now,
    )


def _unlinked(text: str, language: str) -> str:
    """What a stranger wrote, with nothing in it that a mail program makes a link of."""
    with translation.override(language):
        without = re.sub(r"\S*:/\S*", _("[lien retiré]"), text)
    return re.sub(r"([.@。．｡])(?=\w)", r"\1 ", without)


def connect() -> None:
    """Listen to organisations."""
    events.join_asked.connect(tell_administrators)
    events.join_answered.connect(tell_asker)
