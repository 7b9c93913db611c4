"""*Sécurité du compte*: what protects it, where it is open, who is told."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from gridgate.accounts.own_account import external_links_of
from gridgate.accounts.provider import provider_name
from gridgate.accounts.security import keys, sessions, sign_ins
from gridgate.accounts.security.external_factor import still_counts
from gridgate.accounts.security.factors import MOST_KEYS, factors_of
from gridgate.accounts.security.log import log_event
from gridgate.accounts.security.policy import must_have_factor
from gridgate.organisations.handles import number_of
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.second_factor import while_setting_up

METHODS = {
    "password": gettext_lazy("mot de passe"),
    "totp": gettext_lazy("mot de passe et application"),
    "recovery_codes": gettext_lazy("mot de passe et code de secours"),
    "webauthn": gettext_lazy("clé d’accès"),
    "openid": gettext_lazy("compte d’entreprise"),
}


@while_setting_up
@account_page
@require_safe
def page(request: AccountRequest) -> HttpResponse:
    user, now = request.user, timezone.now()
    has = factors_of(user=user)
    context = {
        "has": has,
        "asked": must_have_factor(user=user),
        "shown_to": provider_name() if still_counts(request, user) else "",
        "may_add_key": len(has.keys) < MOST_KEYS and keys.are_possible(request),
        "keys_possible": keys.are_possible(request),
        "links": external_links_of(user=user),
        "sessions": sessions.sessions_of(user=user, current=request.session.session_key, now=now),
        "sign_ins": [(one, METHODS.get(one.method, one.method)) for one in sign_ins.last_sign_ins(user=user)],
    }
    return render(request, "security/security.html", context)


@while_setting_up
@account_page
@require_POST
def end_sessions(request: AccountRequest) -> HttpResponse:
    """End one session, or all but this one; they are over at their next request."""
    user, chosen = request.user, request.POST.get("session", "")
    if chosen == "others":
        ended = sessions.end_sessions(user=user, but=request.session.session_key)
        sessions.go_on(request, user)
    else:
        named = number_of("session", chosen)
        ended = int(named is not None and sessions.end_session(user=user, pk=named))
    log_event("sessions ended", request=request, user=user, count=ended)
    if ended:
        messages.success(request, ngettext("La session est fermée.", "Les sessions sont fermées.", ended))
    else:
        messages.info(request, _("Cette session était déjà fermée."))
    return redirect("account_security")


@while_setting_up
@account_page
@require_POST
def notices(request: AccountRequest) -> HttpResponse:
    """Whether sign-ins from new devices are told by e-mail."""
    wanted = request.POST.get("tell") == "yes"
    sign_ins.set_notices(user=request.user, wanted=wanted)
    messages.success(
        request,
        _("Vous serez averti des connexions depuis un nouvel appareil.")
        if wanted
        else _("Vous ne serez plus averti des connexions depuis un nouvel appareil."),
    )
    return redirect("account_security")
