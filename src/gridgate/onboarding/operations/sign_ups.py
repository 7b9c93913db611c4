"""Signing up by oneself: an account that acts for no company yet."""

from datetime import datetime

from django.db import transaction

from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.sending import InvitationOpen, person_invited, send_again, send_first


def sign_up(*, email: str, full_name: str, language: str = "fr", now: datetime) -> Invitation:
    """Send a link to somebody of no company, who opens an account for themselves; again, another link.

    The work is the same whether or not the address has an account: who reads its mail is told there.
    """
    email, full_name = person_invited(email, full_name, language)
    with transaction.atomic():
        invitation = _open_sign_up(email)
        if invitation is None:
            try:
                with transaction.atomic():
                    return send_first(
                        Invitation(
                            kind=Invitation.Kind.SIGN_UP, email=email, full_name=full_name, language=language
                        ),
                        groups=(),
                        actor=None,
                        now=now,
                    )
            except InvitationOpen as error:  # at the same moment, from elsewhere
                invitation = error.invitation
        invitation.full_name, invitation.language = full_name, language
        send_again(invitation, actor=None, now=now)
    return invitation


def _open_sign_up(email: str) -> Invitation | None:
    found = Invitation.objects.select_for_update().unclosed().filter(organisation=None, email=email)
    return found.first()
