"""Tables that are too large for memory, parted on disk by the meters of their rows.

A series may be spread over all of a file, and can only be settled whole. The table is taken piece by piece, each row is
put with the others of its meter, and the parts, each of which has all rows of its meters, are read one after the other.
"""

import io
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, Self
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.dataplane.ingest.port import Notes, Observations
from gridgate.dataplane.scratch import ScratchFolder
from gridgate.dataplane.store.port import StoreUnavailable

PREFIX: Final = "gridgate-parts-"
_MOST_PARTS: Final = 400
VALUES: Final = 150_000
"""Of a part, about: what fits in memory several times over. A table of more is parted."""


class Spool:
    """A folder that nobody else can read, of a file for each part; gone when it is closed."""

    def __init__(self, folder: Path | None, values: int, together: Callable[[str], str]) -> None:
        """`values` are about those of the whole; meters for which `together` says the same come in the same part."""
        self._scratch = ScratchFolder(folder, PREFIX)
        self._folder = self._scratch.path
        self._count = min(max(2, -(-values // VALUES)), _MOST_PARTS)
        self._together = together
        self._parts: dict[int, BinaryIO] = {}

    def add(self, table: pl.DataFrame, meters: list[str], codes: NDArray[np.int64]) -> None:
        """A piece of the table, whose rows are of the meters that `codes` number. Raises `StoreUnavailable` when there is
        no room for it."""
        try:
            self._add(table, meters, codes)
        except OSError as error:
            raise StoreUnavailable(
                f"a file that is larger than memory cannot be parted on disk: {error.strerror or error}",
                remedy="Make room there for about the size of the file, and take it again.",
                where=str(self._folder.parent),
            ) from error

    def _add(self, table: pl.DataFrame, meters: list[str], codes: NDArray[np.int64]) -> None:
        part_of = np.array([crc32(self._together(name).encode()) % self._count for name in meters], np.int64)
        parts = part_of[codes]
        order = np.argsort(parts, kind="stable")
        if bool((np.diff(order) < 0).any()):
            table = table[order]
        edges = np.flatnonzero(np.diff(parts[order], prepend=-1, append=-1))
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            buffer = io.BytesIO()
            table.slice(begin, end - begin).write_ipc_stream(buffer, compression="lz4")
            file = self._file(int(parts[order[begin]]))
            file.write(len(buffer.getbuffer()).to_bytes(8, "little"))
            file.write(buffer.getbuffer())

    def parts(self) -> Iterator[pl.DataFrame]:
        """Each part, in the order of the table; what was read is gone."""
        for number in sorted(self._parts):
            file = self._parts.pop(number)
            file.seek(0)
            pieces = []
            while size := file.read(8):
                pieces.append(pl.read_ipc_stream(file.read(int.from_bytes(size, "little"))))
            file.close()
            self._name(number).unlink()
            yield pl.concat(pieces, how="vertical_relaxed")

    def _file(self, number: int) -> BinaryIO:
        if number not in self._parts:
            self._parts[number] = self._name(number).open("w+b")
        return self._parts[number]

    def _name(self, number: int) -> Path:
        return self._folder / f"{number}.arrow"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._parts.values():
            file.close()
        self._scratch.close()


def in_parts(
    pieces: Iterator[pl.DataFrame],
    notes: Notes,
    *,
    values: int,
    dated: Callable[[pl.DataFrame], pl.DataFrame],
    meters: Callable[[pl.DataFrame], tuple[list[str], NDArray[np.int64]]],
    batches: Callable[[pl.DataFrame], Iterator[Observations]],
) -> Iterator[Observations]:
    """The `batches` of a table that comes in pieces, of about so many `values`: of the one piece that there is, or of
    parts of it, each with all rows of its `meters`, which are closed then.

    `dated` sees to the rows that come into no series, and leaves the others.
    """
    first, second = next(pieces, None), next(pieces, None)
    if first is None:
        return
    if second is None:
        yield from batches(first)
        return
    with Spool(notes.folder, values, notes.together) as parted:
        for piece in chain((first, second), pieces):
            piece = dated(piece)
            parted.add(piece, *meters(piece))
        del first, second, piece
        for part in parted.parts():
            of_part = list(batches(part))
            if of_part:
                of_part[-1].closes = True
            yield from of_part
