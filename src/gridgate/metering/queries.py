"""Reading metering points: every query starts from what the actor may see."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection
from gridgate.core.text import folded
from gridgate.metering.models import LoadCurveCollection, MeteringPoint, RegisterImport, TitleHolding
from gridgate.organisations.models import Membership
from gridgate.organisations.rights import perimeter_of


class PointNotFound(GridgateError):
    """Absent, or not readable by this actor."""

    def __init__(self, point_id: str) -> None:
        super().__init__(
            ErrorKind.NOT_FOUND,
            f"no metering point {point_id}",
            remedy="Check the digits and your perimeter.",
        )


def points_readable_by(
    *, actor: Membership, service: str, at: date | None = None, point: str | None = None
) -> QuerySet[MeteringPoint]:
    """The points that the actor's organisation holds or held, within the actor's reach of a service of the
    catalogue (`organisations.catalogue.EntitlementCode`); in no order.

    With `at`, only those held on that civil day; with `point`, only that one, which is then looked up and not
    looked for among all. Each point carries the last of the organisation's own titles: `held_from`, and
    `held_to`, the first day on which it no longer holds (None while open).
    """
    reach = actor.reach(service)
    if not reach.allowed:
        return MeteringPoint.objects.none()
    titles = TitleHolding.objects.filter(holder=actor.organisation_id)
    if at is not None:
        titles = titles.filter(held_on(at))
    readable: QuerySet[Any, str]
    if reach.everything:
        readable = titles.values_list("metering_point", flat=True)
    else:
        # From the perimeter to the titles: the database makes one list, and the shorter one.
        held = titles.filter(metering_point=OuterRef("metering_point_id"))
        readable = perimeter_of(actor, service).filter(Exists(held))
    if point is not None:
        readable = readable.filter(metering_point_id=point)
    points = MeteringPoint.objects.filter(pk__in=readable)
    last_title = titles.filter(metering_point=OuterRef("pk")).order_by("-valid_from")
    return points.annotate(
        held_from=Subquery(last_title.values("valid_from")[:1]),
        held_to=Subquery(last_title.values("valid_to")[:1]),
    )


def held_on(day: date) -> Q:
    """Titles that hold on the civil day: begun, and ending after it if at all."""
    return Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


def point_readable_by(*, actor: Membership, service: str, point_id: str) -> MeteringPoint:
    """The point, or `PointNotFound`: whether it exists elsewhere is not told."""
    found = points_readable_by(actor=actor, service=service, point=point_id).first()
    if found is None:
        raise PointNotFound(point_id)
    return found


# --- lists of points --------------------------------------------------------------------------------------

NEVER = "never"
"""The collection state of a point that never had one."""


@dataclass(frozen=True, slots=True)
class PointFilter:
    """What a list of points is narrowed to; an empty value narrows nothing.

    `text` is words of the name or address, or digits of the identifier or postcode in any grouping; every
    word must be found. Powers are in kVA, both ends included. `collection` is a state, or `NEVER`.
    """

    text: str = ""
    segment: str = ""
    direction: FlowDirection | None = None
    city: str = ""
    power_from: Decimal | None = None
    power_to: Decimal | None = None
    collection: str = ""
    held: bool | None = None
    """Only points held today (True) or no more (False)."""


def narrow(points: QuerySet[MeteringPoint], wanted: PointFilter, *, today: date) -> QuerySet[MeteringPoint]:
    """The points that the filter lets through."""
    points = points.filter(_found(wanted.text))
    if wanted.segment:
        points = points.filter(segment=wanted.segment)
    if wanted.direction is not None:
        points = points.filter(directions__in=[mask for mask in (1, 2, 3) if mask & wanted.direction.bit])
    if wanted.city:
        points = points.filter(city=wanted.city)
    if wanted.power_from is not None:
        points = points.filter(subscribed_power_kva__gte=wanted.power_from)
    if wanted.power_to is not None:
        points = points.filter(subscribed_power_kva__lte=wanted.power_to)
    if wanted.collection:
        points = points.filter(_collected(wanted.collection))
    if wanted.held is not None:
        ended = Q(held_to__isnull=False, held_to__lte=today)
        points = points.filter(~ended if wanted.held else ended)
    return points


def with_collection(points: QuerySet[MeteringPoint]) -> QuerySet[MeteringPoint]:
    """Each point with its present `collection_state` and `collection_since`; None when it never had one."""
    present = LoadCurveCollection.objects.filter(metering_point=OuterRef("pk"), until__isnull=True)
    return points.annotate(
        collection_state=Subquery(present.values("state")[:1]),
        collection_since=Subquery(present.values("since")[:1]),
    )


@dataclass(frozen=True, slots=True)
class PointTotals:
    """How many points, how many of them inject, at how many addresses."""

    points: int
    injecting: int
    sites: int


def totals_of(points: QuerySet[MeteringPoint]) -> PointTotals:
    """Count a list of points, in one statement."""
    address = Concat("address", Value("\n"), "postcode")
    counted = points.aggregate(
        points=Count("pk"),
        injecting=Count("pk", filter=Q(directions__in=[2, 3])),
        sites=Count(address, distinct=True),
    )
    return PointTotals(**counted)


def collection_counts(points: QuerySet[MeteringPoint]) -> dict[str | None, int]:
    """How many of these points are in each state of collection, in one statement; None: never asked for."""
    present: Any = with_collection(points).order_by()
    return dict(present.values_list("collection_state").annotate(count=Count("pk")))


def cities_of(points: QuerySet[MeteringPoint]) -> list[str]:
    """The cities of these points, in alphabetical order."""
    cities = points.exclude(city="").order_by().values_list("city", flat=True).distinct()
    return sorted(cities, key=folded)


def collections_of(point: MeteringPoint) -> QuerySet[LoadCurveCollection]:
    """The states that a point's collection has had, the latest first, with who decided."""
    return point.collections.select_related("changed_by").order_by("-since", "-pk")


# --- the operator's registry ------------------------------------------------------------------------------


class NotTheOperator(GridgateError):
    """Only the staff of the network operator sees the whole registry."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.FORBIDDEN, "this is for the staff of the network operator")


@dataclass(frozen=True, slots=True)
class RegistryFigures:
    """How many points, how many of them nobody holds, how many companies hold some, what awaits a visit."""

    points: int
    without_holder: int
    holders: int
    collections_waiting: int


def registry_figures(*, actor: Membership, today: date) -> RegistryFigures:
    """The registry on a civil day. Raises `NotTheOperator`."""
    _require_operator(actor)
    titles = TitleHolding.objects.filter(held_on(today))
    held = titles.aggregate(
        points=Count("metering_point", distinct=True), holders=Count("holder", distinct=True)
    )
    points = MeteringPoint.objects.count()
    return RegistryFigures(
        points=points,
        without_holder=points - held["points"],
        holders=held["holders"],
        collections_waiting=_waiting().count(),
    )


def waiting_collections(*, actor: Membership) -> QuerySet[MeteringPoint]:
    """The points whose collection was asked for and waits for a visit, the longest first. Raises
    `NotTheOperator`.
    """
    _require_operator(actor)
    points = MeteringPoint.objects.filter(pk__in=_waiting().values("metering_point"))
    return with_collection(points).order_by(F("collection_since").asc(), "pk")


def imports_made(*, actor: Membership) -> QuerySet[RegisterImport]:
    """The files checked and imported, the latest first, without their content. Raises `NotTheOperator`."""
    _require_operator(actor)
    return (
        RegisterImport.objects.select_related("made_by")
        .defer("content", "findings")
        .order_by("-made_at", "-pk")
    )


def import_made(*, actor: Membership, number: int) -> RegisterImport:
    """One of them, without its content. Raises `NotTheOperator`, `ImportNotFound`."""
    _require_operator(actor)
    found = RegisterImport.objects.select_related("made_by").defer("content").filter(pk=number).first()
    if found is None:
        raise ImportNotFound(number)
    return found


class ImportNotFound(GridgateError):
    """No such import, or its file was discarded."""

    def __init__(self, number: int) -> None:
        super().__init__(ErrorKind.NOT_FOUND, f"no import {number}", remedy="Send the file again.")


def _require_operator(actor: Membership) -> None:
    if not actor.organisation.is_operator:
        raise NotTheOperator


def _waiting() -> QuerySet[LoadCurveCollection]:
    return LoadCurveCollection.objects.filter(until__isnull=True, state=LoadCurveCollection.State.REQUESTED)


# --- searching --------------------------------------------------------------------------------------------


def _found(text: str) -> Q:
    # "30 001 480" are groups of one number; "12 rue du Bac" are words, one of which happens to be a number.
    compact = "".join(text.split())
    if compact.isascii() and compact.isdigit():
        return Q(pk__contains=compact) | _all_words(text)
    return _all_words(text)


def _all_words(text: str) -> Q:
    found = Q()
    for word in folded(text).split():
        found &= Q(search_text__contains=word) | Q(pk__contains=word.upper())
    return found


def _collected(state: str) -> Q:
    present = LoadCurveCollection.objects.filter(until__isnull=True)
    if state == NEVER:
        return ~Q(pk__in=present.values("metering_point"))
    return Q(pk__in=present.filter(state=state).values("metering_point"))
