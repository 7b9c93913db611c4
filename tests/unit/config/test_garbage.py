"""What was loaded is not looked through for garbage again and again."""

import subprocess
import sys
from pathlib import Path

LOAD = """
import gc, os, sys
os.environ |= {"GRIDGATE_DATA": sys.argv[1], "GRIDGATE_PLANE": "data"}
import gridgate.config.asgi
print(gc.get_freeze_count() > 10_000, len(gc.get_objects()) < gc.get_freeze_count(), gc.get_threshold()[0])
"""


def test_a_web_process_looks_for_garbage_among_what_requests_made(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, text=True, check=True
    ).stdout
    assert told.split() == ["True", "True", "10000"]
