"""What a façade gives to the application: its paths, and its words for what goes wrong."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.http.plane import DataPlane


class Facade(Protocol):
    """A published interface. A module that has these four names is one (`gridgate.facades.enedis`)."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """What an application subscribes to, and what logs and metrics call it."""
        ...

    @property
    def PREFIXES(self) -> Sequence[str]:  # noqa: N802
        """The beginnings of its paths, each ending in `/`: under them, an unknown path is answered in its
        words.
        """
        ...

    def routes(self, plane: DataPlane) -> Sequence[Route]: ...

    def render(self, error: GridgateError) -> Response:
        """Turn a failure into an answer of the dialect. Must not fail, and must tell nothing of an INTERNAL
        one.
        """
        ...


class Direct:
    """An endpoint without the framework's request and response around it: for what is asked thousands of times a second.

    It is asked by GET or HEAD and has no body. `answer` is the one thing it is made of: from what was asked to the body
    and its headers, in the order in which they leave; what it raises is the guard's, as of any endpoint.
    """

    def __init__(
        self, answer: Callable[[Scope], Awaitable[tuple[bytes, Sequence[tuple[bytes, bytes]]]]]
    ) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, headers = await self._answer(scope)
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": 200, "headers": [length, *headers]})
        await send({"type": "http.response.body", "body": body})


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that name, which is in lower case."""
    for other, value in scope["headers"]:
        if other == name:
            return str(value, "latin-1")
    return None


class NotRouted(GridgateError):
    """No such path (404), or not with that method (405; `allow` then names those there are)."""

    def __init__(self, status: int = 404, allow: str = "") -> None:
        self.status = status
        self.allow = allow
        message = f"the methods here are {allow}" if allow else "there is nothing here"
        super().__init__(ErrorKind.MALFORMED if allow else ErrorKind.NOT_FOUND, message)
