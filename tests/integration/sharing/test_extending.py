"""A permission that lasts longer: the same one, on the same points, until a later day; by whom, and how far."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from gridgate.core.sharing import LegalBasis
from gridgate.metering.operations.titles import close_holding
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.sharing.models import AccessLine, DataService, Permission
from gridgate.sharing.operations.durations import InvalidEnd
from gridgate.sharing.operations.ending import UnknownPermission, revoke_permission
from gridgate.sharing.operations.extending import NotExtendable, Obstacle, extend
from gridgate.sharing.operations.granting import AlreadyShared, grant, subscribe
from gridgate.sharing.operations.offering import offer_to
from gridgate.sharing.operations.pausing import suspend
from gridgate.sharing.operations.requesting import accept_request, request_permission
from gridgate.sharing.rights import NotEntitled, OutsidePerimeter
from tests.factories.metering import make_held_point
from tests.factories.sharing import make_service
from tests.world import World

LATER = datetime(2028, 6, 30, 22, tzinfo=UTC)
FURTHEST = datetime(2029, 11, 25, 23, tzinfo=UTC)


@pytest.fixture
def service(world: World) -> DataService:
    return make_service(world.third_party_1, history_months=6)


@pytest.fixture
def permission(world: World, service: DataService) -> Permission:
    return subscribe(actor=world.alice, service=service, points=[world.p1.pk, world.p3.pk], now=world.now)


def points_of(permission: Permission) -> set[str]:
    return set(permission.points.values_list("metering_point_id", flat=True))


def says(permission: Permission) -> dict[str, object]:
    row = Permission.objects.filter(pk=permission.pk).values().get()
    return {name: value for name, value in row.items() if name != "valid_until"}


def test_its_end_moves_and_nothing_else(world: World, permission: Permission) -> None:
    before = says(permission)
    make_held_point(world.acme)
    done = extend(actor=world.alice, permission_id=permission.pk, valid_until=LATER, now=world.now)
    assert done.pk == permission.pk
    assert says(permission) == before
    assert points_of(permission) == {world.p1.pk, world.p3.pk}
    assert Permission.objects.get().valid_until == LATER
    lines = AccessLine.objects.filter(permission=permission)
    assert set(lines.values_list("metering_point_id", "valid_until")) == {
        (world.p1.pk, int(LATER.timestamp())),
        (world.p3.pk, int(LATER.timestamp())),
    }


def test_it_is_an_event_and_both_sides_are_told(world: World, permission: Permission) -> None:
    extend(actor=world.alice, permission_id=permission.pk, valid_until=LATER, now=world.now)
    event = permission.events.last()
    assert event is not None
    assert (event.state, event.reason, event.actor_name) == ("active", "extended", "Alice")
    assert event.details == {"says": {"valid_until": LATER.isoformat()}}
    tasks.write_letters(now=world.now)
    told = OutgoingEmail.objects.filter(key__startswith="extended:").values_list("recipient", flat=True)
    assert set(told) == {"alice@acme.example", "dev@tiers-1.example"}


def test_it_stays_as_it_was_given_whatever_its_service_has_become(
    world: World, service: DataService, permission: Permission
) -> None:
    before = says(permission)
    service.kinds, service.purpose, service.history_months = 15, "Autre chose", 36
    service.save()
    extend(actor=world.alice, permission_id=permission.pk, valid_until=LATER, now=world.now)
    assert says(permission) == before


@pytest.mark.parametrize("end", [datetime(2026, 11, 1, tzinfo=UTC), FURTHEST + timedelta(seconds=1)])
def test_an_end_that_is_past_or_too_far_is_invalid(
    world: World, permission: Permission, end: datetime
) -> None:
    with pytest.raises(InvalidEnd):
        extend(actor=world.alice, permission_id=permission.pk, valid_until=end, now=world.now)
    assert permission.events.count() == 3


def test_an_end_that_is_no_later_changes_nothing(world: World, permission: Permission) -> None:
    present = permission.valid_until
    assert present is not None
    for end in (present, present - timedelta(days=1)):
        with pytest.raises(AlreadyShared):
            extend(actor=world.alice, permission_id=permission.pk, valid_until=end, now=world.now)
    assert Permission.objects.get().valid_until == present


def test_others_and_whoever_may_not_share_extend_nothing(world: World, permission: Permission) -> None:
    for actor in (world.charlie, world.tiers1, world.operateur):
        with pytest.raises(UnknownPermission):
            extend(actor=actor, permission_id=permission.pk, valid_until=LATER, now=world.now)
    with pytest.raises(UnknownPermission):
        extend(actor=world.alice, permission_id=uuid4(), valid_until=LATER, now=world.now)
    with pytest.raises(NotEntitled):
        extend(actor=world.acme_user, permission_id=permission.pk, valid_until=LATER, now=world.now)


def test_a_restricted_member_extends_what_stays_within_their_perimeter(
    world: World, service: DataService, permission: Permission
) -> None:
    with pytest.raises(OutsidePerimeter):
        extend(actor=world.bob, permission_id=permission.pk, valid_until=LATER, now=world.now)
    elsewhere = subscribe(actor=world.alice, service=service, points=[world.p4.pk], now=world.now)
    with pytest.raises(UnknownPermission):
        extend(actor=world.bob, permission_id=elsewhere.pk, valid_until=LATER, now=world.now)
    everything = subscribe(actor=world.alice, service=service, points=None, now=world.now)
    with pytest.raises(OutsidePerimeter):
        extend(actor=world.bob, permission_id=everything.pk, valid_until=LATER, now=world.now)
    mine = subscribe(actor=world.alice, service=service, points=[world.p2.pk], now=world.now)
    assert extend(actor=world.bob, permission_id=mine.pk, valid_until=LATER, now=world.now) == mine


class TestWhatCannotLastLonger:
    def refused(self, world: World, permission: Permission, now: datetime | None = None) -> Obstacle:
        with pytest.raises(NotExtendable) as caught:
            extend(actor=world.alice, permission_id=permission.pk, valid_until=LATER, now=now or world.now)
        return caught.value.obstacle

    def test_what_has_ended_by_a_revocation(self, world: World, permission: Permission) -> None:
        revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
        assert self.refused(world, permission) is Obstacle.ENDED
        assert not AccessLine.objects.filter(permission=permission).exists()

    def test_what_time_has_ended_written_or_not(self, world: World, permission: Permission) -> None:
        assert permission.valid_until is not None
        assert self.refused(world, permission, permission.valid_until) is Obstacle.ENDED

    def test_what_its_holder_has_left(self, world: World, service: DataService) -> None:
        alone = subscribe(actor=world.alice, service=service, points=[world.p4.pk], now=world.now)
        close_holding(holding=world.p4.holdings.get(), valid_to=date(2026, 11, 25), now=world.now)
        assert self.refused(world, alone) is Obstacle.ENDED

    def test_what_is_suspended(self, world: World, permission: Permission) -> None:
        suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
        assert self.refused(world, permission) is Obstacle.SUSPENDED

    def test_what_rests_on_the_law(self, world: World) -> None:
        law = make_service(world.operator, legal_basis=LegalBasis.PUBLIC_TASK, offered=False)
        given = grant(
            service=law, holder=world.acme, points=None, reason="", valid_until=LATER, now=world.now
        )
        assert self.refused(world, given) is Obstacle.LAW

    def test_what_has_no_end(self, world: World) -> None:
        endless = make_service(world.third_party_1, duration_months=0)
        given = subscribe(actor=world.alice, service=endless, points=None, now=world.now)
        assert self.refused(world, given) is Obstacle.ENDLESS

    def test_what_is_not_offered_any_more(
        self, world: World, service: DataService, permission: Permission
    ) -> None:
        offer_to(service=service, roles=["producer"], actor=world.operateur, now=world.now)
        assert self.refused(world, permission) is Obstacle.NOT_OFFERED
        service.roles, service.offered = [], False
        service.save()
        assert self.refused(world, permission) is Obstacle.NOT_OFFERED

    def test_what_lasts_as_long_as_it_may(self, world: World, service: DataService) -> None:
        longest = subscribe(
            actor=world.alice, service=service, points=None, valid_until=FURTHEST, now=world.now
        )
        assert self.refused(world, longest) is Obstacle.FULL


class TestARequestForWhatIsThere:
    """A longer end asked for on the same points prolongs what is there, but never with more data than was asked."""

    def accepted(self, world: World, service: DataService, history_from: date | None) -> Permission:
        request = request_permission(
            requester=world.tiers1,
            service=service,
            holder=world.acme,
            points=[world.p1.pk, world.p3.pk],
            valid_until=date(2028, 6, 30),
            history_from=history_from,
            now=world.now,
        )
        return accept_request(actor=world.alice, request_id=request.pk, points=None, now=world.now)

    def test_with_the_same_first_day_of_data_is_that_permission(
        self, world: World, service: DataService, permission: Permission
    ) -> None:
        assert self.accepted(world, service, permission.history_from) == permission

    @pytest.mark.parametrize("first", [date(2026, 11, 1), date(2025, 1, 1)])
    def test_with_another_is_a_permission_of_its_own(
        self, world: World, service: DataService, permission: Permission, first: date
    ) -> None:
        present = permission.valid_until
        given = self.accepted(world, service, first)
        assert given != permission
        assert (given.history_from, given.valid_until) == (first, LATER)
        permission.refresh_from_db()
        assert permission.valid_until == present
