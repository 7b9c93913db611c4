"""The token endpoint of Data Connect: parameters from the form or the address, credentials from anywhere."""

from typing import Any, Final

import orjson

from gridgate.dataplane.http.oauth import OAuthError, OAuthFault, TokenRequest

SECONDS: Final = 12_600
HINTS: Final = True

_FAILED: Final = "Client Authentication failed."


def parameter(asked: TokenRequest, name: str) -> str | None:
    return asked.get(name)


def credentials(asked: TokenRequest) -> tuple[str, str]:
    """By Basic, form or query string: clients in use do all three, and two at once."""
    client_id, secret = asked.basic or (asked.get("client_id"), asked.get("client_secret"))
    if not client_id or not secret:
        raise OAuthError(OAuthFault.INVALID_CLIENT, _FAILED)
    if asked.get("client_id") not in (None, client_id) or asked.get("client_secret") not in (None, secret):
        raise OAuthError(OAuthFault.INVALID_REQUEST, "two different credentials were given")
    return client_id, secret


def not_recognised(client_id: str, *, known: bool) -> OAuthError:
    unknown = f"A valid OAuth client could not be found for client_id: {client_id[:64]}"
    return OAuthError(OAuthFault.INVALID_CLIENT, _FAILED if known else unknown, status=401)


def encode_token(token: str, expires_in: int) -> bytes:
    """The answer of the token endpoint; `expires_in` is a number, as the service sends it."""
    content: dict[str, Any] = {
        "access_token": token,
        "scope": "am_application_scope default",
        "token_type": "Bearer",
        "expires_in": expires_in,
    }
    return orjson.dumps(content)
