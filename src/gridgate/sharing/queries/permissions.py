"""Permissions that the actor's company has given or been given, in force or ended, and what happened to them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Case, Count, F, Min, OuterRef, Q, QuerySet, Subquery, When

from gridgate.core.sharing import PermissionState
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.organisations.reach import within
from gridgate.organisations.rights import perimeter_of
from gridgate.sharing.history import points_left
from gridgate.sharing.models import Permission, PermissionEvent, PermissionPoint, PointLeft, Receipt
from gridgate.sharing.queries.reach import NAMED, WHOLE, entitled, readable_one, within_reach

IN_FORCE = (PermissionState.ACTIVE, PermissionState.SUSPENDED)
ENDED = tuple(state for state in PermissionState if state.ended)


def permissions_given(*, actor: Membership) -> QuerySet[Permission]:
    """What the actor's company has permitted, whatever became of it."""
    if not entitled(actor):
        return Permission.objects.none()
    given = Permission.objects.filter(holder=actor.organisation_id).select_related(
        "service__provider", "eligible_party"
    )
    return within_reach(given, NAMED, actor)


def permissions_received(*, actor: Membership) -> QuerySet[Permission]:
    """What the actor's company has been permitted by others."""
    if not entitled(actor):
        return Permission.objects.none()
    received = Permission.objects.filter(eligible_party=actor.organisation_id).select_related(
        "service", "holder"
    )
    return within_reach(received, NAMED, actor)


def in_force(permissions: QuerySet[Permission], *, now: datetime) -> QuerySet[Permission]:
    """Those that have not ended: active, or suspended. One whose time is over has ended, told or not."""
    return permissions.filter(_lasts(now), state__in=IN_FORCE)


@dataclass(frozen=True, slots=True)
class InForce:
    """How many permissions are in force, how many of them end by a day, and when the first of them does."""

    count: int
    soon: int
    first: datetime | None


def count_in_force(permissions: QuerySet[Permission], *, soon: datetime, now: datetime) -> InForce:
    """In one statement."""
    ending = Q(valid_until__lte=soon)
    found = in_force(permissions, now=now).aggregate(
        count=Count("pk"), soon=Count("pk", filter=ending), first=Min("valid_until", filter=ending)
    )
    return InForce(**found)


def ended(permissions: QuerySet[Permission], *, now: datetime) -> QuerySet[Permission]:
    """Those that have ended, latest first, each with `ended_at`, `ended_by` (a name) and `receipt_number`.

    A receipt that also speaks of points outside the actor's perimeter is not named.
    """
    over = Q(state__in=ENDED) | (Q(state__in=IN_FORCE) & ~_lasts(now))
    last_event = PermissionEvent.objects.filter(permission=OuterRef("pk")).order_by("-sequence")
    receipt = Receipt.objects.filter(permissions=OuterRef("pk")).order_by("-issued_at", "-pk")
    return (
        permissions.filter(over)
        .annotate(
            ended_at=Case(When(state__in=IN_FORCE, then=F("valid_until")), default=F("state_at")),
            ended_by=Subquery(last_event.values("actor_name")[:1]),
            receipt_number=Case(When(WHOLE, then=Subquery(receipt.values("number")[:1]))),
        )
        .order_by("-ended_at", "eligible_party__legal_name", "pk")
    )


def permission_given(*, actor: Membership, permission_id: UUID) -> Permission:
    """One permission of the actor's company. Raises `NotReadable`."""
    return readable_one(permissions_given(actor=actor).filter(pk=permission_id), "permission")


def permission_received(*, actor: Membership, permission_id: UUID) -> Permission:
    """One permission given to the actor's company. Raises `NotReadable`."""
    return readable_one(permissions_received(actor=actor).filter(pk=permission_id), "permission")


def events_of(permissions: QuerySet[Permission], *, limit: int) -> list[PermissionEvent]:
    """The last things that happened to these permissions, latest first."""
    events = PermissionEvent.objects.filter(permission__in=permissions.values("pk"))
    return list(events.select_related("permission__service").order_by("-at", "-sequence", "-pk")[:limit])


def points_named(events: Iterable[PermissionEvent], *, actor: Membership) -> set[str]:
    """The points that these events say their holder left, those in the actor's perimeter."""
    named = {point for event in events for point in points_left(event)}
    if not named or actor.reach(EntitlementCode.DATA_SERVICES).everything:
        return named
    return named.intersection(perimeter_of(actor, EntitlementCode.DATA_SERVICES))


def left_by_holder(permissions: Sequence[Permission], *, actor: Membership) -> dict[UUID, list[PointLeft]]:
    """The points that these permissions covered until their holder left them, the latest first, those in the actor's
    perimeter.
    """
    seen = within(actor, EntitlementCode.DATA_SERVICES, "metering_point")
    rows = PointLeft.objects.filter(seen, permission__in=permissions)
    found: dict[UUID, list[PointLeft]] = {}
    for row in rows.order_by("-left_on", "metering_point"):
        found.setdefault(row.permission_id, []).append(row)
    return found


def points_covered(permissions: QuerySet[Permission], *, actor: Membership) -> dict[UUID, tuple[int, int]]:
    """How many points each of these permissions named, those among them that their holder has left, and how many of
    them are in the actor's perimeter. A permission on all points is not there.
    """
    whole = Counter(_named_or_left(permissions, Q()))
    if actor.reach(EntitlementCode.DATA_SERVICES).everything:
        return {permission: (count, count) for permission, count in whole.items()}
    seen = Counter(
        _named_or_left(permissions, within(actor, EntitlementCode.DATA_SERVICES, "metering_point"))
    )
    return {permission: (count, seen[permission]) for permission, count in whole.items()}


def _named_or_left(permissions: QuerySet[Permission], among: Q) -> Iterator[UUID]:
    """The permission of each of these points, each point once."""
    of_these = {"permission__in": permissions.order_by().values("pk"), "permission__all_points": False}
    named, left = (
        rows.filter(among, **of_these).values_list("permission", "metering_point")
        for rows in (PermissionPoint.objects.all(), PointLeft.objects.all())
    )
    return (permission for permission, _point in named.union(left))


def _lasts(now: datetime) -> Q:
    return Q(valid_until__isnull=True) | Q(valid_until__gt=now)
