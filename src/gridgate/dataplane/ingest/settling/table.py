"""The columns of all series of a file, one series after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest.columns import STEPS
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import LocalClock
from gridgate.dataplane.ingest.port import Observations, Stamp
from gridgate.dataplane.ingest.series.table import STAMPED_AT_END, lasting

Mask = NDArray[np.bool_]
Seconds = NDArray[np.int64]


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


@dataclass(slots=True)
class Table:
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
    ) -> "Table":
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

    def some(self, rows: NDArray[Any], *others: NDArray[Any] | None) -> "tuple[Table, list[Any]]":
        """Some of the rows, of the columns of the table and of others."""
        columns: list[Any] = [_some(column, rows) for column in self._columns()]
        return Table(*columns), [_some(column, rows) for column in others]

    def sorted_by(self, begin: Seconds, *others: NDArray[Any] | None) -> "tuple[Table, list[Any]]":
        """In the order of time within each series."""
        if bool(((begin[1:] >= begin[:-1]) | (self.series[1:] != self.series[:-1])).all()):
            return self, list(others)
        return self.some(np.lexsort((begin, self.series)), *others)

    def _columns(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self.__slots__)


def _some(column: NDArray[Any] | None, rows: NDArray[Any]) -> NDArray[Any] | None:
    return None if column is None else column[rows]


def _part(batch: Observations, rank_of: NDArray[np.int64], at_end: Mask, clock: LocalClock) -> Table:
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
    table = Table(
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


def _joined(parts: Sequence[Table]) -> Table:
    absent = {"scales": 0, "slots": 0, "ends": -1, "factor": 1}

    def column(name: str) -> Any:
        columns = [getattr(part, name) for part in parts]
        if all(values is None for values in columns):
            return None
        return np.concatenate(
            [
                np.full(len(part.series), absent[name], np.int64) if values is None else values
                for part, values in zip(parts, columns, strict=True)
            ]
        )

    return Table(*(column(name) for name in Table.__slots__))
