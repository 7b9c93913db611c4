"""What is told of values that were struck out: the day and the time they are of, as far as those are sure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest.columns import STEPS
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import DAY, FIRST, LAST, LocalClock, date_of
from gridgate.dataplane.ingest.port import Observations, Stamp
from gridgate.dataplane.ingest.series.table import Mask, Table, as_stamped, lasting
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject

_SHIFTS: Final = (-3600, -1800, 0, 1800, 3600)
"""From one reading of a local stamp to the other: by so much clocks change."""


def set_aside(
    batch: Observations, about: Subject, why: Sequence[tuple[Cause, str]], clock: LocalClock, point: PointInfo
) -> Iterator[Quarantined]:
    """All values of a batch, none of which can be taken, each with its day as far as its stamp tells it. `why` is of
    each."""
    table = Table([as_stamped(lasting(batch, clock), point)])
    for cause in dict.fromkeys(cause for cause, _ in why):
        of_cause = np.array([index for index, one in enumerate(why) if one[0] is cause])
        table.rejected.append((of_cause, cause, lambda i: why[i][1]))
    nothing = np.zeros(len(batch), np.int64)
    return told_of(table, about, Times(nothing, nothing, np.zeros(len(batch), bool)), clock)


@dataclass(frozen=True, slots=True)
class Times:
    """When each value begins and its civil day, where `sure`."""

    start: NDArray[np.int64]
    day: NDArray[np.int64]
    sure: Mask


def told_of(table: Table, about: Subject, told: Times, clock: LocalClock) -> Iterator[Quarantined]:
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
    table: Table, rows: NDArray[np.int64], clock: LocalClock
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
    table: Table, rows: NDArray[np.int64], clock: LocalClock
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
    table: Table, rows: NDArray[np.int64], clock: LocalClock
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
