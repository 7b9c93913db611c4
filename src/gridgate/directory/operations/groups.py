"""What a company's own directory does to its groups; it gives and takes no service, and no perimeter."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import line
from gridgate.directory.models import DirectoryGroup
from gridgate.directory.operations.people import LONGEST_EXTERNAL_ID
from gridgate.directory.queries import NAMED_AT_MOST
from gridgate.organisations.models import Membership, Organisation, UserGroup
from gridgate.organisations.operations.group_steps import InvalidGroup
from gridgate.organisations.operations.groups import create_group, delete_group, rename_group, set_members


class GroupNameTaken(GridgateError):
    """Another group of the company has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(ErrorKind.CONFLICT, f"another group is called {name}", remedy="Choose another name.")


class GroupHasServices(GridgateError):
    """Deleting the group would open to everyone what is reserved to it."""

    def __init__(self, group: UserGroup) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"services are given to the group {group.name}",
            remedy="An administrator withdraws them in the portal first.",
        )


def add_group(
    *,
    organisation: Organisation,
    name: str,
    external_id: str = "",
    members: Iterable[Membership] = (),
    people: Iterable[UUID] = (),
    actor: Membership | None,
    now: datetime,
) -> DirectoryGroup:
    """Create a group, which no service is given to yet, with these members, who are these `people`. Raises
    `InvalidGroup`, and `GroupNameTaken`.
    """
    with transaction.atomic():
        _require_free_name(organisation, name)
        group = create_group(organisation=organisation, name=name, members=members, actor=actor, now=now)
        group.directory_people.add(*organisation.directory_people.filter(pk__in=list(people)))
        _identify(group, external_id, actor=actor, now=now)
        return DirectoryGroup.objects.create(group=group)


def change_group(
    *,
    group: UserGroup,
    name: str,
    external_id: str,
    actor: Membership | None,
    now: datetime,
) -> None:
    """Rename the group, and give it another external id. Raises `InvalidGroup`, and `GroupNameTaken`."""
    with transaction.atomic():
        _require_free_name(group.organisation, name, but=group)
        rename_group(group=group, name=name, actor=actor, now=now)
        _identify(group, external_id, actor=actor, now=now)


def change_members(
    *,
    group: UserGroup,
    members: Collection[Membership],
    people: Collection[UUID],
    dormant: Collection[UUID] = (),
    actor: Membership | None,
    now: datetime,
) -> None:
    """Make exactly these the group's members. Of them, the directory answers for `people`, and for those whom it put
    in the group before; `dormant` are inactive ones who stay so, and come back to it.
    """
    with transaction.atomic():
        before = set(group.members.values_list("membership", flat=True))
        come = {member.user_id for member in members if member.pk not in before}
        set_members(group=group, members=members, renew=False, actor=actor, now=now)
        present = {member.user_id for member in members}
        kept, answered = set(dormant), set(people)
        gone = [
            person
            for person in group.directory_people.all()
            if person.user_id not in present and person.pk not in kept
        ]
        group.directory_people.remove(*gone)
        known = group.organisation.directory_people.all()
        if len(come) + len(answered) <= NAMED_AT_MOST:
            known = known.filter(Q(pk__in=answered) | Q(user__in=come))
        group.directory_people.add(
            *(
                person
                for person in known
                if person.user_id in come or (person.pk in answered and person.user_id in present)
            )
        )


def dormant_in(group: UserGroup) -> list[UUID]:
    """The inactive people whom the directory put in the group, and who come back to it when they are active again."""
    people = group.directory_people.exclude(
        user__memberships__in=Membership.objects.present().filter(organisation=group.organisation_id)
    )
    return list(people.values_list("pk", flat=True))


def remove_group(*, group: UserGroup, actor: Membership | None, now: datetime) -> None:
    """Delete a group that has no service. Raises `GroupHasServices`."""
    with transaction.atomic():
        if group.entitlements.exists():
            raise GroupHasServices(group)
        delete_group(group=group, actor=actor, now=now)


def _require_free_name(organisation: Organisation, name: str, but: UserGroup | None = None) -> None:
    name = line(name)
    others = organisation.groups.filter(name__iexact=name)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise GroupNameTaken(name)


def _identify(group: UserGroup, external_id: str, *, actor: Membership | None, now: datetime) -> None:
    if group.external_id == external_id:
        return
    if len(external_id) > LONGEST_EXTERNAL_ID:
        raise InvalidGroup(f"the external id has more than {LONGEST_EXTERNAL_ID} characters")
    before = group.external_id
    group.external_id = external_id
    group.save(update_fields=["external_id"])
    record(
        "group.described",
        subject=Subject("group", str(group.pk), group.name),
        organisation=group.organisation_id,
        actor=actor,
        before={"external_id": before},
        after={"external_id": external_id},
        now=now,
    )
