"""Groups of users: their names, and who is in them from when until when."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from gridgate.core.roles import ALWAYS, Term
from gridgate.core.text import line
from gridgate.organisations.authority import NotAllowed, require_administrator, require_user_manager
from gridgate.organisations.models import GroupMember, Membership, Organisation, UserGroup
from gridgate.organisations.operations.group_steps import (
    InvalidGroup,
    dated,
    members_now,
    record_step,
    require_possible,
    said_of,
    tell_members,
)
from gridgate.organisations.operations.members import end_lapsed
from gridgate.organisations.operations.services import perimeter
from gridgate.organisations.rights import not_over


def create_group(
    *,
    organisation: Organisation,
    name: str,
    members: Iterable[Membership] = (),
    actor: Membership | None = None,
    now: datetime,
) -> UserGroup:
    """Create a group of a company's users. Raises `InvalidGroup` for an empty name or one already used."""
    require_administrator(actor, organisation)
    with transaction.atomic():
        group = UserGroup(organisation=organisation, created_at=now)
        _name(group, name)
        record_step("group.created", group, actor=actor, after={"name": group.name}, now=now)
        _set_members(group, members, actor=actor, now=now)
    return group


def rename_group(*, group: UserGroup, name: str, actor: Membership | None = None, now: datetime) -> None:
    """Raises `InvalidGroup` for an empty name or one already used."""
    require_administrator(actor, group.organisation)
    with transaction.atomic():
        before = group.name
        _name(group, name)
        if group.name != before:
            record_step(
                "group.renamed",
                group,
                actor=actor,
                before={"name": before},
                after={"name": group.name},
                now=now,
            )


def delete_group(*, group: UserGroup, actor: Membership | None = None, now: datetime) -> None:
    """Delete a group. A service that it alone had is then open to all again: the screen says so before."""
    require_administrator(actor, group.organisation)
    with transaction.atomic():
        members = list(members_now(group))
        before = {
            "name": group.name,
            "members": [member.user.email for member in members],
            "services": {
                entitlement.code: perimeter(entitlement)
                for entitlement in group.entitlements.order_by("code")
            },
            **dated("service_terms", {one.code: one.term for one in group.entitlements.order_by("code")}),
            **dated("place_terms", _places(group)),
        }
        record_step("group.deleted", group, actor=actor, before=before, now=now)
        group.delete()
        tell_members(members, now)


def set_members(
    *,
    group: UserGroup,
    members: Iterable[Membership],
    term: Term = ALWAYS,
    renew: bool = True,
    actor: Membership | None = None,
    now: datetime,
) -> None:
    """Make exactly these the group's members; `term`, the places of those who come: whoever stays keeps their dates.

    Whose place is over comes again, with a new one, unless told not to `renew`: then they stay with what they had.
    Raises `InvalidGroup` for somebody of another company, `InvalidTerm`, and `NotAllowed` when a user manager would
    change their own place or an administrator's.
    """
    require_user_manager(actor, group.organisation)
    with transaction.atomic():
        _set_members(group, members, term=term, renew=renew, actor=actor, now=now)


def date_place(
    *,
    group: UserGroup,
    membership: Membership,
    term: Term,
    actor: Membership | None = None,
    now: datetime,
) -> None:
    """From when until when the member is in the group. Raises `InvalidTerm`, `NotAllowed` as `set_members` does, and
    `InvalidGroup` for somebody who is not in the group.
    """
    require_user_manager(actor, group.organisation)
    with transaction.atomic():
        place = group.members.filter(membership=membership).select_for_update().first()
        if place is None:
            raise InvalidGroup("they are not in the group")
        _require_may_move(membership, actor)
        if place.term == term:
            return
        require_possible(term, place.term, now)
        before = {"member": membership.user.email, **said_of(place.term)}
        place.valid_from, place.valid_until = term.begins, term.ends
        place.save(update_fields=["valid_from", "valid_until"])
        after = {"member": membership.user.email, **said_of(term)}
        record_step("group.place_dated", group, actor=actor, before=before, after=after, now=now)
        tell_members([membership], now)


def set_groups(
    *, membership: Membership, groups: Iterable[UserGroup], actor: Membership | None = None, now: datetime
) -> None:
    """Make the member belong to exactly these groups of their company; in one where their place is over they get a new
    one. Raises what `set_members` raises.
    """
    company = membership.organisation
    require_user_manager(actor, company)
    with transaction.atomic():
        wanted = {group.pk: group for group in groups}
        if any(group.organisation_id != company.pk for group in wanted.values()):
            raise InvalidGroup("a member belongs to groups of their own company")
        end_lapsed(company.memberships.all(), now=now)  # none of them stays beside the member
        present = {group.pk: group for group in _groups_of(membership, now)}
        for pk, group in {**present, **wanted}.items():
            if (pk in wanted) != (pk in present):
                others = [member for member in members_now(group, at=now) if member.pk != membership.pk]
                _set_members(group, [*others, *([membership] if pk in wanted else [])], actor=actor, now=now)


def _set_members(
    group: UserGroup,
    members: Iterable[Membership],
    *,
    term: Term = ALWAYS,
    renew: bool = True,
    actor: Membership | None,
    now: datetime,
) -> None:
    wanted = {member.pk: member for member in members}
    end_lapsed(Membership.objects.filter(groups__group=group), now=now)  # who come back find the group again
    strangers = [
        member
        for member in wanted.values()
        if member.organisation_id != group.organisation_id or not member.is_present(now)
    ]
    if strangers:
        raise InvalidGroup("a group is made of the company's own present members")
    present = {member.pk: member for member in members_now(group, at=now if renew else None)}
    come = [member for pk, member in wanted.items() if pk not in present]
    gone = [member for pk, member in present.items() if pk not in wanted]
    if not come and not gone:
        return
    for member in (*come, *gone):
        _require_may_move(member, actor)
    if come:
        require_possible(term, ALWAYS, now)
    left = _places(group, [*gone, *come])  # of those who come, a place that is over
    group.members.filter(membership__in=[*gone, *come]).delete()
    taken_out = group.directory_people.filter(user__in=[member.user_id for member in gone])
    group.directory_people.remove(*taken_out)
    GroupMember.objects.bulk_create(
        GroupMember(group=group, membership=member, valid_from=term.begins, valid_until=term.ends)
        for member in come
    )
    record_step(
        "group.members_changed",
        group,
        actor=actor,
        before={
            "members": sorted(member.user.email for member in present.values()),
            **dated("place_terms", left),
        },
        after={
            "members": sorted(member.user.email for member in wanted.values()),
            **(said_of(term) if come else {}),
        },
        now=now,
    )
    tell_members((*come, *gone), now)


def _require_may_move(member: Membership, actor: Membership | None) -> None:
    """A user manager moves users only: not administrators, who are above, and not themselves."""
    if actor is None or actor.is_administrator:
        return
    if member.pk == actor.pk or member.is_administrator:
        raise NotAllowed


def _name(group: UserGroup, name: str) -> None:
    group.name = line(name)
    if not group.name:
        raise InvalidGroup("a group has a name")
    if len(group.name) > 80:
        raise InvalidGroup(f"the name has {len(group.name)} characters, 80 at most")
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError:
        raise InvalidGroup(f"another group is called {group.name}", remedy="Choose another name.") from None


def _groups_of(membership: Membership, now: datetime) -> Iterable[UserGroup]:
    places = membership.groups.filter(not_over(now))
    return UserGroup.objects.filter(organisation=membership.organisation_id, members__in=places)


def _places(group: UserGroup, of: Iterable[Membership] | None = None) -> dict[str, Term]:
    """By address, from when until when the members are in the group."""
    places = group.members.select_related("membership__user").order_by("pk")
    if of is not None:
        places = places.filter(membership__in=list(of))
    return {place.membership.user.email: place.term for place in places}
