"""Invitations: to members and to first administrators, sending them again, cancelling them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from gridgate.audit.events import Subject, record
from gridgate.audit.models import AuditEvent
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.onboarding.models import Invitation, InvitationState
from gridgate.onboarding.operations.declarations import declaration_of, require_declarable
from gridgate.onboarding.operations.invitation_steps import SUBJECT, cancel, record_step
from gridgate.onboarding.operations.sending import (
    InvitationOpen,
    good_for,
    iso,
    person_invited,
    send_again,
    send_first,
)
from gridgate.organisations.authority import (
    NotAllowed,
    require_administrator,
    require_operator,
    require_user_manager,
)
from gridgate.organisations.models import Membership, Organisation, UserGroup
from gridgate.organisations.operations.members import (
    InvalidMember,
    end_lapsed,
    require_last_day,
    require_no_member,
)


class InvitationClosed(GridgateError):
    """The invitation was accepted or cancelled: there is nothing to send again or to cancel."""

    def __init__(self, invitation: Invitation) -> None:
        self.invitation = invitation
        done = "accepted" if invitation.accepted_at is not None else "cancelled"
        super().__init__(ErrorKind.CONFLICT, f"the invitation of {invitation.email} was {done}")


class InvitationLapsed(GridgateError):
    """The last day on which the person would have acted for the company is over: no link makes anything of it."""

    def __init__(self, invitation: Invitation) -> None:
        self.invitation = invitation
        super().__init__(
            ErrorKind.CONFLICT,
            f"the last day given to {invitation.email} is over",
            remedy="Cancel the invitation, and invite the person again with another date.",
        )


def invite(
    *,
    organisation: Organisation,
    email: str,
    full_name: str,
    language: str = "fr",
    role: str = Membership.Role.USER,
    external: bool = False,
    until: datetime | None = None,
    groups: Iterable[UserGroup] = (),
    actor: Membership | None = None,
    now: datetime,
) -> Invitation:
    """Send a person the link with which they join the company, with an account of their own or a new one.

    Raises `NotAllowed`, `InvalidMember`, `AdministratorUntil`, `LastDayPast`, `MembershipExists` for a present member,
    and `InvitationOpen`.
    """
    _require_may_invite(actor, organisation, role)
    email, full_name = person_invited(email, full_name, language)
    if role not in Membership.Role.values:
        raise InvalidMember(f"no role {role!r}", remedy=f"Roles are {', '.join(Membership.Role.values)}.")
    groups = list(groups)
    if any(group.organisation_id != organisation.pk for group in groups):
        raise InvalidMember("a member belongs to groups of their own company")
    require_last_day(until, role=role, now=now)
    with transaction.atomic():
        end_lapsed(organisation.memberships.filter(user__email__iexact=email), now=now)
        require_no_member(organisation=organisation, email=email, now=now)
        return send_first(
            Invitation(
                kind=Invitation.Kind.MEMBER,
                organisation=organisation,
                email=email,
                full_name=full_name,
                language=language,
                role=role,
                external=external,
                until=until,
            ),
            groups=groups,
            actor=actor,
            now=now,
        )


@dataclass(frozen=True, slots=True)
class Invitee:
    """One of many people to invite."""

    email: str
    full_name: str
    language: str = "fr"
    role: str = Membership.Role.USER
    external: bool = False
    until: datetime | None = None
    groups: tuple[UserGroup, ...] = ()


def invite_all(
    *, organisation: Organisation, people: Iterable[Invitee], actor: Membership | None = None, now: datetime
) -> list[Invitation]:
    """Invite all of them, or nobody. Raises what `invite` does for the first who cannot be."""
    with transaction.atomic():
        return [
            invite(
                organisation=organisation,
                email=person.email,
                full_name=person.full_name,
                language=person.language,
                role=person.role,
                external=person.external,
                until=person.until,
                groups=person.groups,
                actor=actor,
                now=now,
            )
            for person in people
        ]


def renew_invitation(*, invitation: Invitation, actor: Membership | None = None, now: datetime) -> Invitation:
    """Send another link, good for the whole time again; the earlier ones stop.

    Raises `NotAllowed`, `InvitationClosed`, `InvitationLapsed` once the person's last day is over, `MembershipExists`
    when they have become a member meanwhile, and for a first administrator what `declare_first_administrator` raises.
    """
    _require_may_change(actor, invitation)
    with transaction.atomic():
        invitation = _locked(invitation)
        if invitation.organisation is not None:
            if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
                require_declarable(invitation.organisation, now)
            else:
                if invitation.has_lapsed(now):
                    raise InvitationLapsed(invitation)
                require_no_member(organisation=invitation.organisation, email=invitation.email, now=now)
        if invitation.kind == Invitation.Kind.FIRST_ADMINISTRATOR:
            again = timedelta(days=settings.ENVIRONMENT.first_administrator_resend_days)
            invitation.resend_until = now + good_for(invitation) + again
        if actor is not None:
            invitation.invited_by = actor  # whom the letter names
        send_again(invitation, actor=actor, now=now)
    return invitation


def cancel_invitation(*, invitation: Invitation, actor: Membership | None = None, now: datetime) -> None:
    """Stop the link at once. Twice is once. Raises `NotAllowed`, and `InvitationClosed` for one that was accepted."""
    _require_may_change(actor, invitation)
    with transaction.atomic():
        if Invitation.objects.filter(pk=invitation.pk, cancelled_at__isnull=False).exists():
            return
        cancel(_locked(invitation), actor=actor, now=now)


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
    email, full_name = person_invited(email, full_name, language)
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=organisation.pk)  # one declaration at a time
        end_lapsed(organisation.memberships.filter(user__email__iexact=email), now=now)
        require_declarable(organisation, now)
        first = Q(kind=Invitation.Kind.FIRST_ADMINISTRATOR)
        for earlier in organisation.invitations.unclosed().filter(first | Q(email=email)).order_by("pk"):
            if earlier.kind == Invitation.Kind.FIRST_ADMINISTRATOR and earlier.is_on_its_way(now):
                raise InvitationOpen(earlier)
            cancel(earlier, actor=actor, now=now)
        invitation = Invitation(
            kind=Invitation.Kind.FIRST_ADMINISTRATOR,
            organisation=organisation,
            email=email,
            full_name=full_name,
            language=language,
            role=Membership.Role.ADMINISTRATOR,
        )
        again = timedelta(days=settings.ENVIRONMENT.first_administrator_resend_days)
        invitation.resend_until = now + good_for(invitation) + again
        _record_declared(invitation, actor=actor, now=now)
        return send_first(invitation, groups=(), actor=actor, now=now)


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
            record_step("invitation.expired", invitation, after={"expired_at": iso(invitation)}, now=now)
        resend = invitation.is_on_its_way(now)
        if invitation.resend_until is not None:
            invitation.resend_until = None
            invitation.save(update_fields=["resend_until"])
        if not resend or invitation.organisation is None:
            return False
        if not declaration_of(organisation=invitation.organisation, now=now).possible:
            return False
        send_again(invitation, actor=None, now=now)
    return True


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


def _locked(invitation: Invitation) -> Invitation:
    """The row as it stands, until the transaction ends. Raises `InvitationClosed`."""
    locked = Invitation.objects.select_for_update(of=("self",)).select_related("organisation")
    found = locked.get(pk=invitation.pk)
    if found.accepted_at is not None or found.cancelled_at is not None:
        raise InvitationClosed(found)
    return found


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
