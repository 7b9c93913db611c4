"""`/activation/<token>/`: what the link of an invitation opens.

Looking changes nothing, as programs that scan e-mails look at every link; the account opens, or the company is
joined, when the form is sent. Whoever has an account already proves it by signing in first.
"""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.accounts.middleware import choose_membership
from gridgate.onboarding.models import GeneralTerms, Invitation
from gridgate.onboarding.operations.joining import (
    AccountExists,
    LinkFault,
    UnusableLink,
    WrongAccount,
    accept_invitation,
    must_accept_terms,
    open_invitation,
)
from gridgate.onboarding.operations.terms import TermsNotAccepted
from gridgate.onboarding.terms import terms_in_force
from gridgate.organisations.models import User
from gridgate.organisations.operations.members import InvalidMember
from gridgate.portal.guards.terms import forget_terms_owed
from gridgate.portal.screens.activation.forms import ActivationForm, TermsForm
from gridgate.portal.screens.activation.links import secret_address

GONE = 410


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@secret_address
def activation(request: HttpRequest, token: str) -> HttpResponse:
    """The one page of the link: choose a password, join with the account one has, or why neither."""
    now = timezone.now()
    try:
        invitation = open_invitation(token, now)
    except UnusableLink as refusal:
        return _unusable(request, refusal)
    user = request.user
    if isinstance(user, User):
        if user.email.lower() != invitation.email:
            return _other_account(request, invitation)
        if invitation.organisation is None:
            return redirect("home")  # signed up, and signed in since
        return _join(request, invitation, user)
    known = User.objects.filter(email__iexact=invitation.email).first()
    if known is not None:
        return _sign_in_first(request, invitation, known)
    return _open_account(request, invitation)


def _open_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    now = timezone.now()
    terms = terms_in_force(now=now)
    person = User(email=invitation.email, full_name=invitation.full_name)
    form = ActivationForm(person, request.POST or None, terms=terms)
    if form.is_valid():
        password = form.cleaned_data["new_password1"]
        try:
            accepted = accept_invitation(
                invitation=invitation, password=password, accepted_terms=terms, now=now
            )
        except UnusableLink as refusal:
            return _unusable(request, refusal)
        except AccountExists:
            return redirect(request.path)
        except (InvalidMember, TermsNotAccepted) as error:  # what the form did not see: changed just now
            form.add_error(None, error.message)
        else:
            return _enter(request, accepted.user, accepted.membership)
    return render(request, "activation/open_account.html", _facts(invitation, form, terms))


def _join(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    now = timezone.now()
    terms = terms_in_force(now=now)
    if terms is not None and not must_accept_terms(invitation, user, terms):
        terms = None
    form = TermsForm(request.POST if request.method == "POST" else None, terms=terms)
    if form.is_valid():
        try:
            accepted = accept_invitation(invitation=invitation, user=user, accepted_terms=terms, now=now)
        except UnusableLink as refusal:
            return _unusable(request, refusal)
        except (TermsNotAccepted, WrongAccount):
            return redirect(request.path)
        if accepted.membership is not None:
            choose_membership(request, accepted.membership)
        forget_terms_owed(request)
        assert invitation.organisation is not None
        messages.success(
            request,
            _("Vous agissez maintenant pour %(company)s.") % {"company": invitation.organisation.legal_name},
        )
        return redirect("home")
    return render(request, "activation/join.html", _facts(invitation, form, terms))


def _enter(request: HttpRequest, user: User, membership: Any) -> HttpResponse:
    """Sign the new person in, for the company that invited them."""
    record_authentication(request, user, method="password", email=user.email)
    response: HttpResponse = perform_login(request, Login(user=user, redirect_url=reverse("home")))
    if membership is not None and request.user.is_authenticated:
        choose_membership(request, membership)
    messages.success(request, _("Votre compte est ouvert."))
    return response


def _sign_in_first(request: HttpRequest, invitation: Invitation, known: User) -> HttpResponse:
    context = _facts(invitation, None, None) | {
        "closed": not known.is_active,
        "sign_in": f"{reverse('sign_in')}?{urlencode({'next': request.path})}",
    }
    return render(request, "activation/sign_in_first.html", context)


def _other_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Somebody else is signed in here: nothing happens until they are not."""
    if request.method == "POST" and "sign_out" in request.POST:
        logout(request)
        return redirect(request.path)
    return render(request, "activation/other_account.html", _facts(invitation, None, None))


def _unusable(request: HttpRequest, refusal: UnusableLink) -> HttpResponse:
    invitation = refusal.invitation
    fault = refusal.fault
    context = {
        "fault": fault.value,
        "kind": invitation.kind if invitation is not None else "",
        "company": invitation.organisation if invitation is not None else None,
        "last_day": invitation.last_day if invitation is not None else None,
        "coming": invitation is not None
        and fault is LinkFault.EXPIRED
        and invitation.is_on_its_way(timezone.now()),
    }
    status = 404 if fault is LinkFault.UNKNOWN else GONE
    return render(request, "activation/unusable.html", context, status=status)


def _facts(invitation: Invitation, form: Any, terms: GeneralTerms | None) -> dict[str, Any]:
    return {
        "invitation": invitation,
        "company": invitation.organisation,
        "role": invitation.get_role_display(),
        "form": form,
        "terms": terms,
    }
