"""Accounts and those of the OpenID Connect provider: linking the two, opening one for somebody it vouches for, and
ending a link.

A link is issuer and subject, which a provider never gives to another person; an address it may. No actor: whoever
links has had the provider's word in this very request, and a link is ended by the person whose it is.
"""

from datetime import datetime

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import Q

from gridgate.accounts.events import factors_changed
from gridgate.accounts.own_account import opens_without
from gridgate.accounts.security.sessions import end_sessions_by_provider
from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.onboarding.models import GeneralTerms
from gridgate.onboarding.operations.terms import TermsNotAccepted, accept_terms
from gridgate.onboarding.terms import terms_in_force
from gridgate.organisations.models import User
from gridgate.organisations.operations.members import create_user


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


class LinkNotFound(GridgateError):
    """The person has no such link."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such link")


class LastWayIn(GridgateError):
    """The account has neither a password nor a passkey: nothing would open it any more."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            "nothing else signs in to this account",
            remedy="Choose a password by “Forgotten password” first.",
        )


def is_linked(*, user: User, issuer: str, subject: str) -> bool:
    """Whether this person of the provider signs in with this account already. Raises what linking them would."""
    if not user.is_active:
        raise AccountClosed
    of_this_provider = SocialAccount.objects.filter(provider=issuer)
    if of_this_provider.filter(uid=subject, user=user).exists():
        return True
    if of_this_provider.filter(Q(uid=subject) | Q(user=user)).exists():
        raise LinkedElsewhere
    return False


def link_external_account(*, user: User, issuer: str, subject: str, now: datetime) -> SocialAccount:
    """Let the person whom the provider calls `subject` sign in with this account. Twice is once.

    Raises `AccountClosed`, and `LinkedElsewhere`.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if is_linked(user=user, issuer=issuer, subject=subject):
            return SocialAccount.objects.get(provider=issuer, uid=subject, user=user)
        link = _link(user, issuer, subject, now)
        factors_changed.send(SocialAccount, user=user, change="link_added", now=now)
    return link


def unlink_external_account(*, user: User, pk: int, session_key: str | None, now: datetime) -> int:
    """End a link, and the sessions that it opened but the one of this key; returns how many of them. The next sign-in
    with the provider makes the link anew, as the first one did.

    Raises `LinkNotFound`, for another person's too, and `LastWayIn`.
    """
    with transaction.atomic():
        held = User.objects.select_for_update().get(pk=user.pk)
        link = SocialAccount.objects.filter(user=held, pk=pk).first()
        if link is None:
            raise LinkNotFound
        if not opens_without(user=held, link_pk=pk):
            raise LastWayIn
        link.delete()
        ended = end_sessions_by_provider(user=held, issuer=link.provider, subject=link.uid, but=session_key)
        record(
            "account.unlinked",
            subject=Subject("user", str(held.pk), held.email),
            organisation=None,
            user=held,
            before={"provider": link.provider},
            now=now,
        )
        factors_changed.send(SocialAccount, user=held, change="link_removed", now=now)
    return ended


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

    Raises `InvalidMember`, `TermsNotAccepted`, and `LinkedElsewhere`.
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
        _link(user, issuer, subject, now)
        terms = terms_in_force(now=now)
        if terms is not None:
            if accepted_terms is None:
                raise TermsNotAccepted(terms)
            accept_terms(user=user, terms=accepted_terms, now=now)
    return user


def _link(user: User, issuer: str, subject: str, now: datetime) -> SocialAccount:
    of_this_provider = SocialAccount.objects.filter(provider=issuer)
    if of_this_provider.filter(Q(uid=subject) | Q(user=user)).exists():
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
