"""The roll-up of the access log, narrowed to what an actor sees and asks for."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from gridgate.audit.lines import GRANTED
from gridgate.audit.models import LogDay, LogFacet, LogPoint, LogPointDay
from gridgate.audit.queries.wanted import ENTITLEMENT, Actor, Wanted

LOOKED_UP = 8
"""Of the points read on a day, one in so many may be the actor's at most for looking up each of these, day by day, to
take less than looking through all of them."""
OF_POINTS = LogPointDay.objects.alias(one_point=Coalesce("metering_point_id", Value("")))
_EQUAL = ("reader", "kind", "channel")


class Row(NamedTuple):
    """How many entries of a facet there are on a day, and the last of them."""

    facet: LogFacet
    day: date
    entries: int
    last: int


@dataclass(slots=True)
class Read:
    """What was read already: given to several functions, it is read once, which of somebody who sees a part of the points
    is most of what they cost. One actor's, for one request.
    """

    sums: dict[tuple[date | None, date | None, str], list[tuple[int, date, int, int]]] = field(
        default_factory=dict
    )
    """The days' sums, by period and point."""
    facets: list[LogFacet] | None = None
    """Of the actor's company, or none."""


def facets_of(actor: Actor, wanted: Wanted) -> QuerySet[LogFacet]:
    """Of the actor's company, or none."""
    return LogFacet.objects.filter(_narrowed(actor, wanted, ""))


def seen_by(actor: Actor, wanted: Wanted) -> Q:
    """The condition that rows of `OF_POINTS` are of points that the actor sees. Of one point it is asked of that point's
    rows alone: an engine that takes the whole perimeter for the key looks for every point of it on every day.
    """
    return actor.within(ENTITLEMENT, "one_point" if wanted.metering_point else "metering_point_id")


def sums_of(actor: Actor, wanted: Wanted, *, by_point: bool = False) -> QuerySet[Any]:
    """The days' sums that match: those of whole days for who sees all the points of the company, else by point, within
    the perimeter.
    """
    within = seen_by(actor, wanted)
    days = Q()
    if wanted.first is not None:
        days &= Q(day__gte=wanted.first)
    if wanted.last is not None:
        days &= Q(day__lte=wanted.last)
    whole = LogDay.objects.filter(_narrowed(actor, wanted, "facet__"), days)
    if not (within or wanted.metering_point or by_point):
        return whole
    sums = OF_POINTS.filter(within, facet__in=facets_of(actor, wanted))
    if not wanted.metering_point:
        looked_up = _days_to_look_up(actor, whole) if within else []
        return sums.filter(Q(day__in=looked_up) if looked_up else days)
    # Days one by one, and no period beside them: each is found without looking at the other points.
    on = whole.values_list("day", flat=True).distinct()
    return sums.filter(day__in=list(on), metering_point_id=wanted.metering_point)


def _days_to_look_up(actor: Actor, whole: QuerySet[LogDay]) -> list[date]:
    """The days on which to look up the actor's points one by one; none when they are too large a part of those read, as
    told by the day and facet of the most entries.
    """
    read = list(whole.order_by("-entries").values_list("facet", "day"))
    if not read:
        return []
    facet, day = read[0]
    points = LogPointDay.objects.filter(facet=facet, day=day).count()
    few = points >= LOOKED_UP and actor.count_within(ENTITLEMENT) * LOOKED_UP <= points
    return sorted({day for _, day in read}) if few else []


def rows_of(actor: Actor, wanted: Wanted, read: Read | None) -> list[Row]:
    """The sums that match, by facet and day."""
    read = Read() if read is None else read
    period = (wanted.first, wanted.last, wanted.metering_point)
    if read.facets is None:
        read.facets = list(facets_of(actor, Wanted()))
    facets = {facet.pk: facet for facet in read.facets if _matches(facet, wanted, actor.organisation_id)}
    if period not in read.sums:
        of_all = Wanted(first=wanted.first, last=wanted.last, metering_point=wanted.metering_point)
        sums = sums_of(actor, of_all).values_list("facet", "day")
        read.sums[period] = list(sums.annotate(count=Sum("entries"), latest=Max("last")))
    found = read.sums[period]
    return [Row(facets[pk], day, entries, last) for pk, day, entries, last in found if pk in facets]


def points_read(actor: Actor) -> QuerySet[LogPoint]:
    return LogPoint.objects.filter(
        _narrowed(actor, Wanted(outcome=GRANTED), "facet__"), actor.within(ENTITLEMENT, "metering_point_id")
    )


def _narrowed(actor: Actor, wanted: Wanted, way: str) -> Q:
    """What facets must be for an actor to see what is of them, and to match."""
    if not actor.has(ENTITLEMENT):
        return Q(**{f"{way}pk__in": []})
    condition = Q(**{f"{way}holder": actor.organisation_id})
    if wanted.outcome == "refused":
        condition &= ~Q(**{f"{way}outcome": GRANTED})
    elif wanted.outcome:
        condition &= Q(**{f"{way}outcome": wanted.outcome})
    if wanted.own is not None:
        ours = Q(**{f"{way}reader": actor.organisation_id})
        condition &= ours if wanted.own else ~ours
    for name in _EQUAL:
        if value := getattr(wanted, name):
            condition &= Q(**{f"{way}{name}": value})
    return condition


def _matches(facet: LogFacet, wanted: Wanted, company: int) -> bool:
    """What `_narrowed` asks beyond who sees it, of a facet that was read."""
    refused = wanted.outcome == "refused" and facet.outcome != GRANTED
    told = refused or wanted.outcome in ("", facet.outcome)
    whose = wanted.own is None or wanted.own == (facet.reader == company)
    asked = ((getattr(wanted, name), getattr(facet, name)) for name in _EQUAL)
    return told and whose and all(not value or value == held for value, held in asked)


def latest_of(actor: Actor, facets: QuerySet[LogFacet]) -> list[tuple[int | None, int, int]]:
    """Reader, number and last entry of each facet of which the actor sees any: one search a facet, whatever the past."""
    if actor.within(ENTITLEMENT, "metering_point_id"):
        seen = points_read(actor).filter(facet__in=facets)
        return list(seen.values_list("facet__reader", "facet").annotate(latest=Max("last")))
    last = LogDay.objects.filter(facet=OuterRef("pk")).order_by("-day").values("last")[:1]
    return list(facets.annotate(last=Subquery(last)).exclude(last=None).values_list("reader", "pk", "last"))
