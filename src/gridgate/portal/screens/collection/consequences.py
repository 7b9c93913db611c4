"""What an opposition takes from those who read: said before it is decided."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from gridgate.core.quantities import Kind
from gridgate.metering.models import LoadCurveCollection
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.models import Permission, PermissionPoint
from gridgate.sharing.queries.permissions import in_force, permissions_given

_WITH_THE_CURVE = [mask for mask in range(1, 2 ** len(Kind)) if mask & Kind.LOAD_CURVE.bit]


@dataclass(frozen=True, slots=True)
class Consequence:
    """A company that loses the load curve of these points, and whether its permission ends with it."""

    company: Organisation
    service: str
    ends: bool


def of_opposing(*, actor: Membership, points: Collection[str], now: datetime) -> list[Consequence]:
    """By company. A permission ends when it covers the load curve alone, and no other point is left to it."""
    opposed = LoadCurveCollection.objects.filter(
        metering_point=OuterRef("metering_point"),
        until__isnull=True,
        holder=actor.organisation_id,
        state=LoadCurveCollection.State.OPPOSED,
    )
    named = PermissionPoint.objects.filter(permission=OuterRef("pk"))
    touched = (
        in_force(permissions_given(actor=actor), now=now)
        .filter(kinds__in=_WITH_THE_CURVE)
        .filter(Q(all_points=True) | Exists(named.filter(metering_point__in=points)))
        .annotate(left=Exists(named.exclude(metering_point__in=points).filter(~Exists(opposed))))
        .order_by("eligible_party__legal_name", "service__name", "pk")
    )
    return [
        Consequence(
            permission.eligible_party,
            permission.service.text("name"),
            _ends(permission, left=vars(permission)["left"]),
        )
        for permission in touched
    ]


def _ends(permission: Permission, *, left: bool) -> bool:
    alone = permission.kinds == Kind.LOAD_CURVE.bit and not permission.all_points
    return alone and permission.terminable and not left
