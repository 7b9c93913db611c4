"""How often a holder's measurements were read, by whom and on what basis."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Count, Max, QuerySet, Sum

from gridgate.audit.lines import GRANTED, instant_of, micros_of
from gridgate.audit.models import LogPoint
from gridgate.audit.queries.sums import Read, facets_of, latest_of, points_read, rows_of
from gridgate.audit.queries.wanted import Actor, Wanted


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


def readers_in(*, actor: Actor, wanted: Wanted, read: Read | None = None) -> dict[int, str]:
    """Which others read or tried to: the reader's id and its last name in the log, by name."""
    rows = sorted(rows_of(actor, replace(wanted, own=False), read), key=lambda row: row.last)
    names = {row.facet.reader: row.facet.reader_name for row in rows if row.facet.reader is not None}
    return dict(sorted(names.items(), key=lambda item: item[1].casefold()))


def channels_in(*, actor: Actor, wanted: Wanted, read: Read | None = None) -> list[str]:
    """By which ways data was read: "api:enedis", "screen"…"""
    return sorted({row.facet.channel for row in rows_of(actor, wanted, read)} - {""})


def counts(*, actor: Actor, wanted: Wanted, read: Read | None = None) -> tuple[Counts, Counts]:
    """How many entries match: others', and the company's own."""
    found = {(own, granted): 0 for own in (False, True) for granted in (False, True)}
    for row in rows_of(actor, wanted, read):
        found[row.facet.reader == actor.organisation_id, row.facet.outcome == GRANTED] += row.entries
    others, own = (Counts(found[whose, True], found[whose, False]) for whose in (False, True))
    return others, own


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
    by_reader: dict[int | None, list[int]] = {}
    for row in rows_of(actor, within, read):
        reader = row.facet.reader
        if row.facet.outcome == GRANTED and reader not in but:
            by_reader.setdefault(reader, [0] * len(days))[(row.day - days[0]).days] += row.entries
    return by_reader


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
        points_read(actor)
        .filter(last__gte=micros_of(since))
        .exclude(facet__reader=actor.organisation_id)
        .values_list("facet__reader_name", "facet__kind")
        .annotate(latest=Max("last"), points=Count("metering_point_id", distinct=True))
        .order_by("-latest", "facet__reader_name", "facet__kind")
    )
    return [LastRead(name, kind, points, instant_of(last)) for name, kind, last, points in rows[:most]]


def last_read_by(*, actor: Actor) -> dict[int, datetime]:
    """When each reader last read."""
    latest: dict[int, int] = {}
    for reader, _, last in latest_of(actor, facets_of(actor, Wanted(outcome=GRANTED))):
        if reader is not None:
            latest[reader] = max(last, latest.get(reader, last))
    return {reader: instant_of(last) for reader, last in latest.items()}


def reads_by_permission(*, actor: Actor, reader: int) -> dict[str, Reads]:
    """What one reader read, since the first entry, by permission."""
    return _reads(points_read(actor).filter(facet__reader=reader), "permission")


def reads_by_point(*, actor: Actor, reader: int, points: Iterable[str]) -> dict[str, Reads]:
    """What one reader read of these points, since the first entry."""
    found = points_read(actor).filter(metering_point_id__in=list(points), facet__reader=reader)
    return _reads(found, "metering_point_id")


def _reads(rows: QuerySet[LogPoint], key: str) -> dict[str, Reads]:
    found = rows.values_list(key).annotate(count=Sum("entries"), latest=Max("last"))
    return {name: Reads(count, instant_of(last)) for name, count, last in found}
