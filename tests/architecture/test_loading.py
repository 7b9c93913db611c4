"""What a process of the instance loads before anybody has asked it for anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
    assert "gridgate.organisations.scim.urls" in loaded
    assert "scim2_models" not in loaded
