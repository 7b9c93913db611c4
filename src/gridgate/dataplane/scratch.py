"""Folders of one process for what it needs for a while: what one that was killed leaves is removed by the next."""

import fcntl
import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final

_NEW: Final = "new-"
_LOCK: Final = "lock"
_SOON: Final = 3600
"""Seconds within which whoever made a folder has locked it, or never will."""


class ScratchFolder:
    """A folder that nobody else can read, named `prefix` and something; held until it is closed, and gone then."""

    def __init__(self, folder: Path | None, prefix: str) -> None:
        made = Path(mkdtemp(prefix=_named_new(prefix), dir=folder))
        self._lock = (made / _LOCK).open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # What bears this name is held, or left by somebody who is no more.
        self.path = made.rename(made.with_name(made.name.replace(_named_new(prefix), prefix, 1)))

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def sweep(folder: Path | None, prefix: str) -> None:
    """Remove what was left there by whoever was killed: what nobody holds any more, and what nobody came to hold. Others
    may write there too: what is not of this user is left.
    """
    folder = folder or Path(gettempdir())
    for left in folder.glob(f"{prefix}*"):
        with suppress(OSError):
            if _is_ours(left):
                with (left / _LOCK).open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left, ignore_errors=True)
    for new in folder.glob(f"{_named_new(prefix)}*"):
        with suppress(OSError):
            if _is_ours(new) and time.time() - new.stat().st_mtime > _SOON:
                shutil.rmtree(new, ignore_errors=True)


def _named_new(prefix: str) -> str:
    """
    >>> _named_new("gridgate-parts-")
    'new-gridgate-parts-'
    """
    return _NEW + prefix


def _is_ours(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
