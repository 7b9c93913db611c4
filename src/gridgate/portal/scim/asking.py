"""A request whose token is good: how often one may ask, and how what goes wrong is said in SCIM's words."""

import json
import logging
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from gridgate.core.unavailability import is_unavailable
from gridgate.directory.models import DirectoryToken
from gridgate.directory.operations.tokens import acting_as
from gridgate.organisations.models import Membership, Organisation
from gridgate.portal.scim import answers, errors
from gridgate.portal.scim.answers import Writer
from gridgate.portal.scim.door import MEDIA_TYPE, Unavailable

REQUESTS_A_MINUTE = 1800
"""By token and web process. Microsoft asks for 25 a second at least."""


class Asked(NamedTuple):
    """A request whose token is good."""

    request: HttpRequest
    token: DirectoryToken
    writer: Writer

    @property
    def organisation(self) -> Organisation:
        return self.token.organisation

    @property
    def actor(self) -> Membership:
        return acting_as(self.token)


View = Callable[..., HttpResponse]

_log = logging.getLogger(__name__)


def endpoint(*methods: str) -> Callable[[View], View]:
    """Keep to the methods and the limit, and say what goes wrong in SCIM's words."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, token: DirectoryToken, **named: str) -> HttpResponse:
            try:
                _require_within_limit(token)
                if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
                    raise errors.MethodNotAllowed(", ".join(methods))
                response = view(Asked(request, token, Writer(base_address())), **named)
            except errors.EXPECTED as error:
                response = _refusal(error)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.error("a directory cannot be answered: %s", error)
                response = _refusal(Unavailable())
            response["Cache-Control"] = "private, no-store"
            return response

        return answered

    return decorate


class _Counts:
    """How many requests each token made in the present minute."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._requests: dict[int, int] = {}

    def count(self, token: int, minute: int) -> int:
        with self._lock:
            if minute != self._minute:
                self._minute, self._requests = minute, {}
            self._requests[token] = self._requests.get(token, 0) + 1
            return self._requests[token]


_counts = _Counts()


def _require_within_limit(token: DirectoryToken) -> None:
    if settings.ENVIRONMENT.quotas != "on":
        return
    if _counts.count(token.pk, int(timezone.now().timestamp()) // 60) > REQUESTS_A_MINUTE:
        raise errors.TooManyRequests


def base_address() -> str:
    return f"{settings.BASE_URL}/scim/v2"


def _refusal(error: Exception) -> HttpResponse:
    fault = errors.fault_of(error)
    response = answer_of(answers.error(*fault), status=fault.status)
    if isinstance(error, errors.MethodNotAllowed):
        response["Allow"] = error.allowed
    if isinstance(error, errors.TooManyRequests):
        response["Retry-After"] = "60"
    return response


def answer_of(body: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return HttpResponse(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        content_type=MEDIA_TYPE,
        status=status,
    )
