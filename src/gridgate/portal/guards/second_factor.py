"""A role that asks a second factor asks it of every session: whoever has none sets one up before anything else, and a
session that has not proved the one there is, such as one opened before, proves it. One that was shown to the provider
counts as the operator says.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from gridgate.accounts.security.external_factor import still_counts
from gridgate.accounts.security.proof import is_strong
from gridgate.portal.guards.step_up import ask_factor

View = Callable[..., HttpResponseBase]


def while_setting_up(view: View) -> View:
    """Open to whoever has yet to set up a second factor."""
    view.while_setting_up = True  # type: ignore[attr-defined]
    return view


def while_proving(view: View) -> View:
    """Open to a session that has yet to prove the second factor: the page where it does."""
    view.while_proving = True  # type: ignore[attr-defined]
    return while_setting_up(view)


class SecondFactorMiddleware:
    """Leads them to the page where either is done; what is open to visitors stays open, and so does signing out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_args: Any) -> HttpResponse | None:
        membership = getattr(request, "membership", None)
        if membership is None or not membership.asks_factor or not getattr(view, "login_required", True):
            return None
        if still_counts(request, membership.user):
            return None
        if membership.has_factor:
            proved = is_strong(request, membership.user) or getattr(view, "while_proving", False)
            return None if proved else ask_factor(request, membership.user)
        if getattr(view, "while_setting_up", False):
            return None
        if request.method == "POST":
            messages.warning(
                request, _("Rien n’a été enregistré : cette page demande la double authentification.")
            )
        return redirect("account_security")
