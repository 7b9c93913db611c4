"""Reading the access log: who read a holder's measurements, or tried to, when and on what basis.

A holder's members who have the entitlement *Gestion des services de données* see the entries of their own
company's points, within their perimeter; nobody else sees any. (Regulation (EU) 2023/1162, articles 5 and 7:
the log is shown to the final customer.)
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Protocol

from django.db.models import Case, Count, IntegerField, Max, Min, Q, QuerySet, Sum, Value, When
from django.db.models.functions import TruncDate

from gridgate.audit.models import AccessLogEntry, LogRetention
from gridgate.core.time import Interval

GRANTED = "granted"
ENTITLEMENT = "data_services"


class Actor(Protocol):
    """What this app, which knows no organisation, needs of a membership."""

    organisation_id: int

    def has(self, code: str) -> bool: ...

    def within(self, code: str, field: str) -> Q: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: what is left empty does not narrow. `outcome` is "granted", "refused" or one reason; `own` says
    whose: the company's own (True) or all others' (False).
    """

    period: Interval | None = None
    reader: int | None = None
    metering_point: str = ""
    kind: str = ""
    outcome: str = ""
    channel: str = ""
    permission: str = ""
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


def entries_of(*, actor: Actor) -> QuerySet[AccessLogEntry]:
    """Every read and refused attempt on the points of the actor's company and perimeter; in no order."""
    if not actor.has(ENTITLEMENT):
        return AccessLogEntry.objects.none()
    return AccessLogEntry.objects.filter(
        actor.within(ENTITLEMENT, "metering_point_id"), holder=actor.organisation_id
    )


def search(*, actor: Actor, wanted: Wanted) -> QuerySet[AccessLogEntry]:
    """The entries that match, latest first."""
    entries = entries_of(actor=actor)
    if wanted.period is not None:
        entries = entries.filter(at__gte=wanted.period.start)
        if wanted.period.end is not None:
            entries = entries.filter(at__lt=wanted.period.end)
    if wanted.outcome == "refused":
        entries = entries.exclude(outcome=GRANTED)
    elif wanted.outcome:
        entries = entries.filter(outcome=wanted.outcome)
    if wanted.own is not None:
        ours = Q(reader=actor.organisation_id)
        entries = entries.filter(ours) if wanted.own else entries.exclude(ours)
    exact = {
        "reader": wanted.reader,
        "metering_point_id": wanted.metering_point,
        "kind": wanted.kind,
        "channel": wanted.channel,
        "permission": wanted.permission,
    }
    return entries.filter(**{name: value for name, value in exact.items() if value}).order_by("-at", "-id")


def readers_in(*, actor: Actor, period: Interval | None) -> dict[int, str]:
    """Which others read or tried to within the period: the reader's id and its last name in the log, by name."""
    entries = search(actor=actor, wanted=Wanted(period=period, own=False)).order_by()
    named = (
        entries.exclude(reader=None)
        .values_list("reader", "reader_name")
        .annotate(last=Max("at"))
        .order_by("last")
    )
    names = {reader: name for reader, name, _ in named if reader is not None}
    return dict(sorted(names.items(), key=lambda item: item[1].casefold()))


def channels_in(*, actor: Actor, period: Interval | None, own: bool | None = None) -> list[str]:
    """By which ways data was read within the period: "api:enedis", "screen"…"""
    entries = search(actor=actor, wanted=Wanted(period=period, own=own))
    return sorted(
        channel for channel in entries.order_by().values_list("channel", flat=True).distinct() if channel
    )


def erased_before() -> datetime | None:
    """Up to when the log was erased, as old as it was; None when it is whole."""
    latest: datetime | None = LogRetention.objects.aggregate(before=Max("before"))["before"]
    return latest


def counts(*, actor: Actor, wanted: Wanted) -> tuple[Counts, Counts]:
    """How many entries match: others', and the company's own."""
    ours = Case(
        When(reader=actor.organisation_id, then=Value(1)), default=Value(0), output_field=IntegerField()
    )
    rows = search(actor=actor, wanted=wanted).order_by().annotate(ours=ours).values_list("ours", "outcome")
    found = {0: Counts(), 1: Counts()}
    for side, outcome, count in rows.annotate(count=Count("pk")):
        so_far = found[side]
        if outcome == GRANTED:
            found[side] = Counts(so_far.read + count, so_far.refused)
        else:
            found[side] = Counts(so_far.read, so_far.refused + count)
    return found[0], found[1]


def own_visits(*, actor: Actor, wanted: Wanted, zone: tzinfo) -> QuerySet[Any, Any]:
    """The company's own entries that match, put together: one row for what a person or a program looked at by one way
    on one civil day of `zone`, the latest first. A page of the portal that shows twelve points is twelve entries.
    """
    entries = search(actor=actor, wanted=replace(wanted, own=True)).annotate(day=TruncDate("at", tzinfo=zone))
    visits = entries.order_by().values(
        "day", "user", "user_name", "application", "channel", "kind", "direction"
    )
    return visits.annotate(
        read=Count("pk", filter=Q(outcome=GRANTED)),
        refused=Count("pk", filter=~Q(outcome=GRANTED)),
        points=Count("metering_point_id", distinct=True),
        point=Min("metering_point_id"),
        first_at=Min("at"),
        last_at=Max("at"),
        received=Sum("values"),
    ).order_by("-day", "-last_at", "kind", "direction")


def reads_in(
    *, actor: Actor, buckets: Sequence[Interval], wanted: Wanted | None = None, but: Collection[int] = ()
) -> dict[int | None, list[int]]:
    """How often each reader read in each of `buckets` (successive, each with an end), in one statement.

    `wanted` narrows further; readers in `but` are left out: a holder's own reads are not news to it.
    """
    if not buckets:
        return {}
    entries = search(actor=actor, wanted=wanted or Wanted()).order_by()
    entries = entries.filter(at__gte=buckets[0].start, at__lt=buckets[-1].end, outcome=GRANTED).exclude(
        reader__in=but
    )
    place = Case(
        *(When(at__lt=bucket.end, then=Value(index)) for index, bucket in enumerate(buckets)),
        output_field=IntegerField(),
    )
    found: dict[int | None, list[int]] = {}
    for reader, index, count in (
        entries.annotate(place=place).values_list("reader", "place").annotate(count=Count("pk"))
    ):
        found.setdefault(reader, [0] * len(buckets))[index] = count
    return found


def reads_by_permission(*, actor: Actor, reader: int) -> dict[str, Reads]:
    """What one reader read, since the first entry, by permission."""
    return _reads(entries_of(actor=actor).filter(reader=reader), "permission")


def reads_by_point(*, actor: Actor, reader: int, points: Iterable[str]) -> dict[str, Reads]:
    """What one reader read of these points, since the first entry."""
    entries = entries_of(actor=actor).filter(metering_point_id__in=list(points), reader=reader)
    return _reads(entries, "metering_point_id")


def first_refusal_after(*, actor: Actor, reader: int, at: datetime) -> datetime | None:
    """When this reader was first refused from `at` on: the proof that an end holds."""
    refused = entries_of(actor=actor).filter(reader=reader, at__gte=at).exclude(outcome=GRANTED)
    return refused.order_by("at").values_list("at", flat=True).first()


def _reads(entries: QuerySet[AccessLogEntry], key: str) -> dict[str, Reads]:
    rows = entries.filter(outcome=GRANTED).values_list(key).annotate(count=Count("pk"), last=Max("at"))
    return {name: Reads(count, last) for name, count, last in rows}


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
    latest = entries_of(actor=actor).order_by("-at", "-id").select_related("segment").first()
    if latest is None or not latest.segment.head:
        return None
    return Chain(latest.segment.name, latest.segment.lines, latest.segment.head)
