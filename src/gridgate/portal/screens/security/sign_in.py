"""Signing in with a second factor, or with a passkey alone."""

from typing import Any

from allauth.account.internal.decorators import login_stage_required
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from gridgate.accounts.security import factors, guesses, keys
from gridgate.accounts.security.log import log_event
from gridgate.accounts.security.pace import Attempt, by_address, in_words
from gridgate.organisations.models import User
from gridgate.portal.refusals.waits import tell_wait, wait_first
from gridgate.portal.screens.security.forms import SignInCodeForm
from gridgate.portal.signing_in.stages import SecondFactorStage

KEY = "credential"
WRONG = gettext_lazy(
    "Ce n’est pas le bon code, ou il a déjà servi. Après plusieurs essais, une pause s’impose."
)
TOO_MANY = gettext_lazy("Trop d’essais. Réessayez dans %(wait)s.")


@login_stage_required(  # type: ignore[untyped-decorator]
    stage=SecondFactorStage.key, redirect_urlname="sign_in"
)
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """After the password: a code of the application, a recovery code, or a key."""
    stage: Any = request._login_stage  # type: ignore[attr-defined]
    user = stage.login.user
    if user is None or not user.is_active or "cancel" in request.POST:
        response: HttpResponse = stage.abort()
        return response
    guess = None
    form = SignInCodeForm(request.POST if "code" in request.POST and not request.POST.get(KEY) else None)
    if request.POST.get(KEY):
        key = keys.recognise(keys.parse(request.POST[KEY]), user=user)
        if key is not None:
            return _passed(request, stage, user, key)
        log_event("second factor refused", request=request, user=user, type="webauthn")
        messages.error(request, _("Cette clé n’est pas reconnue. Essayez encore, ou saisissez un code."))
        return redirect("sign_in_code")
    if form.is_valid():
        guess = guesses.factor_attempt(request, user)
        factor = None
        if guess.allowed:
            factor = factors.check_code(user=user, text=form.cleaned_data["code"], now=timezone.now())
        if factor is not None:
            guess.take_back()
            return _passed(request, stage, user, factor)
        log_event("second factor refused", request=request, user=user, limited=not guess.allowed)
        form.add_error("code", str(WRONG if guess.allowed else TOO_MANY % {"wait": in_words(guess.wait)}))
    has = factors.factors_of(user=user)
    context: dict[str, object] = {"form": form, "has": has}
    if has.keys and keys.are_possible(request):
        context["options"] = keys.sign_in_options(user)
    page = render(request, "security/sign_in_code.html", context)
    return page if guess is None or guess.allowed else tell_wait(page, guess)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def passkey(request: HttpRequest) -> HttpResponse:
    """GET: the challenge, for the script of the sign-in page. POST: the key's answer, which is a whole sign-in."""
    if request.user.is_authenticated:
        return redirect("home")
    attempt = Attempt(by_address("passkeys", request, wide=True), now=timezone.now())
    if not attempt.allowed:
        return wait_first(request, attempt)
    if request.method != "POST":
        return JsonResponse(keys.sign_in_options())
    key = keys.recognise(keys.parse(request.POST.get(KEY, "")))
    if key is None:
        log_event("sign-in refused", request=request, method="webauthn")
        messages.error(request, _("Cette clé n’est pas reconnue. Connectez-vous avec votre mot de passe."))
        return redirect("sign_in")
    attempt.take_back()
    record_authentication(request, key.user, "mfa", id=key.pk, type=key.type, passwordless=True)
    login = Login(user=key.user, redirect_url=get_next_redirect_url(request))
    response: HttpResponse = perform_login(request, login)
    return response


def _passed(request: HttpRequest, stage: Any, user: User, factor: Authenticator) -> HttpResponse:
    record_authentication(request, user, "mfa", id=factor.pk, type=factor.type)
    response: HttpResponse = stage.exit()
    return response
