"""The companies one acts for: which, as what, and for which of them from now on."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.organisations.handles import number_of
from gridgate.organisations.middleware import choose_membership
from gridgate.organisations.own_account import companies_of
from gridgate.organisations.queries import memberships_of
from gridgate.portal.access import AccountRequest, account_page


@require_http_methods(["GET", "HEAD", "POST"])
@account_page
def switch(request: AccountRequest) -> HttpResponse:
    """List them; `membership`, sent, is the one to act under from the next page on."""
    if request.method != "POST":
        return render(request, "account/companies.html", {"memberships": companies_of(user=request.user)})
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
