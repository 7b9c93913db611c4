"""Comparing the registry's copy of the access log with the log itself."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Max

from gridgate.audit.models import AccessLogEntry, AccessLogSegment, LogRetention
from gridgate.audit.operations import LogLine, entry_of, latest_erasable
from gridgate.core.text import counted

LATE = timedelta(hours=26)
"""The worker folds within seconds; whatever is that old was not folded, or is folded no more."""
_BATCH = 1000
_COMPARED = [
    field.attname
    for field in AccessLogEntry._meta.concrete_fields
    if field.attname not in ("id", "segment_id")
]


def unknown_segments(*, names: Iterable[str]) -> list[str]:
    """Segments that the registry has folded and that are not among those there are."""
    return sorted(set(AccessLogSegment.objects.values_list("name", flat=True)) - set(names))


def copy_faults(*, now: datetime) -> Iterator[str]:
    """What no one segment tells: erasures that no retention allows, and entries of segments that there are not."""
    for row in LogRetention.objects.order_by("pk"):
        if row.at > now or row.before > latest_erasable(row.at):
            yield f"retention {row.pk}: it erases entries of {row.before:%Y-%m-%d}, which were to be kept then"
    orphans = AccessLogEntry.objects.exclude(segment__in=AccessLogSegment.objects.all()).count()
    if orphans:
        yield f"of no segment: {counted(orphans, 'entry', 'entries')} of the registry's copy"


def differences(*, segment: str, lines: Iterable[LogLine], now: datetime) -> Iterator[tuple[int, str]]:
    """What the registry says of a segment that its lines do not: line number, and what is wrong.

    Lines that are not folded yet are no difference until they are `LATE`, nor are entries that a retention has erased.
    """
    row = AccessLogSegment.objects.filter(name=segment).first()
    unfolded: list[int] = []
    remaining = _until(lines, row.lines if row is not None else 0, now - LATE, unfolded)
    if row is None:
        for _ in remaining:
            pass
    else:
        yield from _of_folded(row, remaining)
    if unfolded:
        yield unfolded[0], "the registry lacks this entry and those after it, though they are old"


def _until(lines: Iterable[LogLine], folded: int, late: datetime, unfolded: list[int]) -> Iterator[LogLine]:
    """The lines that are folded; the numbers of late ones that are not go to `unfolded`."""
    for line in lines:
        if line.number <= folded:
            yield line
        elif line.entry is not None:
            with suppress(KeyError, TypeError, ValueError):
                if datetime.fromisoformat(line.entry["at"]) < late:
                    unfolded.append(line.number)


def _of_folded(row: AccessLogSegment, remaining: Iterator[LogLine]) -> Iterator[tuple[int, str]]:
    erased = LogRetention.objects.aggregate(before=Max("before"))["before"]
    last = 0
    while batch := list(islice(remaining, _BATCH)):
        rows = {
            entry["line"]: entry
            for entry in row.entries.filter(line__gt=last, line__lte=batch[-1].number).values(*_COMPARED)
        }
        for line in batch:
            yield from _compare(row.pk, line, rows.pop(line.number, None), erased)
        for number in sorted(rows):
            yield number, "the registry has an entry that the log has not"
        last = batch[-1].number
    for number in row.entries.filter(line__gt=last).order_by("line").values_list("line", flat=True):
        yield number, "the registry has an entry that the log has not"


def _compare(
    segment_id: int, line: LogLine, row: dict[str, Any] | None, erased: datetime | None
) -> Iterator[tuple[int, str]]:
    if line.entry is None:
        if row is not None:
            yield line.number, "the registry has an entry that the log has not"
        return
    try:
        logged = entry_of(segment_id, line.number, line.entry)
    except (KeyError, TypeError, ValueError):
        return  # the log itself is at fault there, and whoever reads it says so
    if row is None:
        if erased is None or logged.at >= erased:
            yield line.number, "the registry lacks this entry"
        return
    changed = [name for name in _COMPARED if row[name] != getattr(logged, name)]
    if changed:
        yield line.number, f"the registry says otherwise: {', '.join(changed)}"
