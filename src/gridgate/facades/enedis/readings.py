"""From the store to encoded readings."""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.sharing import Granted, Wanted
from gridgate.dataplane.query.days import epoch, epoch_up, midnight, next_midnight
from gridgate.dataplane.reading.days import columns_of_days, read_packed, read_segments
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
        packed = read_packed(store, wanted, readable, zone=zone)
        texts.keep_while(store.state)
        return _curve(packed, wanted, granted, texts, zone)
    segments = read_segments(store, wanted, granted.line, readable, zone=zone)
    to_readings = wire.daily_readings if wanted.kind is Kind.DAILY_ENERGY else wire.maximum_readings
    return wire.Readings.of(to_readings(segments, zone=zone))


def _curve(
    packed: list[PackedDay], wanted: Wanted, granted: Granted, texts: DayTexts, zone: ZoneInfo
) -> wire.Readings:
    """What has no text yet is made together; the text of a whole day is kept."""
    if not packed:
        return wire.Readings()
    days = _by_day(packed)
    keys: list[_Key | None] = [_known_by(rows, granted.line.finest_resolution) for rows in days]
    # Only the first and the last can lie in what is readable in part.
    readable = granted.readable
    assert readable.end is not None
    if midnight(day_of_number(packed[0].day), zone) < epoch_up(readable.start):
        keys[0] = None
    if epoch(readable.end) < next_midnight(day_of_number(packed[-1].day), zone):
        keys[-1] = None
    told = [None if key is None else texts.get(key) for key in keys]
    fresh = told.count(None)
    if fresh:
        unknown = [row for rows, text in zip(days, told, strict=True) if text is None for row in rows]
        made: dict[date, tuple[bytes, int]] = {}
        columns = columns_of_days(unknown, wanted, granted.line, readable, zone=zone)
        for day, text, count in wire.curve_readings(columns, zone=zone):
            before, counted = made.get(day, _NOTHING)
            made[day] = (b",".join((before, text)) if counted else text), counted + count
        for index, key in enumerate(keys):
            if told[index] is None:
                told[index] = text_of_day = made.get(day_of_number(days[index][0].day), _NOTHING)
                if key is not None:
                    texts.put(key, text_of_day)
    texts.tell(len(days) - fresh, fresh)
    spoken = [one for one in told if one is not None and one[1]]
    return wire.Readings([text for text, _ in spoken], sum(count for _, count in spoken))


_NOTHING: Final = (b"", 0)


def _by_day(packed: list[PackedDay]) -> list[list[PackedDay]]:
    days: list[list[PackedDay]] = []
    before = -1
    for row in packed:
        if row[0] == before:
            days[-1].append(row)
        else:
            days.append([row])
            before = row[0]
    return days


def _known_by(rows: list[PackedDay], finest: int) -> _Key:
    """Of what the text of a whole day is made. Of one block, not when it was recorded; of several, that says which of
    two values is the truth.
    """
    if len(rows) > 1:
        return (finest, *rows)
    day, resolution, _, _, scale, width, amounts, quality, _, _ = rows[0]
    return finest, day, resolution, scale, width, amounts, quality
