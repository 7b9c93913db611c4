"""*Connexion par un fournisseur d’identité*: ending the link with one's account there."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from gridgate.accounts.operations.external_accounts import LastWayIn, unlink_external_account
from gridgate.accounts.own_account import external_links_of, opens_without
from gridgate.accounts.security.log import log_event
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.second_factor import while_setting_up
from gridgate.portal.guards.step_up import own_security


@while_setting_up
@account_page
@require_http_methods(["GET", "HEAD", "POST"])
@own_security
def page(request: AccountRequest, pk: int) -> HttpResponse:
    """What ending it does, or why it cannot be ended yet; then ending it, and the sessions that it opened elsewhere."""
    user = request.user
    link = next((one for one in external_links_of(user=user) if one.pk == pk), None)
    if link is None:
        raise Http404("not a link of this person")
    if request.method != "POST":
        may_end = opens_without(user=user, link_pk=pk)
        return render(request, "security/external.html", {"link": link, "may_end": may_end})
    try:
        ended = unlink_external_account(
            user=user, pk=pk, session_key=request.session.session_key, now=timezone.now()
        )
    except LastWayIn:  # the page says why, and what to do first
        return redirect("account_external", pk)
    log_event("external account unlinked", request=request, user=user, provider=link.name, sessions=ended)
    messages.success(request, _("Votre compte n’est plus relié à %(name)s.") % {"name": link.name})
    return redirect("account_security")
