"""How far the access log goes: back to when, and up to which value of its chain."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from gridgate.audit.lines import instant_of, zone
from gridgate.audit.models import AccessLogSegment, LogDay, LogRetention
from gridgate.audit.queries.sums import facets_of, latest_of
from gridgate.audit.queries.wanted import Actor, Wanted
from gridgate.core.time import civil_day_of


def erased_before() -> datetime | None:
    """Up to when the log was erased, as old as it was; None when it is whole."""
    latest: datetime | None = LogRetention.objects.aggregate(before=Max("before"))["before"]
    return latest


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
    latest = max(latest_of(actor, facets_of(actor, Wanted())), key=lambda row: row[2], default=None)
    if latest is None:
        return None
    _, facet, last = latest
    day = LogDay.objects.filter(facet=facet, day=civil_day_of(instant_of(last), zone()))
    segment = AccessLogSegment.objects.filter(pk__in=day.values("segment")).exclude(head="").first()
    return Chain(segment.name, segment.lines, segment.head) if segment is not None else None
