"""How permissions begin, and who may give them."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from gridgate.core.errors import ErrorKind
from gridgate.core.quantities import Kind
from gridgate.core.sharing import LegalBasis
from gridgate.metering.operations.collections import set_collection
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.authority import NotAllowed
from gridgate.sharing.models import AccessLine, DataService, Permission
from gridgate.sharing.operations.durations import InvalidEnd
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.operations.granting import (
    AlreadyShared,
    LoadCurveOpposed,
    NoPoints,
    NotOffered,
    PointNotHeld,
    grant,
    subscribe,
)
from gridgate.sharing.operations.pausing import suspend
from gridgate.sharing.operations.requesting import (
    RequestClosed,
    UnknownRequest,
    accept_request,
    refuse_request,
    request_permission,
    time_out_requests,
)
from gridgate.sharing.rights import NotEntitled, OutsidePerimeter
from tests.factories.metering import make_held_point
from tests.factories.sharing import make_service
from tests.world import World

UTC_MIDNIGHT_IN_PARIS = datetime(2027, 11, 24, 23, tzinfo=UTC)


@pytest.fixture
def service(world: World) -> DataService:
    return make_service(world.third_party_1, kinds=(Kind.LOAD_CURVE, Kind.DAILY_ENERGY), history_months=6)


@pytest.fixture
def by_law(world: World) -> DataService:
    return make_service(
        world.operator, "Comptage", legal_basis=LegalBasis.PUBLIC_TASK, offered=False, duration_months=0
    )


# --- subscribe


def test_a_subscription_says_what_the_service_says(world: World, service: DataService) -> None:
    permission = subscribe(
        actor=world.alice, service=service, points=[world.p1.pk, world.p1.pk], now=world.now
    )
    permission.refresh_from_db()
    assert (permission.holder, permission.eligible_party) == (world.acme, world.third_party_1)
    assert (permission.kinds, permission.directions) == (service.kinds, service.directions)
    assert (permission.purpose, permission.legal_basis) == (service.purpose, "consent")
    assert permission.history_from == date(2026, 5, 25)
    assert (permission.valid_from, permission.valid_until) == (world.now, UTC_MIDNIGHT_IN_PARIS)
    assert [line.metering_point_id for line in permission.points.all()] == [world.p1.pk]
    steps = [(event.state, event.actor_name) for event in permission.events.all()]
    assert steps == [("requested", "Alice"), ("validated", "Gridgate"), ("active", "Alice")]


def test_a_subscription_on_all_points_names_none_and_covers_those_to_come(
    world: World, service: DataService
) -> None:
    permission = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    assert permission.points.count() == 0
    assert AccessLine.objects.filter(permission=permission).count() == 4
    make_held_point(world.acme)
    assert AccessLine.objects.filter(permission=permission).count() == 5


def test_an_end_can_be_chosen(world: World, service: DataService) -> None:
    end = world.now + timedelta(days=3)
    permission = subscribe(actor=world.alice, service=service, points=None, valid_until=end, now=world.now)
    assert permission.valid_until == end
    assert set(AccessLine.objects.filter(permission=permission).values_list("valid_until", flat=True)) == {
        int(end.timestamp())
    }


def test_a_service_without_a_duration_lasts_as_long_as_the_title(world: World) -> None:
    service = make_service(world.third_party_1, duration_months=0)
    assert subscribe(actor=world.alice, service=service, points=None, now=world.now).valid_until is None


@pytest.mark.parametrize("days", [-1, 0])
def test_an_end_that_is_past_is_invalid(world: World, service: DataService, days: int) -> None:
    end = world.now + timedelta(days=days)
    with pytest.raises(InvalidEnd, match="before it begins"):
        subscribe(actor=world.alice, service=service, points=None, valid_until=end, now=world.now)


def test_a_permission_lasts_three_years_at_most(world: World, service: DataService) -> None:
    last = datetime(2029, 11, 25, 23, tzinfo=UTC)
    subscribe(actor=world.alice, service=service, points=[world.p1.pk], valid_until=last, now=world.now)
    with pytest.raises(InvalidEnd, match="36 months"):
        subscribe(
            actor=world.alice,
            service=service,
            points=None,
            valid_until=last + timedelta(seconds=1),
            now=world.now,
        )


def test_points_that_the_company_does_not_hold_look_absent(world: World, service: DataService) -> None:
    for point in (world.p5.pk, "30009999999999"):
        with pytest.raises(PointNotHeld) as caught:
            subscribe(actor=world.alice, service=service, points=[world.p1.pk, point], now=world.now)
        assert (caught.value.kind, caught.value.message) == (
            ErrorKind.NOT_FOUND,
            f"no metering point {point}",
        )
    assert not Permission.objects.exists()


def test_a_restricted_member_shares_points_of_their_perimeter_only(
    world: World, service: DataService
) -> None:
    subscribe(actor=world.bob, service=service, points=[world.p1.pk, world.p2.pk], now=world.now)
    with pytest.raises(PointNotHeld):
        subscribe(actor=world.bob, service=service, points=[world.p3.pk], now=world.now)
    with pytest.raises(OutsidePerimeter):
        subscribe(actor=world.bob, service=service, points=None, now=world.now)


def test_who_is_not_entitled_shares_nothing(world: World, service: DataService) -> None:
    with pytest.raises(NotEntitled):
        subscribe(actor=world.acme_user, service=service, points=[world.p1.pk], now=world.now)
    world.alice.user.is_active = False
    with pytest.raises(NotEntitled):
        subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)


def test_a_permission_needs_a_point(world: World, service: DataService) -> None:
    with pytest.raises(NoPoints):
        subscribe(actor=world.alice, service=service, points=[], now=world.now)


def test_what_is_not_in_the_catalogue_is_not_subscribed_to(world: World, by_law: DataService) -> None:
    hidden = make_service(world.third_party_1, offered=False)
    own = make_service(world.acme)
    for service in (by_law, hidden, own):
        with pytest.raises(NotOffered):
            subscribe(actor=world.alice, service=service, points=None, now=world.now)


def test_a_service_of_the_load_curve_alone_needs_a_point_where_it_is_not_opposed(world: World) -> None:
    curve = make_service(world.third_party_1)
    set_collection(actor=world.alice, points=[world.p1.pk], state="opposed", now=world.now)
    with pytest.raises(LoadCurveOpposed):
        subscribe(actor=world.alice, service=curve, points=[world.p1.pk], now=world.now)
    permission = subscribe(actor=world.alice, service=curve, points=[world.p1.pk, world.p2.pk], now=world.now)
    assert [line.metering_point_id for line in AccessLine.objects.filter(permission=permission)] == [
        world.p2.pk
    ]


# --- the same twice


def test_subscribing_twice_is_a_conflict(world: World, service: DataService) -> None:
    points = [world.p1.pk, world.p2.pk]
    first = subscribe(actor=world.alice, service=service, points=points, now=world.now)
    with pytest.raises(AlreadyShared) as caught:
        subscribe(actor=world.alice, service=service, points=points[::-1], now=world.now)
    assert caught.value.permission == first


def test_a_later_end_extends_what_is_there(world: World, service: DataService) -> None:
    first = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    end = world.now + timedelta(days=700)
    again = subscribe(actor=world.alice, service=service, points=None, valid_until=end, now=world.now)
    assert again == first
    again.refresh_from_db()
    assert (again.valid_until, again.state_at) == (end, first.state_at)
    last = again.events.last()
    assert last is not None
    assert (last.state, last.reason) == ("active", "extended")
    assert set(AccessLine.objects.filter(permission=first).values_list("valid_until", flat=True)) == {
        int(end.timestamp())
    }
    assert OutgoingEmail.objects.filter(key__startswith="extended:").exists()


def test_subscribing_again_later_gives_the_history_that_is_said_now_and_no_older_one(
    world: World, service: DataService
) -> None:
    first = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    later = world.now + timedelta(days=90)
    end = world.now + timedelta(days=700)
    again = subscribe(actor=world.alice, service=service, points=None, valid_until=end, now=later)
    assert again != first
    assert again.history_from > first.history_from
    first.refresh_from_db()
    assert first.valid_until is not None
    assert first.valid_until < end


def test_nor_is_it_extended_for_another_purpose(world: World, service: DataService) -> None:
    first = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    service.purpose = "Autre chose"
    service.save()
    end = world.now + timedelta(days=700)
    assert subscribe(actor=world.alice, service=service, points=None, valid_until=end, now=world.now) != first


def test_what_has_no_end_is_not_extended(world: World) -> None:
    service = make_service(world.third_party_1, duration_months=0)
    subscribe(actor=world.alice, service=service, points=None, now=world.now)
    with pytest.raises(AlreadyShared):
        subscribe(actor=world.alice, service=service, points=None, now=world.now)


def test_what_is_suspended_is_not_extended(world: World, service: DataService) -> None:
    permission = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    with pytest.raises(AlreadyShared):
        subscribe(
            actor=world.alice,
            service=service,
            points=None,
            valid_until=world.now + timedelta(days=900),
            now=world.now,
        )


def test_other_points_or_other_terms_make_another_permission(world: World, service: DataService) -> None:
    first = subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
    other = subscribe(actor=world.alice, service=service, points=[world.p2.pk], now=world.now)
    service.kinds = Kind.DAILY_ENERGY.bit
    service.save()
    changed = subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
    assert len({first.pk, other.pk, changed.pk}) == 3


def test_what_has_ended_can_be_given_again(world: World, service: DataService) -> None:
    first = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    revoke_permission(actor=world.alice, permission_id=first.pk, now=world.now)
    second = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    over = second.valid_until
    assert over is not None
    third = subscribe(actor=world.alice, service=service, points=None, now=over)  # nobody wrote its end yet
    assert len({first.pk, second.pk, third.pk}) == 3


# --- grant


def test_the_operator_grants_what_rests_on_the_law(world: World, by_law: DataService) -> None:
    permission = grant(service=by_law, holder=world.acme, points=None, reason="Mission", now=world.now)
    first = permission.events.first()
    assert first is not None
    assert (first.actor_id, first.reason) == (None, "Mission")
    named = grant(
        service=by_law,
        holder=world.acme,
        points=[world.p1.pk],
        reason="",
        actor=world.operateur,
        now=world.now,
    )
    last = named.events.last()
    assert last is not None
    assert last.actor_name == "Olivier"
    assert (named.valid_until, named.terminable) == (None, False)


def test_nobody_else_does_and_not_what_rests_on_the_holders_will(
    world: World, by_law: DataService, service: DataService
) -> None:
    with pytest.raises(NotAllowed):
        grant(service=by_law, holder=world.acme, points=None, reason="", actor=world.alice, now=world.now)
    with pytest.raises(NotOffered, match="holder's will"):
        grant(service=service, holder=world.acme, points=None, reason="", now=world.now)
    with pytest.raises(PointNotHeld):
        grant(service=by_law, holder=world.acme, points=[world.p5.pk], reason="", now=world.now)


# --- requests


def ask(world: World, service: DataService, *points: str, valid_until: date | datetime = date(2027, 3, 31)):
    return request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.acme,
        points=list(points) or None,
        valid_until=valid_until,
        message=" Pour votre audit. ",
        now=world.now - timedelta(days=2),
    )


def test_a_request_gives_nothing_by_itself(world: World, service: DataService) -> None:
    request = ask(world, service, world.p1.pk, world.p2.pk)
    assert (request.state, request.message) == ("requested", "Pour votre audit.")
    assert (request.requested_by, request.requested_by_name) == (world.tiers1.user_id, "Tiphaine")
    assert not Permission.objects.exists()
    assert not AccessLine.objects.filter(reader=world.third_party_1).exists()


def test_accepting_gives_what_was_asked_up_to_the_end_of_the_last_day(
    world: World, service: DataService
) -> None:
    request = ask(world, service, world.p1.pk, world.p2.pk)
    permission = accept_request(actor=world.alice, request_id=request.pk, points=None, now=world.now)
    request.refresh_from_db()
    assert (request.state, request.answered_at, request.answered_by_name) == ("active", world.now, "Alice")
    assert permission.request == request
    assert permission.valid_until == datetime(2027, 3, 31, 22, tzinfo=UTC)
    assert sorted(permission.points.values_list("metering_point_id", flat=True)) == sorted(
        [world.p1.pk, world.p2.pk]
    )
    steps = [(event.state, event.actor_name, event.at) for event in permission.events.all()]
    assert steps[0] == ("requested", "Tiphaine", request.requested_at)
    assert steps[2] == ("active", "Alice", world.now)


def test_the_instant_of_an_end_is_told_by_its_last_day(world: World, service: DataService) -> None:
    request = ask(world, service, valid_until=datetime(2027, 3, 31, 22, tzinfo=UTC))
    assert request.valid_until == date(2027, 3, 31)


def test_the_history_asked_for_is_given(world: World, service: DataService) -> None:
    request = request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.acme,
        points=None,
        valid_until=date(2027, 1, 1),
        history_from=date(2025, 2, 3),
        now=world.now,
    )
    permission = accept_request(actor=world.alice, request_id=request.pk, points=None, now=world.now)
    assert permission.history_from == date(2025, 2, 3)


def test_the_holder_chooses_among_the_points_asked_for(world: World, service: DataService) -> None:
    request = ask(world, service, world.p1.pk, world.p2.pk)
    permission = accept_request(
        actor=world.alice, request_id=request.pk, points=[world.p2.pk, world.p3.pk], now=world.now
    )
    assert list(permission.points.values_list("metering_point_id", flat=True)) == [world.p2.pk]


def test_the_holder_chooses_some_when_all_were_asked_for(world: World, service: DataService) -> None:
    request = ask(world, service)
    permission = accept_request(
        actor=world.alice, request_id=request.pk, points=[world.p3.pk, world.p5.pk], now=world.now
    )
    assert (permission.all_points, permission.points.count()) == (False, 1)


def test_all_asked_for_and_given_are_all_now_and_later(world: World, service: DataService) -> None:
    request = ask(world, service)
    with pytest.raises(OutsidePerimeter):
        accept_request(actor=world.bob, request_id=request.pk, points=None, now=world.now)
    assert accept_request(actor=world.alice, request_id=request.pk, points=None, now=world.now).all_points


def test_choosing_none_is_not_accepting(world: World, service: DataService) -> None:
    request = ask(world, service, world.p1.pk)
    with pytest.raises(NoPoints):
        accept_request(actor=world.alice, request_id=request.pk, points=[world.p3.pk], now=world.now)


def test_a_restricted_member_accepts_within_their_perimeter(world: World, service: DataService) -> None:
    request = ask(world, service, world.p2.pk, world.p3.pk)
    with pytest.raises(OutsidePerimeter):
        accept_request(actor=world.bob, request_id=request.pk, points=None, now=world.now)
    with pytest.raises(OutsidePerimeter):
        refuse_request(actor=world.bob, request_id=request.pk, now=world.now)
    accept_request(actor=world.bob, request_id=request.pk, points=[world.p2.pk], now=world.now)


def test_a_request_is_answered_once(world: World, service: DataService) -> None:
    request = ask(world, service, world.p1.pk)
    refuse_request(actor=world.alice, request_id=request.pk, now=world.now)
    request.refresh_from_db()
    assert (request.state, request.answered_by_name) == ("refused", "Alice")
    with pytest.raises(RequestClosed, match="the request is refused"):
        accept_request(actor=world.alice, request_id=request.pk, points=None, now=world.now)
    assert not Permission.objects.exists()


def test_a_request_to_others_is_unknown(world: World, service: DataService) -> None:
    request = ask(world, service, world.p1.pk)
    for actor in (world.charlie, world.tiers1):
        with pytest.raises(UnknownRequest):
            accept_request(actor=actor, request_id=request.pk, points=None, now=world.now)
    with pytest.raises(UnknownRequest):
        refuse_request(actor=world.alice, request_id=uuid4(), now=world.now)
    with pytest.raises(NotEntitled):
        refuse_request(actor=world.acme_user, request_id=request.pk, now=world.now)


def test_a_request_whose_time_is_over_is_closed(world: World, service: DataService) -> None:
    request = ask(world, service, world.p1.pk, valid_until=date(2026, 11, 25))
    after = datetime(2026, 11, 25, 23, tzinfo=UTC)
    with pytest.raises(RequestClosed, match="timed out"):
        accept_request(actor=world.alice, request_id=request.pk, points=None, now=after)
    assert time_out_requests(now=after - timedelta(seconds=1)) == 0
    assert time_out_requests(now=after) == 1
    request.refresh_from_db()
    assert (request.state, request.answered_at) == ("timed_out", after)


def test_a_request_that_nobody_answers_times_out(world: World, service: DataService) -> None:
    ask(world, service, world.p1.pk)
    assert time_out_requests(now=world.now + timedelta(days=57)) == 0
    assert time_out_requests(now=world.now + timedelta(days=58)) == 1


def test_one_asks_for_ones_own_services_that_rest_on_the_holders_will(
    world: World, service: DataService, by_law: DataService
) -> None:
    def ask_for(asked: DataService, requester=world.tiers1, holder=world.acme):
        return request_permission(
            requester=requester,
            service=asked,
            holder=holder,
            points=None,
            valid_until=date(2027, 1, 1),
            now=world.now,
        )

    with pytest.raises(NotOffered, match="another company's"):
        ask_for(make_service(world.third_party_2))
    with pytest.raises(NotOffered, match="needs no permission"):
        ask_for(by_law, world.operateur)
    with pytest.raises(NotOffered, match="needs no permission"):
        ask_for(service, holder=world.third_party_1)
    with pytest.raises(NotEntitled):
        ask_for(service, world.acme_user)


def test_a_request_names_points_that_the_holder_holds(world: World, service: DataService) -> None:
    with pytest.raises(PointNotHeld):
        ask(world, service, world.p5.pk)
    with pytest.raises(NoPoints):
        request_permission(
            requester=world.tiers1,
            service=service,
            holder=world.acme,
            points=[],
            valid_until=date(2027, 1, 1),
            now=world.now,
        )
    with pytest.raises(InvalidEnd):
        ask(world, service, valid_until=date(2026, 11, 22))
