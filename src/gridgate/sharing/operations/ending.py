"""Permissions that end: by the holder, by the eligible party, by time, by an opposition."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.metering.chunks import chunks
from gridgate.metering.models import LoadCurveCollection
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.history import SYSTEM, By, Reason
from gridgate.sharing.models import Permission, PermissionPoint, Receipt
from gridgate.sharing.operations.acts import (
    BATCH,
    IN_FORCE,
    Act,
    end_all,
    in_batches,
    lasting,
    permissions_to_end,
    points_of,
)
from gridgate.sharing.receipts.content import Ending
from gridgate.sharing.rights import require_covering, require_data_services


class UnknownPermission(GridgateError):
    """Absent, or not the actor's company's."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such permission")


class NotTerminable(GridgateError):
    """It rests on the law: the holder cannot end it."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        service = permission.service
        contact = service.contact_email or service.contact_url or permission.eligible_party.contact_email
        super().__init__(
            ErrorKind.FORBIDDEN,
            f"{service} cannot be ended: {service.legal_reference or service.legal_basis.replace('_', ' ')}",
            remedy=f"Write to {contact or permission.eligible_party}.",
        )


class NothingToEnd(GridgateError):
    """It has ended already, or nothing that could be ended is there. `receipt` proves the end, when there
    was one.
    """

    def __init__(self, message: str, *, receipt: Receipt | None) -> None:
        self.receipt = receipt
        remedy = f"The receipt is {receipt.number}." if receipt else "Nothing needs to be done."
        super().__init__(ErrorKind.CONFLICT, message, remedy=remedy)


def revoke_permission(*, actor: Membership, permission_id: UUID, now: datetime) -> Receipt:
    """End one permission of the actor's company.

    Raises `NotEntitled`, `UnknownPermission`, `OutsidePerimeter`, `NotTerminable`, or `NothingToEnd` with
    the receipt when it has ended already.
    """
    require_data_services(actor)
    with transaction.atomic():
        permission = _one(actor, Q(holder=actor.organisation_id), permission_id)
        if not permission.terminable:
            raise NotTerminable(permission)
        _refuse_ended(permission, now)
        act = Act([permission], PermissionState.REVOKED, Ending("revoke", By.member(actor), now))
        return end_all([act], now)[0]


def revoke_company(*, actor: Membership, company: Organisation, now: datetime) -> Receipt:
    """End every permission that the actor's company gave this company and can end: all of them, with one
    receipt.

    What rests on the law stays, and the receipt says so (`kept`). Raises `NotEntitled`; `NothingToEnd` when
    there is nothing, or nothing left, that could be ended; `OutsidePerimeter` when a restricted member does
    not see all the points that it concerns.
    """
    require_data_services(actor)
    with transaction.atomic():
        there = list(
            lasting(permissions_to_end().filter(holder=actor.organisation_id, eligible_party=company), now)
        )
        ending = [permission for permission in there if permission.terminable]
        kept = [permission for permission in there if not permission.terminable]
        if not ending:
            raise _nothing(actor, company, kept)
        points = points_of(ending)
        all_points = any(permission.all_points for permission in ending)
        require_covering(actor, None if all_points else chain.from_iterable(points.values()))
        act = Act(ending, PermissionState.REVOKED, Ending("revoke", By.member(actor), now), kept=kept)
        return end_all([act], now, points)[0]


def terminate(*, actor: Membership, permission_id: UUID, reason: str = "", now: datetime) -> Receipt:
    """The eligible party gives up a permission that it has. Raises as `revoke_permission`, but
    `NotTerminable`.
    """
    require_data_services(actor)
    with transaction.atomic():
        permission = _one(actor, Q(eligible_party=actor.organisation_id), permission_id)
        _refuse_ended(permission, now)
        ending = Ending("terminate", By.member(actor), now, reason.strip())
        return end_all([Act([permission], PermissionState.TERMINATED, ending)], now)[0]


def expire_due(*, now: datetime) -> int:
    """Write the end of what the time has ended; returns how many. Reading had stopped at that instant
    already.
    """
    due = Permission.objects.filter(state__in=IN_FORCE, valid_until__lte=now)
    return in_batches(
        due.order_by("valid_until", "pk").values_list("pk", flat=True), lambda pks: _expire(pks, now)
    )


def invalidate_opposed(*, point_ids: Collection[str], actor: Membership | None, now: datetime) -> int:
    """End the permissions that cover nothing but the load curve, on no point but opposed ones; returns how
    many.

    Those that rest on the law stay, without the load curve.
    """
    opposed = LoadCurveCollection.objects.filter(
        until__isnull=True,
        holder=OuterRef("permission__holder"),
        state=LoadCurveCollection.State.OPPOSED,
        metering_point=OuterRef("metering_point"),
    )
    open_points = PermissionPoint.objects.filter(~Exists(opposed), permission=OuterRef("pk"))
    touched = permissions_to_end().filter(
        ~Exists(open_points),
        state__in=IN_FORCE,
        all_points=False,
        kinds=Kind.LOAD_CURVE.bit,
        legal_basis__in=[basis for basis in LegalBasis if basis.terminable],
        pk__in=PermissionPoint.objects.filter(metering_point__in=point_ids).values("permission"),
    )
    by = By.member(actor) if actor else SYSTEM
    ending = Ending("invalidate", by, now, Reason.OPPOSITION)
    acts = [Act([one], PermissionState.INVALIDATED, ending) for one in lasting(touched, now)]
    for some in chunks(acts, BATCH):
        end_all(some, now)
    return len(acts)


def _expire(permission_ids: Collection[UUID], now: datetime) -> int:
    with transaction.atomic():
        due = permissions_to_end().filter(pk__in=permission_ids, state__in=IN_FORCE, valid_until__lte=now)
        acts = [
            Act([one], PermissionState.EXPIRED, Ending("expire", SYSTEM, one.valid_until or now, Reason.TIME))
            for one in due
        ]
        if acts:
            end_all(acts, now)
    return len(acts)


def _one(actor: Membership, mine: Q, permission_id: UUID) -> Permission:
    permission = permissions_to_end().filter(mine, pk=permission_id).first()
    if permission is None:
        raise UnknownPermission
    require_covering(actor, points_of([permission]).get(permission.pk))
    return permission


def _refuse_ended(permission: Permission, now: datetime) -> None:
    over = permission.valid_until is not None and permission.valid_until <= now
    if permission.state in IN_FORCE and not over:
        return
    state = permission.state if permission.state not in IN_FORCE else PermissionState.EXPIRED
    raise NothingToEnd(f"the permission is {state} already", receipt=permission.receipts.first())


def _nothing(actor: Membership, company: Organisation, kept: Sequence[Permission]) -> NothingToEnd:
    last = Receipt.objects.filter(holder=actor.organisation_id, eligible_party=company).first()
    if kept:
        services = ", ".join(dict.fromkeys(str(permission.service) for permission in kept))
        return NothingToEnd(f"what {company} reads rests on the law and stays: {services}", receipt=last)
    return NothingToEnd(f"{company} reads nothing of {actor.organisation}", receipt=last)
