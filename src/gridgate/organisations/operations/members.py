"""Who acts for a company: adding, changing and detaching members, and closing accounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
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
from gridgate.organisations.events import account_closed, joins, last_day_set, leaves, membership_changed
from gridgate.organisations.last_days import last_day, today
from gridgate.organisations.models import (
    GroupMember,
    Membership,
    MembershipQuerySet,
    Organisation,
    User,
    UserGroup,
)


class InvalidMember(GridgateError):
    """The address, role or password given for a member will not do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


class MembershipExists(GridgateError):
    """A person is a member of a company once at a time."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message)


class AdministratorUntil(InvalidMember):
    """Administrators have no last day: a company keeps one at all times, whatever the calendar."""

    def __init__(self) -> None:
        super().__init__(
            "an administrator acts for the company without an end date",
            remedy="Make them a user first, or take the date away.",
        )


class LastDayPast(InvalidMember):
    """The last day is today or over: whoever is to leave now is detached."""

    def __init__(self) -> None:
        super().__init__(
            "the last day must come after today", remedy="Detach the person to end their access now."
        )


class MemberLeft(GridgateError):
    """The person acts for the company no longer: their last day is over, or somebody detached them."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "this person acts for the company no longer")


def add_member(
    *,
    organisation: Organisation,
    email: str,
    full_name: str,
    role: str = Membership.Role.USER,
    external: bool = False,
    until: datetime | None = None,
    groups: Iterable[UserGroup] = (),
    password: str | None = None,
    language: str = "fr",
    actor: Membership | None = None,
    by: User | None = None,
    now: datetime,
) -> Membership:
    """Let a person act for a company from now on, without an invitation: for invitations that were accepted, for
    directories that answer for their people, and for the command line.

    A person who already signs in for another company keeps their account: name, password and language are
    then left as they are, for they are not this company's to change. An invitation of theirs that is open is cancelled.
    `by`: who did it without acting for a company yet, themselves. Raises `InvalidMember`, `AdministratorUntil`,
    `LastDayPast`, and `MembershipExists` when the person is already a member.
    """
    email = parse_email(email)
    _require_role(role)
    require_last_day(until, role=role)
    if until is not None and until <= now:
        raise LastDayPast
    kept: str | Hashed | None = password
    if password is not None and not User.objects.filter(email__iexact=email).exists():
        kept = hash_password(password, email=email, full_name=full_name)
    with transaction.atomic():
        end_lapsed(organisation.memberships.filter(user__email__iexact=email), now=now)
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            user = create_user(email=email, full_name=full_name, password=kept, language=language, now=now)
        require_no_member(organisation=organisation, email=email, now=now)
        membership = Membership.objects.create(
            user=user,
            organisation=organisation,
            role=role,
            administrator_since=now if role == Membership.Role.ADMINISTRATOR else None,
            external=external,
            until=until,
            created_at=now,
        )
        GroupMember.objects.bulk_create(GroupMember(group=group, membership=membership) for group in groups)
        joins.send(Membership, membership=membership, actor=actor, now=now)
        after = _facts(membership) | _groups(membership)
        record_member("member.added", membership, after=after, actor=actor, by=by, now=now)
        membership_changed.send(Membership, membership=membership, now=now)
    return membership


def require_no_member(*, organisation: Organisation, email: str, now: datetime) -> None:
    """Raises `MembershipExists` when a member of the company signs in with this address."""
    email = parse_email(email)
    if organisation.memberships.present(now).filter(user__email__iexact=email).exists():
        raise MembershipExists(f"{email} is already a member of {organisation.legal_name}")


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password that will do, as it is kept."""

    text: str


def hash_password(password: str, *, email: str, full_name: str) -> Hashed:
    """Before a transaction begins: it takes tens of milliseconds, in which nobody else could write. Raises
    `InvalidMember` for one that will not do.
    """
    try:
        validate_password(password, User(email=email, full_name=full_name))
    except ValidationError as error:
        raise InvalidMember(" ".join(error.messages), remedy="Choose another password.") from None
    return Hashed(make_password(password))


def create_user(
    *, email: str, full_name: str, password: str | Hashed | None, language: str = "fr", now: datetime
) -> User:
    """Open an account. Raises `InvalidMember` for an address that is none, or a password that will not do."""
    email = parse_email(email)
    if isinstance(password, str):
        password = hash_password(password, email=email, full_name=full_name)
    user = User(email=email, full_name=line(full_name), language=language, created_at=now)
    user.password = make_password(None) if password is None else password.text
    user.save(force_insert=True)
    return user


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

    Ending it twice keeps the first instant; once its last day is over it ended then. Raises `NotAllowed`, and
    `LastAdministrator`.
    """
    with transaction.atomic():
        _reread(membership)
        _require_may_change(actor, membership)
        require_other_administrator(membership)
        if membership.is_present(now):
            _end(membership, at=now, actor=actor, now=now)
        elif membership.ended_at is None:
            _end_by_date(membership, now=now)


def end_lapsed(memberships: MembershipQuerySet, *, now: datetime) -> int:
    """Write the end of those of the memberships whose last day is over; returns how many. It had its effect already:
    a membership is in force by `present` alone.
    """
    ended = 0
    with transaction.atomic():
        rows = memberships.lapsed(now).select_for_update(of=("self",)).select_related("user", "organisation")
        for membership in list(rows.order_by("until", "pk")):
            _end_by_date(membership, now=now)
            ended += 1
    return ended


def _end_by_date(membership: Membership, *, now: datetime) -> None:
    assert membership.until is not None
    _end(membership, at=membership.until, actor=None, after={"why": "until"}, now=now)


def _end(
    membership: Membership,
    *,
    at: datetime,
    actor: Membership | None,
    after: dict[str, object] | None = None,
    now: datetime,
) -> None:
    before = _facts(membership) | _groups(membership)
    membership.ended_at = at
    membership.save(update_fields=["ended_at"])
    leaves.send(Membership, membership=membership, actor=actor, now=now)
    membership.groups.all().delete()
    record_member("member.detached", membership, before=before, after=after, actor=actor, now=now)
    membership_changed.send(Membership, membership=membership, now=now)


def set_role(*, membership: Membership, role: str, actor: Membership | None = None, now: datetime) -> None:
    """Make a member an administrator or a user. Raises what `update_member` does."""
    update_member(
        membership=membership,
        role=role,
        external=membership.external,
        until=membership.until,
        actor=actor,
        now=now,
    )


def update_member(
    *,
    membership: Membership,
    role: str,
    external: bool,
    until: datetime | None,
    actor: Membership | None = None,
    now: datetime,
) -> None:
    """Change a member's role, whether they are of another company, and until when they act for this one.

    Raises `InvalidMember`, `AdministratorUntil`, `LastDayPast`, `NotAllowed`, `LastAdministrator`, and `MemberLeft` when
    they act for it no longer.
    """
    _require_role(role)
    with transaction.atomic():
        _reread(membership)
        _require_may_change(actor, membership)
        if role != membership.role:
            require_administrator(actor, membership.organisation)
        if not membership.is_present(now):
            raise MemberLeft
        if role != Membership.Role.ADMINISTRATOR:
            require_other_administrator(membership)
        moved = until != membership.until
        require_last_day(until, role=role, now=now if moved else None)
        before = _facts(membership)
        if role != membership.role:
            membership.administrator_since = now if role == Membership.Role.ADMINISTRATOR else None
        membership.role, membership.external, membership.until = role, external, until
        was, became = changed(before, _facts(membership))
        if not became:
            return
        membership.save(update_fields=["role", "administrator_since", "external", "until"])
        record_member("member.changed", membership, before=was, after=became, actor=actor, now=now)
        membership_changed.send(Membership, membership=membership, now=now)
        if moved:
            last_day_set.send(Membership, membership=membership, now=now)


def disable_user(*, user: User) -> None:
    """Close a person's account for every company: no sign-in, and open sessions end at their next request."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        user.is_active = False
        account_closed.send(User, user=user)


def record_member(
    action: str,
    membership: Membership,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
    actor: Membership | None,
    by: User | None = None,
    now: datetime,
) -> None:
    """Write a change of a member to the company's audit."""
    record(
        action,
        subject=Subject("member", str(membership.pk), membership.user.email),
        organisation=membership.organisation_id,
        actor=actor,
        user=by,
        before=before,
        after=after,
        now=now,
    )


def _facts(membership: Membership) -> dict[str, object]:
    facts: dict[str, object] = {"role": str(membership.role), "external": membership.external}
    return facts | ({"until": membership.until.isoformat()} if membership.until else {})


def _groups(membership: Membership) -> dict[str, object]:
    """Those that whoever comes enters, and whoever goes leaves: rights come and go with them."""
    names = list(membership.groups.order_by("group__name").values_list("group__name", flat=True))
    return {"groups": names} if names else {}


def _reread(membership: Membership) -> None:
    """What the member is at this moment: somebody may have made them an administrator since they were looked up."""
    rows = Membership.objects.select_for_update()
    membership.refresh_from_db(fields=["role", "external", "until", "ended_at"], from_queryset=rows)


def _require_may_change(actor: Membership | None, membership: Membership) -> None:
    """A user manager changes users only: not administrators, who are above, and not themselves."""
    require_user_manager(actor, membership.organisation)
    if actor is None or actor.is_administrator:
        return
    if membership.is_administrator or membership.pk == actor.pk:
        raise NotAllowed


def require_last_day(until: datetime | None, *, role: str, now: datetime | None = None) -> None:
    """Raises `AdministratorUntil` and, for one that is set at `now`, `LastDayPast` unless it comes after that day."""
    if until is None:
        return
    if role == Membership.Role.ADMINISTRATOR:
        raise AdministratorUntil
    if now is not None and last_day(until) <= today(now):
        raise LastDayPast


def _require_role(role: str) -> None:
    if role not in Membership.Role.values:
        raise InvalidMember(f"no role {role!r}", remedy=f"Roles are {', '.join(Membership.Role.values)}.")
