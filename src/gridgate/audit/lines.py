"""Lines of the access log: what one says, how they are found, and who reads them.

The log itself is the hash-chained segments on disk, of which this app knows nothing: `settings.LOG_LINES` names the
function that reads lines of them. Where the lines of a holder lie is in the registry, in columns: a page of the journal
sorts and narrows thousands of lines by four arrays, and reads those that it shows.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string

GRANTED = "granted"
"""The outcome of a read that was answered; any other is the reason of a refusal."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Ints = np.ndarray[Any, np.dtype[np.int64]]
Reading = Callable[[str, Sequence[int]], Iterable[Mapping[str, Any]]]
"""Given the name of a segment and the offsets of lines in it, what these lines say, in that order."""


class LinesMissing(LookupError):
    """A segment, or a line of it, is not there."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One read, or one refused attempt (DataAccessLog of Regulation (EU) 2023/1162, articles 5 and 7)."""

    at: datetime
    channel: str
    outcome: str
    holder: int | None
    reader: int | None
    reader_name: str
    user: int | None
    user_name: str
    application: str
    permission: str
    basis: str
    metering_point_id: str
    kind: str
    direction: str
    start: datetime | None
    end: datetime | None
    as_of: datetime | None
    values: int


def zone() -> ZoneInfo:
    """The network's, by whose civil days entries are counted."""
    return ZoneInfo(settings.TIME_ZONE)


def entry_of(line: Mapping[str, Any]) -> LogEntry:
    """What a line says. Raises `ValueError`, `KeyError` or `TypeError` when it is not an entry."""
    return LogEntry(
        at=datetime.fromisoformat(line["at"]),
        channel=line["channel"],
        outcome=line["outcome"],
        holder=line.get("holder"),
        reader=line.get("reader"),
        reader_name=line.get("reader_name") or "",
        user=line.get("user"),
        user_name=line.get("user_name") or "",
        application=line.get("application") or "",
        permission=str(UUID(line["permission"])) if line.get("permission") else "",
        basis=line.get("basis") or "",
        metering_point_id=line.get("metering_point") or "",
        kind=line.get("kind") or "",
        direction=line.get("direction") or "",
        start=_instant(line.get("start")),
        end=_instant(line.get("end")),
        as_of=_instant(line.get("as_of")),
        values=line.get("values") or 0,
    )


@dataclass(frozen=True, slots=True)
class Columns:
    """Lines of one segment: where each begins, when it was written, its facet, and its point as a number."""

    offset: Ints
    at: Ints
    facet: Ints
    point: Ints

    def pack(self) -> bytes:
        """Offsets and instants as the steps between them, for they grow; compressed."""
        steps = (np.diff(self.offset, prepend=0), np.diff(self.at, prepend=0), self.facet, self.point)
        # Byte by byte of each column: the high ones are nearly always nought.
        planes = [column.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes() for column in steps]
        return zlib.compress(b"".join(planes), 1)

    @classmethod
    def unpack(cls, packed: bytes, *, most: int) -> "Columns":
        """Raises `ValueError` for what was not packed here, or is of more lines than `most`: some kilobytes can be packed
        bytes of any number.
        """
        unpacking, size = zlib.decompressobj(), most * 32
        try:
            raw = unpacking.decompress(packed, size + 1)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if len(raw) > size or not unpacking.eof or unpacking.unused_data:
            raise ValueError(f"not the columns of {most} lines or fewer")
        planes = np.frombuffer(raw, np.uint8).reshape(4, 8, -1)
        offset, at, facet, point = (np.ascontiguousarray(plane.T).view("<i8").ravel() for plane in planes)
        return cls(np.cumsum(offset), np.cumsum(at), facet, point)

    @classmethod
    def of(cls, lines: Iterable[tuple[int, int, int, int]]) -> "Columns":
        return cls(*np.array(list(lines), np.int64).reshape(-1, 4).T)

    def where(self, chosen: Any) -> "Columns":
        return Columns(self.offset[chosen], self.at[chosen], self.facet[chosen], self.point[chosen])

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> "Columns":
        if not parts:
            return cls.of(())
        columns = zip(*((part.offset, part.at, part.facet, part.point) for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


def number_of_point(identifier: str) -> int:
    """The identifier itself when it is made of digits, as those of points are; else a number below nought."""
    if identifier.isdecimal() and identifier.isascii() and len(identifier) <= 18:
        return int(identifier)
    return -1 - int.from_bytes(blake2b(identifier.encode(), digest_size=7).digest())


def read_lines(segment: str, offsets: Sequence[int]) -> Iterator[LogEntry]:
    """What the lines say that begin there. Raises `LinesMissing`."""
    reading: Reading = import_string(settings.LOG_LINES)
    return map(entry_of, reading(segment, offsets))


def micros_of(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def instant_of(micros: int) -> datetime:
    return EPOCH + micros * MICROSECOND


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
