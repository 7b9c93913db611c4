"""What the operator sees of sharing: how much, never what was read. For the operator's staff only."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from gridgate.metering.models import MeteringPoint
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.models import DataService, Permission, PermissionPoint
from gridgate.sharing.queries.permissions import IN_FORCE, in_force
from gridgate.sharing.queries.reach import NotReadable


@dataclass(frozen=True, slots=True)
class PermissionCounts:
    """How many permissions in force a company has given, and has been given."""

    given: int
    received: int


def permission_counts(*, actor: Membership, organisation: Organisation, now: datetime) -> PermissionCounts:
    """Raises `NotAllowed`."""
    require_operator(actor)
    lasting = in_force(Permission.objects.all(), now=now)
    counted = lasting.filter(Q(holder=organisation) | Q(eligible_party=organisation)).aggregate(
        given=Count("pk", filter=Q(holder=organisation)),
        received=Count("pk", filter=Q(eligible_party=organisation)),
    )
    return PermissionCounts(**counted)


def permissions_on(
    *, actor: Membership, point: MeteringPoint, holder: Organisation, now: datetime
) -> QuerySet[Permission]:
    """The permissions in force by which others read the point as this holder's, by company.

    Each says in `points_named` how many points it names: one, and it ends when its holder leaves this point. One on
    all points names none, and goes on for the others. Raises `NotAllowed`.
    """
    require_operator(actor)
    named = PermissionPoint.objects.filter(permission=OuterRef("pk"), metering_point=point)
    lasting = in_force(Permission.objects.filter(holder=holder), now=now)
    return (
        lasting.filter(Q(all_points=True) | Q(Exists(named)))
        .select_related("service", "eligible_party")
        .annotate(points_named=Count("points"))
        .order_by("eligible_party__legal_name", "service__name", "pk")
    )


def permissions_on_all_points(
    *, actor: Membership, holder: Organisation, now: datetime
) -> QuerySet[Permission]:
    """The permissions in force that cover whatever the company comes to hold. Raises `NotAllowed`."""
    require_operator(actor)
    lasting = in_force(Permission.objects.filter(holder=holder, all_points=True), now=now)
    return lasting.select_related("service", "eligible_party").order_by(
        "eligible_party__legal_name", "service__name", "pk"
    )


def data_services(*, actor: Membership, now: datetime) -> QuerySet[DataService]:
    """Every data service of every company, by name, each with its permissions in force (`used`). Raises
    `NotAllowed`.
    """
    require_operator(actor)
    lasts = Q(permissions__valid_until=None) | Q(permissions__valid_until__gt=now)
    used = Q(permissions__state__in=IN_FORCE) & lasts
    services = DataService.objects.select_related("provider")
    return services.annotate(used=Count("permissions", filter=used)).order_by("name", "pk")


def data_service(*, actor: Membership, code: str, now: datetime) -> DataService:
    """Raises `NotAllowed`, and `NotReadable`."""
    found = data_services(actor=actor, now=now).filter(code=code).first()
    if found is None:
        raise NotReadable("service")
    return found
