"""Totals of civil days, weeks, months and years, and how two periods compare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.time import Interval, Resolution, civil_day_bounds, civil_day_of, days_between, months_from
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import epoch, instant, midnight, next_midnight
from gridgate.dataplane.query.resample import exact_sum, number, quotient


class Period(StrEnum):
    """Civil periods; a week starts on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"

    def first_day(self, day: date) -> date:
        """The first day of the period that `day` is in."""
        match self:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)
            case Period.YEAR:
                return day.replace(month=1, day=1)

    def after(self, first: date) -> date:
        """The first day of the next period."""
        match self:
            case Period.DAY:
                return first + timedelta(days=1)
            case Period.WEEK:
                return first + timedelta(days=7)
            case Period.MONTH:
                return months_from(first, 1)
            case Period.YEAR:
                return months_from(first, 12)


@dataclass(frozen=True, slots=True)
class Extreme:
    """A highest or lowest value and when it was: the start of its step, or the instant of a maximum."""

    value: int | float
    at: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """What one civil period holds, as far as it lies in the interval asked for."""

    first: date
    """First civil day of the whole period."""
    interval: Interval
    """The part of the period that was asked for."""
    energy_wh: int | float | None
    """Exact; an integer when it is whole. None for kinds that are no energy: maxima and register readings."""
    values: int
    missing: int
    """Steps without a value, counted in the step that most of the values have."""
    estimated: int
    corrected: int
    maximum: Extreme | None
    minimum: Extreme | None

    @property
    def complete(self) -> bool:
        return self.missing == 0


def totals(
    segments: Sequence[Segment],
    period: Period,
    *,
    kind: Kind,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> list[Total]:
    """Return a total for each civil period touched by `[start, end)`, in order, the empty ones too.

    Energy of a load curve is the sum of power times seconds, divided by 3600 once at the end: to the Wh what
    the source gave. What is missing is not made up: `energy_wh` is of the values there are, and `missing`
    says how many are not. Segments of several registers are added: give those of one.
    """
    step = usual_step(segments, kind)
    accounts: dict[date, _Account] = {}
    days = days_between(start, end, zone)
    day = period.first_day(days[0]) if days else None
    while day is not None and day <= days[-1]:
        following = period.after(day)
        low = max(civil_day_bounds(day, zone).start, start)
        high = min(civil_day_bounds(following, zone).start, end)
        accounts[day] = _Account(day, Interval(low, high))
        day = following
    for part in parts_by_day(segments, zone):
        account = accounts.get(period.first_day(part.day))
        if account is not None:
            account.add(part, kind)
    return [account.total(kind, step, zone) for account in accounts.values()]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period beside an earlier one."""

    current: Total
    reference: Total

    @property
    def difference_wh(self) -> int | float | None:
        if self.current.energy_wh is None or self.reference.energy_wh is None:
            return None
        return self.current.energy_wh - self.reference.energy_wh

    @property
    def change(self) -> float | None:
        """Relative change of the energy: 0.1 is ten percent more. None without anything to compare with."""
        difference = self.difference_wh
        if difference is None or not self.reference.energy_wh:
            return None
        return difference / self.reference.energy_wh

    @property
    def fair(self) -> bool:
        """True when nothing is missing on either side."""
        return self.current.complete and self.reference.complete


class Earlier(StrEnum):
    """With which earlier interval one compares."""

    BEFORE = "before"
    """As many civil days, just before; for whole months and years, as many months."""
    YEAR = "year"
    """The same dates a year before."""
    WEEKS_52 = "weeks_52"
    """The same days of the week, 364 days before."""

    def interval(self, start: datetime, end: datetime, *, zone: ZoneInfo) -> Interval:
        """The earlier interval, from local midnight to local midnight. 29 February becomes 28 February.

        Raises `GridgateError` (INVALID) when `end` is not after `start`.
        """
        Interval(start, end)
        first, last = civil_day_of(start, zone), days_between(start, end, zone)[-1] + timedelta(days=1)
        match self:
            case Earlier.WEEKS_52:
                shifted = first - timedelta(days=364), last - timedelta(days=364)
            case Earlier.YEAR:
                shifted = months_from(first, -12), months_from(last, -12)
            case Earlier.BEFORE if first.day == 1 and last.day == 1:
                months = (last.year - first.year) * 12 + last.month - first.month
                shifted = months_from(first, -months), first
            case Earlier.BEFORE:
                shifted = first - (last - first), first
        return Interval(instant(midnight(shifted[0], zone)), instant(midnight(shifted[1], zone)))


@dataclass(frozen=True, slots=True)
class DayPart:
    """The values of one segment that belong to one civil day."""

    day: date
    start: int
    """Epoch second of the first of them."""
    step: int
    values: list[int | float | None]
    words: list[str]
    offsets: list[int] | None


def parts_by_day(segments: Sequence[Segment], zone: ZoneInfo) -> Iterator[DayPart]:
    """Cut segments at local midnights."""
    for segment in segments:
        words, at, index = segment.qualities(), epoch(segment.start), 0
        day = segment.first_day(zone)
        while index < len(segment):
            bound = next_midnight(day, zone)
            daily = segment.resolution is Resolution.P1D
            step = bound - at if daily else segment.resolution.seconds
            upto = min(len(segment), index + max(1, (bound - at) // step))
            offsets = segment.offsets[index:upto] if segment.offsets else None
            yield DayPart(day, at, step, segment.values[index:upto], words[index:upto], offsets)
            at, index, day = bound, upto, day + timedelta(days=1)


def usual_step(segments: Sequence[Segment], kind: Kind) -> Resolution:
    """The step that most values have; without any, half hours for a load curve and days for the rest."""
    counts: dict[Resolution, int] = {}
    for segment in segments:
        counts[segment.resolution] = counts.get(segment.resolution, 0) + len(segment)
    if not counts:
        return Resolution.PT30M if kind is Kind.LOAD_CURVE else Resolution.P1D
    return max(counts, key=lambda resolution: counts[resolution])


@dataclass(slots=True)
class _Account:
    first: date
    interval: Interval
    seconds: int = 0
    days: set[date] = field(default_factory=set)
    sum: int | Fraction = 0
    values: int = 0
    estimated: int = 0
    corrected: int = 0
    maximum: Extreme | None = None
    minimum: Extreme | None = None

    def add(self, part: DayPart, kind: Kind) -> None:
        values = [v for v in part.values if v is not None]
        if not values:
            return
        total = exact_sum(values)
        self.sum += total * part.step if kind is Kind.LOAD_CURVE else total
        self.values += len(values)
        self.seconds += len(values) * part.step
        self.days.add(part.day)
        self.estimated += part.words.count("estimated")
        self.corrected += part.words.count("corrected")
        highest, lowest = max(values), min(values)
        if self.maximum is None or highest > self.maximum.value:
            self.maximum = _extreme(part, highest)
        if self.minimum is None or lowest < self.minimum.value:
            self.minimum = _extreme(part, lowest)

    def total(self, kind: Kind, step: Resolution, zone: ZoneInfo) -> Total:
        assert self.interval.end is not None
        if step is Resolution.P1D:
            missing = len(days_between(self.interval.start, self.interval.end, zone)) - len(self.days)
        else:
            length = epoch(self.interval.end) - epoch(self.interval.start)
            missing = -(-max(0, length - self.seconds) // step.seconds)  # of a part of a step, the step
        energy: int | float | None = None
        if kind is Kind.LOAD_CURVE:
            energy = quotient(self.sum, 3600)
        elif kind is Kind.DAILY_ENERGY:
            energy = number(self.sum)
        return Total(
            self.first,
            self.interval,
            energy,
            self.values,
            missing,
            self.estimated,
            self.corrected,
            self.maximum,
            self.minimum,
        )


def _extreme(part: DayPart, value: int | float) -> Extreme:
    index = part.values.index(value)
    offset = part.offsets[index] if part.offsets else 0
    return Extreme(value, instant(part.start + index * part.step + offset))
