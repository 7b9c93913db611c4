"""Power, step by step."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.query.days import epoch, epoch_up
from gridgate.dataplane.query.sums.parts import Integers, Parts, lie_within
from gridgate.dataplane.query.sums.rows import ATOM, kept, rows_of
from gridgate.dataplane.query.sums.tally import Days, Sums, Tally, in_halves
from gridgate.dataplane.store.port import Amounts, MeasurementStore


def sum_of_power(
    store: MeasurementStore,
    parts: Parts,
    direction: FlowDirection,
    *,
    start: datetime,
    end: datetime,
    step: Resolution,
    until: datetime,
    zone: ZoneInfo,
    groups: int = 1,
    as_of: int | None = None,
) -> Sums:
    """The mean power of each step (finer than a day) that lies in `[start, end)`.

    Finer values are averaged; coarser ones hold all through their step. Steps are counted from local midnight. What is
    missing is told up to `until`; `as_of` is of the store. Raises `StoreUnavailable`.
    """
    days = Days.touched(start, end, zone)
    begin = days.midnights[0] - (days.midnights[0] - epoch_up(start)) // step.seconds * step.seconds
    grid = _Grid(begin, step.seconds, max(0, (epoch(end) - begin) // step.seconds))
    tally = Tally(parts, days, groups, grid.count)
    present = np.zeros((groups, grid.count), np.int64)
    for chunk in rows_of(store, parts, Kind.LOAD_CURVE, direction, days, zone, as_of):
        for amounts in chunk:
            _add_power(amounts, grid, days, tally, present)
    starts = grid.begin + grid.step * np.arange(grid.count + 1)
    ended = np.searchsorted(days.midnights, starts[:-1][starts[1:] <= epoch(until)], "right") - 1
    due = np.bincount(ended, minlength=len(days))
    return tally.sums(Kind.LOAD_CURVE, starts, present, due, divisor=step.seconds)


@dataclass(frozen=True, slots=True)
class _Grid:
    begin: int
    step: int
    count: int


def _add_power(amounts: Amounts, grid: _Grid, days: Days, tally: Tally, present: Integers) -> None:
    index = days.indices(amounts.days)
    lengths = np.diff(days.midnights)[index]
    for length in np.unique(lengths).tolist() if amounts.resolution is Resolution.P1D else [0]:
        same = kept(amounts, np.flatnonzero(lengths == length)) if length else amounts
        own = length or amounts.resolution.seconds
        starts = days.midnights[days.indices(same.days)]
        said = _readable_slots(same, starts, own, tally.parts)
        _add_on_grid(same, starts, own, said, grid, days, tally, present)


def _readable_slots(amounts: Amounts, starts: Integers, own: int, parts: Parts) -> NDArray[np.bool_] | None:
    """Where there is a value that may be read; None for everywhere."""
    said = amounts.said
    spans_of = parts.which[amounts.points]
    for which in np.unique(spans_of).tolist():
        spans = parts.spans[which]
        low, high = int(starts.min()), int(starts.max()) + own * amounts.values.shape[1]
        if any(since <= low and high <= until for since, until in spans):
            continue
        rows = np.flatnonzero(spans_of == which)
        at = (starts[rows, None] + own * np.arange(amounts.values.shape[1])).ravel()
        said = np.ones(amounts.values.shape, np.bool_) if said is None else said.copy()
        said[rows] &= lie_within(spans, at, at + own).reshape(len(rows), -1)
    return said


def _add_on_grid(
    amounts: Amounts,
    starts: Integers,
    own: int,
    said: NDArray[np.bool_] | None,
    grid: _Grid,
    days: Days,
    tally: Tally,
    present: Integers,
) -> None:
    values = amounts.values if said is amounts.said or said is None else np.where(said, amounts.values, 0)
    times = 1 if grid.step % own == 0 else own // (grid.step if own % grid.step == 0 else ATOM)
    if times > 1:
        own //= times
        values = np.repeat(values, times, axis=1)
        said = None if said is None else np.repeat(said, times, axis=1)
    parts = grid.step // own
    steps = values.shape[1] // parts
    if parts > 1 and said is not None:
        said = np.all(said.reshape(-1, steps, parts), axis=2).reshape(-1, steps)
    at = (starts - grid.begin) // grid.step
    outside = (at < 0) | (at + steps > grid.count)
    order, edges, groups = _by_group_and_start(tally.group[amounts.points], at)
    place = at[order[edges[:-1]]][:, None] + np.arange(steps)
    inside = (place >= 0) & (place < grid.count)
    where = np.broadcast_to(groups[:, None], place.shape)[inside], place[inside]
    for low_values, weight in in_halves(values):
        of_step = low_values
        if parts > 1:
            of_step = low_values.reshape(-1, steps, parts).sum(axis=2, dtype=np.int64)
            if said is not None:
                of_step = np.where(said, of_step, 0)
        tally.into(amounts.scale, own * weight)[where] += _added(of_step, order, edges)[inside]
    if said is None:
        present[where] += np.broadcast_to(np.diff(edges)[:, None], place.shape)[inside]
        counted = (
            np.minimum(at + steps, grid.count) - np.maximum(at, 0)
            if outside.any()
            else np.full(len(at), steps)
        )
    else:
        present[where] += _added(said, order, edges)[inside]
        if outside.any():
            each = at[:, None] + np.arange(steps)
            said = said & (each >= 0) & (each < grid.count)
        counted = said.sum(axis=1)
    tally.given[amounts.points, days.indices(amounts.days)] += np.maximum(counted, 0).astype(np.int32)


def _by_group_and_start(groups: Integers, at: Integers) -> tuple[Integers, Integers, Integers]:
    """Rows in the order of group and start; where each new one of the two begins, with the end; the groups of those."""
    order = np.lexsort((at, groups))
    of_group, of_at = groups[order], at[order]
    new = np.flatnonzero((of_group[1:] != of_group[:-1]) | (of_at[1:] != of_at[:-1])) + 1
    edges = np.concatenate(([0], new, [len(order)]))
    return order, edges, of_group[edges[:-1]]


def _added(rows: NDArray[np.generic], order: Integers, edges: Integers) -> Integers:
    """The sums of rows from each edge to the next."""
    if len(edges) - 1 == len(order):
        return rows[order].astype(np.int64)
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return np.array([rows[order[low:high]].sum(axis=0, dtype=np.int64) for low, high in pairs])
