"""The worlds in which pages are looked at. ACME has one of everything that an address names; then more and more of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.measured import Measured
from tests.pages.objects import grow, make_objects
from tests.world import NOW, Kept, World, make_world, standing_at

Stage = tuple[World, dict[str, str]]
"""A world, and what the objects named in addresses are called there."""


def _make(growths: int) -> tuple[Stage, dict[Path, bytes]]:
    world = make_world()
    objects = make_objects(world)
    for _ in range(growths):
        grow(world, objects)
    documents = {
        path: path.read_bytes() for folder in _folders() for path in folder.rglob("*") if path.is_file()
    }
    return (world, objects), documents


_STAGES = [Kept(lambda growths=growths: _make(growths)) for growths in range(3)]


def _bring(growths: int) -> Stage:
    """The world grown so many times, with its documents: those are files, which some pages remove."""
    stage, documents = _STAGES[growths].bring()
    for path, content in documents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return stage


def _folders() -> list[Path]:
    """Of documents that were joined, and of prepared files."""
    from django.conf import settings

    return [settings.ENVIRONMENT.attachments, settings.ENVIRONMENT.prepared]


@pytest.fixture
def stage(db: None, measured: Measured) -> Iterator[Stage]:
    with standing_at(NOW):
        yield _bring(0)


@pytest.fixture
def grown(db: None, measured: Measured) -> Iterator[Callable[[int], Stage]]:
    """The world grown once, or twice; one at a time."""
    with standing_at(NOW):
        yield _bring
