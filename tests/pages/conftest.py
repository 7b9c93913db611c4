"""The worlds in which pages are looked at. ACME has one of everything that an address names; then more and more of it."""

from collections.abc import Callable, Iterator

import pytest

from tests.measured import Measured
from tests.pages.objects import grow, make_objects
from tests.world import NOW, Kept, World, make_world, standing_at

Stage = tuple[World, dict[str, str]]
"""A world, and what the objects named in addresses are called there."""


def _make(growths: int) -> Stage:
    world = make_world()
    objects = make_objects(world)
    for _ in range(growths):
        grow(world, objects)
    return world, objects


_STAGES = [Kept(lambda growths=growths: _make(growths)) for growths in range(3)]


@pytest.fixture
def stage(db: None, measured: Measured) -> Iterator[Stage]:
    with standing_at(NOW):
        yield _STAGES[0].bring()


@pytest.fixture
def grown(db: None, measured: Measured) -> Iterator[Callable[[int], Stage]]:
    """The world grown once, or twice; one at a time."""
    with standing_at(NOW):
        yield lambda growths: _STAGES[growths].bring()
