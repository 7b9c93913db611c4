"""The axis of a load curve: absolute time, with the hours, days or months that fit below it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.texts import Label, label


def seconds_between(start: datetime, end: datetime) -> float:
    """Elapsed time; the difference of two datetimes of one zone would be that of their wall clocks."""
    return end.timestamp() - start.timestamp()


def days_between(start: datetime, end: datetime) -> float:
    return seconds_between(start, end) / 86400


def _civil_days(start: datetime, end: datetime, zone: ZoneInfo) -> list[date]:
    first, last = start.astimezone(zone).date(), (end - timedelta(seconds=1)).astimezone(zone).date()
    return [first + timedelta(days=index) for index in range((last - first).days + 1)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def midnights(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    return [at for day in _civil_days(start, end, zone) if start < (at := _midnight(day, zone)) < end]


def time_labels(start: datetime, end: datetime, zone: ZoneInfo, across: Any) -> Iterator[Label]:
    """Hours for a day or two, days for a week, dates for a month or a season, months beyond."""
    length, days = days_between(start, end), _civil_days(start, end, zone)
    if length <= 2.1:
        yield from _hours(start, end, zone, across, every=3 if length <= 1.1 else 6)
    elif length <= 9:
        for day in days:
            lead, number = formats.day_in_week(day, short=True).split(formats.NO_BREAK)
            yield label(_middle(day, zone, across), number, lead=lead + formats.NO_BREAK)
    elif length <= 100:
        every = 1 if length <= 16 else 7 if length > 45 else 2
        for rank, day in enumerate(days[::every]):
            text = formats.day_and_month(day, short=True) if rank == 0 or day.day <= every else str(day.day)
            yield label(_middle(day, zone, across), text, bool(rank % (4 if every < 7 else 2)))
    else:
        months = sorted({(day.year, day.month) for day in days})
        for rank, month in enumerate(months):
            inside = [day for day in days if (day.year, day.month) == month]
            if len(inside) >= 15:
                middle = _midnight(inside[len(inside) // 2], zone).timestamp()
                text = formats.month(inside[0], short=True)
                yield label(100 * across(middle), text, len(months) > 6 and rank % 3 != 0)


def _hours(start: datetime, end: datetime, zone: ZoneInfo, across: Any, *, every: int) -> Iterator[Label]:
    at = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if at < start:
        at += timedelta(hours=1)
    while at <= end:
        clock = at.astimezone(zone)
        if clock.hour % every == 0 and not (clock.fold and clock.hour):
            yield label(
                100 * across(at.timestamp()),
                f"{clock.hour}{formats.NO_BREAK}h",
                clock.hour % (2 * every) != 0,
            )
        at += timedelta(hours=1)


def _middle(day: date, zone: ZoneInfo, across: Any) -> float:
    first, last = _midnight(day, zone).timestamp(), _midnight(day + timedelta(days=1), zone).timestamp()
    return float(100 * across((first + last) / 2))
