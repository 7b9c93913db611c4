"""At which instant each value begins, and of which civil day it is."""

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.ingest.local_time import DAY, FIRST, LAST, LocalClock
from gridgate.dataplane.ingest.port import Stamp
from gridgate.dataplane.ingest.series.table import CORRECT, Mask, Table, utc_text, wall_text
from gridgate.dataplane.store.quarantine import Cause


def instants_of(table: Table, clock: LocalClock) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The instant at which each value begins (or was observed), and its civil day."""
    table.reject(
        (table.times < FIRST) | (table.times > LAST),
        Cause.OUT_OF_RANGE,
        lambda i: f"the stamp is not between 1970 and 2099; {CORRECT}",
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
    table: Table, rows: Mask, times: NDArray[np.int64], clock: LocalClock, *, order_matters: bool
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
    read_by_order = on_wall | alike
    utc[read_by_order] = told[read_by_order[ordered]]
    table.reject(
        _spread(absent, ordered) & read_by_order,
        Cause.NO_SUCH_TIME,
        lambda i: f"{wall_text(times[i])} does not exist: the clocks went forward; {CORRECT}",
    )
    if order_matters:
        table.reject(
            (_spread(doubled, ordered) & read_by_order) | unpaired,
            Cause.AMBIGUOUS_TIME,
            lambda i: (
                f"{wall_text(shown[i])} comes twice that day and the order does not tell which; "
                f"{'give each pass its own offset' if alike[i] else 'add an offset'}"
            ),
        )
    return utc


def _of_a_careless_clock(table: Table, rows: Mask, times: NDArray[np.int64], clock: LocalClock) -> bool:
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
    table: Table, rows: Mask, times: NDArray[np.int64], clock: LocalClock, *, slots: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    local = np.where(table.wall, times, clock.of(times))
    off_midnight = rows & (local % DAY != 0)
    if slots and off_midnight.any() and _of_one_offset(times[rows], table.wall[rows]):
        start = times[rows] + table.slots[rows] * np.maximum(table.steps[rows], 0)
        return start, clock.of(start) // DAY
    table.reject(
        off_midnight,
        Cause.NOT_A_DAY,
        lambda i: f"a value of a civil day is dated {wall_text(local[i])}, not midnight; {table.remedy(i)}",
    )
    day = local // DAY
    table.reject(
        rows & (table.ends >= 0) & (table.ends != clock.midnights(day + 1)),
        Cause.NOT_A_DAY,
        lambda i: (
            f"a value of a civil day ends at {utc_text(table.ends[i])}, not at midnight; {table.remedy(i)}"
        ),
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


def _spread(part: Mask, of: Mask) -> Mask:
    whole = np.zeros(len(of), bool)
    whole[of] = part
    return whole
