"""Which rows of sharing an actor reaches.

The holder's side is for its members who have the entitlement *Gestion des services de données*. A restricted
member sees what touches their perimeter; each row then says in `exceeds` whether it also covers points
outside, and such a row is not theirs to end. What the actor may not see is `NotReadable`, the same as absent.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import BooleanField, Exists, ExpressionWrapper, Model, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import Combinable

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.metering.models import TitleHolding
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.organisations.reach import points_reached_now
from gridgate.sharing.models import PermissionPoint, PermissionRequest

Row = TypeVar("Row", bound=Model)


class NotReadable(GridgateError):
    """Absent, or not readable by this actor."""

    def __init__(self, what: str) -> None:
        super().__init__(ErrorKind.NOT_FOUND, f"no {what}")


WHOLE = Q(("exceeds", False))
"""Rows that stay within the perimeter of `within_reach`."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where a kind of row keeps the points that it names."""

    rows: QuerySet[Any]
    point: str


NAMED = Names(PermissionPoint.objects.filter(permission=OuterRef("pk")), "metering_point_id")
ASKED = Names(
    PermissionRequest.points.through.objects.filter(permissionrequest=OuterRef("pk")), "meteringpoint_id"
)


def within_reach(rows: QuerySet[Any], names: Names, actor: Membership) -> QuerySet[Any]:
    """Keep what touches the actor's perimeter; say in `exceeds` what also covers points outside of it."""
    exceeds: Combinable | Q = Value(False)
    if not actor.reach(EntitlementCode.DATA_SERVICES).everything:
        perimeter = points_reached_now(actor, EntitlementCode.DATA_SERVICES)
        inside = {f"{names.point}__in": perimeter}
        holds_one = TitleHolding.objects.filter(holder=OuterRef("holder"), metering_point__in=perimeter)
        rows = rows.filter(Q(Exists(names.rows.filter(**inside))) | Q(Exists(holds_one), all_points=True))
        exceeds = Q(Exists(names.rows.exclude(**inside))) | Q(all_points=True)
    reached: QuerySet[Any] = rows.annotate(exceeds=ExpressionWrapper(exceeds, BooleanField()))
    return reached


def entitled(actor: Membership) -> bool:
    return actor.has(EntitlementCode.DATA_SERVICES)


def readable_one(rows: QuerySet[Row], what: str) -> Row:
    row = rows.first()
    if row is None:
        raise NotReadable(what)
    return row


def said(row: Model, name: str) -> Any:
    """What a query of this module added to a row: `exceeds`, `ended_at`…"""
    return getattr(row, name)
