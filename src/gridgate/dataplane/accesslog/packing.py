"""Packing a segment: the packed form written beside it, proved to read back the same, and the original removed."""

import fcntl
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from pyzstd import CParameter, SeekableZstdFile

from gridgate.dataplane.accesslog.packed import open_packed
from gridgate.dataplane.accesslog.segments import PACKED, form_of, segment_name

FRAME = 128 * 1024
"""Bytes of lines that one frame holds: what is read to get at a single line."""
OPTIONS: dict[int, int] = {CParameter.compressionLevel: 9, CParameter.checksumFlag: 1}
"""A damaged frame is an error, not other lines."""
_CHUNK = 1 << 20


def pack(path: Path) -> bool:
    """Write the packed form of a segment beside it, durably, and remove the original once what was written reads back
    the same; returns whether it did: not while a process has the segment open to write to it, nor what another packs,
    or has packed by now, nor when what is packed already holds more.

    Killed in between, it leaves the original. Raises `OSError`.
    """
    try:
        lines = path.open("rb")
    except FileNotFoundError:
        return False
    with lines:
        try:
            fcntl.flock(lines, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if not os.fstat(lines.fileno()).st_nlink or form_of(path) != path:
            return False
        _pack(path, expected=_digest(lines))
    return True


def _pack(path: Path, *, expected: bytes) -> None:
    packed = path.with_name(path.name + PACKED)
    making = unfinished(path)
    try:
        _make(making, path, expected)
    except OSError:
        with suppress(OSError):
            making.unlink()  # a full disk has no room for what is of no use
        raise
    making.replace(packed)
    _sync(path.parent)
    path.unlink()
    _sync(path.parent)


def unfinished(path: Path) -> Path:
    """Where the packed form of a segment is written: no segment by its name, should a death leave it behind."""
    return path.with_name(f".{segment_name(path)}{PACKED}.part")


def _make(making: Path, path: Path, expected: bytes) -> None:
    descriptor = os.open(making, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with (
            path.open("rb") as lines,
            SeekableZstdFile(file, "w", level_or_option=OPTIONS, max_frame_content_size=FRAME) as out,
        ):
            while chunk := lines.read(_CHUNK):
                out.write(chunk)
        file.flush()
        os.fsync(descriptor)
    with open_packed(making) as back:
        if _digest(back) != expected:
            raise OSError(f"{making} does not read back as {path.name}")


def _digest(file: IO[bytes] | SeekableZstdFile) -> bytes:
    hashed = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        hashed.update(chunk)
    return hashed.digest()


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
