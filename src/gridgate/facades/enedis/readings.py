"""From the store to encoded readings."""

from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.sharing import Granted
from gridgate.dataplane.reading import Wanted, columns_of_line, read_blocks, read_segments
from gridgate.dataplane.store.port import MeasurementStore
from gridgate.facades.enedis import wire


def read(store: MeasurementStore, wanted: Wanted, granted: Granted, *, zone: ZoneInfo) -> wire.Readings:
    """Read and encode what was granted; missing values are left out. Raises `StoreUnavailable`."""
    readable, found = granted.readable, wire.Readings()
    if wanted.kind is Kind.LOAD_CURVE:
        blocks = read_blocks(store, wanted, readable, zone=zone)
        columns = columns_of_line(blocks, wanted, granted.line, readable, zone=zone)
        for readings, count in wire.curve_readings(columns, zone=zone):
            found.add(readings, count)
        return found
    segments = read_segments(store, wanted, granted.line, readable, zone=zone)
    to_readings = wire.daily_readings if wanted.kind is Kind.DAILY_ENERGY else wire.maximum_readings
    return wire.Readings.of(to_readings(segments, zone=zone))
