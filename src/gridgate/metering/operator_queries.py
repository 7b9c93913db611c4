"""The operator's register of points: who holds which, and held it when. For the operator's staff only."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.metering.models import (
    LoadCurveCollection,
    MeteringPoint,
    PointVersion,
    RegisterImport,
    TitleHolding,
)
from gridgate.metering.queries.collections import with_anyones_collection
from gridgate.metering.queries.lists import PointFilter, narrow
from gridgate.metering.queries.points import PointNotFound, Points, Titles, as_they_are, of_the_day
from gridgate.metering.queries.titles import held_on
from gridgate.metering.versions import versions_of
from gridgate.organisations.authority import require_operator
from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import Membership, Organisation


@dataclass(frozen=True, slots=True)
class RegisterFilter:
    """What the register is narrowed to; an empty value narrows nothing.

    `text` as in `PointFilter`; `holder` is words of the name of who holds it today, or the beginning of a SIREN.
    """

    text: str = ""
    holder: str = ""
    segment: str = ""
    held: bool | None = None


def points_of_register(*, actor: Membership, wanted: RegisterFilter | None = None, today: date) -> Points:
    """The points that the filter lets through, by name.

    Each says who holds it today: `holder_name`, `holder_siren` and `holder_since`, all None when nobody does. Raises
    `NotAllowed`.
    """
    require_operator(actor)
    wanted = wanted or RegisterFilter()
    titles = TitleHolding.objects.filter(held_on(today), metering_point=OuterRef("pk"))
    asked = PointFilter(text=wanted.text, segment=wanted.segment)
    points = narrow(as_they_are(MeteringPoint.objects.all(), today=today), asked, today=today)
    if wanted.holder.strip():
        points = points.filter(Exists(titles.filter(_named(wanted.holder))))
    if wanted.held is not None:
        points = points.filter(Exists(titles) if wanted.held else ~Exists(titles))
    return points.annotate(
        holder_name=Subquery(titles.values("holder__legal_name")[:1]),
        holder_siren=Subquery(titles.values("holder__siren")[:1]),
        holder_since=Subquery(titles.values("valid_from")[:1]),
    ).order_by("search_text", "pk")


def point_of_register(*, actor: Membership, point_id: str, today: date) -> MeteringPoint:
    """One point as it is today, with the state of its collection. Raises `NotAllowed`, and `PointNotFound`."""
    require_operator(actor)
    points = as_they_are(MeteringPoint.objects.filter(pk=point_id), today=today)
    found = with_anyones_collection(points).first()
    if found is None:
        raise PointNotFound(point_id)
    return found


def versions_of_point(*, actor: Membership, point: MeteringPoint) -> QuerySet[PointVersion]:
    """What it is, was and will be, the latest first. Raises `NotAllowed`."""
    require_operator(actor)
    return point.versions.order_by("-valid_from")


def name_that_stands(*, actor: Membership, point: MeteringPoint, holder: Organisation, first: date) -> str:
    """The name of the site that was given in another holder's time and that a title from this day on is shown; empty
    without one, and for a company that comes back to a name of its own time, as a file of holders has it. Raises
    `NotAllowed`.
    """
    earlier = list(holdings_of_point(actor=actor, point=point).filter(valid_from__lt=first))
    versions = versions_of([point.pk])[point.pk]
    version = versions.on(first)
    if version is None or version.valid_from == first or all(one.holder == holder for one in earlier):
        return ""
    own = {
        label
        for one in earlier
        if one.holder == holder and one.valid_to is not None
        for label in versions.labels(one.valid_from, one.valid_to)
    }
    return "" if version.label in own else version.label


def holdings_of_point(*, actor: Membership, point: MeteringPoint) -> QuerySet[TitleHolding]:
    """Who holds it, and held it before, the latest first. Raises `NotAllowed`."""
    require_operator(actor)
    return point.holdings.select_related("holder", "metering_point").order_by("-valid_from")


def holding_of_point(*, actor: Membership, point: MeteringPoint, pk: int) -> TitleHolding:
    """Raises `NotAllowed`, and `PointNotFound`."""
    found = holdings_of_point(actor=actor, point=point).filter(pk=pk).first()
    if found is None:
        raise PointNotFound(point.pk)
    return found


def collections_of_point(*, actor: Membership, point: MeteringPoint) -> QuerySet[LoadCurveCollection]:
    """The states that its collection has had, the latest first. Raises `NotAllowed`."""
    require_operator(actor)
    return point.collections.select_related("changed_by").order_by("-since", "-pk")


def holdings_of_company(
    *, actor: Membership, organisation: Organisation, today: date, present: bool | None = None
) -> Titles:
    """The company's titles, with what their points are today, by name: today's titles (`present`), the others, or all.

    Raises `NotAllowed`.
    """
    require_operator(actor)
    titles = TitleHolding.objects.filter(holder=organisation)
    if present is not None:
        titles = titles.filter(held_on(today)) if present else titles.exclude(held_on(today))
    return of_the_day(titles, "metering_point__versions", today=today).order_by(
        "search_text", "metering_point", "-valid_from"
    )


def points_held(*, actor: Membership, companies: Collection[int], today: date) -> dict[int, int]:
    """How many points each of these companies holds on the day; none: absent. One statement. Raises `NotAllowed`."""
    require_operator(actor)
    titles = TitleHolding.objects.filter(held_on(today), holder__in=companies).order_by()
    return dict(titles.values_list("holder").annotate(count=Count("metering_point", distinct=True)))


@dataclass(frozen=True, slots=True)
class RegistryFigures:
    """How many points, how many of them nobody holds, how many companies hold some, what awaits a visit."""

    points: int
    without_holder: int
    holders: int
    collections_waiting: int


def registry_figures(*, actor: Membership, today: date) -> RegistryFigures:
    """The registry on a civil day. Raises `NotAllowed`."""
    require_operator(actor)
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
    `NotAllowed`.
    """
    require_operator(actor)
    points = MeteringPoint.objects.filter(pk__in=_waiting().values("metering_point"))
    return with_anyones_collection(as_they_are(points, today=today)).order_by(
        F("collection_since").asc(), "pk"
    )


def imports_made(*, actor: Membership) -> QuerySet[RegisterImport]:
    """The files checked and imported, the latest first, without their content. Raises `NotAllowed`."""
    require_operator(actor)
    return (
        RegisterImport.objects.select_related("made_by")
        .defer("content", "findings")
        .order_by("-made_at", "-pk")
    )


def import_made(*, actor: Membership, number: int) -> RegisterImport:
    """One of them, without its content. Raises `NotAllowed`, `ImportNotFound`."""
    require_operator(actor)
    found = RegisterImport.objects.select_related("made_by").defer("content").filter(pk=number).first()
    if found is None:
        raise ImportNotFound(number)
    return found


class ImportNotFound(GridgateError):
    """No such import, or its file was discarded."""

    def __init__(self, number: int) -> None:
        super().__init__(ErrorKind.NOT_FOUND, f"no import {number}", remedy="Send the file again.")


def _waiting() -> QuerySet[LoadCurveCollection]:
    return LoadCurveCollection.objects.filter(until__isnull=True, state=LoadCurveCollection.State.REQUESTED)


def _named(text: str) -> Q:
    compact = "".join(text.split())
    if compact.isdigit():
        return Q(holder__siren__startswith=compact)
    return company_named_like(text, "holder") if compact else Q()
