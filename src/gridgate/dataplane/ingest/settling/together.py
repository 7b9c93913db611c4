"""All series cut into days together, but for those in doubt, which are looked at one by one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.ingest.columns import STEPS
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import DAY, LocalClock
from gridgate.dataplane.ingest.port import Observations
from gridgate.dataplane.ingest.series.settle import LARGEST, ROOM, settle
from gridgate.dataplane.ingest.settling.instants import Doubt, instants_of
from gridgate.dataplane.ingest.settling.table import Mask, Seconds, Series, Share, Table
from gridgate.dataplane.store.checking import MAX_DECIMALS
from gridgate.dataplane.store.days import Days
from gridgate.dataplane.store.port import SeriesKey
from gridgate.dataplane.store.quarantine import Quarantined

AT_ONCE: Final = 150_000
"""Rows that are settled together, about."""
_MISSING: Final = int(Quality.MISSING)
_LARGEST_SHIFT: Final = 18
Tell = Callable[[Iterable[Quarantined]], None]


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
    table = Table.of(batches, list(by_series.values()), clock)

    def doubt(mask: Mask) -> None:
        odd[table.series[mask]] = True

    curve = np.array([key.kind is Kind.LOAD_CURVE for key in series])[table.series]
    _doubt_values(table, series, curve, doubt)
    start, day = instants_of(table, clock, doubt)
    doubt(start > at + DAY)
    doubt(curve & (start >= np.array([_opposed_from(key.point) for key in series])[table.series]))
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


def _opposed_from(point: PointInfo) -> int:
    return 2**62 if point.opposed_from is None else int(point.opposed_from.timestamp())


def _doubt_values(table: Table, series: Sequence[Series], curve: Mask, doubt: Doubt) -> None:
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
    largest = np.array([LARGEST[key.kind] for key in series])
    doubt(sizes > largest[table.series])
    doubt(curve & ~np.isin(table.steps, STEPS))


def _days(
    table: Table,
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
        key = shares[0].series
        settled = settle(
            [rows.of(batch, [share.group for share in of]) for batch, of in groupby(shares, _batch)],
            key.direction,
            key.point,
            clock,
            at=at,
        )
        blocks += settled.blocks
        tell(settled.quarantined)
    whole = days.and_others(Days.of(blocks))
    if not len(whole):
        return whole
    number = {
        (key.point.id, key.kind, key.direction, key.register): place for place, key in enumerate(series)
    }
    place = np.array(
        [
            number[stored.metering_point, stored.kind, stored.direction, stored.register]
            for stored in whole.keys
        ]
    )
    steps = np.array([stored.resolution.seconds for stored in whole.keys])
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
