"""Who may read what: the states of a permission, and the one decision that every read goes through.

States and their names follow Regulation (EU) 2023/1162, annex, procedures 2 to 4: the customer *revokes*, the
eligible party *terminates*, the operator *suspends*, time *expires*, a move-out *invalidates*.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.time import Interval, Resolution


class PermissionState(StrEnum):
    """requested → (validated | malformed | refused | timed out) → active → one of the ends. None is skipped."""

    REQUESTED = "requested"
    MALFORMED = "malformed"
    VALIDATED = "validated"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    TERMINATED = "terminated"
    EXPIRED = "expired"
    FULFILLED = "fulfilled"
    INVALIDATED = "invalidated"

    @property
    def ended(self) -> bool:
        return not _NEXT[self]


_S = PermissionState
_ENDS = frozenset({_S.REVOKED, _S.TERMINATED, _S.EXPIRED, _S.FULFILLED, _S.INVALIDATED})
_NEXT: dict[PermissionState, frozenset[PermissionState]] = {
    _S.REQUESTED: frozenset({_S.VALIDATED, _S.MALFORMED, _S.REFUSED, _S.TIMED_OUT}),
    _S.VALIDATED: frozenset({_S.ACTIVE, _S.REFUSED, _S.TIMED_OUT}),
    _S.ACTIVE: frozenset({_S.SUSPENDED}) | _ENDS,
    _S.SUSPENDED: frozenset({_S.ACTIVE}) | _ENDS,
} | dict.fromkeys(_ENDS | {_S.MALFORMED, _S.REFUSED, _S.TIMED_OUT}, frozenset())


def transition(state: PermissionState, to: PermissionState) -> PermissionState:
    """Return `to`. Raises `GridgateError` (CONFLICT) when `state` does not lead there."""
    if to not in _NEXT[state]:
        raise GridgateError(ErrorKind.CONFLICT, f"a permission that is {state} cannot become {to}")
    return to


class LegalBasis(StrEnum):
    """Why data may be read (GDPR art. 6(1)); what rests on the holder's will, the holder can end."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_TASK = "public_task"

    @property
    def terminable(self) -> bool:
        return self in (LegalBasis.CONSENT, LegalBasis.CONTRACT)


class Basis(StrEnum):
    """What an access line rests on: being the title holder, or a permission."""

    TITLE = "title"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One row of the access projection: what one reader may read of one metering point, within one title holding.

    `data_from`, `data_to` bound the data; `valid_from`, `valid_until` bound the moment of reading; all are seconds
    since 1970 UTC, None meaning with no bound. `finest_resolution` is in seconds, 0 meaning any.
    """

    basis: Basis
    permission: str | None
    holder: int
    kinds: int
    directions: int
    finest_resolution: int
    data_from: int
    data_to: int | None
    valid_from: int
    valid_until: int | None

    def valid_at(self, at: datetime) -> bool:
        """Whether a read at that instant may rest on it."""
        now = at.timestamp()
        return self.valid_from <= now and (self.valid_until is None or now < self.valid_until)

    @property
    def ended_by_move_out(self) -> bool:
        """Whether what bounds the reading by permission is that its holder leaves the point: data and reading stop at
        one midnight.
        """
        bounded = self.basis is Basis.PERMISSION and self.valid_until is not None
        return bounded and self.valid_until == self.data_to


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for: which data of which point, over which period, and at what instant it asks."""

    metering_point: str
    kind: Kind
    direction: FlowDirection
    period: Interval
    at: datetime
    resolution: Resolution | None = None
    """The step; None: as stored."""
    as_of: datetime | None = None
    """As it was known then; None: as it is known."""


class RefusalReason(StrEnum):
    """Why a read is refused. Ordered from the most to the least basic; the least basic met is the one told."""

    NO_PERMISSION = "no_permission"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    HOLDER_LEFT = "holder_left"
    KIND_NOT_COVERED = "kind_not_covered"
    DIRECTION_NOT_COVERED = "direction_not_covered"
    RESOLUTION_TOO_FINE = "resolution_too_fine"
    BEFORE_HISTORY = "before_history"
    AFTER_TITLE = "after_title"
    BETWEEN_TITLES = "between_titles"
    """After what one line allows and before what another does: its holder left the point and came back."""


class MissingReason(StrEnum):
    """Why something that may be asked for is not in an answer."""

    NOT_RECEIVED = "not_received"
    SET_ASIDE = "set_aside"
    """Values came and were not taken in."""
    INCOMPLETE = "incomplete"
    """Of a day's energy: its load curve tells a part of it."""
    FUTURE = "future"
    PARTIAL_STEP = "partial_step"
    """An edge of the period that is too short to hold a step."""
    BEFORE_ACTIVATION = "before_activation"
    BEFORE_TITLE = "before_title"
    BEFORE_PERMISSION_HISTORY = "before_permission_history"
    BETWEEN_TITLES = "between_titles"
    AFTER_TITLE = "after_title"
    COLLECTION_INACTIVE = "collection_inactive"
    DIRECTION_ABSENT = "direction_absent"


@dataclass(frozen=True, slots=True)
class Granted:
    """The line that allows the read, and the part of the period that it allows.

    `further` are other parts, each allowed by another line: a company that left a point and came back has two times.
    No two parts share an instant, and what lies between two of them is not readable.
    """

    line: AccessLine
    readable: Interval
    further: "tuple[Granted, ...]" = ()

    @property
    def parts(self) -> "tuple[Granted, ...]":
        """All of them in the order of time, none with `further` of its own."""
        if not self.further:
            return (self,)
        every = (Granted(self.line, self.readable), *self.further)
        return tuple(sorted(every, key=lambda part: part.readable.start))


@dataclass(frozen=True, slots=True)
class Refused:
    reason: RefusalReason
    holder: int | None = field(default=None, compare=False)
    """Whose line it is that the reason is of; None without one. What it says is of that company alone."""


def decide(wanted: Wanted, lines: Iterable[AccessLine]) -> Granted | Refused:
    """Decide a read from the reader's access lines on that metering point.

    Grants the widest readable part of the period that a single line allows, the holder's own title first when equal,
    and, as further parts, what other lines allow beside it. Without lines nothing is readable: no projection, no answer.
    """
    granted: list[Granted] = []
    told = Refused(RefusalReason.NO_PERMISSION)
    reasons: set[RefusalReason] = set()
    for line in lines:
        verdict = _judge(wanted, line)
        if isinstance(verdict, Refused):
            reasons.add(verdict.reason)
            if _ORDER[verdict.reason] > _ORDER[told.reason]:
                told = Refused(verdict.reason, line.holder)
        else:
            granted.append(verdict)
    if not granted:
        if {RefusalReason.BEFORE_HISTORY, RefusalReason.AFTER_TITLE} <= reasons:
            return Refused(RefusalReason.BETWEEN_TITLES, told.holder)
        return told
    return granted[0] if len(granted) == 1 else _together(granted)


def _together(granted: list[Granted]) -> Granted:
    best, *others = sorted(granted, key=_rank, reverse=True)  # stable: the first of equals stays first
    taken, further = [best.readable], []
    for other in others:
        for left in _beside(other.readable, taken):
            further.append(Granted(other.line, left))
            taken.append(left)
    return Granted(best.line, best.readable, tuple(further))


def _beside(interval: Interval, taken: list[Interval]) -> list[Interval]:
    """What of the interval lies in none of `taken`."""
    left = [interval]
    for hole in taken:
        rest: list[Interval] = []
        for piece in left:
            if not piece.overlaps(hole):
                rest.append(piece)
                continue
            if piece.start < hole.start:
                rest.append(Interval(piece.start, hole.start))
            if hole.end is not None and (piece.end is None or hole.end < piece.end):
                rest.append(Interval(hole.end, piece.end))
        left = rest
    return left


_ORDER = {reason: index for index, reason in enumerate(RefusalReason)}


def _judge(wanted: Wanted, line: AccessLine) -> Granted | Refused:
    at = wanted.at.timestamp()
    if at < line.valid_from:
        return Refused(RefusalReason.NOT_YET_VALID)
    if line.valid_until is not None and at >= line.valid_until:
        return Refused(RefusalReason.HOLDER_LEFT if line.ended_by_move_out else RefusalReason.EXPIRED)
    if not line.kinds & wanted.kind.bit:
        return Refused(RefusalReason.KIND_NOT_COVERED)
    if not line.directions & wanted.direction.bit:
        return Refused(RefusalReason.DIRECTION_NOT_COVERED)
    if wanted.resolution is not None and wanted.resolution.seconds < line.finest_resolution:
        return Refused(RefusalReason.RESOLUTION_TOO_FINE)
    if line.data_to is not None and wanted.period.start.timestamp() >= line.data_to:
        return Refused(RefusalReason.AFTER_TITLE)
    readable = wanted.period.intersect(_between(line.data_from, line.data_to))
    return Granted(line, readable) if readable else Refused(RefusalReason.BEFORE_HISTORY)


@lru_cache(maxsize=1024)
def _between(start: int, end: int | None) -> Interval:
    """Epoch seconds as an interval; most lines of a company begin on a few days."""
    return Interval(
        datetime.fromtimestamp(start, UTC), None if end is None else datetime.fromtimestamp(end, UTC)
    )


def _rank(granted: Granted) -> tuple[float, bool]:
    end = granted.readable.end
    length = float("inf") if end is None else (end - granted.readable.start).total_seconds()
    return length, granted.line.basis is Basis.TITLE


def describe(line: AccessLine) -> dict[str, object]:
    """The line in words, for logs and explanations."""
    return {
        "basis": line.basis.value,
        "permission": line.permission,
        "kinds": sorted(kinds_of(line.kinds)),
        "directions": sorted(directions_of(line.directions)),
        "finest_resolution": line.finest_resolution or None,
    }
