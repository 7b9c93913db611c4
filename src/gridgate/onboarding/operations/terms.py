"""The general terms of use: publishing a version, and recording who accepted it."""

from datetime import datetime

from django.db import transaction

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.onboarding.models import GeneralTerms, TermsAcceptance
from gridgate.onboarding.terms import terms_in_force
from gridgate.organisations.authority import require_operator_administrator
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.organisations.queries import operator

LONGEST_VERSION = 20


class InvalidTerms(GridgateError):
    """The version or the text of general terms will not do."""

    def __init__(self, message: str, *, remedy: str = "", where: str) -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy, where=where)


class TermsNotAccepted(GridgateError):
    """The general terms in force were not accepted; perhaps an earlier version was."""

    def __init__(self, terms: GeneralTerms) -> None:
        self.terms = terms
        super().__init__(
            ErrorKind.INVALID,
            f"version {terms.version} of the general terms is not accepted",
            remedy="Read and accept it.",
        )


def publish_terms(
    *, version: str, text_fr: str, text_en: str = "", actor: Membership | None = None, now: datetime
) -> GeneralTerms:
    """Put a version in force from now on: whoever accepted an earlier one is asked again at their next visit.

    Raises `NotAllowed`, and `InvalidTerms` for a version already published or a text that is missing.
    """
    require_operator_administrator(actor)
    version, text_fr, text_en = version.strip(), text_fr.strip(), text_en.strip()
    if not version or len(version) > LONGEST_VERSION:
        raise InvalidTerms(f"a version has 1 to {LONGEST_VERSION} characters", where="version")
    if not text_fr:
        raise InvalidTerms("the French text is missing", where="text_fr")
    with transaction.atomic():
        if GeneralTerms.objects.filter(version=version).exists():
            raise InvalidTerms(
                f"version {version} is already published",
                remedy="Published terms never change: give the new text a new version.",
                where="version",
            )
        before = terms_in_force(now=now)
        terms = GeneralTerms.objects.create(
            version=version, text_fr=text_fr, text_en=text_en, published_at=now
        )
        company = operator()
        record(
            "terms.published",
            subject=Subject("terms", str(terms.pk), version),
            organisation=company.pk if company is not None else None,
            actor=actor,
            before={"version": before.version} if before is not None else {},
            after={"version": version},
            now=now,
        )
    return terms


def accept_terms(
    *, user: User, terms: GeneralTerms, organisation: Organisation | None = None, now: datetime
) -> TermsAcceptance:
    """Record that the person accepts the version in force, and for which company. Twice is once.

    Raises `TermsNotAccepted` when another version is in force by now.
    """
    with transaction.atomic():
        current = terms_in_force(now=now)
        if current is not None and current.pk != terms.pk:
            raise TermsNotAccepted(current)
        User.objects.select_for_update().get(pk=user.pk)
        known = TermsAcceptance.objects.filter(user=user, terms=terms, organisation=organisation).first()
        if known is not None:
            return known
        acceptance = TermsAcceptance.objects.create(
            user=user, terms=terms, organisation=organisation, accepted_at=now
        )
        record(
            "terms.accepted",
            subject=Subject("terms", str(terms.pk), terms.version),
            organisation=organisation.pk if organisation is not None else None,
            user=user,
            after={"version": terms.version},
            now=now,
        )
    return acceptance
