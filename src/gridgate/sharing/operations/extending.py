"""A permission that lasts longer: the holder moves its end, and nothing else of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.sharing import PermissionState
from gridgate.organisations.models import Membership
from gridgate.sharing.history import By
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.durations import furthest_end, settle_end
from gridgate.sharing.operations.ending import UnknownPermission
from gridgate.sharing.operations.granting import prolong
from gridgate.sharing.queries.permissions import permissions_given
from gridgate.sharing.queries.reach import said
from gridgate.sharing.rights import OutsidePerimeter, require_data_services


class Obstacle(StrEnum):
    """Why a permission cannot last longer by its holder's will."""

    ENDED = "it has ended"
    SUSPENDED = "it is suspended"
    LAW = "it rests on the law"
    ENDLESS = "it has no end"
    NOT_OFFERED = "its service is not offered to the company any more"
    FULL = "it lasts as long as it may already"


class NotExtendable(GridgateError):
    """The permission cannot last longer, whatever the end asked for."""

    def __init__(self, obstacle: Obstacle) -> None:
        self.obstacle = obstacle
        super().__init__(
            ErrorKind.CONFLICT,
            f"the permission cannot be extended: {obstacle}",
            remedy="Give a new one when it has ended.",
        )


def extend(*, actor: Membership, permission_id: UUID, valid_until: datetime, now: datetime) -> Permission:
    """Let one permission of the actor's company last until `valid_until`, that instant excluded: on the same points,
    for the same data.

    Raises `NotEntitled`, `UnknownPermission`, `OutsidePerimeter`, `NotExtendable`, `InvalidEnd`, and `AlreadyShared`
    when it lasts as long already.
    """
    require_data_services(actor)
    with transaction.atomic():
        mine = permissions_given(actor=actor).select_for_update(of=("self",))
        permission = (
            mine.select_related("service", "holder", "eligible_party").filter(pk=permission_id).first()
        )
        if permission is None:
            raise UnknownPermission
        if said(permission, "exceeds"):
            raise OutsidePerimeter(all_points=permission.all_points)
        obstacle = obstacle_to_extending(permission, now)
        if obstacle is not None:
            raise NotExtendable(obstacle)
        return prolong(permission, settle_end(permission.service, valid_until, now), By.member(actor), now)


def obstacle_to_extending(permission: Permission, now: datetime) -> Obstacle | None:
    """What stands in the way of a later end; None when there is nothing."""
    if PermissionState(permission.state).ended or _over(permission, now):
        return Obstacle.ENDED
    if not permission.terminable:
        return Obstacle.LAW
    if permission.state == PermissionState.SUSPENDED:
        return Obstacle.SUSPENDED
    if permission.valid_until is None:
        return Obstacle.ENDLESS
    if not permission.service.offered or not permission.service.offered_to(permission.holder):
        return Obstacle.NOT_OFFERED
    return Obstacle.FULL if permission.valid_until >= furthest_end(now) else None


def _over(permission: Permission, now: datetime) -> bool:
    return permission.valid_until is not None and permission.valid_until <= now
