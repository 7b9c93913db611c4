"""The token, asked for before anything else: whoever has none costs a look-up, and loads nothing of the interface."""

import json
import logging

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.unavailability import is_unavailable
from gridgate.directory.models import DirectoryToken
from gridgate.directory.operations.tokens import token_with_secret

MEDIA_TYPE = "application/scim+json"
_log = logging.getLogger(__name__)


class Unavailable(GridgateError):
    """The registry does not answer, or cannot be written: nothing of the request was done."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.UNAVAILABLE, "the registry does not answer", remedy="Try again in a moment"
        )


def let_in(request: HttpRequest) -> DirectoryToken | HttpResponse:
    """The token that the request brings, or the refusal in SCIM's words (RFC 7644 §3.12)."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        return _refused(401, "A bearer token is asked for")
    try:
        token = token_with_secret(secret, now=timezone.now())
    except Exception as error:
        if not is_unavailable(error):
            raise
        _log.error("a directory cannot be answered: %s", error)
        return _refused(503, str(Unavailable()))
    return _refused(401, "The token is unknown or was revoked") if token is None else token


def _refused(status: int, detail: str) -> HttpResponse:
    said = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail,
    }
    response = HttpResponse(json.dumps(said), content_type=MEDIA_TYPE, status=status)
    response["Cache-Control"] = "private, no-store"
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="scim"'
    return response
