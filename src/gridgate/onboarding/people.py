"""Who acts for a company and whom it has invited, as one list to search, filter, sort and page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import Case, CharField, DateTimeField, F, OuterRef, QuerySet, Subquery, Value, When

from gridgate.onboarding.models import InvitationState
from gridgate.onboarding.queries import in_state, invitations_of
from gridgate.organisations.folding import Folded, named_like
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models import GroupMember, Membership, SignIn
from gridgate.organisations.queries import members_of
from gridgate.organisations.rights import in_term

ACTIVE = "active"
"""The state of somebody who acts for the company; the others are `InvitationState.PENDING` and `EXPIRED`."""
LAPSED = "lapsed"
"""Of an invitation whose last day is over; it is found among those that expired."""

_ORDERED_BY = {"name": "row_folded", "since": "row_since", "last_sign_in": "row_last_sign_in"}
PEOPLE_ORDERS = tuple(_ORDERED_BY)

_People = TypeVar("_People", bound=QuerySet[Any])


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """What a list of people is narrowed to; an empty value narrows nothing. `state` is `ACTIVE`, `pending` or
    `expired`.
    """

    text: str = ""
    role: str = ""
    group: int | None = None
    """In which they have a place now, or to which they are invited."""
    external: bool | None = None
    dated: bool = False
    """Only those who have a last day."""
    state: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who acts for the company, or is invited to. `key` is the number of the one or of the other."""

    key: int
    state: str
    name: str
    email: str
    role: str
    external: bool
    since: datetime
    """When they began; of an invitation, when it was sent."""
    last_sign_in: datetime | None
    """Since they began for this company, and None before the first time: earlier ones are not this company's to
    know."""
    language: str = ""
    """Of the invitation; that of an account is its person's."""
    until: datetime | None = None

    @property
    def last_day(self) -> date | None:
        return last_day(self.until) if self.until is not None else None


def people_of(*, actor: Membership, wanted: PeopleFilter, order: str = "name", now: datetime) -> "People":
    """The users of the actor's company, and whom it invited and still waits for, as the filter lets through.

    `order` is one of `PEOPLE_ORDERS`, with `-` before it for the other way round.
    """
    return People(_people(actor, wanted, now), order)


def not_now_in(*, actor: Membership, wanted: PeopleFilter, now: datetime) -> int:
    """How many more the filter would let through, had their place in its group begun, or not ended."""
    if wanted.group is None or wanted.state not in ("", ACTIVE):
        return 0
    members = _narrowed(members_of(actor=actor).order_by(), wanted, "user__full_name", "user__email")
    places = GroupMember.objects.filter(~in_term(now), group=wanted.group)
    return places.filter(membership__in=members.values("pk")).count()


class People:
    """A list that pages slice: one statement for the rows, one for their number."""

    def __init__(self, rows: QuerySet[Any, Any], order: str) -> None:
        name = order.removeprefix("-")
        column = F(_ORDERED_BY.get(name, "row_folded"))
        first = column.desc(nulls_last=True) if order.startswith("-") else column.asc(nulls_last=True)
        self._rows = rows
        self._ordered = rows.order_by(first, "row_folded", "row_email")

    def count(self) -> int:
        return self._rows.count()

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, place: slice) -> list[PersonRow]:
        return [_row(row) for row in self._ordered[place]]

    def __iter__(self) -> Iterator[PersonRow]:
        """All of them, read while they are asked for."""
        return (_row(row) for row in self._ordered.iterator(chunk_size=500))


def _row(columns: Sequence[Any]) -> PersonRow:
    *said, _folded = columns
    return PersonRow(*said)


_COLUMNS = (
    "key",
    "state",
    "name",
    "email",
    "role",
    "external",
    "since",
    "last_sign_in",
    "language",
    "until",
    "folded",
)


def _people(actor: Membership, wanted: PeopleFilter, now: datetime) -> QuerySet[Any, Any]:
    last = SignIn.objects.filter(user=OuterRef("user"), at__gte=OuterRef("created_at")).order_by("-at")
    members = _narrowed(members_of(actor=actor).order_by(), wanted, "user__full_name", "user__email")
    invited = _narrowed(invitations_of(actor=actor).unclosed().order_by(), wanted, "full_name", "email")
    if wanted.group is not None:
        members = members.filter(in_term(now, "groups__"), groups__group=wanted.group)
        invited = invited.filter(groups=wanted.group)
    waiting = Case(
        When(until__lte=now, then=Value(LAPSED)),
        When(expires_at__gt=now, then=Value(InvitationState.PENDING.value)),
        default=Value(InvitationState.EXPIRED.value),
    )
    if wanted.state == ACTIVE:
        invited = invited.none()
    elif wanted.state:
        members = members.none()
        invited = in_state(invited, InvitationState(wanted.state), now=now)
    columns = [f"row_{name}" for name in _COLUMNS]
    these = members.annotate(
        row_key=F("pk"),
        row_state=Value(ACTIVE),
        row_name=F("user__full_name"),
        row_email=F("user__email"),
        row_role=F("role"),
        row_external=F("external"),
        row_since=F("created_at"),
        row_last_sign_in=Subquery(last.values("at")[:1]),
        row_language=Value("", output_field=CharField()),
        row_until=F("until"),
        row_folded=Folded("user__full_name"),
    ).values_list(*columns)
    those = invited.annotate(
        row_key=F("pk"),
        row_state=waiting,
        row_name=F("full_name"),
        row_email=F("email"),
        row_role=F("role"),
        row_external=F("external"),
        row_since=F("sent_at"),
        row_last_sign_in=Value(None, output_field=DateTimeField()),
        row_language=F("language"),
        row_until=F("until"),
        row_folded=Folded("full_name"),
    ).values_list(*columns)
    both: QuerySet[Any, Any] = these.union(those, all=True)
    return both


def _narrowed(people: _People, wanted: PeopleFilter, *named: str) -> _People:
    people = people.filter(named_like(wanted.text, *named))
    if wanted.role:
        people = people.filter(role=wanted.role)
    if wanted.external is not None:
        people = people.filter(external=wanted.external)
    if wanted.dated:
        people = people.filter(until__isnull=False)
    return people
