"""What a member may do on a point, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gridgate.core.roles import (
    ALLOWING,
    Answer,
    BeneficiaryRole,
    Given,
    ServiceRule,
    Term,
    Why,
    decide_right,
)

OPEN, SHUT = ServiceRule(open=True), ServiceRule(open=False)
MARKET = ServiceRule(open=False, roles=frozenset({BeneficiaryRole.MARKET_PARTICIPANT}))
MINE, THEIRS = Given("Énergie", mine=True), Given("Finances", mine=False)
NOON, LATER = datetime(2026, 8, 1, 12, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
COMING = Given("Énergie", mine=True, term=Term(LATER, None))
UNTIL_LATER = Given("Énergie", mine=True, place=Term(None, LATER))
OVER = Given("Énergie", mine=True, term=Term(None, NOON))
LEFT = Given("Énergie", mine=True, place=Term(None, NOON))
NEVER = Given("Énergie", mine=True, term=Term(LATER, None), place=Term(None, LATER))
WHOLE = Given("Lyon", mine=True)
ELSEWHERE = Given("Lyon", mine=True, covers=False)


@pytest.mark.parametrize(
    ("rule", "asked", "answer"),
    [
        (OPEN, {}, Answer(Why.OPEN_TO_ALL)),
        (SHUT, {}, Answer(Why.GIVEN_TO_NOBODY)),
        (OPEN, {"given": [THEIRS]}, Answer(Why.RESERVED, ("Finances",))),
        (SHUT, {"given": [THEIRS, MINE]}, Answer(Why.GIVEN, ("Énergie",))),
        (OPEN, {"given": [ELSEWHERE, THEIRS]}, Answer(Why.OUTSIDE_PERIMETER, ("Lyon",))),
        (OPEN, {"given": [ELSEWHERE, MINE]}, Answer(Why.GIVEN, ("Énergie",))),
        (SHUT, {"administrator": True}, Answer(Why.ADMINISTRATOR)),
        (OPEN, {"administrator": True, "given": [THEIRS]}, Answer(Why.ADMINISTRATOR)),
        (MARKET, {"administrator": True}, Answer(Why.NOT_OFFERED)),
        (
            MARKET,
            {"administrator": True, "roles": [BeneficiaryRole.MARKET_PARTICIPANT]},
            Answer(Why.ADMINISTRATOR),
        ),
        (OPEN, {"held": False, "given": [THEIRS]}, Answer(Why.NOT_HELD)),
        (OPEN, {"held": False, "administrator": True}, Answer(Why.NOT_HELD)),
        (OPEN, {"present": False, "administrator": True}, Answer(Why.ENDED)),
        (OPEN, {"given": [COMING]}, Answer(Why.OPEN_TO_ALL, later=("Énergie",), later_from=LATER)),
        (OPEN, {"given": [COMING], "until": LATER}, Answer(Why.OPEN_TO_ALL, turns_at=LATER)),
        (
            SHUT,
            {"given": [WHOLE, COMING]},
            Answer(Why.GIVEN, ("Lyon",), later=("Énergie",), later_from=LATER),
        ),
        (OPEN, {"until": LATER}, Answer(Why.OPEN_TO_ALL, turns_at=LATER)),
        (OPEN, {"given": [MINE], "until": LATER}, Answer(Why.GIVEN, ("Énergie",), LATER)),
        (SHUT, {"given": [COMING]}, Answer(Why.NOT_YET, ("Énergie",), LATER)),
        (OPEN, {"given": [COMING, THEIRS]}, Answer(Why.NOT_YET, ("Énergie",), LATER)),
        (OPEN, {"given": [UNTIL_LATER]}, Answer(Why.GIVEN, ("Énergie",), LATER)),
        (OPEN, {"given": [UNTIL_LATER, MINE]}, Answer(Why.GIVEN, ("Énergie", "Énergie"))),
        (OPEN, {"given": [OVER]}, Answer(Why.NO_LONGER, ("Énergie",), NOON)),
        (OPEN, {"given": [LEFT, THEIRS]}, Answer(Why.NO_LONGER, ("Énergie",), NOON)),
        (OPEN, {"given": [Given("Lyon", mine=False, term=OVER.term)]}, Answer(Why.RESERVED, ("Lyon",))),
        (OPEN, {"given": [NEVER]}, Answer(Why.OPEN_TO_ALL, turns_at=LATER)),
        (SHUT, {"given": [NEVER]}, Answer(Why.GIVEN_TO_NOBODY)),
        (OPEN, {"given": [ELSEWHERE, OVER]}, Answer(Why.NO_LONGER, ("Énergie",), NOON)),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_decides_and_says_why(rule, asked, answer):
    facts = {"present": True, "administrator": False, "roles": (), "given": (), "at": NOON} | asked
    said = decide_right(rule, **facts)
    assert replace(said, reason_ends=None) == answer
    assert said.allowed is (answer.why in ALLOWING)


def test_says_when_the_reason_ends_apart_from_when_it_is_allowed_no_more():
    """Open until a group has it, which the member is in until a day; then until their own last day."""
    end, last_day = LATER + timedelta(days=9), LATER + timedelta(days=4)
    group = Given("Énergie", mine=True, points=2, term=Term(LATER, end))
    facts = {"present": True, "administrator": False, "roles": (), "given": [group], "at": NOON}
    said = decide_right(OPEN, **facts)
    assert (said.reason_ends, said.turns_at) == (LATER, end)
    assert (said.later_from, said.later_until, said.later_points) == (LATER, end, 2)
    said = decide_right(OPEN, **facts, until=last_day)
    assert (said.reason_ends, said.turns_at, said.later_until) == (LATER, last_day, last_day)


def test_whoever_is_out_learns_no_group():
    """Of somebody detached, and of a point that is not the company's, no group is named."""
    for facts in ({"present": False}, {"held": False}):
        asked = {"present": True, "administrator": False, "roles": (), "given": [THEIRS], "at": NOON} | facts
        assert decide_right(OPEN, **asked).groups == ()
