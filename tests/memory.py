"""Where the files of a run of tests lie: in memory, on a system that has room for them there.

Registries, stores and segments are written durably, and each commit waits for a disk. What a killed process leaves behind
is the same in both places: it outlives its process, not the machine.
"""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""A whole run's files, several times over."""


def folder() -> Path:
    """The folder to make others in."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        return MEMORY
    return Path(tempfile.gettempdir())


if __name__ == "__main__":
    print(folder())
