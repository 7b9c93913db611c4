"""`LocalTimeParameters`: the clock that a feed's own days follow."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridgate.core.time import months_from
from gridgate.dataplane.ingest.local_time import DAY, EPOCH, FIRST, LAST

_DISABLED: Final = 0xFFFFFFFF
_LARGEST_OFFSET: Final = 18 * 3600
_NO_DAY: Final = -1


@dataclass(frozen=True, slots=True)
class Rule:
    """When an offset changes, every year (`DstRuleType` of `espi.xsd`)."""

    month: int
    operator: int
    day: int
    weekday: int
    """1 is Monday, 0 none."""
    seconds: int

    def in_year(self, year: int) -> int:
        """The second of the change on the clock that it changes, counted from 1970."""
        return (self._date(year) - EPOCH).days * DAY + self.seconds

    def _date(self, year: int) -> date:
        first = date(year, self.month, 1)
        if self.operator == 0:
            return first + timedelta(days=self.day - 1)
        if self.operator == 1:
            return _on_or_after(first + timedelta(days=self.day - 1), self.weekday)
        if self.operator == 7:
            return _on_or_after(months_from(first, 1) - timedelta(days=7), self.weekday)
        return _on_or_after(first, self.weekday) + timedelta(weeks=self.operator - 2)


@dataclass(frozen=True, slots=True)
class Clock:
    """A standard offset from UTC and, between two days of each year, another."""

    offset: int
    summer: int
    starts: Rule | None
    ends: Rule | None

    def days(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """Midnight of the day, as this clock shows it, of each interval that is one of its days; -1 for the others."""
        begins, finishes = self._shown(starts), self._shown(ends)
        whole = (begins % DAY == 0) & (finishes == begins + DAY)
        days: NDArray[np.int64] = np.where(whole, begins, _NO_DAY)
        return days

    def _shown(self, instants: NDArray[np.int64]) -> NDArray[np.int64]:
        standard: NDArray[np.int64] = np.clip(instants, FIRST, LAST) + self.offset
        if self.starts is None or self.ends is None:
            return standard
        summer = np.zeros(len(standard), bool)
        first, last = (_year(int(edge)) for edge in (standard.min(initial=LAST), standard.max(initial=FIRST)))
        for year in range(first, last + 1):
            here = (standard >= _new_year(year)) & (standard < _new_year(year + 1))
            start, end = self.starts.in_year(year), self.ends.in_year(year) - self.summer
            within = (standard >= start, standard < end)
            summer |= here & (within[0] & within[1] if start < end else within[0] | within[1])
        return standard + np.where(summer, self.summer, 0)


def clock_of(offset: int | None, summer: int | None, starts: str, ends: str) -> Clock | None:
    """The clock that LocalTimeParameters describe; None when they leave open when it changes."""
    offset, summer = offset or 0, summer or 0
    if max(abs(offset), abs(summer)) > _LARGEST_OFFSET:
        return None
    if not summer or (starts.upper(), ends.upper()) == (f"{_DISABLED:X}",) * 2:
        return Clock(offset, 0, None, None)
    first, last = _rule(starts), _rule(ends)
    return Clock(offset, summer, first, last) if first and last else None


def _rule(text: str) -> Rule | None:
    try:
        bits = int(text, 16)
    except ValueError:
        return None
    rule = Rule(
        month=bits >> 28 & 15,
        operator=bits >> 25 & 7,
        day=bits >> 20 & 31,
        weekday=bits >> 17 & 7,
        seconds=(bits >> 12 & 31) * 3600 + (bits & 0xFFF),
    )
    dated = rule.day > 0 if rule.operator < 2 else True
    weekly = rule.weekday > 0 if rule.operator > 0 else True
    return rule if 0 < bits < 2**32 and 1 <= rule.month <= 12 and dated and weekly else None


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.isoweekday()) % 7)


def _year(seconds: int) -> int:
    return datetime.fromtimestamp(seconds, UTC).year


def _new_year(year: int) -> int:
    return (date(year, 1, 1) - EPOCH).days * DAY
