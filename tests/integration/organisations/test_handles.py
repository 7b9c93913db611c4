"""What rows are called outside, and the numbers of requests: nothing of them counts what others have."""

from random import SystemRandom
from typing import Any

import pytest
from django.db import IntegrityError

from gridgate.core import references
from gridgate.core.references import ALPHABET
from gridgate.eic.kind import EIC
from gridgate.onboarding import links
from gridgate.onboarding.operations.invitations import invite
from gridgate.organisations.handles import handle_of, number_of
from gridgate.portal.screens.account import mails
from gridgate.requests.kinds import NoNumberLeft
from tests.factories.eic import make_draft
from tests.world import World


class TestAHandle:
    @pytest.mark.parametrize("number", [0, 1, 35, 2**31, 2**63 - 1])
    def test_names_its_row_and_no_other_kinds(self, number: int) -> None:
        name = handle_of("group", number)
        assert number_of("group", name) == number
        assert number_of("member", name) is None
        assert handle_of("member", number) != name

    @pytest.mark.parametrize(
        "text",
        ["", "35", "-1", "9" * 5000, "x", "00000000-0000-4000-8000-000000000000", "٣" * 36, "{name} ", "{name}0"],
    )  # fmt: skip
    def test_is_nothing_else(self, text: str) -> None:
        assert number_of("group", text.format(name=handle_of("group", 35))) is None

    def test_of_one_row_tells_nothing_of_the_next(self) -> None:
        names = [handle_of("group", number) for number in range(200)]
        assert len({name[:4] for name in names}) > 150
        assert names != sorted(names)

    def test_is_the_instances_own(self, settings) -> None:
        name = handle_of("group", 35)
        former, settings.SECRET_KEY = settings.SECRET_KEY, "another" * 10
        assert number_of("group", name) is None
        settings.SECRET_KEY_FALLBACKS = [former]
        assert number_of("group", name) == 35


def test_the_links_of_letters_name_nobody_by_a_number(world: World, mailoutbox: list[Any]) -> None:
    invited = invite(
        organisation=world.acme,
        email="denis@acme.example",
        full_name="Denis",
        actor=world.alice,
        now=world.now,
    )
    token = links.token_of(invited)
    assert token.startswith(f"{handle_of('activation', invited.pk)}-1.")
    assert links.read_token(token) == (invited.pk, 1)
    mails.send_reset_link(world.alice.user)
    mails.wait()
    assert f"/mot-de-passe/nouveau/{handle_of('user', world.alice.user_id)}/" in mailoutbox[0].body


class TestTheNumberOfARequest:
    def test_is_short_random_and_of_the_year(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(references, "source", SystemRandom())
        numbers = [make_draft(world.alice, now=world.now).number for _ in range(5)]
        for number in numbers:
            prefix, year, drawn = number.split("-")
            assert (prefix, year, len(drawn)) == ("EIC", "2026", 5)
            assert set(drawn) <= set(ALPHABET)
        assert len(set(numbers)) == 5
        assert numbers != sorted(numbers) or numbers[0][9:] != "00001"

    def test_that_is_taken_is_drawn_again(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        draws = iter(["AAAAA", "AAAAA", "AAAAA", "BBBBB"])
        monkeypatch.setattr("gridgate.requests.kinds.drawn", lambda length: next(draws))
        numbers = [make_draft(world.alice, now=world.now).number for _ in range(2)]
        assert numbers == ["EIC-2026-AAAAA", "EIC-2026-BBBBB"]

    def test_is_not_drawn_for_ever(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gridgate.requests.kinds.drawn", lambda length: "A" * length)
        make_draft(world.alice, now=world.now)
        with pytest.raises(NoNumberLeft):
            make_draft(world.alice, now=world.now)

    def test_another_fault_of_the_row_is_not_taken_for_a_number_that_is_taken(self, world: World) -> None:
        def make(number: str):
            raise IntegrityError("another")

        with pytest.raises(IntegrityError, match="another"):
            EIC.numbered(make, now=world.now)
