"""*Déclarer un premier administrateur*: whether it can be done, what is missing, and where the activation stands."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from gridgate.accounts.models import SensitiveAct
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.onboarding.operations.declarations import declaration_of
from gridgate.onboarding.operations.invitations import (
    cancel_invitation,
    declare_first_administrator,
    renew_invitation,
)
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit import formats
from gridgate.portal.screens.operator import refusals
from gridgate.portal.screens.operator.activation import activation
from gridgate.portal.screens.operator.forms import FirstAdministratorForm
from gridgate.portal.screens.operator.reads import company, declaration_numbered
from gridgate.portal.screens.sharing.moment import Moment


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def page(request: MemberRequest, siren: str) -> HttpResponse:
    """The conditions, each with how to meet it; then the form, once all are met."""
    actor, moment = request.membership, Moment.present()
    organisation = company(actor=actor, siren=siren)
    declaration = declaration_of(organisation=organisation, actor=actor, now=moment.now)
    form = FirstAdministratorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if (asked := ask(request, SensitiveAct.RIGHTS)) is not None:
            return asked
        try:
            invitation = declare_first_administrator(
                organisation=organisation, **form.cleaned_data, actor=actor, now=moment.now
            )
        except GridgateError as refused:
            if refused.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID):
                raise
            form.add_error(None, refusals.refusal(refused))
        else:
            text = _("Un lien d’activation est envoyé à %(email)s.")
            messages.success(request, text % {"email": invitation.email})
            return redirect("operator_company", organisation.siren)
    waiting = declaration.invitation
    context = {
        "company": organisation,
        "declaration": declaration,
        "activation": activation(waiting, moment.now) if waiting is not None else None,
        "can_declare": declaration.possible and not declaration.is_awaited(moment.now),
        "link_days": settings.ENVIRONMENT.first_administrator_link_days,
        "form": form,
    }
    return render(request, "operator/first_administrator.html", context, status=422 if form.errors else 200)


@require_POST
@operator_required
def follow(request: MemberRequest, siren: str, pk: int) -> HttpResponse:
    """Send the link again, or cancel the declaration."""
    actor, now = request.membership, Moment.present().now
    organisation = company(actor=actor, siren=siren)
    invitation = declaration_numbered(actor=actor, organisation=organisation, pk=pk)
    try:
        match request.POST.get("do"):
            case "renew":
                renew_invitation(invitation=invitation, actor=actor, now=now)
                text = _("Un nouveau lien est envoyé à %(email)s ; le précédent ne fonctionne plus.")
                messages.success(request, text % {"email": invitation.email})
            case "cancel":
                cancel_invitation(invitation=invitation, actor=actor, now=now)
                text = _("La déclaration de %(email)s est annulée : son lien ne fonctionne plus.")
                messages.success(request, formats.elided(text % {"email": invitation.email}))
    except GridgateError as refused:
        if refused.kind not in (ErrorKind.CONFLICT, ErrorKind.INVALID):
            raise
        messages.warning(request, refusals.refusal(refused))
    return redirect("operator_first_administrator", organisation.siren)
