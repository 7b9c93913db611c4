"""What a person reads when a request is refused before a page is looked for, by the layer in front of the portal.

No thread of the pages is asked, since they may all be busy, and nothing is known of who asks. Programs that ask by SCIM
are answered in its words.
"""

import asyncio
import json
from functools import lru_cache
from time import monotonic

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.template.loader import get_template
from django.urls import reverse
from django.utils import translation
from starlette.responses import Response
from starlette.types import Scope

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.portal.shell.context import STYLES, operator_name

SCIM = "/scim/v2/"
KEPT_SECONDS = 30
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Of answers that the pages' own middleware did not see: files, and what the layer refuses."""
_OF_A_PAGE = (
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)


async def refuse(scope: Scope, error: GridgateError) -> Response:
    """The answer to a request that was not taken."""
    status = getattr(error, "status", 500)
    if scope["path"].startswith(SCIM):
        return _scim(error, status)
    reference = getattr(error, "reference", "")
    page = await asyncio.to_thread(_page, status, _language(scope), reference)
    return Response(
        page,
        status,
        {"Content-Security-Policy": _OF_A_PAGE, "Cache-Control": "no-store"},
        media_type="text/html",
    )


def _scim(error: GridgateError, status: int) -> Response:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": str(error) if error.kind is not ErrorKind.INTERNAL else error.message,
    }
    return Response(json.dumps(body), status, media_type="application/scim+json")


def _language(scope: Scope) -> str:
    request = HttpRequest()
    for name, value in scope["headers"]:
        if name == b"accept-language":
            request.META["HTTP_ACCEPT_LANGUAGE"] = value.decode("latin1")
        elif name == b"cookie":
            request.COOKIES = parse_cookie(value.decode("latin1"))
    return translation.get_language_from_request(request)


def _page(status: int, language: str, reference: str) -> str:
    if reference:
        return _drawn(status, language, reference)
    return _kept(status, language, int(monotonic() / KEPT_SECONDS))


@lru_cache(maxsize=32)
def _kept(status: int, language: str, period: int) -> str:
    """Drawn once in a while: refused is what comes in masses, and the operator's name may be unknown or another later."""
    return _drawn(status, language, "")


def _drawn(status: int, language: str, reference: str) -> str:
    try:
        operator = operator_name()
    finally:
        connection.close()
    shell = {
        "language": language,
        "operator_name": operator,
        "styles": STYLES,
        "home": reverse("home"),
        "brand_css": reverse("brand_css") if settings.GRIDGATE_BRAND_CSS else "",
    }
    with translation.override(language):
        return get_template("errors/refused.html").render(
            {"portal": shell, "status": status, "reference": reference}
        )
