"""*Codes de secours*: shown once, kept by the person, made anew on demand."""

import base64

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from gridgate.accounts.security import factors, sessions
from gridgate.accounts.security.log import log_event
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.second_factor import while_setting_up
from gridgate.portal.guards.step_up import own_security
from gridgate.portal.shell.context import operator_name


@while_setting_up
@account_page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@own_security
def page(request: AccountRequest) -> HttpResponse:
    """The codes the first time the page is read; later, how many are left, and a button for others."""
    user = request.user
    has = factors.factors_of(user=user)
    if not has.strong:
        messages.info(
            request, _("Les codes de secours viennent avec une application de codes ou une clé d’accès.")
        )
        return redirect("account_security")
    if request.method == "POST":
        factors.renew_recovery_codes(user=user, session_key=request.session.session_key, now=timezone.now())
        sessions.go_on(request, user)
        log_event("recovery codes renewed", request=request, user=user)
        return redirect("account_codes")
    codes = factors.read_recovery_codes_once(user=user) if request.method == "GET" else None
    context: dict[str, object] = {"has": has}
    if codes is not None:
        shown = [" ".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]
        context |= {"codes": shown, "file": _file(shown, user.email)}
    return render(request, "security/codes.html", context)


def _file(codes: list[str], email: str) -> str:
    """The codes as a text to keep, in the page itself: no other request ever gets them."""
    heading = _("Codes de secours, %(portal)s, %(email)s. Chacun sert une fois.") % {
        "portal": operator_name(),
        "email": email,
    }
    text = "\r\n".join([heading, "", *codes, ""])
    return "data:text/plain;charset=utf-8;base64," + base64.b64encode(text.encode()).decode()
