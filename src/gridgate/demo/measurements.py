"""Two years of measurements for the demo world, delivered as a head-end delivers them, with a gap and a correction."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Kind, Quality
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, MeasurementStore, Source
from gridgate.dataplane.store.quarantine import Quarantined
from gridgate.demo import cast, curves

DAILY_DELIVERIES = 30
"""The last days arrive one by one, as from a real head-end, so that `as_of` has something to tell."""


def seed_measurements(path: Path, zone: ZoneInfo, today: date, at: Callable[..., datetime]) -> None:
    first, last = today - timedelta(days=365 * cast.YEARS), today - timedelta(days=1)
    calendar = curves.Calendar.between(first, last, zone)
    profiles = curves.Profiles(calendar)
    finer_on = today - timedelta(days=cast.FINER_DAYS_AGO)
    blocks = [
        block
        for point in cast.POINTS
        for direction, watts in curves.power(point, profiles).items()
        for block in curves.day_blocks(point, direction, watts, calendar, finer_on)
    ]
    flawed = next(point.id for point in cast.POINTS if point.flawed)
    _flaw(blocks, flawed, today)
    store = open_store(path, zone=zone)
    _deliver(store, blocks, flawed, today, at)


def _deliver(
    store: MeasurementStore,
    blocks: list[DayBlock],
    flawed: str,
    today: date,
    at: Callable[..., datetime],
) -> None:
    """Everything older in one delivery, then each day at six the next morning, then one correction."""
    recent = today - timedelta(days=DAILY_DELIVERIES)
    corrected = today - timedelta(days=cast.CORRECTED_DAYS_AGO)
    by_day: dict[date, list[DayBlock]] = {}
    for block in blocks:
        by_day.setdefault(max(block.day, recent - timedelta(days=1)), []).append(block)
    for day, of_day in sorted(by_day.items()):
        _put(store, f"releve-{day}", of_day, at((today - day).days - 1, 6))
        if day == corrected + timedelta(days=5):
            correction = _correct(by_day, flawed, corrected, delivered=day)
            _put(store, f"correction-{corrected}", correction, at((today - day).days - 1, 7))


def _put(store: MeasurementStore, name: str, blocks: list[DayBlock], at: datetime) -> None:
    nothing: list[Quarantined] = []
    source = Source(name, hashlib.sha256(name.encode()).hexdigest(), "demo", int(at.timestamp() * 1000))
    store.put(blocks, source=source, quarantined=nothing, recorded_at=int(at.timestamp() * 1000))


def _flaw(blocks: list[DayBlock], point: str, today: date) -> None:
    """Give one curve a gap of five hours and an estimated day."""
    gap, estimated = (
        today - timedelta(days=cast.GAP_DAYS_AGO),
        today - timedelta(days=cast.ESTIMATED_DAYS_AGO),
    )
    for block in blocks:
        if block.key.metering_point != point or block.key.kind is not Kind.LOAD_CURVE:
            continue
        if block.day == gap:
            missing = slice(12, 42)
            block.quality[missing], block.values[missing] = Quality.MISSING, 0
        elif block.day == estimated:
            block.quality[:] = Quality.ESTIMATED


def _correct(by_day: dict[date, list[DayBlock]], point: str, day: date, *, delivered: date) -> list[DayBlock]:
    """The day as the meter was found to have under-counted it: every value 4 % higher, to whole watt-hours, its energy
    and maximum with it, and each index from then on by what was not counted. What was not `delivered` yet is mended
    where it is.
    """
    corrected, of_day = [], {b.key.kind: b for b in by_day[day] if b.key.metering_point == point}
    curve, energy, highest = (
        of_day[kind] for kind in (Kind.LOAD_CURVE, Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER)
    )
    values = (np.rint(curve.values * 1.04 / 6) * 6).astype(np.int64)
    energy_wh = values.sum(keepdims=True) * curve.key.resolution.seconds // 3600
    for block, mended in ((curve, values), (energy, energy_wh), (highest, np.rint(highest.values * 1.04))):
        corrected.append(_corrected(block, mended))
    uncounted = energy_wh - energy.values
    for block in (block for blocks in by_day.values() for block in blocks):
        if (block.key.metering_point, block.key.kind) == (point, Kind.REGISTER_READING) and block.day > day:
            if block.day <= delivered:
                corrected.append(_corrected(block, block.values + uncounted))
            else:
                block.values[:] += uncounted
    return corrected


def _corrected(block: DayBlock, values: NDArray[np.number]) -> DayBlock:
    quality = np.full(len(values), Quality.CORRECTED, dtype=np.uint8)
    return replace(block, values=values.astype(np.int64), quality=quality)
