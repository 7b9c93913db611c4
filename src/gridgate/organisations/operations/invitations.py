"""How an account comes into being: inviting, declaring a first administrator, signing up, and accepting.

Whoever invites does not learn whether the address has an account: nothing here looks before the link is opened by
whoever receives it. The state of an invitation is worked out from its instants (`Invitation.state`); each step is
an event of the company's audit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.timezone import get_default_timezone

from gridgate.audit.events import Subject, record
from gridgate.audit.models import AuditEvent
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_of
from gridgate.organisations import links
from gridgate.organisations.authority import (
    NotAllowed,
    require_administrator,
    require_operator,
    require_user_manager,
)
from gridgate.organisations.events import invitation_sent
from gridgate.organisations.models import (
    Contract,
    EicCode,
    EicType,
    GeneralTerms,
    Invitation,
    InvitationState,
    Membership,
    Organisation,
    User,
    UserGroup,
)
from gridgate.organisations.operations.members import (
    InvalidMember,
    MembershipExists,
    add_member,
    create_user,
    parse_email,
    set_role,
)
from gridgate.organisations.operations.terms import TermsNotAccepted, accept_terms
from gridgate.organisations.terms import has_accepted, terms_in_force

LANGUAGES = ("fr", "en")
LONGEST_NAME = 120
SUBJECT = "invitation"
"""What the audit calls them."""
_UNCLOSED = Q(accepted_at=None, cancelled_at=None)


class InvitationOpen(GridgateError):
    """The person is invited already, and has not answered; the link may have expired."""

    def __init__(self, invitation: Invitation) -> None:
        self.invitation = invitation
        super().__init__(
            ErrorKind.CONFLICT,
            f"{invitation.email} is already invited",
            remedy="Send the link again, or cancel the invitation first.",
        )


class InvitationClosed(GridgateError):
    """The invitation was accepted or cancelled: there is nothing to send again or to cancel."""

    def __init__(self, invitation: Invitation) -> None:
        self.invitation = invitation
        done = "accepted" if invitation.accepted_at is not None else "cancelled"
        super().__init__(ErrorKind.CONFLICT, f"the invitation of {invitation.email} was {done}")


class NotDeclarable(GridgateError):
    """The company lacks what a first administrator needs: a contract, an EIC code, or both."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message, remedy=remedy)


class NoContract(NotDeclarable):
    """No contract of the company is in force today."""


class NoEicCode(NotDeclarable):
    """The company has no active EIC code of type X of its own in the register."""


class NoContractNorEicCode(NoContract, NoEicCode):
    """Both are missing, and told together."""


class AlreadyAdministered(GridgateError):
    """The company has an administrator: whoever else is needed is invited by them."""

    def __init__(self, organisation: Organisation) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"{organisation.legal_name} has an administrator",
            remedy="Its administrators invite the others.",
        )


class LinkFault(StrEnum):
    """Why a link opens nothing."""

    UNKNOWN = "unknown"
    """This instance did not make it, or what it names is gone."""
    SUPERSEDED = "superseded"
    """Another was sent since."""
    EXPIRED = "expired"
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


@dataclass(frozen=True, slots=True)
class Declaration:
    """What declaring a first administrator needs, as it stands today."""

    contract: Contract | None
    eic_code: EicCode | None
    administered: bool
    invitation: Invitation | None
    """The first administrator declared who has not answered, whether or not the link has expired."""

    @property
    def possible(self) -> bool:
        return self.contract is not None and self.eic_code is not None and not self.administered

    def is_awaited(self, now: datetime) -> bool:
        """Whether somebody declared may still answer; until then nobody else is declared."""
        return self.invitation is not None and is_on_its_way(self.invitation, now)


def invite(
    *,
    organisation: Organisation,
    email: str,
    full_name: str,
    language: str = "fr",
    role: str = Membership.Role.USER,
    external: bool = False,
    groups: Iterable[UserGroup] = (),
    actor: Membership | None = None,
    now: datetime,
) -> Invitation:
    """Send a person the link with which they join the company, with an account of their own or a new one.

    Raises `NotAllowed`, `InvalidMember`, `MembershipExists` for a present member, and `InvitationOpen`.
    """
    _require_may_invite(actor, organisation, role)
    email, full_name = _person(email, full_name, language)
    if role not in Membership.Role.values:
        raise InvalidMember(f"no role {role!r}", remedy=f"Roles are {', '.join(Membership.Role.values)}.")
    groups = list(groups)
    if any(group.organisation_id != organisation.pk for group in groups):
        raise InvalidMember("a member belongs to groups of their own company")
    with transaction.atomic():
        _require_no_member(organisation, email)
        return _send_first(
            Invitation(
                kind=Invitation.Kind.MEMBER,
                organisation=organisation,
                email=email,
                full_name=full_name,
                language=language,
                role=role,
                external=external,
            ),
            groups=groups,
            actor=actor,
            now=now,
        )


def renew_invitation(*, invitation: Invitation, actor: Membership | None = None, now: datetime) -> Invitation:
    """Send another link, good for the whole time again; the earlier ones stop.

    Raises `NotAllowed`, `InvitationClosed`, `MembershipExists` when the person has become a member meanwhile, and
    for a first administrator what `declare_first_administrator` raises.
    """
    _require_may_change(actor, invitation)
    with transaction.atomic():
        invitation = _locked(invitation)
        if invitation.organisation is not None:
            if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
                _require_declarable(invitation.organisation, now)
            else:
                _require_no_member(invitation.organisation, invitation.email)
        if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
            again = timedelta(days=settings.ENVIRONMENT.first_administrator_resend_days)
            invitation.resend_until = now + _good_for(invitation) + again
        if actor is not None:
            invitation.invited_by = actor  # whom the letter names
        _send_again(invitation, actor=actor, now=now)
    return invitation


def cancel_invitation(*, invitation: Invitation, actor: Membership | None = None, now: datetime) -> None:
    """Stop the link at once. Twice is once. Raises `NotAllowed`, and `InvitationClosed` for one that was accepted."""
    _require_may_change(actor, invitation)
    with transaction.atomic():
        if Invitation.objects.filter(pk=invitation.pk, cancelled_at__isnull=False).exists():
            return
        _cancel(_locked(invitation), actor=actor, now=now)


def declaration_of(
    *, organisation: Organisation, actor: Membership | None = None, now: datetime
) -> Declaration:
    """Whether a first administrator can be declared for the company today, and what is missing."""
    require_operator(actor)
    today = civil_day_of(now, get_default_timezone())
    contracts = organisation.contracts.filter(Q(valid_to=None) | Q(valid_to__gt=today), valid_from__lte=today)
    administrators = organisation.memberships.filter(
        role=Membership.Role.ADMINISTRATOR, ended_at=None, user__is_active=True
    )
    return Declaration(
        contract=contracts.order_by("valid_from", "pk").first(),
        eic_code=organisation.eic_codes.filter(type=EicType.X, active=True).order_by("code").first(),
        administered=administrators.exists(),
        invitation=organisation.invitations.filter(_UNCLOSED, kind=Invitation.Kind.FIRST_ADMINISTRATOR)
        .order_by("pk")
        .last(),
    )


def declare_first_administrator(
    *,
    organisation: Organisation,
    email: str,
    full_name: str,
    language: str = "fr",
    actor: Membership | None = None,
    now: datetime,
) -> Invitation:
    """Send the person who will administer the company their link; from then on it manages itself.

    When it expires unused, the worker sends one more. A declaration that nobody answered is replaced once no link
    will be sent any more. Raises `NotAllowed`, `InvalidMember`, `NoContract`, `NoEicCode` (one exception that is
    both when both are missing), `AlreadyAdministered`, and `InvitationOpen`.
    """
    require_operator(actor)
    email, full_name = _person(email, full_name, language)
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation.pk)  # one declaration at a time
        _require_declarable(organisation, now)
        first = Q(kind=Invitation.Kind.FIRST_ADMINISTRATOR)
        for earlier in organisation.invitations.filter(_UNCLOSED, first | Q(email=email)).order_by("pk"):
            if earlier.kind == Invitation.Kind.FIRST_ADMINISTRATOR and is_on_its_way(earlier, now):
                raise InvitationOpen(earlier)
            _cancel(earlier, actor=actor, now=now)
        invitation = Invitation(
            kind=Invitation.Kind.FIRST_ADMINISTRATOR,
            organisation=organisation,
            email=email,
            full_name=full_name,
            language=language,
            role=Membership.Role.ADMINISTRATOR,
        )
        again = timedelta(days=settings.ENVIRONMENT.first_administrator_resend_days)
        invitation.resend_until = now + _good_for(invitation) + again
        _record_declared(invitation, actor=actor, now=now)
        return _send_first(invitation, groups=(), actor=actor, now=now)


def sign_up(*, email: str, full_name: str, language: str = "fr", now: datetime) -> Invitation:
    """Send a link to somebody of no company, who opens an account for themselves; again, another link.

    The work is the same whether or not the address has an account: who reads its mail is told there.
    """
    email, full_name = _person(email, full_name, language)
    with transaction.atomic():
        invitation = _open_sign_up(email)
        if invitation is None:
            try:
                with transaction.atomic():
                    return _send_first(
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
        _send_again(invitation, actor=None, now=now)
    return invitation


def is_on_its_way(invitation: Invitation, now: datetime) -> bool:
    """True while the last link is good, or another will be sent by itself."""
    state = invitation.state(now)
    if state is InvitationState.PENDING:
        return True
    until = invitation.resend_until
    return state is InvitationState.EXPIRED and until is not None and now < until


def open_invitation(token: str, now: datetime) -> Invitation:
    """What the link is for, changing nothing: programs that scan e-mails open links too. Raises `UnusableLink`."""
    named = links.read_token(token)
    if named is None:
        raise UnusableLink(LinkFault.UNKNOWN)
    invitation = Invitation.objects.select_related("organisation").filter(pk=named.invitation).first()
    if invitation is None:
        raise UnusableLink(LinkFault.UNKNOWN)
    _require_usable(invitation, named.round, now)
    return invitation


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
    with transaction.atomic():
        invitation = (
            Invitation.objects.select_for_update(of=("self",))
            .select_related("organisation")
            .get(pk=invitation.pk)
        )
        _require_usable(invitation, sent, now)
        person = _new_person(invitation, password, now) if user is None else _known_person(invitation, user)
        membership = _join(invitation, person, now)
        _accept_terms(invitation, person, accepted_terms, now)
        invitation.accepted_at, invitation.membership = now, membership
        invitation.save(update_fields=["accepted_at", "membership"])
        _record("invitation.accepted", invitation, user=person, now=now)
    return Accepted(person, membership)


def follow_up(*, invitation: Invitation, now: datetime) -> bool:
    """Write that a link has expired and, for a first administrator who has one more coming, send it.

    Returns whether one was sent. For the worker, which calls it once or more for each that has expired.
    """
    with transaction.atomic():
        locked = Invitation.objects.select_for_update(of=("self",)).select_related("organisation")
        invitation = locked.get(pk=invitation.pk)
        if invitation.state(now) is not InvitationState.EXPIRED:
            return False
        if not _told_expiry(invitation):
            _record("invitation.expired", invitation, after={"expired_at": _iso(invitation)}, now=now)
        resend = is_on_its_way(invitation, now)
        if invitation.resend_until is not None:
            invitation.resend_until = None
            invitation.save(update_fields=["resend_until"])
        if not resend or invitation.organisation is None:
            return False
        if not declaration_of(organisation=invitation.organisation, now=now).possible:
            return False
        _send_again(invitation, actor=None, now=now)
    return True


def _person(email: str, full_name: str, language: str) -> tuple[str, str]:
    email, full_name = parse_email(email), " ".join(full_name.split())
    if not full_name:
        raise InvalidMember("the name is missing")
    if len(full_name) > LONGEST_NAME:
        raise InvalidMember(f"the name has {len(full_name)} characters, {LONGEST_NAME} at most")
    if language not in LANGUAGES:
        raise InvalidMember(f"no language {language!r}", remedy=f"Languages are {', '.join(LANGUAGES)}.")
    return email, full_name


def _require_may_invite(actor: Membership | None, organisation: Organisation, role: str) -> None:
    require_user_manager(actor, organisation)
    if role == Membership.Role.ADMINISTRATOR:
        require_administrator(actor, organisation)


def _require_may_change(actor: Membership | None, invitation: Invitation) -> None:
    if actor is None:
        return
    if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        require_operator(actor)
    elif invitation.organisation is None:
        raise NotAllowed
    else:
        _require_may_invite(actor, invitation.organisation, invitation.role)


def _require_no_member(organisation: Organisation, email: str) -> None:
    if organisation.memberships.filter(ended_at=None, user__email__iexact=email).exists():
        raise MembershipExists(f"{email} is already a member of {organisation.legal_name}")


def _require_declarable(organisation: Organisation, now: datetime) -> None:
    found = declaration_of(organisation=organisation, now=now)
    if found.administered:
        raise AlreadyAdministered(organisation)
    name = organisation.legal_name
    contract = "Record its contract"
    code = "issue it a code of type X, or record the one another office issued"
    if found.contract is None and found.eic_code is None:
        raise NoContractNorEicCode(
            f"{name} has no contract in force today and no active EIC code of type X",
            remedy=f"{contract}, and {code}.",
        )
    if found.contract is None:
        raise NoContract(f"{name} has no contract in force today", remedy=f"{contract}.")
    if found.eic_code is None:
        raise NoEicCode(f"{name} has no active EIC code of type X", remedy=f"{code[0].upper()}{code[1:]}.")


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
    if fault is not None:
        raise UnusableLink(fault, invitation)


def _open_sign_up(email: str) -> Invitation | None:
    found = Invitation.objects.select_for_update().filter(_UNCLOSED, organisation=None, email=email)
    return found.first()


def _locked(invitation: Invitation) -> Invitation:
    """The row as it stands, until the transaction ends. Raises `InvitationClosed`."""
    locked = Invitation.objects.select_for_update(of=("self",)).select_related("organisation")
    found = locked.get(pk=invitation.pk)
    if found.accepted_at is not None or found.cancelled_at is not None:
        raise InvitationClosed(found)
    return found


def _good_for(invitation: Invitation) -> timedelta:
    environment = settings.ENVIRONMENT
    if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        return timedelta(days=environment.first_administrator_link_days)
    if invitation.kind == Invitation.Kind.SIGN_UP:
        return timedelta(hours=environment.sign_up_link_hours)
    return timedelta(days=environment.user_link_days)


def _send_first(
    invitation: Invitation, *, groups: Iterable[UserGroup], actor: Membership | None, now: datetime
) -> Invitation:
    invitation.invited_by, invitation.created_at, invitation.sent_at = actor, now, now
    invitation.expires_at = now + _good_for(invitation)
    groups = list(groups)
    try:
        with transaction.atomic():
            invitation.save(force_insert=True)
    except IntegrityError:
        unclosed = Invitation.objects.filter(
            _UNCLOSED, organisation=invitation.organisation, email=invitation.email
        )
        raise InvitationOpen(unclosed.get()) from None
    invitation.groups.set(groups)
    _record(
        "invitation.sent",
        invitation,
        actor=actor,
        after={
            "role": str(invitation.role),
            "external": invitation.external,
            "groups": sorted(group.name for group in groups),
            "expires_at": _iso(invitation),
        },
        now=now,
    )
    invitation_sent.send(Invitation, invitation=invitation, now=now)
    return invitation


def _send_again(invitation: Invitation, *, actor: Membership | None, now: datetime) -> None:
    before = {"expires_at": _iso(invitation)}
    invitation.round += 1
    invitation.sent_at, invitation.expires_at = now, now + _good_for(invitation)
    invitation.save()
    _record(
        "invitation.resent",
        invitation,
        actor=actor,
        before=before,
        after={"expires_at": _iso(invitation)},
        now=now,
    )
    invitation_sent.send(Invitation, invitation=invitation, now=now)


def _cancel(invitation: Invitation, *, actor: Membership | None, now: datetime) -> None:
    invitation.cancelled_at = now
    invitation.save(update_fields=["cancelled_at"])
    _record("invitation.cancelled", invitation, actor=actor, now=now)


def _new_person(invitation: Invitation, password: str | None, now: datetime) -> User:
    if User.objects.filter(email__iexact=invitation.email).exists():
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
    known = person.memberships.filter(organisation=company, ended_at=None).first()
    if known is None:
        return add_member(
            organisation=company,
            email=person.email,
            full_name=person.full_name,
            role=invitation.role,
            external=invitation.external,
            groups=invitation.groups.all(),
            now=now,
        )
    if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        set_role(membership=known, role=Membership.Role.ADMINISTRATOR, now=now)
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


def must_accept_terms(invitation: Invitation, person: User | None, terms: GeneralTerms) -> bool:
    """A first administrator accepts them for the company; others once, whatever companies they join."""
    if person is None or invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
        return True
    return not has_accepted(user=person, terms=terms)


def _told_expiry(invitation: Invitation) -> bool:
    events = AuditEvent.objects.filter(
        organisation=invitation.organisation_id,
        subject_kind=SUBJECT,
        subject=str(invitation.pk),
        action="invitation.expired",
        at__gte=invitation.expires_at,
    )
    return events.exists()


def _record_declared(invitation: Invitation, *, actor: Membership | None, now: datetime) -> None:
    company = invitation.organisation
    assert company is not None
    record(
        "first_administrator.declared",
        subject=Subject("company", str(company.pk), company.legal_name),
        organisation=company.pk,
        actor=actor,
        after={"email": invitation.email, "name": invitation.full_name},
        now=now,
    )


def _record(
    action: str,
    invitation: Invitation,
    *,
    actor: Membership | None = None,
    user: User | None = None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    now: datetime,
) -> None:
    """Write a step to the company's audit. Sign-ups are nobody's to follow: only the account they open is written."""
    if invitation.organisation_id is None and user is None:
        return
    record(
        action,
        subject=Subject(SUBJECT, str(invitation.pk), invitation.email),
        organisation=invitation.organisation_id,
        actor=actor,
        user=user,
        before=before,
        after=after,
        now=now,
    )


def _iso(invitation: Invitation) -> str:
    return invitation.expires_at.isoformat()
