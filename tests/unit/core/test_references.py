"""Numbers that people quote and that count nothing."""

from random import SystemRandom

import pytest

from gridgate.core import references


@pytest.fixture(autouse=True)
def at_random(numbers_in_order: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "source", SystemRandom())


def test_have_no_character_that_is_taken_for_another() -> None:
    assert len(references.ALPHABET) == len(set(references.ALPHABET)) == 32
    assert not set("ILOU") & set(references.ALPHABET)


def test_do_not_follow_one_another() -> None:
    drawn = [references.drawn(5) for _ in range(200)]
    assert all(len(one) == 5 and set(one) <= set(references.ALPHABET) for one in drawn)
    assert drawn != sorted(drawn)
    assert len(set(drawn)) > 190
