"""Reading metering points: every query starts from what the actor may see."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection
from gridgate.core.text import folded, visible
from gridgate.metering.models import (
    LoadCurveCollection,
    MeteringPoint,
    PointAsHeld,
    RegisterImport,
    TitleHolding,
    called,
)
from gridgate.organisations.models import Membership
from gridgate.organisations.rights import points_reached_now

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Said(TypedDict):
        """What a version says of a row, and the days of the title that shows it (None for who sees all)."""

        segment: str
        directions: int
        label: str
        address: str
        postcode: str
        city: str
        subscribed_power_kva: Decimal | None
        meter_type: str
        search_text: str
        held_by: int
        held_from: date
        held_to: date | None

    Points = QuerySet[WithAnnotations[MeteringPoint, Said]]
    Titles = QuerySet[WithAnnotations[TitleHolding, Said]]
else:
    Points = Titles = QuerySet


class PointNotFound(GridgateError):
    """Absent, or not readable by this actor."""

    def __init__(self, point_id: str) -> None:
        super().__init__(
            ErrorKind.NOT_FOUND,
            f"no metering point {point_id}",
            remedy="Check the digits and your perimeter.",
        )


def points_of_company(*, actor: Membership) -> frozenset[str]:
    """The points that the actor's company holds or held, whoever may look at them: for telling how many of them a
    change of rights reaches. One statement.
    """
    titles = TitleHolding.objects.filter(holder=actor.organisation_id)
    return frozenset(titles.values_list("metering_point", flat=True))


def points_readable_by(
    *, actor: Membership, service: str, today: date, held: bool = False, point: str | None = None
) -> Points:
    """The points that the actor's organisation holds, held or will hold, within the actor's reach of a service of the
    catalogue (`organisations.catalogue.EntitlementCode`); in no order.

    With `held`, only those held on the civil day; with `point`, only that one, which is then looked up and not
    looked for among all. Each point is as that organisation's title shows it (`metering.as_held`), and carries the
    days of the title: `held_from`, and `held_to`, the first day on which it no longer holds (None while open).
    """
    reach = actor.reach(service)
    if not reach.allowed:
        return points_as_held_by(actor.organisation_id, today=today).none()
    points = points_as_held_by(actor.organisation_id, today=today, held=held)
    if point is not None:
        points = points.filter(pk=point)
    return points if reach.everything else points.filter(pk__in=points_reached_now(actor, service))


def points_as_held_by(organisation: int, *, today: date, held: bool = False) -> Points:
    """The same of all points of a company, whoever asks: what it is shown of them, and may show to others."""
    own = Q(as_held__holder=organisation) & _lasts(today, "as_held__shown_from", "as_held__shown_to")
    if held:
        own &= _lasts(today, "as_held__held_from", "as_held__held_to")
    shown = with_version(MeteringPoint.objects.filter(own), "as_held__version")
    points: Points = shown.annotate(
        held_by=F("as_held__holder"), held_from=F("as_held__held_from"), held_to=F("as_held__held_to")
    )
    return points


def with_version(rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    """Rows with what the version of a point at the end of the path says; empty, 0 or None without a version."""
    texts = ("segment", "label", "address", "postcode", "city", "meter_type", "search_text")
    said: dict[str, Any] = {
        name: Coalesce(F(f"{path}__{name}"), Value(""), output_field=CharField()) for name in texts
    }
    told: QuerySet[Any] = rows.annotate(
        **said,
        directions=Coalesce(F(f"{path}__directions"), Value(0)),
        subscribed_power_kva=F(f"{path}__subscribed_power_kva"),
    )
    return told


@dataclass(frozen=True, slots=True)
class HeldTime:
    """Days of a company's title on a point, from `first` up to, not including, `after` (None while open), through which
    one power was subscribed: None when it is not known.
    """

    first: date
    after: date | None
    subscribed_power_kva: Decimal | None


def held_times(*, actor: Membership, point_id: str) -> list[HeldTime]:
    """The company's own days on a point, those of every title, in the order of time. For a point whose readability was
    decided already. One statement.
    """
    faces = PointAsHeld.objects.filter(holder=actor.organisation_id, metering_point=point_id)
    its_time = faces.exclude(shown_to__lte=F("held_from")).order_by("shown_from")
    times = []
    for shown_from, shown_to, held_from, held_to, power in its_time.values_list(
        "shown_from", "shown_to", "held_from", "held_to", "version__subscribed_power_kva"
    ):
        first = max(shown_from, held_from)
        ends = [day for day in (shown_to, held_to) if day is not None]
        after = min(ends) if ends else None
        if after is None or first < after:
            times.append(HeldTime(first, after, power))
    return times


def own_titles(*, actor: Membership, point_id: str) -> list[tuple[date, date | None]]:
    """The times for which the actor's company held, holds or will hold a point: of each its first day, and the first day
    after it (None while open), in the order of time. For a point whose readability was decided already.
    """
    titles = TitleHolding.objects.filter(holder=actor.organisation_id, metering_point=point_id)
    times: list[tuple[date, date | None]] = []
    for first, after in titles.order_by("valid_from").values_list("valid_from", "valid_to"):
        if times and times[-1][1] == first:
            first = times.pop()[0]
        times.append((first, after))
    return times


def times_of_points_held_again(*, actor: Membership) -> dict[str, list[tuple[date, date | None]]]:
    """The points on which the actor's company has several titles, with the time of each: its first day, and the first day
    after it (None while open), in the order of time. For points whose readability was decided already. One statement.
    """
    titles = TitleHolding.objects.filter(holder=actor.organisation_id)
    others = titles.filter(metering_point=OuterRef("metering_point")).exclude(pk=OuterRef("pk"))
    again = titles.filter(Exists(others)).order_by("metering_point", "valid_from")
    times: dict[str, list[tuple[date, date | None]]] = {}
    for point, first, after in again.values_list("metering_point", "valid_from", "valid_to"):
        times.setdefault(point, []).append((first, after))
    return times


def names_of_points(points: Points) -> dict[str, str]:
    """What these points are called, without those that have but their number."""
    said = points.values_list("pk", "label", "address")
    named = ((number, called(label, address, number)) for number, label, address in said)
    return {number: name for number, name in named if name != number}


def as_they_are(points: QuerySet[MeteringPoint], *, today: date) -> Points:
    """The points as they are on the civil day, whoever holds them: for the operator, and for nobody else.

    One of which only a coming version is known has no values yet.
    """
    return of_the_day(points, "versions", today=today)


def of_the_day(rows: QuerySet[Any], versions: str, *, today: date) -> QuerySet[Any]:
    """Rows with what the version of the civil day says, of those at the end of the path `versions`."""
    in_force = _lasts(today, f"{versions}__valid_from", f"{versions}__valid_to")
    present = FilteredRelation(versions, condition=in_force)
    return with_version(rows.annotate(version_of_the_day=present), "version_of_the_day")


def held_on(day: date) -> Q:
    """Titles that hold on the civil day: begun, and ending after it if at all."""
    return _lasts(day, "valid_from", "valid_to")


def still_held(today: date) -> Q:
    """Points of `points_readable_by` whose title holds on the civil day."""
    return _lasts(today, "held_from", "held_to")


def _lasts(day: date, first: str, after: str) -> Q:
    return Q(**{f"{first}__lte": day}) & (Q(**{f"{after}__isnull": True}) | Q(**{f"{after}__gt": day}))


def point_readable_by(*, actor: Membership, service: str, point_id: str, today: date) -> MeteringPoint:
    """The point, or `PointNotFound`: whether it exists elsewhere is not told."""
    found = points_readable_by(actor=actor, service=service, today=today, point=point_id).first()
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


def narrow(points: Points, wanted: PointFilter, *, today: date) -> Points:
    """The points that the filter lets through."""
    points = points.filter(found_by(wanted.text))
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
        state = (
            Q(collection_state__isnull=True)
            if wanted.collection == NEVER
            else Q(collection_state=wanted.collection)
        )
        points = with_collection(points, today=today).filter(held_on_title(today) & state)
    if wanted.held is not None:
        ended = Q(held_to__isnull=False, held_to__lte=today)
        points = points.filter(~ended if wanted.held else ended)
    return points


def with_collection(points: Points, *, today: date) -> Points:
    """Points that carry a title, each with its present `collection_state` and `collection_since`.

    None when it never had one, and when the title does not hold today: the state is another company's then.
    """
    return points.annotate(
        **{
            f"collection_{column}": Case(
                When(held_on_title(today), then=_present_collection(column, holder=OuterRef("held_by")))
            )
            for column in ("state", "since")
        }
    )


def with_anyones_collection(points: Points) -> Points:
    """The same of points as the operator sees them, whoever holds them."""
    return points.annotate(
        collection_state=_present_collection("state"), collection_since=_present_collection("since")
    )


def held_on_title(day: date) -> Q:
    """Points that carry a title which holds on the civil day."""
    return _lasts(day, "held_from", "held_to")


def _present_collection(column: str, **narrower: Any) -> Subquery:
    present = LoadCurveCollection.objects.filter(
        metering_point=OuterRef("pk"), until__isnull=True, **narrower
    )
    return Subquery(present.values(column)[:1])


@dataclass(frozen=True, slots=True)
class PointTotals:
    """How many points; how many are held today, how many of these inject, at how many addresses."""

    points: int
    held: int
    injecting: int
    sites: int


def totals_of(points: Points, *, today: date) -> PointTotals:
    """Count a list of points, in one statement. One whose address is not told is of no site."""
    told = Concat("address", Value("\n"), "postcode")
    address = Case(When(directions__gt=0, then=told))
    held = still_held(today)
    counted = points.aggregate(
        points=Count("pk"),
        held=Count("pk", filter=held),
        injecting=Count("pk", filter=held & Q(directions__in=[2, 3])),
        sites=Count(address, distinct=True, filter=held),
    )
    return PointTotals(**counted)


def collection_counts(points: Points, *, today: date) -> dict[str | None, int]:
    """How many of these points are in each state of collection, in one statement; None: never asked for."""
    present: Any = with_collection(points, today=today).order_by()
    return dict(present.values_list("collection_state").annotate(count=Count("pk")))


def cities_of(points: Points) -> list[str]:
    """The cities of these points, in alphabetical order."""
    cities = points.exclude(city="").order_by().values_list("city", flat=True).distinct()
    return sorted(cities, key=folded)


def collections_of(point: MeteringPoint, *, actor: Membership) -> QuerySet[LoadCurveCollection]:
    """The states that a point's collection has had under the actor's company, the latest first, with who decided."""
    states = point.collections.filter(holder=actor.organisation_id)
    return states.select_related("changed_by").order_by("-since", "-pk")


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


def waiting_collections(*, actor: Membership, today: date) -> Points:
    """The points whose collection was asked for and waits for a visit, the longest first. Raises
    `NotTheOperator`.
    """
    _require_operator(actor)
    points = MeteringPoint.objects.filter(pk__in=_waiting().values("metering_point"))
    return with_anyones_collection(as_they_are(points, today=today)).order_by(
        F("collection_since").asc(), "pk"
    )


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


def found_by(text: str) -> Q:
    """Points by words of their name or address, or by their number: "30 001 480" and "30.001.480" are groups of one
    number, "17Z 0000" those of a code; "12 rue du Bac" are words, one of which happens to be a number.
    """
    compact = "".join(char for char in visible(text).upper() if char.isalnum() or char == "-")
    bare = compact.replace("-", "")
    if bare[:2].isdigit() and bare.isascii():
        return Q(pk__contains=compact) | Q(pk__contains=bare) | _all_words(text)
    return _all_words(text)


def _all_words(text: str) -> Q:
    found = Q()
    for word in folded(text).split():
        found &= Q(search_text__contains=word) | Q(pk__contains=word.upper())
    return found
