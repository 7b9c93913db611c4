"""*Confirmation*: the page that asks for a proof before a sensitive act."""

from datetime import datetime
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from gridgate.accounts.security import keys
from gridgate.accounts.security.factors import factors_of
from gridgate.accounts.security.step_up import Refusal, live_code, next_code_at
from gridgate.portal.guards import step_up
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.second_factor import while_proving
from gridgate.portal.guards.terms import before_terms
from gridgate.portal.screens.security.forms import ProofForm


@before_terms
@while_proving
@account_page
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: AccountRequest) -> HttpResponse:
    """Ask; send another code; take the proof of whoever comes back to look. A kept form brings its proof itself."""
    waiting = step_up.pending(request)
    if waiting is None:
        return redirect("home")
    if request.method != "POST":
        return _show(request, waiting)
    if "send" in request.POST and not waiting.by_factor:
        step_up.send_code(request, request.user, waiting)
    elif step_up.brings_proof(request) and not waiting.is_form and _is_proved(request, waiting):
        return redirect(waiting.path)
    return redirect("step_up")


def _is_proved(request: AccountRequest, waiting: step_up.Pending) -> bool:
    proved = step_up.attempt(request, request.user, waiting)
    if proved and waiting.files:
        messages.info(request, _("C’est confirmé. Joignez de nouveau vos documents, puis envoyez."))
    return proved


def _show(request: AccountRequest, waiting: step_up.Pending) -> HttpResponse:
    now = timezone.now()
    has = factors_of(user=request.user)
    by_email = live_code(waiting.code, now=now) is not None
    again_at = None if waiting.by_factor else next_code_at(user=request.user, now=now)
    refusal = _words(waiting.refusal, again_at, now)
    context: dict[str, Any] = {
        "waiting": waiting,
        "refusal": refusal,
        "form": ProofForm(refusal=refusal, by_email=by_email, by_totp=has.totp is not None),
        "by_email": by_email,
        "asks_code": by_email or has.strong,
        "minutes": settings.ENVIRONMENT.step_up_minutes,
        "address": _masked(request.user.email),
        "has": has,
        "may_send": not waiting.by_factor and again_at is None,
        "wait": _wait(again_at, now),
    }
    if has.keys and keys.are_possible(request):
        context["options"] = keys.sign_in_options(request.user)
    if waiting.refusal:
        waiting.refusal = ""
        step_up.keep(request, waiting)
    return render(request, "security/step_up.html", context)


def _words(refusal: str, again_at: datetime | None, now: datetime) -> str:
    if refusal == Refusal.WRONG:
        return _("Ce n’est pas le bon code.")
    if refusal == Refusal.OVER:
        if again_at is None:
            return _("Ce code ne sert plus. Demandez-en un autre.")
        return _("Ce code ne sert plus. Vous pourrez en demander un autre dans %(wait)s.") % {
            "wait": _wait(again_at, now)
        }
    if refusal == Refusal.TOO_MANY:
        return _("Trop d’essais. Revenez dans quelques minutes.")
    return ""


def _wait(until: datetime | None, now: datetime) -> str:
    if until is None:
        return ""
    seconds = ceil((until - now).total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"


def _masked(email: str) -> str:
    """`a•••e@acme.example`: enough to know which mailbox, little for whoever looks over a shoulder."""
    name, _at, host = email.partition("@")
    return f"{name[:1]}•••{name[-1:]}@{host}"
