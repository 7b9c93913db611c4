"""From the store to encoded readings. The usual day, one step and every value there, takes a short way."""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind, Quality
from gridgate.core.sharing import Granted
from gridgate.core.time import Interval
from gridgate.dataplane.query.days import epoch, epoch_up, midnight, next_midnight
from gridgate.dataplane.reading import Wanted, read_blocks, read_segments, segments_of
from gridgate.dataplane.store.port import DayBlock, MeasurementStore
from gridgate.facades.enedis import wire


def read(store: MeasurementStore, wanted: Wanted, granted: Granted, *, zone: ZoneInfo) -> wire.Readings:
    """Read and encode what was granted; missing values are left out. Raises `StoreUnavailable`."""
    readable = granted.readable
    if wanted.kind is Kind.LOAD_CURVE:
        blocks = read_blocks(store, wanted, readable, zone=zone)
        return _curve(blocks, wanted, granted, readable, zone)
    segments = read_segments(store, wanted, granted.line, readable, zone=zone)
    to_readings = wire.daily_readings if wanted.kind is Kind.DAILY_ENERGY else wire.maximum_readings
    return wire.Readings.of(to_readings(segments, zone=zone))


def _curve(
    blocks: Iterable[DayBlock], wanted: Wanted, granted: Granted, readable: Interval, zone: ZoneInfo
) -> wire.Readings:
    assert readable.end is not None
    first, last = epoch_up(readable.start), epoch(readable.end)
    found = wire.Readings()
    for day, same in groupby(blocks, key=attrgetter("day")):
        of_day = list(same)
        within = first <= midnight(day, zone) and next_midnight(day, zone) <= last
        if within and len(of_day) == 1 and _is_usual(of_day[0], granted.line.finest_resolution):
            values = of_day[0].values.tolist()
            found.add(wire.whole_day(day, of_day[0].key.resolution, values, zone=zone), len(values))
        else:
            segments = segments_of(of_day, wanted, granted.line, readable, zone=zone)
            for reading in wire.curve_readings(segments, zone=zone):
                found.add(reading, 1)
    return found


def _is_usual(block: DayBlock, finest: int) -> bool:
    """True for a day that goes out as it is stored: no value missing, whole W, no finer than allowed."""
    return (
        block.scale == 0
        and block.key.resolution.seconds >= finest
        # Bytes, since a search in 48 of them takes a fifth of what NumPy needs to begin.
        and Quality.MISSING not in block.quality.tobytes()
    )
