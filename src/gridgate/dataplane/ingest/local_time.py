"""The clock on the wall, by columns: which instant a local stamp means, which civil day an instant belongs
to.

Twice a year a local stamp is not enough. When the clocks go forward an hour does not exist; when they go back
an hour exists twice, and only the order of a series can tell the first from the second.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

EPOCH: Final = date(1970, 1, 1)
DAY: Final = 86_400
FIRST: Final = 0
"""1970-01-01: no meter that this software will see reads earlier."""
LAST: Final = 130 * 365 * DAY
"""Towards the end of 2099."""

Seconds: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


class LocalClock:
    """The clock of one time zone, for columns of seconds between 1970 and 2099."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def of(self, utc: Seconds) -> Seconds:
        """What the clock on the wall shows, in seconds since 1970."""
        if not len(utc):
            return utc
        changes = self._changes(utc)
        return utc + changes.after[np.searchsorted(changes.at, utc, side="right") - 1]

    def midnights(self, days: Seconds) -> Seconds:
        """The instants at which those civil days (numbered from 1970-01-01) begin."""
        if not len(days):
            return days
        first, last = int(days.min()), int(days.max())
        if last - first < len(days):
            starts = [_midnight(day, self.zone) for day in range(first, last + 1)]
            return np.array(starts, np.int64)[days - first]
        distinct, inverse = np.unique(days, return_inverse=True)
        return np.array([_midnight(int(day), self.zone) for day in distinct], np.int64)[inverse]

    def readings(self, wall: Seconds) -> "tuple[Seconds, Mask, list[Doubled]]":
        """The instants that local stamps mean, each by itself: the first of two, where the clock showed that twice.

        Returns `(utc, absent, doubled)`: `absent` where the clock never showed that.
        """
        absent = np.zeros(len(wall), bool)
        doubled: list[Doubled] = []
        if not len(wall):
            return wall, absent, doubled
        changes = self._changes(wall)
        turn = changes.at + np.maximum(changes.before, changes.after)
        utc = wall - changes.after[np.searchsorted(turn, wall, side="right") - 1]
        for at, before, after in zip(changes.at[1:], changes.before[1:], changes.after[1:], strict=True):
            if after > before:
                absent |= (wall >= at + before) & (wall < at + after)
            else:
                doubled.append(Doubled((wall >= at + after) & (wall < at + before), int(after)))
        return utc, absent, doubled

    def instants(self, wall: Seconds, steps: Seconds) -> tuple[Seconds, Mask, Mask]:
        """The instants that local stamps mean, in the order of one series.

        Returns `(utc, absent, ambiguous)`: `absent` where the clock never showed that, `ambiguous` where it
        showed it twice and the order of the series does not tell which is meant.

        Order tells when the stamps of the doubled hour come round a second time, with nothing in between, or
        when the values before it (or after it) follow without a gap. `steps` are the seconds from one stamp to the
        next.
        """
        utc, absent, changes = self.readings(wall)
        ambiguous = np.zeros(len(wall), bool)
        for change in changes:
            doubled = np.flatnonzero(change.mask)
            if len(doubled):
                second, unknown = _passes(wall, steps, doubled)
                utc[doubled[second]] = wall[doubled[second]] - change.after
                ambiguous[doubled[unknown]] = True
        return utc, absent, ambiguous

    def lasting(self, start: Seconds, end: Seconds) -> Seconds:
        """The seconds between two local stamps of one step, which is shorter than the hour by which clocks change."""
        lasting = end - start
        if not len(start):
            return lasting
        changes = self._changes(start)
        for at, before, after in zip(changes.at[1:], changes.before[1:], changes.after[1:], strict=True):
            if after > before:
                across = (start < at + before) & (end >= at + after)
            else:
                across = (lasting <= 0) & (start >= at + after) & (start < at + before)
            lasting = np.where(across, lasting - (after - before), lasting)
        return lasting

    def alike(self, utc: Seconds) -> tuple[Mask, Mask]:
        """The instants, in the order of one series, of a doubled hour whose two passes bear one offset.

        Returns `(alike, unpaired)`. Alike are the instants of a pass that is told twice where the other is not
        told, or where the order goes back within it: their offset says nothing. Unpaired are those of them
        that do not all come exactly twice.
        """
        alike, unpaired = np.zeros(len(utc), bool), np.zeros(len(utc), bool)
        if not len(utc):
            return alike, unpaired
        changes = self._changes(utc)
        for at, before, after in zip(changes.at[1:], changes.before[1:], changes.after[1:], strict=True):
            first = (utc >= at - (before - after)) & (utc < at)
            second = (utc >= at) & (utc < at + (before - after))
            for told, other in ((first, second), (second, first)):
                counts = _counts(utc[told])
                if (counts > 1).any() and (
                    not other.any() or (_goes_back(utc[told]) and (_counts(utc[other]) == 1).all())
                ):
                    alike |= told | other
                    if other.any() or not (counts == 2).all():
                        unpaired |= told | other
        return alike, unpaired

    def repeats(self, wall: Seconds, sizes: NDArray[np.float64]) -> bool:
        """Whether local stamps, in the order of one series, tell a doubled hour twice in a row, with other values."""
        if not len(wall):
            return False
        changes = self._changes(wall)
        for at, before, after in zip(changes.at[1:], changes.before[1:], changes.after[1:], strict=True):
            doubled = np.flatnonzero((wall >= at + after) & (wall < at + before))
            if not len(doubled) or doubled[-1] - doubled[0] != len(doubled) - 1:
                continue
            stamps = wall[doubled]
            if (_counts(stamps) == 2).all():
                first, second = sizes[doubled[np.argsort(stamps, kind="stable")]].reshape(-1, 2).T
                if (first != second).any():
                    return True
        return False

    def _changes(self, seconds: Seconds) -> "_Changes":
        first, last = np.clip([seconds.min(), seconds.max()], FIRST, LAST).tolist()
        years = range(_year(first) - 1, _year(last) + 2)
        return _changes_of(self.zone, years.start, years.stop)


@dataclass(frozen=True, slots=True)
class Doubled:
    """The stamps of an hour that the clock showed twice, and the offset of its second pass."""

    mask: Mask
    after: int


class _Changes:
    """When the offset of a zone changes; the first element stands for « since ever »."""

    def __init__(self, at: list[int], before: list[int], after: list[int]) -> None:
        self.at, self.before, self.after = (np.array(column, np.int64) for column in (at, before, after))


def _passes(wall: Seconds, steps: Seconds, doubled: NDArray[np.intp]) -> tuple[Mask, Mask]:
    """Which of the stamps in a doubled hour are of its second pass, and for which nobody can tell."""
    second, unknown = np.zeros(len(doubled), bool), np.zeros(len(doubled), bool)
    downwards = wall[0] > wall[-1]  # exports with the newest value first
    order = doubled[::-1] if downwards else doubled
    stamps = wall[order]
    again = np.flatnonzero(stamps[1:] <= stamps[:-1]) + 1
    if len(again) and abs(order[-1] - order[0]) != len(order) - 1:
        unknown[:] = True  # other stamps in between: the file tells the day twice, and of each time one pass
    elif len(again) == 1:
        second[again[0] :] = True
    elif len(again) > 1:
        distinct, counts = np.unique(stamps, return_counts=True)
        if not (counts == 2).all():
            unknown[:] = True
        else:  # 02:00 02:00 02:30 02:30: the second of each is the second pass
            for stamp in distinct:
                second[np.flatnonzero(stamps == stamp)[1]] = True
    else:
        step = 1 if not downwards else -1
        before, after = order[0] - step, order[-1] + step
        follows = 0 <= before < len(wall) and stamps[0] - wall[before] == steps[order[0]]
        leads = 0 <= after < len(wall) and wall[after] - stamps[-1] == steps[order[-1]]
        if follows == leads:
            unknown[:] = True
        else:
            second[:] = leads
    return (second[::-1], unknown[::-1]) if downwards else (second, unknown)


def _counts(stamps: Seconds) -> NDArray[np.intp]:
    return np.unique(stamps, return_counts=True)[1]


def _goes_back(stamps: Seconds) -> bool:
    """Whether the order turns, upwards or downwards as it may run."""
    distances = np.diff(stamps)
    return bool((distances < 0).any() and (distances > 0).any())


@lru_cache(maxsize=256)
def _changes_of(zone: ZoneInfo, first_year: int, end_year: int) -> _Changes:
    start = datetime(max(first_year, 1970), 1, 1, tzinfo=UTC)
    offset = _offset(int(start.timestamp()), zone)
    at, before, after = [-(2**62)], [offset], [offset]
    for year in range(start.year, end_year):
        for instant, old, new in _changes_in(zone, year):
            at.append(instant)
            before.append(old)
            after.append(new)
    return _Changes(at, before, after)


@lru_cache(maxsize=1024)
def _changes_in(zone: ZoneInfo, year: int) -> tuple[tuple[int, int, int], ...]:
    """(instant, offset before, offset after) of each change in a year, to the second."""
    start = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp())
    changes = []
    offset = _offset(start, zone)
    for day_start in range(start, end, DAY):
        next_offset = _offset(day_start + DAY, zone)
        if next_offset != offset:
            within = range(day_start + 1, day_start + DAY + 1)
            step = bisect_left(within, True, key=lambda instant: _offset(instant, zone) == next_offset)
            changes.append((within[step], offset, next_offset))
            offset = next_offset
    return tuple(changes)


@lru_cache(maxsize=65_536)
def _midnight(day: int, zone: ZoneInfo) -> int:
    local = EPOCH + timedelta(days=day)
    return int(datetime(local.year, local.month, local.day, tzinfo=zone).timestamp())


def _offset(instant: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _year(seconds: int) -> int:
    return datetime.fromtimestamp(seconds, UTC).year


def day_number(day: date) -> int:
    return (day - EPOCH).days


def date_of(number: int) -> date:
    return EPOCH + timedelta(days=number)
