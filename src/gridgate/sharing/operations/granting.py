"""Permissions that begin: a holder subscribes to a service, or the operator grants what rests on the law."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.timezone import get_default_timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.core.sharing import PermissionState
from gridgate.core.time import civil_day_of, months_from
from gridgate.metering.models import LoadCurveCollection, TitleHolding
from gridgate.metering.queries.titles import held_on
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing import history
from gridgate.sharing.events import permission_granted
from gridgate.sharing.history import SYSTEM, By, Reason, Step
from gridgate.sharing.models import DataService, Permission, PermissionRequest
from gridgate.sharing.operations.durations import end_of_day, settle_end
from gridgate.sharing.projection import project_permission
from gridgate.sharing.rights import perimeter_of, require_covering, require_data_services


class NotOffered(GridgateError):
    """The service cannot be subscribed to, or not in this way."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(ErrorKind.FORBIDDEN, message, remedy=remedy)


class PointNotHeld(GridgateError):
    """Not a point that the company holds today and the member sees; whether it exists is not told."""

    def __init__(self, point_id: str) -> None:
        self.point_id = point_id
        super().__init__(
            ErrorKind.NOT_FOUND,
            f"no metering point {point_id}",
            remedy="Check the digits and your perimeter.",
        )


class NoPoints(GridgateError):
    """A permission needs at least one point."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.INVALID, "no metering point is chosen", remedy="Choose at least one.")


class LoadCurveOpposed(GridgateError):
    """The service reads the load curve only, and its collection is opposed on every point chosen."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            "the collection of the load curve is opposed on these points, and the service reads nothing else",
            remedy="Activate the collection first.",
        )


class AlreadyShared(GridgateError):
    """A permission in force covers this already, for at least as long."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        super().__init__(
            ErrorKind.CONFLICT,
            f"{permission.eligible_party} already has {permission.service} on these points",
            remedy="Extend it to a later end.",
        )


def subscribe(
    *,
    actor: Membership,
    service: DataService,
    points: Sequence[str] | None,
    valid_until: datetime | None = None,
    now: datetime,
) -> Permission:
    """Let the service's provider read the actor's points: these, or (None) all of the company's, now and
    later.

    It begins now and ends at `valid_until`, that instant excluded; without one, as the service says. The
    same service on the same points is not given twice: a later end extends the permission that is there.

    Raises `NotEntitled`, `OutsidePerimeter`, `NotOffered`, `PointNotHeld`, `NoPoints`, `InvalidEnd`,
    `LoadCurveOpposed` or `AlreadyShared`.
    """
    require_data_services(actor)
    if not service.offered or not service.terminable or service.provider_id == actor.organisation_id:
        raise NotOffered("this service is not one to subscribe to", remedy="Choose one of the catalogue.")
    require_offered_to(service, actor.organisation)
    with transaction.atomic():
        if points is None:
            require_covering(actor, None)
        else:
            points = _held_and_seen(actor, points, now)
        by = By.member(actor)
        return _give(
            service, actor.organisation, points, valid_until=valid_until, by=by, asked=(now, by), now=now
        )


def grant(
    *,
    service: DataService,
    holder: Organisation,
    points: Sequence[str] | None,
    reason: str,
    now: datetime,
    valid_until: datetime | None = None,
    actor: Membership | None = None,
) -> Permission:
    """Let a company read on another ground than the holder's will: a public task, a legal obligation.

    `actor` is the operator's staff; None is the operator's own system. Raises `NotAllowed`,
    `NotEntitled`, and what `subscribe` raises; `NotOffered` for a service that rests on consent or
    contract, which only its holder gives.
    """
    if actor is not None:
        require_operator(actor)
        require_data_services(actor)
    if service.terminable:
        raise NotOffered(
            f"{service} rests on the holder's will",
            remedy="The holder subscribes to it, or accepts a request.",
        )
    with transaction.atomic():
        if points is not None:
            points = _held(holder, points, now)
        by = By.member(actor) if actor else SYSTEM
        return _give(
            service, holder, points, valid_until=valid_until, by=by, asked=(now, by), reason=reason, now=now
        )


def require_offered_to(service: DataService, holder: Organisation) -> None:
    """Raises `NotOffered` when the service is for companies with other beneficiary roles."""
    if not service.offered_to(holder):
        raise NotOffered(
            f"{service} is for companies with another role on the grid",
            remedy="Write to the network operator, who records the roles of companies.",
        )


def give_as_asked(
    *, request: PermissionRequest, points: Sequence[str] | None, by: By, now: datetime
) -> Permission:
    """The permission that a holder gives by accepting a request; its caller has checked points and actor."""
    asked_by = By(request.requested_by, request.requested_by_name)
    return _give(
        request.service,
        request.holder,
        points,
        valid_until=end_of_day(request.valid_until),
        history_from=request.history_from,
        by=by,
        asked=(request.requested_at, asked_by),
        request=request,
        now=now,
    )


def _give(
    service: DataService,
    holder: Organisation,
    points: Sequence[str] | None,
    *,
    valid_until: datetime | None,
    by: By,
    asked: tuple[datetime, By],
    now: datetime,
    history_from: date | None = None,
    request: PermissionRequest | None = None,
    reason: str = "",
) -> Permission:
    if points is not None and not points:
        raise NoPoints
    ends = settle_end(service, valid_until, now)
    _refuse_opposed(service, holder, points)
    first_day = history_from or months_from(
        civil_day_of(now, get_default_timezone()), -service.history_months
    )
    there = _in_force(service, holder, points, now)
    if there is not None and _says_as_much(there, first_day, ends):
        return prolong(there, ends, by, now)
    permission = Permission(
        service=service,
        request=request,
        holder=holder,
        eligible_party=service.provider,
        all_points=points is None,
        kinds=service.kinds,
        directions=service.directions,
        finest_resolution=service.finest_resolution,
        history_from=first_day,
        valid_from=now,
        valid_until=ends,
        purpose=service.purpose,
        purpose_en=service.purpose_en,
        legal_basis=service.legal_basis,
    )
    asked_at, asked_by = asked
    steps = [
        Step(PermissionState.REQUESTED, asked_at, asked_by, reason),
        Step(PermissionState.VALIDATED, now, SYSTEM),
        Step(PermissionState.ACTIVE, now, by),
    ]
    history.begin(permission, points or (), steps)
    project_permission(permission)
    permission_granted.send(Permission, permission=permission, extended=False, now=now)
    return permission


def prolong(permission: Permission, ends: datetime | None, by: By, now: datetime) -> Permission:
    """Move the end of a permission, and tell both sides; its caller has checked the actor. Raises `AlreadyShared`
    when it lasts as long already.
    """
    if _ends_first(ends, permission.valid_until) or permission.state != PermissionState.ACTIVE:
        raise AlreadyShared(permission)
    step = Step(PermissionState.ACTIVE, now, by, Reason.EXTENDED)
    history.append(permission, step, details=history.saying(valid_until=ends))
    project_permission(permission)
    permission_granted.send(Permission, permission=permission, extended=True, now=now)
    return permission


def _in_force(
    service: DataService, holder: Organisation, points: Sequence[str] | None, now: datetime
) -> Permission | None:
    """A permission on exactly these points, on the service's terms of today."""
    candidates = Permission.objects.select_for_update(of=("self",)).filter(
        service=service,
        holder=holder,
        state__in=[PermissionState.ACTIVE, PermissionState.SUSPENDED],
        all_points=points is None,
        kinds=service.kinds,
        directions=service.directions,
        finest_resolution=service.finest_resolution,
        legal_basis=service.legal_basis,
        purpose=service.purpose,
    )
    wanted = set(points or ())
    for permission in candidates.select_related("service", "eligible_party", "holder").order_by(
        "valid_from", "pk"
    ):
        lasts = permission.valid_until is None or permission.valid_until > now
        if lasts and set(permission.points.values_list("metering_point_id", flat=True)) == wanted:
            return permission
    return None


def _says_as_much(there: Permission, first_day: date, ends: datetime | None) -> bool:
    """Whether to prolong what is there gives neither less nor more than is given now, from that first day of data on."""
    if first_day == there.history_from:
        return True
    return there.history_from < first_day and _ends_first(ends, there.valid_until)


def _ends_first(one: datetime | None, other: datetime | None) -> bool:
    """True when `one` does not end after `other`; None never ends."""
    return other is None or (one is not None and one <= other)


def _refuse_opposed(service: DataService, holder: Organisation, points: Collection[str] | None) -> None:
    if service.kinds != Kind.LOAD_CURVE.bit or points is None:
        return
    opposed = LoadCurveCollection.objects.filter(
        until__isnull=True,
        holder=holder,
        state=LoadCurveCollection.State.OPPOSED,
        metering_point__in=points,
    )
    if opposed.count() == len(points):
        raise LoadCurveOpposed


def _held_and_seen(actor: Membership, points: Sequence[str], now: datetime) -> list[str]:
    perimeter = perimeter_of(actor)
    for point in points:
        if perimeter is not None and point not in perimeter:
            raise PointNotHeld(point)
    return _held(actor.organisation, points, now)


def _held(holder: Organisation, points: Sequence[str], now: datetime) -> list[str]:
    """The points, once each. Raises `PointNotHeld` for one that the company does not hold today."""
    wanted = list(dict.fromkeys(points))
    held = held_today(holder, now, among=wanted)
    for point in wanted:
        if point not in held:
            raise PointNotHeld(point)
    return wanted


def held_today(holder: Organisation, now: datetime, *, among: Sequence[str]) -> set[str]:
    """Which of these points the company holds on the civil day of `now`."""
    today = civil_day_of(now, get_default_timezone())
    titles = TitleHolding.objects.filter(held_on(today), holder=holder, metering_point__in=among)
    return set(titles.values_list("metering_point_id", flat=True))
