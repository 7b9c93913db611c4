"""A year at a glance: days across, hours down, mean power in six steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from math import floor, log10
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution, days_between
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import epoch, instant
from gridgate.dataplane.query.resample import number, resample

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
    place = {day: index for index, day in enumerate(days)}
    sums: list[list[list[int | float]]] = [[[] for _ in range(24)] for _ in days]
    for segment in resample(segments, Resolution.PT60M, kind=Kind.LOAD_CURVE, zone=zone):
        if segment.resolution is Resolution.P1D:
            continue
        begin = epoch(segment.start)
        for index, value in enumerate(segment.values):
            if value is not None:
                local = instant(begin + index * 3600).astimezone(zone)
                if (row := place.get(local.date())) is not None:
                    sums[row][local.hour].append(value)
    values = [[sum(hour) / len(hour) if hour else None for hour in day] for day in sums]
    top = round_up(max((v for day in values for v in day if v is not None), default=0))
    levels = [[None if v is None else min(STEPS - 1, int(v * STEPS / top)) for v in day] for day in values]
    return HeatMap(days, list(values), levels, top)


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
