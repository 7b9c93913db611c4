"""The errors of Data Connect, in its words.

Codes and sentences are those of its error catalogue and Swagger files, to the letter: clients compare them.
Where the catalogue gives two codes for one error, the one that is met in answers of the real service is used.
"""

from collections.abc import Mapping
from typing import Final

import orjson
from starlette.responses import Response

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.authz import NotSubscribed, TokenFault, Unauthenticated
from gridgate.dataplane.http.facade import NotRouted
from gridgate.dataplane.http.guard import InternalError, NotTaken, RequestTooLarge
from gridgate.dataplane.http.oauth import OAuthError, OAuthFault
from gridgate.facades.enedis.catalogue import EnedisError, malformed

RETRY_SECONDS = 5


def render(error: GridgateError) -> Response:
    """Any failure in the dialect. What the gateway refuses has the gateway's shape (`fault`)."""
    match error:
        case EnedisError():
            return _json(error.status, {"error": error.code, "error_description": error.description})
        case OAuthError():
            return _oauth(error)
        case Unauthenticated():
            return _unauthenticated(error)
        case NotSubscribed():
            description = "User is NOT authorized to access the Resource. API Subscription validation failed."
            return _fault(403, 900908, "Resource forbidden", description)
        case NotRouted(status=405):
            return _fault(405, 405, "Method not allowed", "Method not allowed for given API resource")
        case NotRouted():
            return _fault(404, 404, "Not found", "No matching resource found for given API Request")
        case RequestTooLarge():
            invalid = malformed()
            return _json(error.status, {"error": invalid.code, "error_description": invalid.description})
        case NotTaken(status=408):
            return _fault(408, 408, "Request timeout", "The request was not received in time")
        case InternalError():
            return _json(
                500, {"error": "technical_error", "error_description": "Technical error. Please try later."}
            )
        case _ if error.kind is ErrorKind.UNAVAILABLE:
            unavailable = {"error": "Service Unavailable", "error_description": "Service Unavailable"}
            return _json(503, unavailable, {"Retry-After": str(RETRY_SECONDS)})
        case _:
            invalid = malformed()
            return _json(400, {"error": invalid.code, "error_description": invalid.description})


def _oauth(error: OAuthError) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="enedis"'} if error.status == 401 else {}
    description = _OAUTH_WORDS.get(error.fault, error.description)
    return _json(error.status, {"error_description": description, "error": error.fault.value}, headers)


_OAUTH_WORDS: Final = {
    OAuthFault.INVALID_REQUEST: "The request is missing a required parameter, includes an unsupported"
    " parameter value (other than grant type), repeats a parameter, includes multiple credentials, utilizes"
    " more than one mechanism for authenticating the client, or is otherwise malformed",
    OAuthFault.UNSUPPORTED_GRANT_TYPE: "The authorization grant type is not supported by the authorization"
    " server",
    OAuthFault.UNSUPPORTED_TOKEN_TYPE: "The authorization server does not support the revocation of the"
    " presented token type",
}


def _unauthenticated(error: Unauthenticated) -> Response:
    challenge = 'Bearer realm="enedis"'
    if error.fault is TokenFault.MISSING:
        description = (
            "Invalid Credentials. Make sure your API invocation call has a header:"
            " 'Authorization : Bearer ACCESS_TOKEN'"
        )
        return _fault(401, 900902, "Missing Credentials", description, {"WWW-Authenticate": challenge})
    description = "Invalid Credentials. Make sure you have provided the correct security credentials"
    challenge += f', error="invalid_token", error_description="{error.message}"'
    return _fault(401, 900901, "Invalid Credentials", description, {"WWW-Authenticate": challenge})


def _fault(
    status: int, code: int, message: str, description: str, headers: dict[str, str] | None = None
) -> Response:
    return _json(status, {"fault": {"code": code, "message": message, "description": description}}, headers)


def _json(status: int, content: Mapping[str, object], headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
