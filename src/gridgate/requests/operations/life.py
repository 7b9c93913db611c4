"""The steps that requests of every kind take."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.authority import require_operator
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.requests.events import request_changed
from gridgate.requests.kinds import R, RequestChanged, RequestKind, RequestNotFound
from gridgate.requests.models import OperatorRequest, RequestEvent, RequestState

_S = RequestState
_FROM: dict[str, tuple[RequestState, ...]] = {
    "submitted": (_S.DRAFT, _S.RETURNED),
    "taken": (_S.SUBMITTED, _S.IN_REVIEW),
    "returned": (_S.SUBMITTED, _S.IN_REVIEW),
    "accepted": (_S.SUBMITTED, _S.IN_REVIEW),
    "refused": (_S.SUBMITTED, _S.IN_REVIEW),
    "withdrawn": (_S.DRAFT, _S.SUBMITTED, _S.IN_REVIEW, _S.RETURNED),
}


class RequestNotOpen(GridgateError):
    """The request is in a state that the step does not lead from."""

    def __init__(self, request: OperatorRequest, verb: str) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"the request {request.number} is {request.state}, it cannot be {verb}",
            remedy="Reload the page to see where it stands.",
        )


class ReasonMissing(GridgateError):
    """Whoever asked is told why."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.INVALID, "a refusal or a return has a reason", where="reason")


def submit(kind: RequestKind[R], request: R, *, user: User, actor: Membership | None, now: datetime) -> R:
    """Send a draft, or what was returned, to the desk; due within the operator's own delay."""
    _require_own(request, user, actor)

    def step(row: R) -> None:
        row.submitted_at = now
        row.sent = {name: getattr(row, name) for name in kind.contents}
        kind.when_sent(row, now)
        row.due_at = now + timedelta(days=settings.ENVIRONMENT.request_days)
        row.reason = ""

    return _change(kind, request, "submitted", _S.SUBMITTED, step, user=user, actor=actor, now=now)


def withdraw_request(
    kind: RequestKind[R], request: R, *, user: User, actor: Membership | None, now: datetime
) -> R:
    """Whoever asked takes it back while it is undecided. What was typed since it was sent goes with it."""
    _require_own(request, user, actor)

    def step(row: R) -> None:
        if row.submitted_at is not None:
            kind.put_back(row)
            kind.when_taken_back(row)

    return _change(kind, request, "withdrawn", _S.WITHDRAWN, step, user=user, actor=actor, now=now)


def take(kind: RequestKind[R], request: R, *, actor: Membership, now: datetime) -> R:
    """A member of the operator's staff follows it from now on."""
    require_operator(actor)

    def step(row: R) -> None:
        row.followed_by = actor

    return _change(kind, request, "taken", _S.IN_REVIEW, step, user=actor.user, actor=actor, now=now)


def sending_of(request: OperatorRequest) -> str:
    """Which sending of the request somebody has read: another one once it was returned and sent again."""
    return "" if request.submitted_at is None else request.submitted_at.isoformat()


def return_request(
    kind: RequestKind[R],
    request: R,
    *,
    reason: str,
    seen: str | None = None,
    actor: Membership,
    now: datetime,
) -> R:
    """Ask for more. `seen`: the sending that was read, None to ask nothing. Raises `ReasonMissing`, and
    `RequestChanged` when it was sent again since.
    """
    return _decide(kind, request, "returned", _S.RETURNED, reason=reason, seen=seen, actor=actor, now=now)


def refuse_request(
    kind: RequestKind[R],
    request: R,
    *,
    reason: str,
    seen: str | None = None,
    actor: Membership,
    now: datetime,
) -> R:
    """Raises what `return_request` does."""
    return _decide(kind, request, "refused", _S.REFUSED, reason=reason, seen=seen, actor=actor, now=now)


def accept_request(
    kind: RequestKind[R],
    request: R,
    *,
    seen: str | None = None,
    actor: Membership,
    now: datetime,
    effect: Callable[[R], None] = lambda row: None,
) -> R:
    """Accept it; `effect` makes what accepting makes, in the same transaction, and may set the row's own fields.

    `seen` as in `return_request`. Raises `RequestChanged`.
    """
    require_operator(actor)

    def step(row: R) -> None:
        row.decided_at, row.decided_by = now, actor
        row.followed_by = row.followed_by or actor
        effect(row)

    return _change(
        kind, request, "accepted", _S.ACCEPTED, step, seen=seen, user=actor.user, actor=actor, now=now
    )


def events_of(request: OperatorRequest) -> QuerySet[RequestEvent]:
    """What became of it, oldest first."""
    return RequestEvent.objects.filter(number=request.number).select_related("user").order_by("at", "pk")


def _decide(
    kind: RequestKind[R],
    request: R,
    verb: str,
    state: RequestState,
    *,
    reason: str,
    seen: str | None,
    actor: Membership,
    now: datetime,
) -> R:
    require_operator(actor)
    if not reason.strip():
        raise ReasonMissing

    def step(row: R) -> None:
        row.reason = reason.strip()
        row.followed_by = row.followed_by or actor
        if state == _S.REFUSED:
            row.decided_at, row.decided_by = now, actor

    return _change(kind, request, verb, state, step, seen=seen, user=actor.user, actor=actor, now=now)


def _change(
    kind: RequestKind[R],
    request: R,
    verb: str,
    state: RequestState,
    step: Callable[[R], None],
    *,
    seen: str | None = None,
    user: User,
    actor: Membership | None,
    now: datetime,
) -> R:
    with transaction.atomic():
        row = kind.model._default_manager.select_for_update().get(pk=request.pk)
        if row.state not in _FROM[verb]:
            raise RequestNotOpen(row, verb)
        if seen is not None and seen != sending_of(row):
            raise RequestChanged(row)
        before = row.state
        row.state = state
        step(row)
        row.save()
        by_operator = actor is not None and actor.organisation.is_operator
        RequestEvent.objects.create(
            number=row.number, state=state, at=now, user=user, by_operator=by_operator, note=row.reason
        )
        record(
            f"{kind.name}.{verb}",
            subject=Subject(kind.name, str(row.pk), row.number),
            organisation=row.organisation_id,
            actor=actor,
            user=user,
            before={"state": before},
            after={"state": state.value} | ({"reason": row.reason} if row.reason else {}),
            now=now,
        )
        request_changed.send(kind.model, request=row, kind=kind.name, verb=verb, now=now)
    return row


def _require_own(request: OperatorRequest, user: User, actor: Membership | None) -> None:
    company: Organisation | None = request.organisation
    if company is None:
        mine = actor is None and request.requester_id == user.pk
    else:
        mine = (
            actor is not None and actor.organisation_id == company.pk and actor.has(EntitlementCode.REQUESTS)
        )
    if not mine:
        raise RequestNotFound(request.number)
