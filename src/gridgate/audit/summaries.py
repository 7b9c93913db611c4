"""What receipts say of the log: how often something was read, and where the log stood."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from gridgate.audit.models import AccessLogEntry, AccessLogSegment


@dataclass(frozen=True, slots=True)
class ReadsUnder:
    """Granted reads under one permission, as far as the log is folded."""

    count: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogMark:
    """The hash of a line of the log: it fixes that line and all before it in its segment."""

    segment: str = ""
    lines: int = 0
    head: str = ""


def reads_under(*, holder: int, reader: int, permissions: Iterable[str]) -> dict[str, ReadsUnder]:
    """By permission, the reads of a holder's data by one company; those never used are absent."""
    granted = AccessLogEntry.objects.filter(
        holder=holder, reader=reader, outcome="granted", permission__in=list(permissions)
    )
    rows = granted.values_list("permission").annotate(count=Count("pk"), last=Max("at"))
    return {permission: ReadsUnder(count, last) for permission, count, last in rows}


def log_mark(*, holder: int, reader: int) -> LogMark:
    """Where the log stands in the segment of the last read by this company; without one, in the newest
    segment.
    """
    last = AccessLogEntry.objects.filter(holder=holder, reader=reader).order_by("-at", "-pk").first()
    segments = AccessLogSegment.objects.exclude(head="")
    segment = segments.filter(pk=last.segment_id).first() if last else segments.order_by("-pk").first()
    return LogMark(segment.name, segment.lines, segment.head) if segment else LogMark()
