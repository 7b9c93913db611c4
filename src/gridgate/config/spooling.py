"""Bytes that wait: a request's body until it is whole, an answer until its reader has taken it."""

import asyncio
import logging
from collections import deque
from tempfile import TemporaryFile
from typing import IO, Any, Final

from starlette.types import Message, Send

IN_MEMORY: Final = 2**20
_PIECE: Final = 64 * 1024
_log = logging.getLogger("gridgate.http")


class Spool:
    """Bytes, first in first out: in memory, and beyond `in_memory` in a temporary file that has no name and that nobody
    else can open. `put` raises `OSError` when the disk is full.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self.size = 0
        """All that was ever put."""
        self._in_memory = in_memory
        self._pieces: deque[bytes] = deque()
        self._kept = 0
        self._file: IO[bytes] | None = None
        self._written = self._taken = 0

    @property
    def empty(self) -> bool:
        return not self._pieces and self._taken == self._written

    def put(self, piece: bytes) -> None:
        self.size += len(piece)
        if self._file is None and self._kept + len(piece) <= self._in_memory:
            self._pieces.append(piece)
            self._kept += len(piece)
            return
        if self._file is None:
            self._file = TemporaryFile(prefix="gridgate-")  # noqa: SIM115 -- `close` does
        self._file.seek(self._written)
        self._file.write(piece)
        self._file.flush()
        self._written += len(piece)

    def take(self) -> bytes:
        """The next bytes, some 64 KiB of them at most; none when there are none yet."""
        taken: list[bytes] = []
        size = 0
        while self._pieces and (not taken or size + len(self._pieces[0]) <= _PIECE):
            taken.append(self._pieces.popleft())
            size += len(taken[-1])
        self._kept -= size
        if taken or self._file is None:
            return b"".join(taken)
        self._file.seek(self._taken)
        piece = self._file.read(min(_PIECE, self._written - self._taken))
        self._taken += len(piece)
        return piece

    def close(self) -> None:
        self._pieces.clear()
        if self._file is not None:
            self._file.close()
            self._file = None


class Outbox:
    """What an application that works in threads sends, passed on at the reader's pace: whoever does not read holds some
    bytes, never a thread.

    Used as `async with Outbox(send, stalled=…) as put`; the block's end waits until all has been sent. A reader who takes
    nothing for `stalled` seconds is given up: what is put then is dropped, and the connection ends in the middle.
    """

    def __init__(self, send: Send, *, stalled: float) -> None:
        self._send = send
        self._stalled = stalled
        self._start: Message | None = None
        self._spool = Spool()
        self._whole = False
        self._news = asyncio.Event()

    async def __aenter__(self) -> Send:
        self._passing = asyncio.ensure_future(self._pass_on())
        return self._put

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if not self._whole:
                self._passing.cancel()
            await asyncio.wait([self._passing])
        finally:
            self._passing.cancel()
            self._spool.close()
        if error is None and not self._passing.cancelled() and (failed := self._passing.exception()):
            raise failed

    async def _put(self, message: Message) -> None:
        if self._passing.done():
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        try:
            self._spool.put(message.get("body", b""))
        except OSError as error:
            # Raised here, it would leave the thread waiting for ever.
            _log.error("an answer cannot be kept for its reader: %s", error.strerror)
            self._passing.cancel()
        self._whole = not message.get("more_body", False)
        self._news.set()

    async def _pass_on(self) -> None:
        """Raises `TimeoutError` when nothing was taken for too long."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self._start is not None:
                await self._send(self._start)
                self._start = None
            while not self._spool.empty:
                piece = self._spool.take()
                last = self._whole and self._spool.empty
                await self._pass(piece, more=not last)
                if last:
                    return
            if self._whole:
                await self._pass(b"", more=False)
                return

    async def _pass(self, piece: bytes, *, more: bool) -> None:
        async with asyncio.timeout(self._stalled):
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})
