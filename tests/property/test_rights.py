"""Whatever companies, groups, services and perimeters there are: SQL answers what plain sets answer.

The oracle below is the rule in sets. Lists, counts, single points, explanations and notices are held to it, for
every member on every point, those of other companies and of nobody included, at an instant around those at which
services and places begin and end.
"""

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gridgate.core.roles import ALWAYS, Answer, Term, Why
from gridgate.metering import rights as metering_rights
from gridgate.metering.models import MeteringPoint
from gridgate.metering.operations.titles import open_holding
from gridgate.metering.queries.points import points_readable_by
from gridgate.organisations import rights
from gridgate.organisations.catalogue import BY_CODE, CATALOGUE
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.operations.members import end_membership
from gridgate.organisations.reach import points_reached_now
from tests.examples import examples
from tests.factories.metering import make_point
from tests.factories.organisations import SINCE, make_group, make_member, make_organisation

CODES = ["meters", "measurements", "data_services", "invoices"]
POINTS = 5
DAYS = 3
"""How many days there are on which something may begin or end."""


@dataclass(frozen=True)
class Group:
    members: dict[int, Term]
    """By place among the members, from when until when they are in the group."""
    services: tuple[tuple[str, frozenset[int] | None], ...]
    """By service: places among the points, None for all."""
    terms: dict[str, Term] = field(default_factory=dict)
    """By service, from when until when the group has it; the others always."""

    def gives(self, place: int, code: str, at: datetime) -> bool:
        """To this member, at that instant."""
        within = place in self.members and code in dict(self.services)
        return within and all(
            (term.begins or at) <= at and not (term.ends and term.ends <= at)
            for term in (self.members[place], self.terms.get(code, ALWAYS))
        )

    def reserves(self, code: str, at: datetime) -> bool:
        return code in dict(self.services) and (self.terms.get(code, ALWAYS).begins or at) <= at


@dataclass(frozen=True)
class Company:
    members: tuple[str, ...]
    """Role of each, or `gone`."""
    groups: tuple[Group, ...]
    holds: frozenset[int]


def _as_declared(services: dict[str, frozenset[int] | None]) -> tuple[tuple[str, frozenset[int] | None], ...]:
    return tuple((code, points if BY_CODE[code].by_point else None) for code, points in services.items())


def midnight(number: int) -> datetime:
    return SINCE + timedelta(days=number)


def terms() -> st.SearchStrategy[Term]:
    """Half of them without dates."""
    days = [None, *map(midnight, range(1, DAYS + 1))]
    dated = [Term(first, last) for first in days for last in days if not (first and last) or first < last]
    return st.just(ALWAYS) | st.sampled_from(dated)


def instants() -> st.SearchStrategy[datetime]:
    """The very midnights on which something may begin or end, and what is just before."""
    edges = [midnight(number) for number in range(1, DAYS + 1)]
    return st.sampled_from([*edges, *(edge - timedelta(microseconds=1) for edge in edges)])


def asked_at(at: datetime) -> AbstractContextManager[Any]:
    return mock.patch("django.utils.timezone.now", return_value=at)


def companies() -> st.SearchStrategy[Company]:
    members = st.lists(
        st.sampled_from(["administrator", "user", "user", "user", "gone"]), min_size=1, max_size=4
    )
    points = st.none() | st.frozensets(st.integers(0, POINTS - 1))
    groups = st.lists(
        st.builds(
            Group,
            members=st.dictionaries(st.integers(0, 3), terms()),
            services=st.dictionaries(st.sampled_from(CODES), points, max_size=3).map(_as_declared),
            terms=st.dictionaries(st.sampled_from(CODES), terms()),
        ),
        max_size=3,
    )
    return st.builds(
        Company,
        members=members.map(lambda roles: ("administrator", *roles)),
        groups=groups.map(tuple),
        holds=st.frozensets(st.integers(0, POINTS - 1)),
    )


def reached(company: Company, place: int, code: str, at: datetime) -> set[int] | None:
    """Places of the points on which this member may use the service; None when not at all."""
    role, entry = company.members[place], BY_CODE[code]
    every = set(range(POINTS))
    if role == "gone":
        return None
    if role == "administrator":
        return every
    if not any(group.reserves(code, at) for group in company.groups):
        return every if entry.rule.open else None
    mine = [dict(group.services)[code] for group in company.groups if group.gives(place, code, at)]
    if not mine:
        return None
    return every if None in mine else set().union(*(points for points in mine if points is not None))


class Undone(Exception):
    """Takes back what an example wrote."""


@pytest.mark.django_db
@settings(
    max_examples=examples(8),
    phases=[Phase.explicit, Phase.generate],  # an example takes a second: a smaller one is not worth minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(companies(), min_size=1, max_size=2), instants())
def test_sql_answers_what_sets_answer(some: list[Company], at: datetime) -> None:
    with suppress(Undone), transaction.atomic(), asked_at(at):
        check(some, at)
        raise Undone


def check(some: list[Company], at: datetime) -> None:
    points = [make_point().pk for _ in range(POINTS)]
    built = [(company, *build(company, number, points)) for number, company in enumerate(some)]
    for company, organisation, members in built:
        held = {points[place] for place in company.holds}
        for place, member in enumerate(members):
            actor = Membership.objects.select_related("user", "organisation").get(pk=member.pk)
            for code in CODES:
                reach = reached(company, place, code, at)
                within = set() if reach is None else {points[each] for each in reach}
                assert actor.has(code) is (reach is not None)
                answer = rights.explain(actor, code)
                assert answer.allowed is (reach is not None)
                says_when(company, place, code, answer, at)
                if not BY_CODE[code].by_point:
                    continue
                seen = points_readable_by(actor=actor, service=code, today=date(2026, 1, 1))
                assert set(seen.values_list("pk", flat=True)) == within & held
                written = MeteringPoint.objects.filter(pk__in=points_reached_now(actor, code))
                assert {point.pk for point in written} == set(rights.perimeter_of(actor, code))
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
                reach = reached(company, place, code, at)
                if reach is None:
                    assert code not in counted
                else:
                    assert counted[code] == len({points[each] for each in reach} & held)
        present = Membership.objects.filter(organisation=organisation)
        for code in ("meters", "data_services"):
            for wanted in (None, points[:2], points):
                told = set(
                    rights.members_who_may(present, code, points=wanted, at=at).values_list("pk", flat=True)
                )
                assert told == {
                    member.pk
                    for place, member in enumerate(members)
                    if tells(company, place, code, wanted, points, at)
                }


def says_when(company: Company, place: int, code: str, answer: Answer, at: datetime) -> None:
    """The instant that an answer names is one at which it turns."""
    if answer.turns_at is None:
        assert answer.why not in (Why.NOT_YET, Why.NO_LONGER)
        return
    before, then = (
        reached(company, place, code, answer.turns_at - timedelta(microseconds=1)),
        reached(company, place, code, answer.turns_at),
    )
    match answer.why:
        case Why.NOT_YET:
            assert at < answer.turns_at
            assert then is not None
        case Why.NO_LONGER | Why.GIVEN:
            assert (answer.turns_at <= at) is (answer.why is Why.NO_LONGER)
            assert before is not None
        case _:
            assert answer.why is Why.OPEN_TO_ALL
            assert any(group.reserves(code, answer.turns_at) for group in company.groups)


def tells(
    company: Company, place: int, code: str, wanted: list[str] | None, points: list[str], at: datetime
) -> bool:
    reach = reached(company, place, code, at)
    if reach is None:
        return False
    if wanted is not None:
        return set(wanted) <= {points[each] for each in reach}
    unrestricted = [
        group
        for group in company.groups
        if group.gives(place, code, at) and dict(group.services)[code] is None
    ]
    given = any(group.reserves(code, at) for group in company.groups)
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
        made = make_group(
            organisation,
            f"Groupe {place}",
            [members[each] for each in group.members if each < len(members)],
            {
                code: None if wanted is None else [points[each] for each in wanted]
                for code, wanted in group.services
            },
            group.terms,
        )
        for each, term in group.members.items():
            if each < len(members) and term != ALWAYS:
                dated = made.members.filter(membership=members[each])
                dated.update(valid_from=term.begins, valid_until=term.ends)
    for place, role in enumerate(company.members):
        if role == "gone":
            end_membership(membership=members[place], now=SINCE)
    return organisation, members
