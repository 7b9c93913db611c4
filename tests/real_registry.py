"""A registry in a real file with the cast of `tests.world`, for tests of several processes at once."""

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import forking
from tests.forking import Forked
from tests.once import once

SET_UP = "from gridgate.config.loading import load_django; environment = load_django(must_exist=False)"
AT_ONCE = """
import os, time, pathlib
from django.db import connection
connection.ensure_connection()
print("ready", flush=True)
while not pathlib.Path(os.environ["GO"]).exists():
    time.sleep(0.001)
"""
"""Where a program given to `Registry.at_once` waits for the others: what took time to prepare stands before it."""


@dataclass(frozen=True)
class Registry:
    """An instance's data directory, and programs that run on it."""

    data: Path

    def start(self, program: str, **environment: str) -> Forked:
        """Start a Python program with Django set up on the instance. The caller waits for it, or kills it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDGATE_")}
        return forking.start(
            f"{SET_UP}\n{program}", env={**kept, "GRIDGATE_DATA": str(self.data), **environment}
        )

    def run(self, program: str, **environment: str) -> str:
        """Run such a program to its end and return what it printed."""
        process = self.start(program, **environment)
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        return output.strip()

    def at_once(self, *programs: str) -> list[str]:
        """Run programs in processes of their own, all let go from `AT_ONCE` on at one instant; what each printed."""
        go = self.data / "go"
        go.unlink(missing_ok=True)
        processes = [self.start(program, GO=str(go)) for program in programs]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        go.touch()
        printed = []
        for process in processes:
            output, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
            printed.append(output.strip())
        go.unlink()
        return printed

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What another program sees: committed rows only."""
        connection = sqlite3.connect(self.data / "registry.sqlite3", timeout=20)
        try:
            with connection:
                return connection.execute(statement, parameters).fetchall()
        finally:
            connection.close()


def _make_world(data: Path) -> None:
    Registry(data).run(
        """
from gridgate.config.instance import make_folders, make_receipt_key, migrate
from tests.world import make_world
make_folders(environment)
make_receipt_key(environment.receipt_key)
migrate()
make_world()
"""
    )


@pytest.fixture(scope="session")
def registry_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with the cast in its registry: copy it."""
    return once(tmp_path_factory, "registry-template", _make_world)


@pytest.fixture
def registry(registry_template: Path, tmp_path: Path) -> Registry:
    """A registry of the test's own."""
    return Registry(Path(shutil.copytree(registry_template, tmp_path / "instance")))
