"""Activation links by e-mail: the letter of each kind of invitation, and the link put in when it leaves."""

from datetime import datetime

from django.utils import timezone

from gridgate.notifications import letters
from gridgate.notifications.links import link_to
from gridgate.onboarding import events, links
from gridgate.onboarding.models import Invitation, InvitationState
from gridgate.organisations.models import User

KIND = "activation"

_LETTERS = {
    Invitation.Kind.FIRST_ADMINISTRATOR: "first_administrator",
    Invitation.Kind.MEMBER: "invitation",
    Invitation.Kind.SIGN_UP: "sign_up",
}


def invitation_sent(*, invitation: Invitation, now: datetime, **_: object) -> None:
    """Queue the letter of the link's round. Whoever signs up with an address that has an account is told so there,
    and nowhere else: the same work, another letter.
    """
    letter, language = _LETTERS[Invitation.Kind(invitation.kind)], invitation.language
    secret = f"{KIND}:{invitation.pk}-{invitation.round}"
    if invitation.kind == Invitation.Kind.SIGN_UP:
        known = User.objects.filter(email__iexact=invitation.email).first()
        if known is not None:
            letter, language, secret = "account_exists", known.language, ""
    inviter = invitation.invited_by
    zone = timezone.get_default_timezone()
    with timezone.override(zone):  # the network's, whatever the zone of whoever invites
        letters.write(
            letter,
            key=f"{invitation.pk}:{invitation.round}",
            email=invitation.email,
            language=language,
            facts={
                "company": invitation.organisation,
                "inviter": inviter.user if inviter is not None else None,
                "role": invitation.role,
                "last_day": invitation.last_day,
                "again": invitation.round > 1,
                "expires_at": invitation.good_until,
                "zone": str(zone).rpartition("/")[2].replace("_", " "),
            },
            secret=secret,
            now=now,
        )


@letters.secret(KIND)
def link(name: str) -> str | None:
    """The address to open, of `<invitation>-<round>`; None when another was sent since, or none is good any more."""
    number, _, sent = name.partition("-")
    invitation = Invitation.objects.filter(pk=int(number), round=int(sent)).first()
    now = timezone.now()
    if (
        invitation is None
        or invitation.state(now) is not InvitationState.PENDING
        or invitation.has_lapsed(now)
    ):
        return None
    return link_to("invitation", links.token_of(invitation))


def connect() -> None:
    """Listen to organisations."""
    events.invitation_sent.connect(invitation_sent)
