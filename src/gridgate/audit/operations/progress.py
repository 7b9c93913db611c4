"""How far the registry has come with the access log: which segments it has folded, up to where, and what is erased."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, Max
from django.db.models.functions import Greatest

from gridgate.audit.lines import micros_of, zone
from gridgate.audit.models import AccessLogSegment, LogRetention, LogStretch
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_of


class BeingCounted(GridgateError):
    """The reads are being counted anew: their sums hold less than there was."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.UNAVAILABLE,
            "the access log is being counted anew",
            remedy="Wait until gridgate check no longer says so; a worker does it.",
        )


@dataclass(frozen=True, slots=True)
class Position:
    """How far a segment is folded: lines, bytes, and the hash of the last line."""

    lines: int = 0
    size: int = 0
    head: str = ""


BEGINNING = Position()


def positions() -> dict[str, Position]:
    """Where folding goes on, by segment; those that are sealed left out."""
    rows = AccessLogSegment.objects.filter(sealed=False).values_list("name", "lines", "size", "head")
    return {name: Position(lines, size, head) for name, lines, size, head in rows}


def sizes_folded() -> dict[str, int]:
    """How many bytes of each segment are folded, or were when counting began anew."""
    return dict(AccessLogSegment.objects.values_list("name", Greatest("size", "recount_to")))


def erased_before() -> date | None:
    """The first day that the log goes back to, when it was erased before; None when it is whole."""
    latest: datetime | None = LogRetention.objects.aggregate(before=Max("before"))["before"]
    return None if latest is None else civil_day_of(latest, zone())


def being_counted() -> bool:
    """Whether the sums hold less than there was: counting began anew and is not through."""
    return AccessLogSegment.objects.filter(size__lt=F("recount_to")).exists()


def require_counted() -> None:
    """Raises `BeingCounted`."""
    if being_counted():
        raise BeingCounted


def segments_known() -> set[str]:
    return set(AccessLogSegment.objects.values_list("name", flat=True))


def segments_reaching(instant: datetime) -> set[str]:
    """Those of which lines from then on are counted."""
    reaching = LogStretch.objects.filter(last__gte=micros_of(instant)).values("segment")
    return set(AccessLogSegment.objects.filter(pk__in=reaching).values_list("name", flat=True))


def sealed_segments() -> set[str]:
    """Those that grow no more, of which nobody need look again whether they have."""
    return set(AccessLogSegment.objects.filter(sealed=True).values_list("name", flat=True))
