"""Closing one's account for good: what goes, what stays and why, then the address typed to confirm."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.accounts.models import SensitiveAct
from gridgate.accounts.operations.own_account import delete_account
from gridgate.accounts.own_account import companies_left_without_administrator, requests_of
from gridgate.organisations.authority import LastAdministrator
from gridgate.organisations.queries import memberships_of
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.step_up import ask
from gridgate.portal.guards.terms import before_terms
from gridgate.portal.screens.account.forms import DeletionForm


@require_http_methods(["GET", "HEAD", "POST"])
@account_page
@before_terms
def page(request: AccountRequest) -> HttpResponse:
    """Refused, with the companies' names, while the person is somewhere the last administrator."""
    user = request.user
    alone = companies_left_without_administrator(user=user)
    form = DeletionForm(user, request.POST or None)
    if alone or not form.is_valid():
        context = {
            "form": form,
            "alone": alone,
            "memberships": memberships_of(user=user),
            "waiting": [asked for asked in requests_of(user=user) if asked.open],
        }
        return render(request, "account/deletion.html", context)
    asked = ask(request, SensitiveAct.ACCOUNT)
    if asked is not None:
        return asked
    email = user.email
    try:
        delete_account(user=user, now=timezone.now())
    except LastAdministrator:  # the other administrator left a moment ago
        return redirect("account_deletion")
    logout(request)
    messages.success(
        request, _("Votre compte est supprimé. Un e-mail le confirme à %(email)s.") % {"email": email}
    )
    return redirect("sign_in")
