"""Connecting the company's own directory: the address and a token to give it, which tokens are in use, revoking one."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from gridgate.directory.operations.tokens import TokenNameTaken, create_token, revoke_token
from gridgate.directory.queries import token_of, tokens_of
from gridgate.portal.guards.access import MemberRequest, administrator_required
from gridgate.portal.screens.directory.forms import TokenForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
@sensitive_variables("secret")
def index(request: MemberRequest) -> HttpResponse:
    """How to connect a directory, and its tokens. The answer that makes one is the only page that ever shows it."""
    actor = request.membership
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            token, secret = create_token(
                organisation=actor.organisation, name=name, actor=actor, now=timezone.now()
            )
        except TokenNameTaken:
            form.add_error("name", _("Un jeton en service porte déjà ce nom. Choisissez-en un autre."))
        else:
            context = {"token": token, "secret": secret, "base_url": _base_url()}
            return render(request, "directory/created.html", context)
    tokens = list(tokens_of(actor=actor))
    context = {
        "form": form,
        "base_url": _base_url(),
        "domains": actor.organisation.email_domains,
        "provider": settings.ENVIRONMENT.oidc_name if settings.ENVIRONMENT.oidc_issuer else "",
        "in_use": [token for token in tokens if token.revoked_at is None],
        "revoked": [token for token in tokens if token.revoked_at is not None],
    }
    return render(request, "directory/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    """What revoking a token ends and what it leaves; then it is refused from its next request on."""
    actor = request.membership
    token = token_of(actor=actor, pk=pk)
    if token.revoked_at is not None:
        return redirect("company_directory")
    if request.method != "POST":
        return render(request, "directory/revoke.html", {"token": token})
    revoke_token(token=token, actor=actor, now=timezone.now())
    messages.success(
        request,
        _("Le jeton « %(name)s » est révoqué : sa prochaine demande sera refusée.") % {"name": token.name},
    )
    return redirect("company_directory")


def _base_url() -> str:
    return f"{settings.BASE_URL}/scim/v2"
