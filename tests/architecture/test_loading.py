"""What a process of the instance loads before anybody has asked it for anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridgate.dataplane.store import open_store
from tests.dataplane_world import ACME, CONSO, RegistryFile
from tests.ingest_samples import plain_csv

pytestmark = pytest.mark.processes

ADDRESSES = """
import sys
import django
django.setup()
from django.urls import get_resolver
assert len(get_resolver().reverse_dict) > 100
print(*sys.modules)
"""


def test_the_models_of_scim_wait_for_a_directory_that_asks(tmp_path: Path) -> None:
    """They cost more than all else together, and every process would pay."""
    done = subprocess.run(
        [sys.executable, "-c", ADDRESSES],
        env={**os.environ, "GRIDGATE_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert "gridgate.portal.scim.urls" in loaded
    assert "scim2_models" not in loaded


ONE_COMMAND = """
import sys
sys.argv = ["gridgate", *sys.argv[1:]]
from gridgate.config.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("LOADED", *sys.modules)
"""


def _loaded_by(*arguments: str, data: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", ONE_COMMAND, "--data", str(data), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rpartition("LOADED ")[2].split())


def test_taking_measurements_in_loads_what_that_needs_and_no_other_command(tmp_path: Path) -> None:
    """The start is most of what a small file costs."""
    RegistryFile(tmp_path / "registry.sqlite3").point(CONSO, holder=ACME)
    open_store(tmp_path / "measurements.sqlite3").close()
    day = tmp_path / "day.csv"
    day.write_bytes(plain_csv([f"{CONSO},load_curve,withdrawal,2026-06-01T00:00:00+02:00,PT30M,752,W,"]))
    loaded = _loaded_by("ingest", str(day), data=tmp_path)
    assert {"gridgate.dataplane.ingest.pipeline", "numpy"} <= loaded
    others = {f"gridgate.config.commands.{module}" for module in ("audit", "check", "export", "kyc", "serve")}
    unneeded = {"django", "starlette", "granian", "openpyxl", "joserfc", "cryptography", "structlog"}
    assert not loaded & (others | unneeded)


def test_the_version_is_told_without_loading_any_command(tmp_path: Path) -> None:
    loaded = _loaded_by("--version", data=tmp_path)
    assert not {name for name in loaded if name.startswith("gridgate.config.commands.")}
    assert "numpy" not in loaded
