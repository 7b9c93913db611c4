"""Accounts and those of the OpenID Connect provider: linking the two, and opening one for somebody it vouches for.

A link is issuer and subject, which a provider never gives to another person; an address it may. No actor: whoever
calls has had the provider's word in this very request.
"""

from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.models import GeneralTerms, User
from gridgate.organisations.operations.members import create_user
from gridgate.organisations.operations.terms import TermsNotAccepted, accept_terms
from gridgate.organisations.terms import terms_in_force


class AccountClosed(GridgateError):
    """The account of this address was closed."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN, "this account is closed", remedy="Ask the network operator to open it again."
        )


class LinkedElsewhere(GridgateError):
    """Another subject of the same provider signs in with this account: the address was given to somebody else."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            "another person of the same provider signs in with this account",
            remedy="Ask the network operator which of the two it belongs to.",
        )


def link_external_account(*, user: User, issuer: str, subject: str, now: datetime) -> SocialAccount:
    """Let the person whom the provider calls `subject` sign in with this account. Twice is once.

    Raises `AccountClosed`, and `LinkedElsewhere`.
    """
    if not user.is_active:
        raise AccountClosed
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        links = SocialAccount.objects.filter(provider=issuer)
        known = links.filter(uid=subject).first()
        if known is not None and known.user_id == user.pk:
            return known
        if known is not None or links.filter(user=user).exists():
            raise LinkedElsewhere
        link = SocialAccount.objects.create(user=user, provider=issuer, uid=subject)
        record(
            "account.linked",
            subject=Subject("user", str(user.pk), user.email),
            organisation=None,
            user=user,
            after={"provider": issuer},
            now=now,
        )
    return link


def open_external_account(
    *,
    email: str,
    full_name: str,
    language: str,
    issuer: str,
    subject: str,
    accepted_terms: GeneralTerms | None = None,
    now: datetime,
) -> User:
    """Open an account for no company, for a person whose address the provider vouches for, and link it.

    Raises `InvalidMember`, `TermsNotAccepted`, and what `link_external_account` raises.
    """
    with transaction.atomic():
        user = create_user(email=email, full_name=full_name, password=None, language=language, now=now)
        record(
            "account.opened",
            subject=Subject("user", str(user.pk), user.email),
            organisation=None,
            user=user,
            after={"provider": issuer},
            now=now,
        )
        link_external_account(user=user, issuer=issuer, subject=subject, now=now)
        terms = terms_in_force(now=now)
        if terms is not None:
            if accepted_terms is None:
                raise TermsNotAccepted(terms)
            accept_terms(user=user, terms=accepted_terms, now=now)
    return user
