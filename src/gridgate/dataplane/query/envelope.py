"""A long curve for a narrow screen: the lowest and the highest value of each pixel column.

Nothing is dropped that a reader could look for: the yearly maximum is in its column whatever the zoom.
(Methods that pick "representative" points lose it, and a portal that checks subscribed power must not.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.time import Resolution
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import epoch, midnight


@dataclass(frozen=True, slots=True)
class Envelope:
    """Columns of equal width over `[start, end)`; `None` where nothing is known."""

    start: datetime
    end: datetime
    minimum: list[float | None]
    maximum: list[float | None]
    estimated: list[bool]
    """True when a value in the column is estimated."""
    gap: list[bool]
    """True when a part of the column has no value: a gap shows, however short."""

    def column_start(self, index: int) -> datetime:
        return self.start + (self.end - self.start) * index / len(self.minimum)


def envelope(
    segments: Sequence[Segment], *, start: datetime, end: datetime, columns: int, zone: ZoneInfo
) -> Envelope:
    """Reduce the segments to `columns` columns (at least one). A step counts in every column it touches."""
    low, width = start.timestamp(), (end - start).total_seconds() / columns
    minimum, maximum = np.full(columns, np.inf), np.full(columns, -np.inf)
    estimated, covered = np.zeros(columns, np.bool_), np.zeros(columns)
    for segment in segments:
        bounds = _bounds(segment, zone)
        values = np.array([np.nan if v is None else v for v in segment.values], np.float64)
        begin, stop = (bounds[:-1] - low) / width, (bounds[1:] - low) / width
        first, last = np.floor(begin).astype(int), np.ceil(stop).astype(int) - 1
        there = ~np.isnan(values) & (last >= 0) & (first < columns)
        first, last = np.clip(first[there], 0, columns - 1), np.clip(last[there], 0, columns - 1)
        counts = last - first + 1
        step = np.repeat(np.arange(len(counts)), counts)
        column = first[step] + np.arange(len(step)) - np.repeat(np.cumsum(counts) - counts, counts)
        np.minimum.at(minimum, column, values[there][step])
        np.maximum.at(maximum, column, values[there][step])
        np.add.at(
            covered,
            column,
            np.minimum(stop[there][step], column + 1) - np.maximum(begin[there][step], column),
        )
        unsure = np.array([word == "estimated" for word in segment.qualities()], np.bool_)[there]
        estimated[column[unsure[step]]] = True
    known = np.isfinite(minimum)
    return Envelope(
        start,
        end,
        [float(v) if k else None for v, k in zip(minimum, known, strict=True)],
        [float(v) if k else None for v, k in zip(maximum, known, strict=True)],
        estimated.tolist(),
        (covered < 1 - 1e-6).tolist(),
    )


def _bounds(segment: Segment, zone: ZoneInfo) -> NDArray[np.float64]:
    """Epoch seconds at which the steps begin, and the last one ends."""
    steps = np.arange(len(segment) + 1)
    if segment.resolution is Resolution.P1D:
        day = segment.first_day(zone)
        return np.array([midnight(day + timedelta(days=int(n)), zone) for n in steps], np.float64)
    return np.asarray(epoch(segment.start) + steps * segment.resolution.seconds, np.float64)
