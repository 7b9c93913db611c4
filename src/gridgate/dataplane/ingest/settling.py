"""All series of a file at once, from observations to days: what `series` does for one, where nothing is amiss with it.

A series of which a value cannot be taken, or whose stamps only its own order can tell apart, is left to `settle`, which
goes through it check by check and says why. All the others, which is nearly all, are cut into days together.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.ingest.columns import STEPS
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import DAY, FIRST, LAST, LocalClock
from gridgate.dataplane.ingest.port import Observations, Stamp
from gridgate.dataplane.ingest.series.settle import LARGEST, ROOM, settle
from gridgate.dataplane.ingest.series.table import STAMPED_AT_END, lasting
from gridgate.dataplane.store.checking import MAX_DECIMALS
from gridgate.dataplane.store.days import Days
from gridgate.dataplane.store.port import Quarantined, SeriesKey

AT_ONCE: Final = 150_000
"""Rows that are settled together, about."""
_OF_DAYS: Final = (Stamp.DAY, Stamp.SLOT)
_MISSING: Final = int(Quality.MISSING)
_LARGEST_SHIFT: Final = 18

Mask = NDArray[np.bool_]
Seconds = NDArray[np.int64]
Doubt = Callable[[Mask], None]
Tell = Callable[[Iterable[Quarantined]], None]


@dataclass(frozen=True, slots=True)
class Series:
    """What values are of, all told."""

    point: PointInfo
    kind: Kind
    direction: FlowDirection
    register: str


@dataclass(frozen=True, slots=True)
class Share:
    """A group of a batch, by their places, which is of one series."""

    batch: int
    group: int
    series: Series


def settle_all(
    batches: Sequence[Observations], shares: Sequence[Share], clock: LocalClock, *, at: int, tell: Tell
) -> Days:
    """Cut into days what the `shares` have of the batches, and tell what is set aside, series by series as they come
    first. `at` is the present, in epoch seconds."""
    if not shares:
        return Days.of([])
    by_series: dict[Series, list[Share]] = {}
    for share in shares:
        by_series.setdefault(share.series, []).append(share)
    return Days.joined(
        [_settle_some(batches, some, clock, at=at, tell=tell) for some in _in_turn(batches, by_series)]
    )


def _in_turn(
    batches: Sequence[Observations], by_series: dict[Series, list[Share]]
) -> Iterator[dict[Series, list[Share]]]:
    """The series, as many at a time as have so many rows that all that is made of them on the way is small beside the
    batches."""
    sizes = [np.bincount(batch.groups.of) if batch.groups is not None else [len(batch)] for batch in batches]
    some: dict[Series, list[Share]] = {}
    rows = 0
    for series, shares in by_series.items():
        some[series] = shares
        rows += sum(int(sizes[share.batch][share.group]) for share in shares)
        if rows >= AT_ONCE:
            yield some
            some, rows = {}, 0
    if some:
        yield some


def _settle_some(
    batches: Sequence[Observations],
    by_series: dict[Series, list[Share]],
    clock: LocalClock,
    *,
    at: int,
    tell: Tell,
) -> Days:
    series = list(by_series)
    odd = np.zeros(len(series), bool)
    table = _Table.of(batches, list(by_series.values()), clock)

    def doubt(mask: Mask) -> None:
        odd[table.series[mask]] = True

    curve = np.array([one.kind is Kind.LOAD_CURVE for one in series])[table.series]
    _doubt_values(table, series, curve, doubt)
    start, day = _instants(table, clock, doubt)
    doubt(start > at + DAY)
    doubt(curve & (start >= np.array([_opposed_from(one.point) for one in series])[table.series]))
    since = start - clock.midnights(day)
    step = np.maximum(table.steps, 1)
    slot = np.where(curve, since // step, 0)
    doubt(curve & (slot * step != since))
    begin = np.where(curve, start, day * DAY)
    offset = None if curve.all() else np.where(curve, 0, since)
    table, (day, slot, begin, offset) = table.sorted_by(begin, day, slot, begin, offset)
    overlapping = begin[1:] < (begin + table.steps)[:-1]
    doubt(np.concatenate(([False], overlapping & (table.series[1:] == table.series[:-1]))))

    if not odd.any():
        return _days(table, series, day, slot, offset, clock)
    plain = ~odd[table.series]
    table, (day, slot, offset) = table.some(plain, day, slot, offset)
    days = _days(table, series, day, slot, offset, clock)
    one_by_one = [list(by_series.values())[number] for number in np.flatnonzero(odd).tolist()]
    return _with_odd(days, one_by_one, batches, series, clock, at, tell)


@dataclass(slots=True)
class _Table:
    """The columns of all series, one series after the other, each as its shares come and in the order of the file."""

    series: NDArray[np.int64]
    stamp: NDArray[np.uint8]
    times: Seconds
    wall: Mask
    steps: Seconds
    values: NDArray[np.int64]
    scales: NDArray[np.int64] | None
    """None where all are 0."""
    quality: NDArray[np.uint8]
    slots: NDArray[np.int64] | None
    ends: Seconds | None
    factor: NDArray[np.int64] | None
    """What a value was multiplied with to make a mean power of an energy; None where nothing was."""

    @classmethod
    def of(
        cls, batches: Sequence[Observations], by_series: Sequence[Sequence[Share]], clock: LocalClock
    ) -> "_Table":
        ranks = [np.full(1 if b.groups is None else len(b.groups.meters), -1) for b in batches]
        at_end = [np.zeros(len(rank), bool) for rank in ranks]
        series: list[int] = []
        for number, shares in enumerate(by_series):
            for share in shares:
                ranks[share.batch][share.group] = len(series)
                at_end[share.batch][share.group] = share.series.point.segment in STAMPED_AT_END
                series.append(number)
        parts = [
            _part(batch, rank, ends, clock)
            for batch, rank, ends in zip(batches, ranks, at_end, strict=True)
            if (rank >= 0).any()
        ]
        table = parts[0] if len(parts) == 1 else _joined(parts)
        if not bool((table.series[1:] >= table.series[:-1]).all()):
            table, _ = table.some(np.argsort(table.series, kind="stable"))
        table.series = np.array(series, np.int64)[table.series]
        return table

    def some(self, rows: NDArray[Any], *others: NDArray[Any] | None) -> "tuple[_Table, list[Any]]":
        """Some of the rows, of the columns of the table and of others."""
        columns: list[Any] = [_some(column, rows) for column in self._columns()]
        return _Table(*columns), [_some(column, rows) for column in others]

    def sorted_by(self, begin: Seconds, *others: NDArray[Any] | None) -> "tuple[_Table, list[Any]]":
        """In the order of time within each series."""
        if bool(((begin[1:] >= begin[:-1]) | (self.series[1:] != self.series[:-1])).all()):
            return self, list(others)
        return self.some(np.lexsort((begin, self.series)), *others)

    def _columns(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self.__slots__)


def _some(column: NDArray[Any] | None, rows: NDArray[Any]) -> NDArray[Any] | None:
    return None if column is None else column[rows]


def _part(batch: Observations, rank_of: NDArray[np.int64], at_end: Mask, clock: LocalClock) -> _Table:
    """What a batch gives to the table; `series` is yet the rank of the share."""
    group = np.zeros(len(batch), np.int64) if batch.groups is None else batch.groups.of
    rank = rank_of[group]
    batch = lasting(batch, clock)
    stamp = np.full(len(batch), batch.stamp.value, np.uint8)
    steps = batch.steps
    if batch.stamp is Stamp.BY_SEGMENT:
        ends = at_end[group]
        stamp = np.where(ends, Stamp.END.value, Stamp.START.value).astype(np.uint8)
        if batch.steps_of_ends is not None:
            steps = np.where(ends, batch.steps_of_ends, steps)
    factor = np.where(np.isin(steps, STEPS), 3600 // np.maximum(steps, 1), 1) if batch.energy else None
    scales = batch.scales
    table = _Table(
        rank,
        stamp,
        batch.times,
        batch.wall,
        steps,
        batch.values,
        scales if scales.any() else None,
        batch.quality,
        None if batch.slots is None else batch.slots.astype(np.int64),
        batch.ends,
        factor,
    )
    if (rank >= 0).all():
        return table
    return table.some(rank >= 0)[0]


def _joined(parts: Sequence[_Table]) -> _Table:
    absent = {"scales": 0, "slots": 0, "ends": -1, "factor": 1}

    def column(name: str) -> Any:
        columns = [getattr(part, name) for part in parts]
        if all(one is None for one in columns):
            return None
        return np.concatenate(
            [
                np.full(len(part.series), absent[name], np.int64) if one is None else one
                for part, one in zip(parts, columns, strict=True)
            ]
        )

    return _Table(*(column(name) for name in _Table.__slots__))


def _opposed_from(point: PointInfo) -> int:
    return 2**62 if point.opposed_from is None else int(point.opposed_from.timestamp())


def _doubt_values(table: _Table, series: Sequence[Series], curve: Mask, doubt: Doubt) -> None:
    """Series of which a value is negative or absurd, of no step of ours, or not to be brought to the scale of the others
    without rounding; the values become mean powers."""
    doubt(table.values < 0)
    sizes = table.values.astype(np.float64)
    if table.factor is not None:
        sizes *= table.factor
        table.values = table.values * table.factor
    if table.scales is not None:
        sizes *= 10.0 ** np.clip(table.scales, -300, 200)
        finest = np.zeros(len(series), np.int64)
        np.minimum.at(finest, table.series, table.scales)
        doubt(table.scales < -MAX_DECIMALS)
        doubt(sizes * 10.0 ** -np.clip(finest, -MAX_DECIMALS, 0)[table.series] > ROOM)
    largest = np.array([LARGEST[one.kind] for one in series])
    doubt(sizes > largest[table.series])
    doubt(curve & ~np.isin(table.steps, STEPS))


def _instants(table: _Table, clock: LocalClock, doubt: Doubt) -> tuple[Seconds, Seconds]:
    """The instant at which each value begins (or was observed), and its civil day."""
    doubt((table.times < FIRST) | (table.times > LAST))
    times = np.clip(table.times, FIRST, LAST)
    stamps = np.unique(table.stamp).tolist()
    of_days = np.isin(table.stamp, [stamp.value for stamp in _OF_DAYS])
    utc = times
    if table.wall.any():
        utc = np.where(table.wall, _by_the_wall(table, times, clock, ~of_days, doubt), times)
    if Stamp.END.value in stamps:
        utc = np.where(table.stamp == Stamp.END.value, utc - table.steps, utc)
    start, day = utc, clock.of(utc) // DAY
    if of_days.any():
        local = np.where(table.wall, times, clock.of(times))
        doubt(of_days & (local % DAY != 0))
        day = np.where(of_days, local // DAY, day)
        if table.ends is not None:
            doubt(of_days & (table.ends >= 0) & (table.ends != clock.midnights(day + 1)))
        slots = 0 if table.slots is None else table.slots
        begun = clock.midnights(day) + slots * np.maximum(table.steps, 0)
        doubt(of_days & (clock.of(begun) // DAY != day))
        start = np.where(of_days, begun, start)
    return start, day


def _by_the_wall(table: _Table, times: Seconds, clock: LocalClock, timed: Mask, doubt: Doubt) -> Seconds:
    """The instants that local stamps mean. An hour that the clock shows twice is told apart here where a series has it
    twice in a row, in the order of time; where not, `settle` looks closer."""
    utc, absent, doubled = clock.readings(times)
    doubt(absent & table.wall & timed)
    for change in doubled:
        rows = np.flatnonzero(change.mask & table.wall & timed)
        if not len(rows):
            continue
        series = table.series[rows]
        begins = np.flatnonzero(np.diff(series, prepend=-1))
        counts = np.diff(begins, append=len(rows))
        told = series[begins]
        first_row = np.searchsorted(table.series, told)
        last_row = np.searchsorted(table.series, told, side="right") - 1
        in_a_row = rows[begins + counts - 1] - rows[begins] == counts - 1
        upwards = times[first_row] <= times[last_row]
        again = np.concatenate(([False], (times[rows][1:] <= times[rows][:-1]) & (series[1:] == series[:-1])))
        turns = np.add.reduceat(again, begins, dtype=np.int64)
        alike = _alike(table, first_row, last_row)
        clear = in_a_row & upwards & (turns == 1) & alike
        unclear = np.zeros(len(times), bool)
        unclear[rows] = np.repeat(~clear, counts)
        doubt(unclear)
        passed = np.cumsum(again)
        second = passed > np.repeat(passed[begins], counts)
        utc[rows[second]] = times[rows[second]] - change.after
    return utc


def _alike(table: _Table, first: NDArray[np.intp], last: NDArray[np.intp]) -> Mask:
    """Whether all stamps of a series are of the clock on the wall, and mean the same, and of a time that order tells."""
    other = np.cumsum(
        np.concatenate(([False], (table.stamp[1:] != table.stamp[:-1]) | (table.wall[1:] != table.wall[:-1])))
    )
    ordered = np.isin(table.stamp[first], (Stamp.START.value, Stamp.END.value))
    alike: Mask = (other[last] == other[first]) & table.wall[first] & ordered
    return alike


def _days(
    table: _Table,
    series: Sequence[Series],
    day: NDArray[np.int64],
    slot: NDArray[np.int64],
    offset: Seconds | None,
    clock: LocalClock,
) -> Days:
    """The blocks of series with which nothing is amiss: by series, step and day."""
    if not len(day):
        return Days.of([])
    code = (table.series << 17) + table.steps  # a step is a day at most
    if bool((code[1:] < code[:-1]).any()):
        table, (code, day, slot, offset) = table.some(np.lexsort((day, code)), code, day, slot, offset)
    begins = np.flatnonzero(np.concatenate(([True], (code[1:] != code[:-1]) | (day[1:] != day[:-1]))))
    of_block, days, steps = table.series[begins], day[begins], table.steps[begins]
    slots = (clock.midnights(days + 1) - clock.midnights(days)) // steps
    slots = np.where(steps == DAY, 1, slots)
    bounds = np.concatenate(([0], np.cumsum(slots)))
    place = np.repeat(bounds[:-1], np.diff(begins, append=len(day))) + slot
    scale = np.zeros(len(begins), np.int64)
    values = table.values
    if table.scales is not None:
        scale = np.minimum(np.minimum.reduceat(table.scales, begins), 0)
        shift = table.scales - np.repeat(scale, np.diff(begins, append=len(day)))
        values = values * 10 ** np.clip(shift, 0, _LARGEST_SHIFT)
    laid, quality = np.zeros(bounds[-1], np.int64), np.full(bounds[-1], _MISSING, np.uint8)
    laid[place], quality[place] = values, table.quality
    offsets = None
    if offset is not None and offset.any():
        offsets = np.zeros(bounds[-1], np.int32)
        offsets[place] = offset
    keyed, of_key = np.unique((of_block << 17) + steps, return_inverse=True)
    keys = [_key(series[code >> 17], code & (2**17 - 1)) for code in keyed.tolist()]
    return Days(keys, of_key, days, bounds, laid, quality, scale, offsets)


def _key(series: Series, seconds: int) -> SeriesKey:
    return SeriesKey(
        series.point.id, series.kind, series.direction, Resolution.of_seconds(seconds), series.register
    )


def _with_odd(
    days: Days,
    odd: Sequence[Sequence[Share]],
    batches: Sequence[Observations],
    series: Sequence[Series],
    clock: LocalClock,
    at: int,
    tell: Tell,
) -> Days:
    """The days of those series too that are looked at one by one, in their place among the others."""
    blocks = []
    rows = Rows(batches)
    for shares in odd:
        one = shares[0].series
        settled = settle(
            [rows.of(batch, [share.group for share in of]) for batch, of in groupby(shares, _batch)],
            one.direction,
            one.point,
            clock,
            at=at,
        )
        blocks += settled.blocks
        tell(settled.quarantined)
    whole = days.and_others(Days.of(blocks))
    if not len(whole):
        return whole
    number = {
        (one.point.id, one.kind, one.direction, one.register): place for place, one in enumerate(series)
    }
    place = np.array(
        [number[key.metering_point, key.kind, key.direction, key.register] for key in whole.keys]
    )
    steps = np.array([key.resolution.seconds for key in whole.keys])
    return whole.some(np.lexsort((whole.day, steps[whole.series], place[whole.series])))


_batch = attrgetter("batch")


class Rows:
    """The rows of groups of one meter, as a batch of it; a batch is sorted once for all."""

    def __init__(self, batches: Sequence[Observations]) -> None:
        self._batches = batches
        self._rows: dict[int, dict[int, NDArray[np.int64]]] = {}

    def of(self, batch: int, groups: Sequence[int]) -> Observations:
        """The rows of some groups of a batch, one group after the other, as those of the first."""
        if batch not in self._rows:
            self._rows[batch] = dict(self._batches[batch].by_group())
        rows = [self._rows[batch][group] for group in groups]
        return self._batches[batch].single(groups[0], rows[0] if len(rows) == 1 else np.concatenate(rows))
