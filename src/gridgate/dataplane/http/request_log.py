"""One line of JSON a request on standard error, written beside the event loop.

What answers only notes what there is to say; a thread makes lines of it and writes those of a moment together. A line
tells how the machine works, and nobody waits for it: what cannot be written is lost, and no answer with it; what comes
faster than it can be written is counted, and told. Reads are logged elsewhere (`accesslog`), durably, before they are
answered.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from select import PIPE_BUF, POLLOUT, poll
from typing import Final, NamedTuple

import orjson

MOMENT: Final = 0.05
"""Seconds during which lines gather."""
LAST: Final = 1.0
"""Seconds for what waits when the process ends."""
MOST: Final = 20_000
"""Lines that may wait: about 5 MB."""


class Line(NamedTuple):
    """What is told of a request. Never a query string, a header or a body: that is where secrets travel."""

    facade: str
    method: str
    path: str
    status: int
    seconds: float
    reference: str
    at: float
    """Epoch seconds."""


class RequestLog:
    """Of one process; the thread begins with the first line."""

    def __init__(self) -> None:
        self._waiting: deque[Line] = deque()
        self._lost = 0
        self._some = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, line: Line) -> None:
        """Have the line written soon. Never waits, never fails."""
        if len(self._waiting) >= MOST:
            self._lost += 1
            return
        self._waiting.append(line)
        if not self._some.is_set():
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="request-log", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the system refuses one for now: the next line tries again
                    return
                self._thread = thread
                atexit.register(self.flush)
            self._some.set()

    def flush(self) -> None:
        """Write what waits, now, as far as somebody takes it: whoever stopped reading holds up no end of a process."""
        deadline = time.monotonic() + LAST
        if self._lock.acquire(timeout=LAST):  # else the thread holds it, whose lines nobody takes
            try:
                self._write(deadline)
            finally:
                self._lock.release()

    def _write(self, deadline: float | None = None) -> None:
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        lost, self._lost = self._lost, 0
        encoded = [_encoded(line) for line in lines]
        if lost:
            encoded.append(
                orjson.dumps({"lines": lost, "event": "request log lost", "level": "warning"}) + b"\n"
            )
        for piece in _pieces(encoded):
            _put(piece, deadline)

    def _run(self) -> None:
        while True:
            self._some.wait()
            time.sleep(MOMENT)
            self._some.clear()
            with self._lock:
                self._write()


def _encoded(line: Line) -> bytes:
    return orjson.dumps(
        {
            "facade": line.facade,
            "method": line.method,
            "path": line.path,
            "status": line.status,
            "ms": round(line.seconds * 1000, 2),
            "reference": line.reference,
            "event": "request",
            "level": "info",
            "timestamp": datetime.fromtimestamp(line.at, UTC),
        },
        option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
    )


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines together, as many as a pipe takes at once: what is more may be cut by the lines of other processes,
    which write to the same one.
    """
    piece = b""
    for line in lines:
        if piece and len(piece) + len(line) > PIPE_BUF:
            yield piece
            piece = b""
        piece += line
    yield piece


def _put(data: bytes, deadline: float | None) -> None:
    with suppress(OSError):  # unbuffered, so that a disk without room loses lines and keeps nothing
        while data and (deadline is None or _is_taken(deadline)):
            data = data[os.write(2, data[:PIPE_BUF]) :]


def _is_taken(deadline: float) -> bool:
    """Whether there is room for `PIPE_BUF` bytes, or will be in time."""
    room = poll()
    room.register(2, POLLOUT)
    return bool(room.poll(max(0.0, deadline - time.monotonic()) * 1000))
