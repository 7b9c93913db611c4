"""Permissions that an eligible party asks for: the holder accepts, refuses, or lets the time go by."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.timezone import get_default_timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.sharing import PermissionState, transition
from gridgate.core.time import civil_day_of
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.events import permission_requested, request_refused
from gridgate.sharing.history import By
from gridgate.sharing.models import DataService, Permission, PermissionRequest
from gridgate.sharing.operations.durations import InvalidEnd, end_of_day
from gridgate.sharing.operations.granting import (
    NoPoints,
    NotOffered,
    PointNotHeld,
    give_as_asked,
    held_today,
    require_offered_to,
)
from gridgate.sharing.rights import require_covering, require_data_services

DAYS_TO_ANSWER = 60
"""After which a request that nobody answered is timed out."""
_OPEN = (PermissionState.REQUESTED, PermissionState.VALIDATED)


class UnknownRequest(GridgateError):
    """Absent, or not addressed to the actor's company."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such request")


class RequestClosed(GridgateError):
    """It was answered already, or its time is over."""

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(
            ErrorKind.CONFLICT, f"the request is {state.replace('_', ' ')}", remedy="Ask for a new one."
        )


class NotThirdParty(GridgateError):
    """The company has roles on the grid, and third party is not one of them."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            "only third parties ask holders for their data",
            remedy="Write to the network operator, who records the roles of companies.",
        )


def request_permission(
    *,
    requester: Membership,
    service: DataService,
    holder: Organisation,
    points: Sequence[str] | None,
    valid_until: date | datetime,
    history_from: date | None = None,
    message: str = "",
    now: datetime,
) -> PermissionRequest:
    """Ask a holder for a service of the requester's company, on these points or (None) all, now and later.

    `valid_until` is the last civil day asked for, or the instant (excluded) at which one ends. Raises
    `NotEntitled`, `NotThirdParty`, `NotOffered` when the service is another company's or rests on the law,
    `PointNotHeld`, `NoPoints`, `InvalidEnd`. Whether the holder's roles let it accept is not told to whoever asks.
    """
    require_data_services(requester)
    if not requester.organisation.may_ask_holders:
        raise NotThirdParty
    if service.provider_id != requester.organisation_id:
        raise NotOffered("this service is another company's", remedy="Ask for one of yours.")
    if not service.terminable or holder.pk == requester.organisation_id:
        raise NotOffered("this service needs no permission of the holder", remedy="Ask the operator.")
    last_day = _last_day(valid_until)
    if end_of_day(last_day) <= now:
        raise InvalidEnd("the permission would end before it begins", remedy="Choose a later end.")
    with transaction.atomic():
        held = None if points is None else _held_by(holder, points, now)
        by = By.member(requester)
        request = PermissionRequest.objects.create(
            service=service,
            holder=holder,
            eligible_party=requester.organisation,
            all_points=held is None,
            history_from=history_from,
            valid_until=last_day,
            message=message.strip(),
            requested_at=now,
            requested_by=by.id,
            requested_by_name=by.name,
        )
        request.points.set(MeteringPoint.objects.filter(pk__in=held or []))
        permission_requested.send(PermissionRequest, request=request, now=now)
    return request


def accept_request(
    *, actor: Membership, request_id: UUID, points: Sequence[str] | None, now: datetime
) -> Permission:
    """Give what is asked: on all of it (None), or on some of the points asked for.

    What is given is what was asked, chosen, and held today. Raises `NotEntitled`, `UnknownRequest`,
    `RequestClosed`, `NotOffered`, `OutsidePerimeter`, `NoPoints`, `InvalidEnd`, `LoadCurveOpposed` or
    `AlreadyShared`.
    """
    require_data_services(actor)
    with transaction.atomic():
        request = _open_request(actor, request_id, now)
        require_offered_to(request.service, request.holder)
        given = _points_given(request, points, now)
        require_covering(actor, given)
        permission = give_as_asked(request=request, points=given, by=By.member(actor), now=now)
        _answer(request, PermissionState.ACTIVE, By.member(actor), now)
    return permission


def refuse_request(*, actor: Membership, request_id: UUID, now: datetime) -> None:
    """Say no. Raises `NotEntitled`, `UnknownRequest`, `RequestClosed` or `OutsidePerimeter`."""
    require_data_services(actor)
    with transaction.atomic():
        request = _open_request(actor, request_id, now)
        asked = None if request.all_points else request.points.values_list("pk", flat=True)
        require_covering(actor, asked)
        _answer(request, PermissionState.REFUSED, By.member(actor), now)
        request_refused.send(PermissionRequest, request=request, now=now)


def time_out_requests(*, now: datetime) -> int:
    """Close the requests that nobody answered in time; returns how many."""
    today = civil_day_of(now, get_default_timezone())
    asked = PermissionRequest.objects.filter(state__in=_OPEN)
    late = asked.filter(requested_at__lte=now - timedelta(days=DAYS_TO_ANSWER)) | asked.filter(
        valid_until__lt=today
    )
    return late.update(state=PermissionState.TIMED_OUT, answered_at=now)


def _open_request(actor: Membership, request_id: UUID, now: datetime) -> PermissionRequest:
    requests = PermissionRequest.objects.select_for_update(of=("self",)).filter(holder=actor.organisation_id)
    request = (
        requests.select_related("service__provider", "holder", "eligible_party").filter(pk=request_id).first()
    )
    if request is None:
        raise UnknownRequest
    if request.state not in _OPEN:
        raise RequestClosed(request.state)
    if end_of_day(request.valid_until) <= now:
        raise RequestClosed(PermissionState.TIMED_OUT)
    return request


def _answer(request: PermissionRequest, state: PermissionState, by: By, now: datetime) -> None:
    if state is PermissionState.ACTIVE:
        request.state = transition(PermissionState.VALIDATED, state)
    else:
        request.state = transition(PermissionState(request.state), state)
    request.answered_at, request.answered_by, request.answered_by_name = now, by.id, by.name
    request.save(update_fields=["state", "answered_at", "answered_by", "answered_by_name"])


def _points_given(
    request: PermissionRequest, chosen: Sequence[str] | None, now: datetime
) -> list[str] | None:
    if request.all_points and chosen is None:
        return None
    asked = None if request.all_points else list(request.points.values_list("pk", flat=True))
    wanted = list(dict.fromkeys(asked or [] if chosen is None else chosen))
    held = held_today(request.holder, now, among=wanted)
    given = [point for point in wanted if point in held and (asked is None or point in asked)]
    if not given:
        raise NoPoints
    return given


def _held_by(holder: Organisation, points: Sequence[str], now: datetime) -> list[str]:
    wanted = list(dict.fromkeys(points))
    if not wanted:
        raise NoPoints
    held = held_today(holder, now, among=wanted)
    for point in wanted:
        if point not in held:
            raise PointNotHeld(point)
    return wanted


def _last_day(end: date | datetime) -> date:
    if isinstance(end, datetime):
        return civil_day_of(end - timedelta(microseconds=1), get_default_timezone())
    return end
