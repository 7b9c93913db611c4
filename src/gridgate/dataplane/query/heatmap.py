"""A year at a glance: days across, hours down, mean power in six steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from math import floor, log10
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.time import Resolution, days_between
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import day_length, epoch, instant, midnight, next_midnight
from gridgate.dataplane.query.resample import number

STEPS = 6


@dataclass(frozen=True, slots=True)
class HeatMap:
    """`values[day][hour]` in the unit of the segments and `levels[day][hour]` from 0 to 5; None: not known.

    Hours are those of the clock on the wall: the hour that autumn repeats shows the mean of both, the hour
    that spring leaves out is None.
    """

    days: list[date]
    values: list[list[int | float | None]]
    levels: list[list[int | None]]
    top: int | float
    """End of the scale, a round number; level `n` starts at `n * top / 6`."""


def heat_map(segments: Sequence[Segment], *, start: datetime, end: datetime, zone: ZoneInfo) -> HeatMap:
    """Return the heat map of a load curve for the civil days touched by `[start, end)`.

    An hour is shown when all of it is there. Values of a whole day say nothing of hours and are left out.
    """
    days = days_between(start, end, zone)
    begin, after = midnight(days[0], zone), next_midnight(days[-1], zone)
    sums, covered = _hours(segments, begin, (after - begin) // 3600)
    values: list[list[int | float | None]] = [[None] * 24 for _ in days]
    for row, day in enumerate(days):
        first = (midnight(day, zone) - begin) // 3600
        count = day_length(day, zone) // 3600
        of_day = [sums[at] / 3600 if covered[at] == 3600 else None for at in range(first, first + count)]
        values[row] = of_day if count == 24 else _on_the_wall(of_day, begin + first * 3600, zone)
    top = round_up(max((v for day in values for v in day if v is not None), default=0))
    levels = [[None if v is None else min(STEPS - 1, int(v * STEPS / top)) for v in day] for day in values]
    return HeatMap(days, list(values), levels, top)


def _hours(segments: Sequence[Segment], begin: int, count: int) -> tuple[list[float], list[int]]:
    """For each hour from `begin`, a local midnight: power times seconds, and how many seconds have a value."""
    sums, covered = np.zeros(count), np.zeros(count)
    for segment in segments:
        step = segment.resolution.seconds
        if segment.resolution is Resolution.P1D:
            continue
        values = np.array(segment.values, np.float64)
        hours = (epoch(segment.start) - begin + np.arange(len(values)) * step) // 3600
        told = ~np.isnan(values) & (hours >= 0) & (hours < count)
        sums += np.bincount(hours[told], values[told] * step, count)
        covered += np.bincount(hours[told], minlength=count) * step
    return sums.tolist(), covered.astype(int).tolist()


def _on_the_wall(hours: Sequence[float | None], begin: int, zone: ZoneInfo) -> list[int | float | None]:
    """The 23 or 25 hours of a day by the clock on the wall."""
    told: list[list[float]] = [[] for _ in range(24)]
    for index, value in enumerate(hours):
        if value is not None:
            told[instant(begin + index * 3600).astimezone(zone).hour].append(value)
    return [sum(hour) / len(hour) if hour else None for hour in told]


def round_up(value: float) -> int | float:
    """The next round number to end a scale with: 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 or 10 times a power of ten.

    >>> round_up(237_412), round_up(50), round_up(0)
    (250000, 50, 1)
    """
    if value <= 0:
        return 1
    unit = Fraction(10) ** (floor(log10(value)) - 1)
    return next(number(tenths * unit) for tenths in _ROUND if tenths * unit >= value)


_ROUND = (10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 1000)
