"""Zip archives: their members one after the other, archives within archives, and no bombs."""

import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import UnreadableFile

MAX_DEPTH: Final = 3
"""An Enedis C68 delivery is a zip of zips; nothing known nests deeper."""
MAX_MEMBERS: Final = 10_000
MAX_BYTES: Final = 8 * 2**30
"""Of all members of one archive together, unpacked."""
MAX_RATIO: Final = 200
"""Unpacked over packed, beyond the first 64 MiB; XML of measures reaches 60."""
_IN_MEMORY: Final = 32 * 2**20
_RATIO_FREE: Final = 64 * 2**20
_CHUNK: Final = 2**20
_SIDE_FILES: Final = ("__MACOSX/", ".DS_Store", "Thumbs.db")

_FAULTS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,  # NotImplementedError, of versions and methods that nobody knows, is one
)
"""What `zipfile` raises on damaged bytes."""
_DAMAGED: Final = "Fetch the archive again and compare its size with the sender's."


def is_archive(content: Content) -> bool:
    return content.head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"))


def members(
    content: Content, *, progress: Callable[[int], None] | None = None, depth: int = 1
) -> Iterator[Content | UnreadableFile]:
    """Yield the members as contents named `archive.zip/member`, those of inner archives included.

    A member that cannot be unpacked is yielded as the `UnreadableFile` that says why (its `where` is its
    name), and the others still come. Raises `UnreadableFile` when the archive itself is damaged, encrypted,
    empty, too deep or a bomb.
    """
    if depth > MAX_DEPTH:
        raise UnreadableFile(
            f"archives nest more than {MAX_DEPTH} deep", remedy="Unpack it and give the files themselves."
        )
    with content.open() as file:
        try:
            archive = zipfile.ZipFile(file)
        except _FAULTS:
            raise UnreadableFile(
                f"the archive is truncated or damaged: after {content.size} bytes it has no list of contents",
                remedy=_DAMAGED,
            ) from None
        with archive:
            yield from _unpacked(archive, content, progress, depth)


def _unpacked(
    archive: zipfile.ZipFile, content: Content, progress: Callable[[int], None] | None, depth: int
) -> Iterator[Content | UnreadableFile]:
    entries = [e for e in archive.infolist() if not e.is_dir() and not _is_side_file(e.filename)]
    if not entries:
        raise UnreadableFile(
            "the archive is empty", remedy="Fetch it again, or ask the sender for its contents."
        )
    if len(entries) > MAX_MEMBERS:
        raise UnreadableFile(
            f"the archive has {len(entries)} members, more than {MAX_MEMBERS}", remedy="Split it."
        )
    left = MAX_BYTES
    for entry in entries:
        name = f"{content.name}/{entry.filename}"
        with TemporaryDirectory(prefix="gridgate-") as folder:
            try:
                source = _unpack(archive, entry, left, Path(folder) / "member")
            except UnreadableFile as error:
                yield UnreadableFile(error.message, remedy=error.remedy, where=name)
                continue
            left -= len(source) if isinstance(source, bytes) else source.stat().st_size
            member = Content(name, source, progress=progress)
            if is_archive(member):
                try:
                    yield from members(member, progress=progress, depth=depth + 1)
                except UnreadableFile as error:
                    yield UnreadableFile(error.message, remedy=error.remedy, where=name)
            else:
                yield member


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int, spill: Path) -> bytes | Path:
    """The bytes of a member, or the path of `spill` when they are many. Sizes are counted, not believed."""
    if entry.flag_bits & 0x1:
        raise UnreadableFile(
            "the member is protected by a password",
            remedy="Unpack it with the password and give the file itself.",
        )
    try:
        with archive.open(entry) as packed:
            return _copied(packed, _limit(entry, left), spill)
    except _FAULTS as error:
        raise UnreadableFile(f"the member cannot be unpacked ({error})", remedy=_DAMAGED) from None


def _copied(packed: IO[bytes], limit: int, spill: Path) -> bytes | Path:
    start = packed.read(min(_IN_MEMORY, limit) + 1)
    if len(start) <= min(_IN_MEMORY, limit):
        return start
    total = len(start)
    with spill.open("wb") as file:
        file.write(start)
        while chunk := packed.read(_CHUNK):
            total += len(chunk)
            if total > limit:
                break
            file.write(chunk)
    if total > limit:
        raise UnreadableFile(
            f"the member unpacks to more than {limit // 2**20} MiB, as a bomb would",
            remedy="If it is genuine, unpack it and give the file itself.",
        )
    return spill


def _limit(entry: zipfile.ZipInfo, left: int) -> int:
    return min(left, max(_RATIO_FREE, entry.compress_size * MAX_RATIO))


def _is_side_file(name: str) -> bool:
    return name.startswith(_SIDE_FILES[0]) or name.rpartition("/")[2] in _SIDE_FILES
