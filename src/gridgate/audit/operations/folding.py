"""Folding what processes logged into the registry's roll-up of the access log, and its index.

The log itself is the hash-chained segments on disk, which are folded as they grow.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Greatest

from gridgate.audit.lines import Columns, zone
from gridgate.audit.models import AccessLogSegment, LogDay, LogFacet, LogPoint, LogPointDay, LogStretch
from gridgate.audit.operations.progress import BEGINNING, Position, erased_before
from gridgate.audit.operations.roll_up import Facet, LogLine, RollUp


class Faulty(NamedTuple):
    """A line that is not an entry, though it should be."""

    number: int
    why: Exception


@dataclass(frozen=True, slots=True)
class Folded:
    """How many entries are new, and the lines left out for not being any."""

    entries: int = 0
    faulty: Sequence[Faulty] = ()
    elsewhere: bool = False
    """That another process folds the segment: nothing was added, and how far it is by now, it knows."""


def fold(
    *,
    segment: str,
    lines: Iterable[LogLine],
    reached: Callable[[], Position],
    start: Position = BEGINNING,
) -> Folded:
    """Add the lines of a segment from `start` on, and remember that it is folded up to where it is `reached`, which is
    asked once the lines are gone through.

    What is added and how far, is written at once: when the segment is not folded up to `start`, another process was
    quicker, or the caller was killed after it wrote, and nothing is added.
    """
    roll_up, faulty = RollUp(zone()), []
    for line in lines:
        if line.entry is not None:
            try:
                roll_up.add(line.entry, line.offset)
            except (ValueError, KeyError, TypeError) as error:
                faulty.append(Faulty(line.number, error))
    there = reached()
    if there == start:
        return (
            Folded()
        )  # a line that a death cut short is looked at each round, and nothing is written about it
    with transaction.atomic():
        row, _ = AccessLogSegment.objects.get_or_create(name=segment)
        if (row.lines, row.size) != (start.lines, start.size):
            return Folded(elsewhere=True)
        if erased := erased_before():
            roll_up.drop_before(erased)
        if roll_up.lines:
            _write(row.pk, roll_up)
        AccessLogSegment.objects.filter(pk=row.pk).update(lines=there.lines, size=there.size, head=there.head)
    return Folded(len(roll_up.lines), faulty)


def rebuild(*, without: Collection[str] = ()) -> None:
    """Forget the roll-up and the index, so that the next foldings make both anew from the segments.

    Until they have, `being_counted` says so, whoever folds and whatever is killed meanwhile. What was folded of the
    segments in `without`, which are no more, is counted no longer.
    """
    with transaction.atomic():
        for model in (LogStretch, LogPoint, LogPointDay, LogDay, LogFacet):
            model.objects.all().delete()
        AccessLogSegment.objects.update(recount_to=Greatest("size", "recount_to"))
        AccessLogSegment.objects.filter(name__in=list(without)).update(recount_to=0)
        AccessLogSegment.objects.update(lines=0, size=0, head="", sealed=False)


_UPSERT = """
INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {sums}
"""
_SUMS = {
    "entries": "entries = {table}.entries + excluded.entries",
    "values": '"values" = {table}."values" + excluded."values"',
    "first": "first = min({table}.first, excluded.first)",
    "segment_id": "segment_id = iif(excluded.last >= {table}.last, excluded.segment_id, {table}.segment_id)",
    "last": "last = max({table}.last, excluded.last)",
}


def _add(
    model: Any, rows: Iterable[tuple[int | str, ...]], key: Sequence[str], columns: Sequence[str]
) -> None:
    """Add to the rows that there are, by their key, and write the others."""
    table = model._meta.db_table
    statement = _UPSERT.format(
        table=table,
        columns=", ".join(f'"{name}"' for name in (*key, *columns)),
        marks=", ".join(["%s"] * (len(key) + len(columns))),
        key=", ".join(key),
        sums=", ".join(_SUMS[name].format(table=table) for name in columns),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def _write(segment: int, roll_up: RollUp) -> None:
    ids = numbers_of(roll_up.facets)
    _add(
        LogDay,
        (
            (ids[facet], day, sums.entries, sums.values, sums.first, segment, sums.last)
            for (facet, day), sums in roll_up.days().items()
        ),
        ("facet_id", "day"),
        ("entries", "values", "first", "segment_id", "last"),
    )
    _add(
        LogPointDay,
        (
            (ids[facet], day, point, sums.entries, sums.values, sums.first, sums.last)
            for (facet, day, point), sums in sorted(roll_up.point_days().items())
        ),
        ("facet_id", "day", "metering_point_id"),
        ("entries", "values", "first", "last"),
    )
    _add(
        LogPoint,
        (
            (ids[facet], point, permission, sums.entries, sums.last)
            for (facet, point, permission), sums in sorted(roll_up.points().items())
        ),
        ("facet_id", "metering_point_id", "permission"),
        ("entries", "last"),
    )
    LogStretch.objects.bulk_create(_stretches(segment, roll_up, ids))


def numbers_of(facets: Sequence[Facet]) -> list[int]:
    """The numbers of these facets' rows, made where there are none."""
    rows = {facet.digest: LogFacet(**facet._asdict(), digest=facet.digest) for facet in facets}
    LogFacet.objects.bulk_create(rows.values(), ignore_conflicts=True, batch_size=80)
    there: dict[str, int] = {}
    digests = [*rows]
    for at in range(0, len(digests), 500):
        found = LogFacet.objects.filter(digest__in=digests[at : at + 500])
        there.update(found.values_list("digest", "pk"))
    return [there[digest] for digest in digests]


def _stretches(segment: int, roll_up: RollUp, ids: Sequence[int]) -> Iterable[LogStretch]:
    """One for each holder: its lines, in the order of the segment."""
    holders = [facet.holder for facet in roll_up.facets]
    by_holder: dict[int | None, list[tuple[int, int, int, int]]] = {}
    for offset, at, facet, point in roll_up.lines:
        by_holder.setdefault(holders[facet], []).append((offset, at, ids[facet], point))
    for holder, lines in by_holder.items():
        columns = Columns.of(lines)
        yield LogStretch(
            segment_id=segment,
            holder=holder,
            first=int(columns.at.min()),
            last=int(columns.at.max()),
            columns=columns.pack(),
        )


def seal(segment: str) -> None:
    """Note that a segment grows no more, and join its stretches in the index: one for each holder."""
    with transaction.atomic():
        row = AccessLogSegment.objects.get(name=segment)
        AccessLogSegment.objects.filter(pk=row.pk).update(sealed=True)
        by_holder: dict[int | None, list[LogStretch]] = {}
        for stretch in LogStretch.objects.filter(segment=row).order_by("pk"):
            by_holder.setdefault(stretch.holder, []).append(stretch)
        for holder, stretches in by_holder.items():
            if len(stretches) == 1:
                continue
            columns = Columns.joined(
                [Columns.unpack(bytes(one.columns), most=row.lines) for one in stretches]
            )
            LogStretch.objects.filter(pk__in=[one.pk for one in stretches]).delete()
            LogStretch.objects.create(
                segment=row,
                holder=holder,
                first=min(one.first for one in stretches),
                last=max(one.last for one in stretches),
                columns=columns.pack(),
            )
