"""Several values for one stretch of time, of which one is kept, or none."""

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.ingest.local_time import DAY
from gridgate.dataplane.ingest.series.table import Table
from gridgate.dataplane.store.quarantine import Cause


def reject_repeats(table: Table, start: NDArray[np.int64]) -> None:
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


def _repeat(table: Table, kept: int, index: int) -> str:
    told = "the same value" if table.same(kept, index) else f"{table.raw(kept)}"
    what = "day" if table.steps[index] == DAY else "time"
    return (
        f"this {what} is already told by {table.place(kept)} ({told}), which is kept; remove one of the two"
    )


def _contradiction(table: Table, other: int, index: int) -> str:
    own, told = (table.variant(i) or "no name" for i in (index, other))
    return (
        f"the file tells this time twice: here by {own}, in {table.place(other)} by {told} ({table.raw(other)}); "
        "neither is kept: ask the source for one of them"
    )
