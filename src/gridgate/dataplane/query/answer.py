"""What a query answers: segments of equally spaced values, and what is missing, with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.sharing import MissingReason
from gridgate.core.time import Interval, Resolution, civil_day_bounds, civil_day_of
from gridgate.dataplane.store.quarantine import SetAside

MISSING = Quality.MISSING.word


@dataclass(frozen=True, slots=True)
class Segment:
    """Values that follow each other without a break: value `i` belongs to step `i` after `start`.

    A segment begins and ends with a value; `None` inside it is a missing one. Steps of `P1D` are civil days,
    so 23 or 25 hours long on two of them.
    """

    start: datetime
    resolution: Resolution
    values: list[int | float | None]
    """In the unit of the kind."""
    quality: list[tuple[str, int]]
    """Quality words as run lengths; they add up to the number of values."""
    offsets: list[int] | None = None
    """Seconds after the step's start at which each value was observed; None when that is the start (or the
    mean)."""
    register: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def count(self) -> int:
        """How many values it holds, missing ones not counted."""
        return sum(count for word, count in self.quality if word != MISSING)

    def step_start(self, index: int, zone: ZoneInfo) -> datetime:
        """The instant (UTC) at which step `index` starts; `len(self)` gives the end of the last."""
        if self.resolution is Resolution.P1D:
            return civil_day_bounds(civil_day_of(self.start, zone) + timedelta(days=index), zone).start
        return self.start + timedelta(seconds=index * self.resolution.seconds)

    def end(self, zone: ZoneInfo) -> datetime:
        return self.step_start(len(self.values), zone)

    def qualities(self) -> list[str]:
        """One quality word for each value."""
        return [word for word, count in self.quality for _ in range(count)]

    def first_day(self, zone: ZoneInfo) -> date:
        return civil_day_of(self.start, zone)

    def steps(self, zone: ZoneInfo) -> "Iterator[Step]":
        """Each value with its interval and quality, in order."""
        daily = self.resolution is Resolution.P1D
        length = timedelta(seconds=self.resolution.seconds)
        start, day = self.start, self.first_day(zone)
        for index, (value, quality) in enumerate(zip(self.values, self.qualities(), strict=True)):
            if daily:
                bounds = civil_day_bounds(day + timedelta(days=index), zone)
                start, end = bounds.start, _end(bounds)
            else:
                end = start + length
            yield Step(start, end, value, quality, self.offsets[index] if self.offsets else 0)
            start = end


@dataclass(frozen=True, slots=True)
class Step:
    """One value of a segment."""

    start: datetime
    end: datetime
    value: int | float | None
    quality: str
    offset: int = 0

    @property
    def observed_at(self) -> datetime:
        """When the value was reached: for a maximum, the instant of the maximum."""
        return self.start + timedelta(seconds=self.offset)


@dataclass(frozen=True, slots=True)
class Missing:
    """An interval that was asked for and is not in the answer."""

    start: datetime
    end: datetime
    reason: MissingReason


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one read of one point, kind and direction."""

    metering_point: str
    kind: Kind
    direction: FlowDirection
    unit: str
    start: datetime
    end: datetime
    """The interval that could be read: what was asked for, less what the reader may not see at its two ends; what
    lies between two times of a title is among the missing."""
    segments: list[Segment]
    requested: Interval
    available: Interval | None = None
    """From the first value to the end of the last one; None when there is none."""
    missing: list[Missing] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    """What came of the days that are missing as `set_aside`, and why it was."""
    counts: list[int] = field(default_factory=list)
    """How many values each part of what was granted gave, in their order: for the access log."""

    @property
    def count(self) -> int:
        """How many values the answer holds, missing ones not counted."""
        return sum(segment.count for segment in self.segments)


def _end(interval: Interval) -> datetime:
    assert interval.end is not None
    return interval.end
