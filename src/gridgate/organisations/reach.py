"""How far a member may use a service: asked by nearly every request, and answered by SQL that is written already.

`Membership` asks it of itself (`has`, `reach`, `within`), so this knows no model; it is held to `core.roles.decide_right`
by the property test of `rights`.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from gridgate.core.roles import BeneficiaryRole, Why
from gridgate.organisations.catalogue import BY_CODE


class Person(Protocol):
    """Whether their account is open."""

    @property
    def is_active(self) -> bool: ...


class Company(Protocol):
    """What it is on the grid."""

    @property
    def beneficiary_roles(self) -> frozenset[BeneficiaryRole]: ...


class Member(Protocol):
    """What is asked of a `Membership`."""

    pk: int
    organisation_id: int

    @property
    def user(self) -> Person: ...

    @property
    def organisation(self) -> Company: ...

    @property
    def is_administrator(self) -> bool: ...

    def is_present(self) -> bool: ...


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


def reach_of(actor: Member, code: str) -> Reach:
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


def is_present(actor: Member) -> bool:
    """False once the person no longer acts for the company, be it by its date, or their account is closed."""
    return actor.is_present() and actor.user.is_active


def within(actor: Member, code: str, field: str) -> Q:
    """The condition that `field`, a metering point's identifier, is within the member's reach of the service.

    It says nothing of who holds the point: that is the query's that it narrows.
    """
    reach = reach_of(actor, code)
    if reach.everything:
        return Q()
    if not reach.allowed:
        return Q(pk__in=[])
    return Q(**{f"{field}__in": points_reached_now(actor, code)})


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


def points_reached_now(actor: Member, code: str) -> RawSQL:
    """What `perimeter_of` finds, as a subquery that is written already: for conditions, `…__in=`."""
    return RawSQL(_REACHED, _reached(actor, code))  # noqa: S611 - constant, with its parameters apart


def count_reached(actor: Member, code: str) -> int:
    """How many lines of perimeters that is: of points that two groups name, more than points."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({_REACHED})", _reached(actor, code))  # noqa: S608 - constant
        return int(cursor.fetchone()[0])


def _reached(actor: Member, code: str) -> tuple[Any, ...]:
    at = connection.ops.adapt_datetimefield_value(timezone.now())
    return (actor.pk, code, at, at, at, at)


def forget(actor: Member) -> None:
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


def _given(actor: Member) -> dict[str, _Given]:
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
