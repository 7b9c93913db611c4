"""Time as the field counts it: half-open intervals in UTC, civil days in local time, steps that divide them.

Nothing here reads a clock. Instants are aware `datetime`s; intervals are normalised to UTC at the door. A civil day
runs from local midnight to local midnight, hence has 46, 48 or 50 half hours in Europe.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Final, Self
from zoneinfo import ZoneInfo

from gridgate.core.errors import ErrorKind, GridgateError

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2200, 12, 31)
"""Days that may be asked for. Beside the first and last that a `date` can be, nothing could be counted."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Interval:
    """The instants from `start` up to, not including, `end`; `end` None means with no end.

    >>> first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    >>> january = Interval(first, second)
    >>> january.contains(first), january.contains(second)
    (True, False)

    Intervals that touch do not overlap:

    >>> january.overlaps(Interval(second, None))
    False
    >>> january.intersect(Interval(datetime(2026, 1, 31, tzinfo=UTC), None)).start.isoformat()
    '2026-01-31T00:00:00+00:00'

    Raises `GridgateError` (INVALID) for a naive instant or an end that is not after the start.
    """

    start: datetime
    end: datetime | None

    def __post_init__(self) -> None:
        # Most are in UTC already: several of each request.
        if self.start.tzinfo is not UTC:
            object.__setattr__(self, "start", _utc(self.start))
        if self.end is not None:
            if self.end.tzinfo is not UTC:
                object.__setattr__(self, "end", _utc(self.end))
            if self.end <= self.start:
                raise GridgateError(
                    ErrorKind.INVALID,
                    f"the interval ends at {self.end.isoformat()}, not after its start {self.start.isoformat()}",
                )

    def contains(self, instant: datetime) -> bool:
        return self.start <= instant and (self.end is None or instant < self.end)

    def overlaps(self, other: "Interval") -> bool:
        return self.intersect(other) is not None

    def covers(self, other: "Interval") -> bool:
        """True when every instant of `other` is in this interval."""
        if other.start < self.start:
            return False
        return self.end is None or (other.end is not None and other.end <= self.end)

    def intersect(self, other: "Interval") -> "Interval | None":
        start = max(self.start, other.start)
        ends = [end for end in (self.end, other.end) if end is not None]
        end = min(ends) if ends else None
        return None if end is not None and end <= start else Interval(start, end)


class Resolution(Enum):
    """The steps a series can have, finest first; the value is the length in seconds (nominal for the civil day)."""

    seconds: int

    PT5M = 300
    PT10M = 600
    PT15M = 900
    PT30M = 1800
    PT60M = 3600
    P1D = 86400

    def __init__(self, seconds: int) -> None:
        # Looked up for every block of every read, where `value` and the hash of a name take longer than their use.
        self.seconds = seconds

    __hash__ = object.__hash__

    @property
    def iso(self) -> str:
        """ISO 8601 duration, as written on the native API."""
        return self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ISO 8601 duration; `PT1H` and `P1D`'s equal `PT24H` are accepted spellings.

        >>> Resolution.parse("PT1H").iso
        'PT60M'

        Raises `GridgateError` (INVALID) naming the steps that exist.
        """
        name = {"PT1H": "PT60M", "PT24H": "P1D"}.get(text, text)
        try:
            return cls[name]
        except KeyError:
            known = ", ".join(cls.__members__)
            raise GridgateError(
                ErrorKind.INVALID, f"no step {text!r}", remedy=f"Steps are {known}."
            ) from None

    @classmethod
    def of_seconds(cls, seconds: int) -> Self:
        """The step of that length. Raises `GridgateError` (INVALID)."""
        try:
            return cls(seconds)
        except ValueError:
            known = ", ".join(cls.__members__)
            raise GridgateError(
                ErrorKind.INVALID, f"no step of {seconds} s", remedy=f"Steps are {known}."
            ) from None


def day_before(end: date | None) -> date | None:
    """The last day of what ends before `end`, the first day that is not covered."""
    return None if end is None else end - timedelta(days=1)


def months_from(day: date, months: int) -> date:
    """The same day so many months later (earlier when negative), or the last of that month.

    >>> months_from(date(2026, 11, 30), 3), months_from(date(2028, 2, 29), -12)
    (datetime.date(2027, 2, 28), datetime.date(2027, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def civil_day_bounds(day: date, zone: ZoneInfo) -> Interval:
    """From this local midnight to the next, in UTC.

    >>> paris = ZoneInfo("Europe/Paris")
    >>> day = civil_day_bounds(date(2026, 3, 29), paris)
    >>> day.end - day.start  # the clocks go forward
    datetime.timedelta(seconds=82800)
    """
    return Interval(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def parse_day(text: str) -> date | None:
    """The day that somebody wrote; None when it is none, or not among those that may be asked for.

    >>> parse_day("2026-02-28"), parse_day("2026-02-30"), parse_day("9999-12-31")
    (datetime.date(2026, 2, 28), None, None)
    """
    if not _DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if may_be_asked(day) else None


def may_be_asked(day: date) -> bool:
    return FIRST_DAY <= day <= LAST_DAY


def civil_day_of(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def slots_in_day(day: date, resolution: Resolution, zone: ZoneInfo) -> int:
    """How many steps the civil day has.

    >>> [slots_in_day(date(2026, *md), Resolution.PT30M, ZoneInfo("Europe/Paris")) for md in ((3, 29), (6, 1), (10, 25))]
    [46, 48, 50]
    """
    if resolution is Resolution.P1D:
        return 1
    length = _midnight(day + timedelta(days=1), zone) - _midnight(day, zone)
    return int(length.total_seconds()) // resolution.seconds


def slot_start(day: date, index: int, resolution: Resolution, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which slot `index` of the day starts."""
    return _midnight(day, zone) + timedelta(seconds=index * resolution.seconds)


def days_between(start: datetime, end: datetime, zone: ZoneInfo) -> list[date]:
    """The civil days touched by `[start, end)`, in order; none when it is empty."""
    if end <= start:
        return []
    first, last = civil_day_of(start, zone), civil_day_of(end - timedelta(microseconds=1), zone)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise GridgateError(
            ErrorKind.INVALID,
            f"{instant.isoformat()} has no time zone",
            remedy="Add Z or an offset such as +01:00.",
        )
    return instant.astimezone(UTC)
