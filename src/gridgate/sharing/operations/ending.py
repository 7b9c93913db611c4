"""Permissions that end: by the holder, by the eligible party, by time, by a move-out, by an opposition.

Whatever ends one, it ends in one transaction: events, access lines, and the receipt that is asked for, all of them or
none. From the commit on, the data plane refuses. The receipt is signed and sent right after (`sharing.receipts`): an end
waits neither for what was read before, nor for a key or a letter.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
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
from gridgate.sharing.history import SYSTEM, By, Entry, Reason, Step
from gridgate.sharing.models import AccessLine, Permission, PermissionPoint, PointLeft, Receipt
from gridgate.sharing.projection import project_permissions, project_titles
from gridgate.sharing.receipts import Ended, Ending
from gridgate.sharing.rights import require_covering, require_data_services

_log = logging.getLogger(__name__)
_IN_FORCE = (PermissionState.ACTIVE, PermissionState.SUSPENDED)
BATCH = 100
"""So many permissions are ended in one transaction: nobody waits long for the registry, however many end."""


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
        act = _Act([permission], PermissionState.REVOKED, Ending("revoke", By.member(actor), now))
        return _end([act], now)[0]


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
        points = _points(ending)
        all_points = any(permission.all_points for permission in ending)
        require_covering(actor, None if all_points else chain.from_iterable(points.values()))
        act = _Act(ending, PermissionState.REVOKED, Ending("revoke", By.member(actor), now), kept=kept)
        return _end([act], now, points)[0]


def terminate(*, actor: Membership, permission_id: UUID, reason: str = "", now: datetime) -> Receipt:
    """The eligible party gives up a permission that it has. Raises as `revoke_permission`, but
    `NotTerminable`.
    """
    require_data_services(actor)
    with transaction.atomic():
        permission = _one(actor, Q(eligible_party=actor.organisation_id), permission_id)
        _refuse_ended(permission, now)
        ending = Ending("terminate", By.member(actor), now, reason.strip())
        return _end([_Act([permission], PermissionState.TERMINATED, ending)], now)[0]


def expire_due(*, now: datetime) -> int:
    """Write the end of what the time has ended; returns how many. Reading had stopped at that instant
    already.
    """
    due = Permission.objects.filter(state__in=_IN_FORCE, valid_until__lte=now)
    return _in_batches(
        due.order_by("valid_until", "pk").values_list("pk", flat=True), lambda pks: _expire(pks, now)
    )


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
    return _in_batches(
        left, lambda pks: _lose({pk: left[pk] for pk in pks}, now), strict=point_ids is not None
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
    touched = _rows().filter(
        ~Exists(open_points),
        state__in=_IN_FORCE,
        all_points=False,
        kinds=Kind.LOAD_CURVE.bit,
        legal_basis__in=[basis for basis in LegalBasis if basis.terminable],
        pk__in=PermissionPoint.objects.filter(metering_point__in=point_ids).values("permission"),
    )
    by = By.member(actor) if actor else SYSTEM
    ending = Ending("invalidate", by, now, Reason.OPPOSITION)
    acts = [_Act([one], PermissionState.INVALIDATED, ending) for one in _lasting(touched, now)]
    for some in chunks(acts, BATCH):
        _end(some, now)
    return len(acts)


# --- The one way to end
# --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Act:
    """What one receipt proves: permissions of one holder to one company that end together."""

    permissions: Sequence[Permission]
    state: PermissionState
    ending: Ending
    kept: Sequence[Permission] = ()
    left: Mapping[str, date] = field(default_factory=dict)
    """When only some points are lost to their one permission: the days on which its holder left them."""

    def entries(self, number: str) -> Iterator[Entry]:
        details: dict[str, Any] = {}
        if self.left:
            details["left_on"] = {point: day.isoformat() for point, day in self.left.items()}
        if self.goes_on:
            details["points_lost"] = list(self.left)
        ending = self.ending
        step = Step(self.state, ending.effective_at, ending.by, ending.reason, number)
        return (Entry(permission, step, details) for permission in self.permissions)

    @property
    def goes_on(self) -> bool:
        return not self.state.ended


def _end(
    acts: Sequence[_Act], now: datetime, points: Mapping[UUID, Collection[str]] | None = None
) -> list[Receipt]:
    """End, take the lines away, ask for a receipt of each: in as many statements for a batch as for one.

    `points` are those that the permissions name, where they are known.
    """
    numbers = receipts.numbers(len(acts), now)
    history.append_all(
        [entry for act, number in zip(acts, numbers, strict=True) for entry in act.entries(number)]
    )
    project_permissions(one for act in acts if not act.goes_on for one in act.permissions)
    # What goes on loses the lines on some points only.
    project_titles(dict.fromkeys(point for act in acts if act.goes_on for point in act.left))
    whole = [permission for act in acts if not act.left for permission in act.permissions]
    named = dict(points) if points is not None else _points(whole)
    named |= {act.permissions[0].pk: list(act.left) for act in acts if act.left}
    proofs = [
        Ended(
            number,
            act.permissions,
            {one.pk: named[one.pk] for one in act.permissions if one.pk in named},
            act.ending,
            act.kept,
        )
        for act, number in zip(acts, numbers, strict=True)
    ]
    return receipts.ask(proofs, now=now)


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


def _lose(left: Mapping[UUID, Mapping[str, date]], now: datetime) -> int:
    """Take the points that their holders left from permissions, and end those that cover none any more; returns how many
    it touches.
    """
    with transaction.atomic():
        permissions = list(_rows().filter(pk__in=list(left), state__in=_IN_FORCE))
        lost = _not_told(permissions, left)
        touched = [permission for permission in permissions if lost[permission.pk]]
        going_on = _covering_more(touched, lost, now)
        stopped = _stopped_at(touched, lost, now)
        acts = [
            _Act(
                [one],
                PermissionState(one.state) if one.pk in going_on else PermissionState.INVALIDATED,
                Ending("invalidate", SYSTEM, stopped[one.pk], Reason.MOVE_OUT),
                left={point: left[one.pk][point] for point in lost[one.pk]},
            )
            for one in touched
        ]
        if acts:
            _end(acts, now)
    return len(acts)


def _not_told(
    permissions: Sequence[Permission], left: Mapping[UUID, Mapping[str, date]]
) -> dict[UUID, list[str]]:
    """Those of the points that another has not taken away, or told of, meanwhile, by permission."""
    points = sorted({point for permission in permissions for point in left[permission.pk]})
    there: set[tuple[UUID, str]] = set()
    told: set[tuple[UUID, str, date]] = set()
    for some in chunks(points, CHUNK):
        where = {"permission__in": permissions, "metering_point__in": some}
        there.update(PermissionPoint.objects.filter(**where).values_list("permission", "metering_point"))
        told.update(PointLeft.objects.filter(**where).values_list("permission", "metering_point", "left_on"))
    return {
        one.pk: sorted(
            point
            for point, day in left[one.pk].items()
            if ((one.pk, point, day) not in told if one.all_points else (one.pk, point) in there)
        )
        for one in permissions
    }


def _covering_more(
    permissions: Sequence[Permission], lost: Mapping[UUID, Collection[str]], now: datetime
) -> set[UUID]:
    """Those that cover other points than these, today or by a title that is known already."""
    named = PermissionPoint.objects.filter(permission__in=permissions).order_by()
    counts = dict(named.values_list("permission").annotate(count=Count("pk")))
    today = civil_day_of(now, get_default_timezone())
    lasting = Q(valid_to__isnull=True) | Q(valid_to__gt=today)
    titles = TitleHolding.objects.filter(lasting, holder=OuterRef("pk"))
    holders = {one.holder_id for one in permissions if one.all_points}
    holding = set(Organisation.objects.filter(Exists(titles), pk__in=holders).values_list("pk", flat=True))
    return {
        one.pk
        for one in permissions
        if (one.holder_id in holding if one.all_points else counts.get(one.pk, 0) > len(lost[one.pk]))
    }


def _expire(permission_ids: Collection[UUID], now: datetime) -> int:
    with transaction.atomic():
        due = _rows().filter(pk__in=permission_ids, state__in=_IN_FORCE, valid_until__lte=now)
        acts = [
            _Act(
                [one], PermissionState.EXPIRED, Ending("expire", SYSTEM, one.valid_until or now, Reason.TIME)
            )
            for one in due
        ]
        if acts:
            _end(acts, now)
    return len(acts)


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
    require_covering(actor, _points([permission]).get(permission.pk))
    return permission


def _points(permissions: Sequence[Permission]) -> dict[UUID, list[str]]:
    """The points that each names; one on all points is absent."""
    found: dict[UUID, list[str]] = {one.pk: [] for one in permissions if not one.all_points}
    rows = PermissionPoint.objects.filter(permission__in=list(found)).order_by("permission", "metering_point")
    for permission, point in rows.values_list("permission", "metering_point"):
        found[permission].append(point)
    return found


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


def _stopped_at(
    permissions: Sequence[Permission], lost: Mapping[UUID, Collection[str]], now: datetime
) -> dict[UUID, datetime]:
    """When the reading of these points stopped: the end of their lines when it had come, else now."""
    ends: dict[UUID, list[int | None]] = {one.pk: [] for one in permissions}
    points = {pk: set(some) for pk, some in lost.items()}
    for some in chunks(sorted(set().union(*points.values())), CHUNK):
        lines = AccessLine.objects.filter(permission__in=permissions, metering_point__in=some)
        for permission, point, end in lines.values_list("permission", "metering_point", "valid_until"):
            if point in points[permission]:
                ends[permission].append(end)
    return {pk: _latest(some, now) for pk, some in ends.items()}


def _latest(ends: Collection[int | None], now: datetime) -> datetime:
    if not ends or None in ends:
        return now
    return min(now, datetime.fromtimestamp(max(end for end in ends if end is not None), UTC))


def _in_batches(ids: Iterable[UUID], act: Callable[[list[UUID]], int], *, strict: bool = False) -> int:
    """Act on batches; of one that fails each is tried by itself, and what fails then is logged and does not hold up the
    others, unless `strict`.
    """
    done = 0
    for some in chunks(list(ids), BATCH):
        try:
            done += act(some)
        except Exception:
            if strict:
                raise
            done += sum(_by_itself(pk, act) for pk in some)
    return done


def _by_itself(permission_id: UUID, act: Callable[[list[UUID]], int]) -> int:
    try:
        return act([permission_id])
    except Exception:  # noqa: BLE001 -- one that cannot end holds up no other
        _log.exception("permission %s could not be ended", permission_id)
        return 0
