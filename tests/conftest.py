"""Fixtures that every layer of tests shares."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import django
import pytest
from django.conf import settings as django_settings
from django.utils import translation
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from gridgate.core import references
from tests import memory
from tests.signals import hear_interruptions

hear_interruptions()

# Django reads its settings at import: a private, empty instance for each process, before anything is imported.
_FILES = os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory.folder()))  # that of `tmp_path`, too
_INSTANCE = tempfile.mkdtemp(prefix="gridgate-tests-", dir=_FILES)
os.environ.update(
    GRIDGATE_DATA=_INSTANCE, TZ="UTC", LANG="fr_FR.UTF-8", DJANGO_SETTINGS_MODULE="gridgate.config.settings"
)
Path(_INSTANCE, "static").mkdir()  # whitenoise warns of a missing one
django.setup()
# Entries that `tests.factories.audit` makes have their lines in memory.
django_settings.LOG_LINES = "tests.factories.audit.read_lines"

# A gate asks the same questions every time, `make quick` the first of them, `make fuzz` new ones. A busy machine is no
# failure: no deadline.
settings.register_profile(
    "gate", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "fuzz", max_examples=2000, print_blob=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", parent=settings.get_profile("gate"), max_examples=20)
settings.load_profile(os.environ.get("GRIDGATE_HYPOTHESIS", "gate"))
if settings.default.derandomize:
    # It also draws constants of those of our modules that are loaded: questions would depend on the tests before.
    providers._get_local_constants = lambda: providers._local_constants

pytest_plugins = [
    "tests.world",
    "tests.measured",
    "tests.hashing",
    "tests.schema",
    "tests.instance",
    "tests.real_registry",
    "tests.acting",
]

PROCESSES = {"registry_template", "empty_template", "demo_template", "browser", "provider"}
"""What tests that start processes stand on: `make quick` leaves those out, and files that are marked `processes`."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Workers inherit the environment: with this in it, Django's settings would be read on the first process's instance,
    which all of them would share, before each has chosen its own here.
    """
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


class Counting(Random):
    """Draws 1, 2, 3: tests name the numbers of what they make."""

    def __init__(self) -> None:
        super().__init__(0)
        self._drawn = count(1)

    def choices(self, population: Any, *args: Any, k: int = 1, **more: Any) -> list[Any]:
        return list(f"{next(self._drawn):0{k}}")


@pytest.fixture(autouse=True)
def numbers_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """References are drawn in order, anew in each test; other processes draw theirs at random."""
    monkeypatch.setattr(references, "source", Counting())


def pytest_sessionstart(session: pytest.Session) -> None:
    from tools import messages

    if behind := messages.stale():
        pytest.exit(f"{len(behind)} translations are not compiled: run make messages", returncode=4)


def pytest_unconfigure() -> None:
    shutil.rmtree(_INSTANCE, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.processes)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded and collected stays to the end of the run: no collection of garbage looks through it again."""
    gc.collect()
    gc.freeze()


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real samples and official schemas, which lie beside the checkout and are never copied into it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the samples are not at {folder}")
    return folder


@pytest.fixture(autouse=True)
def _starts_in_french() -> Iterator[None]:
    """The language of a thread outlives a request: no test inherits the one before's."""
    translation.deactivate()
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _tables_that_only_grow_can_be_emptied() -> Iterator[None]:
    """Django empties every table after a transactional test; the triggers of append-only tables would refuse."""
    from django.db.backends.sqlite3.operations import DatabaseOperations

    empty = DatabaseOperations.execute_sql_flush

    def without_triggers(self: DatabaseOperations, statements: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            try:
                empty(self, statements)
            finally:
                for _, definition in triggers:
                    cursor.execute(definition)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", without_triggers)
        yield
