"""What companies are on the grid, and the one decision on what a member of a company may do on a point.

The rule is the transmission operator's own (RTE Services Portal, "Managing user groups"): a service that nobody was
given is open to all users of the company; once it is given to some groups it is theirs alone; a group may have it
on some points only. Services that commit the company are never open by themselves.

A service may be given, and a place in a group may be had, from an instant, until an instant. Outside its term neither
gives anything. A service is reserved from the beginning of its term on, and stays so after the end: what runs out takes
from those who had it, and never opens to everybody else.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypedDict


class BeneficiaryRole(StrEnum):
    """What a company is on the grid; decides which services it is offered."""

    PRODUCER = "producer"
    DISTRIBUTOR = "distributor"
    CONSUMER = "consumer"
    MARKET_PARTICIPANT = "market_participant"
    THIRD_PARTY = "third_party"


class Why(StrEnum):
    """The reason of an answer; the first three allow."""

    ADMINISTRATOR = "administrator"
    OPEN_TO_ALL = "open_to_all"
    GIVEN = "given"

    ENDED = "ended"
    """The account is closed, or no longer acts for the company."""
    NOT_OFFERED = "not_offered"
    """The service is for companies with another beneficiary role."""
    GIVEN_TO_NOBODY = "given_to_nobody"
    """The service is not open by itself, and no group has it."""
    RESERVED = "reserved"
    """Other groups have it, none of the member's."""
    OUTSIDE_PERIMETER = "outside_perimeter"
    """The member's groups have it, on other points."""
    NOT_YET = "not_yet"
    """By groups of the member, from a later day on."""
    NO_LONGER = "no_longer"
    """By groups of the member, until a day that is over."""
    NOT_HELD = "not_held"
    """The company neither holds nor held the point, so far as anyone here is told."""


ALLOWING = frozenset({Why.ADMINISTRATOR, Why.OPEN_TO_ALL, Why.GIVEN})


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """What the catalogue says of a service, as far as deciding goes."""

    open: bool
    """Open to all users until it is given to a group; otherwise only for groups that have it."""
    roles: frozenset[BeneficiaryRole] = frozenset()
    """Offered to companies with one of these; empty: to every company."""

    def offered_to(self, roles: Collection[BeneficiaryRole]) -> bool:
        return not self.roles or not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Term:
    """From when until when, the end excluded. None: at once, without end.

    >>> noon, one = datetime(2026, 8, 1, 12), datetime(2026, 8, 1, 13)
    >>> Term(noon, one).holds(noon), Term(noon, one).holds(one), Term(noon, one).has_begun(one)
    (True, False, True)
    """

    begins: datetime | None = None
    ends: datetime | None = None

    def has_begun(self, at: datetime) -> bool:
        return self.begins is None or self.begins <= at

    def is_over(self, at: datetime) -> bool:
        return self.ends is not None and self.ends <= at

    def holds(self, at: datetime) -> bool:
        return self.has_begun(at) and not self.is_over(at)

    @property
    def edges(self) -> tuple[datetime, ...]:
        """The instants at which something begins or ends."""
        return tuple(edge for edge in (self.begins, self.ends) if edge is not None)

    def within(self, other: "Term") -> "Term | None":
        """What the two have in common; None when that is nothing."""
        begins = max(filter(None, (self.begins, other.begins)), default=None)
        ends = min(filter(None, (self.ends, other.ends)), default=None)
        return None if begins is not None and ends is not None and ends <= begins else Term(begins, ends)


ALWAYS = Term()


@dataclass(frozen=True, slots=True)
class Given:
    """That a group of the company has the service."""

    group: str
    mine: bool
    """The member belongs to the group."""
    covers: bool = True
    """The group has it on the point asked about."""
    points: int | None = None
    """On how many points the group has it, where no point is asked about; None: on all, or not known."""
    term: Term = ALWAYS
    """Of the service."""
    place: Term = ALWAYS
    """Of the member's place in the group."""

    @property
    def gives(self) -> Term | None:
        """When it gives the service to the member; None: never."""
        return self.term.within(self.place) if self.mine else None


@dataclass(frozen=True, slots=True)
class Answer:
    """May the member do it, why, and by or in spite of which groups."""

    why: Why
    groups: tuple[str, ...] = ()
    turns_at: datetime | None = None
    """Of what is allowed, when it ends; of what is not yet, when it begins; of what is no longer, when it ended."""
    later: tuple[str, ...] = ()
    """Of what is allowed: the groups by which it is so, or more widely, from a later day on."""
    later_from: datetime | None = None
    later_until: datetime | None = None
    """When that ends."""
    later_points: int | None = None
    """On how many points it is, where one group has it on some."""
    reason_ends: datetime | None = None
    """Of what is allowed, when it is no more by this reason, be it still so by another."""

    @property
    def allowed(self) -> bool:
        return self.why in ALLOWING


def decide_right(
    rule: ServiceRule,
    *,
    present: bool,
    administrator: bool,
    roles: Collection[BeneficiaryRole],
    given: Iterable[Given],
    held: bool = True,
    until: datetime | None = None,
    at: datetime,
) -> Answer:
    """Whether a member may use a service on a point at that instant. Reasons that say least come first: whoever is out,
    or whose company does not hold the point, learns nothing of its groups.

    `until`: when the member no longer acts for the company. What is allowed ends when nothing allows it any more, be it
    by another reason than now.

    >>> shut, noon = Given("Énergie", mine=False), datetime(2026, 8, 1, 12)
    >>> facts = {"present": True, "administrator": False, "roles": (), "at": noon}
    >>> decide_right(ServiceRule(open=True), given=[shut], **facts).why.value
    'reserved'
    """
    if not present:
        return Answer(Why.ENDED)
    if not rule.offered_to(roles):
        return Answer(Why.NOT_OFFERED)
    if not held:
        return Answer(Why.NOT_HELD)
    if administrator:
        return Answer(Why.ADMINISTRATOR)
    groups = list(given)
    answer = _by_groups(rule, groups, at)
    if not answer.allowed:
        return answer
    answer = replace(
        answer,
        reason_ends=min(_edges((answer.turns_at, until)), default=None),
        later_until=min(_edges((answer.later_until, until)), default=None) if answer.later else None,
    )
    ends = answer.turns_at
    while ends is not None and (then := _by_groups(rule, groups, ends)).allowed:
        ends = then.turns_at
    answer = replace(answer, turns_at=min(_edges((ends, until)), default=None))
    if until is not None and answer.later_from is not None and answer.later_from >= until:
        return replace(answer, later=(), later_from=None, later_until=None, later_points=None)
    return answer


def _by_groups(rule: ServiceRule, groups: Sequence[Given], at: datetime) -> Answer:
    """What the groups let a user do at that instant, and by which of them."""
    reserving = [group for group in groups if group.term.has_begun(at)]
    mine = [(group, term) for group in groups if (term := group.gives) is not None]
    to_come = [(group, term) for group, term in mine if group.covers and not term.has_begun(at)]
    begins = min(_edges(term.begins for _group, term in to_come), default=None)
    later = _later(to_come, begins)
    if not reserving and rule.open:
        ends = min(_edges(group.term.begins for group in groups), default=None)
        return Answer(Why.OPEN_TO_ALL, (), ends, **later)
    giving = [(group, term) for group, term in mine if term.holds(at)]
    covering = [(group, term) for group, term in giving if group.covers]
    if covering:
        endless = any(term.ends is None for _group, term in covering)
        last = None if endless else max(_edges(term.ends for _group, term in covering))
        return Answer(Why.GIVEN, _names(covering), last, **later)
    if to_come:
        return Answer(Why.NOT_YET, _names(to_come), begins)
    former = [(group, term) for group, term in mine if group.covers and term.is_over(at)]
    if former:
        return Answer(Why.NO_LONGER, _names(former), max(_edges(term.ends for _group, term in former)))
    if mine:
        return Answer(Why.OUTSIDE_PERIMETER, _names(giving or mine))
    if not reserving:
        return Answer(Why.GIVEN_TO_NOBODY)
    return Answer(Why.RESERVED, tuple(group.group for group in reserving))


class _Later(TypedDict):
    later: tuple[str, ...]
    later_from: datetime | None
    later_until: datetime | None
    later_points: int | None


def _later(to_come: Sequence[tuple[Given, Term]], begins: datetime | None) -> _Later:
    """What of an answer tells by which groups it is so from a later day on."""
    endless = any(term.ends is None for _group, term in to_come)
    return {
        "later": _names(to_come),
        "later_from": begins,
        "later_until": None if endless else max(_edges(term.ends for _group, term in to_come), default=None),
        "later_points": to_come[0][0].points if len(to_come) == 1 else None,
    }


def _edges(instants: Iterable[datetime | None]) -> list[datetime]:
    return [instant for instant in instants if instant is not None]


def _names(mine: Iterable[tuple[Given, Term]]) -> tuple[str, ...]:
    return tuple(group.group for group, _term in mine)
