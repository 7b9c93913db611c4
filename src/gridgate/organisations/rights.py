"""Who may use a service, on which points, and why: of many members at once, and told to an administrator.

Every list of points is narrowed by `reach.within`, every page is opened by `Membership.has`, and `explain` says what
both would answer. They rest on one rule, `core.roles.decide_right`, to which a property test holds the SQL. What an
actor may is asked at the instant of the question: a term begins and ends with nobody's help.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from gridgate.core.roles import Answer, Given, Term, decide_right
from gridgate.organisations.catalogue import BY_CODE
from gridgate.organisations.models import Entitlement, GroupMember, Membership, PerimeterPoint, present
from gridgate.organisations.reach import is_present, reach_of


def begun(at: datetime, within: str = "") -> Q:
    """The condition that what is dated has begun. `within`: the way to it, such as `entitlement__`."""
    return Q(**{f"{within}valid_from": None}) | Q(**{f"{within}valid_from__lte": at})


def not_over(at: datetime, within: str = "") -> Q:
    """The condition that what is dated gives rights at that instant, or is to."""
    return Q(**{f"{within}valid_until": None}) | Q(**{f"{within}valid_until__gt": at})


def in_term(at: datetime, within: str = "") -> Q:
    """The condition that what is dated gives rights at that instant."""
    return begun(at, within) & not_over(at, within)


def perimeter_of(actor: Membership, code: str) -> QuerySet[PerimeterPoint, str]:
    """The identifiers of the points that the member's restricted groups have the service on, now."""
    return points_reached(actor, code).values_list("metering_point_id", flat=True)


def points_reached(
    member: Membership | OuterRef, code: str, *, at: datetime | None = None
) -> QuerySet[PerimeterPoint]:
    """The lines of the perimeters that the member's groups give the service on; without `at`, now."""
    at = at or timezone.now()
    return (
        PerimeterPoint.objects.filter(  # one call, so that it is the member's own place whose dates are asked
            in_term(at, "entitlement__"),
            in_term(at, "entitlement__group__members__"),
            entitlement__code=code,
            entitlement__restricted=True,
            entitlement__group__members__membership=member,
        )
    )


def covers(actor: Membership, code: str, point: str) -> bool:
    """Whether the point is within the member's reach of the service, the company being known to hold it."""
    reach = reach_of(actor, code)
    if not reach.allowed or reach.everything:
        return reach.allowed
    return perimeter_of(actor, code).filter(metering_point_id=point).exists()


def members_who_may(
    members: QuerySet[Membership], code: str, *, points: Iterable[str] | None, at: datetime
) -> QuerySet[Membership]:
    """Those of the members who may use the service at that instant on all of these points; None: on all of the
    company's.
    """
    entry = BY_CODE[code]
    given = Entitlement.objects.filter(begun(at), group__organisation=OuterRef("organisation"), code=code)
    mine = Entitlement.objects.filter(
        in_term(at), in_term(at, "group__members__"), group__members__membership=OuterRef("pk"), code=code
    )
    may = Q(role=Membership.Role.ADMINISTRATOR) | Q(Exists(mine.filter(restricted=False)))
    if entry.rule.open:
        may |= ~Q(Exists(given))
    if points is not None:
        wanted = sorted(set(points))
        reached = points_reached(OuterRef("pk"), code, at=at).filter(metering_point_id__in=wanted)
        several = (
            reached.order_by()
            .values("entitlement__code")
            .annotate(n=Count("metering_point_id", distinct=True))
        )
        members = members.annotate(points_reached=Coalesce(Subquery(several.values("n")[:1]), 0))
        may |= Q(Exists(mine)) & Q(points_reached=len(wanted))
    return members.filter(may, present(at), user__is_active=True)


def explain(
    member: Membership,
    code: str,
    *,
    point: str | None = None,
    held: bool = True,
    at: datetime | None = None,
) -> Answer:
    """May the member use the service (on the point), and by which groups or why not. Without `at`, now. One statement.

    `held` says whether the company holds or held the point: points live above this app, so whoever asks knows.
    """
    entry = BY_CODE[code]
    covers: Exists | Value = Value(True)
    if point is not None and entry.by_point:
        named = PerimeterPoint.objects.filter(entitlement=OuterRef("pk"), metering_point_id=point)
        covers = Exists(named)
    place = GroupMember.objects.filter(group=OuterRef("group"), membership=member)
    given = (
        Entitlement.objects.filter(group__organisation=member.organisation_id, code=code)
        .annotate(
            mine=Exists(place),
            place_from=Subquery(place.values("valid_from")),
            place_until=Subquery(place.values("valid_until")),
            covers=Case(
                When(restricted=False, then=Value(True)), default=covers, output_field=BooleanField()
            ),
            points=Case(When(restricted=True, then=Count("perimeter")), output_field=IntegerField()),
        )
        .order_by("group__name")
        .values_list(
            *("group__name", "mine", "covers", "points"),
            *("valid_from", "valid_until", "place_from", "place_until"),
        )
    )
    return decide_right(
        entry.rule,
        present=is_present(member),
        administrator=member.is_administrator,
        roles=member.organisation.beneficiary_roles,
        given=[
            Given(
                group,
                mine=mine,
                covers=covers,
                points=points if point is None else None,
                term=Term(begins, ends),
                place=Term(place_from, place_until),
            )
            for group, mine, covers, points, begins, ends, place_from, place_until in given
        ],
        held=held,
        until=member.until,
        at=at or timezone.now(),
    )
