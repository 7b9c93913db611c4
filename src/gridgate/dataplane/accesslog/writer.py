"""Writing the log: lines from many requests, one `fsync` for all that wait."""

import fcntl
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import orjson

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog.entry import Encoded, Entry
from gridgate.dataplane.accesslog.segments import ORIGIN, PROBE, SUFFIX, digest
from gridgate.dataplane.group_commit import GroupCommit

_LINES_AT_ONCE = 500
"""In one write: what a processor's cache holds is copied to the system many times as fast as what it does not. What many
lines belong to is durable with the last of them, as before.
"""


class AccessLogUnavailable(GridgateError):
    """The log cannot be written, so nothing may be answered."""

    def __init__(self, message: str) -> None:
        super().__init__(
            ErrorKind.UNAVAILABLE,
            f"the access log cannot be written: {message}",
            remedy="Mend the directory or free some space on its disk.",
        )


class AccessLog:
    """The log of one process. Safe to use from several threads and event loops at once.

    `started_at` is written at the head of each segment: when the process began to log; when it is not given,
    the instant of its first entry. `suffix` is how the names of its segments end.
    """

    def __init__(
        self, directory: Path, process: str, *, started_at: datetime | None = None, suffix: str = SUFFIX
    ) -> None:
        self._directory = directory
        self._process = process
        self._started_at = started_at
        self._suffix = suffix
        self._group = GroupCommit(
            "access-log", self._write, closed=lambda: AccessLogUnavailable("it is closed")
        )
        self._segment: _Segment | None = None
        self._followed: dict[str, object] | None = None

    def append(self, *entries: Entry | Encoded) -> None:
        """Log entries and return when they are durable. Raises `AccessLogUnavailable`."""
        if entries:
            self._group.done(_lines_of(entries))

    async def durable(self, *entries: Entry | Encoded) -> None:
        """The same, without holding up the event loop."""
        if entries:
            await self._group.durable(_lines_of(entries))

    async def probe(self, at: datetime) -> None:
        """Succeed when the log can be written: a line that says no more than that is. Raises `AccessLogUnavailable`."""
        await self._group.durable(
            _Lines([orjson.dumps({PROBE: True, "at": at}, option=orjson.OPT_UTC_Z)], at)
        )

    def close(self) -> None:
        """Write what has gathered and stop. Nothing can be logged afterwards."""
        self._group.close()
        if self._segment is not None:
            self._segment.abandon()
            self._segment = None

    def _write(self, group: "Sequence[_Lines]") -> Sequence[AccessLogUnavailable | None]:
        try:
            segment = self._segment_for(group[0].at)
            segment.append([body for lines in group for body in lines.bodies])
        except OSError as error:
            # What reached the disk of this segment is unknown now: leave it as it is and never write to it
            # again.
            if self._segment is not None:
                self._segment.abandon()
                self._segment = None
            return [AccessLogUnavailable(error.strerror or str(error)) for _ in group]
        return [None] * len(group)

    def _segment_for(self, at: datetime) -> "_Segment":
        day = at.date()
        if self._segment is not None and day > self._segment.day:
            self._followed = self._segment.summary()
            self._segment.close()
            self._segment = None
        if self._segment is not None and not self._segment.is_in_its_place():
            self._segment.abandon()  # what is written where nobody finds it proves nothing
            self._segment = None
        if self._segment is None:
            genesis = {
                "process": self._process,
                "pid": os.getpid(),
                "started_at": self._started_at or at,
                "follows": self._followed,
            }
            self._segment = _Segment.create(self._directory, day, genesis, self._suffix)
            self._followed = None
        return self._segment


@dataclass(frozen=True, slots=True)
class _Lines:
    bodies: list[bytes]
    at: datetime
    """Of the first of them."""


def _lines_of(entries: Sequence[Entry | Encoded]) -> _Lines:
    bodies: list[bytes] = []
    for entry in entries:
        bodies += entry.bodies if isinstance(entry, Encoded) else [entry.encode()]
    return _Lines(bodies, entries[0].at)


class _Segment:
    """An open segment: a file, and where its chain stands."""

    def __init__(self, path: Path, day: date, descriptor: int) -> None:
        self.day = day
        self._path = path
        self._descriptor = descriptor
        self._head = ORIGIN
        self._lines = 0

    @classmethod
    def create(cls, directory: Path, day: date, genesis: dict[str, object], suffix: str) -> "_Segment":
        path = directory / f"{day.isoformat()}-{secrets.token_hex(8)}{suffix}"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        segment = cls(path, day, os.open(path, flags, 0o600))
        try:
            fcntl.flock(segment._descriptor, fcntl.LOCK_SH)  # while it is open nobody packs it; see `packed`
            segment.append([orjson.dumps({"genesis": genesis}, option=orjson.OPT_UTC_Z)])
            _sync_directory(directory)
        except OSError:
            # Nothing was ever logged in it. While a disk is full there would be one more with every request.
            segment.abandon()
            with suppress(OSError):
                path.unlink()
            raise
        return segment

    def append(self, bodies: Sequence[bytes]) -> None:
        head = self._head
        for first in range(0, len(bodies), _LINES_AT_ONCE):
            lines = []
            for body in bodies[first : first + _LINES_AT_ONCE]:
                line = b'{"prev":"%b",%b' % (head.encode(), body[1:])
                head = digest(line)
                lines.append(line)
            lines.append(b"")
            _write_all(self._descriptor, b"\n".join(lines))
        os.fdatasync(self._descriptor)
        self._head = head
        self._lines += len(bodies)

    def is_in_its_place(self) -> bool:
        """Whether the file is still the one that its name leads to."""
        try:
            there = self._path.stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    def summary(self) -> dict[str, object]:
        """What the next segment says of this one, so that its absence or shortening shows."""
        return {"segment": self._path.name, "lines": self._lines, "head": self._head}

    def close(self) -> None:
        os.close(self._descriptor)

    def abandon(self) -> None:
        with suppress(OSError):  # closing may fail as writing did, and may be what failed
            os.close(self._descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_directory(directory: Path) -> None:
    """Make the new file's name durable, not only its content."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
