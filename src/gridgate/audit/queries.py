"""Reading the access log: who read a holder's measurements, or tried to, when and on what basis.

A holder's members who have the entitlement *Gestion des services de données* see the entries of their own
company's points, within their perimeter; nobody else sees any. (Regulation (EU) 2023/1162, articles 5 and 7:
the log is shown to the final customer.)
"""

import logging
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Any, NamedTuple, Protocol

import numpy as np
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from gridgate.audit.lines import (
    GRANTED,
    Columns,
    LinesMissing,
    LogEntry,
    instant_of,
    micros_of,
    number_of_point,
    read_lines,
)
from gridgate.audit.models import (
    AccessLogSegment,
    LogDay,
    LogFacet,
    LogPoint,
    LogPointDay,
    LogRetention,
    LogStretch,
)
from gridgate.audit.operations import zone
from gridgate.core.time import civil_day_bounds, civil_day_of

ENTITLEMENT = "data_services"
AT_ONCE = 2000
"""How many lines are held in memory while many are read."""

_log = logging.getLogger(__name__)


class Actor(Protocol):
    """What this app, which knows no organisation, needs of a membership."""

    organisation_id: int

    def has(self, code: str) -> bool: ...

    def within(self, code: str, field: str) -> Q: ...

    def count_within(self, code: str) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: what is left empty does not narrow. `first` and `last` are civil days of the network, both included;
    `outcome` is "granted", "refused" or one reason; `own` says whose: the company's own (True) or all others' (False).
    """

    first: date | None = None
    last: date | None = None
    reader: int | None = None
    metering_point: str = ""
    kind: str = ""
    outcome: str = ""
    channel: str = ""
    own: bool | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries: reads, refusals."""

    read: int = 0
    refused: int = 0

    @property
    def all(self) -> int:
        return self.read + self.refused


@dataclass(frozen=True, slots=True)
class Reads:
    """How often something was read, and the last time."""

    count: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """A day on which a reader read many times more than on its other days."""

    index: int
    count: int
    usual: int
    """Mean of the other days on which it read at all."""

    @property
    def times(self) -> int:
        return self.count // max(1, self.usual)


UNUSUAL_TIMES = 4
UNUSUAL_AT_LEAST = 20


def unusual_day(counts: Sequence[int]) -> UnusualDay | None:
    """Find the day that stands out: at least 20 reads, and four times the mean of the other days with reads.

    A reader that reads once a week is used to its weekly reads; one that has read on a single day has no
    habit yet.

    >>> unusual_day([42, 40, 0, 44, 505, 42]).times
    12
    >>> unusual_day([0, 0, 12, 0, 0, 12]) is None, unusual_day([0, 900, 0]) is None
    (True, True)
    """
    if not counts:
        return None
    index = max(range(len(counts)), key=counts.__getitem__)
    others = [count for place, count in enumerate(counts) if count and place != index]
    if not others or counts[index] < UNUSUAL_AT_LEAST:
        return None
    usual = round(sum(others) / len(others))
    return UnusualDay(index, counts[index], usual) if counts[index] >= UNUSUAL_TIMES * max(1, usual) else None


class _Row(NamedTuple):
    """How many entries of a facet there are on a day, and the last of them."""

    facet: LogFacet
    day: date
    entries: int
    last: int


@dataclass(slots=True)
class Read:
    """What was read already: given to several functions, it is read once, which of somebody who sees a part of the points
    is most of what they cost. One actor's, for one request.
    """

    sums: dict[tuple[date | None, date | None, str], list[tuple[int, date, int, int]]] = field(
        default_factory=dict
    )
    """The days' sums, by period and point."""
    facets: list[LogFacet] | None = None
    """Of the actor's company, or none."""


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
        days = _sums(self._actor, replace(self._wanted, first=civil_day_of(at, zone()))).filter(
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
            rows, counts = _rows(self._actor, self._wanted, self._read_already), dict[date, int]()
            for row in rows:
                counts[row.day] = counts.get(row.day, 0) + row.entries
            self._days = sorted(counts.items(), reverse=True)
            self._facets = list({row.facet.pk for row in rows})
        return self._days

    def _located(self, days: Sequence[date]) -> "list[_Line]":
        """The lines of these days, the latest first."""
        if self._facets is None:
            self._facets = list(_facets(self._actor, self._wanted).values_list("pk", flat=True))
        points = _points_on(self._actor, self._wanted, days, self._facets)
        holder = Q(holder=self._actor.organisation_id)
        return [*reversed(_lines_of(days, holder, self._facets, points))]

    def _read(self, found: Sequence["_Line"]) -> list[LogEntry]:
        shown = []
        for line, entry in zip(found, _read(found), strict=True):
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
        found = _lines_of([day], holders, numbers, None)
        for begin in range(0, len(found), AT_ONCE):
            for entry in _read(found[begin : begin + AT_ONCE]):
                yield entry if entry is not None and entry.user == user else None


def readers_in(*, actor: Actor, wanted: Wanted, read: Read | None = None) -> dict[int, str]:
    """Which others read or tried to: the reader's id and its last name in the log, by name."""
    rows = sorted(_rows(actor, replace(wanted, own=False), read), key=lambda row: row.last)
    names = {row.facet.reader: row.facet.reader_name for row in rows if row.facet.reader is not None}
    return dict(sorted(names.items(), key=lambda item: item[1].casefold()))


def channels_in(*, actor: Actor, wanted: Wanted, read: Read | None = None) -> list[str]:
    """By which ways data was read: "api:enedis", "screen"…"""
    return sorted({row.facet.channel for row in _rows(actor, wanted, read)} - {""})


def erased_before() -> datetime | None:
    """Up to when the log was erased, as old as it was; None when it is whole."""
    latest: datetime | None = LogRetention.objects.aggregate(before=Max("before"))["before"]
    return latest


def counts(*, actor: Actor, wanted: Wanted, read: Read | None = None) -> tuple[Counts, Counts]:
    """How many entries match: others', and the company's own."""
    found = {(own, granted): 0 for own in (False, True) for granted in (False, True)}
    for row in _rows(actor, wanted, read):
        found[row.facet.reader == actor.organisation_id, row.facet.outcome == GRANTED] += row.entries
    others, own = (Counts(found[whose, True], found[whose, False]) for whose in (False, True))
    return others, own


_VISIT = ("user", "user_name", "application", "channel", "kind", "direction")


class Visits:
    """The company's own entries that match, put together: one row for what a person or a program looked at by one way
    on one civil day, the latest first. A page of the portal that shows twelve points is twelve entries.
    """

    def __init__(self, actor: Actor, wanted: Wanted) -> None:
        self._actor, self._wanted = actor, replace(wanted, own=True)

    def count(self) -> int:
        return self._rows().count()

    __len__ = count

    def __getitem__(self, place: slice) -> list[dict[str, Any]]:
        rows = [
            {key.removeprefix("facet__"): value for key, value in row.items()} for row in self._rows()[place]
        ]
        points = self._points({row["day"] for row in rows})
        for row in rows:
            row["first_at"], row["last_at"] = instant_of(row["begins"]), instant_of(row["ends"])
            row["points"], row["point"] = points[_visit(row)]
        return rows

    def _rows(self) -> QuerySet[Any, Any]:
        granted = Q(facet__outcome=GRANTED)
        visits = _sums(self._actor, self._wanted).values("day", *(f"facet__{name}" for name in _VISIT))
        found: QuerySet[Any, Any] = visits.annotate(
            read=Coalesce(Sum("entries", filter=granted), 0),
            refused=Coalesce(Sum("entries", filter=~granted), 0),
            begins=Min("first"),
            ends=Max("last"),
            received=Sum("values"),
        ).order_by("-day", "-ends", "facet__kind", "facet__direction")
        return found

    def _points(self, days: Collection[date]) -> dict[tuple[object, ...], tuple[int, str]]:
        """How many points each visit of these days was to, and the least of them."""
        found = _sums(self._actor, self._wanted, by_point=True).filter(day__in=days)
        rows = found.values_list("day", *(f"facet__{name}" for name in _VISIT)).annotate(
            points=Count("metering_point_id", distinct=True), point=Min("metering_point_id")
        )
        return {tuple(row[:-2]): (row[-2], row[-1]) for row in rows}


def _visit(row: Mapping[str, Any]) -> tuple[object, ...]:
    return (row["day"], *(row[name] for name in _VISIT))


def is_readable(segment: str) -> bool:
    """Whether lines at both ends of what was last counted of a segment can be read; one not known is no fault."""
    found = LogStretch.objects.filter(segment__name=segment).order_by("-pk")
    stretch = found.values_list("segment__lines", "columns").first()
    if stretch is None:
        return True
    lines, packed = stretch
    try:
        offsets = Columns.unpack(bytes(packed), most=lines).offset
        ends = [int(offsets.min()), int(offsets.max())]
        return len(list(read_lines(segment, ends))) == len(ends)
    except (LinesMissing, ValueError, KeyError, TypeError):
        return False


def own_visits(*, actor: Actor, wanted: Wanted) -> Visits:
    return Visits(actor, wanted)


def reads_in(
    *,
    actor: Actor,
    days: Sequence[date],
    wanted: Wanted | None = None,
    but: Collection[int] = (),
    read: Read | None = None,
) -> dict[int | None, list[int]]:
    """How often each reader read on each of `days` (successive).

    `wanted` narrows further; readers in `but` are left out: a holder's own reads are not news to it.
    """
    if not days:
        return {}
    within = replace(wanted or Wanted(), first=days[0], last=days[-1])
    found: dict[int | None, list[int]] = {}
    for row in _rows(actor, within, read):
        reader = row.facet.reader
        if row.facet.outcome == GRANTED and reader not in but:
            found.setdefault(reader, [0] * len(days))[(row.day - days[0]).days] += row.entries
    return found


@dataclass(frozen=True, slots=True)
class LastRead:
    """That a reader read one kind of data: of how many points, and the last time."""

    reader_name: str
    kind: str
    points: int
    at: datetime


def last_reads(*, actor: Actor, since: datetime, most: int) -> list[LastRead]:
    """What others read since then, by reader and kind, the latest first."""
    rows = (
        _read_points(actor)
        .filter(last__gte=micros_of(since))
        .exclude(facet__reader=actor.organisation_id)
        .values_list("facet__reader_name", "facet__kind")
        .annotate(latest=Max("last"), points=Count("metering_point_id", distinct=True))
        .order_by("-latest", "facet__reader_name", "facet__kind")
    )
    return [LastRead(name, kind, points, instant_of(last)) for name, kind, last, points in rows[:most]]


def last_read_by(*, actor: Actor) -> dict[int, datetime]:
    """When each reader last read."""
    found: dict[int, int] = {}
    for reader, _, last in _latest(actor, _facets(actor, Wanted(outcome=GRANTED))):
        if reader is not None:
            found[reader] = max(last, found.get(reader, last))
    return {reader: instant_of(last) for reader, last in found.items()}


def reads_by_permission(*, actor: Actor, reader: int) -> dict[str, Reads]:
    """What one reader read, since the first entry, by permission."""
    return _reads(_read_points(actor).filter(facet__reader=reader), "permission")


def reads_by_point(*, actor: Actor, reader: int, points: Iterable[str]) -> dict[str, Reads]:
    """What one reader read of these points, since the first entry."""
    found = _read_points(actor).filter(metering_point_id__in=list(points), facet__reader=reader)
    return _reads(found, "metering_point_id")


def first_refusal_after(*, actor: Actor, reader: int, at: datetime) -> datetime | None:
    """When this reader was first refused from `at` on: the proof that an end holds."""
    return search(actor=actor, wanted=Wanted(reader=reader, outcome="refused")).first_from(at)


def _reads(rows: QuerySet[LogPoint], key: str) -> dict[str, Reads]:
    found = rows.values_list(key).annotate(count=Sum("entries"), latest=Max("last"))
    return {name: Reads(count, instant_of(last)) for name, count, last in found}


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a hash-chained segment stands: this head fixes every line up to that one."""

    segment: str
    lines: int
    head: str

    @property
    def short(self) -> str:
        """The beginning of the head, in groups for the eye."""
        return " ".join(self.head[place : place + 4] for place in range(0, 16, 4))


def chain_of(*, actor: Actor) -> Chain | None:
    """The segment of the latest entry that the actor sees, as far as it is folded."""
    latest = max(_latest(actor, _facets(actor, Wanted())), key=lambda row: row[2], default=None)
    if latest is None:
        return None
    _, facet, last = latest
    day = LogDay.objects.filter(facet=facet, day=civil_day_of(instant_of(last), zone()))
    segment = AccessLogSegment.objects.filter(pk__in=day.values("segment")).exclude(head="").first()
    return Chain(segment.name, segment.lines, segment.head) if segment is not None else None


# --- where it is found


class _Line(NamedTuple):
    """A line as the index has it."""

    segment: int
    offset: int
    at: int
    point: int


def _facets(actor: Actor, wanted: Wanted) -> QuerySet[LogFacet]:
    """Of the actor's company, or none."""
    return LogFacet.objects.filter(_narrowed(actor, wanted, ""))


_OF_POINTS = LogPointDay.objects.alias(one_point=Coalesce("metering_point_id", Value("")))


def _seen(actor: Actor, wanted: Wanted) -> Q:
    """The condition that rows of `_OF_POINTS` are of points that the actor sees. Of one point it is asked of that point's
    rows alone: an engine that takes the whole perimeter for the key looks for every point of it on every day.
    """
    return actor.within(ENTITLEMENT, "one_point" if wanted.metering_point else "metering_point_id")


def _sums(actor: Actor, wanted: Wanted, *, by_point: bool = False) -> QuerySet[Any]:
    """The days' sums that match: those of whole days for who sees all the points of the company, else by point, within
    the perimeter.
    """
    within = _seen(actor, wanted)
    days = Q()
    if wanted.first is not None:
        days &= Q(day__gte=wanted.first)
    if wanted.last is not None:
        days &= Q(day__lte=wanted.last)
    whole = LogDay.objects.filter(_narrowed(actor, wanted, "facet__"), days)
    if not (within or wanted.metering_point or by_point):
        return whole
    sums = _OF_POINTS.filter(within, facet__in=_facets(actor, wanted))
    if not wanted.metering_point:
        looked_up = _days_to_look_up(actor, whole) if within else []
        return sums.filter(Q(day__in=looked_up) if looked_up else days)
    # Days one by one, and no period beside them: each is found without looking at the other points.
    on = whole.values_list("day", flat=True).distinct()
    return sums.filter(day__in=list(on), metering_point_id=wanted.metering_point)


LOOKED_UP = 8
"""Of the points read on a day, one in so many may be the actor's at most for looking up each of these, day by day, to
take less than looking through all of them."""


def _days_to_look_up(actor: Actor, whole: QuerySet[LogDay]) -> list[date]:
    """The days on which to look up the actor's points one by one; none when they are too large a part of those read, as
    told by the day and facet of the most entries.
    """
    read = list(whole.order_by("-entries").values_list("facet", "day"))
    if not read:
        return []
    facet, day = read[0]
    points = LogPointDay.objects.filter(facet=facet, day=day).count()
    few = points >= LOOKED_UP and actor.count_within(ENTITLEMENT) * LOOKED_UP <= points
    return sorted({day for _, day in read}) if few else []


def _rows(actor: Actor, wanted: Wanted, read: Read | None) -> list[_Row]:
    """The sums that match, by facet and day."""
    read = Read() if read is None else read
    period = (wanted.first, wanted.last, wanted.metering_point)
    if read.facets is None:
        read.facets = list(_facets(actor, Wanted()))
    facets = {facet.pk: facet for facet in read.facets if _matches(facet, wanted, actor.organisation_id)}
    if period not in read.sums:
        of_all = Wanted(first=wanted.first, last=wanted.last, metering_point=wanted.metering_point)
        sums = _sums(actor, of_all).values_list("facet", "day")
        read.sums[period] = list(sums.annotate(count=Sum("entries"), latest=Max("last")))
    found = read.sums[period]
    return [_Row(facets[pk], day, entries, last) for pk, day, entries, last in found if pk in facets]


def _read_points(actor: Actor) -> QuerySet[LogPoint]:
    return LogPoint.objects.filter(
        _narrowed(actor, Wanted(outcome=GRANTED), "facet__"), actor.within(ENTITLEMENT, "metering_point_id")
    )


def _narrowed(actor: Actor, wanted: Wanted, way: str) -> Q:
    """What facets must be for an actor to see what is of them, and to match."""
    if not actor.has(ENTITLEMENT):
        return Q(**{f"{way}pk__in": []})
    found = Q(**{f"{way}holder": actor.organisation_id})
    if wanted.outcome == "refused":
        found &= ~Q(**{f"{way}outcome": GRANTED})
    elif wanted.outcome:
        found &= Q(**{f"{way}outcome": wanted.outcome})
    if wanted.own is not None:
        ours = Q(**{f"{way}reader": actor.organisation_id})
        found &= ours if wanted.own else ~ours
    for name in _EQUAL:
        if value := getattr(wanted, name):
            found &= Q(**{f"{way}{name}": value})
    return found


_EQUAL = ("reader", "kind", "channel")


def _matches(facet: LogFacet, wanted: Wanted, company: int) -> bool:
    """What `_narrowed` asks beyond who sees it, of a facet that was read."""
    refused = wanted.outcome == "refused" and facet.outcome != GRANTED
    told = refused or wanted.outcome in ("", facet.outcome)
    whose = wanted.own is None or wanted.own == (facet.reader == company)
    asked = ((getattr(wanted, name), getattr(facet, name)) for name in _EQUAL)
    return told and whose and all(not value or value == held for value, held in asked)


def _latest(actor: Actor, facets: QuerySet[LogFacet]) -> list[tuple[int | None, int, int]]:
    """Reader, number and last entry of each facet of which the actor sees any: one search a facet, whatever the past."""
    if actor.within(ENTITLEMENT, "metering_point_id"):
        seen = _read_points(actor).filter(facet__in=facets)
        return list(seen.values_list("facet__reader", "facet").annotate(latest=Max("last")))
    last = LogDay.objects.filter(facet=OuterRef("pk")).order_by("-day").values("last")[:1]
    return list(facets.annotate(last=Subquery(last)).exclude(last=None).values_list("reader", "pk", "last"))


def _points_on(actor: Actor, wanted: Wanted, days: Sequence[date], facets: Sequence[int]) -> list[int] | None:
    """The points whose lines of these days may be shown, as the index numbers them; None when all may."""
    within = _seen(actor, wanted)
    if not within:
        return [number_of_point(wanted.metering_point)] if wanted.metering_point else None
    seen = _OF_POINTS.filter(within, facet__in=facets, day__in=days)
    if wanted.metering_point:
        seen = seen.filter(metering_point_id=wanted.metering_point)
    return [number_of_point(point) for point in seen.values_list("metering_point_id", flat=True).distinct()]


def _lines_of(
    days: Sequence[date], holders: Q, facets: Sequence[int], points: Sequence[int] | None
) -> list[_Line]:
    """The lines of these civil days, the earliest first."""
    spans = _spans(days)
    segments, parts = [], []
    in_days = reduce(or_, (Q(last__gte=start, first__lt=end) for start, end in spans))
    stretches = LogStretch.objects.filter(holders, in_days).order_by("pk")
    for segment, lines, packed in stretches.values_list("segment", "segment__lines", "columns"):
        try:
            columns = Columns.unpack(bytes(packed), most=lines)
        except ValueError as error:
            _log.error("the index of segment %s is damaged: %s; run gridgate audit rebuild", segment, error)
            continue
        chosen = np.isin(columns.facet, facets)
        chosen &= reduce(or_, ((columns.at >= start) & (columns.at < end) for start, end in spans))
        if points is not None:
            chosen &= np.isin(columns.point, points)
        part = columns.where(chosen)
        parts.append(part)
        segments.append(np.full(len(part.at), segment))
    if not parts:
        return []
    found, segment_of = Columns.joined(parts), np.concatenate(segments)
    order = np.lexsort((found.offset, segment_of, found.at))
    in_order = (column[order].tolist() for column in (segment_of, found.offset, found.at, found.point))
    return [_Line(*line) for line in zip(*in_order, strict=True)]


def _spans(days: Sequence[date]) -> list[tuple[int, int]]:
    """From when to when they are, those that follow each other as one."""
    spans: list[tuple[int, int]] = []
    for day in sorted(days):
        bounds = civil_day_bounds(day, zone())
        assert bounds.end is not None
        start, end = micros_of(bounds.start), micros_of(bounds.end)
        if spans and spans[-1][1] == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def _read(found: Sequence[_Line]) -> list[LogEntry | None]:
    """What these lines say, in that order; None for a line that cannot be read, which is told in the process's log."""
    names = dict(
        AccessLogSegment.objects.filter(pk__in={line.segment for line in found}).values_list("pk", "name")
    )
    said: dict[_Line, LogEntry] = {}
    for segment, lines in groupby(sorted(found), key=lambda line: line.segment):
        left, told = deque(lines), False
        while left:
            try:
                for entry in read_lines(names[segment], [line.offset for line in left]):
                    said[left.popleft()] = entry
                break
            except (LinesMissing, ValueError, KeyError, TypeError) as error:
                left.popleft()  # those after it may be whole
                if not told:
                    what = "lines of %s cannot be shown: %s; run gridgate audit verify"
                    _log.error(what, names[segment], error)
                told = True
    return [said.get(line) for line in found]
