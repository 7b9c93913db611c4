"""Groups of a company's users: who belongs to them, which services they have, and on which points.

Both may be from a day on, until a day: outside its term, nothing is given. Administrators do all of it. A member who may
manage users changes who belongs to a group, except themselves: that would be giving oneself rights.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.timezone import get_default_timezone

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import parse_metering_point_id
from gridgate.core.roles import ALWAYS, Term
from gridgate.core.text import line
from gridgate.core.time import civil_day_bounds, civil_day_of
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
from gridgate.organisations.operations.members import end_lapsed
from gridgate.organisations.rights import not_over


class InvalidGroup(GridgateError):
    """The name, the members or the services given for a group will not do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


class InvalidTerm(InvalidGroup):
    """It ends before it begins, or would change what is past."""


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
            **_dated("service_terms", {one.code: one.term for one in group.entitlements.order_by("code")}),
            **_dated("place_terms", _places(group)),
        }
        _record("group.deleted", group, actor=actor, before=before, now=now)
        group.delete()
        _tell(members, now)


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
        _require_possible(term, place.term, now)
        before = {"member": membership.user.email, **_said(place.term)}
        place.valid_from, place.valid_until = term.begins, term.ends
        place.save(update_fields=["valid_from", "valid_until"])
        after = {"member": membership.user.email, **_said(term)}
        _record("group.place_dated", group, actor=actor, before=before, after=after, now=now)
        _tell([membership], now)


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
                others = [member for member in _members(group, at=now) if member.pk != membership.pk]
                _set_members(group, [*others, *([membership] if pk in wanted else [])], actor=actor, now=now)


def set_perimeter(
    *,
    group: UserGroup,
    codes: Collection[str],
    points: Collection[str] | None,
    term: Term = ALWAYS,
    actor: Membership | None = None,
    now: datetime,
) -> None:
    """Give the group these services on the same points (None: on all), in one transaction. Raises what `give` does."""
    with transaction.atomic():
        for code in codes:
            give(group=group, code=code, points=points, term=term, actor=actor, now=now)


def give(
    *,
    group: UserGroup,
    code: str,
    points: Iterable[str] | None = None,
    term: Term = ALWAYS,
    actor: Membership | None = None,
    now: datetime,
) -> Entitlement:
    """Give a service to a group, on these points or, with None, on all of the company's, now and later.

    From the beginning of the term on the service is for the groups that have it, and for nobody else. Giving it again
    changes the perimeter, and no date. Raises `InvalidGroup`, `InvalidTerm`, and `InvalidIdentifier` for what is not a
    metering point's identifier.
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
        if known is None:
            _require_possible(term, ALWAYS, now)
        entitlement, created = Entitlement.objects.update_or_create(
            group=group,
            code=code,
            defaults={"restricted": wanted is not None},
            create_defaults={
                "restricted": wanted is not None,
                "valid_from": term.begins,
                "valid_until": term.ends,
            },
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
                after={"service": code, "points": after, **(_said(term) if created else {})},
                now=now,
            )
            _tell(_members(group), now)
    return entitlement


def date_service(
    *, group: UserGroup, code: str, term: Term, actor: Membership | None = None, now: datetime
) -> None:
    """From when until when the group has the service. Raises `InvalidTerm`, and `InvalidGroup` for a service that it has
    not.
    """
    require_administrator(actor, group.organisation)
    with transaction.atomic():
        entitlement = group.entitlements.filter(code=code).select_for_update().first()
        if entitlement is None:
            raise InvalidGroup(f"the group has no service {code}", remedy="Give it first.")
        was = entitlement.term
        if was == term:
            return
        _require_possible(term, was, now)
        entitlement.valid_from, entitlement.valid_until = term.begins, term.ends
        entitlement.save(update_fields=["valid_from", "valid_until"])
        before, after = {"service": code, **_said(was)}, {"service": code, **_said(term)}
        _record("group.service_dated", group, actor=actor, before=before, after=after, now=now)
        _tell(_members(group), now)


def withdraw(*, group: UserGroup, code: str, actor: Membership | None = None, now: datetime) -> None:
    """Take a service from a group. When no group has it any more, an open service is open to all again."""
    require_administrator(actor, group.organisation)
    with transaction.atomic():
        entitlement = group.entitlements.filter(code=code).first()
        if entitlement is None:
            return
        before = {"service": code, "points": _perimeter(entitlement), **_said(entitlement.term)}
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
    """Give these groups of the company exactly these services, in one transaction; perimeters and dates are kept.

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
    present = {member.pk: member for member in _members(group, at=now if renew else None)}
    come = [member for pk, member in wanted.items() if pk not in present]
    gone = [member for pk, member in present.items() if pk not in wanted]
    if not come and not gone:
        return
    for member in (*come, *gone):
        _require_may_move(member, actor)
    if come:
        _require_possible(term, ALWAYS, now)
    left = _places(group, [*gone, *come])  # of those who come, a place that is over
    group.members.filter(membership__in=[*gone, *come]).delete()
    taken_out = group.directory_people.filter(user__in=[member.user_id for member in gone])
    group.directory_people.remove(*taken_out)
    GroupMember.objects.bulk_create(
        GroupMember(group=group, membership=member, valid_from=term.begins, valid_until=term.ends)
        for member in come
    )
    _record(
        "group.members_changed",
        group,
        actor=actor,
        before={
            "members": sorted(member.user.email for member in present.values()),
            **_dated("place_terms", left),
        },
        after={
            "members": sorted(member.user.email for member in wanted.values()),
            **(_said(term) if come else {}),
        },
        now=now,
    )
    _tell((*come, *gone), now)


def _require_may_move(member: Membership, actor: Membership | None) -> None:
    """A user manager moves users only: not administrators, who are above, and not themselves."""
    if actor is None or actor.is_administrator:
        return
    if member.pk == actor.pk or member.is_administrator:
        raise NotAllowed


def _require_possible(term: Term, was: Term, now: datetime) -> None:
    """What is past is not changed: a new beginning is today's at the earliest, a new end is still to come."""
    if term.begins is not None and term.ends is not None and term.ends <= term.begins:
        raise InvalidTerm("it would end before it begins", remedy="Give an end after the beginning.")
    if term.ends != was.ends and term.is_over(now):
        raise InvalidTerm("the end is in the past", remedy="Give a day to come, or withdraw the right.")
    zone = get_default_timezone()
    today = civil_day_bounds(civil_day_of(now, zone), zone).start
    if term.begins is not None and term.begins != was.begins and term.begins < today:
        raise InvalidTerm("the beginning is in the past", remedy="Leave it empty: it then holds at once.")


def _said(term: Term) -> dict[str, str]:
    """The civil days as the history keeps them, the end not covered; those that are not there are not told."""
    zone = get_default_timezone()
    dates = {"valid_from": term.begins, "valid_to": term.ends}
    return {name: civil_day_of(at, zone).isoformat() for name, at in dates.items() if at is not None}


def _dated(name: str, terms: Mapping[str, Term]) -> dict[str, object]:
    """Of several, those that have dates, under a name; nothing when none has."""
    said = {of: _said(term) for of, term in terms.items() if term != ALWAYS}
    return {name: said} if said else {}


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


def _members(group: UserGroup, *, at: datetime | None = None) -> Iterable[Membership]:
    """Those who have a place in it or, with an instant, one that is not over then."""
    places = group.members.all() if at is None else group.members.filter(not_over(at))
    return Membership.objects.filter(groups__in=places).select_related("user").order_by("pk")


def _groups_of(membership: Membership, now: datetime) -> Iterable[UserGroup]:
    places = membership.groups.filter(not_over(now))
    return UserGroup.objects.filter(organisation=membership.organisation_id, members__in=places)


def _places(group: UserGroup, of: Iterable[Membership] | None = None) -> dict[str, Term]:
    """By address, from when until when the members are in the group."""
    places = group.members.select_related("membership__user").order_by("pk")
    if of is not None:
        places = places.filter(membership__in=list(of))
    return {place.membership.user.email: place.term for place in places}


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
