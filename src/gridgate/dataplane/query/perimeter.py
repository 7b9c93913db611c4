"""The load of many points at once, summed with NumPy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Quality
from gridgate.core.time import Resolution, civil_day_of
from gridgate.dataplane.query.assemble import Piece, pieces_of_day
from gridgate.dataplane.query.days import epoch, epoch_up, instant, midnight
from gridgate.dataplane.store.checking import rescaled
from gridgate.dataplane.store.port import DayBlock

_ATOM = Resolution.PT5M.seconds


@dataclass(frozen=True, slots=True)
class PerimeterLoad:
    """Mean power of all points together, step by step, and how many points each step has."""

    start: datetime
    resolution: Resolution
    power: NDArray[np.float64]
    """W; of the points that have a value. NaN where none has."""
    points: NDArray[np.int32]

    @property
    def energy_wh(self) -> float:
        return float(np.nansum(self.power)) * self.resolution.seconds / 3600


def perimeter_load(
    blocks: Iterable[DayBlock],
    *,
    start: datetime,
    end: datetime,
    resolution: Resolution,
    zone: ZoneInfo,
) -> PerimeterLoad:
    """Sum load curves over `[start, end)` at `resolution` (finer than a day).

    `blocks` come from `read_many` or `scan`: those of one point and day lie side by side. Finer values are
    averaged, and count when every part is there; coarser ones hold all through their step. Steps are counted
    from `start`, which must begin one: a local midnight does.
    """
    step = resolution.seconds
    day_start = midnight(civil_day_of(start, zone), zone)
    begin = day_start - (day_start - epoch_up(start)) // step * step
    count = max(0, (epoch(end) - begin) // step)
    sums: dict[int, NDArray[np.int64]] = {}
    points = np.zeros(count, np.int32)
    grid = _Grid(begin, step, count)
    for (_, day), same in groupby(blocks, key=lambda b: (b.key.metering_point, b.day)):
        of_day = list(same)
        if len(of_day) == 1 and _fast(of_day[0], step):
            piece = pieces_of_day(of_day, day, zone)
        else:
            piece = _on_atoms(pieces_of_day(of_day, day, zone), zone)
        for part in piece:
            _add(part, grid, sums, points)
    power = np.zeros(count)
    for scale, total in sums.items():
        power += total * (10.0**scale / step)
    power[points == 0] = np.nan
    return PerimeterLoad(instant(begin), resolution, power, points)


@dataclass(frozen=True, slots=True)
class _Grid:
    begin: int
    step: int
    count: int


def _fast(block: DayBlock, step: int) -> bool:
    return block.key.resolution is not Resolution.P1D and step % block.key.resolution.seconds == 0


def _on_atoms(pieces: Sequence[Piece], zone: ZoneInfo) -> list[Piece]:
    """The pieces of one day as one of five-minute steps: the form in which any steps can be put together."""
    if not pieces:
        return []
    begin = midnight(civil_day_of(instant(pieces[0].start), zone), zone)
    count = (pieces[-1].end - begin) // _ATOM
    scale = min(p.scale for p in pieces)
    values, quality = np.zeros(count, np.int64), np.full(count, Quality.MISSING, np.uint8)
    for piece in pieces:
        times = (piece.end - piece.start) // len(piece.values) // _ATOM
        low = (piece.start - begin) // _ATOM
        high = low + times * len(piece.values)
        values[low:high] = np.repeat(rescaled(piece.values, piece.scale, scale), times)
        quality[low:high] = np.repeat(piece.quality, times)
    return [Piece(begin, pieces[-1].end, Resolution.PT5M, scale, values, quality, None)]


def _add(piece: Piece, grid: _Grid, sums: dict[int, NDArray[np.int64]], points: NDArray[np.int32]) -> None:
    own = (piece.end - piece.start) // len(piece.values)
    parts = grid.step // own
    # Whole steps of the grid that lie in the piece and in the interval.
    first = max(0, -((grid.begin - piece.start) // grid.step))
    last = min(grid.count, (piece.end - grid.begin) // grid.step)
    if first >= last:
        return
    low = (grid.begin + first * grid.step - piece.start) // own
    high = low + (last - first) * parts
    total = piece.values[low:high].reshape(-1, parts).sum(axis=1) * own
    if piece.scale not in sums:
        sums[piece.scale] = np.zeros(grid.count, np.int64)
    quality = piece.quality[low:high]
    if not quality.any():
        sums[piece.scale][first:last] += total
        points[first:last] += 1
        return
    there = (quality != Quality.MISSING).reshape(-1, parts).all(axis=1)
    sums[piece.scale][first:last] += np.where(there, total, 0)
    points[first:last] += there
