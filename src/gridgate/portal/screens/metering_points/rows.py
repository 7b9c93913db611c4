"""A metering point as a line of a list says it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from gridgate.core.quantities import FlowDirection, directions_of
from gridgate.metering.models import LoadCurveCollection, MeteringPoint
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Tag

State = LoadCurveCollection.State


UNTOLD = Tag("", "–", "")
"""Of a point that is not the company's today, nothing is said."""


@dataclass(frozen=True, slots=True)
class PointRow:
    """What a list shows of a point.

    `past` is the day since which the company no longer holds it, if so; `coming` that from which it will.
    """

    id: str
    name: str
    place: str
    postcode: str
    segment: str
    power: str
    directions: str
    injects: bool
    collection: Tag
    collection_since: datetime | None
    past: date | None
    coming: date | None
    readers: int | None = None
    data: Tag | None = None

    @property
    def number(self) -> str:
        """The identifier, to stand beside the name; empty when it is the name."""
        return "" if self.name == self.id else self.id


def rows_of(
    points: Iterable[MeteringPoint],
    *,
    today: date,
    readers: Mapping[str, int] | None = None,
    last_days: Mapping[str, date | None] | None = None,
) -> list[PointRow]:
    """The lines of a page. `points` carry titles and collections; the two mappings are by identifier, without those of
    which the person may not know.

    What comes in, and who reads it, is said of points held today: the rest is the business of who holds them.
    """
    return [
        PointRow(
            id=point.pk,
            name=str(point),
            place=" ".join(filter(None, (point.postcode, point.city))),
            postcode=point.postcode,
            segment=point.segment,
            power=power(point.subscribed_power_kva),
            directions=directions(point.directions),
            injects=bool(point.directions & FlowDirection.INJECTION.bit),
            collection=collection(_said(point, "collection_state")) if is_held(point, today) else UNTOLD,
            collection_since=_said(point, "collection_since"),
            past=past(_said(point, "held_to"), today),
            coming=coming(_said(point, "held_from"), today),
            readers=readers.get(point.pk) if readers is not None and is_held(point, today) else None,
            data=_data(point, last_days, today),
        )
        for point in points
    ]


def power(kva: Decimal | None) -> str:
    """Without its unit, which is in the column's header."""
    return formats.number(kva, 0 if kva is None or kva == int(kva) else 2)


def directions(mask: int) -> str:
    """In words; a dash when nothing is known."""
    words = {FlowDirection.WITHDRAWAL: _("Soutirage"), FlowDirection.INJECTION: _("Injection")}
    if len(directions_of(mask)) == len(FlowDirection):
        return _("Soutirage et injection")
    return next((words[one] for one in directions_of(mask)), "–")


def collection(state: str | None) -> Tag:
    """The state of the load curve's collection in a word."""
    match state:
        case State.ACTIVE:
            return Tag("good", _("Active"), "check")
        case State.REQUESTED:
            return Tag("warn", _("Demandée"), "clock")
        case State.ENDED:
            return Tag("", _("Terminée"), "minus")
        case State.OPPOSED:
            return Tag("", _("Opposée"), "lock")
    return Tag("", _("Inactive"), "minus")


def past(held_to: date | None, today: date) -> date | None:
    return held_to if held_to is not None and held_to <= today else None


def coming(held_from: date, today: date) -> date | None:
    return held_from if held_from > today else None


def freshness(last: date | None, today: date) -> Tag:
    """Up to which day there are data; the day before is what one can expect. Why there are none since, nobody knows:
    the meter may be silent, or its file late.
    """
    if last is None:
        return Tag("bad", _("Sans données"), "plug")
    if (today - last).days <= 2:
        return Tag("good", _("À jour"), "check")
    return Tag("warn", _("Jusqu’au %(day)s") % {"day": formats.day(last)}, "plug")


def _data(point: MeteringPoint, last_days: Mapping[str, date | None] | None, today: date) -> Tag | None:
    if last_days is None or point.pk not in last_days or not is_held(point, today):
        return None
    return freshness(last_days[point.pk], today)


def is_held(point: MeteringPoint, today: date) -> bool:
    """Whether the title that the point carries holds on the civil day."""
    return past(_said(point, "held_to"), today) is None and coming(_said(point, "held_from"), today) is None


def _said(point: MeteringPoint, name: str) -> Any:
    return getattr(point, name)
