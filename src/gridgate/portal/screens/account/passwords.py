"""A forgotten password: ask for a link, receive it, choose another password."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django.views.generic import FormView

from gridgate.accounts.security.guesses import letter_attempt, vouch_for
from gridgate.accounts.security.reset_links import reset_links
from gridgate.organisations.handles import number_of
from gridgate.organisations.models import User
from gridgate.organisations.queries import user_by_email
from gridgate.portal.kit.new_password import NewPasswordForm
from gridgate.portal.refusals.waits import wait_first
from gridgate.portal.screens.account import mails
from gridgate.portal.screens.account.forms import ForgottenPasswordForm


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Send a link to the address, when somebody has it; whether somebody does is not told."""
    form = ForgottenPasswordForm(request.POST or None)
    if not form.is_valid():
        return render(request, "account/password_forgotten.html", {"form": form})
    email = form.cleaned_data["email"].lower()
    attempt = letter_attempt(request, f"reset link to {email}")
    if not attempt.allowed:
        return wait_first(request, attempt, back=_back(request))
    mails.send_reset_link(user_by_email(email=email))
    return redirect("password_reset_sent")


def _back(request: HttpRequest) -> str:
    """Whoever is signed in, and has no password, came from where one changes one's own."""
    return reverse("account_password") if request.user.is_authenticated else ""


@login_not_required
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """The same page for everyone who asked."""
    return render(request, "account/password_sent.html")


@method_decorator([login_not_required, never_cache, sensitive_post_parameters()], name="dispatch")
class Choose(PasswordResetConfirmView):
    """The link works once and for an hour: what it proves includes the present password and the last sign-in.

    The proof moves from the address into the session at once, so that no page gives it away; and there it becomes a
    hash, so that no copy of the registry does.
    """

    form_class = NewPasswordForm
    template_name = "account/password_choose.html"
    success_url = reverse_lazy("password_reset_done")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Past the library's own, which keeps the token in the session as it is."""
        token = kwargs["token"]
        self.user, self.validlink = self.get_user(kwargs["uidb64"]), False
        if self.user is not None and token == self.reset_url_token:
            self.validlink = reset_links.is_good(
                self.user, request.session.get(INTERNAL_RESET_SESSION_TOKEN, "")
            )
            if self.validlink:
                return super(FormView, self).dispatch(request, *args, **kwargs)  # type: ignore[return-value]
        elif self.user is not None and reset_links.check_token(self.user, token):
            request.session[INTERNAL_RESET_SESSION_TOKEN] = reset_links.opened(token)
            return redirect(request.path.replace(token, self.reset_url_token))
        return self.render_to_response(self.get_context_data())

    def get_user(self, uidb64: str) -> User | None:
        """Whom the address names, by a handle: a number would count the accounts."""
        number = number_of("user", uidb64)
        return None if number is None else User.objects.filter(pk=number).first()

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        user: User = form.user
        vouch_for(self.request, email=user.email)
        mails.tell_password_changed(user)
        return response


@login_not_required
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    return render(request, "account/password_done.html")
