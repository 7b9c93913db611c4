"""From the store to encoded readings."""

from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.sharing import Granted
from gridgate.dataplane.query.days import epoch, epoch_up, midnight, next_midnight
from gridgate.dataplane.reading import Wanted, columns_of_days, read_packed, read_segments
from gridgate.dataplane.store.days import day_of_number
from gridgate.dataplane.store.port import MeasurementStore, PackedDay
from gridgate.facades.enedis import wire
from gridgate.facades.enedis.texts import DayTexts

_Key = tuple[object, ...]


def read(
    store: MeasurementStore, wanted: Wanted, granted: Granted, *, texts: DayTexts, zone: ZoneInfo
) -> wire.Readings:
    """Read and encode what was granted; missing values are left out. Raises `StoreUnavailable`."""
    readable = granted.readable
    if wanted.kind is Kind.LOAD_CURVE:
        return _curve(read_packed(store, wanted, readable, zone=zone), wanted, granted, texts, zone)
    segments = read_segments(store, wanted, granted.line, readable, zone=zone)
    to_readings = wire.daily_readings if wanted.kind is Kind.DAILY_ENERGY else wire.maximum_readings
    return wire.Readings.of(to_readings(segments, zone=zone))


def _curve(
    packed: list[PackedDay], wanted: Wanted, granted: Granted, texts: DayTexts, zone: ZoneInfo
) -> wire.Readings:
    """What has no text yet is made together; the text of a whole day is kept."""
    readable, finest = granted.readable, granted.line.finest_resolution
    assert readable.end is not None
    first, last = epoch_up(readable.start), epoch(readable.end)
    days = [(day_of_number(number), list(rows)) for number, rows in groupby(packed, key=_DAY)]
    keys = [
        _known_by(rows, finest) if first <= midnight(day, zone) and next_midnight(day, zone) <= last else None
        for day, rows in days
    ]
    told = [None if key is None else texts.get(key) for key in keys]
    unknown = [row for (_, rows), text in zip(days, told, strict=True) if text is None for row in rows]
    if unknown:
        made = dict.fromkeys((day for day, _ in days), (b"", 0))
        columns = columns_of_days(unknown, wanted, granted.line, readable, zone=zone)
        for day, text, count in wire.curve_readings(columns, zone=zone):
            before, counted = made[day]
            made[day] = (b",".join((before, text)) if counted else text), counted + count
        for index, (day, _) in enumerate(days):
            if told[index] is None:
                told[index] = made[day]
                if (key := keys[index]) is not None:
                    texts.put(key, made[day])
    found = wire.Readings()
    for one in told:
        assert one is not None
        if one[1]:
            found.add(*one)
    fresh = len({row.day for row in unknown})
    texts.tell(len(days) - fresh, fresh)
    return found


_DAY = itemgetter(0)


def _known_by(rows: list[PackedDay], finest: int) -> _Key:
    """Of what the text of a whole day is made. Of one block, not when it was recorded; of several, that says which of
    two values is the truth.
    """
    if len(rows) > 1:
        return (finest, *rows)
    row = rows[0]
    return finest, row.day, row.resolution, row.scale, row.width, row.amounts, row.quality
