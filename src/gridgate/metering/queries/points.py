"""Metering points: every query starts from what the actor may see."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import CharField, F, FilteredRelation, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.metering.models import MeteringPoint, TitleHolding, called
from gridgate.metering.queries.titles import lasts
from gridgate.organisations.models import Membership
from gridgate.organisations.reach import points_reached_now

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
    own = Q(as_held__holder=organisation) & lasts(today, "as_held__shown_from", "as_held__shown_to")
    if held:
        own &= lasts(today, "as_held__held_from", "as_held__held_to")
    shown = with_version(MeteringPoint.objects.filter(own), "as_held__version")
    points: Points = shown.annotate(
        held_by=F("as_held__holder"), held_from=F("as_held__held_from"), held_to=F("as_held__held_to")
    )
    return points


def with_version(rows: QuerySet[Any], path: str) -> QuerySet[Any]:
    """Rows with what the version of a point at the end of the path says; empty, 0 or None without a version."""
    texts = ("segment", "label", "address", "postcode", "city", "meter_type", "search_text")
    values: dict[str, Any] = {
        name: Coalesce(F(f"{path}__{name}"), Value(""), output_field=CharField()) for name in texts
    }
    told: QuerySet[Any] = rows.annotate(
        **values,
        directions=Coalesce(F(f"{path}__directions"), Value(0)),
        subscribed_power_kva=F(f"{path}__subscribed_power_kva"),
    )
    return told


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
    in_force = lasts(today, f"{versions}__valid_from", f"{versions}__valid_to")
    present = FilteredRelation(versions, condition=in_force)
    return with_version(rows.annotate(version_of_the_day=present), "version_of_the_day")


def point_readable_by(*, actor: Membership, service: str, point_id: str, today: date) -> MeteringPoint:
    """The point, or `PointNotFound`: whether it exists elsewhere is not told."""
    found = points_readable_by(actor=actor, service=service, today=today, point=point_id).first()
    if found is None:
        raise PointNotFound(point_id)
    return found
