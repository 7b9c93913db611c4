"""How a person comes to act for a company: they are invited, or ask to join; and the general terms they accept."""

from gridgate.onboarding.models.invitations import (
    GeneralTerms,
    Invitation,
    InvitationQuerySet,
    InvitationState,
    TermsAcceptance,
)
from gridgate.onboarding.models.joining import JoinRequest, JoinRequestState

__all__ = [
    "GeneralTerms",
    "Invitation",
    "InvitationQuerySet",
    "InvitationState",
    "JoinRequest",
    "JoinRequestState",
    "TermsAcceptance",
]
