"""From what readers saw to day blocks: instants, civil days, slots, and every check that needs the whole
series."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.ingest.columns import BEYOND, STEPS
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import DAY, FIRST, LAST, LocalClock, date_of
from gridgate.dataplane.ingest.port import Observations, Stamp
from gridgate.dataplane.store.checking import MAX_DECIMALS
from gridgate.dataplane.store.port import Cause, DayBlock, Quarantined, SeriesKey, Subject

STAMPED_AT_END: Final = ("C5", "P4")
_MOST_POWER: Final = 1e11
"""In W or VA: a hundred gigawatts, more than any connection to a network carries."""
LARGEST: Final = {
    Kind.LOAD_CURVE: _MOST_POWER,
    Kind.MAXIMUM_POWER: _MOST_POWER,
    Kind.DAILY_ENERGY: 24 * _MOST_POWER,
    Kind.REGISTER_READING: 1e15,
}
"""In the unit of the kind: larger is a defect; what a register adds up over the years has no end but that of the
arithmetic."""
ROOM: Final = 2.0**62
_LARGEST_SHIFT: Final = 18
_SHIFTS: Final = (-3600, -1800, 0, 1800, 3600)
"""From one reading of a local stamp to the other: by so much clocks change."""

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Settled:
    """What became of a series: its blocks, and what was set aside."""

    blocks: list[DayBlock]
    quarantined: Iterator[Quarantined]


def settle(
    batches: Sequence[Observations],
    direction: FlowDirection,
    point: PointInfo,
    clock: LocalClock,
    *,
    at: int,
) -> Settled:
    """Cut one series (same kind, direction and register, in the order of the file) into day blocks. `at` is the present,
    in epoch seconds.

    Set aside, each with where it stands and why: values that are negative or absurd; steps that are none of
    ours; stamps that no clock showed, that it showed twice without the order telling which, that lie off the
    grid of the civil day, or more than a day ahead; load curve after the holder's opposition; and of several
    values for one stretch of time all but the first.
    """
    table = _Table([_as_stamped(lasting(batch, clock), point) for batch in batches])
    first = batches[0]
    daily = first.kind is not Kind.LOAD_CURVE

    table.reject(table.negative, Cause.NEGATIVE, lambda i: _NEGATIVE)
    table.reject(table.sizes > LARGEST[first.kind], Cause.BEYOND, lambda i: BEYOND)
    if not daily:
        table.reject(~np.isin(table.steps, STEPS), Cause.STEP, table.about_step)

    start, day = _instants(table, clock)
    timed = table.good.copy()
    table.reject(start > at + DAY, Cause.FUTURE, lambda i: f"{_utc(start[i])} is still to come; {_CORRECT}")
    if daily:
        slot, offset = np.zeros(len(day), np.int64), start - clock.midnights(day)
    else:
        since_midnight = start - clock.midnights(day)
        slot, offset = since_midnight // np.maximum(table.steps, 1), None
        off_grid = since_midnight % np.maximum(table.steps, 1) != 0
        table.reject(
            off_grid,
            Cause.OFF_GRID,
            lambda i: f"{_utc(start[i])} is off the grid of {_minutes(table.steps[i])} steps; {_CORRECT}",
        )
        if point.opposed_from is not None:
            opposed = int(point.opposed_from.timestamp())
            table.reject(start >= opposed, Cause.OPPOSITION, lambda i: _opposition(point))
    _reject_repeats(table, start if not daily else day * DAY)

    key = SeriesKey(point.id, first.kind, direction, Resolution.P1D, first.register)
    about = Subject(point.id, first.kind, direction)
    return Settled(
        list(_blocks(table, key, day, slot, offset, clock)),
        _told_of(table, about, _Times(start, day, timed), clock),
    )


def set_aside(
    batch: Observations, about: Subject, why: Sequence[tuple[Cause, str]], clock: LocalClock, point: PointInfo
) -> Iterator[Quarantined]:
    """All values of a batch, none of which can be taken, each with its day as far as its stamp tells it. `why` is of
    each."""
    table = _Table([_as_stamped(lasting(batch, clock), point)])
    for cause in dict.fromkeys(cause for cause, _ in why):
        of_cause = np.array([index for index, one in enumerate(why) if one[0] is cause])
        table.rejected.append((of_cause, cause, lambda i: why[i][1]))
    nothing = np.zeros(len(batch), np.int64)
    return _told_of(table, about, _Times(nothing, nothing, np.zeros(len(batch), bool)), clock)


def lasting(batch: Observations, clock: LocalClock) -> Observations:
    """The batch with steps that are seconds, whatever the clock on the wall did in between."""
    if not batch.steps_shown:
        return batch
    lasting = clock.lasting(batch.times, batch.times + batch.steps)
    steps = np.where(batch.wall & (batch.times > FIRST) & (batch.times < LAST), lasting, batch.steps)
    return replace(batch, steps=np.maximum(steps, -1))


def _as_stamped(batch: Observations, point: PointInfo) -> Observations:
    """The batch with its stamps as points of the segment are stamped."""
    if batch.stamp is not Stamp.BY_SEGMENT:
        return batch
    if point.segment not in STAMPED_AT_END:
        return replace(batch, stamp=Stamp.START)
    steps = batch.steps if batch.steps_of_ends is None else batch.steps_of_ends
    return replace(batch, stamp=Stamp.END, steps=steps)


class _Table:
    """The batches as one set of columns; rows are struck out as checks find them bad."""

    def __init__(self, batches: Sequence[Observations]) -> None:
        self._batches = batches
        self.times = _joined(b.times for b in batches)
        self.wall = np.concatenate([b.wall for b in batches])
        self.steps = _joined(b.steps for b in batches)
        self.quality = _joined(b.quality for b in batches)
        self.slots = _joined(np.zeros(len(b), np.int64) if b.slots is None else b.slots for b in batches)
        self.stamps_used = sorted({b.stamp for b in batches}, key=lambda stamp: stamp.value)
        self.stamp = np.repeat([b.stamp.value for b in batches], [len(b) for b in batches])
        self.ends = _joined(np.full(len(b), -1) if b.ends is None else b.ends for b in batches)
        self._ends = np.cumsum([len(b) for b in batches])
        self.offsets = (
            None
            if any(b.offsets is None for b in batches)
            else _joined(b.offsets for b in batches if b.offsets is not None)
        )
        self._variants = [b.variant for b in batches]
        self.good = np.ones(len(self.times), bool)
        self.rejected: list[tuple[NDArray[np.intp], Cause, Callable[[int], str]]] = []
        self.negative = np.concatenate([b.values < 0 for b in batches])
        self.values = _joined(powers(b) for b in batches)
        self.scales = np.concatenate([b.scales for b in batches])
        self.sizes = np.concatenate([powers(b, b.values.astype(np.float64)) for b in batches])
        self.sizes = self.sizes * 10.0 ** np.clip(self.scales, -300, 200)

    def reject(self, mask: Mask, cause: Cause, reason: Callable[[int], str]) -> None:
        """Strike out the rows of the mask that are still good; `reason` is asked for each when they are told."""
        struck = np.flatnonzero(mask & self.good)
        if len(struck):
            self.rejected.append((struck, cause, reason))
        self.good &= ~mask

    def place(self, index: int) -> str:
        batch, within = self._find(index)
        return batch.place.format(batch.rows[within])

    def raw(self, index: int) -> str:
        batch, within = self._find(index)
        return str(batch.raw[within])

    def remedy(self, index: int) -> str:
        """What to do about a day that is none of ours."""
        batch, _ = self._find(index)
        return batch.fault or (_CORRECT if self.wall[index] else _DATED_BY_ITSELF)

    def variant(self, index: int) -> str:
        return self._variants[int(np.searchsorted(self._ends, index, side="right"))]

    def same(self, one: int, other: int) -> bool:
        return bool(self.sizes[one] == self.sizes[other] and self.steps[one] == self.steps[other])

    def about_step(self, index: int) -> str:
        step = self.steps[index]
        if step == 0:
            return "the step of this value is not said, nor can its neighbours tell; give a resolution"
        covers = f"the value covers {_minutes(step)}, which" if step > 0 else "the resolution"
        return f"{covers} is none of the steps 5, 10, 15, 30, 60 minutes; ask the source for one of them"

    def _find(self, index: int) -> tuple[Observations, int]:
        number = int(np.searchsorted(self._ends, index, side="right"))
        return self._batches[number], int(index - (self._ends[number - 1] if number else 0))


def powers(batch: Observations, values: NDArray[Any] | None = None) -> NDArray[Any]:
    """The batch's values; energy of a step as its mean power, which is exact: steps divide an hour."""
    values = batch.values if values is None else values
    if not batch.energy:
        return values
    return values * np.where(np.isin(batch.steps, STEPS), 3600 // np.maximum(batch.steps, 1), 1)


def _aligned(values: NDArray[np.int64], scales: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The same measures at one scale: the finest of them that leaves room for the largest; what is finer still is
    rounded half to even."""
    lowest, highest = int(scales.min()), int(scales.max())
    if lowest == highest and -MAX_DECIMALS <= lowest <= 0 and int(values.max()) < ROOM / 2:
        return values, lowest
    scale = min(0, max(lowest, -MAX_DECIMALS))
    largest = float((values * 10.0**scales).max())
    while largest * 10.0**-scale > ROOM:
        scale += 1
    shifts = scales - scale
    coarser = values * 10 ** np.clip(shifts, 0, _LARGEST_SHIFT)
    unit = 10 ** np.clip(-shifts, 0, _LARGEST_SHIFT)
    whole, rest = np.divmod(coarser, unit)
    return whole + ((2 * rest > unit) | ((2 * rest == unit) & (whole % 2 == 1))), scale


def _instants(table: _Table, clock: LocalClock) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The instant at which each value begins (or was observed), and its civil day."""
    table.reject(
        (table.times < FIRST) | (table.times > LAST),
        Cause.OUT_OF_RANGE,
        lambda i: f"the stamp is not between 1970 and 2099; {_CORRECT}",
    )
    times = np.clip(table.times, FIRST, LAST)
    start, day = np.zeros(len(times), np.int64), np.zeros(len(times), np.int64)
    for stamp in table.stamps_used:
        rows = table.stamp == stamp.value
        if stamp in (Stamp.DAY, Stamp.SLOT):
            start[rows], day[rows] = _days(table, rows, times, clock, slots=stamp is Stamp.SLOT)
        else:
            utc = _utc_of(table, rows, times, clock, order_matters=stamp is not Stamp.MOMENT)
            start[rows] = utc[rows] - (table.steps[rows] if stamp is Stamp.END else 0)
            day[rows] = clock.of(start[rows]) // DAY
    return start, day


def _utc_of(
    table: _Table, rows: Mask, times: NDArray[np.int64], clock: LocalClock, *, order_matters: bool
) -> NDArray[np.int64]:
    if order_matters and table.offsets is not None and _of_a_careless_clock(table, rows, times, clock):
        table.times = np.where(rows, table.times + table.offsets, table.times)
        table.wall = table.wall | rows
        times = times + table.offsets
    utc = times.copy()
    on_wall = table.wall & table.good & rows
    shown, alike, unpaired = times, np.zeros(len(times), bool), np.zeros(len(times), bool)
    if (
        order_matters
    ):  # for a moment, value and day are sure; which of two hours it fell in is not worth losing them
        instants = ~table.wall & table.good & rows
        alike[instants], unpaired[instants] = clock.alike(times[instants])
    ordered = on_wall
    if alike.any():
        # Among all their neighbours, by the clock on the wall: only in their place does the order tell.
        shown, ordered = np.where(table.wall, times, clock.of(times)), table.good & rows
    told, absent, doubled = clock.instants(shown[ordered], table.steps[ordered])
    asked = on_wall | alike
    utc[asked] = told[asked[ordered]]
    table.reject(
        _spread(absent, ordered) & asked,
        Cause.NO_SUCH_TIME,
        lambda i: f"{_wall(times[i])} does not exist: the clocks went forward; {_CORRECT}",
    )
    if order_matters:
        table.reject(
            (_spread(doubled, ordered) & asked) | unpaired,
            Cause.AMBIGUOUS_TIME,
            lambda i: (
                f"{_wall(shown[i])} comes twice that day and the order does not tell which; "
                f"{'give each pass its own offset' if alike[i] else 'add an offset'}"
            ),
        )
    return utc


def _of_a_careless_clock(table: _Table, rows: Mask, times: NDArray[np.int64], clock: LocalClock) -> bool:
    """Whether the stamps are those of the clock on the wall under one offset that says nothing: the hour that this
    clock shows twice comes twice, with other values. A clock of one offset all the year does not repeat it.
    """
    series = rows & table.good
    if table.offsets is None or (table.wall & series).any():
        return False
    offsets = table.offsets[series]
    return bool((offsets == offsets[:1]).all()) and clock.repeats(
        times[series] + offsets, table.sizes[series]
    )


def _days(
    table: _Table, rows: Mask, times: NDArray[np.int64], clock: LocalClock, *, slots: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    local = np.where(table.wall, times, clock.of(times))
    off_midnight = rows & (local % DAY != 0)
    if slots and off_midnight.any() and _of_one_offset(times[rows], table.wall[rows]):
        start = times[rows] + table.slots[rows] * np.maximum(table.steps[rows], 0)
        return start, clock.of(start) // DAY
    table.reject(
        off_midnight,
        Cause.NOT_A_DAY,
        lambda i: f"a value of a civil day is dated {_wall(local[i])}, not midnight; {table.remedy(i)}",
    )
    day = local // DAY
    table.reject(
        rows & (table.ends >= 0) & (table.ends != clock.midnights(day + 1)),
        Cause.NOT_A_DAY,
        lambda i: f"a value of a civil day ends at {_utc(table.ends[i])}, not at midnight; {table.remedy(i)}",
    )
    start = clock.midnights(day[rows]) + table.slots[rows] * np.maximum(table.steps[rows], 0)
    beyond = _spread(clock.of(start) // DAY != day[rows], rows)
    table.reject(
        beyond,
        Cause.NO_SUCH_SLOT,
        lambda i: "the day has no such slot: the clocks changed, or the row is too long; leave it empty",
    )
    return start, day[rows]


def _of_one_offset(times: NDArray[np.int64], wall: Mask) -> bool:
    """Whether the days are those of one offset all the year, of 24 hours each, and not of the clock on the wall."""
    return not wall.any() and bool((times % DAY == times[0] % DAY).all())


def _reject_repeats(table: _Table, start: NDArray[np.int64]) -> None:
    """Keep the first of several values that cover the same time, whatever their steps; of two accounts that differ
    none."""
    good = np.flatnonzero(table.good)
    order = good[np.argsort(start[good], kind="stable")]
    if len(order) < 2:
        return
    begin = start[order]
    latest_end = np.maximum.accumulate(begin + table.steps[order])
    overlapping = np.flatnonzero(begin[1:] < latest_end[:-1]) + 1
    if not len(overlapping):
        return
    struck, partly = np.zeros(len(table.good), bool), np.zeros(len(table.good), bool)
    kept_by: dict[int, int] = {}
    holder, end = order[0], begin[0] + table.steps[order[0]]
    for index in order[1:]:
        if start[index] < end:
            struck[index] = True
            partly[index] = start[index] + table.steps[index] > end
            kept_by[int(index)] = int(holder)
        else:
            holder, end = index, start[index] + table.steps[index]
    contradicted: dict[int, int] = {}
    for index, kept in kept_by.items():
        if table.variant(kept) != table.variant(index) and not table.same(kept, index):
            contradicted |= {kept: index, index: kept}
    for index, kept in kept_by.items():
        if kept in contradicted:
            contradicted.setdefault(index, contradicted[kept])
    both = np.zeros(len(table.good), bool)
    both[list(contradicted)] = True
    table.reject(both, Cause.CONTRADICTED, lambda i: _contradiction(table, contradicted[i], i))
    table.reject(partly, Cause.OVERLAPPING, lambda i: _repeat(table, kept_by[i], i))
    table.reject(struck, Cause.REPEATED, lambda i: _repeat(table, kept_by[i], i))


@dataclass(frozen=True, slots=True)
class _Times:
    """When each value begins and its civil day, where `sure`."""

    start: NDArray[np.int64]
    day: NDArray[np.int64]
    sure: Mask


def _told_of(table: _Table, about: Subject, told: _Times, clock: LocalClock) -> Iterator[Quarantined]:
    """What was rejected, with the day and the time it is of: those that were settled, else what its stamp alone says."""
    if not table.rejected:
        return
    rows = np.concatenate([struck for struck, _, _ in table.rejected])
    start, day = _by_stamp(table, rows, clock)
    sure = told.sure[rows]
    start, day = np.where(sure, told.start[rows], start), np.where(sure, told.day[rows], day)
    curve = about.kind is Kind.LOAD_CURVE
    each = ((index, cause, reason) for struck, cause, reason in table.rejected for index in struck.tolist())
    for (index, cause, reason), begin, first, step in zip(
        each, start.tolist(), day.tolist(), table.steps[rows].tolist(), strict=True
    ):
        about_it = replace(
            about,
            day=date_of(first) if first >= 0 else None,
            span=(begin, begin + step) if curve and begin >= 0 and step in STEPS else None,
        )
        yield Quarantined(table.place(index), reason(index), table.raw(index), cause, about_it)


def _by_stamp(
    table: _Table, rows: NDArray[np.int64], clock: LocalClock
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When each of these rows begins, and its civil day, as far as its own stamp tells; -1 where it does not."""
    within = (table.times[rows] >= FIRST) & (table.times[rows] <= LAST)
    of_day = np.isin(table.stamp[rows], (Stamp.DAY.value, Stamp.SLOT.value))
    start, day = np.full(len(rows), -1), np.full(len(rows), -1)
    for chosen, told in ((within & of_day, _by_day), (within & ~of_day, _by_instant)):
        if chosen.any():
            start[chosen], day[chosen] = told(table, rows[chosen], clock)
    return start, day


def _by_instant(
    table: _Table, rows: NDArray[np.int64], clock: LocalClock
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A local stamp that the clock showed twice is two instants, and one that it never showed is none; the day is that
    which its readings have in common."""
    times, wall, steps = table.times[rows], table.wall[rows], table.steps[rows]
    ends = table.stamp[rows] == Stamp.END.value
    # Of an end whose step nobody can tell, the second before it is sure to be in what it covers.
    back = np.where(ends, np.where(steps > 0, steps, 1), 0)
    utc = np.where(wall, clock.instants(times, np.zeros_like(times))[0], times)
    readings = np.stack([utc + shift for shift in _SHIFTS])
    meant = np.stack([np.where(wall, clock.of(utc + shift) == times, shift == 0) for shift in _SHIFTS])
    absent = ~meant.any(axis=0)
    meant |= absent & (np.array(_SHIFTS) == 0)[:, None]
    earliest = np.where(meant, readings, 2**62).min(axis=0) - back
    latest = np.where(meant, readings, 0).max(axis=0) - back
    first, last = clock.of(earliest) // DAY, clock.of(latest) // DAY
    exact = (earliest == latest) & ~absent & (~ends | (steps > 0))
    return np.where(exact, earliest, -1), np.where(first == last, first, -1)


def _by_day(
    table: _Table, rows: NDArray[np.int64], clock: LocalClock
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A slot is of the day in which it begins; a value of a day that is none of ours, of that in which its stamp lies
    when most of the 24 hours after it lie there too."""
    times, wall = table.times[rows], table.wall[rows]
    into = table.slots[rows] * np.maximum(table.steps[rows], 0)
    local = np.where(wall, times, clock.of(times))
    day = local // DAY
    off = local % DAY != 0
    slotted = table.stamp[rows] == Stamp.SLOT.value
    start = np.where(off, np.where(wall, -1, times), clock.midnights(day)) + into
    starts_in = np.where(off & ~wall, clock.of(np.maximum(start, 0)) // DAY, day)
    most = np.where((local + DAY // 2) // DAY == day, day, -1)
    sure = np.where(slotted, starts_in, np.where(off, most, day))
    exact = slotted & ~(off & wall) & (clock.of(np.maximum(start, 0)) // DAY == sure)
    return np.where(exact, start, -1), sure


def _blocks(
    table: _Table,
    key: SeriesKey,
    day: NDArray[np.int64],
    slot: NDArray[np.int64],
    offset: NDArray[np.int64] | None,
    clock: LocalClock,
) -> "list[DayBlock]":
    blocks = []
    for step in np.unique(table.steps[table.good]):
        resolution = Resolution.of_seconds(int(step))
        chosen = np.flatnonzero(table.good & (table.steps == step))
        chosen = chosen[np.argsort(day[chosen], kind="stable")]
        begins = np.concatenate(([0], np.flatnonzero(np.diff(day[chosen])) + 1))
        days = day[chosen[begins]]
        counts = 1 if step == DAY else (clock.midnights(days + 1) - clock.midnights(days)) // step
        series = SeriesKey(key.metering_point, key.kind, key.direction, resolution, key.register)
        for rows, number, count in zip(
            np.split(chosen, begins[1:]),
            days.tolist(),
            np.broadcast_to(counts, len(days)).tolist(),
            strict=True,
        ):
            values, quality = np.zeros(count, np.int64), np.full(count, Quality.MISSING, np.uint8)
            values[slot[rows]], scale = _aligned(table.values[rows], table.scales[rows])
            quality[slot[rows]] = table.quality[rows]
            offsets = None
            if offset is not None and offset[rows].any():
                offsets = np.zeros(count, np.int32)
                offsets[slot[rows]] = offset[rows]
            blocks.append(DayBlock(series, date_of(number), values, quality, scale, offsets))
    return blocks


_CORRECT: Final = "correct the stamp"
_DATED_BY_ITSELF: Final = "if it is of a day by the clock here, date it by the day alone"
_NEGATIVE: Final = "the value is negative: measures are not; which way energy flows is the direction's to say"


def _repeat(table: _Table, kept: int, index: int) -> str:
    told = "the same value" if table.same(kept, index) else f"{table.raw(kept)}"
    what = "day" if table.steps[index] == DAY else "time"
    return (
        f"this {what} is already told by {table.place(kept)} ({told}), which is kept; remove one of the two"
    )


def _contradiction(table: _Table, other: int, index: int) -> str:
    own, told = (table.variant(i) or "no name" for i in (index, other))
    return (
        f"the file tells this time twice: here by {own}, in {table.place(other)} by {told} ({table.raw(other)}); "
        "neither is kept: ask the source for one of them"
    )


def _opposition(point: PointInfo) -> str:
    since = point.opposed_from.date().isoformat() if point.opposed_from else ""
    return (
        f"the holder of {point.id} opposes the collection of its load curve since {since}; do not deliver it"
    )


def _spread(part: Mask, of: Mask) -> Mask:
    whole = np.zeros(len(of), bool)
    whole[of] = part
    return whole


def _joined(arrays: Iterable[NDArray[np.generic]]) -> NDArray[np.int64]:
    return np.concatenate(list(arrays)).astype(np.int64)


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds and seconds % 60 == 0 else f"{seconds} s"


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _wall(seconds: int) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")
