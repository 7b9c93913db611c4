"""Your account: name, language, time zone, password; the way to the rest."""

from copy import copy
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from gridgate.accounts.operations.own_account import update_profile
from gridgate.accounts.own_account import favourites_of
from gridgate.accounts.security.guesses import password_change_attempt
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.refusals.waits import tell_wait, too_often
from gridgate.portal.screens.account import companies, mails
from gridgate.portal.screens.account.forms import ChangedPasswordForm, ProfileForm
from gridgate.portal.shell.favourites import lines_of
from gridgate.portal.shell.language import PREFERENCE


@require_http_methods(["GET", "HEAD", "POST"])
@account_page
def page(request: AccountRequest) -> HttpResponse:
    """Name, language and time zone; what is kept at hand; links to the rest."""
    # A form writes what is typed into its instance; the header must show what is saved.
    form = ProfileForm(request.POST or None, instance=copy(request.user))
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/account.html", {"form": form, **_own(request)})
    said, language = form.cleaned_data, form.cleaned_data["language"]
    update_profile(
        user=request.user, full_name=said["full_name"], language=language, time_zone=said["time_zone"]
    )
    request.session[PREFERENCE] = language
    with translation.override(language):
        messages.success(request, _("Votre compte est à jour."))
    response = redirect("account")
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, samesite="Lax", secure=request.is_secure())
    return response


def _own(request: AccountRequest) -> dict[str, Any]:
    kept = favourites_of(user=request.user, membership=request.membership)
    return {"favourites": lines_of(kept), "companies": companies.lines_of(request.user)}


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@account_page
def password(request: AccountRequest) -> HttpResponse:
    """Another password; every other session of the person ends."""
    user = request.user
    if request.method != "POST":
        return render(request, "account/password_change.html", {"form": ChangedPasswordForm(user)})
    # Counted before anything is looked at: an answer would tell whether a guess is right.
    attempt = password_change_attempt(request, user)
    if not attempt.allowed:
        context = {"form": ChangedPasswordForm(user), "too_often": too_often(attempt)}
        return tell_wait(render(request, "account/password_change.html", context), attempt)
    form = ChangedPasswordForm(user, request.POST)
    if not form.is_valid():
        return render(request, "account/password_change.html", {"form": form})
    attempt.take_back()
    form.save()
    update_session_auth_hash(request, user)
    mails.tell_password_changed(user)
    messages.success(request, _("Votre mot de passe est changé. Vos autres sessions sont fermées."))
    return redirect("account")
