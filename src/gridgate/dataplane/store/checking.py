"""What every adapter refuses before it writes, and the one form in which a block is compared and stored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Quality
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.store.days import Days, day_of_number
from gridgate.dataplane.store.port import InvalidBlock

MAX_DECIMALS = 12
_KNOWN = np.array(Quality, np.int64)
_MISSING = int(Quality.MISSING)
_INT64 = 2**63 - 1
DAY_SECONDS = 86_400
_LONGEST_DAY = 2 * 86_400


def canonical(days: Days, zone: ZoneInfo) -> Days:
    """Return the blocks checked, with 0 where nothing is said and the fewest decimals that are exact.

    Two blocks that say the same are then equal byte for byte. Raises `InvalidBlock`, naming series and day.
    """

    def require(sound: NDArray[np.bool_], fault: Callable[[int], str]) -> None:
        if not sound.all():
            bad = int(np.flatnonzero(~sound)[0])
            raise InvalidBlock(fault(bad), where=_where(days, bad))

    if not len(days):
        return days
    named = np.array([bool(key.metering_point) for key in days.keys])
    require(named[days.series], lambda bad: "the block names no metering point")
    slots = _slots(days, zone)
    require(days.sizes == slots, lambda bad: f"values has {days.sizes[bad]} slots, the day has {slots[bad]}")
    starts = days.bounds[:-1]
    require(
        days.counted(np.isin(days.quality, _KNOWN)) == slots,
        lambda bad: "the block has an unknown quality code",
    )
    quality = days.quality.astype(np.uint8)
    cancelled = days.cancelled if days.cancelled is not None and days.cancelled.any() else None
    if cancelled is not None:
        quality = np.where(cancelled, _MISSING, quality)
    silent = quality == _MISSING
    values = np.where(silent, 0, days.values)
    require(
        np.minimum.reduceat(values, starts) >= 0,
        lambda bad: "the block has a negative value: the direction says which way energy flows",
    )
    offsets = None
    if days.offsets is not None and days.offsets.any():
        require(
            (np.minimum.reduceat(days.offsets, starts) >= 0)
            & (np.maximum.reduceat(days.offsets, starts) <= _LONGEST_DAY),
            lambda bad: "an offset is before its slot or beyond the day",
        )
        offsets = np.where(silent, 0, days.offsets).astype(np.int32)
    require(
        np.abs(days.scale) <= MAX_DECIMALS,
        lambda bad: f"a scale of {days.scale[bad]} is beyond {MAX_DECIMALS} decimals",
    )
    large = np.flatnonzero(days.scale > 0)
    if len(large):
        require(
            np.maximum.reduceat(values, starts) <= _INT64 // 10 ** np.clip(days.scale, 0, None),
            lambda bad: (
                f"{values[days.bounds[bad] : days.bounds[bad + 1]].max()} does not fit with 0 decimals"
            ),
        )
        values = values * 10 ** np.clip(days.each(days.scale), 0, None)
    values, scale = _shortest(values, np.minimum(days.scale, 0), days)
    return replace(days, values=values, quality=quality, scale=scale, offsets=offsets, cancelled=cancelled)


def _shortest(
    values: NDArray[np.int64], scale: NDArray[np.int64], days: Days
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop the decimals that are zero in the whole of a block."""
    scale = scale.copy()
    blocks = np.flatnonzero(scale < 0)
    if len(blocks):
        part = days.some(blocks)
        slots = np.repeat(scale < 0, days.sizes)
        some = values[slots]
        while len(blocks):
            exact = ~np.logical_or.reduceat(some % 10 != 0, part.bounds[:-1]) & (scale[blocks] < 0)
            if not exact.any():
                break
            some = np.where(np.repeat(exact, part.sizes), some // 10, some)
            scale[blocks[exact]] += 1
        values = values.copy()
        values[slots] = some
    return values, scale


def _where(days: Days, block: int) -> str:
    return f"{days.keys[int(days.series[block])]} {day_of_number(int(days.day[block])).isoformat()}"


def _slots(days: Days, zone: ZoneInfo) -> NDArray[np.int64]:
    """How many slots each of the days has."""
    steps = np.array([key.resolution.seconds for key in days.keys], np.int64)[days.series]
    told, place = np.unique(days.day * DAY_SECONDS + (steps - 1), return_inverse=True)
    slots = [
        _slots_in(day_of_number(day), Resolution(step + 1), zone)
        for day, step in (divmod(code, DAY_SECONDS) for code in told.tolist())
    ]
    return np.array(slots, np.int64)[place]


def shortest(values: NDArray[np.int64], scale: int, where: str = "") -> tuple[NDArray[np.int64], int]:
    """Drop decimals that are all zero; write out powers of ten. `(7300, -2)` becomes `(73, 0)`."""
    if not -MAX_DECIMALS <= scale <= MAX_DECIMALS:
        raise InvalidBlock(f"a scale of {scale} is beyond {MAX_DECIMALS} decimals", where=where)
    if scale > 0:
        return rescaled(values, scale, 0, where), 0
    while scale < 0 and not (values % 10).any():
        values, scale = values // 10, scale + 1
    return values, scale


def rescaled(values: NDArray[np.int64], scale: int, to: int, where: str = "") -> NDArray[np.int64]:
    """The same measures with a smaller power of ten. Raises `InvalidBlock` when they no longer fit in 64
    bits."""
    if scale == to:
        return values
    factor = int(10 ** (scale - to))
    if int(values.max()) > _INT64 // factor:
        raise InvalidBlock(f"{int(values.max())} does not fit with {-to} decimals", where=where)
    return values * factor


@lru_cache(maxsize=16384)
def _slots_in(day: date, resolution: Resolution, zone: ZoneInfo) -> int:
    return slots_in_day(day, resolution, zone)
