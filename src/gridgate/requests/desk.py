"""The operator's desk: requests of every kind as one list to search, narrow, sort and page.

A kind is a model of its own; the list is one UNION of them, so that it costs the same however many kinds and requests
there are. For the operator's staff only: `RequestKind.for_desk` raises `NotAllowed`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import Membership, present
from gridgate.requests.kinds import RequestKind
from gridgate.requests.models import OPEN_STATES, TO_TREAT, RequestState

OPEN, TO_DO, LATE, EVERY = "open", "to_do", "late", "all"
"""What `DeskFilter.state` may be besides a state: undecided, on the operator's side, and past its time; or any."""

MINE, NOBODY = "me", "nobody"
DECIDED = (RequestState.ACCEPTED, RequestState.REFUSED)

Kinds = Sequence[RequestKind[Any]]


@dataclass(frozen=True, slots=True)
class DeskFilter:
    """What the list is narrowed to; an empty value narrows nothing. `kind` is the prefix of the numbers.

    `text` is the beginning of a number or of a SIREN, or words of the company's or the requester's name.
    """

    text: str = ""
    kind: str = ""
    state: str = OPEN
    followed: str = ""
    """`MINE` or `NOBODY`."""


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One request, as a line says it. `prefix` names its kind."""

    prefix: str
    number: str
    state: str
    company: str
    siren: str
    requester: str
    submitted_at: datetime
    due_at: datetime | None
    decided_at: datetime | None
    followed_by: str
    """Empty when nobody does any more."""
    follower: int | None

    def late_by(self, now: datetime) -> timedelta | None:
        """For how long it should have been decided; None while it has time, or is not the operator's to decide."""
        if self.state not in TO_TREAT or self.due_at is None or self.due_at >= now:
            return None
        return now - self.due_at


class DeskRows:
    """A list that pages slice: one statement for the rows, one for their number."""

    def __init__(self, rows: QuerySet[Any, Any] | None, order: tuple[Any, ...]) -> None:
        self._rows, self._order = rows, order

    def count(self) -> int:
        return self._rows.count() if self._rows is not None else 0

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[DeskRow]:
        """Every row, read as they come."""
        if self._rows is not None:
            for row in self._rows.order_by(*self._order).iterator(chunk_size=500):
                yield DeskRow(*row[:-_SORTED_BY])

    def __getitem__(self, place: slice) -> list[DeskRow]:
        if self._rows is None:
            return []
        return [DeskRow(*row[:-_SORTED_BY]) for row in self._rows.order_by(*self._order)[place]]


def desk_rows(
    *, kinds: Kinds, wanted: DeskFilter, order: str = "", actor: Membership, now: datetime
) -> DeskRows:
    """What waits for the operator first, the most urgent first; then what waits for others; then what is over.

    `order` is `due`, `received`, `company` or `number`, with `-` before it for the other way round.
    """
    chosen = [kind for kind in kinds if wanted.kind in ("", kind.prefix)]
    return DeskRows(_union([_rows(kind, wanted, actor, now) for kind in chosen]), _order(order, wanted.state))


def waiting_counts(*, kinds: Kinds, actor: Membership) -> dict[str, int]:
    """How many requests of each kind, by the prefix of its numbers, wait for the operator; one statement."""
    waiting = [
        kind.for_desk(actor=actor)
        .filter(state__in=TO_TREAT)
        .order_by()
        .values_list(Value(kind.prefix))
        .annotate(waiting=Count("pk"))
        for kind in kinds
    ]
    return dict(_union(waiting) or ())


@dataclass(frozen=True, slots=True)
class DeskFigures:
    """The desk at an instant. `late_since` is when the one that is latest should have been decided.

    `accepted` and `refused` are of the last seven days; `median_delay`, from sending to deciding, of the last thirty.
    """

    open: int
    unfollowed: int
    late: int
    late_since: datetime | None
    accepted: int
    refused: int
    median_delay: timedelta | None


def desk_figures(*, kinds: Kinds, actor: Membership, now: datetime) -> DeskFigures:
    """One statement a kind, and one for the delays."""
    late = Q(state__in=TO_TREAT, due_at__lt=now)
    lately = Q(decided_at__gt=now - timedelta(days=7))
    counted = [
        kind.for_desk(actor=actor).aggregate(
            open=Count("pk", filter=Q(state__in=OPEN_STATES)),
            unfollowed=Count("pk", filter=Q(state__in=TO_TREAT) & followed_by_nobody()),
            late=Count("pk", filter=late),
            late_since=Min("due_at", filter=late),
            accepted=Count("pk", filter=lately & Q(state=RequestState.ACCEPTED)),
            refused=Count("pk", filter=lately & Q(state=RequestState.REFUSED)),
        )
        for kind in kinds
    ]
    totals = {
        name: sum(one[name] for one in counted)
        for name in ("open", "unfollowed", "late", "accepted", "refused")
    }
    since = min((one["late_since"] for one in counted if one["late_since"]), default=None)
    return DeskFigures(**totals, late_since=since, median_delay=_median_delay(kinds, actor, now))


def followed_by_nobody() -> Q:
    """The condition that nobody follows the request, or nobody who is still there."""
    return Q(followed_by=None) | ~_follower_is_there()


def _follower_is_there() -> Q:
    return present(of="followed_by__") & Q(followed_by__user__is_active=True)


def _median_delay(kinds: Kinds, actor: Membership, now: datetime) -> timedelta | None:
    decided = Q(state__in=DECIDED, decided_at__gt=now - timedelta(days=30), submitted_at__isnull=False)
    rows = _union(
        [
            kind.for_desk(actor=actor).filter(decided).values_list("submitted_at", "decided_at")
            for kind in kinds
        ]
    )
    delays = [(decided_at - sent_at).total_seconds() for sent_at, decided_at in rows or ()]
    return timedelta(seconds=median(delays)) if delays else None


def _rows(kind: RequestKind[Any], wanted: DeskFilter, actor: Membership, now: datetime) -> QuerySet[Any, Any]:
    rows: QuerySet[Any] = kind.for_desk(actor=actor).filter(_state(wanted.state, now), _found(wanted.text))
    if wanted.followed == MINE:
        rows = rows.filter(followed_by=actor)
    elif wanted.followed == NOBODY:
        rows = rows.filter(followed_by_nobody())
    there = _follower_is_there()
    rank = Case(
        When(state__in=TO_TREAT, then=0),
        When(state__in=OPEN_STATES, then=1),
        default=2,
        output_field=IntegerField(),
    )
    columns = {
        "row_prefix": Value(kind.prefix),
        "row_number": F("number"),
        "row_state": F("state"),
        "row_company": Coalesce(F("organisation__legal_name"), Value("")),
        "row_siren": Coalesce(F("organisation__siren"), Value("")),
        "row_requester": F("requester__full_name"),
        "row_received": F("submitted_at"),
        "row_due": F("due_at"),
        "row_decided": F("decided_at"),
        "row_followed_by": Case(When(there, then=F("followed_by__user__full_name")), default=Value("")),
        "row_follower": Case(When(there, then=F("followed_by")), default=None, output_field=IntegerField()),
        "row_rank": rank,
        "row_name": Coalesce(F("organisation__search_text"), Value("")),
    }
    listed: QuerySet[Any, Any] = rows.order_by().annotate(**columns).values_list(*columns)
    return listed


_SORTED_BY = 2
"""The last columns are there to sort by."""
_COLUMNS = {"due": "row_due", "received": "row_received", "company": "row_name", "number": "row_number"}


def _union(parts: Sequence[QuerySet[Any, Any]]) -> QuerySet[Any, Any] | None:
    if not parts:
        return None
    first, *others = [part.order_by() for part in parts]
    return first.union(*others, all=True) if others else first


def _order(asked: str, state: str) -> tuple[Any, ...]:
    name = asked.removeprefix("-")
    if name not in _COLUMNS:
        over = state in (*DECIDED, RequestState.WITHDRAWN)
        urgent = ("row_rank", F("row_due").asc(nulls_last=True), "row_number")
        return ("-row_decided", "-row_number") if over else urgent
    column = F(_COLUMNS[name])
    first = column.desc(nulls_last=True) if asked.startswith("-") else column.asc(nulls_last=True)
    return (first, "row_number")


def _state(state: str, now: datetime) -> Q:
    match state:
        case "" | "all":
            return Q()
        case "open":
            return Q(state__in=OPEN_STATES)
        case "to_do":
            return Q(state__in=TO_TREAT)
        case "late":
            return Q(state__in=TO_TREAT, due_at__lt=now)
    return Q(state=state)


def _found(text: str) -> Q:
    compact = "".join(text.split())
    if not compact:
        return Q()
    named = company_named_like(text, "organisation")
    found = named | Q(number__icontains=compact) | Q(requester__full_name__icontains=text.strip())
    return found | Q(organisation__siren__startswith=compact) if compact.isdigit() else found
