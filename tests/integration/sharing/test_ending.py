"""How permissions end, and what is left afterwards: no lines, one receipt, events, notices."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.core.sharing import LegalBasis
from gridgate.metering.imports.holders import import_holders
from gridgate.metering.models import TitleHolding
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.authority import NotAllowed
from gridgate.sharing.checking import contradictions
from gridgate.sharing.models import (
    AccessLine,
    DataService,
    Permission,
    PermissionEvent,
    PermissionPoint,
    Receipt,
)
from gridgate.sharing.operations.ending import (
    NothingToEnd,
    NotTerminable,
    UnknownPermission,
    expire_due,
    revoke_company,
    revoke_permission,
    terminate,
)
from gridgate.sharing.operations.granting import grant, subscribe
from gridgate.sharing.operations.moving_out import invalidate_for_moved_out
from gridgate.sharing.operations.pausing import resume, suspend
from gridgate.sharing.projection import contradicted, project_titles
from gridgate.sharing.receipts import asking
from gridgate.sharing.receipts.completing import complete, complete_awaited
from gridgate.sharing.receipts.content import Ended
from gridgate.sharing.receipts.keys import public_jwks, verify
from gridgate.sharing.rights import NotEntitled, OutsidePerimeter
from gridgate.sharing.signing import Valid
from tests.factories.organisations import make_member
from tests.factories.sharing import make_service
from tests.world import World


@pytest.fixture
def service(world: World) -> DataService:
    return make_service(world.third_party_1, kinds=(Kind.LOAD_CURVE, Kind.DAILY_ENERGY), history_months=6)


@pytest.fixture
def regulatory(world: World) -> DataService:
    return make_service(
        world.third_party_1,
        "Obligation d’un tiers",
        legal_basis=LegalBasis.LEGAL_OBLIGATION,
        kinds=[Kind.DAILY_ENERGY],
        offered=False,
        duration_months=0,
    )


def give(world: World, service: DataService, *points: str) -> Permission:
    return subscribe(
        actor=world.alice, service=service, points=list(points) or None, now=world.now - timedelta(days=10)
    )


def lines(permission: Permission) -> int:
    """How many lines let something be read."""
    return AccessLine.objects.filter(permission=permission).exclude(data_to=F("data_from")).count()


# --- revoke one


def test_a_revoked_permission_has_no_line_and_a_receipt_that_says_what_ended(
    world: World, service: DataService
) -> None:
    permission = give(world, service, world.p1.pk, world.p2.pk)
    assert lines(permission) == 2

    receipt = revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)

    permission.refresh_from_db()
    assert (permission.state, permission.state_at, lines(permission)) == ("revoked", world.now, 0)
    assert receipt.number == "GG-20261125-000001"
    receipt = complete(receipt, now=world.now)
    assert verify(receipt.jws) == Valid(receipt.payload, public_jwks()["keys"][0]["kid"])
    said = receipt.payload
    assert said["act"] == "revoke"
    assert said["actor"] == {"name": "Alice"}
    assert said["operator"] == {"name": "Réseau Démo", "siren": "100000009"}
    assert said["holder"] == {"name": "ACME Industries", "siren": "111222337"}
    assert said["eligible_party"] == {"name": "Tiers 1", "siren": "222333445"}
    assert said["effective_at"] == said["issued_at"] == "2026-11-25T09:30:00Z"
    (ended,) = said["permissions"]
    assert ended["id"] == str(permission.pk)
    assert (ended["points"], ended["points_count"]) == (sorted([world.p1.pk, world.p2.pk]), 2)
    assert (ended["kinds"], ended["directions"]) == (["load_curve", "daily_energy"], ["withdrawal"])
    assert ended["resolution"] is None, "that of the meter"
    assert (ended["since"], ended["until"]) == ("2026-11-15T09:30:00Z", "2027-11-14T23:00:00Z")
    assert (ended["reads"], ended["last_read_at"]) == (0, None)
    assert said["kept"] == []


def test_receipts_are_numbered_within_the_day(world: World, service: DataService) -> None:
    one, other = give(world, service, world.p1.pk), give(world, service, world.p2.pk)
    first = revoke_permission(actor=world.alice, permission_id=one.pk, now=world.now)
    second = revoke_permission(actor=world.alice, permission_id=other.pk, now=world.now)
    later = revoke_permission(
        actor=world.alice,
        permission_id=give(world, service, world.p3.pk).pk,
        now=world.now + timedelta(hours=14),
    )
    assert [first.number, second.number] == ["GG-20261125-000001", "GG-20261125-000002"]
    assert later.number == "GG-20261126-000003"  # 23:30 UTC is the next day in Paris


def test_revoking_twice_answers_with_the_receipt_of_the_first_time(
    world: World, service: DataService
) -> None:
    permission = give(world, service, world.p1.pk)
    receipt = revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    with pytest.raises(NothingToEnd, match="revoked already") as caught:
        revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    assert (caught.value.kind, caught.value.receipt) == (ErrorKind.CONFLICT, receipt)
    assert Receipt.objects.count() == 1


def test_what_time_has_ended_cannot_be_revoked_even_when_nobody_wrote_it_yet(
    world: World, service: DataService
) -> None:
    permission = give(world, service, world.p1.pk)
    with pytest.raises(NothingToEnd, match="expired already"):
        revoke_permission(actor=world.alice, permission_id=permission.pk, now=permission.valid_until)


def test_another_companys_permission_is_unknown(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    for actor in (world.charlie, world.tiers1):
        with pytest.raises(UnknownPermission):
            revoke_permission(actor=actor, permission_id=permission.pk, now=world.now)
    with pytest.raises(UnknownPermission):
        revoke_permission(actor=world.alice, permission_id=uuid4(), now=world.now)


def test_a_member_without_the_entitlement_ends_nothing(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    with pytest.raises(NotEntitled):
        revoke_permission(actor=world.acme_user, permission_id=permission.pk, now=world.now)
    with pytest.raises(NotEntitled):
        revoke_company(actor=world.acme_user, company=world.third_party_1, now=world.now)


def test_a_member_who_left_ends_nothing(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    world.alice.ended_at = world.now
    with pytest.raises(NotEntitled):
        revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)


def test_a_restricted_member_ends_what_lies_within_their_perimeter_only(
    world: World, service: DataService
) -> None:
    inside = give(world, service, world.p1.pk, world.p2.pk)
    across = give(world, service, world.p2.pk, world.p3.pk)
    everything = give(world, service)
    with pytest.raises(OutsidePerimeter, match="restricted to a perimeter") as caught:
        revoke_permission(actor=world.bob, permission_id=across.pk, now=world.now)
    assert caught.value.kind is ErrorKind.FORBIDDEN
    with pytest.raises(OutsidePerimeter, match="every metering point"):
        revoke_permission(actor=world.bob, permission_id=everything.pk, now=world.now)
    revoke_permission(actor=world.bob, permission_id=inside.pk, now=world.now)


def test_what_rests_on_the_law_stays_and_says_whom_to_write_to(world: World, regulatory: DataService) -> None:
    permission = grant(service=regulatory, holder=world.acme, points=None, reason="loi", now=world.now)
    with pytest.raises(NotTerminable, match=r"L. 322-8") as caught:
        revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    assert caught.value.kind is ErrorKind.FORBIDDEN
    assert "contact@tiers-1.example" in caught.value.remedy


def test_a_suspended_permission_can_be_revoked(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    suspend(actor=world.operateur, permission_id=permission.pk, reason="enquête", now=world.now)
    revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)


# --- revoke a company


def test_revoking_a_company_ends_all_that_can_end_with_one_receipt(
    world: World, service: DataService, regulatory: DataService
) -> None:
    ended = [give(world, service, world.p1.pk), give(world, service)]
    kept = grant(service=regulatory, holder=world.acme, points=None, reason="loi", now=world.now)
    other = give(world, make_service(world.third_party_2), world.p1.pk)
    theirs = subscribe(actor=world.charlie, service=service, points=None, now=world.now)

    receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)

    assert {str(permission.pk) for permission in ended} == {
        one["id"] for one in receipt.payload["permissions"]
    }
    assert [one["points"] for one in receipt.payload["permissions"]].count("all") == 1
    assert [one["points_count"] for one in receipt.payload["permissions"] if one["points"] == "all"] == [4]
    assert [one["service"] for one in receipt.payload["kept"]] == ["Obligation d’un tiers"]
    assert receipt.payload["kept"][0]["legal_basis"] == "legal_obligation"
    assert set(receipt.permissions.all()) == set(ended)
    assert {
        str(state) for state in Permission.objects.filter(receipts=receipt).values_list("state", flat=True)
    } == {"revoked"}
    assert [lines(permission) for permission in ended] == [0, 0]
    assert min(lines(permission) for permission in (kept, other, theirs)) > 0
    assert Receipt.objects.count() == 1


def test_a_company_that_reads_nothing_is_a_conflict(world: World, service: DataService) -> None:
    with pytest.raises(NothingToEnd, match="Tiers 1 reads nothing of ACME Industries") as caught:
        revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    assert caught.value.receipt is None


def test_a_company_that_reads_by_law_only_is_a_conflict_that_names_the_services(
    world: World, regulatory: DataService
) -> None:
    grant(service=regulatory, holder=world.acme, points=None, reason="loi", now=world.now)
    with pytest.raises(NothingToEnd, match="rests on the law and stays: Obligation d’un tiers"):
        revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)


def test_revoking_a_company_twice_answers_with_the_receipt(world: World, service: DataService) -> None:
    give(world, service, world.p1.pk)
    receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    with pytest.raises(NothingToEnd) as caught:
        revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    assert caught.value.receipt == receipt


def test_a_restricted_member_cannot_end_a_company_that_also_reads_outside_their_perimeter(
    world: World, service: DataService
) -> None:
    give(world, service, world.p1.pk)
    outside = give(world, service, world.p3.pk)
    with pytest.raises(OutsidePerimeter):
        revoke_company(actor=world.bob, company=world.third_party_1, now=world.now)
    assert set(Permission.objects.values_list("state", flat=True)) == {"active"}
    revoke_permission(actor=world.alice, permission_id=outside.pk, now=world.now)
    revoke_company(actor=world.bob, company=world.third_party_1, now=world.now)


class Fault(Exception):
    """Injected."""


def test_revoking_a_company_is_all_or_nothing_at_every_statement(world: World, service: DataService) -> None:
    """Fails at the first statement, then at the second…: nothing has changed; until it succeeds: all has."""
    give(world, service, world.p1.pk, world.p2.pk)
    give(world, service)
    OutgoingEmail.objects.all().delete()
    before = _everything()

    failed = 0
    while not _revoke_failing_at(failed + 1, world):
        failed += 1
        assert _everything() == before, f"after a fault at statement {failed}"
    assert failed > 10
    after = _everything()
    assert [after[name] for name in ("states", "lines")] == [["revoked", "revoked"], 4]
    assert (after["receipts"], after["emails"]) == (1, 0)  # signed and sent afterwards


def _revoke_failing_at(statement: int, world: World) -> bool:
    seen = 0

    def fail(execute: Callable[..., object], sql: str, *rest: object) -> object:
        nonlocal seen
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen += 1
            if seen == statement:
                raise Fault
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        try:
            revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
        except Fault:
            return False
    return True


def _everything() -> dict[str, object]:
    acme = AccessLine.objects.filter(holder__siren="111222337")
    return {
        "states": list(Permission.objects.order_by("pk").values_list("state", flat=True)),
        "events": PermissionEvent.objects.count(),
        "lines": acme.count(),
        "receipts": Receipt.objects.count(),
        "emails": OutgoingEmail.objects.count(),
    }


# --- terminate


def test_the_third_party_gives_up_what_it_has_whatever_its_ground(
    world: World, regulatory: DataService
) -> None:
    permission = grant(service=regulatory, holder=world.acme, points=None, reason="loi", now=world.now)
    receipt = terminate(actor=world.tiers1, permission_id=permission.pk, reason=" plus utile ", now=world.now)
    permission.refresh_from_db()
    assert (permission.state, lines(permission)) == ("terminated", 0)
    assert (receipt.payload["act"], receipt.payload["reason"]) == ("terminate", "plus utile")
    last = permission.events.last()
    assert last is not None
    assert (last.actor_name, last.reason) == ("Tiphaine", "plus utile")


def test_the_third_party_cannot_end_anothers(world: World, service: DataService) -> None:
    permission = give(world, make_service(world.third_party_2), world.p1.pk)
    with pytest.raises(UnknownPermission):
        terminate(actor=world.tiers1, permission_id=permission.pk, now=world.now)
    with pytest.raises(NotEntitled):
        terminate(
            actor=make_member(world.third_party_2, "Sans droit"), permission_id=permission.pk, now=world.now
        )


def test_what_the_holder_revoked_the_third_party_cannot_end_again(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    with pytest.raises(NothingToEnd):
        terminate(actor=world.tiers1, permission_id=permission.pk, now=world.now)


# --- expire


def test_time_writes_the_end_at_the_instant_agreed(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    end = datetime(2027, 11, 14, 23, tzinfo=UTC)  # midnight in Paris
    assert permission.valid_until == end
    assert expire_due(now=end - timedelta(microseconds=1)) == 0
    assert expire_due(now=end + timedelta(hours=3)) == 1
    permission.refresh_from_db()
    assert (permission.state, permission.state_at, lines(permission)) == ("expired", end, 0)
    assert complete_awaited(now=end + timedelta(hours=3)) == 1
    receipt = Receipt.objects.get()
    assert (receipt.payload["act"], receipt.payload["effective_at"]) == ("expire", "2027-11-14T23:00:00Z")
    assert receipt.payload["issued_at"] == "2027-11-15T02:00:00Z"
    assert expire_due(now=end + timedelta(hours=3)) == 0


def test_a_suspended_permission_expires_too(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    assert expire_due(now=world.now + timedelta(days=400)) == 1


def test_one_that_cannot_be_ended_does_not_hold_up_the_others(
    world: World, service: DataService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned, fine = give(world, service, world.p1.pk), give(world, service, world.p2.pk)
    real = asking.ask

    def refuse(ended: list[Ended], **named: datetime) -> list[Receipt]:
        if any(poisoned in one.permissions for one in ended):
            raise Fault
        return real(ended, **named)

    with monkeypatch.context() as patch:
        patch.setattr(asking, "ask", refuse)
        assert expire_due(now=world.now + timedelta(days=400)) == 1
    poisoned.refresh_from_db()
    fine.refresh_from_db()
    assert (poisoned.state, fine.state) == ("active", "expired")
    assert str(poisoned.pk) in caplog.text
    assert expire_due(now=world.now + timedelta(days=400)) == 1


def test_many_that_end_by_time_take_as_many_statements_as_one(world: World, service: DataService) -> None:
    later = world.now + timedelta(days=400)
    taken = []
    for services in (1, 8):
        for _ in range(services):
            give(world, make_service(world.third_party_1), world.p1.pk, world.p2.pk)
        with CaptureQueriesContext(connection) as statements:
            assert expire_due(now=later) == services
        taken.append(len(statements))
    assert taken[0] == taken[1]
    assert Receipt.objects.count() == 9
    assert [lines(permission) for permission in Permission.objects.all()] == [0] * 9
    assert list(contradictions()) == []


# --- move-out


def holding(world: World, point: str) -> TitleHolding:
    return TitleHolding.objects.get(metering_point=point)


def test_a_move_out_ends_what_was_given_on_that_point(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    close_holding(holding=holding(world, world.p1.pk), valid_to=world.now.date(), now=world.now)
    permission.refresh_from_db()
    assert (permission.state, lines(permission)) == ("invalidated", 0)
    receipt = Receipt.objects.get()
    assert [receipt.payload[name] for name in ("act", "reason", "actor")] == [
        "invalidate",
        "move_out",
        {"name": "Gridgate"},
    ]


def test_a_permission_on_several_points_loses_the_one_that_was_left(
    world: World, service: DataService
) -> None:
    permission = give(world, service, world.p1.pk, world.p2.pk)
    close_holding(holding=holding(world, world.p1.pk), valid_to=world.now.date(), now=world.now)
    permission.refresh_from_db()
    assert (permission.state, lines(permission)) == ("active", 1)
    assert [point.metering_point_id for point in permission.points.all()] == [world.p2.pk]
    receipt = Receipt.objects.get()
    assert receipt.payload["permissions"][0]["points"] == [world.p1.pk]
    close_holding(holding=holding(world, world.p2.pk), valid_to=world.now.date(), now=world.now)
    permission.refresh_from_db()
    assert permission.state == "invalidated"
    assert list(permission.points.values_list("metering_point_id", flat=True)) == [world.p2.pk]


def test_a_move_out_announced_ahead_ends_the_reading_by_itself_and_is_written_later(
    world: World, service: DataService
) -> None:
    permission = give(world, service, world.p1.pk)
    close_holding(holding=holding(world, world.p1.pk), valid_to=date(2026, 12, 1), now=world.now)
    midnight = datetime(2026, 11, 30, 23, tzinfo=UTC)
    line = AccessLine.objects.get(permission=permission)
    assert line.valid_until == line.data_to == int(midnight.timestamp())
    assert invalidate_for_moved_out(now=midnight - timedelta(seconds=1)) == 0
    assert invalidate_for_moved_out(now=midnight + timedelta(minutes=7)) == 1
    assert Receipt.objects.get().payload["effective_at"] == "2026-11-30T23:00:00Z"
    assert invalidate_for_moved_out(now=midnight + timedelta(minutes=8)) == 0


def test_a_permission_on_all_points_follows_the_titles(world: World, service: DataService) -> None:
    permission = give(world, service)
    close_holding(holding=holding(world, world.p1.pk), valid_to=world.now.date(), now=world.now)
    permission.refresh_from_db()
    assert permission.state == "active"
    readable = AccessLine.objects.filter(permission=permission, valid_until__gt=world.now.timestamp())
    assert readable.filter(metering_point=world.p1.pk).count() == 0
    assert readable.count() == 3


def test_a_permission_on_all_points_tells_which_one_was_left(world: World, service: DataService) -> None:
    permission = give(world, service)
    close_holding(holding=holding(world, world.p1.pk), valid_to=world.now.date(), now=world.now)
    event = permission.events.order_by("sequence").last()
    assert event is not None
    assert (event.state, event.reason) == ("active", "move_out")
    assert event.details["left_on"] == {world.p1.pk: "2026-11-25"}
    assert Receipt.objects.get().payload["permissions"][0]["points"] == [world.p1.pk]
    assert complete_awaited(now=world.now) == 1
    tasks.write_letters(now=world.now)
    told = {
        mail.recipient: mail.body for mail in OutgoingEmail.objects.filter(subject__contains="partage moins")
    }
    assert told.keys() >= {world.alice.user.email, world.tiers1.user.email}
    for body in told.values():
        assert f"{world.p1.pk}, quitté le 25\u00a0novembre 2026" in body
        assert "continue pour tous les autres compteurs" in body
    assert invalidate_for_moved_out(now=world.now + timedelta(hours=1)) == 0
    assert not list(contradicted())


def test_a_permission_on_all_points_ends_with_the_last_of_them(world: World, service: DataService) -> None:
    permission = give(world, service)
    held = list(TitleHolding.objects.filter(holder=world.acme))
    for title in held:
        close_holding(holding=title, valid_to=date(2026, 12, 1), now=world.now)
    assert invalidate_for_moved_out(now=datetime(2026, 12, 1, 8, tzinfo=UTC)) == 1
    permission.refresh_from_db()
    assert (permission.state, lines(permission)) == ("invalidated", 0)
    assert Receipt.objects.get().payload["permissions"][0]["points_count"] == len(held)
    assert complete_awaited(now=world.now) == 1
    tasks.write_letters(now=world.now)
    told = OutgoingEmail.objects.filter(subject__contains="ne partage plus")
    assert "elle a pris fin" in told.get(recipient=world.alice.user.email).body


def test_a_leaving_and_a_return_told_late_take_the_point_away(world: World, service: DataService) -> None:
    """The permission was given under the title that ended."""
    permission = give(world, service, world.p1.pk, world.p2.pk)
    now = world.now + timedelta(days=60)
    content = (
        "metering_point_id,siren,legal_name,valid_from,valid_to\n"
        f"{world.p1.pk},{world.acme.siren},,{holding(world, world.p1.pk).valid_from},2026-12-01\n"
        f"{world.p1.pk},{world.acme.siren},,2027-01-01,\n"
    )
    assert import_holders(content.encode(), now=now).rejected == 0
    permission.refresh_from_db()
    assert [point.metering_point_id for point in permission.points.all()] == [world.p2.pk]
    assert lines(permission) == 1
    assert AccessLine.objects.filter(permission=permission, metering_point=world.p1.pk).count() == 0


def test_a_title_that_another_one_carries_on_is_no_leaving(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    content = (
        "metering_point_id,siren,legal_name,valid_from,valid_to\n"
        f"{world.p1.pk},{world.acme.siren},,{holding(world, world.p1.pk).valid_from},2026-11-20\n"
        f"{world.p1.pk},{world.acme.siren},,2026-11-20,\n"
    )
    assert import_holders(content.encode(), now=world.now).rejected == 0
    assert permission.points.count() == 1
    assert not Receipt.objects.exists()


def test_a_title_corrected_back_gives_nothing_again(world: World, service: DataService) -> None:
    """Both sides hold the proof of the end: the holder gives the point anew."""
    permission = give(world, service, world.p1.pk, world.p2.pk)
    title = close_holding(holding=holding(world, world.p1.pk), valid_to=world.now.date(), now=world.now)
    close_holding(holding=title, valid_to=date(2027, 6, 1), now=world.now)
    assert [point.metering_point_id for point in permission.points.all()] == [world.p2.pk]
    assert AccessLine.objects.filter(permission=permission).count() == 1
    assert not list(contradicted())


def test_a_move_out_put_off_before_its_day_takes_nothing(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    title = close_holding(holding=holding(world, world.p1.pk), valid_to=date(2026, 12, 1), now=world.now)
    close_holding(holding=title, valid_to=date(2027, 6, 1), now=world.now)
    assert invalidate_for_moved_out(now=datetime(2026, 12, 2, 8, tzinfo=UTC)) == 0
    assert lines(permission) == 1
    assert not Receipt.objects.exists()


# --- opposition


def test_an_opposition_ends_what_reads_nothing_but_the_load_curve_there(
    world: World, service: DataService
) -> None:
    curve_only = make_service(world.third_party_2)
    one = give(world, curve_only, world.p1.pk)
    two = give(world, curve_only, world.p1.pk, world.p2.pk)
    more = give(world, service, world.p1.pk)
    everything = give(world, curve_only)

    set_collection(actor=world.alice, points=[world.p1.pk], state="opposed", now=world.now)

    states = {
        permission.pk: Permission.objects.get(pk=permission.pk).state
        for permission in (one, two, more, everything)
    }
    assert list(states.values()) == ["invalidated", "active", "active", "active"]
    receipt = Receipt.objects.get()
    assert (receipt.payload["reason"], receipt.payload["actor"]) == ("opposition", {"name": "Alice"})
    on_p1 = AccessLine.objects.filter(metering_point=world.p1.pk, basis="permission")
    assert [(line.permission_id, line.kinds) for line in on_p1] == [(more.pk, Kind.DAILY_ENERGY.bit)]
    own = AccessLine.objects.get(metering_point=world.p1.pk, basis="title")
    assert own.kinds & Kind.LOAD_CURVE.bit  # what was collected remains the holder's own to read

    set_collection(actor=world.alice, points=[world.p2.pk], state="opposed", now=world.now)
    two.refresh_from_db()
    assert two.state == "invalidated"


def test_a_new_activation_gives_the_load_curve_back_to_what_is_still_active(
    world: World, service: DataService
) -> None:
    permission = give(world, service, world.p1.pk)
    before = AccessLine.objects.get(permission=permission).kinds
    set_collection(actor=world.alice, points=[world.p1.pk], state="opposed", now=world.now)
    assert AccessLine.objects.get(permission=permission).kinds != before
    set_collection(actor=world.alice, points=[world.p1.pk], state="active", now=world.now)
    assert AccessLine.objects.get(permission=permission).kinds == before


def test_an_opposition_by_the_operators_system_is_signed_by_nobody(world: World) -> None:
    permission = give(world, make_service(world.third_party_2), world.p1.pk)
    set_collection(actor=None, points=[world.p1.pk], state="opposed", now=world.now)
    last = permission.events.last()
    assert last is not None
    assert (last.actor_id, last.actor_name, last.reason) == (None, "Gridgate", "opposition")


# --- suspend, resume


def test_the_operator_stops_the_reading_and_lets_it_go_on(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk, world.p2.pk)
    assert (
        lines(suspend(actor=world.operateur, permission_id=permission.pk, reason="enquête", now=world.now))
        == 0
    )
    with pytest.raises(GridgateError, match="cannot become suspended"):
        suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    assert lines(resume(actor=world.operateur, permission_id=permission.pk, now=world.now)) == 2
    states = [event.state for event in permission.events.all()]
    assert states == ["requested", "validated", "active", "suspended", "active"]


def test_only_the_operator_suspends(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    for actor in (world.alice, world.tiers1):
        with pytest.raises(NotAllowed):
            suspend(actor=actor, permission_id=permission.pk, reason="", now=world.now)
    with pytest.raises(UnknownPermission):
        resume(actor=world.operateur, permission_id=uuid4(), now=world.now)


def test_a_move_out_also_ends_what_is_suspended(world: World, service: DataService) -> None:
    permission = give(world, service, world.p1.pk)
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    close_holding(holding=holding(world, world.p1.pk), valid_to=world.now.date(), now=world.now)
    permission.refresh_from_db()
    assert permission.state == "invalidated"
    assert PermissionPoint.objects.filter(permission=permission).count() == 1


# --- at the same time as others


def test_what_another_worker_ended_meanwhile_is_left_to_it(
    world: World, service: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for point in (world.p1.pk, world.p2.pk):
        give(world, service, point)
    late = world.now + timedelta(days=400)
    again = _another_meanwhile(monkeypatch, lambda: expire_due(now=late))
    assert expire_due(now=late) == 1
    assert again == [1]
    assert Receipt.objects.count() == 2


def test_what_another_worker_invalidated_meanwhile_is_left_to_it(
    world: World, service: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for point in (world.p1.pk, world.p2.pk):
        give(world, service, point)
        close_holding(holding=holding(world, point), valid_to=date(2026, 12, 1), now=world.now)
    later = world.now + timedelta(days=10)
    again = _another_meanwhile(monkeypatch, lambda: invalidate_for_moved_out(now=later))
    assert invalidate_for_moved_out(now=later) == 1
    assert again == [1]
    assert Receipt.objects.count() == 2


def _another_meanwhile(monkeypatch: pytest.MonkeyPatch, end_the_rest: Callable[[], int]) -> list[int]:
    """Another worker comes between the first permission and the second; how many it ended."""
    monkeypatch.setattr("gridgate.sharing.operations.acts.BATCH", 1)
    real, begun, again = asking.ask, [], []

    def ask(ended: list[Ended], **named: datetime) -> list[Receipt]:
        if not begun:
            begun.append(True)
            again.append(end_the_rest())
        return real(ended, **named)

    monkeypatch.setattr(asking, "ask", ask)
    return again


def test_a_move_out_whose_permissions_cannot_be_ended_is_not_written(
    world: World, service: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A title and the access lines never disagree: both, or none."""
    permission = give(world, service, world.p1.pk)

    def refuse(*_: object, **__: object) -> None:
        raise Fault

    monkeypatch.setattr(asking, "ask", refuse)
    with pytest.raises(Fault), transaction.atomic():
        close_holding(holding=holding(world, world.p1.pk), valid_to=world.now.date(), now=world.now)
    assert holding(world, world.p1.pk).valid_to is None
    permission.refresh_from_db()
    assert (permission.state, lines(permission)) == ("active", 1)


def test_a_move_out_that_touches_many_takes_as_many_statements_as_one(world: World) -> None:
    taken = []
    for permissions, point in ((1, world.p1), (8, world.p2)):
        for turn in range(permissions):
            give(world, make_service(world.third_party_1), point.pk, *([world.p3.pk] if turn % 2 else []))
        title = TitleHolding.objects.get(metering_point=point, holder=world.acme)
        TitleHolding.objects.filter(pk=title.pk).update(valid_to=world.now.date())
        with CaptureQueriesContext(connection) as statements:
            assert invalidate_for_moved_out(now=world.now, point_ids=[point.pk]) == permissions
        project_titles([point.pk])
        taken.append(len(statements))
    # Those that go on have their points taken away, and their lines written anew, together.
    assert taken[1] - taken[0] <= 6
    assert Permission.objects.filter(state="active").count() == 4
    assert list(contradictions()) == []


def test_revoking_a_company_takes_as_many_statements_for_many_permissions_as_for_one(world: World) -> None:
    taken = []
    for services in (1, 8):
        for _ in range(services):
            give(world, make_service(world.third_party_1), world.p1.pk)
        with CaptureQueriesContext(connection) as statements:
            revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
        taken.append(len(statements))
    assert taken[0] == taken[1]
