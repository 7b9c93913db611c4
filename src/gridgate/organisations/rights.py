"""May this member use this service, on which points, and why: answered by SQL, for one point or for all at once.

Every list of points is narrowed by `within`, every page is opened by `Membership.has`, and `explain` tells an
administrator what both would answer. They rest on one rule, `core.roles.decide_right`, to which a property test
holds the SQL. What an actor may is asked at the instant of the question: a term begins and ends with nobody's help.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
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
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils import timezone

from gridgate.core.roles import Answer, Given, Term, Why, decide_right
from gridgate.organisations.catalogue import BY_CODE
from gridgate.organisations.models import Entitlement, GroupMember, Membership, PerimeterPoint, present


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a member may use a service. `everything`: on every point of the company, now and later."""

    why: Why
    everything: bool = False

    @property
    def allowed(self) -> bool:
        return self.why in (Why.ADMINISTRATOR, Why.OPEN_TO_ALL, Why.GIVEN)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the company's groups have of one service, seen by one member."""

    mine: bool
    """A group gives it to the member now."""
    unrestricted: bool
    """One of these has it on every point."""


def reach_of(actor: Membership, code: str) -> Reach:
    """How far the member may use the service. Raises `KeyError` for a code that is not in the catalogue."""
    rule = BY_CODE[code].rule
    if not is_present(actor):
        return Reach(Why.ENDED)
    if not rule.offered_to(actor.organisation.beneficiary_roles):
        return Reach(Why.NOT_OFFERED)
    if actor.is_administrator:
        return Reach(Why.ADMINISTRATOR, everything=True)
    given = _given(actor).get(code)
    if given is None:
        return Reach(Why.OPEN_TO_ALL, everything=True) if rule.open else Reach(Why.GIVEN_TO_NOBODY)
    if not given.mine:
        return Reach(Why.RESERVED)
    return Reach(Why.GIVEN, everything=given.unrestricted)


def is_present(actor: Membership) -> bool:
    """False once the person no longer acts for the company, be it by its date, or their account is closed."""
    return actor.is_present() and actor.user.is_active


def within(actor: Membership, code: str, field: str) -> Q:
    """The condition that `field`, a metering point's identifier, is within the member's reach of the service.

    It says nothing of who holds the point: that is the query's that it narrows.
    """
    reach = reach_of(actor, code)
    if reach.everything:
        return Q()
    if not reach.allowed:
        return Q(pk__in=[])
    return Q(**{f"{field}__in": points_reached_now(actor, code)})


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


# A page of a restricted member narrows a dozen statements by it, where the ORM took longer to write it than to ask it.
_REACHED = """
SELECT p.metering_point_id
FROM organisations_groupmember m
JOIN organisations_entitlement e ON e.group_id = m.group_id
JOIN organisations_perimeterpoint p ON p.entitlement_id = e.id
WHERE m.membership_id = %s AND e.code = %s AND e.restricted
  AND (m.valid_from IS NULL OR m.valid_from <= %s) AND (m.valid_until IS NULL OR m.valid_until > %s)
  AND (e.valid_from IS NULL OR e.valid_from <= %s) AND (e.valid_until IS NULL OR e.valid_until > %s)
"""


def points_reached_now(actor: Membership, code: str) -> RawSQL:
    """What `perimeter_of` finds, as a subquery that is written already: for conditions, `…__in=`."""
    return RawSQL(_REACHED, _reached(actor, code))  # noqa: S611 - constant, with its parameters apart


def count_reached(actor: Membership, code: str) -> int:
    """How many lines of perimeters that is: of points that two groups name, more than points."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({_REACHED})", _reached(actor, code))  # noqa: S608 - constant
        return int(cursor.fetchone()[0])


def _reached(actor: Membership, code: str) -> tuple[Any, ...]:
    at = connection.ops.adapt_datetimefield_value(timezone.now())
    return (actor.pk, code, at, at, at, at)


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


def forget(actor: Membership) -> None:
    """Work the rights out anew when next asked: for whoever changes them while holding the row."""
    actor.__dict__.pop("_given", None)


# Asked once by nearly every request: as constant SQL, building it by the ORM took longer than answering it. A service
# is reserved from the beginning of its term on; it gives until the end, to whose place in the group is in its own term.
_RIGHTS = """
SELECT e.code,
       MAX(CASE WHEN m.id IS NOT NULL AND (e.valid_until IS NULL OR e.valid_until > %(at)s) THEN 1 ELSE 0 END),
       MAX(CASE WHEN m.id IS NOT NULL AND (e.valid_until IS NULL OR e.valid_until > %(at)s)
                 AND NOT e.restricted THEN 1 ELSE 0 END)
FROM organisations_usergroup g
JOIN organisations_entitlement e ON e.group_id = g.id AND (e.valid_from IS NULL OR e.valid_from <= %(at)s)
LEFT JOIN organisations_groupmember m ON m.group_id = g.id AND m.membership_id = %(member)s
      AND (m.valid_from IS NULL OR m.valid_from <= %(at)s) AND (m.valid_until IS NULL OR m.valid_until > %(at)s)
WHERE g.organisation_id = %(company)s
GROUP BY e.code
"""


def _given(actor: Membership) -> dict[str, _Given]:
    """By service, one row each however many groups there are; remembered on the instance, which lives a request."""
    known: dict[str, _Given] | None = actor.__dict__.get("_given")
    if known is not None:
        return known
    at = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS, {"at": at, "member": actor.pk, "company": actor.organisation_id})
        found = {
            code: _Given(bool(mine), bool(unrestricted)) for code, mine, unrestricted in cursor.fetchall()
        }
    actor.__dict__["_given"] = found
    return found
