"""Comparing the registry's roll-up and index of the access log with the log itself."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Min

from gridgate.audit.lines import Columns, instant_of, micros_of, zone
from gridgate.audit.models import (
    AccessLogSegment,
    LogDay,
    LogFacet,
    LogPoint,
    LogPointDay,
    LogRetention,
    LogStretch,
)
from gridgate.audit.operations.progress import Position, erased_before
from gridgate.audit.operations.roll_up import Facet, LogLine, RollUp, Sums
from gridgate.core.retention import latest_erasable
from gridgate.core.time import civil_day_bounds, civil_day_of

LATE = timedelta(hours=26)
"""The worker folds within seconds; whatever is that old was not folded, or is folded no more."""
_SETTLED = timedelta(days=3)
"""Segments of a day hold lines of the next one at most: those of later days say nothing more of a day, unless a clock was
put back.
"""

Key = tuple[Any, ...]


def unknown_segments(*, names: Iterable[str]) -> list[str]:
    """Segments that the registry has folded and that are not among those there are."""
    return sorted(set(AccessLogSegment.objects.values_list("name", flat=True)) - set(names))


def folded() -> dict[str, Position]:
    """How far each segment is folded, as the registry says."""
    rows = AccessLogSegment.objects.values_list("name", "lines", "size", "head")
    return {name: Position(lines, size, head) for name, lines, size, head in rows}


def retention_faults(*, now: datetime) -> Iterator[str]:
    """Erasures that no retention allows."""
    for row in LogRetention.objects.order_by("pk"):
        if row.at > now or row.before > latest_erasable(row.at):
            yield f"retention {row.pk}: it erases entries of {row.before:%Y-%m-%d}, which were to be kept then"


@contextmanager
def snapshot() -> Iterator[None]:
    """What the registry held at one instant, whatever a worker folds meanwhile; nobody waits for it."""
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


@dataclass(slots=True)
class Comparison:
    """The roll-up as the segments make it, against the one that the registry has.

    Segments are given in the order of their days, and a day is compared and forgotten when no later segment can add to
    it: memory is that of a few days and of the sums since the beginning.
    """

    now: datetime
    _facets: dict[Facet, int] = field(default_factory=dict)
    """The numbers of the registry's facets; those that it lacks are numbered below nought."""
    _days: dict[Key, Sums] = field(default_factory=dict)
    _point_days: dict[Key, Sums] = field(default_factory=dict)
    _points: dict[Key, Sums] = field(default_factory=dict)
    _last_in: dict[Key, tuple[int, set[int]]] = field(default_factory=dict)
    """Of the days: when the last line was written, and the segments that have one of that instant."""
    _compared: set[int] = field(default_factory=set)
    """The segments whose lines were taken."""
    _settled: date = date.min
    """Days before that are compared."""
    _erased: date | None = None
    _names: list[str] = field(default_factory=list)
    _reaches: list[int] = field(default_factory=list)
    """From which instant on lines are in the segment of that name, or in those after it, as the index says, which is
    compared with the lines of each.
    """

    def __post_init__(self) -> None:
        self._erased = erased_before()
        firsts = (
            LogStretch.objects.values_list("segment__name").annotate(Min("first")).order_by("segment__name")
        )
        self._names, beginnings = map(list, zip(*firsts, strict=True)) if firsts else ([], [])
        self._reaches = [*accumulate(reversed(beginnings), min)][::-1]
        columns = Facet._fields
        for number, *said in LogFacet.objects.values_list("pk", *columns):
            self._facets[Facet(*said)] = number

    def segment(self, name: str, day: date | None, lines: Iterable[LogLine]) -> Iterator[str]:
        """Take the lines of a segment; what the registry says otherwise of them and of the days that are then over.

        Lines that are not folded yet are no difference until they are `LATE`, nor are those that a retention has erased.
        """
        if day is not None:
            yield from self._settle(min(day - _SETTLED, self._reached_from(name)))
        row = AccessLogSegment.objects.filter(name=name).first()
        roll_up, late, displaced = RollUp(zone()), 0, False
        for line in lines:
            if row is not None and line.number == row.lines + 1 and (row.sealed or line.offset != row.size):
                displaced = True
            if line.entry is None:
                continue
            with suppress(KeyError, TypeError, ValueError):  # whoever reads the log says so
                if row is not None and line.number <= row.lines:
                    roll_up.add(line.entry, line.offset)
                elif datetime.fromisoformat(line.entry["at"]) < self.now - LATE:
                    late = late or line.number
        if displaced:
            yield f"{name}: the registry does not go on folding where it stopped"
        if late:
            yield f"{name}:{late}: the registry lacks this entry and those after it, though they are old"
        if self._erased is not None:
            roll_up.drop_before(self._erased)
        numbers = [self._number(facet) for facet in roll_up.facets]
        days = roll_up.days()
        if row is not None:
            for (place, of), sums in days.items():
                self._note_last((numbers[place], of), sums.last, row.pk)
        for tallies, into in (
            (days, self._days),
            (roll_up.point_days(), self._point_days),
            (roll_up.points(), self._points),
        ):
            for (place, *rest), sums in tallies.items():
                key = (numbers[place], *rest)
                if key in into:
                    into[key].add(sums)
                else:
                    into[key] = sums
        if row is not None:
            self._compared.add(row.pk)
            yield from self._index(row, roll_up, numbers)

    def end(self) -> Iterator[str]:
        """What is left to compare when there are no more segments."""
        yield from self._settle(date.max)
        of_facet = self._holders()
        there = {
            (facet, point, permission): (entries, last)
            for facet, point, permission, entries, last in LogPoint.objects.values_list(
                "facet", "metering_point_id", "permission", "entries", "last"
            ).iterator()
        }
        logged = {key: (sums.entries, sums.last) for key, sums in self._points.items()}
        yield from _differing(
            logged, there, lambda key: f"company {of_facet(key[0])}, point {key[1]}, since the beginning"
        )
        yield from self._elsewhere()

    def _settle(self, before: date) -> Iterator[str]:
        of_facet = self._holders()
        names = ("entries", "values", "first", "last")
        for model, tallies, more in (
            (LogDay, self._days, ()),
            (LogPointDay, self._point_days, ("metering_point_id",)),
        ):
            rows = model.objects.filter(day__gte=self._settled, day__lt=before)
            there = {
                (row[0], row[1].isoformat(), *row[2 : 2 + len(more)]): tuple(row[2 + len(more) :])
                for row in rows.values_list("facet", "day", *more, *names).iterator()
            }
            over = [key for key in tallies if key[1] < before.isoformat()]
            logged = {}
            for key in over:
                sums = tallies.pop(key)
                logged[key] = (sums.entries, sums.values, sums.first, sums.last)
            yield from _differing(
                logged,
                there,
                lambda key: f"{key[1]}, company {of_facet(key[0])}{', point ' + key[2] if key[2:] else ''}",
                names,
            )
        yield from self._segments_of_days(before)
        self._settled = max(self._settled, before)

    def _reached_from(self, name: str) -> date:
        """The earliest day of which this segment or a later one holds lines: a clock that was put back writes on in the
        segment of a later day.
        """
        place = bisect_left(self._names, name)
        if place == len(self._names):
            return date.max
        try:
            return civil_day_of(instant_of(self._reaches[place]), zone())
        except OverflowError:  # nothing that was written here
            return date.min

    def _note_last(self, key: Key, last: int, segment: int) -> None:
        latest, there = self._last_in.get(key, (last, set()))
        if last > latest:
            latest, there = last, set()
        if last == latest:
            there.add(segment)
        self._last_in[key] = latest, there

    def _segments_of_days(self, before: date) -> Iterator[str]:
        """A receipt names the segment of the last line: the one that the registry says must have it."""
        of_facet = self._holders()
        rows = LogDay.objects.filter(day__gte=self._settled, day__lt=before)
        for facet, day, segment in rows.values_list("facet", "day", "segment").iterator():
            _, there = self._last_in.get((facet, day.isoformat()), (0, {segment}))
            if segment not in there:
                yield f"{day}, company {of_facet(facet)}: the registry says that its last line is in another segment"
        for key in [key for key in self._last_in if key[1] < before.isoformat()]:
            del self._last_in[key]

    def _elsewhere(self) -> Iterator[str]:
        """Lines that the index finds in segments that are not there, but for those that a retention has erased."""
        names = dict(AccessLogSegment.objects.values_list("pk", "name"))
        stretches = LogStretch.objects.order_by("segment")
        if self._erased is not None:
            stretches = stretches.filter(last__gte=_start_of(self._erased))
        for segment in stretches.values_list("segment", flat=True).distinct():
            if segment not in self._compared:
                name = names.get(segment, f"segment {segment}, of which the registry has no name")
                yield f"{name}: the index finds lines of it, and it is not there"

    def _index(self, row: AccessLogSegment, roll_up: RollUp, numbers: list[int]) -> Iterator[str]:
        holders = [facet.holder for facet in roll_up.facets]
        logged: dict[int | None, list[tuple[int, int, int, int]]] = {}
        for offset, at, facet, point in roll_up.lines:
            logged.setdefault(holders[facet], []).append((offset, at, numbers[facet], point))
        there: dict[int | None, list[Columns]] = {}
        damaged = set()
        for stretch in LogStretch.objects.filter(segment=row).order_by("pk"):
            try:
                columns = Columns.unpack(bytes(stretch.columns), most=row.lines)
            except ValueError:
                damaged.add(stretch.holder)
                continue
            if not len(columns.at):
                continue
            if (stretch.first, stretch.last) != (int(columns.at.min()), int(columns.at.max())):
                damaged.add(stretch.holder)
            if self._erased is not None:
                columns = columns.where(columns.at >= _start_of(self._erased))
            there.setdefault(stretch.holder, []).append(columns)
        for holder in sorted({*logged, *there, *damaged}, key=str):
            expected, indexed = Columns.of(logged.get(holder, ())), Columns.joined(there.get(holder, []))
            if holder in damaged or not _same(expected, indexed):
                yield f"{row.name}, company {holder}: the index finds other lines than there are"

    def _number(self, facet: Facet) -> int:
        return self._facets.setdefault(facet, -1 - len(self._facets))

    def _holders(self) -> Callable[[int], int | None]:
        by_number = {number: facet.holder for facet, number in self._facets.items()}
        return lambda number: by_number.get(number)


def _same(one: Columns, other: Columns) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("offset", "at", "facet", "point")
    )


def _start_of(day: date) -> int:
    return micros_of(civil_day_bounds(day, zone()).start)


def _differing(
    logged: Mapping[Key, Key],
    there: Mapping[Key, Key],
    named: Callable[[Key], str],
    names: tuple[str, ...] = ("entries", "last"),
) -> Iterator[str]:
    for key in sorted(logged.keys() | there.keys(), key=str):
        if key not in there:
            yield f"{named(key)}: the registry lacks {logged[key][0]} of the log's entries"
        elif key not in logged:
            yield f"{named(key)}: the registry counts {there[key][0]} entries that the log has not"
        elif logged[key] != there[key]:
            what = [name for name, a, b in zip(names, logged[key], there[key], strict=True) if a != b]
            yield f"{named(key)}: the registry says otherwise than the log: {', '.join(what)}"
