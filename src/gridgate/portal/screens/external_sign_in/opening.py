"""An account for somebody whom the provider vouches for, and who has none: opened when they say so."""

from dataclasses import dataclass
from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from gridgate.accounts.operations.external_accounts import (
    AccountClosed,
    LinkedElsewhere,
    link_external_account,
    open_external_account,
)
from gridgate.accounts.provider import provider_name
from gridgate.accounts.security.external_factor import Shown
from gridgate.onboarding.models import GeneralTerms
from gridgate.onboarding.operations.terms import TermsNotAccepted
from gridgate.onboarding.terms import terms_in_force
from gridgate.organisations.models import User
from gridgate.portal.kit.forms import LineField
from gridgate.portal.screens.activation.forms import TermsForm
from gridgate.portal.screens.external_sign_in.views import with_a_provider
from gridgate.portal.signing_in.external import (
    PENDING,
    Claims,
    Refusal,
    asks_own_factor,
    bring_factor,
    prove_then_link,
)


class OpeningForm(TermsForm):
    """The name that the account has, and the tick under the general terms."""

    full_name = LineField(
        label=gettext_lazy("Nom"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    field_order = ["full_name", "terms", "version"]


@dataclass(frozen=True, slots=True)
class Pending:
    """What the provider said, and the page that was asked for."""

    claims: Claims
    onwards: str


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_a_provider
def page(request: HttpRequest) -> HttpResponse:
    """Whose account is to be opened; then it is, and the person is signed in."""
    pending = _pending(request)
    if pending is None:
        return redirect("sign_in")
    claims, now = pending.claims, timezone.now()
    terms = terms_in_force(now=now)
    form = OpeningForm(request.POST or None, initial={"full_name": claims.name}, terms=terms)
    if request.method == "POST" and form.is_valid():
        # Opened meanwhile, by an invitation or in another tab.
        known = User.objects.filter(email__iexact=claims.email).first()
        try:
            if known is not None and asks_own_factor(known, claims):
                del request.session[PENDING]
                return prove_then_link(request, known, claims, onwards=pending.onwards)
            user = _account(known, claims, form.cleaned_data["full_name"], terms)
        except AccountClosed:
            return redirect("external_sign_in_refused", reason=Refusal.CLOSED)
        except LinkedElsewhere:
            return redirect("external_sign_in_refused", reason=Refusal.OTHER)
        except TermsNotAccepted:
            return redirect("external_sign_up")
        del request.session[PENDING]
        record_authentication(request, user, "socialaccount", provider=claims.issuer, uid=claims.subject)
        bring_factor(request, user, claims)
        login = Login(user=user, redirect_url=pending.onwards or None)
        response: HttpResponse = perform_login(request, login)
        return response
    context = {"form": form, "claims": claims, "provider": provider_name()}
    return render(request, "external_sign_in/opening.html", context)


def _pending(request: HttpRequest) -> Pending | None:
    kept: dict[str, Any] | None = request.session.get(PENDING)
    if (
        kept is None
        or kept["until"] < timezone.now().timestamp()
        or kept["claims"]["issuer"] != settings.ENVIRONMENT.oidc_issuer  # replaced meanwhile
    ):
        request.session.pop(PENDING, None)
        return None
    claims = kept["claims"]
    return Pending(Claims(**claims | {"second_factor": Shown(**claims["second_factor"])}), kept["next"])


def _account(known: User | None, claims: Claims, full_name: str, terms: GeneralTerms | None) -> User:
    now = timezone.now()
    if known is not None:
        link_external_account(user=known, issuer=claims.issuer, subject=claims.subject, now=now)
        return known
    return open_external_account(
        email=claims.email,
        full_name=full_name,
        language=claims.language or (get_language() or "fr")[:2],
        issuer=claims.issuer,
        subject=claims.subject,
        accepted_terms=terms,
        now=now,
    )
