"""The services given to groups, on which points and from when until when."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import transaction

from gridgate.core.identifiers import parse_metering_point_id
from gridgate.core.roles import ALWAYS, Term
from gridgate.organisations.authority import require_administrator
from gridgate.organisations.catalogue import BY_CODE
from gridgate.organisations.models import Entitlement, Membership, Organisation, PerimeterPoint, UserGroup
from gridgate.organisations.operations.group_steps import (
    InvalidGroup,
    members_now,
    record_step,
    require_possible,
    said_of,
    tell_members,
)


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
        before = perimeter(known) if known is not None else None
        if known is None:
            require_possible(term, ALWAYS, now)
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
            record_step(
                action,
                group,
                actor=actor,
                before={} if created else {"service": code, "points": before},
                after={"service": code, "points": after, **(said_of(term) if created else {})},
                now=now,
            )
            tell_members(members_now(group), now)
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
        require_possible(term, was, now)
        entitlement.valid_from, entitlement.valid_until = term.begins, term.ends
        entitlement.save(update_fields=["valid_from", "valid_until"])
        before, after = {"service": code, **said_of(was)}, {"service": code, **said_of(term)}
        record_step("group.service_dated", group, actor=actor, before=before, after=after, now=now)
        tell_members(members_now(group), now)


def withdraw(*, group: UserGroup, code: str, actor: Membership | None = None, now: datetime) -> None:
    """Take a service from a group. When no group has it any more, an open service is open to all again."""
    require_administrator(actor, group.organisation)
    with transaction.atomic():
        entitlement = group.entitlements.filter(code=code).first()
        if entitlement is None:
            return
        before = {"service": code, "points": perimeter(entitlement), **said_of(entitlement.term)}
        entitlement.delete()
        record_step("group.service_withdrawn", group, actor=actor, before=before, now=now)
        tell_members(members_now(group), now)


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


def perimeter(entitlement: Entitlement) -> str | list[str]:
    if not entitlement.restricted:
        return "all"
    return list(
        entitlement.perimeter.order_by("metering_point_id").values_list("metering_point_id", flat=True)
    )
