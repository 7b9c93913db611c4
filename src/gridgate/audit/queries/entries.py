"""The entries themselves: every read and refused attempt, latest first, a page at a time."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db.models import Min, Q

from gridgate.audit.lines import LogEntry, instant_of, micros_of, number_of_point, zone
from gridgate.audit.models import LogDay, LogFacet
from gridgate.audit.queries.index import Line, lines_of, points_on, read_all
from gridgate.audit.queries.sums import Read, facets_of, rows_of, sums_of
from gridgate.audit.queries.wanted import Actor, Wanted
from gridgate.core.time import civil_day_of

AT_ONCE = 2000
"""How many lines are held in memory while many are read."""

_log = logging.getLogger(__name__)


def search(*, actor: Actor, wanted: Wanted, read: Read | None = None) -> "Entries":
    """The reads and refused attempts on the points of the actor's company and perimeter that match, latest first."""
    return Entries(actor, wanted, read)


class Entries:
    """Lines of the log, found by the registry's roll-up and index, and read from the segments as they are looked at.

    The roll-up says on which days there are any and how many, so that a page far down costs what the first one does;
    the index says where those of a day lie.
    """

    def __init__(self, actor: Actor, wanted: Wanted, read: Read | None = None) -> None:
        self.unreadable = 0
        """How many of those looked at so far are counted and could not be shown."""
        self._actor, self._wanted, self._read_already = actor, wanted, read
        self._days: list[tuple[date, int]] | None = None
        self._facets: list[int] | None = None

    def count(self) -> int:
        return sum(count for _, count in self._by_day())

    __len__ = count

    def __iter__(self) -> Iterator[LogEntry]:
        for day, count in self._by_day():
            found, shown = self._located([day]), 0
            for begin in range(0, len(found), AT_ONCE):
                entries = self._read(found[begin : begin + AT_ONCE])
                shown += len(entries)
                yield from entries
            self.unreadable += max(0, count - shown)

    def __getitem__(self, place: slice) -> list[LogEntry]:
        start, stop, _ = place.indices(self.count())
        days, before, passed = [], 0, 0
        for day, count in self._by_day():
            if passed + count <= start:
                before = passed + count
            elif passed < stop:
                days.append(day)
            passed += count
        shown = self._read(self._located(days)[start - before : stop - before]) if days else []
        self.unreadable += max(0, stop - start - len(shown))
        return shown

    def first_from(self, at: datetime) -> datetime | None:
        """When the earliest of them was logged that is not before `at`."""
        since = micros_of(at)
        days = sums_of(self._actor, replace(self._wanted, first=civil_day_of(at, zone()))).filter(
            last__gte=since
        )
        for day, first in days.values_list("day").annotate(begins=Min("first")).order_by("day"):
            if first >= since:
                return instant_of(first)
            for line in reversed(self._located([day])):
                if line.at >= since:
                    return instant_of(line.at)
        return None

    def _by_day(self) -> list[tuple[date, int]]:
        if self._days is None:
            rows, counts = rows_of(self._actor, self._wanted, self._read_already), dict[date, int]()
            for row in rows:
                counts[row.day] = counts.get(row.day, 0) + row.entries
            self._days = sorted(counts.items(), reverse=True)
            self._facets = list({row.facet.pk for row in rows})
        return self._days

    def _located(self, days: Sequence[date]) -> "list[Line]":
        """The lines of these days, the latest first."""
        if self._facets is None:
            self._facets = list(facets_of(self._actor, self._wanted).values_list("pk", flat=True))
        points = points_on(self._actor, self._wanted, days, self._facets)
        holder = Q(holder=self._actor.organisation_id)
        return [*reversed(lines_of(days, holder, self._facets, points))]

    def _read(self, found: Sequence["Line"]) -> list[LogEntry]:
        shown = []
        for line, entry in zip(found, read_all(found), strict=True):
            if entry is None:
                continue
            # What the index says was asked for is shown only when the line itself says so.
            if (entry.holder, number_of_point(entry.metering_point_id)) == (
                self._actor.organisation_id,
                line.point,
            ):
                shown.append(entry)
            else:
                _log.error(
                    "the index says otherwise than line at %s of segment %s", line.offset, line.segment
                )
        return shown


def entries_by(*, user: int) -> Iterator[LogEntry | None]:
    """What one person read, or asked for in vain, on anybody's points; the earliest first, and None for a line that
    cannot be read. For their own copy.
    """
    facets = list(LogFacet.objects.filter(user=user))
    numbers = [facet.pk for facet in facets]
    holders = Q(holder__in={facet.holder for facet in facets})
    if any(facet.holder is None for facet in facets):
        holders |= Q(holder=None)
    days = LogDay.objects.filter(facet__in=numbers).order_by("day").values_list("day", flat=True).distinct()
    for day in days:
        found = lines_of([day], holders, numbers, None)
        for begin in range(0, len(found), AT_ONCE):
            for entry in read_all(found[begin : begin + AT_ONCE]):
                yield entry if entry is not None and entry.user == user else None


def first_refusal_after(*, actor: Actor, reader: int, at: datetime) -> datetime | None:
    """When this reader was first refused from `at` on: the proof that an end holds."""
    return search(actor=actor, wanted=Wanted(reader=reader, outcome="refused")).first_from(at)
