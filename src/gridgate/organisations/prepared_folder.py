"""Where prepared files lie: a folder for the instance's user alone, which nothing serves and no backup needs.

A file is made in a folder of the attempt, flushed, then renamed: what has its name is whole. Of an attempt that was
killed, its folder is left, and `sweep` removes it.
"""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def folder() -> "PreparedFolder":
    """That of this instance."""
    from django.conf import settings

    return PreparedFolder(settings.ENVIRONMENT.prepared)


class PreparedFolder:
    """The folder, made when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def attempt(self, name: str, number: int) -> Iterator[Path]:
        """A folder to make a file in, which is empty and gone afterwards."""
        made = self.path / f"{name}.{number}"
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def flush(self, made: Path) -> int:
        """Have a whole file on the disk, for the instance's user alone; returns its size. Raises `OSError`."""
        made.chmod(0o600)
        with made.open("rb") as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def keep(self, made: Path, name: str) -> None:
        """Put a flushed file in its place. Raises `OSError`."""
        made.replace(self.path / name)
        _sync(self.path)

    def open(self, name: str) -> IO[bytes]:
        """Raises `FileNotFoundError`. What is open is read to its end, be it removed meanwhile."""
        return (self.path / name).open("rb")

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            (self.path / name).unlink(missing_ok=True)

    def found(self) -> list[str]:
        """The names of what lies here, attempts too."""
        with suppress(FileNotFoundError):
            return sorted(entry.name for entry in self.path.iterdir())
        return []

    def sweep(self, found: Iterable[str], keep: Collection[str]) -> int:
        """Remove what was found and belongs to no row; returns how much that was."""
        over = [name for name in found if name not in keep]
        for name in over:
            path = self.path / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return len(over)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
