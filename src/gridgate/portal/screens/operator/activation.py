"""Where the activation of a first administrator stands, in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from gridgate.onboarding.models import Invitation, InvitationState
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Step, Tag


@dataclass(frozen=True, slots=True)
class Activation:
    """A declaration, its state, its life so far, and what can be done: send the link again, cancel it."""

    pk: int
    name: str
    email: str
    tag: Tag
    steps: list[Step]
    waiting: bool


def activation(invitation: Invitation, now: datetime) -> Activation:
    state = invitation.state(now)
    again = invitation.round > 1
    steps = [Step(_("Déclaration"), _said(invitation), "done")]
    if again:
        note = _("le %(moment)s") % {"moment": formats.moment(invitation.sent_at)}
        steps.append(Step(_("Lien renvoyé (nº %(round)s)") % {"round": invitation.round}, note, "done"))
    match state:
        case InvitationState.PENDING:
            tag = Tag("warn", _("Lien renvoyé") if again else _("Lien envoyé"), "clock")
            note = _("valable jusqu’au %(moment)s") % {"moment": formats.moment(invitation.expires_at)}
            steps.append(Step(_("Activation attendue"), note, "current"))
        case InvitationState.EXPIRED:
            tag = Tag("bad", _("Lien expiré"), "alert")
            note = _("le %(moment)s") % {"moment": formats.moment(invitation.expires_at)}
            steps.append(Step(_("Lien expiré"), note, "done"))
            steps.append(Step(*_next(invitation, now), "current"))
        case InvitationState.ACCEPTED:
            tag = Tag("good", _("Acceptée"), "check")
            note = _("le %(moment)s") % {"moment": formats.moment(invitation.accepted_at)}
            steps.append(Step(_("Compte activé"), note, "done"))
        case InvitationState.CANCELLED:
            tag = Tag("", _("Annulée"), "minus")
            note = _("le %(moment)s") % {"moment": formats.moment(invitation.cancelled_at)}
            steps.append(Step(_("Déclaration annulée"), note, "done"))
    waiting = state in (InvitationState.PENDING, InvitationState.EXPIRED)
    return Activation(invitation.pk, invitation.full_name, invitation.email, tag, steps, waiting)


def _said(invitation: Invitation) -> str:
    at = formats.moment(invitation.created_at)
    by = invitation.invited_by
    return f"{at}, {by.user.full_name}" if by is not None else at


def _next(invitation: Invitation, now: datetime) -> tuple[str, str]:
    """What happens after an expiry: one more link by itself, or nothing until somebody sends it."""
    if invitation.is_on_its_way(now):
        return _("Un nouveau lien part de lui-même"), _("dans les minutes qui viennent")
    return _("Plus aucun lien ne part de lui-même"), _("renvoyez-le, ou déclarez une autre personne")
