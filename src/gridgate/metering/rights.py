"""May this person do this on this point, and why (not)? The one function that answers, and the counts beside it."""

from datetime import datetime

from django.db.models import Count, Exists, OuterRef, Q

from gridgate.core.roles import Answer
from gridgate.metering.models import TitleHolding
from gridgate.organisations import rights
from gridgate.organisations.catalogue import BY_CODE, EntitlementCode
from gridgate.organisations.models import Membership


def explain(
    *, member: Membership, service: str, point: str | None = None, at: datetime | None = None
) -> Answer:
    """What `points_readable_by` and `Membership.has` would answer (without `at`, now), with the groups that decide it.

    Without `point`: may the member use the service at all. A point that the company never held answers as one
    that does not exist. Two statements at most. Raises `KeyError` for a service that the catalogue does not have.
    """
    if point is None or not BY_CODE[service].by_point:
        return rights.explain(member, service, at=at)
    held = TitleHolding.objects.filter(holder=member.organisation_id, metering_point=point).exists()
    return rights.explain(member, service, point=point, held=held, at=at)


def points_by_service(*, member: Membership) -> dict[str, int]:
    """How many points that the company holds or held the member may use each service by point on; one statement.

    A service that the member may not use, and one that is not by point, is absent.
    """
    held = TitleHolding.objects.filter(holder=member.organisation_id)
    counts = {}
    for code in EntitlementCode:
        if BY_CODE[code].by_point and (reach := member.reach(code)).allowed:
            counts[code.value] = _counted(member, code, everything=reach.everything)
    if not counts:
        return {}
    found: dict[str, int] = held.aggregate(**counts)
    return found


def _counted(member: Membership, code: EntitlementCode, *, everything: bool) -> Count:
    if everything:
        return Count("metering_point", distinct=True)
    mine = rights.points_reached(member, code).filter(metering_point_id=OuterRef("metering_point"))
    return Count("metering_point", distinct=True, filter=Q(Exists(mine)))
