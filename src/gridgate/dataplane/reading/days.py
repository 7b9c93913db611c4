"""The values of one series as far and as finely as a line allows, and the daily energy that only a load curve tells."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.quantities import Kind, Quality
from gridgate.core.sharing import AccessLine, Wanted
from gridgate.core.time import Interval, Resolution, civil_day_bounds, civil_day_of, days_between
from gridgate.dataplane.query.aggregate import Period, totals
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.assemble import assemble, columns_of, columns_of_packed
from gridgate.dataplane.query.columns import Columns
from gridgate.dataplane.query.resample import resample
from gridgate.dataplane.store.port import DayBlock, MeasurementStore, PackedDay, SeriesKey

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)


def read_segments(
    store: MeasurementStore, wanted: Wanted, line: AccessLine, readable: Interval, *, zone: ZoneInfo
) -> list[Segment]:
    """The values that lie wholly in `readable`, no finer than what is wanted and what the line allows."""
    return segments_of(read_blocks(store, wanted, readable, zone=zone), wanted, line, readable, zone=zone)


def segments_of(
    blocks: Sequence[DayBlock], wanted: Wanted, line: AccessLine, readable: Interval, *, zone: ZoneInfo
) -> list[Segment]:
    """The same from blocks that were read already: whole days, in any number."""
    assert readable.end is not None
    columns = columns_of(blocks, readable.start, readable.end, zone)
    return [one.segment() for one in _no_finer(columns, wanted, line, zone)]


def read_packed(
    store: MeasurementStore, wanted: Wanted, readable: Interval, *, zone: ZoneInfo
) -> list[PackedDay]:
    """The days touched by `readable`, as they are kept. Raises `StoreUnavailable`."""
    assert readable.end is not None
    days = civil_day_of(readable.start, zone), civil_day_of(readable.end - _MICROSECOND, zone)
    as_of = None if wanted.as_of is None else epoch_milliseconds(wanted.as_of)
    return store.read_packed(wanted.metering_point, wanted.kind, wanted.direction, *days, as_of=as_of)


def columns_of_days(
    days: Sequence[PackedDay], wanted: Wanted, line: AccessLine, readable: Interval, *, zone: ZoneInfo
) -> list[Columns]:
    """What such days say, as `segments_of` of their blocks."""
    assert readable.end is not None
    about = wanted.metering_point, wanted.kind, wanted.direction
    columns = columns_of_packed(days, about, readable.start, readable.end, zone)
    return _no_finer(columns, wanted, line, zone)


def _no_finer(columns: list[Columns], wanted: Wanted, line: AccessLine, zone: ZoneInfo) -> list[Columns]:
    coarsest = coarsest_wanted(wanted, line)
    if coarsest is None or wanted.kind is Kind.REGISTER_READING:
        return columns
    return resample(columns, coarsest, kind=wanted.kind, zone=zone)


def read_blocks(
    store: MeasurementStore, wanted: Wanted, readable: Interval, *, zone: ZoneInfo
) -> list[DayBlock]:
    """The day blocks touched by `readable`; days of daily energy that only a load curve tells are made from
    it.
    """
    return read_days(store, wanted, readable, zone=zone)[0]


def read_days(
    store: MeasurementStore, wanted: Wanted, readable: Interval, *, zone: ZoneInfo
) -> tuple[list[DayBlock], set[date]]:
    """The same, and the days without energy whose load curve tells a part of them."""
    assert readable.end is not None
    days = days_between(readable.start, readable.end, zone)
    as_of = None if wanted.as_of is None else epoch_milliseconds(wanted.as_of)
    blocks = store.read(wanted.metering_point, wanted.kind, wanted.direction, days[0], days[-1], as_of=as_of)
    if wanted.kind is not Kind.DAILY_ENERGY:
        return blocks, set()
    told = {block.day for block in blocks if block.said.any()}
    silent = [day for day in days if day not in told]
    if not silent:
        return blocks, set()
    curve = store.read(
        wanted.metering_point, Kind.LOAD_CURVE, wanted.direction, silent[0], silent[-1], as_of=as_of
    )
    made = [block for block in daily_energy_from(curve, zone=zone) if block.day not in told]
    incomplete = {block.day for block in curve if block.said.any()} - told - {block.day for block in made}
    return blocks + made, incomplete


def daily_energy_from(curve: Sequence[DayBlock], *, zone: ZoneInfo) -> list[DayBlock]:
    """The daily energy that the load curve of one point and direction tells, for each day that it tells
    whole.

    A day with a single step missing has none: its sum would be a guess. Exact to the thousandth of a Wh. Its
    quality is the least sure of the day's values.
    """
    if not curve:
        return []
    days = sorted({block.day for block in curve})
    start, end = civil_day_bounds(days[0], zone).start, civil_day_bounds(days[-1], zone).end
    assert end is not None
    made = []
    for total in totals(
        assemble(curve, start, end, zone), Period.DAY, kind=Kind.LOAD_CURVE, start=start, end=end, zone=zone
    ):
        if total.energy_wh is None or not total.values or total.missing:
            continue
        quality = (
            Quality.ESTIMATED
            if total.estimated
            else Quality.CORRECTED
            if total.corrected
            else Quality.MEASURED
        )
        made.append(_daily(curve[0].key, total.first, total.energy_wh, quality, curve))
    return made


def _daily(
    key: SeriesKey, day: date, energy: int | float, quality: Quality, curve: Sequence[DayBlock]
) -> DayBlock:
    scale = 0 if isinstance(energy, int) else -3
    value = round(Decimal(repr(energy)).scaleb(-scale))
    return DayBlock(
        key=SeriesKey(key.metering_point, Kind.DAILY_ENERGY, key.direction, Resolution.P1D),
        day=day,
        values=np.array([value], np.int64),
        quality=np.array([quality], np.uint8),
        scale=scale,
        recorded_at=max(block.recorded_at for block in curve if block.day == day),
    )


def coarsest_wanted(wanted: Wanted, line: AccessLine) -> Resolution | None:
    """The step below which nothing may be answered; None when values go out as stored."""
    asked = wanted.resolution.seconds if wanted.resolution else 0
    seconds = max(asked, line.finest_resolution)
    return Resolution.of_seconds(seconds) if seconds else None


def epoch_milliseconds(at: datetime) -> int:
    """The last that is over; exactly, which a product of floats is not.

    >>> epoch_milliseconds(datetime(1970, 1, 1, 0, 0, 1, 1000, tzinfo=UTC))
    1001
    """
    return (at - _EPOCH) // timedelta(milliseconds=1)
