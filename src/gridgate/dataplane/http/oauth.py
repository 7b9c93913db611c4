"""Client authentication and the parameters of OAuth 2.0 token requests (RFC 6749), for the façades to answer
with.

The façades differ in where they take credentials from and in their words, so this module raises faults that
carry no wording of a dialect.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.unavailability import is_unavailable

FORM = "application/x-www-form-urlencoded"
_MOST_PARAMETERS = 32


class OAuthFault(StrEnum):
    """What is wrong with a token or revocation request; the value is the code of RFC 6749, 5.2."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"  # noqa: S105
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    """Of the authorisation endpoint there (4.1.2.1); no code of 5.2 says it."""


class OAuthError(GridgateError):
    """A token request that is refused. `description` is for the developer; `status` is the HTTP status."""

    def __init__(
        self, fault: OAuthFault, description: str, *, status: int = 400, basic: bool = False
    ) -> None:
        self.fault = fault
        self.description = description
        self.status = status
        self.basic = basic
        """True when the client tried HTTP Basic, so that the answer must name the scheme (RFC 6749, 5.2)."""
        super().__init__(_KINDS.get(fault, ErrorKind.MALFORMED), description)


_KINDS = {
    OAuthFault.INVALID_CLIENT: ErrorKind.UNAUTHENTICATED,
    OAuthFault.TEMPORARILY_UNAVAILABLE: ErrorKind.UNAVAILABLE,
}


def in_oauth_words(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Let an endpoint say in OAuth's words, too, that a part of the system does not answer."""

    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise OAuthError(
                OAuthFault.TEMPORARILY_UNAVAILABLE,
                "a part of the system does not answer; try again in a moment",
                status=503,
            ) from error

    return answered


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The parameters of the query string and of the form, and the credentials of a Basic header."""

    query: Mapping[str, str]
    form: Mapping[str, str]
    basic: tuple[str, str] | None

    def get(self, name: str) -> str | None:
        """A parameter, from wherever it came; empty is absent (RFC 6749, 3.2)."""
        return self.form.get(name) or self.query.get(name) or None


async def read_token_request(request: Request) -> TokenRequest:
    """Read a token or revocation request. Raises `OAuthError` (invalid_request)."""
    try:
        body = await request.body()
    except ClientDisconnect:
        # Also what a server says of a body whose chunks cannot be told apart: then somebody still reads the answer.
        raise OAuthError(OAuthFault.INVALID_REQUEST, "the body ended before it was whole") from None
    form = {}
    if body:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != FORM:
            raise OAuthError(OAuthFault.INVALID_REQUEST, f"the Content-Type must be {FORM}")
        form = single_parameters(body)
    query = single_parameters(request.scope["query_string"])
    for name in query.keys() & form.keys():
        if query[name] != form[name]:
            raise OAuthError(OAuthFault.INVALID_REQUEST, f"the parameter {name} was given twice")
    return TokenRequest(query, form, _basic(request.headers.get("authorization")))


def single_parameters(encoded: bytes) -> dict[str, str]:
    """Decode form-encoded parameters, each of which may occur once. Raises `OAuthError` (invalid_request)."""
    try:
        pairs = parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict"
        )
    except ValueError:
        raise OAuthError(OAuthFault.INVALID_REQUEST, "the parameters cannot be decoded") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise OAuthError(OAuthFault.INVALID_REQUEST, "a parameter was given twice")
    return parameters


def _basic(header: str | None) -> tuple[str, str] | None:
    if not header:
        return None
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, separator, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except ValueError:  # no base64, nor even ASCII, or no UTF-8 within
        separator = ""
    if not separator:
        raise OAuthError(
            OAuthFault.INVALID_CLIENT, "the Basic credentials cannot be decoded", status=401, basic=True
        )
    return client_id, secret
