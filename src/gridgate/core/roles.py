"""What companies are on the grid, and the one decision on what a member of a company may do on a point.

The rule is the transmission operator's own (RTE Services Portal, "Managing user groups"): a service that nobody was
given is open to all users of the company; once it is given to some groups it is theirs alone; a group may have it
on some points only. Services that commit the company are never open by themselves.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum


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
class Given:
    """That a group of the company has the service."""

    group: str
    mine: bool
    """The member belongs to the group."""
    covers: bool = True
    """The group has it on the point asked about."""


@dataclass(frozen=True, slots=True)
class Answer:
    """May the member do it, why, and by or in spite of which groups."""

    why: Why
    groups: tuple[str, ...] = ()

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
) -> Answer:
    """Whether a member may use a service on a point. Reasons that say least come first: whoever is out, or whose
    company does not hold the point, learns nothing of its groups.

    >>> shut = Given("Énergie", mine=False)
    >>> decide_right(ServiceRule(open=True), present=True, administrator=False, roles=(), given=[shut]).why.value
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
    if not groups:
        return Answer(Why.OPEN_TO_ALL if rule.open else Why.GIVEN_TO_NOBODY)
    mine = [group for group in groups if group.mine]
    if not mine:
        return Answer(Why.RESERVED, tuple(group.group for group in groups))
    covering = tuple(group.group for group in mine if group.covers)
    if covering:
        return Answer(Why.GIVEN, covering)
    return Answer(Why.OUTSIDE_PERIMETER, tuple(group.group for group in mine))
