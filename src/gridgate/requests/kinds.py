"""A kind of request: what is declared of it in one place, and the reads that every kind has.

A kind is a model that extends `OperatorRequest`, and its name: the prefix of its numbers and of its audit actions.
Who asks, and what accepting it makes, are the kind's own: see `eic` and `kyc`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import get_default_timezone, localtime

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.references import DRAWS, drawn
from gridgate.organisations.as_read import fingerprint
from gridgate.organisations.authority import require_operator
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, User
from gridgate.requests.models import OperatorRequest, RequestState

R = TypeVar("R", bound=OperatorRequest)

LENGTH = 5
"""Characters of a number that are drawn."""

_S = RequestState


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
