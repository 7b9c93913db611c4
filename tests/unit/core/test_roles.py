"""What a member may do on a point, and why."""

import pytest

from gridgate.core.roles import ALLOWING, Answer, BeneficiaryRole, Given, ServiceRule, Why, decide_right

OPEN, SHUT = ServiceRule(open=True), ServiceRule(open=False)
MARKET = ServiceRule(open=False, roles=frozenset({BeneficiaryRole.MARKET_PARTICIPANT}))
MINE, THEIRS = Given("Énergie", mine=True), Given("Finances", mine=False)
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
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_decides_and_says_why(rule, asked, answer):
    facts = {"present": True, "administrator": False, "roles": (), "given": ()} | asked
    said = decide_right(rule, **facts)
    assert said == answer
    assert said.allowed is (answer.why in ALLOWING)


def test_whoever_is_out_learns_no_group():
    """Of somebody detached, and of a point that is not the company's, no group is named."""
    for facts in ({"present": False}, {"held": False}):
        asked = {"present": True, "administrator": False, "roles": (), "given": [THEIRS]} | facts
        assert decide_right(OPEN, **asked).groups == ()
