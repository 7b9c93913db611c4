"""Zip archives: their members one after the other, archives within archives, and no bombs."""

import errno
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.tables.workbook import kind_of

MAX_DEPTH: Final = 3
"""An Enedis C68 delivery is a zip of zips; nothing known nests deeper."""
MAX_MEMBERS: Final = 10_000
"""Of one archive, those of the archives in it included."""
MAX_BYTES: Final = 8 * 2**30
"""Of all that is unpacked of one archive, at any depth, together."""
MAX_RATIO: Final = 200
"""Unpacked over packed, of a member beyond its first 64 MiB, of the whole beyond the first GiB; XML of measures
reaches 60.
"""
MAX_CONTENTS: Final = 2**24
"""Bytes of the list of contents, all of which is read before there is a first member."""
_IN_MEMORY: Final = 32 * 2**20
_RATIO_FREE: Final = 64 * 2**20
_BOMBS_BORNE: Final = 16
"""Members that may be refused as bombs before nothing more of their archive is looked at."""
_CHUNK: Final = 2**20
_SMALL_CHUNK: Final = 4096
"""For compressions of which `zipfile` unpacks all that it reads at once: bzip2 and LZMA."""
_END, _END_64, _LOCATOR = 22, 56, 20
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


def is_document(content: Content) -> bool:
    """Whether the archive is a workbook, or another document that is one archive to those who open it."""
    with content.open() as file:
        return _size_of_contents(file, content.size) <= MAX_CONTENTS and bool(kind_of(file))


class Exhausted(UnreadableFile):
    """Nothing more of the archive is unpacked; the members before are whole."""


class Budget:
    """What may still be unpacked of one archive, archives within it included."""

    def __init__(self, packed: int) -> None:
        self.most = min(MAX_BYTES, max(_BOMBS_BORNE * _RATIO_FREE, packed * MAX_RATIO))
        self._bytes = self.most
        self._members = MAX_MEMBERS

    def take_members(self, count: int) -> None:
        """Raises `Exhausted`."""
        self._members -= count
        if self._members < 0:
            raise Exhausted(
                f"the archive has more than {MAX_MEMBERS} members, those of archives in it included",
                remedy="Split it.",
            )

    def take_bytes(self, count: int) -> None:
        """Raises `Exhausted`."""
        self._bytes -= count
        if self._bytes < 0:
            raise Exhausted(
                f"the archive unpacks to more than {self.most // 2**20} MiB, archives in it included, as a bomb"
                " would",
                remedy="If it is genuine, unpack it and give the files themselves.",
            )


def members(
    content: Content,
    *,
    progress: Callable[[int], None] | None = None,
    depth: int = 1,
    budget: Budget | None = None,
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
        if (listed := _size_of_contents(file, content.size)) > MAX_CONTENTS:
            raise UnreadableFile(
                f"the list of contents alone is {listed} bytes long, more than {MAX_CONTENTS}",
                remedy="Split the archive.",
            )
        try:
            archive = zipfile.ZipFile(file)
        except _FAULTS:
            raise UnreadableFile(
                f"the archive is truncated or damaged: after {content.size} bytes it has no list of contents",
                remedy=_DAMAGED,
            ) from None
        with archive:
            yield from _unpacked(archive, content, progress, depth, budget or Budget(content.size))


def _size_of_contents(file: BinaryIO, size: int) -> int:
    """How long the list of contents says it is: `zipfile` reads as much. 0 when there is none."""
    start = max(0, size - _END - 2**16 - _LOCATOR)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END:
        return 0
    listed = int.from_bytes(tail[end + 12 : end + 16], "little")
    locator = tail[max(0, end - _LOCATOR) : end]
    if locator.startswith(b"PK\x06\x07"):
        # The record of zip64 stands before it, wherever it says.
        for place in (start + end - _LOCATOR - _END_64, int.from_bytes(locator[8:16], "little")):
            if 0 <= place <= size - _END_64:
                file.seek(place)
                record = file.read(_END_64)
                if record.startswith(b"PK\x06\x06"):
                    listed = max(listed % 0xFFFFFFFF, int.from_bytes(record[40:48], "little"))
    file.seek(0)
    return listed


def _unpacked(
    archive: zipfile.ZipFile,
    content: Content,
    progress: Callable[[int], None] | None,
    depth: int,
    budget: Budget,
) -> Iterator[Content | UnreadableFile]:
    entries = [e for e in archive.infolist() if not e.is_dir() and not _is_side_file(e.filename)]
    if not entries:
        raise UnreadableFile(
            "the archive is empty", remedy="Fetch it again, or ask the sender for its contents."
        )
    budget.take_members(len(entries))
    for entry in entries:
        name = f"{content.name}/{entry.filename}"
        with TemporaryDirectory(prefix="gridgate-") as folder:
            try:
                source = _unpack(archive, entry, budget, Path(folder) / "member")
                member = Content(name, source, progress=progress)
                if is_archive(member) and not is_document(member):
                    yield from members(member, progress=progress, depth=depth + 1, budget=budget)
                else:
                    yield member
            except Exhausted:
                raise
            except UnreadableFile as error:
                yield UnreadableFile(error.message, remedy=error.remedy, where=name)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget, spill: Path) -> bytes | Path:
    """The bytes of a member, or the path of `spill` when they are many. Sizes are counted, not believed."""
    if entry.flag_bits & 0x1:
        raise UnreadableFile(
            "the member is protected by a password",
            remedy="Unpack it with the password and give the file itself.",
        )
    chunk = _CHUNK if entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else _SMALL_CHUNK
    try:
        with archive.open(entry) as packed:
            return _copied(iter(lambda: packed.read(chunk), b""), _limit(entry), budget, spill)
    except _FAULTS as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # of the disk here, not of the archive
        raise UnreadableFile(f"the member cannot be unpacked ({error})", remedy=_DAMAGED) from None


def _copied(pieces: Iterable[bytes], limit: int, budget: Budget, spill: Path) -> bytes | Path:
    total = 0
    kept = bytearray()
    with ExitStack() as opened:
        file = None
        for piece in pieces:
            total += len(piece)
            if total > limit:
                raise UnreadableFile(
                    f"the member unpacks to more than {limit // 2**20} MiB, as a bomb would",
                    remedy="If it is genuine, unpack it and give the file itself.",
                )
            budget.take_bytes(len(piece))
            if file is None and total > _IN_MEMORY:
                file = opened.enter_context(spill.open("wb"))
                file.write(kept)
            if file is None:
                kept += piece
            else:
                file.write(piece)
    return bytes(kept) if file is None else spill


def _limit(entry: zipfile.ZipInfo) -> int:
    return max(_RATIO_FREE, entry.compress_size * MAX_RATIO)


def _is_side_file(name: str) -> bool:
    return name.startswith(_SIDE_FILES[0]) or name.rpartition("/")[2] in _SIDE_FILES
