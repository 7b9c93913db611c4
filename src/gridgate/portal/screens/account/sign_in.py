"""Signing in and out."""

from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gridgate.accounts.provider import provider_name
from gridgate.accounts.security import keys
from gridgate.accounts.security.pace import Attempt
from gridgate.portal.refusals.waits import tell_wait
from gridgate.portal.screens.account.forms import SignInForm
from gridgate.portal.shell.language import PREFERENCE


class SignIn(LoginView):  # type: ignore[misc]  # the library has no types
    """The account library's sign-in (attempts counted, new session key), with our form, page and words."""

    form_class = SignInForm
    template_name = "account/sign_in.html"

    def get_form_class(self) -> type[SignInForm]:
        return SignInForm

    def form_valid(self, form: SignInForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        self.request.session[PREFERENCE] = form.user.language
        return response

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        attempt: Attempt | None = getattr(self.request, "sign_in_attempt", None)
        return response if attempt is None or attempt.allowed else tell_wait(response, attempt)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Past the library's own context, which speaks of pages that do not exist here.
        context: dict[str, Any] = super(LoginView, self).get_context_data(**kwargs)
        return context | {
            "keys_possible": keys.are_possible(self.request),
            "provider": provider_name(),
            "onwards": get_next_redirect_url(self.request),
        }


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here; others of the same person go on."""
    logout(request)
    messages.success(request, _("Vous êtes déconnecté."))
    return redirect("sign_in")
