"""Around every route: limits, the headers every answer bears, errors in the façade's words, one log line,
metrics.
"""

import io
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from secrets import token_hex
from typing import Any, BinaryIO, Final, cast

import orjson
import structlog
from prometheus_client import Counter
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.unavailability import is_unavailable
from gridgate.dataplane.http.metrics import REQUESTS, SECONDS
from gridgate.dataplane.http.request_log import Line, RequestLog

LONGEST_QUERY: Final = 2048
LARGEST_BODY: Final = 16 * 1024

HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
_HEADERS: Final = tuple((name.encode(), value.encode()) for name, value in HEADERS.items())
# Answers are about people's homes and works: no cache on the way may keep them, unless a route says
# otherwise.
_NO_STORE: Final = (b"cache-control", b"no-store")

Render = Callable[[GridgateError], Response]


class RequestTooLarge(GridgateError):
    """A query string (414) or a body (413) that no request of these interfaces needs."""

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(ErrorKind.MALFORMED, message, remedy="Ask for less in one request.")


class NotTaken(GridgateError):
    """What is refused of any request before a route is looked for: its host, its path, its pace, or for lack
    of room.
    """

    def __init__(self, kind: ErrorKind, message: str, *, remedy: str, status: int) -> None:
        self.status = status
        super().__init__(kind, message, remedy=remedy)


class InternalError(GridgateError):
    """What is told of a defect: a reference to quote, which the log has too."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(
            ErrorKind.INTERNAL,
            "something went wrong here",
            remedy=f"Tell the operator the reference {reference}.",
        )


def defect_logger() -> Any:
    """A logger of JSON lines on standard error, for what should not be."""
    return structlog.wrap_logger(
        structlog.BytesLogger(cast("BinaryIO", _Unfailing())),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        cache_logger_on_first_use=True,
    )


class Unavailable(GridgateError):
    """What is told when a part of the system fails in a way that nobody has named better: no room, say."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.UNAVAILABLE, "a part of the system does not answer", remedy="Try again in a moment."
        )


class _Unfailing(io.RawIOBase):
    """Standard error, unbuffered: a line that its disk has no room for is lost, and no answer with it."""

    def write(self, line: Any) -> int:
        with suppress(OSError):
            os.write(2, line)
        return len(line)


class Guard:
    """Wraps the application of one route. `requests` None: no line a request."""

    def __init__(
        self, app: ASGIApp, *, facade: str, render: Render, logger: Any, requests: RequestLog | None
    ) -> None:
        self._app = app
        self._facade = facade
        self._render = render
        self._log = logger
        self._requests = requests
        self._seconds = SECONDS.labels(facade)
        self._counts: dict[int, Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        reference = _reference()
        answered = 0
        headless = scope["method"] == "HEAD"

        async def dressed(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
                message["headers"] = _dress(message["headers"], reference)
            elif headless and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            if len(scope["query_string"]) > LONGEST_QUERY:
                raise RequestTooLarge(f"the query string is longer than {LONGEST_QUERY} bytes", status=414)
            await self._app(scope, receive, dressed)
        except GridgateError as error:
            await self._answer(error, scope, receive, dressed, answered)
        except Exception as error:  # noqa: BLE001 -- the last door: whatever it is, it is logged and told in the dialect
            told: GridgateError = Unavailable() if is_unavailable(error) else InternalError(reference)
            self._log.error(
                "defect" if isinstance(told, InternalError) else "unavailable",
                path=scope["path"],
                reference=reference,
                exc_info=error,
            )
            await self._answer(told, scope, receive, dressed, answered)
        finally:
            seconds = time.perf_counter() - started
            self._count(answered).inc()
            self._seconds.observe(seconds)
            if self._requests is not None:
                self._requests.note(
                    Line(
                        self._facade,
                        scope["method"],
                        scope["path"],
                        answered,
                        seconds,
                        reference,
                        time.time(),
                    )
                )

    def _count(self, status: int) -> Counter:
        if status not in self._counts:
            self._counts[status] = REQUESTS.labels(self._facade, status)
        return self._counts[status]

    async def _answer(
        self, error: GridgateError, scope: Scope, receive: Receive, send: Send, answered: int
    ) -> None:
        if answered:  # the head has left: all that can be done is to break the body off
            raise error
        await self._render(error)(scope, receive, send)


def _dress(headers: list[tuple[bytes, bytes]], reference: str) -> list[tuple[bytes, bytes]]:
    dressed = [*headers, *_HEADERS, (b"x-request-id", reference.encode())]
    if not any(name == b"cache-control" for name, _ in headers):
        dressed.append(_NO_STORE)
    return dressed


_DRAWN_AT_ONCE: Final = 256


@cache
def _references(pid: int) -> list[str]:
    """What is drawn and not used yet: of each process its own, since a fork would use its parent's again."""
    return []


def _reference() -> str:
    """A name for a request, which tells neither its caller nor anybody else how many there have been.

    Drawn many at once: randomness for each alone would take as long as the decision.
    """
    ready = _references(os.getpid())
    if not ready:
        drawn = token_hex(8 * _DRAWN_AT_ONCE)
        ready.extend(drawn[at : at + 16] for at in range(0, len(drawn), 16))
    return ready.pop()
