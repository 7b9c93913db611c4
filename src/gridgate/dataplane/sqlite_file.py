"""An SQLite file before it is opened, and whether it is still the one that was opened.

The engine itself is too kind here: it makes a file that is missing, takes an empty one for a database without tables,
passes over a log of changes that it cannot read, lays a sound log over a damaged file, and goes on reading a file that
was moved away or written over, of which it has pages in memory: an end of sharing in the file that took its place would
not be seen.
"""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

_LOG_HEADERS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")

_SMALLEST = 512
"""Bytes of the smallest page: the engine takes a shorter file for an empty one."""

Stamp = tuple[int, int, int, int]


def stamp(path: str) -> Stamp | None:
    """Which file is there, and as it was last written; None when there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- asked at every request
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def log_of(path: Path) -> Path:
    """Where the engine keeps the changes that are not in the file itself yet."""
    return path.with_name(f"{path.name}-wal")


def has_log(path: Path) -> bool:
    """Whether there are such changes, or were since it was last closed by all."""
    try:
        return log_of(path).stat().st_size > 0
    except OSError:
        return False


def fault_of(path: Path) -> str | None:
    """Why the file cannot be used, as far as its beginning tells; None when it tells nothing.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     fault_of(Path(folder)), fault_of(Path(folder, "registry.sqlite3"))
    ('it is a folder', 'it is missing')
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if stat.S_ISDIR(found.st_mode):
        return "it is a folder"
    if not os.access(path, os.R_OK):
        return "it cannot be read: Permission denied"
    if not found.st_size:
        return "it is empty"
    if found.st_size < _SMALLEST:
        return "it is cut short"
    if path.with_name(f"{path.name}-shm").is_dir():
        return f"{path.name}-shm beside it is a folder"
    return _fault_of_log(log_of(path)) or _fault_of_beginning(path)


def _fault_of_log(log: Path) -> str | None:
    try:
        if log.is_dir():
            return f"{log.name} beside it is a folder"
        with log.open("rb") as file:
            head = file.read(32)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{log.name} beside it cannot be read: {error.strerror}"
    # Zeros are what a power cut leaves of a log whose first write had not reached the disk.
    if any(head) and not head.startswith(_LOG_HEADERS):
        return f"{log.name} beside it, which holds the latest changes, is damaged"
    return None


def _fault_of_beginning(path: Path) -> str | None:
    """Asked of the engine, without the log: to open and close the file ourselves would drop the locks that other
    connections of this process hold on it.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            file.execute("PRAGMA schema_version").fetchone()
            (page,) = file.execute("PRAGMA page_size").fetchone()
    except sqlite3.DatabaseError as error:
        code = error.sqlite_errorcode & 0xFF
        if code == sqlite3.SQLITE_NOTADB:
            return "it is no SQLite database"
        if code == sqlite3.SQLITE_CORRUPT and has_log(path):
            return None  # what is short of it may be in the log
        return f"it is damaged: {error}"
    return None if path.stat().st_size % page == 0 or has_log(path) else "it is damaged: it is cut short"
