"""Writing the registry's copy of the access log: folding what processes logged, and erasing what is too old.

The log itself is the hash-chained segments on disk. Here entries come as plain values, so that this app
knows nothing of files; whoever reads the segments passes them in, as they grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from gridgate.audit.models import AccessLogEntry, AccessLogSegment, LogRetention
from gridgate.core.errors import ErrorKind, GridgateError

YEARS_KEPT = 3
"""The least that the log is kept: Directive (EU) 2019/944, annex I(4), by Regulation (EU) 2023/1162,
article 5.
"""


class TooYoungToErase(GridgateError):
    """The log of that time must still be kept."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            f"the access log is kept for {YEARS_KEPT} years",
            remedy="Choose an earlier day.",
        )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a segment: its number, and the entry it holds; None for the line that opens the segment."""

    number: int
    entry: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a segment is folded: lines, bytes, and the hash of the last line."""

    lines: int = 0
    size: int = 0
    head: str = ""


def positions() -> dict[str, Position]:
    """Where folding goes on, by segment."""
    rows = AccessLogSegment.objects.values_list("name", "lines", "size", "head")
    return {name: Position(lines, size, head) for name, lines, size, head in rows}


def fold(*, segment: str, lines: Sequence[LogLine], reached: Position) -> int:
    """Add lines of a segment and remember how far it is folded. Returns how many entries are new.

    Doing it twice, or at once in two processes, adds nothing twice. Raises `ValueError` or `KeyError` for a
    line that is not an entry: then nothing of the call is kept.
    """
    with transaction.atomic():
        row, _ = AccessLogSegment.objects.get_or_create(name=segment)
        entries = [entry_of(row.pk, line.number, line.entry) for line in lines if line.entry is not None]
        numbers = [entry.line for entry in entries] or [0]
        there = row.entries.filter(line__gte=numbers[0], line__lte=numbers[-1])
        before = there.count()
        AccessLogEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=500)
        after = there.count()
        if after != len(entries):  # ignoring conflicts also ignores what the table refuses
            raise ValueError(f"{len(entries) - after} of the lines were refused")
        AccessLogSegment.objects.filter(pk=row.pk, size__lt=reached.size).update(
            lines=reached.lines, size=reached.size, head=reached.head
        )
    return after - before


def entry_of(segment_id: int, number: int, entry: dict[str, Any]) -> AccessLogEntry:
    """The row of a logged line. Raises `ValueError` or `KeyError` when it is not one."""
    return AccessLogEntry(
        segment_id=segment_id,
        line=number,
        at=datetime.fromisoformat(entry["at"]),
        channel=entry["channel"],
        outcome=entry["outcome"],
        holder=entry.get("holder"),
        reader=entry.get("reader"),
        reader_name=entry.get("reader_name") or "",
        user=entry.get("user"),
        user_name=entry.get("user_name") or "",
        application=entry.get("application") or "",
        permission=str(UUID(entry["permission"])) if entry.get("permission") else "",
        basis=entry.get("basis") or "",
        metering_point_id=entry.get("metering_point") or "",
        kind=entry.get("kind") or "",
        direction=entry.get("direction") or "",
        start=_instant(entry.get("start")),
        end=_instant(entry.get("end")),
        as_of=_instant(entry.get("as_of")),
        values=entry.get("values") or 0,
    )


def erase_before(*, before: datetime, now: datetime) -> int:
    """Erase the registry's entries older than `before`; returns how many. The segments on disk are left
    alone.

    That it was done, when and how far stays on record; nothing else can erase an entry (a database trigger
    refuses). Raises `TooYoungToErase`.
    """
    if before > latest_erasable(now):
        raise TooYoungToErase
    with transaction.atomic():
        LogRetention.objects.create(before=before, at=now)
        erased, _ = AccessLogEntry.objects.filter(at__lt=before).delete()
    return erased


def latest_erasable(now: datetime) -> datetime:
    """Up to when entries may be erased by `now`."""
    return now.replace(year=now.year - YEARS_KEPT, day=min(now.day, 28))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
