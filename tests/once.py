"""What is built once for a whole run, whoever needs it first, and shared by all of its workers."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = "GRIDGATE_TEST_RUN"
"""Names a folder that several runs of pytest share, one after the other; else each has its own."""


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """What `build` makes at the path that it is given. Nobody writes there afterwards: copy it."""
    return once_at(_folder(factory) / name, build)


def once_at(built: Path, build: Callable[[Path], None]) -> Path:
    """The same, where it stays when the run is over."""
    with built.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            # Named last, so that what was left half built is not taken for whole.
            building = built.with_suffix(".being-built")
            shutil.rmtree(building, ignore_errors=True)
            build(building)
            building.rename(built)
    return built


def _folder(factory: pytest.TempPathFactory) -> Path:
    if SHARED in os.environ:
        folder = Path(os.environ[SHARED])
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
