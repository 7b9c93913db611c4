"""Around both planes: what a request must be before anything of it costs a thread, and what every answer bears.

A request is looked at in this order, and refused in the words of the plane it is for:
- its target: a path that cannot be read, or is too long (400, 414);
- its host: one that this instance does not go by (400), except where load balancers ask whether it lives;
- its header names: one with an underscore is dropped, since WSGI would take it for the one with a hyphen, and so is what
  only a proxy may say, unless there is one, of which then the last hop counts;
- its body: read whole before the plane sees it, in memory and beyond that in a private file; refused by its length, while
  it is read (413), when it comes more slowly than the least pace (408), or when too many come at once (503).

What the server refuses before this (bytes that are no HTTP, two lengths, heads too long or too slow) has no body.
"""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridgate.config.spooling import Spool
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.http.guard import InternalError, NotTaken, RequestTooLarge

LARGEST_OF_A_GET: Final = 16 * 1024
ANY_HOST: Final = ("/healthz", "/readyz")
"""A load balancer asks these of an address, by that address; they repeat nothing of what was asked."""
FILES: Final = "/static/"
"""The same for everybody, and what the page that refuses a host is drawn with."""
HSTS_SECONDS: Final = 63072000

_HOST: Final = re.compile(
    rb"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])\.?(?::[0-9]{1,5})?", re.IGNORECASE
)
_UNREADABLE: Final = re.compile("[\x00-\x1f\x7f\ufffd]")
_AMBIGUOUS: Final = re.compile(rb"%(?:2f|5c)", re.IGNORECASE)
_BY_A_PROXY: Final = (b"x-forwarded-for", b"x-forwarded-proto")
_log = logging.getLogger("gridgate.http")

Refuse = Callable[[Scope, GridgateError], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one process. Times are in seconds, sizes in bytes."""

    grace: float = 10.0
    """For a body's first bytes, beyond what its size so far allows."""
    pace: float = 16 * 1024
    """The least that must come each second: 10 MB may take ten minutes."""
    at_once: float = 0.25
    """A body that is there within this time is not counted: most come with their head."""
    bodies: int = 128
    """That are being read at once, of those that take longer."""
    bodies_by_address: int = 16
    """Of these, from one address."""
    kept: int = 2 * 2**30
    """Of all bodies that are held, together."""
    lingering: float = 5.0
    """How long more is taken, and thrown away, of a body that was refused: who still sends would not read the answer."""
    stalled: float = 30.0
    """How long a reader may take nothing of an answer."""
    retry: int = 5
    """After how many seconds to come back, when there is no room."""


@dataclass(frozen=True, slots=True)
class Side:
    """One plane, as this layer sees it."""

    app: ASGIApp
    refuse: Refuse
    """The answer to a request that is not taken, in the plane's words. Must not fail."""
    headers: Mapping[str, str]
    """What each answer bears, unless it says otherwise."""
    largest: Callable[[str], int]
    """How large a body may be that is sent to a path."""
    longest: int
    """How long a path and its query may be together."""


class Hosts:
    """The names that an instance goes by: each itself, `.example` for all below it, `*` for any."""

    def __init__(self, names: Iterable[str]) -> None:
        given = {name.strip().lower() for name in names} - {""}
        self._any = "*" in given
        self._exact = frozenset(name.removeprefix(".") for name in given)
        self._below = tuple(name for name in given if name.startswith("."))
        self._known: dict[bytes, bool] = {}

    def __contains__(self, header: bytes) -> bool:
        """Whether a `Host` is one of them, with any port."""
        if header not in self._known:
            if len(self._known) > 256:
                self._known.clear()
            self._known[header] = self._is_one(header)
        return self._known[header]

    def _is_one(self, header: bytes) -> bool:
        found = _HOST.fullmatch(header)
        if not found:
            return False
        name = found[1].decode("ascii").lower()
        return self._any or name in self._exact or name.endswith(self._below)


@dataclass(slots=True)
class _Head:
    """What the layer needs of a request's headers."""

    address: str
    length: int = 0
    has_body: bool = False
    hosts: list[bytes] = field(default_factory=list)


class HttpLimits:
    """The layer. `is_data` says which paths are the data plane's; without a `portal` all are."""

    def __init__(
        self,
        *,
        data: Side,
        portal: Side | None,
        is_data: Callable[[str], bool],
        hosts: Hosts,
        behind_proxy: bool,
        secure: bool,
        limits: Limits | None = None,
    ) -> None:
        self._data = data
        self._portal = portal
        self._is_data = is_data
        self._hosts = hosts
        self._behind_proxy = behind_proxy
        self._limits = limits or Limits()
        self._reading: Counter[str] = Counter()
        self._kept = 0
        on_all = {"server": "gridgate"}
        if secure:
            on_all["strict-transport-security"] = f"max-age={HSTS_SECONDS}"
        self._headers = {
            id(side): [
                (name.lower().encode(), value.encode()) for name, value in {**side.headers, **on_all}.items()
            ]
            for side in (data, portal)
            if side is not None
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # Lifespan goes to the data plane, which opens its files there; Django has none.
            await self._data.app(scope, receive, send)
            return
        side = self._data if self._portal is None or self._is_data(scope["path"]) else self._portal
        answer = _Answer(send, self._headers[id(side)], stalled=self._limits.stalled)
        try:
            head = self._look(scope, side)
            if not head.has_body:
                await side.app(scope, receive, answer)
                return
            async with self._whole(scope, receive, head, side) as whole:
                await side.app(scope, whole, answer)
        except _Gone:
            # Away, or what came is no body: whoever is still there is told.
            await self._refuse(
                _not_taken(400, "the body broke off", "Send it again, whole."), scope, receive, answer, side
            )
        except GridgateError as error:
            if answer.started:
                raise
            await self._refuse(error, scope, receive, answer, side)
        except Exception as error:
            if answer.started:
                raise
            reference = token_hex(8)
            _log.exception(
                "defect: %s %s, reference %s", scope["method"], scope["path"], reference, exc_info=error
            )
            await self._refuse(InternalError(reference), scope, receive, answer, side)

    def _look(self, scope: Scope, side: Side) -> _Head:
        """Read the head, and leave of it what may be believed. Raises `NotTaken`, `RequestTooLarge`."""
        raw = scope.get("raw_path") or b""
        if len(raw) + len(scope["query_string"]) > side.longest:
            raise RequestTooLarge(f"the address is longer than {side.longest} bytes", status=414)
        path = scope["path"]
        if not path.startswith("/") or _UNREADABLE.search(path) or (b"%" in raw and _AMBIGUOUS.search(raw)):
            raise _not_taken(400, "the path has characters that no path has here", "Ask for another.")
        head = self._read_headers(scope)
        is_for_any = path in ANY_HOST or path.startswith(FILES)
        if not is_for_any and (len(head.hosts) != 1 or head.hosts[0] not in self._hosts):
            raise _not_taken(
                400,
                "the request is for a host that this is not",
                "Ask by the public address. Other names are those of GRIDGATE_ALLOWED_HOSTS.",
            )
        return head

    def _read_headers(self, scope: Scope) -> _Head:
        client = scope.get("client")
        head = _Head(address=client[0] if client else "")
        kept, forwarded = [], {}
        for header in scope["headers"]:
            name, value = header
            if name.startswith((b"x-forwarded", b"forwarded")):
                if self._behind_proxy and name in _BY_A_PROXY:
                    forwarded[name] = value.rpartition(b",")[2].strip()
                continue
            if b"_" in name:
                continue
            if name == b"host":
                head.hosts.append(value)
            elif name == b"content-length":
                # The server took it for a number, or refused.
                head.length = int(value)
                head.has_body = head.length > 0
            elif name == b"transfer-encoding":
                head.has_body = True
            kept.append(header)
        if len(kept) != len(scope["headers"]):
            scope["headers"] = [*kept, *forwarded.items()]
        if b"x-forwarded-for" in forwarded:
            head.address = forwarded[b"x-forwarded-for"].decode("latin1")
        return head

    @asynccontextmanager
    async def _whole(self, scope: Scope, receive: Receive, head: _Head, side: Side) -> AsyncIterator[Receive]:
        """The body, read. Raises `RequestTooLarge`, `NotTaken`, and `_Gone` when the client went away."""
        largest = side.largest(scope["path"])
        if scope["method"] in ("GET", "HEAD"):
            largest = min(largest, LARGEST_OF_A_GET)
        if head.length > largest:
            raise _too_large(largest)
        body = Spool()
        try:
            await self._read(body, receive, head, largest)
            # However it came, it is so long: WSGI would read nothing of one in chunks.
            others = [h for h in scope["headers"] if h[0] not in (b"content-length", b"transfer-encoding")]
            scope["headers"] = [*others, (b"content-length", str(body.size).encode())]
            yield _again(body, receive)
        finally:
            self._kept -= body.size
            body.close()

    async def _read(self, body: Spool, receive: Receive, head: _Head, largest: int) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        counted = False
        more = True
        try:
            while more:
                coming = asyncio.ensure_future(_next(receive))
                try:
                    if not counted:
                        await asyncio.wait([coming], timeout=began + self._limits.at_once - clock())
                        counted = not coming.done() and self._count(head.address)
                    left = began + self._limits.grace + body.size / self._limits.pace - clock()
                    if not coming.done():
                        await asyncio.wait([coming], timeout=left)
                    if not coming.done():
                        raise _not_taken(
                            408, "the body came too slowly", "Send it again on a faster connection."
                        )
                finally:
                    coming.cancel()
                message = coming.result()
                if message["type"] != "http.request":
                    raise _Gone
                self._keep(body, message.get("body", b""), largest)
                more = message.get("more_body", False)
        finally:
            if counted:
                self._uncount(head.address)

    def _keep(self, body: Spool, piece: bytes, largest: int) -> None:
        if body.size + len(piece) > largest:
            raise _too_large(largest)
        if self._kept + len(piece) > self._limits.kept:
            raise no_room()
        self._kept += len(piece)
        try:
            body.put(piece)
        except OSError as error:
            _log.error("a request's body cannot be kept: %s", error.strerror)
            raise no_room() from None

    def _count(self, address: str) -> bool:
        """Raises `NotTaken` when too many bodies are being read."""
        if (
            self._reading.total() >= self._limits.bodies
            or self._reading[address] >= self._limits.bodies_by_address
        ):
            raise no_room()
        self._reading[address] += 1
        return True

    def _uncount(self, address: str) -> None:
        self._reading[address] -= 1
        if not self._reading[address]:
            del self._reading[address]

    async def _refuse(
        self, error: GridgateError, scope: Scope, receive: Receive, answer: "_Answer", side: Side
    ) -> None:
        response = await side.refuse(scope, error)
        response.headers["Connection"] = "close"
        if response.status_code == 503:
            response.headers.setdefault("Retry-After", str(self._limits.retry))
        body = b"" if scope["method"] == "HEAD" else bytes(response.body)
        await answer(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        if response.status_code == 413:
            await answer({"type": "http.response.body", "body": body, "more_body": True})
            await self._linger(receive)
            body = b""
        await answer({"type": "http.response.body", "body": body})

    async def _linger(self, receive: Receive) -> None:
        async def take_all() -> None:
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass

        taking = asyncio.ensure_future(take_all())
        await asyncio.wait([taking], timeout=self._limits.lingering)
        taking.cancel()


class _Gone(Exception):
    """The client went away before its body was whole."""


class _Answer:
    """`send`, which gives each answer the headers that it lacks, and gives up who reads nothing of one."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], *, stalled: float) -> None:
        self._send = send
        self._headers = headers
        self._stalled = stalled
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            theirs = list(message.get("headers", ()))
            has = {name.lower() for name, _ in theirs}
            message = {**message, "headers": theirs + [one for one in self._headers if one[0] not in has]}
            await self._send(message)
        elif message.get("more_body"):
            async with asyncio.timeout(self._stalled):
                await self._send(message)
        else:
            await self._send(message)


def _again(body: Spool, receive: Receive) -> Receive:
    """`receive` of a body that was read."""
    ended = False

    async def receiving() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        piece = body.take()
        ended = body.empty
        return {"type": "http.request", "body": piece, "more_body": not ended}

    return receiving


async def _next(receive: Receive) -> Message:
    # Granian's awaitables are no coroutines.
    return await receive()


def _not_taken(status: int, message: str, remedy: str) -> NotTaken:
    return NotTaken(ErrorKind.MALFORMED, message, remedy=remedy, status=status)


def _too_large(largest: int) -> RequestTooLarge:
    return RequestTooLarge(f"the body is larger than {largest} bytes", status=413)


def no_room() -> NotTaken:
    return NotTaken(
        ErrorKind.UNAVAILABLE,
        "too much is being sent at once",
        remedy="Send it again in some seconds.",
        status=503,
    )
