"""Reading metering points: every query starts from what the actor may see."""

from datetime import date

from django.db.models import OuterRef, Q, QuerySet, Subquery

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.metering.models import MeteringPoint, TitleHolding
from gridgate.organisations.models import Membership, PerimeterPoint


class PointNotFound(GridgateError):
    """Absent, or not readable by this actor."""

    def __init__(self, point_id: str) -> None:
        super().__init__(
            ErrorKind.NOT_FOUND,
            f"no metering point {point_id}",
            remedy="Check the digits and your perimeter.",
        )


def points_readable_by(*, actor: Membership, at: date | None = None) -> QuerySet[MeteringPoint]:
    """The points that the actor's organisation holds or held, within the actor's perimeter; in no order.

    With `at`, only those held on that civil day. Each point carries the last of the organisation's own
    titles: `held_from`, and `held_to`, the first day on which it no longer holds (None while open).
    """
    if actor.ended_at is not None:
        return MeteringPoint.objects.none()
    titles = TitleHolding.objects.filter(holder=actor.organisation_id)
    if at is not None:
        titles = titles.filter(held_on(at))
    points = MeteringPoint.objects.filter(pk__in=titles.values("metering_point"))
    if actor.restricted:
        perimeter = PerimeterPoint.objects.filter(membership=actor)
        points = points.filter(pk__in=perimeter.values("metering_point_id"))
    last_title = titles.filter(metering_point=OuterRef("pk")).order_by("-valid_from")
    return points.annotate(
        held_from=Subquery(last_title.values("valid_from")[:1]),
        held_to=Subquery(last_title.values("valid_to")[:1]),
    )


def held_on(day: date) -> Q:
    """Titles that hold on the civil day: begun, and ending after it if at all."""
    return Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


def point_readable_by(*, actor: Membership, point_id: str) -> MeteringPoint:
    """The point, or `PointNotFound`: whether it exists elsewhere is not told."""
    point = points_readable_by(actor=actor).filter(pk=point_id).first()
    if point is None:
        raise PointNotFound(point_id)
    return point
