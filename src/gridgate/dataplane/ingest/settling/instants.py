"""At which instants the values of all series begin, and which series are in doubt."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.ingest.local_time import DAY, FIRST, LAST, LocalClock
from gridgate.dataplane.ingest.port import Stamp
from gridgate.dataplane.ingest.settling.table import Mask, Seconds, Table

_OF_DAYS: Final = (Stamp.DAY, Stamp.SLOT)
Doubt = Callable[[Mask], None]


def instants_of(table: Table, clock: LocalClock, doubt: Doubt) -> tuple[Seconds, Seconds]:
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


def _by_the_wall(table: Table, times: Seconds, clock: LocalClock, timed: Mask, doubt: Doubt) -> Seconds:
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


def _alike(table: Table, first: NDArray[np.intp], last: NDArray[np.intp]) -> Mask:
    """Whether all stamps of a series are of the clock on the wall, and mean the same, and of a time that order tells."""
    other = np.cumsum(
        np.concatenate(([False], (table.stamp[1:] != table.stamp[:-1]) | (table.wall[1:] != table.wall[:-1])))
    )
    ordered = np.isin(table.stamp[first], (Stamp.START.value, Stamp.END.value))
    alike: Mask = (other[last] == other[first]) & table.wall[first] & ordered
    return alike
