"""What receipts say of the log, and the key that they are signed with."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from gridgate.audit.operations.folding import fold
from gridgate.audit.operations.progress import Position
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config.environment import Environment
from gridgate.config.worker import Job, Signing, do
from gridgate.core.sharing import PermissionState
from gridgate.notifications import permissions as notices
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.sharing import signing
from gridgate.sharing.models import Permission, PermissionEvent, Receipt
from gridgate.sharing.operations.ending import revoke_company, revoke_permission
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.receipts import asking, completing
from gridgate.sharing.receipts.asking import awaited
from gridgate.sharing.receipts.checking import awaited_receipts
from gridgate.sharing.receipts.completing import NoneCompleted, complete, complete_at_once, complete_awaited
from gridgate.sharing.receipts.keys import public_jwks, verify
from gridgate.sharing.signing import Invalid, KeyUnusable, Valid
from tests.factories.metering import leave
from tests.factories.sharing import make_service
from tests.world import World


@pytest.fixture(autouse=True)
def _own_keys(settings: Settings, tmp_path: Path) -> None:
    settings.ENVIRONMENT = Environment(data=tmp_path)


@pytest.fixture
def permission(world: World) -> Permission:
    service = make_service(world.third_party_1)
    return subscribe(actor=world.alice, service=service, points=None, now=world.now - timedelta(days=9))


def ended(world: World) -> Receipt:
    """What the first third party read, revoked, with its signed receipt."""
    receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    return complete(receipt, now=world.now)


def read(
    permission: Permission, *, hours_ago: int, world: World, outcome: str = "granted", **more: object
) -> dict[str, object]:
    return {
        "at": (world.now - timedelta(hours=hours_ago)).isoformat(),
        "channel": "api:enedis",
        "outcome": outcome,
        "holder": permission.holder_id,
        "reader": permission.eligible_party_id,
        "permission": permission.pk.hex,  # as the registry keeps it, which is what the data plane reads
        "metering_point": world.p1.pk,
        **more,
    }


def test_a_receipt_counts_the_reads_and_fixes_where_the_log_stood(
    world: World, permission: Permission
) -> None:
    entries = [
        read(permission, hours_ago=30, world=world),
        read(permission, hours_ago=3, world=world),
        read(permission, hours_ago=2, world=world, outcome="kind_not_covered"),
        read(permission, hours_ago=1, world=world, reader=world.third_party_2.pk),
        read(permission, hours_ago=1, world=world, holder=world.client_b.pk),
    ]
    lines = [LogLine(number, entry) for number, entry in enumerate(entries, start=2)]
    fold(segment="2026-11-25-a.jsonl", lines=lines, reached=lambda: Position(6, 900, "a" * 64))
    fold(segment="2026-11-25-b.jsonl", lines=[], reached=lambda: Position(1, 90, "b" * 64))
    said = ended(world).payload
    assert said["permissions"][0]["reads"] == 2
    assert said["permissions"][0]["last_read_at"] == "2026-11-25T06:30:00Z"
    assert said["last_log_segment"] == "2026-11-25-a.jsonl"
    assert "last_log_lines" not in said  # how much everybody read is nobody else's business
    assert said["last_log_head"] == "a" * 64


def test_a_company_that_never_read_is_told_by_where_the_newest_segment_stood(
    world: World, permission: Permission
) -> None:
    fold(segment="2026-11-25-a.jsonl", lines=[], reached=lambda: Position(1, 90, "a" * 64))
    fold(segment="2026-11-25-b.jsonl", lines=[], reached=lambda: Position(1, 90, "b" * 64))
    said = ended(world).payload
    assert (said["last_log_segment"], said["last_log_head"]) == ("2026-11-25-b.jsonl", "b" * 64)


def test_without_a_log_yet_there_is_nothing_to_fix(world: World, permission: Permission) -> None:
    said = ended(world).payload
    assert [said[name] for name in ("last_log_head", "last_log_segment")] == ["", ""]


def test_the_payload_kept_is_the_one_that_is_signed(world: World, permission: Permission) -> None:
    receipt = ended(world)
    receipt.refresh_from_db()
    keys = signing.keys_of_jwks(json.dumps(public_jwks()), where="")
    found = signing.verify(receipt.jws, keys)
    assert isinstance(found, Valid)
    assert found.payload == receipt.payload
    assert isinstance(verify(receipt.jws + "A"), Invalid)


def test_the_key_is_made_with_the_first_receipt_and_never_again(
    world: World, permission: Permission, tmp_path: Path
) -> None:
    """A lost key is put back, not replaced in silence; what ended until then has ended, and its proof waits."""
    key = tmp_path / "keys" / "receipts.pem"
    assert not key.exists()
    receipt = ended(world)
    assert isinstance(verify(receipt.jws), Valid)
    again = subscribe(actor=world.alice, service=permission.service, points=None, now=world.now)
    away = key.rename(tmp_path / "away.pem")
    with pytest.raises(KeyUnusable, match="backup"):
        ended(world)
    again.refresh_from_db()
    assert (again.state, again.lines.count()) == ("revoked", 0)
    with pytest.raises(KeyUnusable, match="backup"):
        complete_awaited(now=world.now)
    assert not key.exists()
    away.rename(key)
    assert complete_awaited(now=world.now) == 1
    assert [isinstance(verify(one.jws), Valid) for one in Receipt.objects.all()] == [True, True]


def test_the_transaction_of_an_end_counts_signs_and_renders_nothing(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    OutgoingEmail.objects.all().delete()
    with monkeypatch.context() as patch:
        for name in ("reads_under", "log_mark", "signing_key"):
            patch.setattr(completing, name, never)
        patch.setattr("gridgate.notifications.permissions.render_to_string", never)
        receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    assert (receipt.awaited, OutgoingEmail.objects.count()) == (True, 0)
    made = complete(receipt, now=world.now)
    assert (made.number, made.awaited) == (receipt.number, False)
    tasks.write_letters(now=world.now)
    assert {email.attachment for email in OutgoingEmail.objects.all()} == {made.jws}


def test_nobody_waits_for_what_a_receipt_is_made_of(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting and signing come before the transaction that keeps the receipt, rendering after it."""
    outside, done = len(connection.savepoint_ids), []

    def seen(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def act(*given: object, **named: object) -> object:
            done.append((name, len(connection.savepoint_ids) - outside))
            return real(*given, **named)

        monkeypatch.setattr(module, name, act)

    receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    seen(completing, "reads_under")
    seen(signing, "sign")
    seen(notices, "render_to_string")
    seen(completing, "say")
    complete(receipt, now=world.now)
    assert done == [("reads_under", 0), ("sign", 0), ("say", 1)]
    done.clear()
    tasks.write_letters(now=world.now)
    assert set(done) == {("render_to_string", 0)}


def test_a_receipt_is_made_once_whoever_makes_it(world: World, permission: Permission) -> None:
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    OutgoingEmail.objects.all().delete()
    made = complete(asked, now=world.now)
    tasks.write_letters(now=world.now)
    told = set(OutgoingEmail.objects.values_list("key", flat=True))
    late = complete(asked, now=world.now + timedelta(hours=1))  # began before the other was done
    assert (late.jws, late.issued_at) == (made.jws, world.now)
    assert complete_awaited(now=world.now) == 0
    tasks.write_letters(now=world.now)
    assert set(OutgoingEmail.objects.values_list("key", flat=True)) == told
    assert len(told) == 2


def test_what_was_read_just_before_the_end_and_folded_after_it_is_counted(
    world: World, permission: Permission
) -> None:
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    line = LogLine(2, read(permission, hours_ago=0, world=world))
    fold(segment="2026-11-25-a.jsonl", lines=[line], reached=lambda: Position(2, 900, "a" * 64))
    made = complete(asked, now=world.now + timedelta(minutes=1))
    assert made.payload["permissions"][0]["reads"] == 1
    assert (made.payload["effective_at"], made.payload["issued_at"]) == (
        "2026-11-25T09:30:00Z",
        "2026-11-25T09:31:00Z",
    )


def test_one_that_cannot_be_made_holds_up_no_other(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    poisoned = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    subscribe(actor=world.alice, service=permission.service, points=None, now=world.now)
    fine = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    real = signing.sign

    def refuse(payload: dict[str, object], *given: object) -> str:
        if payload["number"] == poisoned.number:
            raise ZeroDivisionError
        return real(payload, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(signing, "sign", refuse)
    assert complete_awaited(now=world.now) == 2
    assert [one.number for one in awaited()] == [poisoned.number]
    assert poisoned.number in caplog.text
    with pytest.raises(NoneCompleted):  # so that the worker waits longer each time
        complete_awaited(now=world.now)
    assert not Receipt.objects.get(number=fine.number).awaited


def test_a_receipt_and_what_asks_for_its_letters_are_all_or_nothing_at_every_statement(
    world: World, permission: Permission
) -> None:
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    OutgoingEmail.objects.all().delete()
    failed = 0
    while not _fails_at(failed + 1, asked, world):
        failed += 1
        assert (awaited().count(), OutgoingEmail.objects.count()) == (1, 0), failed
    assert failed > 5
    assert (awaited().count(), OutgoingEmail.objects.get().key) == (0, f"ended:{asked.number}")


def _fails_at(statement: int, asked: Receipt, world: World) -> bool:
    seen = 0

    def fail(execute: Callable[..., object], sql: str, *rest: object) -> object:
        nonlocal seen
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen += 1
            if seen == statement:
                raise ZeroDivisionError
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        try:
            complete(asked, now=world.now)
        except ZeroDivisionError:
            return False
    return True


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ("act", "expire"),
        ("effective_at", "2026-11-24T09:30:00Z"),
        ("actor", {"name": "Bob"}),
        ("number", "GG-20200101-AAAAAA"),
        ("permissions", []),
    ],
)
def test_nothing_is_signed_that_the_history_does_not_say(
    world: World, permission: Permission, member: str, says: object
) -> None:
    """Whoever may write into the registry, and has no key, gets no receipt signed by asking for one."""
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    Receipt.objects.filter(pk=asked.pk).update(payload={**asked.payload, member: says})
    with pytest.raises(NoneCompleted, match="does not say"):
        complete_awaited(now=world.now)
    assert Receipt.objects.get().awaited


def test_what_is_never_signed_keeps_no_later_receipt_waiting(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completing, "AT_ONCE", 1)
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    forged = Receipt.objects.create(
        number="GG-20200101-AAAAAA",
        holder=asked.holder,
        eligible_party=asked.eligible_party,
        issued_at=world.now,
        payload=asked.payload,
    )
    Receipt.objects.filter(pk=asked.pk).update(payload={**asked.payload, "act": "expire"})
    service = make_service(world.third_party_1)
    subscribe(actor=world.alice, service=service, points=None, now=world.now - timedelta(days=9))
    later = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    assert complete_awaited(now=world.now) == 3
    assert [one.pk for one in awaited()] == [asked.pk, forged.pk]
    assert [one.pk for one in asking.signed()] == [later.pk]


def test_what_cannot_be_signed_is_tried_again_later_each_time(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    Receipt.objects.filter(pk=asked.pk).update(payload={**asked.payload, "act": "expire"})
    tried: list[int] = []
    real, now = complete_at_once, world.now
    monkeypatch.setattr(
        completing, "complete_at_once", lambda one, now: (tried.append(second), real(one, now=now))[1]
    )
    worker = Signing()
    for second in range(3600):
        worker.sign(now + timedelta(seconds=second))
    assert tried[:8] == [0, 2, 6, 14, 30, 62, 126, 254]
    assert {later - earlier for earlier, later in pairwise(tried[9:])} == {600}
    second = 3600
    service = make_service(world.third_party_1)
    subscribe(actor=world.alice, service=service, points=None, now=world.now - timedelta(days=9))
    later = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    worker.sign(now + timedelta(seconds=second))  # which waits for nothing
    assert not Receipt.objects.get(pk=later.pk).awaited
    Receipt.objects.filter(pk=asked.pk).update(payload=asked.payload)
    worker.sign(now - timedelta(days=1))  # a clock that is put back lets nothing wait for it
    assert not Receipt.objects.get(pk=asked.pk).awaited


def test_what_waits_for_the_key_is_signed_in_the_round_after_it_is_back(
    world: World, permission: Permission, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Looked for each second, told once, and no receipt is blamed for it."""
    ended(world)
    away = (tmp_path / "keys" / "receipts.pem").rename(tmp_path / "away.pem")
    subscribe(actor=world.alice, service=permission.service, points=None, now=world.now)
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    job = Job("sign", 0, Signing().sign)
    for _ in range(50):
        do(job, world.now)
    assert (job.failures, caplog.text.count("not signed yet")) == (0, 1)
    (late, why) = awaited_receipts(world.now + timedelta(minutes=11))
    assert "1 receipt" in late
    assert "receipts.pem" in why
    away.rename(tmp_path / "keys" / "receipts.pem")
    do(job, world.now)
    assert not Receipt.objects.get(pk=asked.pk).awaited


def test_the_operator_is_told_which_receipts_cannot_be_signed_and_why(
    world: World, permission: Permission
) -> None:
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    for payload in ({**asked.payload, "act": "expire"}, {}):
        Receipt.objects.filter(pk=asked.pk).update(payload=payload)
        (_, why) = awaited_receipts(world.now + timedelta(minutes=11))
        assert f"receipt {asked.number} is asked for what the history of its permissions does not say" in why


def test_what_is_signed_is_what_the_history_says_whatever_the_row_says(
    world: World, permission: Permission
) -> None:
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    said = asked.payload
    [one] = said["permissions"]
    terms = {"service": "Tout", "kinds": ["load_curve"], "points": "all", "points_count": 999, "until": None}
    someone, lie = {"name": "Somebody", "siren": "999999999"}, {"service": "Tout", "legal_reference": "L1"}
    forged = {"permissions": [one | terms | {"since": "1999-01-01T00:00:00Z"}], "kept": [lie], "owed": 1000}
    Receipt.objects.filter(pk=asked.pk).update(
        payload=said | forged | {"holder": someone, "operator": someone, "eligible_party": someone}
    )
    complete_awaited(now=world.now)
    signed = Receipt.objects.get().payload
    later = ("issued_at", "last_log_head", "last_log_segment")
    assert {name: signed[name] for name in signed if name not in later} == {
        name: said[name] for name in said if name not in later
    }


def test_nothing_is_signed_of_a_permission_that_its_history_does_not_tell_whole(
    world: World, permission: Permission
) -> None:
    """As of one that was written into the registry by other means, with an event that says no more than its state."""
    permission.pk = uuid4()
    permission.save(force_insert=True)
    PermissionEvent.objects.create(
        permission=permission, sequence=1, state=PermissionState.ACTIVE, at=world.now, actor_name="Alice"
    )
    revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    with pytest.raises(NoneCompleted, match="does not say"):
        complete_awaited(now=world.now)
    assert Receipt.objects.get().awaited


def test_what_is_signed_is_not_changed_and_what_is_awaited_is_not_removed(
    world: World, permission: Permission
) -> None:
    asked = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    with pytest.raises(IntegrityError, match="sharing_receipt only grows"), transaction.atomic():
        Receipt.objects.filter(pk=asked.pk).delete()
    complete(asked, now=world.now)
    with pytest.raises(IntegrityError, match="sharing_receipt only grows"), transaction.atomic():
        Receipt.objects.filter(pk=asked.pk).update(jws="")


def test_a_permission_on_all_points_counts_those_held_that_day(world: World, permission: Permission) -> None:
    leave(world.p4.pk, world.now.date())
    said = ended(world).payload
    assert (said["permissions"][0]["points"], said["permissions"][0]["points_count"]) == ("all", 3)


def test_an_instance_without_an_operator_signs_all_the_same(world: World, permission: Permission) -> None:
    world.operator.is_operator = False
    world.operator.save()
    said = ended(world).payload
    assert said["operator"] == {"name": "", "siren": ""}


def test_how_many_statements_a_resiliation_takes_does_not_grow_with_the_points(world: World) -> None:
    service = make_service(world.third_party_1)
    counts = []
    for points in ([world.p1.pk], [world.p1.pk, world.p2.pk, world.p3.pk, world.p4.pk]):
        subscribe(actor=world.alice, service=service, points=points, now=world.now)
        with CaptureQueriesContext(connection) as statements:
            revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
        counts.append(len(statements))
    assert counts[1] <= counts[0]


def test_the_operator_is_told_of_receipts_that_should_be_there(world: World, permission: Permission) -> None:
    receipt = revoke_company(actor=world.alice, company=world.third_party_1, now=world.now)
    assert list(awaited_receipts(world.now + timedelta(minutes=9))) == []
    (said,) = awaited_receipts(world.now + timedelta(minutes=11))
    assert said.startswith("Not signed yet: 1 receipt of what ended, the oldest since 2026-11-25 09:30 UTC.")
    complete(receipt, now=world.now)
    assert list(awaited_receipts(world.now + timedelta(minutes=11))) == []
