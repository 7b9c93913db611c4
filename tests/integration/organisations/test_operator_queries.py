"""The back office's queries: for the operator's staff only, and bounded."""

from datetime import timedelta

import pytest

from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.kyc.kind import KYC
from gridgate.metering import operator_queries as metering
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.operations.members import end_membership
from gridgate.portal.screens.operator import reads as queries
from gridgate.requests import desk
from gridgate.requests.operations.desk import take_next, take_several
from gridgate.requests.operations.life import take
from gridgate.sharing import operator_queries as sharing
from tests.factories.eic import make_request
from tests.factories.organisations import make_member
from tests.world import World

KINDS = (EIC, KYC)

READING = {
    "companies": lambda world, actor: queries.companies(actor=actor, now=world.now),
    "company": lambda world, actor: queries.company(actor=actor, siren=world.acme.siren),
    "contracts_of": lambda world, actor: queries.contracts_of(actor=actor, organisation=world.acme),
    "eic_codes_of": lambda world, actor: queries.eic_codes_of(actor=actor, organisation=world.acme),
    "administrators_of": lambda world, actor: queries.administrators_of(actor=actor, organisation=world.acme),
    "declarations_of": lambda world, actor: queries.declarations_of(actor=actor, organisation=world.acme),
    "people_counts": lambda world, actor: queries.people_counts(actor=actor, organisation=world.acme),
    "people_by_role": lambda world, actor: queries.people_by_role(actor=actor),
    "asked_of_terms": lambda world, actor: queries.asked_of_terms(actor=actor),
    "versions_of_terms": lambda world, actor: queries.versions_of_terms(actor=actor, now=world.now),
    "acts_for": lambda world, actor: queries.acts_for(actor=actor, organisation=world.client_b),
    "desk_rows": lambda world, actor: desk.desk_rows(
        kinds=KINDS, wanted=desk.DeskFilter(), actor=actor, now=world.now
    ),
    "desk_figures": lambda world, actor: desk.desk_figures(kinds=KINDS, actor=actor, now=world.now),
    "waiting_counts": lambda world, actor: desk.waiting_counts(kinds=KINDS, actor=actor),
    "take_next": lambda world, actor: take_next(kinds=KINDS, actor=actor, now=world.now),
    "take_several": lambda world, actor: take_several(numbers=[], kinds=KINDS, actor=actor, now=world.now),
    "points_of_register": lambda world, actor: metering.points_of_register(
        actor=actor, today=world.now.date()
    ),
    "point_of_register": lambda world, actor: metering.point_of_register(
        actor=actor, point_id=world.p1.pk, today=world.now.date()
    ),
    "holdings_of_point": lambda world, actor: metering.holdings_of_point(actor=actor, point=world.p1),
    "collections_of_point": lambda world, actor: metering.collections_of_point(actor=actor, point=world.p1),
    "holdings_of_company": lambda world, actor: metering.holdings_of_company(
        actor=actor, organisation=world.acme, today=world.now.date()
    ),
    "points_held": lambda world, actor: metering.points_held(
        actor=actor, companies=[world.acme.pk], today=world.now.date()
    ),
    "permission_counts": lambda world, actor: sharing.permission_counts(
        actor=actor, organisation=world.acme, now=world.now
    ),
    "permissions_on": lambda world, actor: sharing.permissions_on(
        actor=actor, point=world.p1, holder=world.acme, now=world.now
    ),
    "permissions_on_all_points": lambda world, actor: sharing.permissions_on_all_points(
        actor=actor, holder=world.acme, now=world.now
    ),
    "data_services": lambda world, actor: sharing.data_services(actor=actor, now=world.now),
}


@pytest.mark.parametrize("name", READING)
@pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
def test_nobody_but_the_operators_staff_reads_any_of_it(world: World, name: str, who: str) -> None:
    with pytest.raises(NotAllowed):
        READING[name](world, world.membership(who))
    READING[name](world, world.operateur)


def test_somebody_who_left_the_operator_reads_no_more(world: World) -> None:
    agent = make_member(world.operator, "Odile", email="odile@reseau-demo.example")
    queries.companies(actor=agent, now=world.now)
    end_membership(membership=agent, now=world.now)
    with pytest.raises(NotAllowed):
        queries.companies(actor=agent, now=world.now)


class TestTheDesk:
    def test_is_one_statement_for_its_rows_whatever_their_kinds(
        self, world: World, django_assert_num_queries
    ) -> None:
        for number in range(3):
            make_request(world.alice, display_name=f"ACME-{number}", long_name="Atelier")
        rows = desk.desk_rows(kinds=KINDS, wanted=desk.DeskFilter(), actor=world.operateur, now=world.now)
        with django_assert_num_queries(1):
            assert len(rows[0:50]) == 3
        with django_assert_num_queries(1):
            assert rows.count() == 3
        with django_assert_num_queries(1):
            counts = desk.waiting_counts(kinds=KINDS, actor=world.operateur)
        assert (counts["EIC"], counts.get("KYC", 0)) == (3, 0)
        with django_assert_num_queries(len(KINDS) + 1):
            desk.desk_figures(kinds=KINDS, actor=world.operateur, now=world.now)

    def test_has_nothing_without_a_kind(self, world: World) -> None:
        rows = desk.desk_rows(kinds=(), wanted=desk.DeskFilter(), actor=world.operateur, now=world.now)
        assert (rows.count(), rows[0:5], list(rows)) == (0, [], [])
        assert desk.waiting_counts(kinds=(), actor=world.operateur) == {}
        figures = desk.desk_figures(kinds=(), actor=world.operateur, now=world.now)
        assert (figures.open, figures.late, figures.median_delay) == (0, 0, None)

    def test_gives_the_next_request_to_one_colleague_only(self, world: World) -> None:
        odile = make_member(world.operator, "Odile", email="odile@reseau-demo.example")
        first = make_request(world.alice, display_name="ACME-1", now=world.now - timedelta(days=2))
        second = make_request(world.alice, display_name="ACME-2", long_name="Atelier")
        taken = [take_next(kinds=KINDS, actor=actor, now=world.now) for actor in (world.operateur, odile)]
        assert [request.number for request in taken if request] == [first.number, second.number]
        assert take_next(kinds=KINDS, actor=odile, now=world.now) is None
        followers = EicRequest.objects.order_by("number").values_list("followed_by", flat=True)
        assert list(followers) == [world.operateur.pk, odile.pk]

    def test_takes_over_a_colleagues_and_writes_nothing_for_ones_own(self, world: World) -> None:
        odile = make_member(world.operator, "Odile", email="odile@reseau-demo.example")
        request = make_request(world.alice, display_name="ACME-1")
        take(EIC, request, actor=odile, now=world.now)
        numbers = [request.number, "EIC-2026-99999"]
        for _time in range(2):
            done = take_several(numbers=numbers, kinds=KINDS, actor=world.operateur, now=world.now)
            assert (done.taken, done.passed_over) == ([request.number], ["EIC-2026-99999"])
        states = [event.state for event in desk_events(request)]
        assert states == ["submitted", "in_review", "in_review"]


def desk_events(request: EicRequest):
    from gridgate.requests.operations.life import events_of

    return events_of(request)
