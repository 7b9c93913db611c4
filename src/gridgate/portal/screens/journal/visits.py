"""What the company's own people and programs looked at, put together: one line a day, who, what and by which way."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from gridgate.applications.queries import names_of
from gridgate.metering.queries.points import names_of_points, points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.screens.journal import entry_texts
from gridgate.portal.screens.journal.filters import OWN
from gridgate.portal.screens.sharing.moment import Moment


def visit_rows(
    actor: Membership, visits: Sequence[Mapping[str, Any]], moment: Moment
) -> list[dict[str, Any]]:
    """Lines of `own_visits` in words, with the names of points and programs."""
    alone = {visit["point"] for visit in visits if visit["points"] == 1}
    readable = points_readable_by(actor=actor, service=EntitlementCode.DATA_SERVICES, today=moment.today)
    names = names_of_points(readable.filter(pk__in=alone))
    programs = names_of({visit["application"] for visit in visits if visit["application"]})
    return [_row(visit, names, programs) for visit in visits]


def _row(visit: Mapping[str, Any], names: Mapping[str, str], programs: Mapping[str, str]) -> dict[str, Any]:
    only_point = visit["point"] if visit["points"] == 1 else ""
    return {
        "day": visit["day"],
        "who": entry_texts.by(visit["user_name"], visit["application"], programs) or _("Votre entreprise"),
        "data": entry_texts.data(visit["kind"], visit["direction"]),
        "read": visit["read"],
        "refused": visit["refused"],
        "values": visit["received"],
        "points": visit["points"],
        "point": only_point,
        "name": names.get(only_point, ""),
        "hours": _hours(visit["first_at"], visit["last_at"]),
        "channel": entry_texts.channel(visit["channel"]),
        "detail": _detail(visit),
    }


def _hours(first: datetime, last: datetime) -> str:
    """`14:20`, `08:10 – 17:22`."""
    begins, ends = formats.clock(first), formats.clock(last)
    return begins if begins == ends else f"{begins} – {ends}"


def _detail(visit: Mapping[str, Any]) -> str:
    """The address of its entries one by one."""
    day = visit["day"].isoformat()
    asked = {"lectures": OWN, "detail": "oui", "du": day, "au": day}
    narrow = {"donnees": visit["kind"], "canal": visit["channel"]}
    return "?" + urlencode(asked | {name: value for name, value in narrow.items() if value})
