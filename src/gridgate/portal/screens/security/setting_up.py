"""A person whose role asks a second factor, and who has none, sets one up before anything else."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

View = Callable[..., HttpResponseBase]


def while_setting_up(view: View) -> View:
    """Open to whoever has yet to set up a second factor."""
    view.while_setting_up = True  # type: ignore[attr-defined]
    return view


class SecondFactorMiddleware:
    """Leads them to the page where it is done; what is open to visitors stays open, and so does signing out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_args: Any) -> HttpResponse | None:
        membership = getattr(request, "membership", None)
        if membership is None or not membership.lacks_factor:
            return None
        if getattr(view, "while_setting_up", False) or not getattr(view, "login_required", True):
            return None
        if request.method == "POST":
            messages.warning(
                request, _("Rien n’a été enregistré : cette page demande une connexion renforcée.")
            )
        return redirect("account_security")
