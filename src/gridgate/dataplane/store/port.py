"""The port of the measurement store: what an adapter promises and what callers may rely on.

**Shape.** A *series* is one metering point × kind × direction × step (× register). What is stored, and what
is read, is a *day block*: the whole civil day of one series, 46, 48 or 50 values of a half-hourly curve.

**Units.** A value is an integer; the measure is `value * 10**scale` in the unit of the kind (W, Wh, VA). A
curve is stored as mean power in W: a step's energy in Wh is `W * seconds / 3600`, exactly. Values are never
negative: which way the energy flows is the direction's to say.

**Which value wins.** Every delivery has a rank: the instant at which its source published it, or, when the
source does not say, the instant at which the store first received it. Slot by slot, a value replaces another
only when its rank is not lower; with equal ranks the delivery received first yields to the one received
later. So the present does not depend on the order in which files happen to arrive, and delivering a file
again changes nothing.

**Nothing is lost.** A block that changes moves to history with the instant until which it was the truth. What
arrives too late to be the truth goes straight to history. `as_of` reads what was known then.

**Law of evolution.** `Quality` codes, `Kind` and `Cause` words, and the columns of a block are stored: append,
never renumber or rename.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.store.quarantine import Quarantined, QuarantinedRow, SetAside

_MISSING = int(Quality.MISSING)
"""A plain number: compared with an array, a member of the enumeration takes longer than the comparison."""


class InvalidBlock(GridgateError):
    """A block that no store can take: wrong number of slots for its day, negative value, unknown quality
    code."""

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, where=where)


class StoreUnavailable(GridgateError):
    """The store cannot be opened or does not answer; nothing was written."""

    def __init__(self, message: str, *, remedy: str = "", where: str = "") -> None:
        super().__init__(ErrorKind.UNAVAILABLE, message, remedy=remedy, where=where)


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What one row of values is about. `register` is the code of a temporal class; empty means the total."""

    metering_point: str
    kind: Kind
    direction: FlowDirection
    resolution: Resolution
    register: str = ""

    def __str__(self) -> str:
        register = f" {self.register}" if self.register else ""
        return (
            f"{self.metering_point} {self.kind.value} {self.direction.value} {self.resolution.iso}{register}"
        )


@dataclass(slots=True)
class DayBlock:
    """The whole civil day `day` of one series: every array has as many elements as the day has steps.

    In a block given to `put`, a slot whose quality is MISSING says nothing and leaves what is stored; a slot
    of `cancelled` that is True withdraws the value: it becomes missing, and an older delivery cannot bring it
    back. In a block that was read, `cancelled` is None, and arrays may be shared and read-only: copy before
    changing them.
    """

    key: SeriesKey
    day: date
    values: NDArray[np.int64]
    """Measure in the unit of the kind, divided by `10**scale`; 0 where the quality is MISSING."""
    quality: NDArray[np.uint8]
    """`Quality` codes."""
    scale: int = 0
    """Power of ten: with -1 a value of 7305 means 730.5 W."""
    offsets: NDArray[np.int32] | None = None
    """Seconds after the slot's start at which the value was observed; None when that is the start (or the
    mean)."""
    recorded_at: int = 0
    """Epoch milliseconds at which the store wrote this version; set on read, ignored by `put`."""
    slot_recorded_at: NDArray[np.int64] | None = None
    """The same slot by slot, when a later delivery changed a part of the day only; set on read, ignored by
    `put`."""
    cancelled: NDArray[np.bool_] | None = None

    @property
    def said(self) -> NDArray[np.bool_]:
        """True where there is a value."""
        return np.not_equal(self.quality, _MISSING)


class PackedDay(NamedTuple):
    """A day block as it is kept, in the columns of `store.schema`: of the same day, equal bytes are equal values."""

    day: int
    """Days since 1970-01-01."""
    resolution: int
    """Seconds."""
    register: str
    recorded_at: int
    scale: int
    width: int
    amounts: bytes
    quality: bytes | None
    offsets: bytes | None
    provenance: bytes | None


@dataclass(frozen=True, slots=True)
class Amounts:
    """Day blocks of several points that have one form, as columns: row `i` of each is of one block."""

    resolution: Resolution
    scale: int
    points: NDArray[np.int64]
    """The place of each row's point among those that were asked for."""
    days: NDArray[np.int64]
    """Civil days since 1970-01-01."""
    values: NDArray[np.signedinteger]
    """Rows by slots; read-only, and as narrow as they are stored: widen before adding. 0 where nothing is said."""
    said: NDArray[np.bool_] | None
    """Rows by slots; None when there is a value in each."""
    quality: NDArray[np.uint8] | None
    """`Quality` codes, rows by slots; None when each is measured."""


@dataclass(frozen=True, slots=True)
class Source:
    """The file or message that a delivery comes from. The same `sha256` is the same source, whatever its
    name."""

    name: str
    sha256: str
    format: str
    published_at: int | None = None
    """Epoch milliseconds at which the source was published; orders deliveries. None: order of first
    reception."""


@dataclass(frozen=True, slots=True)
class PutResult:
    """What a delivery did, counted in values; `stored + unchanged` is the number of values it held.

    `older` says how many of the unchanged differ from what is held and were kept in history only, because a
    publication that came after theirs had already spoken.
    """

    stored: int
    unchanged: int
    older: int = 0


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What a metering point has: a series, its first and last civil day, when it last changed."""

    key: SeriesKey
    first: date
    last: date
    recorded_at: int


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a block, the truth from `recorded_at` until `superseded_at` (None: still)."""

    recorded_at: int
    superseded_at: int | None
    published_at: int
    """Rank of its latest delivery: when that was published, or first received when the source does not say.
    """
    source: str
    """Name of the source of the latest change in it."""
    block: DayBlock
    arrived_too_late: bool = False
    """True for values that were never the truth: a later publication had already spoken."""


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A source as it was first received, and the number of things of it in quarantine."""

    source: Source
    recorded_at: int
    quarantined: int = field(default=0)


@runtime_checkable
class MeasurementStore(Protocol):
    """Many readers, one writer at a time, in as many processes as one likes.

    Every method raises `StoreUnavailable` when the store does not answer. A method that writes is one
    transaction: when it returns, what it did survives the death of the process and of the machine; when it
    raises, or dies, nothing of it was done (but see `erase`).
    """

    def put(
        self,
        blocks: Sequence[DayBlock],
        *,
        source: Source,
        quarantined: Sequence[Quarantined],
        recorded_at: int,
        complete: bool = True,
    ) -> PutResult:
        """Take a delivery: merge its blocks, record its source and what was quarantined, all or nothing.

        Give everything a file holds in one call, and the file is taken whole or not at all. What is too large for that
        comes in several, each of whole days of series, none of which is `complete` but the last. A series and day
        may occur several times: slot by slot the last one speaks. `recorded_at` is the present, in epoch
        milliseconds. Raises `InvalidBlock` before anything is written.
        """
        ...

    def read(
        self,
        metering_point: str,
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        as_of: int | None = None,
        register: str | None = None,
    ) -> list[DayBlock]:
        """The blocks of the civil days `first` to `last`, both included, by day, then step (finest first),
        register.

        `as_of` (epoch milliseconds) answers what was known at that instant. `register` None means every
        register. The hot path: one statement, one index search.
        """
        ...

    @property
    def state(self) -> object:
        """What was last seen of where the store is kept, by a read: something else once anything was erased. What was
        made of earlier reads is not to be kept then.
        """
        ...

    def read_packed(
        self,
        metering_point: str,
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        as_of: int | None = None,
    ) -> list[PackedDay]:
        """The same as it is kept: for whoever has seen it before and need not look into it (`packing.blocks_of` does)."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """All that is read within shows one instant: the first read of it. For whoever has the store alone, and not for
        long: what is written meanwhile is kept apart until it ends.
        """
        ...

    def amounts(
        self,
        metering_points: Sequence[str],
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        as_of: int | None = None,
    ) -> Iterator[list[Amounts]]:
        """What the blocks of several points hold, as columns: for sums over thousands of points.

        Of the total, not of registers. `as_of` as in `read`. Each point is given once. Some whole points at a time, so
        that memory does not grow with their number, in one statement each: read within one `snapshot`.
        """
        ...

    def series(self, metering_points: Sequence[str]) -> list[SeriesInfo]:
        """What those points have, ordered by point, kind, direction, step, register. One statement."""
        ...

    def latest(self, metering_points: Sequence[str]) -> list[tuple[str, date, int]]:
        """Of each of those points that has any series the last day of any, and when the last of it came (epoch
        milliseconds). One statement.
        """
        ...

    def series_within(self, metering_point: str, first: date, last: date) -> list[SeriesInfo]:
        """What a point has of the civil days `first` to `last`, both included: each series that has a block there,
        with the first and the last of them. In the order of `series`. One statement.
        """
        ...

    def steps_within(
        self,
        metering_points: Sequence[str],
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
    ) -> int:
        """How many steps those series have on the civil days `first` to `last`, each day counted as the longest, between
        their first and last day: so many values, or fewer. Of the total, not of registers. One statement of one row.
        """
        ...

    def versions(self, key: SeriesKey, day: date) -> list[Version]:
        """Every state that block had, in the order in which they were recorded."""
        ...

    def quarantine(self, *, limit: int = 100) -> list[QuarantinedRow]:
        """What was quarantined, latest first."""
        ...

    def set_aside(
        self,
        metering_point: str,
        kind: Kind,
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        by_time: Collection[date] = (),
        unsaid: bool = False,
        as_of: int | None = None,
    ) -> list[SetAside]:
        """What came of those civil days, both included, and was set aside, by day; whether values came well
        afterwards is not looked at.

        Summed up, however much came: of a day two rows a cause at most, one of the values whose time is sure and one of
        the others; of the days of `by_time` one for each five minutes in which such values begin.

        `unsaid` counts what does not say its direction too. `as_of` as in `read`. Values of which point and day were
        not known, or that came before the store kept them (schema 2), are not here. One statement, one index search.
        """
        ...

    def sources(self, *, limit: int = 100) -> list[SourceInfo]:
        """What was received, latest first."""
        ...

    def erase(self, metering_point: str, *, before: date | None = None) -> int:
        """Erase what is held of a point (only days before `before` when given), history and quarantine included;
        count the blocks.

        Raises `StoreUnavailable` too when all of it is erased and others, who read at the time, keep what it was from
        being overwritten: to erase again does that.

        Of the quarantine what is known to be of the point: a value whose meter led to no point stays, and so does
        what came before the store kept points there (schema 2). A value of no known day is before `before` when it
        came before.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """Let go of the file or connection. The store is of no use afterwards."""
        ...
