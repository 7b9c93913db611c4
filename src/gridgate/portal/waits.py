"""The answer to whoever has tried too often for now: 429, and how long to wait."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gridgate.organisations.security.pace import Attempt, in_words


def wait_first(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    """A page that says nothing was done, and how long it takes."""
    return tell_wait(render(request, "429.html", {"wait": in_words(attempt.wait)}), attempt)


def tell_wait(response: HttpResponse, attempt: Attempt) -> HttpResponse:
    """Say so to programs too (RFC 6585, §4)."""
    response.status_code = 429
    response["Retry-After"] = str(attempt.wait)
    return response
