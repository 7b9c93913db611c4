"""A permission is what its events say; nothing changes or removes an event, a receipt, or a log entry."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from gridgate.core.errors import GridgateError
from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.metering.models import TitleHolding
from gridgate.metering.operations.titles import close_holding
from gridgate.sharing import history
from gridgate.sharing.history import SYSTEM, Step
from gridgate.sharing.models import Permission, PermissionEvent, Receipt
from gridgate.sharing.operations.ending import expire_due, revoke_company, revoke_permission, terminate
from gridgate.sharing.operations.extending import extend
from gridgate.sharing.operations.granting import grant, subscribe
from gridgate.sharing.operations.pausing import resume, suspend
from gridgate.sharing.operations.requesting import accept_request, request_permission
from gridgate.sharing.receipts.completing import complete
from tests.factories.sharing import make_service
from tests.world import World


def lives(world: World) -> None:
    """Every way in which a permission can live and end."""
    service, now, alice = make_service(world.third_party_1, history_months=3), world.now, world.alice
    day = timedelta(days=1)
    one = subscribe(actor=alice, service=service, points=[world.p1.pk], now=now)
    extend(actor=alice, permission_id=one.pk, valid_until=now + 900 * day, now=now + day)
    suspend(actor=world.operateur, permission_id=one.pk, reason="enquête", now=now + 2 * day)
    resume(actor=world.operateur, permission_id=one.pk, now=now + 3 * day)
    revoke_permission(actor=alice, permission_id=one.pk, now=now + 4 * day)
    several = subscribe(actor=alice, service=service, points=[world.p1.pk, world.p2.pk, world.p3.pk], now=now)
    holding = TitleHolding.objects.get(metering_point=world.p2.pk)
    close_holding(holding=holding, valid_to=now.date(), now=now + 5 * day)
    given_up = subscribe(actor=alice, service=service, points=None, now=now)
    terminate(actor=world.tiers1, permission_id=given_up.pk, reason="fini", now=now + 6 * day)
    asked = request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.client_b,
        points=None,
        valid_until=now.date() + 9 * day,
        now=now,
    )
    accept_request(actor=world.charlie, request_id=asked.pk, points=None, now=now + day)
    law = make_service(world.operator, legal_basis=LegalBasis.PUBLIC_TASK, offered=False, duration_months=0)
    grant(service=law, holder=world.acme, points=None, reason="loi", now=now)
    expire_due(now=now + 20 * day)
    several.refresh_from_db()
    assert several.state == "active"
    revoke_company(actor=alice, company=world.third_party_1, now=now + 21 * day)


def test_the_row_of_every_permission_can_be_made_again_from_its_events(world: World) -> None:
    lives(world)
    assert Permission.objects.count() == 5
    for permission in Permission.objects.all():
        again, points = history.replay(permission.events.all())
        for field in Permission._meta.concrete_fields:
            assert getattr(again, field.attname) == getattr(permission, field.attname), field.name
        assert points == set(permission.points.values_list("metering_point_id", flat=True))


def test_events_are_numbered_from_one_and_go_on_in_time(world: World) -> None:
    lives(world)
    for permission in Permission.objects.all():
        events = list(permission.events.all())
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert [event.state for event in events[:3]] == ["requested", "validated", "active"]
        assert [event.at for event in events] == sorted(event.at for event in events)


def test_states_are_not_skipped(world: World) -> None:
    permission = subscribe(
        actor=world.alice, service=make_service(world.third_party_1), points=None, now=world.now
    )
    step = Step(PermissionState.VALIDATED, world.now, SYSTEM)
    with pytest.raises(GridgateError, match="active cannot become validated"):
        history.append(permission, step)
    with pytest.raises(GridgateError, match="active cannot become active"):
        history.append(permission, Step(PermissionState.ACTIVE, world.now, SYSTEM))
    with pytest.raises(GridgateError, match="requested cannot become active"):
        history.begin(
            Permission(),
            [],
            [
                Step(PermissionState.REQUESTED, world.now, SYSTEM),
                Step(PermissionState.ACTIVE, world.now, SYSTEM),
            ],
        )


@pytest.mark.parametrize("table", ["sharing_permissionevent", "sharing_receipt"])
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_happened(world: World, table: str, verb: str) -> None:
    permission = subscribe(
        actor=world.alice, service=make_service(world.third_party_1), points=None, now=world.now
    )
    receipt = revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    complete(receipt, now=world.now)
    before = PermissionEvent.objects.count(), Receipt.objects.count()
    with (
        pytest.raises(IntegrityError, match=f"{table} only grows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(verb.format(table))
    assert (PermissionEvent.objects.count(), Receipt.objects.count()) == before
