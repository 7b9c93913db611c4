"""Writing the log: lines from many requests, one `fsync` for all that wait.

A request hands its entry to the writer and waits. The writer's thread takes whatever has gathered, appends it
to the segment, waits for the disk once, and lets all of them go; meanwhile the next group gathers. So a
request waits for two disk flushes at most, and their number does not grow with the number of requests.
"""

import asyncio
import os
import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import orjson

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog.entry import Entry
from gridgate.dataplane.accesslog.segments import ORIGIN, PROBE, SUFFIX, digest


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
        self._gathered: list[_Waiting] = []
        self._turns: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._segment: _Segment | None = None
        self._followed: dict[str, object] | None = None

    def append(self, *entries: Entry) -> None:
        """Log entries and return when they are durable. Raises `AccessLogUnavailable`."""
        if not entries:
            return
        done = _Blocking()
        self._hand_over([_Waiting([entry.encode() for entry in entries], entries[0].at, done)])
        done.wait()

    async def durable(self, *entries: Entry) -> None:
        """The same, without holding up the event loop.

        What the tasks of one turn of the loop have to log is handed over together at its end: requests that
        arrive together share a flush.
        """
        if entries:
            await self._durable([entry.encode() for entry in entries], entries[0].at)

    async def probe(self, at: datetime) -> None:
        """Succeed when the log can be written: a line that says no more than that is. Raises `AccessLogUnavailable`."""
        await self._durable([orjson.dumps({PROBE: True, "at": at}, option=orjson.OPT_UTC_Z)], at)

    async def _durable(self, bodies: list[bytes], at: datetime) -> None:
        loop = asyncio.get_running_loop()
        done = _Awaiting(loop)
        turn = self._turns.setdefault(loop, [])
        turn.append(_Waiting(bodies, at, done))
        if len(turn) == 1:
            loop.call_soon(self._end_turn, loop)
        await done.future

    def close(self) -> None:
        """Write what has gathered and stop. Nothing can be logged afterwards."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._turns.pop(loop)
        try:
            self._hand_over(turn)
        except AccessLogUnavailable as error:
            for waiting in turn:
                waiting.done.resolve(error)

    def _hand_over(self, waiting: "list[_Waiting]") -> None:
        with self._changed:
            if self._closing:
                raise AccessLogUnavailable("it is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
                self._thread.start()
            self._gathered += waiting
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._gathered and not self._closing:
                    self._changed.wait()
                group, self._gathered = self._gathered, []
            if not group:
                break
            _let_go(group, self._write(group))
        if self._segment is not None:
            self._segment.abandon()

    def _write(self, group: "list[_Waiting]") -> AccessLogUnavailable | None:
        try:
            segment = self._segment_for(group[0])
            segment.append([body for waiting in group for body in waiting.bodies])
        except OSError as error:
            # What reached the disk of this segment is unknown now: leave it as it is and never write to it
            # again.
            if self._segment is not None:
                self._segment.abandon()
                self._segment = None
            return AccessLogUnavailable(error.strerror or str(error))
        return None

    def _segment_for(self, first: "_Waiting") -> "_Segment":
        day = first.at.date()
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
                "started_at": self._started_at or first.at,
                "follows": self._followed,
            }
            self._segment = _Segment.create(self._directory, day, genesis, self._suffix)
            self._followed = None
        return self._segment


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
        head, lines = self._head, []
        for body in bodies:
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


class _Done(Protocol):
    """Someone who waits for a group to be durable."""

    def loop(self) -> asyncio.AbstractEventLoop | None: ...

    def resolve(self, error: AccessLogUnavailable | None) -> None: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    bodies: list[bytes]
    at: datetime
    """Of the first of them."""
    done: _Done


class _Blocking:
    """A thread that waits."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._error: AccessLogUnavailable | None = None

    def loop(self) -> None:
        return None

    def resolve(self, error: AccessLogUnavailable | None) -> None:
        self._error = error
        self._event.set()

    def wait(self) -> None:
        self._event.wait()
        if self._error is not None:
            raise self._error


class _Awaiting:
    """A task of an event loop that waits; resolved on that loop."""

    __slots__ = ("_loop", "future")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def resolve(self, error: AccessLogUnavailable | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(error)


def _let_go(group: list[_Waiting], error: AccessLogUnavailable | None) -> None:
    """Tell everyone who waits, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Done]] = {}
    for waiting in group:
        loop = waiting.done.loop()
        if loop is None:
            waiting.done.resolve(error)
        else:
            by_loop.setdefault(loop, []).append(waiting.done)
    for loop, dones in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, dones, error)
        except RuntimeError:  # the loop was closed meanwhile: nobody is waiting any more
            continue


def _resolve_all(dones: list[_Done], error: AccessLogUnavailable | None) -> None:
    for done in dones:
        done.resolve(error)


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
