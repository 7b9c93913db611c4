"""Whatever company there is and whatever changes: what is said beforehand is what becomes of everybody.

The rights foreseen are held to those read anew once the operation has been done, and each list of who loses or gains
what to the difference of what every member may do before and after, as SQL answers it, at once and at a later instant.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gridgate.applications.operations import create_application, set_group
from gridgate.core.roles import Term
from gridgate.metering.queries.points import points_of_company, points_readable_by
from gridgate.organisations.catalogue import BY_CODE
from gridgate.organisations.company_rights import CompanyRights
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.operations.groups import (
    date_place,
    delete_group,
    set_groups,
    set_members,
)
from gridgate.organisations.operations.members import end_membership, set_role
from gridgate.organisations.operations.services import date_service, set_perimeter, set_services
from gridgate.organisations.rights_changes import Change, Difference, becoming, newly
from gridgate.portal.screens.company.consequences import (
    consequences,
    fingerprint,
    losses,
    present_rights,
)
from gridgate.portal.screens.company.rights_export import Spell, spells
from tests.examples import examples
from tests.factories.metering import make_point
from tests.factories.organisations import SINCE
from tests.property.test_rights import (
    CODES,
    POINTS,
    Company,
    Undone,
    asked_at,
    build,
    companies,
    instants,
    terms,
)

BY_POINT = [code for code in CODES if BY_CODE[code].by_point]


@dataclass(frozen=True)
class Wish:
    """A change, in numbers that are taken modulo what there is."""

    kind: str
    which: int
    codes: frozenset[str]
    others: frozenset[int]
    everything: bool
    term: Term


def wishes() -> st.SearchStrategy[Wish]:
    return st.builds(
        Wish,
        kind=st.sampled_from(
            [
                "delete",
                "services",
                "perimeter",
                "members",
                "role",
                "groups",
                "detach",
                "service dates",
                "place dates",
            ]
        ),
        which=st.integers(0, 5),
        codes=st.frozensets(st.sampled_from(CODES), min_size=1, max_size=3),
        others=st.frozensets(st.integers(0, 4), max_size=4),
        everything=st.booleans(),
        term=terms(),
    )


@pytest.mark.django_db
@settings(
    max_examples=examples(18),
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(companies(), wishes(), st.tuples(instants(), instants()).map(sorted))
def test_what_is_said_before_is_what_becomes_of_everybody(
    company: Company, wish: Wish, asked: list[datetime]
) -> None:
    with suppress(Undone), transaction.atomic(), asked_at(asked[0]):
        check(company, wish, asked)
        raise Undone


def check(company: Company, wish: Wish, asked: list[datetime]) -> None:
    """`asked`: the instant of the change, and another at which what it said is compared with what is so."""
    points = [make_point().pk for _ in range(POINTS)]
    organisation, members = build(company, 0, points)
    groups = list(organisation.groups.order_by("pk"))
    actor = fresh(members[0])
    create_application(organisation=organisation, name="Libre", now=SINCE)
    if groups:
        program = create_application(organisation=organisation, name="Suivi", now=SINCE).application
        set_group(application=program, group=groups[wish.which % len(groups)], now=SINCE)

    rights = present_rights(actor=actor)
    present = [fresh(member) for member, role in zip(members, company.members, strict=True) if role != "gone"]
    before = {at: answered(present, at) for at in asked}
    for at in asked:
        agree_with(replace(rights, at=at), before[at], "before")
        is_listed(rights, at, before[at])

    foreseen, do = planned(rights, wish, groups, present, points, actor)
    changes = becoming(rights, foreseen)
    do()
    anew = present_rights(actor=fresh(members[0]))
    assert foreseen.people == anew.people
    held = points_of_company(actor=actor)
    for at in asked:
        after = answered(present, at)
        agree_with(replace(foreseen, at=at), after, "after")
        by_code = {str(change.entry.code): change for change in changes if (change.at or asked[0]) <= at}
        for one in present:
            for code in CODES:
                was, becomes = before[at][one.pk][code], after[one.pk][code]
                change = by_code.get(code)
                name = one.user.full_name
                agrees(change.losses if change else (), name, was, becomes, held, code)
                agrees(change.gains if change else (), name, becomes, was, held, code)
    for change in changes:
        says_somebody(change, actor)
    nothing_is_told_twice(changes, actor)


Answers = dict[int, dict[str, set[str] | None]]


def answered(present: list[Membership], at: datetime) -> Answers:
    with asked_at(at):
        return {one.pk: what(fresh(one)) for one in present}


def agree_with(rights: CompanyRights, answers: Answers, when: str) -> None:
    for member, by_code in answers.items():
        for code, points in by_code.items():
            assert seen_by(rights, member, code) == points, when


def is_listed(rights: CompanyRights, at: datetime, answers: Answers) -> None:
    """*Qui peut quoi*, read now, says of a later instant what is so then."""
    for member, by_code in answers.items():
        for code, points in by_code.items():
            said = [
                point
                for spell in (spells(rights, member, BY_CODE[code]) if member in rights.people else ())
                for point, ends in spell.points
                if Term(spell.begins, ends).holds(at)
                and says_why(spell, replace(rights, at=at), member, code)
            ]
            assert len(said) == len(set(said))
            assert set(said) - {""} == ((points or set()) & rights.held if code in BY_POINT else set())
            assert code in BY_POINT or ("" in said) is (points is not None)


def says_why(spell: Spell, then: CompanyRights, member: int, code: str) -> bool:
    """Throughout, it is had by what it was had by when it began, and on points to come as then."""
    entry = BY_CODE[code]
    extent = then.reach(member, entry)
    assert spell.to_come == (extent is not None and extent.everything)
    if not then.people[member].administrator:
        assert sorted(spell.rights.giving(member, entry)) == sorted(then.giving(member, entry))
    return True


def agrees(
    differences: tuple[Difference, ...],
    name: str,
    more: set[str] | None,
    less: set[str] | None,
    held: frozenset[str],
    code: str,
) -> None:
    """What the lists say of one member is what SQL answers more on one side than on the other."""
    said = [one for one in differences if name in one.names]
    assert len(said) <= 1
    if more is None or (less is not None and code not in BY_POINT):
        assert said == []
        return
    if less is None:
        assert said
        assert said[0].whole
        assert code not in BY_POINT or said[0].points == more & held
        return
    here = (more - less) & held
    if said:
        assert not said[0].whole
        assert said[0].points == here
        assert here or said[0].everywhere
    else:
        assert not here


def says_somebody(change: Change, actor: Membership) -> None:
    """The page never leaves out somebody of whom the lists tell, and says it in the message after."""
    if not change.matters:
        return
    [one] = consequences([change], actor=actor)
    text = " ".join(said.text + " ".join(said.names) for said in (*one.sentences, *one.others))
    differences = change.losses if change.opens else (*change.losses, *change.gains)
    assert [name for one in differences for name in one.names if name not in text] == []
    assert bool(losses([change])) == one.takes
    assert bool(change.losses or change.programs_lose) <= change.asks_to_confirm
    assert fingerprint([change]) == fingerprint([change])


def nothing_is_told_twice(changes: list[Change], actor: Membership) -> None:
    """What each day tells, put together, is what is so then, and no day tells again what holds already."""
    told: dict[str, set[Cell]] = {}
    for change, new in zip(changes, newly(changes), strict=True):
        so_far = told.setdefault(str(change.entry.code), set())
        eased = cells("", *([one.difference for one in some] for some in (new.eased, new.programs_eased)))
        for key, program, point, _sign in eased:
            [sign] = {"lost", "gained"} & {one[3] for one in so_far if one[:3] == (key, program, point)}
            so_far.remove((key, program, point, sign))
        added = cells("lost", new.losses, new.programs_lose) | cells("gained", new.gains, new.programs_gain)
        assert not added & so_far
        turned = {(*one[:3], "lost" if one[3] == "gained" else "gained") for one in added}
        so_far -= turned
        so_far |= added
        lost, gained = (
            cells("lost", change.losses, change.programs_lose),
            cells("gained", change.gains, change.programs_gain),
        )
        assert so_far == lost | gained
    on_page = consequences(changes, actor=actor)
    assert all(one.becomes or one.sentences for one in on_page)


Cell = tuple[int, bool, str, str]
"""A member or a program, on a point, loses or gains."""


def cells(sign: str, people: Iterable[Difference], programs: Iterable[Difference]) -> set[Cell]:
    return {
        (key, program, point, sign)
        for program, differences in ((False, people), (True, programs))
        for one in differences
        for point in (*one.points, *(["to come"] if one.everywhere else []))
        for key in one.keys
    }


def planned(
    rights: CompanyRights,
    wish: Wish,
    groups: list[UserGroup],
    present: list[Membership],
    points: list[str],
    actor: Membership,
) -> tuple[CompanyRights, Callable[[], Any]]:
    """The rights as they are foreseen, and the operation that makes them so."""
    group = groups[wish.which % len(groups)] if groups else None
    others = present[1:]
    member = others[wish.which % len(others)] if others else None
    chosen = [one for place, one in enumerate(present) if place in wish.others]
    some = None if wish.everything else {points[place] for place in wish.others if place < POINTS}
    organisation = actor.organisation
    match wish.kind:
        case "delete" if group:
            return rights.without_group(group.pk), lambda: delete_group(group=group, now=SINCE)
        case "services" if group:
            has = set(group.entitlements.values_list("code", flat=True))
            after = rights.with_services(
                give=[(group.pk, code) for code in wish.codes - has],
                withdraw=[(group.pk, code) for code in has - wish.codes],
            )
            return after, lambda: set_services(
                organisation=organisation, wanted={group.pk: list(wish.codes)}, now=SINCE
            )
        case "perimeter" if group:
            codes = [code for code in wish.codes if code in BY_POINT]
            after = rights.with_perimeter(group.pk, codes, some)
            return after, lambda: set_perimeter(group=group, codes=codes, points=some, now=SINCE)
        case "members" if group:
            after = rights.with_members(group.pk, [one.pk for one in chosen])
            return after, lambda: set_members(group=group, members=chosen, now=SINCE)
        case "service dates" if group and (code := group.entitlements.values_list("code", flat=True).first()):
            after = rights.with_term(group.pk, code, wish.term)
            return after, lambda: date_service(group=group, code=code, term=wish.term, now=SINCE)
        case "place dates" if group and (place := group.members.select_related("membership__user").first()):
            who = place.membership
            after = rights.with_place(group.pk, who.pk, wish.term)
            return after, lambda: date_place(group=group, membership=who, term=wish.term, now=SINCE)
        case "groups" if member:
            wanted = [one for place, one in enumerate(groups) if place in wish.others]
            after = rights.with_groups(member.pk, [one.pk for one in wanted])
            return after, lambda: set_groups(membership=member, groups=wanted, now=SINCE)
        case "role" if member:
            role = "administrator" if wish.everything else "user"
            after = rights.with_role(member.pk, administrator=wish.everything)
            return after, lambda: set_role(membership=member, role=role, now=SINCE)
        case "detach" if member:
            return rights.without_member(member.pk), lambda: end_membership(membership=member, now=SINCE)
    return rights, lambda: None


def fresh(member: Membership) -> Membership:
    """As a new request reads it."""
    return Membership.objects.select_related("user", "organisation").get(pk=member.pk)


def what(member: Membership) -> dict[str, set[str] | None]:
    """By service, the company's points on which the member may use it, as lists answer; None when not at all."""
    return {
        code: None
        if not member.has(code)
        else set(
            points_readable_by(actor=member, service=code, today=SINCE.date()).values_list("pk", flat=True)
        )
        if code in BY_POINT
        else set()
        for code in CODES
    }


def seen_by(rights: CompanyRights, member: int, code: str) -> set[str] | None:
    """The same, as the rights of the whole company say."""
    if member not in rights.people:
        return None
    extent = rights.reach(member, BY_CODE[code])
    if extent is None:
        return None
    if code not in BY_POINT:
        return set()
    return set(rights.held if extent.everything else extent.points & rights.held)
