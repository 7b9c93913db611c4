"""General terms that the demo's people have accepted."""

from datetime import datetime

from gridgate.onboarding.operations.terms import accept_terms
from gridgate.onboarding.terms import terms_in_force
from gridgate.organisations.models import Membership


def accept_terms_in_force(member: Membership, now: datetime) -> None:
    """As when they opened the link of their invitation: the demo's people are not asked at their first sign-in."""
    terms = terms_in_force(now=now)
    if terms is not None:
        accept_terms(user=member.user, terms=terms, organisation=member.organisation, now=now)
