"""From what may be seen of the store to encoded readings."""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.dataplane.query.days import epoch, epoch_up, midnight, next_midnight
from gridgate.dataplane.reading.window import Part, Window
from gridgate.dataplane.store.days import day_of_number
from gridgate.dataplane.store.port import PackedDay
from gridgate.facades.enedis import wire
from gridgate.facades.enedis.texts import DayTexts

_Key = tuple[object, ...]


def read(window: Window, *, texts: DayTexts, zone: ZoneInfo) -> wire.Readings:
    """Read and encode what was granted; missing values are left out. Raises `StoreUnavailable`."""
    found = wire.Readings()
    for part in window.parts:
        if window.wanted.kind is Kind.LOAD_CURVE:
            found.add(*_curve(part, texts, zone))
            continue
        daily = window.wanted.kind is Kind.DAILY_ENERGY
        to_readings = wire.daily_readings if daily else wire.maximum_readings
        encoded = list(to_readings(part.segments(), zone=zone))
        found.add(encoded, len(encoded))
    return found


def _curve(part: Part, texts: DayTexts, zone: ZoneInfo) -> tuple[list[bytes], int]:
    """What has no text yet is made together; the text of a whole day is kept."""
    packed = part.packed()
    texts.keep_while(part.state)
    if not packed:
        return [], 0
    days = _by_day(packed)
    keys: list[_Key | None] = [_known_by(rows, part.line.finest_resolution) for rows in days]
    # Only the first and the last can lie in what is readable in part.
    readable = part.readable
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
        for day, text, count in wire.curve_readings(part.columns(unknown), zone=zone):
            before, counted = made.get(day, _NOTHING)
            made[day] = (b",".join((before, text)) if counted else text), counted + count
        for index, key in enumerate(keys):
            if told[index] is None:
                told[index] = text_of_day = made.get(day_of_number(days[index][0].day), _NOTHING)
                if key is not None:
                    texts.put(key, text_of_day)
    texts.tell(len(days) - fresh, fresh)
    spoken = [one for one in told if one is not None and one[1]]
    return [text for text, _ in spoken], sum(count for _, count in spoken)


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
