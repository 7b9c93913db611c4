"""Whatever companies, groups, services and perimeters there are: SQL answers what plain sets answer.

The oracle below is the rule in sets. Lists, counts, single points, explanations and notices are held to it, for
every member on every point, those of other companies and of nobody included.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gridgate.core.roles import Why
from gridgate.metering import rights as metering_rights
from gridgate.metering.operations import open_holding
from gridgate.metering.queries import points_readable_by
from gridgate.organisations import rights
from gridgate.organisations.catalogue import BY_CODE, CATALOGUE
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.operations import end_membership
from tests.examples import examples
from tests.factories.metering import make_point
from tests.factories.organisations import SINCE, make_group, make_member, make_organisation

CODES = ["meters", "measurements", "data_services", "invoices"]
POINTS = 5


@dataclass(frozen=True)
class Group:
    members: frozenset[int]
    services: tuple[tuple[str, frozenset[int] | None], ...]
    """By service: places among the points, None for all."""


@dataclass(frozen=True)
class Company:
    members: tuple[str, ...]
    """Role of each, or `gone`."""
    groups: tuple[Group, ...]
    holds: frozenset[int]


def _as_declared(services: dict[str, frozenset[int] | None]) -> tuple[tuple[str, frozenset[int] | None], ...]:
    return tuple((code, points if BY_CODE[code].by_point else None) for code, points in services.items())


def companies() -> st.SearchStrategy[Company]:
    members = st.lists(
        st.sampled_from(["administrator", "user", "user", "user", "gone"]), min_size=1, max_size=4
    )
    points = st.none() | st.frozensets(st.integers(0, POINTS - 1))
    groups = st.lists(
        st.builds(
            Group,
            members=st.frozensets(st.integers(0, 3)),
            services=st.dictionaries(st.sampled_from(CODES), points, max_size=3).map(_as_declared),
        ),
        max_size=3,
    )
    return st.builds(
        Company,
        members=members.map(lambda roles: ("administrator", *roles)),
        groups=groups.map(tuple),
        holds=st.frozensets(st.integers(0, POINTS - 1)),
    )


def reached(company: Company, place: int, code: str) -> set[int] | None:
    """Places of the points on which this member may use the service; None when not at all."""
    role, entry = company.members[place], BY_CODE[code]
    every = set(range(POINTS))
    if role == "gone":
        return None
    if role == "administrator":
        return every
    given = [(group, dict(group.services)) for group in company.groups if code in dict(group.services)]
    if not given:
        return every if entry.rule.open else None
    mine = [services[code] for group, services in given if place in group.members]
    if not mine:
        return None
    return every if None in mine else set().union(*(points for points in mine if points is not None))


class Undone(Exception):
    """Takes back what an example wrote."""


@pytest.mark.django_db
@settings(
    max_examples=examples(15),
    phases=[Phase.explicit, Phase.generate],  # an example takes a second: a smaller one is not worth minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(companies(), min_size=1, max_size=2))
def test_sql_answers_what_sets_answer(some: list[Company]) -> None:
    with suppress(Undone), transaction.atomic():
        check(some)
        raise Undone


def check(some: list[Company]) -> None:
    points = [make_point().pk for _ in range(POINTS)]
    built = [(company, *build(company, number, points)) for number, company in enumerate(some)]
    for company, organisation, members in built:
        held = {points[place] for place in company.holds}
        for place, member in enumerate(members):
            actor = Membership.objects.select_related("user", "organisation").get(pk=member.pk)
            for code in CODES:
                reach = reached(company, place, code)
                within = set() if reach is None else {points[each] for each in reach}
                assert actor.has(code) is (reach is not None)
                answer = rights.explain(actor, code)
                assert answer.allowed is (reach is not None) or answer.why is Why.OUTSIDE_PERIMETER
                if not BY_CODE[code].by_point:
                    continue
                seen = points_readable_by(actor=actor, service=code, today=date(2026, 1, 1))
                assert set(seen.values_list("pk", flat=True)) == within & held
                assert seen.count() == len(within & held)
                for point in points:
                    explained = metering_rights.explain(member=actor, service=code, point=point)
                    assert explained.allowed is (point in within & held)
                    if point not in held and company.members[place] != "gone":
                        assert (explained.why, explained.groups) == (Why.NOT_HELD, ())
                    assert rights.covers(actor, code, point) is (point in within)
            counted = metering_rights.points_by_service(member=actor)
            by_point = [
                entry.code.value for entry in CATALOGUE if entry.by_point and entry.code.value in CODES
            ]
            for code in by_point:
                reach = reached(company, place, code)
                if reach is None:
                    assert code not in counted
                else:
                    assert counted[code] == len({points[each] for each in reach} & held)
        present = Membership.objects.filter(organisation=organisation)
        for code in ("meters", "data_services"):
            for wanted in (None, points[:2], points):
                told = set(rights.members_who_may(present, code, points=wanted).values_list("pk", flat=True))
                assert told == {
                    member.pk
                    for place, member in enumerate(members)
                    if tells(company, place, code, wanted, points)
                }


def tells(company: Company, place: int, code: str, wanted: list[str] | None, points: list[str]) -> bool:
    reach = reached(company, place, code)
    if reach is None:
        return False
    if wanted is not None:
        return set(wanted) <= {points[each] for each in reach}
    unrestricted = [
        group
        for group in company.groups
        if place in group.members and dict(group.services).get(code, frozenset()) is None
    ]
    given = any(code in dict(group.services) for group in company.groups)
    return company.members[place] == "administrator" or bool(unrestricted) or not given


def build(company: Company, number: int, points: list[str]) -> tuple[Organisation, list[Membership]]:
    organisation = make_organisation(f"Entreprise {number}")
    members = [
        make_member(organisation, f"Membre {number} {place}", role="user" if role == "gone" else role)
        for place, role in enumerate(company.members)
    ]
    for place in company.holds:
        # One point may be held by several of these companies, one after the other.
        open_holding(
            metering_point=points[place],
            holder=organisation,
            valid_from=date(2010 + number, 1, 1),
            valid_to=date(2011 + number, 1, 1),
            now=SINCE,
        )
    for place, group in enumerate(company.groups):
        make_group(
            organisation,
            f"Groupe {place}",
            [members[each] for each in group.members if each < len(members)],
            {
                code: None if wanted is None else [points[each] for each in wanted]
                for code, wanted in group.services
            },
        )
    for place, role in enumerate(company.members):
        if role == "gone":
            end_membership(membership=members[place], now=SINCE)
    return organisation, members
