"""Whom the files of an instance are for: the user it runs as, and nobody else on the machine."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gridgate.config.environment import Environment

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OWN_NAMES = frozenset(
    {
        "accesslog",
        "attachments",
        "demo.json",
        "keys",
        "mail",
        "measurements.sqlite3",
        "metrics",
        "prepared",
        "registry.sqlite3",
        "static",
    }
)
"""What an instance puts in its folder. The databases have files beside them that begin with their names."""


def keep_private() -> None:
    """Whatever this process makes from now on, and those that it starts, is for its own user alone."""
    os.umask(OTHERS)


def take_folder(environment: Environment) -> None:
    """Make the folder of an instance. One that exists and holds nothing else is closed to others, with all in it; one
    that holds somebody's files besides stays as open as it is.
    """
    folder = environment.data
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not all(_is_own(entry.name) for entry in folder.iterdir()):
        return
    for path in open_to_others(folder):
        with suppress(PermissionError):  # another user's: `init` says what stays open
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)


def open_to_others(folder: Path) -> list[Path]:
    """The folder and what lies in it, of which others than its owner may do anything with."""
    return [path for path in (folder, *sorted(folder.rglob("*"))) if _mode(path) & OTHERS]


def replaceable_by_others(folder: Path) -> Iterator[Path]:
    """The folders above it in which others than its owner may put another in its place."""
    for parent in folder.resolve().parents:
        mode = _mode(parent)
        if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:
            yield parent


def _is_own(name: str) -> bool:
    return name in OWN_NAMES or name.startswith(("registry.sqlite3-", "measurements.sqlite3-"))


def _mode(path: Path) -> int:
    """Of a file that has just gone, and of a link, whose own mode says nothing: closed."""
    try:
        found = path.stat(follow_symlinks=False).st_mode
    except FileNotFoundError:
        return 0
    return 0 if stat.S_ISLNK(found) else stat.S_IMODE(found)
