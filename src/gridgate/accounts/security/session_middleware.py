"""Saving the session after a page is made, when the registry may have no room for it."""

import logging

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from gridgate.core.unavailability import is_unavailable

_log = logging.getLogger(__name__)


class LastingAnswers(SessionMiddleware):
    """What a view has done is done, and its answer says so: that the session cannot be saved afterwards changes nothing
    of it, and must not be told as if nothing had been recorded.

    Except of who signs in, which is all in the session: they are told that it was not.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except Exception as error:
            if not is_unavailable(error) or _signs_in(request):
                raise
            _log.error("a session cannot be saved: %s %s: %s", request.method, request.path, error)
            return response


def _signs_in(request: HttpRequest) -> bool:
    kept = type(request.session)(request.session.session_key)
    return bool(request.session.get(SESSION_KEY) != kept.get(SESSION_KEY))
