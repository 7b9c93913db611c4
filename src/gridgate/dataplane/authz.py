"""From an `Authorization` header to a caller.

Two locks on every read: the application is subscribed to the API it calls, *and* a line of the access
projection (a permission, or the holder's own title) covers point, kind, direction and period. Both are read
from the registry, by one statement, at every request.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.registry.port import Access, Application, Registry

_LONGEST_TOKEN: Final = 512


class TokenFault(StrEnum):
    """Why a token opens nothing."""

    MISSING = "missing"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Unauthenticated(GridgateError):
    """The request carries no token that is valid now."""

    def __init__(self, fault: TokenFault) -> None:
        self.fault = fault
        super().__init__(
            ErrorKind.UNAUTHENTICATED,
            "no access token was given"
            if fault is TokenFault.MISSING
            else f"the access token is {fault.value}",
            remedy="Ask the token endpoint for a new one and send it as Authorization: Bearer.",
        )


class NotSubscribed(GridgateError):
    """The token is good, but its application may not call this API."""

    def __init__(self, application: Application, api: str) -> None:
        self.application = application
        super().__init__(
            ErrorKind.FORBIDDEN,
            f"the application {application.client_id} is not subscribed to the API {api}",
            remedy="Subscribe it on the applications page of the portal, or ask the operator.",
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what is known of their access to the point they name."""

    application: Application
    access: Access


def bearer(header: str | None) -> str:
    """Return the token of an `Authorization` header (RFC 6750, 2.1). Raises `Unauthenticated`."""
    if not header:
        raise Unauthenticated(TokenFault.MISSING)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated(TokenFault.MISSING)
    token = token.strip()
    if not token or len(token) > _LONGEST_TOKEN or not token.isascii():
        raise Unauthenticated(TokenFault.UNKNOWN)
    return token


def sha256(secret: str) -> str:
    """The form in which tokens and client secrets are kept: they are random, so a fast hash cannot be guessed
    through.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(registry: Registry, token: str, *, api: str, metering_point: str, at: datetime) -> Caller:
    """Resolve a token to its caller, with the caller's access to `metering_point` ("" for requests that name
    none).

    Raises `Unauthenticated`, `NotSubscribed`, or `RegistryUnavailable`.
    """
    row = registry.token(sha256(token), api=api, metering_point=metering_point, at=at)
    if row is None or not row.active:
        raise Unauthenticated(TokenFault.UNKNOWN)
    now = at.timestamp()
    if row.revoked_at is not None:
        raise Unauthenticated(TokenFault.REVOKED)
    if row.expires_at <= now:
        raise Unauthenticated(TokenFault.EXPIRED)
    if not row.subscribed:
        raise NotSubscribed(row.application, api)
    return Caller(row.application, row.access)
