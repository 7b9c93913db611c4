"""Every failure as a problem document (RFC 9457), except at the token endpoint, which has its own form (RFC
6749).
"""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.authz import NotSubscribed, TokenFault, Unauthenticated
from gridgate.dataplane.http.facade import NotRouted
from gridgate.dataplane.http.guard import InternalError, NotTaken, RequestTooLarge
from gridgate.dataplane.http.oauth import OAuthError
from gridgate.facades.native.problems import TYPE_PREFIX, Problem

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5


def render(error: GridgateError) -> Response:
    match error:
        case Problem():
            return _problem(error.name, error.status, error.title, error.message, error.extra)
        case OAuthError():
            return _oauth(error)
        case Unauthenticated():
            return _unauthenticated(error)
        case NotSubscribed():
            return _problem("api-not-subscribed", 403, "API not subscribed", str(error))
        case NotRouted(status=405):
            detail = f"The methods of this path are {error.allow}."
            return _problem("method-not-allowed", 405, "Method not allowed", detail)
        case NotRouted():
            detail = "The paths of this API are described in /api/v1/openapi.json."
            return _problem("no-such-path", 404, "No such path", detail)
        case RequestTooLarge():
            return _problem("request-too-large", error.status, "Request too large", str(error))
        case NotTaken(status=408):
            return _problem("request-too-slow", 408, "Request too slow", str(error))
        case InternalError():
            extra = {"reference": error.reference}
            return _problem("internal-error", 500, "Internal error", str(error), extra)
        case _ if error.kind is ErrorKind.UNAVAILABLE:
            detail = "A part of the system does not answer; nothing was read. Try again in a moment."
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return _problem("unavailable", 503, "Temporarily unavailable", detail, headers=headers)
        case _:
            return _problem("invalid-request", 400, "Invalid request", str(error))


def _unauthenticated(error: Unauthenticated) -> Response:
    challenge = 'Bearer realm="gridgate"'
    if error.fault is not TokenFault.MISSING:
        challenge += f', error="invalid_token", error_description="{error.message}"'
    return _problem(
        "unauthenticated", 401, "Unauthenticated", str(error), headers={"WWW-Authenticate": challenge}
    )


def _oauth(error: OAuthError) -> Response:
    headers = {"Pragma": "no-cache"}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="gridgate"'
    if error.status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    content = {"error": error.fault.value, "error_description": error.description}
    return Response(orjson.dumps(content), error.status, headers, media_type="application/json")


def _problem(
    name: str,
    status: int,
    title: str,
    detail: str,
    extra: Mapping[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    content = {
        "type": f"{TYPE_PREFIX}{name}",
        "title": title,
        "status": status,
        "detail": detail,
        **(extra or {}),
    }
    return Response(orjson.dumps(content), status, headers, media_type=MEDIA_TYPE)
