"""Whoever has yet to accept the general terms in force is asked at their next visit, before anything else.

What is owed is looked up when a person signs in and kept in the session, so that pages ask the registry nothing,
and no form that somebody is filling in is lost to a version that has just been published.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from gridgate.onboarding.terms import terms_owed
from gridgate.organisations.models import User

OWED = "terms_owed"
"""Session key: the person signed in owing an acceptance."""


class TermsMiddleware:
    """Leads them to the page where it is given, and from there back to what they asked for. What is open to visitors
    stays open, and so does signing out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_args: Any) -> HttpResponse | None:
        if OWED not in request.session or not request.user.is_authenticated:
            return None
        if getattr(view, "before_terms", False) or not getattr(view, "login_required", True):
            return None
        if request.method in ("GET", "HEAD"):
            return redirect(f"{reverse('terms_accept')}?{urlencode({'next': request.get_full_path()})}")
        messages.warning(
            request, _("Rien n’a été enregistré : les conditions générales sont à accepter d’abord.")
        )
        return redirect("terms_accept")


def before_terms(view: Any) -> Any:
    """Open to whoever has yet to accept the terms."""
    view.before_terms = True
    return view


def forget_terms_owed(request: HttpRequest) -> None:
    """They have just accepted."""
    request.session.pop(OWED, None)


@receiver(user_logged_in)
def _look_up(request: HttpRequest | None, user: Any, **_more: Any) -> None:
    if request is None or not isinstance(user, User):
        return
    if terms_owed(user=user, now=timezone.now()) is not None:
        request.session[OWED] = True
    else:
        request.session.pop(OWED, None)
