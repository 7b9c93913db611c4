"""Which general terms of use are in force, and who has yet to accept them."""

from datetime import datetime
from pathlib import Path

from django.db.models import QuerySet

from gridgate.onboarding.models import GeneralTerms, TermsAcceptance
from gridgate.organisations.models import User

_DEFAULT = Path(__file__).with_name("default_terms")


def terms_published(*, now: datetime) -> QuerySet[GeneralTerms]:
    """All versions up to now, the one in force first. Anyone may read them."""
    return GeneralTerms.objects.filter(published_at__lte=now).order_by("-published_at", "-pk")


def terms_in_force(*, now: datetime) -> GeneralTerms | None:
    """The version that people accept now; None until the operator has published one."""
    return terms_published(now=now).first()


def has_accepted(*, user: User, terms: GeneralTerms) -> bool:
    return TermsAcceptance.objects.filter(user=user, terms=terms).exists()


def terms_owed(*, user: User, now: datetime) -> GeneralTerms | None:
    """The version in force, when the person has yet to accept it. The operator's own staff is not asked: the terms
    are what it asks of others.
    """
    terms = terms_in_force(now=now)
    if terms is None or has_accepted(user=user, terms=terms):
        return None
    if user.memberships.present(now).filter(organisation__is_operator=True).exists():
        return None
    return terms


def default_text(language: str) -> str:
    """What a new instance publishes until the operator has its own."""
    return (_DEFAULT / f"{language}.txt").read_text(encoding="utf-8")
