"""Who acts for a company: adding, changing and detaching members, and closing accounts."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from gridgate.audit.events import Subject, changed, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import address, line
from gridgate.organisations.authority import (
    NotAllowed,
    require_administrator,
    require_other_administrator,
    require_user_manager,
)
from gridgate.organisations.events import membership_changed
from gridgate.organisations.models import GroupMember, Membership, Organisation, User, UserGroup
from gridgate.organisations.operations.groups import leave_dated_places
from gridgate.organisations.security.sessions import end_sessions


class InvalidMember(GridgateError):
    """The address, role or password given for a member will not do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


class MembershipExists(GridgateError):
    """A person is a member of a company once at a time."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message)


def add_member(
    *,
    organisation: Organisation,
    email: str,
    full_name: str,
    role: str = Membership.Role.USER,
    external: bool = False,
    groups: Iterable[UserGroup] = (),
    password: str | None = None,
    language: str = "fr",
    actor: Membership | None = None,
    now: datetime,
) -> Membership:
    """Let a person act for a company from now on, without an invitation: for invitations that were accepted, for
    directories that answer for their people, and for the command line.

    A person who already signs in for another company keeps their account: name, password and language are
    then left as they are, for they are not this company's to change. Raises `InvalidMember`, and
    `MembershipExists` when the person is already a member.
    """
    email = parse_email(email)
    _require_role(role)
    with transaction.atomic():
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            user = create_user(
                email=email, full_name=full_name, password=password, language=language, now=now
            )
        require_no_member(organisation=organisation, email=email)
        membership = Membership.objects.create(
            user=user,
            organisation=organisation,
            role=role,
            administrator_since=now if role == Membership.Role.ADMINISTRATOR else None,
            external=external,
            created_at=now,
        )
        GroupMember.objects.bulk_create(GroupMember(group=group, membership=membership) for group in groups)
        record_member("member.added", membership, after=_facts(membership), actor=actor, now=now)
        membership_changed.send(Membership, membership=membership, now=now)
    return membership


def require_no_member(*, organisation: Organisation, email: str) -> None:
    """Raises `MembershipExists` when a member of the company signs in with this address."""
    email = parse_email(email)
    if organisation.memberships.filter(user__email__iexact=email, ended_at=None).exists():
        raise MembershipExists(f"{email} is already a member of {organisation.legal_name}")


def create_user(
    *, email: str, full_name: str, password: str | None, language: str = "fr", now: datetime
) -> User:
    """Open an account. Raises `InvalidMember` for an address that is none, or a password that will not do."""
    email = parse_email(email)
    if password is not None:
        try:
            validate_password(password, User(email=email, full_name=full_name))
        except ValidationError as error:
            raise InvalidMember(" ".join(error.messages), remedy="Choose another password.") from None
    return User.objects.create_user(
        email, password, full_name=line(full_name), language=language, created_at=now
    )


def parse_email(text: str) -> str:
    """The one spelling of an address (`core.text.address`), in which it is kept. Raises `InvalidMember`."""
    email = address(text)
    try:
        validate_email(email)
        if not email.rpartition("@")[
            0
        ].isascii():  # letters that Python takes for s and k when it ignores case
            raise ValidationError(email)
    except ValidationError:
        raise InvalidMember(f"{text!r} is not an e-mail address") from None
    return email


def end_membership(*, membership: Membership, actor: Membership | None = None, now: datetime) -> None:
    """Unlink a person from a company from `now` on, at their very next request. Their account stays.

    Ending it twice keeps the first instant. Raises `NotAllowed`, and `LastAdministrator`.
    """
    with transaction.atomic():
        _reread(membership)
        _require_may_change(actor, membership)
        require_other_administrator(membership)
        before = _facts(membership)
        if Membership.objects.filter(pk=membership.pk, ended_at=None).update(ended_at=now):
            membership.ended_at = now
            leave_dated_places(membership)
            membership.groups.all().delete()
            record_member("member.detached", membership, before=before, actor=actor, now=now)
            membership_changed.send(Membership, membership=membership, now=now)


def set_role(*, membership: Membership, role: str, actor: Membership | None = None, now: datetime) -> None:
    """Make a member an administrator or a user. Raises `InvalidMember`, `NotAllowed` and `LastAdministrator`."""
    update_member(membership=membership, role=role, external=membership.external, actor=actor, now=now)


def update_member(
    *, membership: Membership, role: str, external: bool, actor: Membership | None = None, now: datetime
) -> None:
    """Change a member's role, and whether they are of another company. Raises `InvalidMember`, `NotAllowed` and
    `LastAdministrator`.
    """
    _require_role(role)
    with transaction.atomic():
        _reread(membership)
        _require_may_change(actor, membership)
        if role != membership.role:
            require_administrator(actor, membership.organisation)
        if role != Membership.Role.ADMINISTRATOR:
            require_other_administrator(membership)
        before = _facts(membership)
        if role != membership.role:
            membership.administrator_since = now if role == Membership.Role.ADMINISTRATOR else None
        membership.role, membership.external = role, external
        was, became = changed(before, _facts(membership))
        if not became:
            return
        membership.save(update_fields=["role", "administrator_since", "external"])
        record_member("member.changed", membership, before=was, after=became, actor=actor, now=now)
        membership_changed.send(Membership, membership=membership, now=now)


def disable_user(*, user: User) -> None:
    """Close a person's account for every company: no sign-in, and open sessions end at their next request."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        user.is_active = False
        end_sessions(user=user)


def record_member(
    action: str,
    membership: Membership,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    actor: Membership | None,
    now: datetime,
) -> None:
    """Write a change of a member to the company's audit."""
    record(
        action,
        subject=Subject("member", str(membership.pk), membership.user.email),
        organisation=membership.organisation_id,
        actor=actor,
        before=before,
        after=after,
        now=now,
    )


def _facts(membership: Membership) -> dict[str, object]:
    return {"role": str(membership.role), "external": membership.external}


def _reread(membership: Membership) -> None:
    """What the member is at this moment: somebody may have made them an administrator since they were looked up."""
    rows = Membership.objects.select_for_update()
    membership.refresh_from_db(fields=["role", "external", "ended_at"], from_queryset=rows)


def _require_may_change(actor: Membership | None, membership: Membership) -> None:
    """A user manager changes users only: not administrators, who are above, and not themselves."""
    require_user_manager(actor, membership.organisation)
    if actor is None or actor.is_administrator:
        return
    if membership.is_administrator or membership.pk == actor.pk:
        raise NotAllowed


def _require_role(role: str) -> None:
    if role not in Membership.Role.values:
        raise InvalidMember(f"no role {role!r}", remedy=f"Roles are {', '.join(Membership.Role.values)}.")
