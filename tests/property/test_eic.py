"""Codes that are issued: whatever is asked, they follow the rule, and none is issued twice."""

from datetime import UTC, datetime
from itertools import islice

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gridgate.core.identifiers import EIC_TYPES, parse_eic
from gridgate.eic.codes import (
    BODY,
    bodies_from,
    code_of,
    compact,
    examine,
)
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.operations.issuing import (
    EicCodeTaken,
    InvalidEicBody,
    accept_eic_request,
    propose_body,
)
from gridgate.requests.models import RequestState
from tests.examples import examples
from tests.world import World

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
WEIGHTS = range(16, 1, -1)

offices = st.text(ALPHABET[:36], min_size=2, max_size=2)
letters = st.sampled_from(sorted(EIC_TYPES))
bodies = st.text(ALPHABET, min_size=BODY, max_size=BODY)
display_names = st.text(ALPHABET + "+_", min_size=1, max_size=16)


def check_of(first: str) -> str:
    """The manual's annex, written down anew: weights 16 to 2, 36 less the sum's remainder."""
    total = sum(ALPHABET.index(char) * weight for char, weight in zip(first, WEIGHTS, strict=True))
    return ALPHABET[36 - (total - 1) % 37]


@given(offices, letters, bodies)
def test_what_an_office_makes_is_a_code_or_is_refused_for_its_hyphen(
    office: str, letter: str, body: str
) -> None:
    made, check = code_of(office, letter, body), check_of(office + letter + body)
    assert made.valid == (check != "-")
    if made.valid:
        assert made.code == office + letter + body + check
        assert set(made.code) <= set(ALPHABET)
        assert parse_eic(made.code) == made.code


@given(offices, letters, bodies, st.integers(0, 15), st.sampled_from(ALPHABET))
def test_one_character_that_differs_is_noticed(
    office: str, letter: str, body: str, place: int, other: str
) -> None:
    made = code_of(office, letter, body)
    if not made.valid or made.code[place] == other:
        return
    wrong = made.code[:place] + other + made.code[place + 1 :]
    assert not examine(wrong).valid


@given(st.text(max_size=40))
def test_any_text_is_examined_and_only_codes_pass(text: str) -> None:
    examined = examine(text)
    if examined.valid:
        assert parse_eic(text) == examined.code == compact(text)
        assert examined.code[-1] != "-"
    if examined.recordable:
        assert len(examined.code) == 16


@given(st.text(max_size=40), offices, letters)
@example("---", "17", "X")
@example("", "17", "X")
def test_every_name_gives_bodies_that_differ_and_most_make_codes(name: str, office: str, letter: str) -> None:
    some = list(islice(bodies_from(name), 40))
    assert len(set(some)) >= 39  # a name may end as the first number does
    assert all(len(body) == BODY and set(body) <= set(ALPHABET) for body in some)
    assert sum(code_of(office, letter, body).valid for body in some) >= 20


@pytest.mark.django_db
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(letters, display_names, st.booleans()), min_size=1, max_size=8))
def test_codes_issued_one_after_another_follow_the_rule_and_are_all_different(
    world: World, asked: list[tuple[str, str, bool]]
) -> None:
    """Each request is given the proposed characters, or those of a request before it, which are taken."""
    with transaction.atomic():
        used: list[str] = []
        for number, (letter, name, again) in enumerate(asked):
            request = EicRequest.objects.create(
                number=f"EIC-2026-9{number:04}",
                requester=world.alice.user,
                organisation=world.acme,
                state=RequestState.SUBMITTED,
                type=letter,
                display_name=name,
                long_name=name,
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
            body = used[-1] if again and used else propose_body(request)
            try:
                accept_eic_request(request=request, body=body, actor=world.operateur, now=world.now)
            except (EicCodeTaken, InvalidEicBody):
                continue
            used.append(body)
        codes = list(EicCode.objects.all())
        for code in codes:
            assert parse_eic(code.pk) == code.pk
            assert code.pk[:3] == f"17{code.type}"
            assert code.pk[-1] == check_of(code.pk[:-1]) != "-"
        assert len({code.display_name.upper() for code in codes}) == len(codes)
        assert EicRequest.objects.filter(state="accepted").count() == len(codes) == len(used)
        transaction.set_rollback(True)
