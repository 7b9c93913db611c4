"""*Application de codes*: setting one up, removing it."""

import base64

from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from gridgate.accounts.security import factors, guesses, sessions
from gridgate.accounts.security.log import log_event
from gridgate.accounts.security.mfa import PURPOSE, MfaAdapter
from gridgate.accounts.security.pace import in_words
from gridgate.accounts.security.proof import By, prove
from gridgate.accounts.security.sealing import Unreadable, seal, unseal
from gridgate.organisations.models import User
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.second_factor import while_setting_up
from gridgate.portal.guards.step_up import own_security
from gridgate.portal.screens.security.forms import TotpForm

SECRET = "totp"  # noqa: S105  a session key
"""Session key: the secret shown and not yet confirmed, sealed. It stays the same when the page is read again."""


@while_setting_up
@account_page
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@own_security
def page(request: AccountRequest) -> HttpResponse:
    """Set the application up; or, when there is one, remove it."""
    has = factors.factors_of(user=request.user)
    if has.totp is None:
        return _set_up(request)
    if request.method != "POST":
        return render(request, "security/totp_remove.html", {"has": has})
    try:
        factors.remove_factor(
            user=request.user, pk=has.totp.pk, session_key=request.session.session_key, now=timezone.now()
        )
    except factors.LastFactor:
        messages.error(
            request,
            _(
                "Votre rôle demande la double authentification : ajoutez une clé d’accès avant de retirer l’application."
            ),
        )
    else:
        sessions.go_on(request, request.user)
        log_event("second factor removed", request=request, user=request.user, type="totp")
        messages.success(request, _("L’application de codes est retirée."))
    return redirect("account_security")


def _set_up(request: AccountRequest) -> HttpResponse:
    user, secret = request.user, _secret(request)
    form = TotpForm(request.POST if "code" in request.POST else None)
    if form.is_valid():
        guess = guesses.factor_attempt(request, user)
        if not guess.allowed:
            form.add_error(
                "code", _("Trop d’essais. Réessayez dans %(wait)s.") % {"wait": in_words(guess.wait)}
            )
        elif _added(request, secret, form.cleaned_data["code"]):
            guess.take_back()
            request.session.pop(SECRET, None)
            prove(request, user, By.FACTOR, now=timezone.now())  # it has just shown a code
            log_event("second factor added", request=request, user=user, type="totp")
            messages.success(
                request, _("L’application de codes est ajoutée : un code sera demandé à chaque connexion.")
            )
            return redirect("account_codes")
        else:
            form.add_error(
                "code", _("Ce n’est pas le code que montre l’application. Vérifiez l’heure du téléphone.")
            )
    return render(request, "security/totp.html", _shown(user, secret) | {"form": form})


def _added(request: AccountRequest, secret: str, code: str) -> bool:
    user, key = request.user, request.session.session_key
    try:
        factors.add_totp(user=user, secret=secret, code=code, session_key=key, now=timezone.now())
    except factors.WrongCode:
        return False
    sessions.go_on(request, user)
    return True


def _secret(request: AccountRequest) -> str:
    try:
        return unseal(request.session.get(SECRET, ""), purpose=PURPOSE)
    except Unreadable:
        made = str(generate_totp_secret())
        request.session[SECRET] = seal(made, purpose=PURPOSE)
        return made


def _shown(user: User, secret: str) -> dict[str, object]:
    """The drawing that the telephone reads, and the same as text."""
    adapter = MfaAdapter()
    url = adapter.build_totp_url(user, secret)
    drawing = base64.b64encode(adapter.build_totp_svg(url).encode()).decode()
    return {
        "picture": f"data:image/svg+xml;base64,{drawing}",
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "account": f"{adapter.get_totp_issuer()}, {user.email}",
    }
