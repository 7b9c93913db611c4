"""The token endpoint and its revocation, for every dialect: what is checked in which order, and what is done.

A dialect says where it takes parameters and credentials from, and in which words it refuses and answers.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from gridgate.dataplane.http.oauth import OAuthError, OAuthFault, TokenRequest, read_token_request
from gridgate.dataplane.http.plane import DataPlane
from gridgate.dataplane.registry.port import Application
from gridgate.dataplane.tokens import Recognised, recognise

Endpoint = Callable[[Request], Awaitable[Response]]


class TokenDialect(Protocol):
    """What differs between the token endpoints of two interfaces. A module that has these names is one."""

    @property
    def SECONDS(self) -> int:  # noqa: N802
        """How long a token lasts."""
        ...

    @property
    def HINTS(self) -> bool:  # noqa: N802
        """Whether a hint at another type of token than there are is refused (RFC 7009, 2.2.1), or passed over."""
        ...

    def parameter(self, asked: TokenRequest, name: str) -> str | None:
        """A parameter from wherever this dialect takes it; empty is absent (RFC 6749, 3.2)."""
        ...

    def credentials(self, asked: TokenRequest) -> tuple[str, str]:
        """The name and the secret that the client gave. Raises `OAuthError`."""
        ...

    def not_recognised(self, client_id: str, *, known: bool) -> OAuthError:
        """The refusal of a wrong secret, or of a name that no active application has."""
        ...

    def encode_token(self, token: str, expires_in: int) -> bytes: ...


def token_endpoint(plane: DataPlane, dialect: TokenDialect) -> Endpoint:
    """Issue a token to an application that proves itself (RFC 6749, 4.4)."""

    async def token(request: Request) -> Response:
        at = plane.clock()
        asked = await read_token_request(request)
        application = _client(plane, dialect, asked, at)
        grant = dialect.parameter(asked, "grant_type")
        if grant is None:
            raise OAuthError(OAuthFault.INVALID_REQUEST, "grant_type is missing from the form")
        if grant != "client_credentials":
            raise OAuthError(OAuthFault.UNSUPPORTED_GRANT_TYPE, "the only grant here is client_credentials")
        issued = await plane.tokens.issue(application, lifetime=dialect.SECONDS, at=at)
        body = dialect.encode_token(issued.token, issued.expires_in)
        return Response(body, headers={"Pragma": "no-cache"}, media_type="application/json")

    return token


def revocation_endpoint(plane: DataPlane, dialect: TokenDialect) -> Endpoint:
    """RFC 7009: an unknown token, or one of another client, is answered like a revoked one."""

    async def revoke(request: Request) -> Response:
        at = plane.clock()
        asked = await read_token_request(request)
        application = _client(plane, dialect, asked, at)
        token = dialect.parameter(asked, "token")
        if token is None:
            raise OAuthError(OAuthFault.INVALID_REQUEST, "token is missing from the form")
        hint = dialect.parameter(asked, "token_type_hint")
        if dialect.HINTS and hint not in (None, "access_token"):
            raise OAuthError(OAuthFault.UNSUPPORTED_TOKEN_TYPE, "only access tokens exist")
        await plane.tokens.revoke(token, application=application, at=at)
        return Response(status_code=200)

    return revoke


def _client(plane: DataPlane, dialect: TokenDialect, asked: TokenRequest, at: datetime) -> Application:
    """The application that asks. Raises `OAuthError`."""
    client_id, secret = dialect.credentials(asked)
    found = recognise(plane.registry, client_id=client_id, client_secret=secret, at=at)
    if isinstance(found, Recognised):
        return found.application
    raise dialect.not_recognised(client_id, known=found.known)
