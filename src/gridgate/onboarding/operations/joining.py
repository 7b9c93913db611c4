"""What a link does: it is opened, looked at, and used once, with an account of one's own or a new one."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.onboarding import links
from gridgate.onboarding.models import GeneralTerms, Invitation, InvitationState
from gridgate.onboarding.operations.invitation_steps import record_step
from gridgate.onboarding.operations.terms import TermsNotAccepted, accept_terms
from gridgate.onboarding.terms import has_accepted, terms_in_force
from gridgate.organisations.models import Membership, User
from gridgate.organisations.operations.members import (
    Hashed,
    add_member,
    create_user,
    end_lapsed,
    hash_password,
    update_member,
)


class LinkFault(StrEnum):
    """Why a link opens nothing."""

    UNKNOWN = "unknown"
    """This instance did not make it, or what it names is gone."""
    SUPERSEDED = "superseded"
    """Another was sent since."""
    EXPIRED = "expired"
    LAPSED = "lapsed"
    """The link is good, but the last day on which the person would have acted for the company is over."""
    USED = "used"
    CANCELLED = "cancelled"


class UnusableLink(GridgateError):
    """The link opens nothing. `invitation` is what it named, when it is genuine."""

    def __init__(self, fault: LinkFault, invitation: Invitation | None = None) -> None:
        self.fault = fault
        self.invitation = invitation
        super().__init__(ErrorKind.NOT_FOUND, f"the link is {fault}")


class AccountExists(GridgateError):
    """The address has an account by now: whoever it is signs in first."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT, "there is already an account for this address", remedy="Sign in with it."
        )


class WrongAccount(GridgateError):
    """The invitation is for another address than the account's, or the account is closed."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            "the invitation is for another account",
            remedy="Sign in with the one invited.",
        )


class Accepted(NamedTuple):
    """What accepting made: the account, new or not, and what it does for the company (None after a sign-up)."""

    user: User
    membership: Membership | None


def open_invitation(token: str, now: datetime) -> Invitation:
    """What the link is for, changing nothing: programs that scan e-mails open links too. Raises `UnusableLink`."""
    named = links.read_token(token)
    if named is None:
        raise UnusableLink(LinkFault.UNKNOWN)
    rows = Invitation.objects.select_related("organisation").annotate(left=Exists(_left(now)))
    invitation = rows.filter(pk=named.invitation).first()
    if invitation is None:
        raise UnusableLink(LinkFault.UNKNOWN)
    _require_usable(invitation, named.round, now)
    if vars(invitation)["left"]:
        raise UnusableLink(LinkFault.CANCELLED, invitation)
    return invitation


def _left(now: datetime) -> QuerySet[Membership]:
    """Of who is invited, what ended by its date and is not written: writing it cancels what was sent before."""
    ended = Membership.objects.lapsed(now).annotate(address=Lower("user__email"))
    return ended.filter(organisation=OuterRef("organisation"), address=OuterRef("email"))


def accept_invitation(
    *,
    invitation: Invitation,
    password: str | None = None,
    user: User | None = None,
    accepted_terms: GeneralTerms | None = None,
    now: datetime,
) -> Accepted:
    """Open an account with this password or, for `user` who proved to be signed in, join the company with theirs.

    The link is used up: of two at once, one makes the account and the other raises `UnusableLink`. Also raises
    `InvalidMember` for a password that will not do, `TermsNotAccepted`, `AccountExists` and `WrongAccount`.
    """
    if (password is None) == (user is None):
        raise ValueError("a password for a new account, or the account that joins")
    sent = invitation.round
    kept = None if password is None else _hashed(invitation, password)
    with transaction.atomic():
        if invitation.organisation is not None:
            of_theirs = invitation.organisation.memberships.filter(user__email__iexact=invitation.email)
            end_lapsed(of_theirs, now=now)
        invitation = (
            Invitation.objects.select_for_update(of=("self",))
            .select_related("organisation")
            .get(pk=invitation.pk)
        )
        _require_usable(invitation, sent, now)
        person = _new_person(invitation, kept, now) if user is None else _known_person(invitation, user)
        invitation.accepted_at = now
        invitation.save(update_fields=["accepted_at"])  # first: joining cancels those that are open
        membership = _join(invitation, person, now)
        _accept_terms(invitation, person, accepted_terms, now)
        invitation.membership = membership
        invitation.save(update_fields=["membership"])
        record_step("invitation.accepted", invitation, user=person, now=now)
    return Accepted(person, membership)


def must_accept_terms(invitation: Invitation, person: User | None, terms: GeneralTerms) -> bool:
    """A first administrator accepts them for the company; others once, whatever companies they join."""
    if person is None or invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        return True
    return not has_accepted(user=person, terms=terms)


def _require_usable(invitation: Invitation, sent: int, now: datetime) -> None:
    state = invitation.state(now)
    fault = {
        InvitationState.ACCEPTED: LinkFault.USED,
        InvitationState.CANCELLED: LinkFault.CANCELLED,
    }.get(state)
    if fault is None and sent != invitation.round:
        fault = LinkFault.SUPERSEDED
    if fault is None and state is InvitationState.EXPIRED:
        fault = LinkFault.EXPIRED
    if fault is None and invitation.has_lapsed(now):
        fault = LinkFault.LAPSED
    if fault is not None:
        raise UnusableLink(fault, invitation)


def _hashed(invitation: Invitation, password: str) -> Hashed | None:
    """None when there is an account for the address."""
    if User.objects.filter(email__iexact=invitation.email).exists():
        return None
    return hash_password(password, email=invitation.email, full_name=invitation.full_name)


def _new_person(invitation: Invitation, password: Hashed | None, now: datetime) -> User:
    if password is None or User.objects.filter(email__iexact=invitation.email).exists():
        raise AccountExists
    try:
        with transaction.atomic():
            user = create_user(
                email=invitation.email,
                full_name=invitation.full_name,
                password=password,
                language=invitation.language,
                now=now,
            )
    except IntegrityError:  # by another link, at the same moment
        raise AccountExists from None
    return user


def _known_person(invitation: Invitation, user: User) -> User:
    if invitation.organisation is None:
        raise AccountExists
    person = User.objects.select_for_update().get(pk=user.pk)
    if not person.is_active or person.email.lower() != invitation.email:
        raise WrongAccount
    return person


def _join(invitation: Invitation, person: User, now: datetime) -> Membership | None:
    """Make the person a member. One who has become a member otherwise stays what they are, unless the operator
    declared them administrator.
    """
    company = invitation.organisation
    if company is None:
        return None
    known = person.memberships.present(now).filter(organisation=company).first()
    if known is None:
        return add_member(
            organisation=company,
            email=person.email,
            full_name=person.full_name,
            role=invitation.role,
            external=invitation.external,
            until=invitation.until,
            groups=invitation.groups.all(),
            by=person,
            now=now,
        )
    if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        update_member(
            membership=known,
            role=Membership.Role.ADMINISTRATOR,
            external=known.external,
            until=None,
            now=now,
        )
    return known


def _accept_terms(invitation: Invitation, person: User, accepted: GeneralTerms | None, now: datetime) -> None:
    """The version in force is accepted here, or was before by a person who only joins one more company."""
    current = terms_in_force(now=now)
    if current is None:
        return
    if accepted is not None:
        accept_terms(user=person, terms=accepted, organisation=invitation.organisation, now=now)
    elif must_accept_terms(invitation, person, current):
        raise TermsNotAccepted(current)
