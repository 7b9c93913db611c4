"""To the provider and back. Nothing here exists while the operator has chosen no provider."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from requests import RequestException

from gridgate.accounts.provider import provider_name
from gridgate.accounts.security.log import log_event
from gridgate.accounts.security.pace import Attempt, Limit, by_address, give_back
from gridgate.portal.refusals.waits import wait_first
from gridgate.portal.signing_in import external
from gridgate.portal.signing_in.external import Refusal

View = Callable[..., HttpResponse]


def with_a_provider(view: View) -> View:
    """404 unless the operator has chosen one."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if not provider_name():
            raise Http404("no provider is configured")
        return view(request, *args, **named)

    return guarded


@login_not_required
@never_cache
@require_safe
@with_a_provider
def start(request: HttpRequest) -> HttpResponse:
    """Go to the provider; a page that says so when it does not answer. A link, for no form may lead to another host."""
    if request.user.is_authenticated:
        return redirect("home")
    attempt = _attempt(request)
    if not attempt.allowed:
        return wait_first(request, attempt)
    onwards = get_next_redirect_url(request) or ""
    try:
        return external.start(request, onwards=onwards, nonce=secrets.token_urlsafe(24))
    except (RequestException, OAuth2Error) as error:
        unanswered = isinstance(error, RequestException)
        log_event("sign-in unavailable", request=request, method="openid", cause=type(error).__name__)
        return _refusal(request, Refusal.UNAVAILABLE if unanswered else Refusal.FAILED, onwards, status=503)


@login_not_required
@never_cache
@require_safe
@with_a_provider
def finish(request: HttpRequest) -> HttpResponse:
    """Back from the provider."""
    attempt = _attempt(request)
    if not attempt.allowed:
        return wait_first(request, attempt)
    response = external.finish(request)
    if request.user.is_authenticated:
        attempt.take_back()
        give_back(_limit(request))  # of when they left
    return response


@login_not_required
@never_cache
@require_safe
@with_a_provider
def refused(request: HttpRequest, reason: str) -> HttpResponse:
    """Why nobody is signed in, and what to do."""
    if reason not in Refusal.ALL:
        raise Http404(reason)
    return _refusal(request, reason, get_next_redirect_url(request) or "")


def _attempt(request: HttpRequest) -> Attempt:
    """Each visit here asks the provider something."""
    return Attempt(_limit(request), now=timezone.now())


def _limit(request: HttpRequest) -> Limit:
    return by_address("external sign-ins", request, wide=True)


def _refusal(request: HttpRequest, reason: str, onwards: str, *, status: int = 200) -> HttpResponse:
    context = {"reason": reason, "provider": provider_name(), "onwards": onwards}
    return render(request, "external_sign_in/refused.html", context, status=status)
