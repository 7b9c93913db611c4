"""What a façade gives to the application: its paths, and its words for what goes wrong."""

from collections.abc import Sequence
from typing import Protocol

from starlette.responses import Response
from starlette.routing import Route

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


class NotRouted(GridgateError):
    """No such path (404), or not with that method (405; `allow` then names those there are)."""

    def __init__(self, status: int = 404, allow: str = "") -> None:
        self.status = status
        self.allow = allow
        message = f"the methods here are {allow}" if allow else "there is nothing here"
        super().__init__(ErrorKind.MALFORMED if allow else ErrorKind.NOT_FOUND, message)
