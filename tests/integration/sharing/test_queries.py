from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.core.errors import ErrorKind
from gridgate.core.quantities import Kind
from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.sharing.models import PermissionRequest, Receipt
from gridgate.sharing.queries.companies import (
    companies_reading,
    count_points,
    points_shared,
    reading_company,
    shares_of_points,
)
from gridgate.sharing.queries.permissions import (
    ended,
    events_of,
    in_force,
    permission_given,
    permission_received,
    permissions_given,
    permissions_received,
)
from gridgate.sharing.queries.reach import NotReadable
from gridgate.sharing.queries.receipts import last_receipt, receipt, receipts_readable_by
from gridgate.sharing.queries.requests import (
    count_requests_to_answer,
    points_asked,
    request_received,
    requests_made,
    requests_received,
    requests_to_answer,
    requests_waiting,
)
from gridgate.sharing.queries.services import service_readable_by, services_readable_by
from tests.factories.audit import make_reads
from tests.factories.metering import leave, make_held_point
from tests.factories.organisations import restrict
from tests.factories.sharing import make_permission, make_service

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 11, 25)
DAYS = [TODAY - timedelta(days=back) for back in range(29, -1, -1)]


@pytest.fixture
def shared(world):
    """Tiers 1 reads p1 and p2; Tiers 2 reads p2 and p3; Tiers 3 reads all of ACME's points."""
    one = make_permission(
        make_service(world.third_party_1), world.acme, points=[world.p1, world.p2], now=world.now
    )
    two = make_permission(
        make_service(world.third_party_2), world.acme, points=[world.p2, world.p3], now=world.now
    )
    three = make_permission(make_service(world.third_party_3), world.acme, now=world.now)
    return SimpleNamespace(**vars(world), one=one, two=two, three=three)


def reading(world, actor, **more):
    return companies_reading(actor=actor, now=world.now, today=TODAY, days=DAYS, **more)


def make_receipt(world, *permissions, number="R-2026-000001"):
    made = Receipt.objects.create(
        number=number,
        holder=permissions[0].holder,
        eligible_party=permissions[0].eligible_party,
        issued_at=world.now,
        payload={},
        jws="",
    )
    made.permissions.set(permissions)
    return made


def make_request(world, *points, state=PermissionState.REQUESTED):
    made = PermissionRequest.objects.create(
        service=make_service(world.third_party_1),
        holder=world.acme,
        eligible_party=world.third_party_1,
        all_points=not points,
        valid_until=date(2027, 11, 25),
        requested_at=world.now,
        state=state,
    )
    made.points.set(points)
    return made


# --- Who sees what


def test_the_holder_sees_what_it_gave_and_nobody_elses(shared):
    assert set(permissions_given(actor=shared.alice)) == {shared.one, shared.two, shared.three}
    assert not permissions_given(actor=shared.charlie).exists()
    assert not permissions_given(actor=shared.tiers1).exists()


def test_the_third_party_sees_what_it_received_and_nobody_elses(shared):
    assert set(permissions_received(actor=shared.tiers1)) == {shared.one}
    assert permission_received(actor=shared.tiers1, permission_id=shared.one.pk) == shared.one
    with pytest.raises(NotReadable):
        permission_received(actor=shared.tiers1, permission_id=shared.two.pk)
    assert not permissions_received(actor=shared.alice).exists()


@pytest.mark.parametrize("query", [permissions_given, permissions_received, requests_received, requests_made])
def test_without_the_entitlement_nothing_is_seen(shared, query):
    make_request(shared, shared.p1)
    assert not query(actor=shared.acme_user).exists()
    assert not services_readable_by(actor=shared.acme_user).exists()


def test_a_past_member_sees_nothing(shared):
    shared.alice.ended_at = shared.now
    assert not permissions_given(actor=shared.alice).exists()
    assert not receipts_readable_by(actor=shared.alice).exists()


def test_a_restricted_member_sees_what_touches_their_perimeter_and_what_exceeds_it(shared):
    only_p3 = make_permission(
        make_service(shared.third_party_1), shared.acme, points=[shared.p3], now=shared.now
    )
    seen = {permission: permission.exceeds for permission in permissions_given(actor=shared.bob)}
    assert seen == {shared.one: False, shared.two: True, shared.three: True}
    assert only_p3 not in seen


def test_an_empty_perimeter_sees_not_even_what_covers_all_points(shared):
    restrict(shared.bob, [])
    assert not permissions_given(actor=shared.bob).exists()


def test_another_companys_permission_is_as_absent(shared):
    for unknown in (shared.one.pk, uuid4()):
        with pytest.raises(NotReadable) as refused:
            permission_given(actor=shared.charlie, permission_id=unknown)
        assert refused.value.kind is ErrorKind.NOT_FOUND
    assert permission_given(actor=shared.alice, permission_id=shared.one.pk) == shared.one


def test_a_company_that_reads_nothing_of_the_actors_is_as_absent(shared):
    assert reading_company(actor=shared.alice, siren="222333445") == shared.third_party_1
    for siren in ("123456782", "999999999", "100000009"):
        with pytest.raises(NotReadable):
            reading_company(actor=shared.alice, siren=siren)
    with pytest.raises(NotReadable):
        reading_company(actor=shared.acme_user, siren="222333445")


def test_the_operator_reads_by_law_without_a_permission(shared):
    make_service(shared.operator, legal_basis=LegalBasis.PUBLIC_TASK, offered=False)
    assert reading_company(actor=shared.alice, siren="100000009") == shared.operator
    with pytest.raises(NotReadable):
        reading_company(actor=shared.acme_user, siren="100000009")


# --- What is in force, what has ended


def test_a_permission_whose_time_is_over_has_ended_even_before_it_is_told(world):
    over = make_permission(
        make_service(world.third_party_1),
        world.acme,
        until=world.now,
        now=world.now,
        since=world.now - timedelta(days=9),
    )
    given = permissions_given(actor=world.alice)
    assert not in_force(given, now=world.now).exists()
    assert in_force(given, now=world.now - timedelta(seconds=1)).exists()
    assert ended(given, now=world.now).get().ended_at == over.valid_until


def test_a_suspended_permission_is_still_there(world):
    make_permission(
        make_service(world.third_party_1), world.acme, state=PermissionState.SUSPENDED, now=world.now
    )
    assert in_force(permissions_given(actor=world.alice), now=world.now).count() == 1


def test_an_ended_permission_says_when_by_whom_and_with_which_receipt(world):
    gone = make_permission(
        make_service(world.third_party_1),
        world.acme,
        points=[world.p1, world.p3],
        state=PermissionState.REVOKED,
        now=world.now,
    )
    make_receipt(world, gone)
    row = ended(permissions_given(actor=world.alice), now=world.now).get()
    assert (row.ended_at, row.ended_by, row.receipt_number) == (world.now, "Alice", "R-2026-000001")
    assert ended(permissions_given(actor=world.bob), now=world.now).get().receipt_number is None


def test_events_come_latest_first(world):
    make_permission(
        make_service(world.third_party_1), world.acme, state=PermissionState.REVOKED, now=world.now
    )
    states = [event.state for event in events_of(permissions_given(actor=world.alice), limit=5)]
    assert states == ["revoked", "active"]
    assert len(events_of(permissions_given(actor=world.alice), limit=1)) == 1


# --- One summary a company


def test_one_summary_a_company_the_operator_first_then_by_name(shared):
    make_service(shared.operator, legal_basis=LegalBasis.PUBLIC_TASK, offered=False)
    names = [summary.company.legal_name for summary in reading(shared, shared.alice)]
    assert names == ["Réseau Démo", "Tiers 1", "Tiers 2", "Tiers 3"]


def test_points_of_a_company_are_counted_once(shared):
    make_permission(
        make_service(shared.third_party_1), shared.acme, points=[shared.p2, shared.p4], now=shared.now
    )
    counted = {summary.company.legal_name: summary.points for summary in reading(shared, shared.alice)}
    assert counted == {"Tiers 1": 3, "Tiers 2": 2, "Tiers 3": 4}
    seen_by_bob = {summary.company.legal_name: summary.points for summary in reading(shared, shared.bob)}
    assert seen_by_bob == {"Tiers 1": 2, "Tiers 2": 1, "Tiers 3": 2}


def test_points_that_are_no_longer_held_are_not_counted(shared):
    leave(shared.p1.pk, TODAY)
    counted = {summary.company.legal_name: summary.points for summary in reading(shared, shared.alice)}
    assert counted == {"Tiers 1": 1, "Tiers 2": 2, "Tiers 3": 3}


def test_reads_and_the_last_of_them_are_those_of_the_perimeter(shared):
    make_reads(shared.third_party_1, shared.p1, shared.acme, at=shared.now - timedelta(hours=1), times=2)
    make_reads(shared.third_party_1, shared.p3, shared.acme, at=shared.now - timedelta(minutes=1))
    make_reads(shared.third_party_1, shared.p1, shared.acme, at=shared.now - timedelta(days=200))
    make_reads(shared.third_party_1, shared.p1, shared.acme, at=shared.now, outcome="expired")
    seen = {name: reading(shared, actor)[0] for name, actor in (("alice", shared.alice), ("bob", shared.bob))}
    assert (sum(seen["alice"].reads), seen["alice"].reads[-1]) == (3, 3)
    assert seen["alice"].last_read_at == shared.now - timedelta(minutes=1)
    assert sum(seen["bob"].reads) == 2
    assert seen["bob"].last_read_at == shared.now - timedelta(hours=1) + timedelta(seconds=1)


def test_what_can_be_ended_and_what_cannot_stand_apart(shared):
    law = make_service(shared.third_party_1, "Contrôle", legal_basis=LegalBasis.LEGAL_OBLIGATION)
    make_permission(law, shared.acme, now=shared.now)
    (summary,) = reading(shared, shared.alice, company=shared.third_party_1)
    assert [share.permission for share in summary.terminable] == [shared.one]
    assert [share.service for share in summary.kept] == [law]
    assert summary.all_points
    assert summary.points == 4
    assert not summary.endless
    assert summary.since == shared.one.valid_from
    assert len(summary.ends) == 1


def test_ending_a_company_exceeds_a_perimeter_when_one_of_its_permissions_does(shared):
    by_name = {summary.company.legal_name: summary.exceeds for summary in reading(shared, shared.bob)}
    assert by_name == {"Tiers 1": False, "Tiers 2": True, "Tiers 3": True}
    assert not any(summary.exceeds for summary in reading(shared, shared.alice))


def test_the_operators_regulatory_service_is_there_without_a_permission_and_once_with_one(shared):
    law = make_service(shared.operator, legal_basis=LegalBasis.PUBLIC_TASK, offered=False)
    (share,) = reading(shared, shared.alice)[0].shares
    assert (share.permission, share.points, share.terminable, share.all_points) == (None, 4, False, True)
    assert share.says == law
    assert reading(shared, shared.alice)[0].endless
    make_permission(law, shared.acme, now=shared.now)
    (share,) = reading(shared, shared.alice)[0].shares
    assert share.permission is not None
    assert share.says == share.permission


def test_nobody_reads_nothing_is_summed_up(world):
    assert reading(world, world.alice) == []


def test_the_number_of_statements_does_not_grow(shared):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            reading(shared, shared.alice)
        return len(captured)

    before = statements()
    for _ in range(3):
        point = make_held_point(shared.acme)
        for party in (shared.third_party_1, shared.third_party_2, shared.client_b):
            make_permission(make_service(party), shared.acme, points=[point], now=shared.now)
            make_reads(party, point, shared.acme, at=shared.now - timedelta(hours=5), times=4)
    assert statements() == before <= 9


def test_the_points_shared_and_by_what(shared):
    more = make_permission(
        make_service(shared.third_party_1, kinds=[Kind.MAXIMUM_POWER]),
        shared.acme,
        points=[shared.p2],
        now=shared.now,
    )
    (summary,) = reading(shared, shared.alice, company=shared.third_party_1)
    points = points_shared(actor=shared.alice, shares=summary.shares, today=TODAY)
    assert [point.pk for point in points] == [shared.p2.pk, shared.p1.pk]
    by_point = shares_of_points(summary.shares, [shared.p1.pk, shared.p2.pk])
    assert {point: {share.permission for share in found} for point, found in by_point.items()} == {
        shared.p1.pk: {shared.one},
        shared.p2.pk: {shared.one, more},
    }
    (everything,) = reading(shared, shared.bob, company=shared.third_party_3)
    assert points_shared(actor=shared.bob, shares=everything.shares, today=TODAY).count() == 2
    assert shares_of_points(everything.shares, [shared.p1.pk])[shared.p1.pk] == list(everything.shares)


def test_points_are_counted_for_the_one_who_receives(shared):
    leave(shared.p2.pk, TODAY)
    counted = count_points([shared.one, shared.three], today=TODAY)
    assert counted == {shared.one.pk: 1, shared.three.pk: 3}


# --- Requests


def test_requests_wait_until_they_are_answered(world):
    asked = make_request(world, world.p1, world.p3)
    make_request(world, world.p1, state=PermissionState.REFUSED)
    assert [request.pk for request in requests_waiting(actor=world.alice)] == [asked.pk]
    assert requests_received(actor=world.alice).count() == 2
    assert requests_waiting(actor=world.alice).get().points_count == 2
    assert not requests_received(actor=world.charlie).exists()
    assert requests_made(actor=world.tiers1).count() == 2


def test_a_request_beyond_the_perimeter_says_so(world):
    within, beyond = make_request(world, world.p1), make_request(world, world.p1, world.p3)
    outside = make_request(world, world.p4)
    everything = make_request(world)
    seen = {request.pk: request.exceeds for request in requests_received(actor=world.bob)}
    assert seen == {within.pk: False, beyond.pk: True, everything.pk: True}
    with pytest.raises(NotReadable):
        request_received(actor=world.bob, request_id=outside.pk)
    for actor in (world.bob, world.alice, world.charlie, world.tiers1):
        assert count_requests_to_answer(actor=actor) == len(requests_to_answer(actor=actor))
    assert count_requests_to_answer(actor=world.bob) == 1
    assert set(points_asked(beyond, actor=world.bob, today=TODAY)) == {world.p1}
    assert points_asked(everything, actor=world.alice, today=TODAY).count() == 4


# --- Receipts


def test_both_sides_see_a_receipt_and_no_one_else(shared):
    made = make_receipt(shared, shared.one)
    assert receipt(actor=shared.alice, number=made.number) == made
    assert receipt(actor=shared.tiers1, number=made.number) == made
    for actor in (shared.charlie, shared.acme_user, shared.operateur):
        with pytest.raises(NotReadable):
            receipt(actor=actor, number=made.number)


def test_a_restricted_member_sees_the_receipts_that_stay_within_their_perimeter(shared):
    within = make_receipt(shared, shared.one)
    make_receipt(shared, shared.two, number="R-2026-000002")
    make_receipt(shared, shared.one, shared.three, number="R-2026-000003")
    assert list(receipts_readable_by(actor=shared.bob)) == [within]
    assert receipts_readable_by(actor=shared.alice).count() == 3


def test_the_last_receipt_of_a_permission(shared):
    make_receipt(shared, shared.one)
    latest = make_receipt(shared, shared.one, number="R-2026-000002")
    given = permissions_given(actor=shared.alice)
    assert last_receipt(actor=shared.alice, permissions=given.filter(pk=shared.one.pk)) == latest
    assert last_receipt(actor=shared.alice, permissions=given.filter(pk=shared.two.pk)) is None


# --- Services


def test_the_catalogue_holds_what_is_offered_what_one_has_and_what_the_law_asks(shared):
    offered = make_service(shared.third_party_2, "Offert")
    withdrawn = make_service(shared.third_party_2, "Retiré", offered=False)
    had = make_service(shared.third_party_2, "Gardé", offered=False)
    make_permission(had, shared.acme, now=shared.now)
    law = make_service(shared.operator, "Relève", legal_basis=LegalBasis.PUBLIC_TASK, offered=False)
    own = make_service(shared.acme, "À soi")
    catalogue = set(services_readable_by(actor=shared.alice))
    assert {offered, had, law} <= catalogue
    assert not {withdrawn, own} & catalogue
    assert had not in services_readable_by(actor=shared.charlie)
    assert service_readable_by(actor=shared.charlie, code=offered.code) == offered
    with pytest.raises(NotReadable):
        service_readable_by(actor=shared.charlie, code=had.code)
