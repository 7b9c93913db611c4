"""What every adapter refuses before it writes, and the one form in which a block is compared and stored."""

from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Quality
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.store.port import DayBlock, InvalidBlock

MAX_DECIMALS = 12
_KNOWN = np.zeros(256, np.bool_)
_KNOWN[list(Quality)] = True
_INT64 = 2**63 - 1
_LONGEST_DAY = 2 * 86_400


def canonical(block: DayBlock, zone: ZoneInfo) -> DayBlock:
    """Return the block checked, with 0 where nothing is said and the fewest decimals that are exact.

    Two blocks that say the same are then equal byte for byte. Raises `InvalidBlock`, naming series and day.
    """
    where = f"{block.key} {block.day.isoformat()}"
    if not block.key.metering_point:
        raise InvalidBlock("the block names no metering point", where=where)
    slots = _slots(block.day, block.key.resolution, zone)
    values = _integers(block.values, "values", slots, where).astype(np.int64)
    codes = _integers(block.quality, "quality", slots, where)
    quality = codes.astype(np.uint8)
    if not (_KNOWN[quality].all() and np.array_equal(quality, codes)):
        raise InvalidBlock("the block has an unknown quality code", where=where)
    cancelled = None
    if block.cancelled is not None and np.any(block.cancelled):
        cancelled = np.asarray(block.cancelled, np.bool_)
        if len(cancelled) != slots:
            raise InvalidBlock(f"cancelled has {len(cancelled)} slots, the day has {slots}", where=where)
        quality[cancelled] = Quality.MISSING
    silent = quality == Quality.MISSING
    values[silent] = 0
    if values.min() < 0:
        raise InvalidBlock(
            "the block has a negative value: the direction says which way energy flows", where=where
        )
    offsets = None
    if block.offsets is not None:
        seconds = _integers(block.offsets, "offsets", slots, where)
        if int(seconds.min()) < 0 or int(seconds.max()) > _LONGEST_DAY:
            raise InvalidBlock("an offset is before its slot or beyond the day", where=where)
        offsets = seconds.astype(np.int32)
        offsets[silent] = 0
        if not offsets.any():
            offsets = None
    if block.scale:
        values, scale = shortest(values, block.scale, where)
    else:
        scale = 0
    return DayBlock(block.key, block.day, values, quality, scale, offsets, cancelled=cancelled)


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


def _integers(array: object, name: str, slots: int, where: str) -> NDArray[np.integer]:
    integers = np.asarray(array)
    if integers.shape != (slots,):
        raise InvalidBlock(f"{name} has {integers.size} slots, the day has {slots}", where=where)
    if integers.dtype.kind not in "iu":
        raise InvalidBlock(f"{name} holds {integers.dtype}, not integers", where=where)
    return integers


@lru_cache(maxsize=16384)
def _slots(day: date, resolution: Resolution, zone: ZoneInfo) -> int:
    return slots_in_day(day, resolution, zone)
