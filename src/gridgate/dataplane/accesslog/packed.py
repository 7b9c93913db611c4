"""Packed segments: Zstandard in the seekable format, frames that are read one by one and a table of where they begin.

The lines are the same to the byte, so the chain, the checkpoints and the offsets of lines hold for both forms.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pyzstd import SeekableFormatError, SeekableZstdFile, ZstdError

from gridgate.dataplane.accesslog.damage import DamagedSegment

Read = TypeVar("Read")


class _Packed(SeekableZstdFile):
    """What is damaged is an error of reading, as it is with any file."""

    def read(self, size: int | None = -1) -> bytes:
        return self._told(super().read, size)

    def readline(self, size: int | None = -1) -> bytes:
        return self._told(super().readline, size)

    def __next__(self) -> bytes:
        return self._told(super().__next__)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._told(super().seek, offset, whence)

    def _told(self, read: Callable[..., Read], *arguments: Any) -> Read:
        try:
            return read(*arguments)
        except (ZstdError, SeekableFormatError, EOFError) as error:
            raise DamagedSegment(f"{self.name}: {error}") from error


def open_packed(path: Path) -> _Packed:
    """Raises `OSError`; `DamagedSegment` when it is not in that form."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory")
    try:
        return _Packed(path)
    except (ZstdError, SeekableFormatError, EOFError) as error:
        raise DamagedSegment(f"{path}: {error}") from error
