"""What receipts say of the log: how often something was read, and where the log stood."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, OuterRef, Subquery, Sum

from gridgate.audit.lines import instant_of
from gridgate.audit.models import AccessLogSegment, LogDay, LogFacet, LogPoint


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
    granted = LogPoint.objects.filter(
        facet__holder=holder, facet__reader=reader, permission__in=list(permissions)
    )
    rows = granted.values_list("permission").annotate(count=Sum("entries"), latest=Max("last"))
    return {permission: ReadsUnder(count, instant_of(last)) for permission, count, last in rows}


def log_mark(*, holder: int, reader: int) -> LogMark:
    """Where the log stands in the segment of the last read by this company; without one, in the newest
    segment.
    """
    days = LogDay.objects.filter(facet=OuterRef("pk")).order_by("-day")
    facets = LogFacet.objects.filter(holder=holder, reader=reader).annotate(
        latest=Subquery(days.values("last")[:1]), segment=Subquery(days.values("segment")[:1])
    )
    last = facets.exclude(latest=None).order_by("-latest").values_list("segment", flat=True).first()
    segments = AccessLogSegment.objects.exclude(head="")
    segment = segments.filter(pk=last).first() if last else segments.order_by("-pk").first()
    return LogMark(segment.name, segment.lines, segment.head) if segment else LogMark()
