"""Inviting, and following who was invited."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gridgate.accounts.models import SensitiveAct
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.onboarding.models import Invitation, InvitationState
from gridgate.onboarding.operations.invitations import InvitationLapsed, cancel_invitation, renew_invitation
from gridgate.onboarding.operations.invitations import invite as send_invitation
from gridgate.onboarding.operations.join_requests import waiting_to_join
from gridgate.onboarding.operations.sending import InvitationOpen
from gridgate.onboarding.queries import in_state, invitation_of, invitations_of, invited_group_names
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.folding import named_like
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import InvalidMember, MembershipExists
from gridgate.organisations.queries import groups_of
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import filters_in_force
from gridgate.portal.screens.company.access import named
from gridgate.portal.screens.company.forms import InvitationFilterForm, InviteForm


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.USERS)
def invite(request: MemberRequest) -> HttpResponse:
    """Address, name, role, groups; what was typed stays when something is wrong with it."""
    actor, groups = request.membership, groups_of(actor=request.membership)
    if request.method != "POST":
        form = InviteForm(
            initial={"role": Membership.Role.USER, "language": actor.user.language},
            groups=groups,
            actor=actor,
        )
        return _invite_page(request, form)
    form = InviteForm(request.POST, groups=groups, actor=actor)
    if form.is_valid() and form.role_chosen == Membership.Role.ADMINISTRATOR:
        asked = ask(request, SensitiveAct.RIGHTS)
        if asked is not None:
            return asked
    sent = _send(actor, form) if form.is_valid() else None
    if sent is None:
        return _invite_page(request, form, status=422)
    said = _("L’invitation est partie à %(email)s. Son lien est valable jusqu’au %(day)s.")
    messages.success(request, said % {"email": sent.email, "day": formats.long_day(sent.good_until)})
    return redirect("company_invitations")


def _send(actor: Membership, form: InviteForm) -> Invitation | None:
    """None when it was refused: the form then says why, beside the address."""
    cleaned = form.cleaned_data
    try:
        return send_invitation(
            organisation=actor.organisation,
            email=cleaned["email"],
            full_name=cleaned["full_name"],
            language=cleaned["language"],
            role=form.role_chosen,
            external=form.is_external,
            until=form.until_chosen,
            groups=form.groups_chosen,
            actor=actor,
            now=timezone.now(),
        )
    except MembershipExists:
        form.add_error("email", _("Cette personne est déjà utilisateur de votre entreprise."))
    except InvitationOpen as error:
        text = _("Déjà invitée le %(day)s. Dans « Invitations », renouvelez son lien ou annulez-le.")
        form.add_error("email", text % {"day": formats.long_day(error.invitation.created_at)})
    except InvalidMember:
        form.add_error("email", _("Cette adresse ou ce nom ne convient pas."))
    return None


def _invite_page(request: MemberRequest, form: InviteForm, *, status: int = 200) -> HttpResponse:
    return render(request, "company/invite.html", {"form": form}, status=status)


@require_safe
@entitlement_required(EntitlementCode.USERS)
def index(request: MemberRequest) -> HttpResponse:
    """Pending, expired, accepted and cancelled, the latest first."""
    actor, now = request.membership, timezone.now()
    everything = invitations_of(actor=actor)
    form = InvitationFilterForm(request.GET)
    matching = everything.filter(named_like(form.text, "full_name", "email"))
    if form.state is not None:
        matching = in_state(matching, form.state, now=now)
    page = page_of(request, matching)
    invitations = list(page)
    groups = invited_group_names(actor=actor, invitations=[one.pk for one in invitations])
    context = {
        "form": form,
        "filters": filters_in_force(request, form.labels()),
        "total": everything.count(),
        "to_answer": waiting_to_join(actor=actor, now=now).count(),
        "page_obj": page,
        "rows": [_row(one, named(groups.get(one.pk, [])), actor, now) for one in invitations],
    }
    return render(request, "company/invitations.html", context)


def _row(invitation: Invitation, groups: str, actor: Membership, now: datetime) -> dict[str, Any]:
    state = invitation.state(now)
    return {
        "invitation": invitation,
        "name": invitation.full_name or invitation.email,
        "state": state.value,
        "administrator": invitation.role == Membership.Role.ADMINISTRATOR,
        "by_operator": invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR,
        "by": invitation.invited_by.user if invitation.invited_by else None,
        "groups": groups,
        "lapsed": invitation.has_lapsed(now),
        "open": state in (InvitationState.PENDING, InvitationState.EXPIRED)
        and _may_change(actor, invitation),
    }


def _may_change(actor: Membership, invitation: Invitation) -> bool:
    """A first administrator is the operator's to follow, an administrator the administrators'."""
    if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        return actor.organisation.is_operator
    return actor.is_administrator or invitation.role != Membership.Role.ADMINISTRATOR


@require_POST
@entitlement_required(EntitlementCode.USERS)
def renew(request: MemberRequest, pk: int) -> HttpResponse:
    """Send another link; the earlier ones stop."""
    actor, now = request.membership, timezone.now()
    invitation = invitation_of(actor=actor, pk=pk)
    try:
        sent = renew_invitation(invitation=invitation, actor=actor, now=now)
    except GridgateError as refused:
        return _refused(request, refused, invitation)
    text = _(
        "Un nouveau lien est parti à %(email)s, valable jusqu’au %(day)s. Le précédent n’ouvre plus rien."
    )
    messages.success(request, text % {"email": sent.email, "day": formats.long_day(sent.good_until)})
    return redirect("company_invitations")


@require_POST
@entitlement_required(EntitlementCode.USERS)
def cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """Stop the link at once."""
    actor, now = request.membership, timezone.now()
    invitation = invitation_of(actor=actor, pk=pk)
    try:
        cancel_invitation(invitation=invitation, actor=actor, now=now)
    except GridgateError as refused:
        return _refused(request, refused, invitation)
    text = _("L’invitation de %(email)s est annulée : son lien n’ouvre plus rien.")
    messages.success(request, formats.elided(text % {"email": invitation.email}))
    return redirect("company_invitations")


def _refused(request: MemberRequest, refused: GridgateError, invitation: Invitation) -> HttpResponse:
    """The invitation was answered, renewed or cancelled meanwhile: say so, and show where it stands."""
    if refused.kind is not ErrorKind.CONFLICT:
        raise refused
    if isinstance(refused, MembershipExists):
        text = _("%(email)s est déjà utilisateur de votre entreprise.")
    elif isinstance(refused, InvitationLapsed):
        text = _(
            "L’accès prévu pour %(email)s est arrivé à sa fin. Annulez l’invitation, puis invitez de nouveau "
            "avec une autre date."
        )
    else:
        text = _("L’invitation de %(email)s a déjà été acceptée ou annulée.")
    messages.info(request, formats.elided(text % {"email": invitation.email}))
    return redirect("company_invitations")
