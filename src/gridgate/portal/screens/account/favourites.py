"""Keeping a page at hand, and keeping it no longer."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gridgate.accounts.onwards import leads_here
from gridgate.accounts.operations.own_account import (
    MOST_FAVOURITES,
    TooManyFavourites,
    add_favourite,
    remove_favourite,
)
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.refusals.error_pages import bad_request
from gridgate.portal.shell.favourites import NotAPage, page_of


@require_POST
@account_page
def change(request: AccountRequest) -> HttpResponse:
    """`keep` is the signed page of a star, `drop` the address of a favourite; then back to where one was."""
    if "drop" in request.POST:
        return _drop(request, request.POST["drop"])
    try:
        path, title = page_of(request.POST.get("keep", ""), user=request.user, membership=request.membership)
    except NotAPage:
        return bad_request(request)
    try:
        add_favourite(
            user=request.user, membership=request.membership, path=path, label=title, now=timezone.now()
        )
    except TooManyFavourites:
        messages.error(
            request,
            _("Vous avez déjà %(most)s favoris. Retirez-en un depuis votre compte pour garder cette page.")
            % {"most": MOST_FAVOURITES},
        )
    else:
        messages.success(request, _("« %(title)s » est dans vos favoris.") % {"title": title})
    return redirect(path)


def _drop(request: AccountRequest, path: str) -> HttpResponse:
    remove_favourite(user=request.user, membership=request.membership, path=path)
    messages.success(request, _("Cette page n’est plus dans vos favoris."))
    back = request.POST.get("next", "")
    return HttpResponseRedirect(back) if leads_here(request, back) else redirect("account")
