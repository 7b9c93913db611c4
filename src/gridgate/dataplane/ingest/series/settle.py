"""One series cut into day blocks, with every check that needs the whole of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.ingest.columns import BEYOND, STEPS
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import DAY, LocalClock, date_of
from gridgate.dataplane.ingest.port import Observations
from gridgate.dataplane.ingest.series.instants import instants_of
from gridgate.dataplane.ingest.series.rejected import Times, told_of
from gridgate.dataplane.ingest.series.repeats import reject_repeats
from gridgate.dataplane.ingest.series.table import (
    CORRECT,
    Table,
    as_stamped,
    lasting,
    minutes_text,
    utc_text,
)
from gridgate.dataplane.store.checking import MAX_DECIMALS
from gridgate.dataplane.store.port import DayBlock, SeriesKey
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject

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
    table = Table([as_stamped(lasting(batch, clock), point) for batch in batches])
    first = batches[0]
    daily = first.kind is not Kind.LOAD_CURVE

    table.reject(table.negative, Cause.NEGATIVE, lambda i: _NEGATIVE)
    table.reject(table.sizes > LARGEST[first.kind], Cause.BEYOND, lambda i: BEYOND)
    if not daily:
        table.reject(~np.isin(table.steps, STEPS), Cause.STEP, table.about_step)

    start, day = instants_of(table, clock)
    timed = table.good.copy()
    table.reject(
        start > at + DAY, Cause.FUTURE, lambda i: f"{utc_text(start[i])} is still to come; {CORRECT}"
    )
    if daily:
        slot, offset = np.zeros(len(day), np.int64), start - clock.midnights(day)
    else:
        since_midnight = start - clock.midnights(day)
        slot, offset = since_midnight // np.maximum(table.steps, 1), None
        off_grid = since_midnight % np.maximum(table.steps, 1) != 0
        table.reject(
            off_grid,
            Cause.OFF_GRID,
            lambda i: (
                f"{utc_text(start[i])} is off the grid of {minutes_text(table.steps[i])} steps; {CORRECT}"
            ),
        )
        if point.opposed_from is not None:
            opposed = int(point.opposed_from.timestamp())
            table.reject(start >= opposed, Cause.OPPOSITION, lambda i: _opposition(point))
    reject_repeats(table, start if not daily else day * DAY)

    key = SeriesKey(point.id, first.kind, direction, Resolution.P1D, first.register)
    about = Subject(point.id, first.kind, direction)
    return Settled(
        list(_blocks(table, key, day, slot, offset, clock)),
        told_of(table, about, Times(start, day, timed), clock),
    )


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


def _blocks(
    table: Table,
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


_NEGATIVE: Final = "the value is negative: measures are not; which way energy flows is the direction's to say"


def _opposition(point: PointInfo) -> str:
    since = point.opposed_from.date().isoformat() if point.opposed_from else ""
    return (
        f"the holder of {point.id} opposes the collection of its load curve since {since}; do not deliver it"
    )
