"""What a company's own directory does to its people: adding, changing and removing them.

Each is made of the operations that administrators use, in one transaction, and is in the same history. A directory
makes nobody an administrator. What takes something away stands by itself (`deactivate_person`), so that nothing else
that is asked with it keeps a leaver in.
"""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime

from django.db import IntegrityError, transaction

from gridgate.audit.events import changed
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.roles import Term
from gridgate.core.text import visible
from gridgate.directory.described import Described
from gridgate.directory.events import added_by_directory
from gridgate.directory.models import DirectoryPerson
from gridgate.directory.queries import latest_memberships
from gridgate.organisations.events import joins
from gridgate.organisations.models import GroupMember, Membership, Organisation, User, UserGroup
from gridgate.organisations.operations.groups import set_members
from gridgate.organisations.operations.members import (
    InvalidMember,
    add_member,
    end_lapsed,
    end_membership,
    parse_email,
    record_member,
)

LONGEST_EXTERNAL_ID = LONGEST_NAME = 200


LONGEST_LANGUAGE = 50


_SAID = tuple(field.name for field in fields(Described) if field.name != "external_id")


class PersonKnown(GridgateError):
    """The address is one of the company's people already."""

    def __init__(self, email: str) -> None:
        super().__init__(ErrorKind.CONFLICT, f"{email} is in this company already")


class AddressOutsideDomains(GridgateError):
    """The address is in none of the company's e-mail domains; whether it has an account is not looked at."""

    def __init__(self, email: str, organisation: Organisation) -> None:
        domains = ", ".join(organisation.email_domains) or "none yet"
        super().__init__(
            ErrorKind.INVALID,
            f"{email} is not an address of this company's e-mail domains ({domains})",
            remedy="Ask the operator to record the domain, or invite the person in the portal.",
            where="userName",
        )


class AddressNotYours(GridgateError):
    """The account was not opened for this company, or is an administrator's: its address is not the directory's."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            "this person signs in with an account that is not this directory's to rename",
            remedy="Remove the person, then add them under the other address.",
        )


def add_person(
    *,
    organisation: Organisation,
    email: str,
    described: Described,
    active: bool = True,
    actor: Membership | None,
    now: datetime,
) -> DirectoryPerson:
    """Let a person act for the company, with the account of this address if there is one and a new one otherwise.

    Which of the two is not told, and an account that exists is left as it is. Raises `InvalidMember`,
    `AddressOutsideDomains` and `PersonKnown`.
    """
    email = parse_email(email)
    _require_own_domain(organisation, email)
    with transaction.atomic():
        # The company's row is the queue in which two requests for one person wait.
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        _require_unknown(organisation, email, now)
        membership = _join(organisation, email, described, actor=actor, now=now)
        person = DirectoryPerson.objects.create(
            organisation=organisation, user=membership.user, created_at=now, **_said(described)
        )
        if not active:
            end_membership(membership=membership, actor=actor, now=now)
    return person


def change_person(
    *,
    person: DirectoryPerson,
    email: str,
    described: Described,
    active: bool,
    actor: Membership | None,
    now: datetime,
) -> None:
    """Make the person what the directory says now. Inactive, they no longer act for the company; active again, they
    do as a user, in the groups that the directory put them in; that asks for an address of the company's own, as
    adding them does.

    Raises `InvalidMember`, `AddressOutsideDomains`, `PersonKnown`, `AddressNotYours` and `LastAdministrator`.
    """
    email = parse_email(email)
    with transaction.atomic():
        membership = _membership(person)
        before = _facts(person, membership)
        readdressed = email != person.user.email.lower()
        present = membership.is_present(now)
        returns = active and not present
        if readdressed or returns:
            _require_own_domain(person.organisation, email)
        if readdressed:
            membership = _readdress(person, membership, email, described, actor=actor, now=now)
        if active and not membership.is_present(now):
            end_lapsed(Membership.objects.filter(pk=membership.pk), now=now)
            membership = _join_again(membership, email, described, actor=actor, now=now)
            _put_in(membership, person.groups.order_by("name"), actor=actor, now=now)
        elif not active and membership.is_present(now):
            end_membership(membership=membership, actor=actor, now=now)
        _describe(person, membership, described)
        was, became = changed(before, _facts(person, membership))
        if became:
            record_member("member.described", membership, before=was, after=became, actor=actor, now=now)


def deactivate_person(*, person: DirectoryPerson, actor: Membership | None, now: datetime) -> bool:
    """End what the person does for the company; False when it had ended. Raises `LastAdministrator`."""
    with transaction.atomic():
        membership = _membership(person)
        present = membership.is_present(now)
        if present:
            end_membership(membership=membership, actor=actor, now=now)
    return present


def remove_person(*, person: DirectoryPerson, actor: Membership | None, now: datetime) -> None:
    """End what the person does for the company, and forget them: their account stays. Raises `LastAdministrator`."""
    with transaction.atomic():
        membership = _membership(person)
        if membership.is_present(now):
            end_membership(membership=membership, actor=actor, now=now)
        person.delete()


def _join(
    organisation: Organisation,
    email: str,
    described: Described,
    *,
    instead_of: Membership | None = None,
    actor: Membership | None,
    now: datetime,
) -> Membership:
    """What the company's administrators said of the person still holds: that they are of another company, and a last
    day that is to come. It did for their last membership, and for the one that this one is `instead_of`.
    """
    own = organisation.memberships.filter(user__email__iexact=email).order_by("pk").last()
    before = [one for one in (own, instead_of) if one is not None]
    membership = add_member(
        organisation=organisation,
        email=email,
        full_name=described.account_name,
        language=described.account_language,
        external=any(one.external for one in before),
        until=min((one.until for one in before if one.until is not None and one.until > now), default=None),
        actor=actor,
        now=now,
    )
    _name_membership(membership, described.external_id)
    added_by_directory.send(Membership, membership=membership, now=now)
    return membership


def _join_again(
    left: Membership, email: str, described: Described, *, actor: Membership | None, now: datetime
) -> Membership:
    """Whether a person is there is the directory's to say: a last day that is over holds no longer, and the history
    says so.
    """
    membership = _join(left.organisation, email, described, instead_of=left, actor=actor, now=now)
    if left.until is not None and left.until <= now:
        before: dict[str, object] = {"until": left.until.isoformat()}
        record_member(
            "member.changed", membership, before=before, after={"until": None}, actor=actor, now=now
        )
    return membership


def _put_in(
    membership: Membership, groups: Iterable[UserGroup], *, actor: Membership | None, now: datetime
) -> None:
    for group in groups:
        staying = Membership.objects.present(now).filter(groups__group=group)
        set_members(group=group, members=[*staying, membership], renew=False, actor=actor, now=now)


def _move(membership: Membership, place: GroupMember, *, actor: Membership | None, now: datetime) -> None:
    """Give the person a place that they had under another account, until the same day."""
    term = place.term
    if term.is_over(now):
        return
    left = Term(None if term.has_begun(now) else term.begins, term.ends)
    staying = Membership.objects.present(now).filter(groups__group=place.group)
    set_members(
        group=place.group, members=[*staying, membership], term=left, renew=False, actor=actor, now=now
    )


def _readdress(
    person: DirectoryPerson,
    membership: Membership,
    email: str,
    described: Described,
    *,
    actor: Membership | None,
    now: datetime,
) -> Membership:
    """Give the person another address: their account takes it or, when it is another account's, that one takes their
    place. Which of the two is not told.
    """
    if membership.is_administrator or not _opened_for(person.organisation, person.user):
        raise AddressNotYours
    _require_unknown(person.organisation, email, now)
    other = User.objects.filter(email__iexact=email).first()
    if other is None:
        person.user.email = email
        try:
            with transaction.atomic():
                person.user.save(update_fields=["email"])
        except IntegrityError:  # opened at the same moment
            raise PersonKnown(email) from None
        membership.user = person.user
        if membership.is_present(now):
            joins.send(Membership, membership=membership, actor=actor, now=now)  # by another address
        return membership
    places = list(membership.groups.select_related("group").order_by("group__name"))
    answered = list(person.groups.all())
    present = membership.is_present(now)
    if present:
        end_membership(membership=membership, actor=actor, now=now)
    moved = _join(person.organisation, email, described, instead_of=membership, actor=actor, now=now)
    for place in places:
        _move(moved, place, actor=actor, now=now)
    person.groups.add(*answered)
    if not present:
        end_membership(membership=moved, actor=actor, now=now)
    person.user = other
    person.save(update_fields=["user"])
    return moved


def _opened_for(organisation: Organisation, user: User) -> bool:
    """Whether the account came into being with its membership in this company, and never was in another."""
    memberships = list(user.memberships.order_by("created_at", "pk"))
    return (
        bool(memberships)
        and memberships[0].created_at == user.created_at
        and all(membership.organisation_id == organisation.pk for membership in memberships)
    )


def _require_own_domain(organisation: Organisation, email: str) -> None:
    """Nobody is added from elsewhere: that would tell whose account it is, and be done without asking them."""
    if email.rpartition("@")[2] not in organisation.email_domains:
        raise AddressOutsideDomains(email, organisation)


def _require_unknown(organisation: Organisation, email: str, now: datetime) -> None:
    known = organisation.directory_people.filter(user__email__iexact=email)
    present = organisation.memberships.present(now).filter(user__email__iexact=email)
    if known.exists() or present.exists():
        raise PersonKnown(email)


def _membership(person: DirectoryPerson) -> Membership:
    """The membership that is present, or the last: without one nobody is known to a directory."""
    membership = latest_memberships([person])[person.user_id]
    membership.user, membership.organisation = person.user, person.organisation
    return membership


def _describe(person: DirectoryPerson, membership: Membership, described: Described) -> None:
    said = _said(described)
    for name, value in said.items():
        setattr(person, name, value)
    person.save(update_fields=list(said))
    _name_membership(membership, described.external_id)
    name = described.account_name
    if name and name != person.user.full_name and _opened_for(person.organisation, person.user):
        person.user.full_name = name
        person.user.save(update_fields=["full_name"])


def _name_membership(membership: Membership, external_id: str) -> None:
    if len(external_id) > LONGEST_EXTERNAL_ID:
        raise InvalidMember(f"the external id has more than {LONGEST_EXTERNAL_ID} characters")
    if membership.external_id != external_id:
        membership.external_id = external_id
        membership.save(update_fields=["external_id"])


def _said(described: Described) -> dict[str, str]:
    said = {name: visible(value) for name, value in asdict(described).items() if name in _SAID}
    for name, value in said.items():
        longest = LONGEST_LANGUAGE if name == "preferred_language" else LONGEST_NAME
        if len(value) > longest:
            raise InvalidMember(f"{name} has {len(value)} characters, {longest} at most")
    return said


def _facts(person: DirectoryPerson, membership: Membership) -> dict[str, object]:
    said = {name: getattr(person, name) for name in _SAID}
    return {"email": person.user.email, "external_id": membership.external_id, **said}
