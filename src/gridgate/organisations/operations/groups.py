"""Groups of a company's users: who belongs to them, which services they have, and on which points.

Administrators do all of it. A member who may manage users changes who belongs to a group, except themselves: that
would be giving oneself rights.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import IntegrityError, transaction

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_metering_point_id
from gridgate.core.text import line
from gridgate.organisations.authority import NotAllowed, require_administrator, require_user_manager
from gridgate.organisations.catalogue import BY_CODE
from gridgate.organisations.events import membership_changed
from gridgate.organisations.models import (
    Entitlement,
    GroupMember,
    Membership,
    Organisation,
    PerimeterPoint,
    UserGroup,
)


class InvalidGroup(GridgateError):
    """The name, the members or the services given for a group will not do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


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
        _record("group.created", group, actor=actor, after={"name": group.name}, now=now)
        _set_members(group, members, actor=actor, now=now)
    return group


def rename_group(*, group: UserGroup, name: str, actor: Membership | None = None, now: datetime) -> None:
    """Raises `InvalidGroup` for an empty name or one already used."""
    require_administrator(actor, group.organisation)
    with transaction.atomic():
        before = group.name
        _name(group, name)
        if group.name != before:
            _record(
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
        members = list(_members(group))
        before = {
            "name": group.name,
            "members": [member.user.email for member in members],
            "services": {
                entitlement.code: _perimeter(entitlement)
                for entitlement in group.entitlements.order_by("code")
            },
        }
        _record("group.deleted", group, actor=actor, before=before, now=now)
        group.delete()
        _tell(members, now)


def set_members(
    *, group: UserGroup, members: Iterable[Membership], actor: Membership | None = None, now: datetime
) -> None:
    """Make exactly these the group's members. Raises `InvalidGroup` for somebody of another company, and
    `NotAllowed` when a user manager would change their own place or an administrator's.
    """
    require_user_manager(actor, group.organisation)
    with transaction.atomic():
        _set_members(group, members, actor=actor, now=now)


def set_groups(
    *, membership: Membership, groups: Iterable[UserGroup], actor: Membership | None = None, now: datetime
) -> None:
    """Make the member belong to exactly these groups of their company. Raises what `set_members` raises."""
    company = membership.organisation
    require_user_manager(actor, company)
    with transaction.atomic():
        wanted = {group.pk: group for group in groups}
        if any(group.organisation_id != company.pk for group in wanted.values()):
            raise InvalidGroup("a member belongs to groups of their own company")
        present = {group.pk: group for group in company.groups.filter(members__membership=membership)}
        for pk, group in {**present, **wanted}.items():
            if (pk in wanted) != (pk in present):
                others = [member for member in _members(group) if member.pk != membership.pk]
                _set_members(group, [*others, *([membership] if pk in wanted else [])], actor=actor, now=now)


def set_perimeter(
    *,
    group: UserGroup,
    codes: Collection[str],
    points: Collection[str] | None,
    actor: Membership | None = None,
    now: datetime,
) -> None:
    """Give the group these services on the same points (None: on all), in one transaction. Raises what `give` does."""
    with transaction.atomic():
        for code in codes:
            give(group=group, code=code, points=points, actor=actor, now=now)


def give(
    *,
    group: UserGroup,
    code: str,
    points: Iterable[str] | None = None,
    actor: Membership | None = None,
    now: datetime,
) -> Entitlement:
    """Give a service to a group, on these points or, with None, on all of the company's, now and later.

    From then on the service is for the groups that have it, and for nobody else. Giving it again changes the
    perimeter. Raises `InvalidGroup`, and `InvalidIdentifier` for what is not a metering point's identifier.
    """
    require_administrator(actor, group.organisation)
    entry = BY_CODE.get(code)
    if entry is None:
        raise InvalidGroup(f"no service {code}", remedy=f"Services are {', '.join(BY_CODE)}.")
    if not entry.rule.offered_to(group.organisation.beneficiary_roles):
        raise InvalidGroup(f"the service {code} is not offered to {group.organisation.legal_name}")
    if points is not None and not entry.by_point:
        raise InvalidGroup(f"the service {code} is for the whole company, not for points")
    wanted = None if points is None else sorted({parse_metering_point_id(point) for point in points})
    with transaction.atomic():
        known = group.entitlements.filter(code=code).first()
        before = _perimeter(known) if known is not None else None
        entitlement, created = Entitlement.objects.update_or_create(
            group=group, code=code, defaults={"restricted": wanted is not None}
        )
        entitlement.perimeter.all().delete()
        PerimeterPoint.objects.bulk_create(
            PerimeterPoint(entitlement=entitlement, metering_point_id=point) for point in wanted or ()
        )
        after = "all" if wanted is None else wanted
        if created or before != after:
            action = "group.service_given" if created else "group.perimeter_changed"
            _record(
                action,
                group,
                actor=actor,
                before={} if created else {"service": code, "points": before},
                after={"service": code, "points": after},
                now=now,
            )
            _tell(_members(group), now)
    return entitlement


def withdraw(*, group: UserGroup, code: str, actor: Membership | None = None, now: datetime) -> None:
    """Take a service from a group. When no group has it any more, an open service is open to all again."""
    require_administrator(actor, group.organisation)
    with transaction.atomic():
        entitlement = group.entitlements.filter(code=code).first()
        if entitlement is None:
            return
        before = {"service": code, "points": _perimeter(entitlement)}
        entitlement.delete()
        _record("group.service_withdrawn", group, actor=actor, before=before, now=now)
        _tell(_members(group), now)


def set_services(
    *,
    organisation: Organisation,
    wanted: Mapping[int, Collection[str]],
    actor: Membership | None = None,
    now: datetime,
) -> None:
    """Give these groups of the company exactly these services, in one transaction; perimeters are kept.

    A group or a service that is not named keeps what it has. Raises `InvalidGroup`.
    """
    require_administrator(actor, organisation)
    with transaction.atomic():
        groups = organisation.groups.filter(pk__in=wanted).prefetch_related("entitlements").order_by("name")
        for group in groups:
            has = {entitlement.code for entitlement in group.entitlements.all()}
            for code in sorted(set(wanted[group.pk]) - has):
                give(group=group, code=code, actor=actor, now=now)
            for code in sorted(has - set(wanted[group.pk])):
                withdraw(group=group, code=code, actor=actor, now=now)


def _set_members(
    group: UserGroup, members: Iterable[Membership], *, actor: Membership | None, now: datetime
) -> None:
    wanted = {member.pk: member for member in members}
    strangers = [
        member
        for member in wanted.values()
        if member.organisation_id != group.organisation_id or member.ended_at is not None
    ]
    if strangers:
        raise InvalidGroup("a group is made of the company's own present members")
    present = {member.pk: member for member in _members(group)}
    come = [member for pk, member in wanted.items() if pk not in present]
    gone = [member for pk, member in present.items() if pk not in wanted]
    if not come and not gone:
        return
    if actor is not None and not actor.is_administrator:
        for member in (*come, *gone):
            if member.pk == actor.pk or member.is_administrator:
                raise NotAllowed
    group.members.filter(membership__in=gone).delete()
    taken_out = group.directory_people.filter(user__in=[member.user_id for member in gone])
    group.directory_people.remove(*taken_out)
    GroupMember.objects.bulk_create(GroupMember(group=group, membership=member) for member in come)
    _record(
        "group.members_changed",
        group,
        actor=actor,
        before={"members": sorted(member.user.email for member in present.values())},
        after={"members": sorted(member.user.email for member in wanted.values())},
        now=now,
    )
    _tell((*come, *gone), now)


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


def _members(group: UserGroup) -> Iterable[Membership]:
    return Membership.objects.filter(groups__group=group).select_related("user").order_by("pk")


def _perimeter(entitlement: Entitlement) -> str | list[str]:
    if not entitlement.restricted:
        return "all"
    return list(
        entitlement.perimeter.order_by("metering_point_id").values_list("metering_point_id", flat=True)
    )


def _record(
    action: str,
    group: UserGroup,
    *,
    actor: Membership | None,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    now: datetime,
) -> None:
    subject = Subject("group", str(group.pk), group.name)
    record(
        action,
        subject=subject,
        organisation=group.organisation_id,
        actor=actor,
        before=before,
        after=after,
        now=now,
    )


def _tell(members: Iterable[Membership], now: datetime) -> None:
    for member in members:
        membership_changed.send(Membership, membership=member, now=now)
