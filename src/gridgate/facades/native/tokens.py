"""The token endpoint of the native API: everything in the form, and nothing secret in the address."""

from typing import Final

import orjson

from gridgate.dataplane.http.oauth import OAuthError, OAuthFault, TokenRequest

SECONDS: Final = 3600
HINTS: Final = False


def parameter(asked: TokenRequest, name: str) -> str | None:
    return asked.form.get(name) or None


def credentials(asked: TokenRequest) -> tuple[str, str]:
    """By Basic or in the form, one of the two, never in the address (RFC 6749, 2.3.1)."""
    if "client_secret" in asked.query:
        raise OAuthError(
            OAuthFault.INVALID_REQUEST, "a secret in an address ends up in logs: send it by Basic"
        )
    if asked.basic and asked.form.get("client_secret"):
        raise OAuthError(OAuthFault.INVALID_REQUEST, "give the secret once, by Basic or in the form")
    client_id, secret = asked.basic or (asked.form.get("client_id"), asked.form.get("client_secret"))
    if not client_id or not secret:
        raise OAuthError(OAuthFault.INVALID_CLIENT, "no client authentication was included", status=401)
    return client_id, secret


def not_recognised(client_id: str, *, known: bool) -> OAuthError:
    return OAuthError(OAuthFault.INVALID_CLIENT, "client authentication failed", status=401)


def encode_token(token: str, expires_in: int) -> bytes:
    return orjson.dumps({"access_token": token, "token_type": "Bearer", "expires_in": expires_in})
