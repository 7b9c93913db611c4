"""Your account: name, language, password, and the company you act for."""

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from gridgate.organisations.middleware import choose_membership
from gridgate.organisations.operations import update_profile
from gridgate.organisations.queries import memberships_of
from gridgate.portal.access import MemberRequest
from gridgate.portal.language import PREFERENCE
from gridgate.portal.screens.account import mails
from gridgate.portal.screens.account.forms import ChangedPasswordForm, ProfileForm


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: MemberRequest) -> HttpResponse:
    """Name and language; links to the rest."""
    user = request.membership.user
    form = ProfileForm(request.POST or None, instance=user)
    if request.method != "POST" or not form.is_valid():
        context = {"form": form, "memberships": memberships_of(user=user)}
        return render(request, "account/account.html", context)
    language = form.cleaned_data["language"]
    update_profile(user=user, full_name=form.cleaned_data["full_name"], language=language)
    request.session[PREFERENCE] = language
    with translation.override(language):
        messages.success(request, _("Votre compte est à jour."))
    response = redirect("account")
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, samesite="Lax", secure=request.is_secure())
    return response


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: MemberRequest) -> HttpResponse:
    """Another password; every other session of the person ends."""
    user = request.membership.user
    if request.method == "POST":
        too_many: HttpResponse | None = ratelimit.consume_or_429(request, action="change_password", user=user)
        if too_many is not None:
            return too_many
    form = ChangedPasswordForm(user, request.POST or None)
    if not form.is_valid():
        return render(request, "account/password_change.html", {"form": form})
    form.save()
    update_session_auth_hash(request, user)
    mails.tell_password_changed(user)
    messages.success(request, _("Votre mot de passe est changé. Vos autres sessions sont fermées."))
    return redirect("account")


@require_POST
def company(request: MemberRequest) -> HttpResponse:
    """Act for another of the companies one is a member of, from the next page on."""
    chosen = memberships_of(user=request.membership.user).filter(
        pk=_number(request.POST.get("membership", ""))
    )
    membership = chosen.first()
    if membership is None:
        raise Http404("not a membership of this person")
    choose_membership(request, membership)
    messages.success(
        request,
        _("Vous agissez maintenant pour %(company)s.") % {"company": membership.organisation.legal_name},
    )
    return redirect("home")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
