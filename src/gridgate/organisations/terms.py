"""Which general terms of use are in force, and who has accepted them."""

from datetime import datetime

from django.db.models import QuerySet

from gridgate.organisations.models import GeneralTerms, TermsAcceptance, User


def terms_published(*, now: datetime) -> QuerySet[GeneralTerms]:
    """All versions up to now, the one in force first. Anyone may read them."""
    return GeneralTerms.objects.filter(published_at__lte=now).order_by("-published_at", "-pk")


def terms_in_force(*, now: datetime) -> GeneralTerms | None:
    """The version that people accept now; None until the operator has published one."""
    return terms_published(now=now).first()


def has_accepted(*, user: User, terms: GeneralTerms) -> bool:
    return TermsAcceptance.objects.filter(user=user, terms=terms).exists()
