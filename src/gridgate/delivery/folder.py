"""Where prepared files lie: a folder for the instance's user alone, which nothing serves and no backup needs.

A file is made in a folder of the attempt, flushed, then renamed: what has its name is whole. Of an attempt that was
killed, its folder is left, and `sweep` removes it.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
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

    def sweep(self, found: Iterable[str], files: Mapping[str, int | None]) -> int:
        """Remove what was found and belongs to none of the files; returns how much that was.

        A file that is being made has the number of its attempt. A later attempt may have begun since its row was read:
        one that a stopping worker gave back, its number with it, was found, and is another's again by now.
        """
        over = [entry for entry in found if not _belongs(entry, files)]
        for entry in over:
            path = self.path / entry
            with suppress(FileNotFoundError):  # an attempt that ends removes its folder at the same time
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return len(over)


def _belongs(entry: str, files: Mapping[str, int | None]) -> bool:
    """
    >>> [_belongs(entry, {"a": 2, "b": None}) for entry in ("a", "a.1", "a.2", "a.3", "b", "b.1", "c", "a.x")]
    [True, False, True, True, True, False, False, False]
    """
    name, _, number = entry.partition(".")
    if not number:
        return name in files
    attempt = files.get(name)
    return attempt is not None and number.isdecimal() and int(number) >= attempt


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
