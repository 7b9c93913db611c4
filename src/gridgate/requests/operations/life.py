"""Requests to the operator: the steps that every kind of them takes.

A kind is a model that extends `OperatorRequest`, and its name: the prefix of its numbers and of its audit actions.
Who asks, and what accepting it makes, are the kind's own: see `eic` and `kyc`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import get_default_timezone, localtime

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.references import DRAWS, drawn
from gridgate.organisations.as_read import fingerprint
from gridgate.organisations.authority import require_operator
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.requests.events import request_changed
from gridgate.requests.models import OperatorRequest, RequestEvent, RequestState

R = TypeVar("R", bound=OperatorRequest)

LENGTH = 5
"""Characters of a number that are drawn."""

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


class RequestChanged(GridgateError):
    """It says something else than whoever acts on it has read."""

    def __init__(self, request: OperatorRequest) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"the request {request.number} was changed since it was read",
            remedy="Read it again, then decide.",
        )


class RequestNotFound(GridgateError):
    """Absent, or not this actor's."""

    def __init__(self, number: str) -> None:
        super().__init__(ErrorKind.NOT_FOUND, f"no request {number}")


class NoNumberLeft(GridgateError):
    """Every number that was drawn was taken."""

    def __init__(self, start: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, f"no number {start}… was free", remedy="Try again.")


class ReasonMissing(GridgateError):
    """Whoever asked is told why."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.INVALID, "a refusal or a return has a reason", where="reason")


@dataclass(frozen=True, slots=True)
class RequestKind(Generic[R]):
    """A kind of request: its model, the prefix of its numbers, and the name its audit actions begin with."""

    model: type[R]
    prefix: str
    name: str
    contents: tuple[str, ...] = ()
    """The fields in which whoever asks says what they ask."""
    besides: Callable[[R], Iterable[object]] = lambda row: ()
    """What it says besides the fields."""
    when_sent: Callable[[R, datetime], None] = lambda row, now: None
    """What is sent besides the fields."""
    when_taken_back: Callable[[R], None] = lambda row: None
    """Leaves what was last sent, and no more, besides the fields."""

    def numbered(self, make: Callable[[str], R], *, now: datetime) -> R:
        """What `make` writes under the number it is given: the year, and characters that count nothing."""
        start = f"{self.prefix}-{localtime(now, get_default_timezone()).year}-"
        for _ in range(DRAWS):
            number = f"{start}{drawn(LENGTH)}"
            try:
                with transaction.atomic():
                    return make(number)
            except IntegrityError:
                if not self.model._default_manager.filter(number=number).exists():
                    raise
        raise NoNumberLeft(start)

    def of(self, *, user: User, actor: Membership | None) -> QuerySet[R]:
        """The requests that the person reads: their company's when they may make requests for it, or, acting for
        none, their own.
        """
        rows: QuerySet[R] = self.model._default_manager.select_related("organisation", "requester")
        if actor is None:
            return rows.filter(organisation=None, requester=user)
        if not actor.has(EntitlementCode.REQUESTS):
            return rows.none()
        return rows.filter(organisation=actor.organisation_id)

    def one_of(self, number: str, *, user: User, actor: Membership | None) -> R:
        """Raises `RequestNotFound`."""
        found = self.of(user=user, actor=actor).filter(number=number).first()
        if found is None:
            raise RequestNotFound(number)
        return found

    def for_desk(self, *, actor: Membership) -> QuerySet[R]:
        """What the operator's staff see: all but the drafts."""
        require_operator(actor)
        rows: QuerySet[R] = self.model._default_manager.exclude(
            Q(state=_S.DRAFT) | Q(state=_S.WITHDRAWN, submitted_at=None)
        )
        return rows.select_related("organisation", "requester", "followed_by__user")

    def desk_item(self, number: str, *, actor: Membership) -> R | None:
        """One request as it was last sent: what is being typed meanwhile is nobody's but the asker's. To be read, not
        saved.
        """
        row = self.for_desk(actor=actor).filter(number=number).first()
        if row is not None:
            self.put_back(row)
        return row

    def fingerprint(self, row: R) -> str:
        """Differs when what the request says does: what its company has read is what it sends."""
        said = [*(getattr(row, name) for name in self.contents), *self.besides(row)]
        return fingerprint(said)

    def require_read(self, row: R, seen: str | None) -> None:
        """Raises `RequestChanged` when `seen` is the fingerprint of something else; None asks nothing."""
        if seen is not None and seen != self.fingerprint(row):
            raise RequestChanged(row)

    def put_back(self, row: R) -> None:
        """Make the fields say what was last sent."""
        for name, value in (row.sent or {}).items():
            setattr(row, name, value)


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
