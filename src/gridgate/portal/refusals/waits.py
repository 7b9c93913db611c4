"""The answer to whoever has tried too often for now: 429, and how long to wait."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from gridgate.accounts.security.pace import Attempt, in_words


def wait_first(request: HttpRequest, attempt: Attempt, *, back: str = "") -> HttpResponse:
    """A page that says nothing was done, and how long it takes; for a form with nothing to keep. `back`: where whoever is
    signed in came from, without it this address.
    """
    context = {"wait": in_words(attempt.wait), "back": back or request.path}
    return tell_wait(render(request, "429.html", context), attempt)


def too_often(attempt: Attempt) -> str:
    """For the form itself, which keeps what was typed."""
    return _("Trop de demandes à la suite. Vous pourrez recommencer dans %(wait)s.") % {
        "wait": in_words(attempt.wait)
    }


def tell_wait(response: HttpResponse, attempt: Attempt) -> HttpResponse:
    """Say so to programs too (RFC 6585, §4)."""
    response.status_code = 429
    response["Retry-After"] = str(attempt.wait)
    return response
