"""Two years of curves: standard load profiles of the BDEW (2025 revision), shaped, made noisy, and cut into day blocks.

Everything is drawn from a generator seeded by the point's identifier, so that the same date gives the same world.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pandas as pd
from demandlib.bdew import G25, H25, L25
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution, civil_day_bounds
from gridgate.dataplane.store.port import DayBlock, SeriesKey
from gridgate.demo.cast import Point

FINEST = 300
POWER_FACTOR = 0.93

Watts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The civil days of the world, with the five-minute slot at which each starts."""

    days: list[date]
    first_slot: NDArray[np.int64]
    index: pd.DatetimeIndex
    zone: ZoneInfo

    @classmethod
    def between(cls, first: date, last: date, zone: ZoneInfo) -> "Calendar":
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        starts = [civil_day_bounds(day, zone).start for day in [*days, last + timedelta(days=1)]]
        slots = np.array(
            [int((start - starts[0]).total_seconds()) // FINEST for start in starts], dtype=np.int64
        )
        index = pd.date_range(starts[0], starts[-1], freq="15min", inclusive="left").tz_convert(str(zone))
        return cls(days, slots, index, zone)


class Profiles:
    """The standard profiles over the calendar, each of mean 1, by the quarter of an hour."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        years = sorted({day.year for day in calendar.days})
        closed = list(holidays.country_holidays("FR", years=years))
        shapes = {"office": G25, "home": H25, "farm": L25}
        self.standard = {
            name: _unit(np.asarray(shape(calendar.index, holidays=closed), dtype=np.float64))
            for name, shape in shapes.items()
        }
        local = calendar.index
        self.hour = np.asarray(local.hour + local.minute / 60, dtype=np.float64)
        free = {pd.Timestamp(day).date() for day in closed}
        self.working = np.asarray((local.dayofweek < 5) & ~np.isin(local.date, list(free)))
        self.summer_break = np.asarray((local.month == 8) & (local.day <= 21))
        self.day_of_year = np.asarray(local.dayofyear, dtype=np.float64)

    def shape(self, name: str) -> Watts:
        hour, season = self.hour, np.cos(2 * np.pi * (self.day_of_year - 15) / 365)
        match name:
            case "factory":
                shift = self.working & (hour >= 6) & (hour < 19) & ~self.summer_break
                pause = (hour >= 12) & (hour < 13)
                return _unit(
                    0.3
                    + 1.0 * shift * np.where(pause, 0.75, 1.0) * (1 + 0.06 * season)
                    + 0.15 * self.standard["office"]
                )
            case "cold":
                return _unit(
                    1 - 0.25 * season + 0.12 * np.sin(2 * np.pi * hour * 1.5) + 0.1 * self.standard["office"]
                )
            case "charging":
                return _unit(
                    0.08
                    + self.working * np.exp(-((hour - 9.5) ** 2) / 3)
                    + 0.6 * np.exp(-((hour - 20.5) ** 2) / 5)
                )
            case _:
                return self.standard[name]

    def sun(self) -> Watts:
        """Clear-sky output of a south-facing roof near 46° N, as a fraction of its peak power."""
        declination = np.radians(23.45) * np.sin(2 * np.pi * (self.day_of_year - 81) / 365)
        offset = np.asarray([stamp.utcoffset().total_seconds() / 3600 for stamp in self.calendar.index[::96]])
        solar_hour = self.hour - np.repeat(offset, 96)[: len(self.hour)] + 0.3
        angle = np.radians(15 * (solar_hour - 12))
        height = np.sin(np.radians(46)) * np.sin(declination) + np.cos(np.radians(46)) * np.cos(
            declination
        ) * np.cos(angle)
        clear: Watts = np.clip(height, 0, None) ** 1.15 * 0.86
        return clear


def power(point: Point, profiles: Profiles) -> dict[FlowDirection, Watts]:
    """The point's mean power in W over each five minutes, by direction."""
    draw = np.random.default_rng(int(point.id))
    slots = int(profiles.calendar.first_slot[-1])
    curves: dict[FlowDirection, Watts] = {}
    load = np.zeros(slots)
    if point.annual_mwh:
        mean = point.annual_mwh * 1e6 / 8760
        load = np.repeat(profiles.shape(point.profile), 3) * mean * _noise(draw, slots, 0.05)
        load = np.clip(load, 0.01 * mean, point.kva * 1000 * 1.05)
    if FlowDirection.WITHDRAWAL in point.directions:
        curves[FlowDirection.WITHDRAWAL] = load
    if FlowDirection.INJECTION in point.directions:
        clouds = np.repeat(
            np.clip(draw.beta(2.2, 1.4, len(profiles.calendar.days)), 0.08, 1),
            np.diff(profiles.calendar.first_slot),
        )
        sun = np.repeat(profiles.sun(), 3) * point.solar_kwp * 1000 * clouds * _noise(draw, slots, 0.12)
        surplus = np.clip(sun - load, 0, None)
        curves[FlowDirection.INJECTION] = surplus
        if FlowDirection.WITHDRAWAL in curves:
            curves[FlowDirection.WITHDRAWAL] = np.clip(load - sun, 0, None)
    return curves


def day_blocks(
    point: Point, direction: FlowDirection, watts: Watts, calendar: Calendar, finer_on: date
) -> Iterator[DayBlock]:
    """Cut a curve into the blocks of its load curve, daily energy, maximum power and index.

    The opposed point has no load curve from the start; the others switch to `finer_from` at noon of `finer_on`.
    """
    index_wh = int(point.id[-5:]) * 1000
    for number, day in enumerate(calendar.days):
        fine = watts[calendar.first_slot[number] : calendar.first_slot[number + 1]]
        step = point.finer_from if point.finer_from and day > finer_on else point.step
        curve = _average(fine, step)
        energy = int(curve.sum()) * step.seconds // 3600
        if point.collection != "opposed":
            yield from _load_curve(point, direction, day, fine, step, finer_on)
        yield _block(point, Kind.DAILY_ENERGY, direction, day, [energy])
        ten = _average(fine, Resolution.PT10M)
        peak = int(ten.argmax())
        yield _block(
            point,
            Kind.MAXIMUM_POWER,
            direction,
            day,
            [round(int(ten[peak]) / POWER_FACTOR)],
            offsets=[peak * 600 + int(point.id[-2:])],
        )
        yield _block(point, Kind.REGISTER_READING, direction, day, [index_wh])
        index_wh += energy


def _load_curve(
    point: Point, direction: FlowDirection, day: date, fine: Watts, step: Resolution, finer_on: date
) -> Iterator[DayBlock]:
    if point.finer_from and day == finer_on:
        noon = 12 * 3600
        for resolution, morning in ((point.step, True), (point.finer_from, False)):
            values = _average(fine, resolution)
            quality = np.zeros(len(values), dtype=np.uint8)
            cut = noon // resolution.seconds
            silent = slice(cut, None) if morning else slice(0, cut)
            quality[silent], values[silent] = Quality.MISSING, 0
            yield DayBlock(SeriesKey(point.id, Kind.LOAD_CURVE, direction, resolution), day, values, quality)
        return
    values = _average(fine, step)
    yield DayBlock(
        SeriesKey(point.id, Kind.LOAD_CURVE, direction, step),
        day,
        values,
        np.zeros(len(values), dtype=np.uint8),
    )


def _block(
    point: Point,
    kind: Kind,
    direction: FlowDirection,
    day: date,
    values: list[int],
    offsets: list[int] | None = None,
) -> DayBlock:
    return DayBlock(
        SeriesKey(point.id, kind, direction, Resolution.P1D),
        day,
        np.array(values, dtype=np.int64),
        np.zeros(1, dtype=np.uint8),
        offsets=None if offsets is None else np.array(offsets, dtype=np.int32),
    )


def _average(fine: Watts, step: Resolution) -> NDArray[np.int64]:
    """Mean power over `step`, rounded to even watts so that half-hour energies are whole watt-hours."""
    mean = fine.reshape(-1, step.seconds // FINEST).mean(axis=1)
    unit = max(1, 3600 // step.seconds)
    rounded: NDArray[np.int64] = (np.rint(mean / unit) * unit).astype(np.int64)
    return rounded


def _noise(draw: np.random.Generator, length: int, strength: float) -> Watts:
    """Multiplicative noise of mean 1 that wanders over an hour or so, as real loads do."""
    white = draw.normal(0, 1, length + 12)
    wander = np.convolve(white, np.ones(12) / np.sqrt(12), mode="valid")[:length]
    noise: Watts = np.clip(1 + strength * (0.8 * wander + 0.6 * draw.normal(0, 1, length)), 0.2, None)
    return noise


def _unit(shape: Watts) -> Watts:
    scaled: Watts = shape / shape.mean()
    return scaled
