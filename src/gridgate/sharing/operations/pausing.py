"""The operator stops a reading for a while, during an inquiry for instance, and lets it go on."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from gridgate.core.sharing import PermissionState
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership
from gridgate.sharing import history
from gridgate.sharing.events import permission_resumed, permission_suspended
from gridgate.sharing.history import By, Step
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.ending import UnknownPermission
from gridgate.sharing.projection import project_permission
from gridgate.sharing.rights import require_data_services


def suspend(*, actor: Membership, permission_id: UUID, reason: str, now: datetime) -> Permission:
    """Stop the reading until `resume`. Raises `NotAllowed`, `NotEntitled`, `UnknownPermission`, or
    CONFLICT.
    """
    return _change(actor, permission_id, PermissionState.SUSPENDED, reason, now)


def resume(*, actor: Membership, permission_id: UUID, reason: str = "", now: datetime) -> Permission:
    """Let it go on. Raises `NotAllowed`, `NotEntitled`, `UnknownPermission`, or CONFLICT."""
    return _change(actor, permission_id, PermissionState.ACTIVE, reason, now)


def _change(
    actor: Membership, permission_id: UUID, state: PermissionState, reason: str, now: datetime
) -> Permission:
    require_operator(actor)
    require_data_services(actor)
    with transaction.atomic():
        permission = (
            Permission.objects.select_for_update(of=("self",))
            .select_related("service", "holder", "eligible_party")
            .filter(pk=permission_id)
            .first()
        )
        if permission is None:
            raise UnknownPermission
        history.append(permission, Step(state, now, By.member(actor), reason))
        project_permission(permission)
        told = permission_suspended if state is PermissionState.SUSPENDED else permission_resumed
        told.send(Permission, permission=permission, now=now)
    return permission
