"""Rights that end soon, and those that ended and leave their service to nobody: for a company's administrators."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from gridgate.organisations.catalogue import offered_to
from gridgate.organisations.models import Entitlement, GroupMember, Membership, present
from gridgate.organisations.rights import begun, in_term


@dataclass(frozen=True, slots=True)
class Ending:
    """A service of a group, or a member's place in it (`member`), and the instant at which it ends."""

    group: int
    group_name: str
    ends_at: datetime
    code: str = ""
    member: Membership | None = None


def rights_ending(*, actor: Membership, now: datetime, before: datetime) -> list[Ending]:
    """Services and places that end by then; what ends first, first. Nothing for whoever is no administrator. Two
    statements.
    """
    if not actor.is_administrator:
        return []
    soon = Q(valid_until__gt=now, valid_until__lte=before, group__organisation=actor.organisation_id)
    codes = [entry.code.value for entry in offered_to(actor.organisation.beneficiary_roles)]
    services = Entitlement.objects.filter(soon, code__in=codes).select_related("group").order_by("pk")
    places = (
        GroupMember.objects.filter(soon, present(now, of="membership__"), membership__user__is_active=True)
        .select_related("group", "membership__user")
        .order_by("pk")
    )
    found = [
        *(Ending(one.group_id, one.group.name, one.valid_until or now, code=one.code) for one in services),
        *(
            Ending(one.group_id, one.group.name, one.valid_until or now, member=one.membership)
            for one in places
        ),
    ]
    return sorted(found, key=lambda one: one.ends_at)


def reserved_to_nobody(*, actor: Membership, now: datetime) -> list[Entitlement]:
    """One right of each service that is reserved, was given until a day that is over, and is now for administrators
    alone. One statement.
    """
    if not actor.is_administrator:
        return []
    company = actor.organisation_id
    used = Entitlement.objects.filter(
        in_term(now),
        in_term(now, "group__members__"),
        present(now, of="group__members__membership__"),
        group__organisation=company,
        code=OuterRef("code"),
        group__members__membership__user__is_active=True,
    )
    left = GroupMember.objects.filter(group=OuterRef("group"), valid_until__lte=now)
    codes = [entry.code.value for entry in offered_to(actor.organisation.beneficiary_roles)]
    rows = (
        Entitlement.objects.filter(begun(now), group__organisation=company, code__in=codes)
        .filter(Q(valid_until__lte=now) | Q(Exists(left)))
        .exclude(Exists(used))
        .select_related("group")
        .order_by("pk")
    )
    return list({one.code: one for one in rows}.values())
