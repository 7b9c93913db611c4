"""Permissions that end: by the holder, by the eligible party, by time, by a move-out, by an opposition.

Whatever ends one, it ends in one transaction: events, access lines, receipt and notices, all of them or
none. From the commit on, the data plane refuses.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils.timezone import get_default_timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.core.time import civil_day_of
from gridgate.metering.chunks import CHUNK, chunks
from gridgate.metering.models import LoadCurveCollection, TitleHolding
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing import history, receipts
from gridgate.sharing.events import permissions_ended
from gridgate.sharing.history import SYSTEM, By, Reason, Step
from gridgate.sharing.models import AccessLine, Permission, PermissionPoint, PointLeft, Receipt
from gridgate.sharing.projection import project_permissions, project_titles
from gridgate.sharing.receipts import Ending
from gridgate.sharing.rights import require_covering, require_data_services

_log = logging.getLogger(__name__)
_IN_FORCE = (PermissionState.ACTIVE, PermissionState.SUSPENDED)


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
        ending = Ending("revoke", By.member(actor), now)
        return _end([permission], PermissionState.REVOKED, ending, now=now)


def revoke_company(*, actor: Membership, company: Organisation, now: datetime) -> Receipt:
    """End every permission that the actor's company gave this company and can end: all of them, with one
    receipt.

    What rests on the law stays, and the receipt says so (`kept`). Raises `NotEntitled`; `NothingToEnd` when
    there is nothing, or nothing left, that could be ended; `OutsidePerimeter` when a restricted member does
    not see all the points that it concerns.
    """
    require_data_services(actor)
    with transaction.atomic():
        there = list(_lasting(_rows().filter(holder=actor.organisation_id, eligible_party=company), now))
        ending = [permission for permission in there if permission.terminable]
        kept = [permission for permission in there if not permission.terminable]
        if not ending:
            raise _nothing(actor, company, kept)
        for permission in ending:
            require_covering(actor, _points(permission))
        return _end(
            ending, PermissionState.REVOKED, Ending("revoke", By.member(actor), now), kept=kept, now=now
        )


def terminate(*, actor: Membership, permission_id: UUID, reason: str = "", now: datetime) -> Receipt:
    """The eligible party gives up a permission that it has. Raises as `revoke_permission`, but
    `NotTerminable`.
    """
    require_data_services(actor)
    with transaction.atomic():
        permission = _one(actor, Q(eligible_party=actor.organisation_id), permission_id)
        _refuse_ended(permission, now)
        ending = Ending("terminate", By.member(actor), now, reason.strip())
        return _end([permission], PermissionState.TERMINATED, ending, now=now)


def expire_due(*, now: datetime) -> int:
    """Write the end of what the time has ended; returns how many. Reading had stopped at that instant
    already.
    """
    due = Permission.objects.filter(state__in=_IN_FORCE, valid_until__lte=now)
    return _each(due.order_by("valid_until", "pk").values_list("pk", flat=True), lambda pk: _expire(pk, now))


def invalidate_for_moved_out(*, now: datetime, point_ids: Collection[str] | None = None) -> int:
    """End what permissions cover of points that their holder has left since; returns how many permissions it touches.

    A permission that names points loses those, back since then or not; one on all points covers what the titles say, and
    tells what it no longer does. Without any left, it is invalidated. Reading had stopped at the midnight of the move-out
    when that was known before. Without `point_ids` the titles ended within a year are looked at: the worker does so, for
    those closed ahead of time.
    """
    today = civil_day_of(now, get_default_timezone())
    titles = TitleHolding.objects.filter(valid_to__lte=today)
    if point_ids is None:
        found = [titles.filter(valid_to__gt=today - timedelta(days=366))]
    else:
        found = [titles.filter(metering_point__in=some) for some in chunks(sorted(point_ids), CHUNK)]
    left: dict[UUID, dict[str, date]] = {}
    for ended in found:
        for permission, point, day in _left(ended, today):
            left.setdefault(permission, {})[point] = day
    return _each(left, lambda pk: _lose(pk, left[pk], now), strict=point_ids is not None)


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
    touched = _rows().filter(
        ~Exists(open_points),
        state__in=_IN_FORCE,
        all_points=False,
        kinds=Kind.LOAD_CURVE.bit,
        legal_basis__in=[basis for basis in LegalBasis if basis.terminable],
        pk__in=PermissionPoint.objects.filter(metering_point__in=point_ids).values("permission"),
    )
    by = By.member(actor) if actor else SYSTEM
    permissions = list(_lasting(touched, now))
    for permission in permissions:
        ending = Ending("invalidate", by, now, Reason.OPPOSITION)
        _end([permission], PermissionState.INVALIDATED, ending, now=now)
    return len(permissions)


# --- The one way to end
# --------------------------------------------------------------------------------------


def _end(
    permissions: Sequence[Permission],
    state: PermissionState,
    ending: Ending,
    *,
    kept: Sequence[Permission] = (),
    now: datetime,
) -> Receipt:
    for permission in permissions:
        history.append(permission, Step(state, ending.effective_at, ending.by, ending.reason))
    points = {permission.pk: _points(permission) for permission in permissions}
    return _prove(permissions, points, ending, kept=kept, now=now)


def _left(ended: QuerySet[TitleHolding], today: date) -> Iterator[tuple[UUID, str, date]]:
    """Which permissions in force lose which points by these titles that have ended, and since which day, in order.

    A title that another one of the same holder carries on, from its last day or from before the permission was given, is
    no leaving.
    """
    own = TitleHolding.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=OuterRef("valid_to")),
        metering_point=OuterRef("metering_point"),
        holder=OuterRef("holder"),
    )
    carried_on = own.filter(Q(valid_from__lte=OuterRef("valid_to")) | Q(valid_from__lte=OuterRef("given_on")))
    named = PermissionPoint.objects.filter(
        permission=OuterRef("given"), metering_point=OuterRef("metering_point")
    )
    told = PointLeft.objects.filter(
        permission=OuterRef("given"),
        metering_point=OuterRef("metering_point"),
        left_on=OuterRef("valid_to"),
    )
    by_name = Exists(named) & ~Exists(carried_on)
    by_title = Q(on_all=True, valid_to__gt=F("given_on")) & ~Exists(own.filter(valid_from__lte=today))
    rows = (
        ended.filter(holder__permissions_given__state__in=_IN_FORCE)
        .annotate(
            given=F("holder__permissions_given"),
            on_all=F("holder__permissions_given__all_points"),
            given_on=TruncDate("holder__permissions_given__valid_from", tzinfo=get_default_timezone()),
        )
        .filter(by_name | (by_title & ~Exists(told)))
        .order_by("given", "metering_point", "valid_to")
        .values_list("given", "metering_point_id", "valid_to")
    )
    for permission, point, day in rows:
        assert day is not None
        yield permission, point, day


def _lose(permission_id: UUID, left: Mapping[str, date], now: datetime) -> bool:
    """Take the points that its holder left from a permission, and end it when it covers none any more."""
    with transaction.atomic():
        permission = _rows().filter(pk=permission_id, state__in=_IN_FORCE).first()
        if permission is None:
            return False
        lost = _not_told(permission, left)
        if not lost:
            return False
        ending = Ending("invalidate", SYSTEM, _stopped_at(permission, lost, now), Reason.MOVE_OUT)
        details: dict[str, Any] = {"left_on": {point: left[point].isoformat() for point in lost}}
        state = PermissionState.INVALIDATED
        if _covers_more(permission, lost, now):
            state = PermissionState(permission.state)
            details["points_lost"] = lost
        history.append(permission, Step(state, ending.effective_at, SYSTEM, ending.reason), details=details)
        _prove([permission], {permission.pk: lost}, ending, now=now)
    return True


def _not_told(permission: Permission, left: Mapping[str, date]) -> list[str]:
    """Those of the points that another has not taken away, or told of, meanwhile."""
    if (named := _points(permission)) is not None:
        return sorted(left.keys() & set(named))
    told = permission.points_left.filter(metering_point__in=left).values_list("metering_point_id", "left_on")
    return sorted(point for point, day in left.items() if (point, day) not in set(told))


def _covers_more(permission: Permission, lost: Collection[str], now: datetime) -> bool:
    """Whether it covers other points than these, today or by a title that is known already."""
    if (named := _points(permission)) is not None:
        return bool(set(named) - set(lost))
    today = civil_day_of(now, get_default_timezone())
    lasting = Q(valid_to__isnull=True) | Q(valid_to__gt=today)
    return TitleHolding.objects.filter(lasting, holder=permission.holder_id).exists()


def _expire(permission_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        permission = _rows().filter(pk=permission_id, state__in=_IN_FORCE, valid_until__lte=now).first()
        if permission is None:
            return False
        assert permission.valid_until is not None
        _end(
            [permission],
            PermissionState.EXPIRED,
            Ending("expire", SYSTEM, permission.valid_until, Reason.TIME),
            now=now,
        )
    return True


def _prove(
    permissions: Sequence[Permission],
    points: Mapping[UUID, Sequence[str] | None],
    ending: Ending,
    *,
    kept: Sequence[Permission] = (),
    now: datetime,
) -> Receipt:
    """Take the lines away, sign the receipt, tell the apps above."""
    by_title = [one for one in permissions if one.all_points and one.state in _IN_FORCE]
    project_permissions(one for one in permissions if one not in by_title)
    for one in by_title:  # what it covers, the titles say
        project_titles(points[one.pk] or ())
    named = {pk: ids for pk, ids in points.items() if ids is not None}
    receipt = receipts.issue(permissions=permissions, points=named, kept=kept, ending=ending, now=now)
    ended = None if len(named) < len(points) else sorted({point for ids in named.values() for point in ids})
    permissions_ended.send(Receipt, receipt=receipt, permissions=list(permissions), points=ended, now=now)
    return receipt


# --- Looking up
# ----------------------------------------------------------------------------------------------


def _rows() -> QuerySet[Permission]:
    """Permissions with all that a receipt says, locked until the transaction is over."""
    rows = Permission.objects.select_for_update(of=("self",))
    return rows.select_related("service", "holder", "eligible_party").order_by("valid_from", "pk")


def _lasting(rows: QuerySet[Permission], now: datetime) -> QuerySet[Permission]:
    """Those in force at that instant; one whose time is over has ended, written or not."""
    return rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), state__in=_IN_FORCE)


def _one(actor: Membership, mine: Q, permission_id: UUID) -> Permission:
    permission = _rows().filter(mine, pk=permission_id).first()
    if permission is None:
        raise UnknownPermission
    require_covering(actor, _points(permission))
    return permission


def _points(permission: Permission) -> list[str] | None:
    """The points that it names; None when it is on all points."""
    if permission.all_points:
        return None
    return list(permission.points.order_by("metering_point").values_list("metering_point_id", flat=True))


def _refuse_ended(permission: Permission, now: datetime) -> None:
    over = permission.valid_until is not None and permission.valid_until <= now
    if permission.state in _IN_FORCE and not over:
        return
    state = permission.state if permission.state not in _IN_FORCE else PermissionState.EXPIRED
    raise NothingToEnd(f"the permission is {state} already", receipt=permission.receipts.first())


def _nothing(actor: Membership, company: Organisation, kept: Sequence[Permission]) -> NothingToEnd:
    last = Receipt.objects.filter(holder=actor.organisation_id, eligible_party=company).first()
    if kept:
        services = ", ".join(dict.fromkeys(str(permission.service) for permission in kept))
        return NothingToEnd(f"what {company} reads rests on the law and stays: {services}", receipt=last)
    return NothingToEnd(f"{company} reads nothing of {actor.organisation}", receipt=last)


def _stopped_at(permission: Permission, points: Sequence[str], now: datetime) -> datetime:
    """When the reading of these points stopped: the end of their lines when it had come, else now."""
    lines = AccessLine.objects.filter(permission=permission, metering_point__in=points)
    ends = list(lines.values_list("valid_until", flat=True))
    if not ends or None in ends:
        return now
    return min(now, datetime.fromtimestamp(max(end for end in ends if end is not None), UTC))


def _each(ids: Iterable[UUID], act: Callable[[UUID], bool], *, strict: bool = False) -> int:
    """Act on each; one that fails is logged and does not hold up the others, unless `strict`."""
    done = 0
    for pk in list(ids):
        try:
            done += act(pk)
        except Exception:
            if strict:
                raise
            _log.exception("permission %s could not be ended", pk)
    return done
