"""A day from which a change makes no difference any more says what is so then."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gridgate.core.roles import Term
from gridgate.organisations.catalogue import BY_CODE
from gridgate.organisations.company_rights import CompanyRights, Extent, Gift, Person
from gridgate.organisations.rights_changes import becoming
from gridgate.portal.screens.company.consequences import consequences

NOW, THEN = datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)
BOB, SITE, OTHER = 2, 10, 11
MEASURES = "measurements"
P1, P2 = "30001480112233", "30001480112244"


def rights(**of: Any) -> CompanyRights:
    """Bob is of the group that has the service on two points."""
    had: dict[str, Any] = {
        "at": NOW,
        "services": (BY_CODE[MEASURES],),
        "people": {1: Person("Alice", True), BOB: Person("Bob", False)},
        "members": {SITE: {BOB: Term()}},
        "given": {MEASURES: {SITE: Gift(Extent(points=frozenset({P1, P2})))}},
        "held": frozenset({P1, P2}),
    }
    return CompanyRights(**{**had, **of})


def said_after(before: CompanyRights, after: CompanyRights) -> list[tuple[str, str, list[str]]]:
    actor: Any = SimpleNamespace(is_administrator=False)
    told = consequences(becoming(before, after), actor=actor)
    return [
        (one.when, one.becomes, [said.text.replace("\u00a0", " ") for said in one.sentences]) for one in told
    ]


def test_who_came_until_a_day_has_the_service_no_more() -> None:
    after = rights(people={1: Person("Alice", True), BOB: Person("Bob", False, THEN)})
    before = replace(after, people={1: Person("Alice", True)})
    assert said_after(before, after)[1:] == [
        (
            "Après le 31\u00a0déc.\u00a02026",
            "",
            ["Bob n’a plus « Visualiser les mesures » sur 2 points."],
        )
    ]


def test_who_had_lost_it_until_a_day_has_it_again() -> None:
    before = rights()
    after = before.with_place(SITE, BOB, Term(begins=THEN))
    assert said_after(before, after)[1][2] == ["Bob a de nouveau « Visualiser les mesures » sur 2 points."]


def test_who_leaves_has_it_no_more_in_either_case() -> None:
    before = rights(people={BOB: Person("Bob", False, THEN)})
    after = before.with_place(SITE, BOB, Term(begins=datetime(2027, 2, 1, tzinfo=UTC)))
    assert said_after(before, after)[-1][2] == [
        "Bob n’a plus « Visualiser les mesures » sur 2 points, avec ou sans ce changement."
    ]


def test_who_gained_what_was_to_come_has_it_in_either_case() -> None:
    before = rights(members={SITE: {BOB: Term(begins=THEN)}})
    assert said_after(before, before.with_place(SITE, BOB, Term()))[1][2] == [
        "Bob a « Visualiser les mesures » sur 2 points, avec ou sans ce changement."
    ]


@pytest.mark.parametrize("kept", [P1, P2])
def test_of_some_points_each_is_told_as_it_is(kept: str) -> None:
    """Bob loses both; on the day on which his place would have ended, another group has one of them for him."""
    other = {OTHER: {BOB: Term(begins=THEN)}}
    given = {MEASURES: {**rights().given[MEASURES], OTHER: Gift(Extent(points=frozenset({kept})))}}
    before = rights(members={SITE: {BOB: Term(ends=THEN)}, **other}, given=given)
    after = replace(before, members={SITE: {}, **other})
    assert said_after(before, after)[1][2] == [
        "Bob a de nouveau « Visualiser les mesures » sur 1 point.",
        "Bob n’a plus « Visualiser les mesures » sur 1 point, avec ou sans ce changement.",
    ]


def test_a_day_on_which_nothing_can_be_said_of_anybody_is_left_out() -> None:
    """A group of nobody has the service earlier: nobody has lost it who would have it then."""
    before = rights(
        members={},
        people={1: Person("Alice", True)},
        given={"contracts": {SITE: Gift(term=Term(begins=THEN))}},
        services=(BY_CODE["contracts"],),
    )
    after = before.with_term(SITE, "contracts", Term())
    assert [when for when, _becomes, _said in said_after(before, after)] == ["Dès maintenant"]
