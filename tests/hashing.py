"""Passwords cost next to nothing in tests, which hash thousands; the product's own cost where a test asks for it."""

from collections.abc import Iterator

import pytest

from gridgate.accounts.passwords import Argon2idHasher

_CHEAP = {"time_cost": 1, "memory_cost": 8}


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """The same algorithm and code, with the least that it takes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _CHEAP.items():
            patch.setattr(Argon2idHasher, name, value)
        yield


@pytest.fixture
def costly_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the product asks."""
    for name, value in _COSTLY.items():
        monkeypatch.setattr(Argon2idHasher, name, value)


_COSTLY = {name: getattr(Argon2idHasher, name) for name in _CHEAP}
