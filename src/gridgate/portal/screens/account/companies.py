"""The companies one acts for: which, as what, and for which of them from now on."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.accounts.middleware import choose_membership
from gridgate.accounts.own_account import companies_of
from gridgate.organisations.handles import number_of
from gridgate.organisations.models import User
from gridgate.organisations.queries import memberships_of
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.screens.company.terms import said


@require_http_methods(["GET", "HEAD", "POST"])
@account_page
def switch(request: AccountRequest) -> HttpResponse:
    """List them; `membership`, sent, is the one to act under from the next page on."""
    if request.method != "POST":
        return render(request, "account/companies.html", {"companies": lines_of(request.user)})
    named = number_of("member", request.POST.get("membership", ""))
    membership = memberships_of(user=request.user).filter(pk=named).first() if named is not None else None
    if membership is None:
        raise Http404("not a membership of this person")
    choose_membership(request, membership)
    request.session.save()  # at once: that it cannot be kept is told, and not the contrary
    messages.success(
        request,
        _("Vous agissez maintenant pour %(company)s.") % {"company": membership.organisation.legal_name},
    )
    return redirect("home")


def lines_of(user: User) -> list[dict[str, Any]]:
    """The companies the person acts for, each with the dates of their places in its groups."""
    now = timezone.now()
    return [
        {
            "membership": membership,
            "places": [
                {"group": place.group.name, "dates": said(place.term, now)}
                for place in vars(membership)["dated_places"]
            ],
        }
        for membership in companies_of(user=user)
    ]
