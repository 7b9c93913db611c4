"""Day blocks and sources, made with as few words as a test needs."""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.store.port import DayBlock, SeriesKey, Source

PARIS = ZoneInfo("Europe/Paris")
POINT = "09775542606818"
ELSEWHERE = "22516914714270"
SPRING, AUTUMN, SUMMER = date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 1)
"""Days of 46, 50 and 48 half hours."""


def key(
    metering_point: str = POINT,
    kind: Kind = Kind.LOAD_CURVE,
    direction: FlowDirection = FlowDirection.WITHDRAWAL,
    resolution: Resolution = Resolution.PT30M,
    register: str = "",
) -> SeriesKey:
    return SeriesKey(metering_point, kind, direction, resolution, register)


def block(
    day: date = SUMMER,
    values: int | Sequence[int | None] | dict[int, int] = 100,
    *,
    of: SeriesKey | None = None,
    quality: Quality | Sequence[Quality] = Quality.MEASURED,
    scale: int = 0,
    offsets: Sequence[int] | None = None,
    cancelled: Sequence[int] = (),
) -> DayBlock:
    """A block of `day`: one value everywhere, one for each slot (None: not said), or `{slot: value}` alone."""
    of = of or key()
    slots = slots_in_day(day, of.resolution, PARIS)
    if isinstance(values, int):
        values = [values] * slots
    elif isinstance(values, dict):
        values = [values.get(slot) for slot in range(slots)]
    given = [quality] * len(values) if isinstance(quality, Quality) else list(quality)
    pairs = zip(values, given, strict=True)
    withdrawn = np.zeros(slots, np.bool_)
    withdrawn[list(cancelled)] = True
    return DayBlock(
        of,
        day,
        np.array([value or 0 for value in values], np.int64),
        np.array([Quality.MISSING if v is None else q for v, q in pairs], np.uint8),
        scale,
        None if offsets is None else np.array(offsets, np.int32),
        cancelled=withdrawn if cancelled else None,
    )


def source(name: str = "a.csv", published_at: int | None = None) -> Source:
    """A source known by its name: the same name is the same content."""
    return Source(name, sha256(name.encode()).hexdigest(), "csv", published_at)


def said(read: DayBlock) -> list[int | None]:
    """The values of a block, None where nothing is said."""
    pairs = zip(read.values.tolist(), read.quality.tolist(), strict=True)
    return [None if quality == Quality.MISSING else value for value, quality in pairs]
