"""What this room tells the rest of the house of itself (`core.capability`)."""

from datetime import datetime
from typing import Any

from gridgate.core.capability import PersonalData, Rows, iso
from gridgate.organisations.models import Membership, User


def _profile(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.full_name,
        "language": user.language,
        "time_zone": user.time_zone,
        "told_of_sign_ins": user.tell_of_sign_ins,
        "account_opened_at": iso(user.created_at),
        "last_sign_in_at": iso(user.last_login),
    }


def _memberships(user: User) -> Rows:
    memberships = user.memberships.select_related("organisation").order_by("created_at", "pk")
    return [_membership(membership) for membership in memberships]


def _membership(membership: Membership) -> dict[str, Any]:
    places = list(membership.groups.select_related("group").order_by("group__name"))
    dated = [place for place in places if place.valid_from or place.valid_until]
    return {
        "company": membership.organisation.as_said,
        "role": str(membership.role),
        "external": membership.external,
        "directory_identifier": membership.external_id,
        "groups": [place.group.name for place in places],
        "group_dates": {
            place.group.name: {"from": iso(place.valid_from), "until": iso(place.valid_until)}
            for place in dated
        },
        "from": iso(membership.created_at),
        "until": iso(membership.until),
        "to": iso(membership.ended_at or (None if membership.is_present() else membership.until)),
    }


def _sign_ins(user: User) -> Rows:
    return [
        {"at": iso(row.at), "address": row.address, "device": row.device, "method": row.method}
        for row in user.sign_ins.order_by("at", "pk")
    ]


def _forget(user: User, now: datetime) -> None:
    user.sign_ins.all().delete()


PERSONAL_DATA = PersonalData(
    sections={"profile": _profile, "memberships": _memberships, "sign_ins": _sign_ins}, forget=_forget
)
