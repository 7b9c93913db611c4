"""What changes without ending is told after its commit: nobody waits for letters, and nothing loses them."""

import signal
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction

from gridgate.accounts.operations.own_account import delete_account
from gridgate.eic.kind import EIC
from gridgate.notifications import asking, letters, permissions, tasks
from gridgate.notifications.checking import awaited_letters
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations import rights
from gridgate.organisations.models import Entitlement
from gridgate.requests.operations.life import return_request
from gridgate.sharing.models import DataService, Permission
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.operations.extending import extend
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.pausing import resume, suspend
from gridgate.sharing.operations.requesting import refuse_request, request_permission
from gridgate.sharing.receipts.completing import complete
from tests.factories.eic import make_request, send
from tests.factories.sharing import make_service
from tests.real_registry import AT_ONCE, Registry
from tests.world import NOW, World

SIDES = {"alice@acme.example", "bob@acme.example", "dev@tiers-1.example"}


@pytest.fixture
def service(world: World) -> DataService:
    return make_service(world.third_party_1)


@pytest.fixture
def permission(world: World, service: DataService) -> Permission:
    made = subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
    OutgoingEmail.objects.all().delete()
    return made


def keys() -> list[str]:
    return sorted(email.key.split(":")[0] for email in OutgoingEmail.objects.exclude(recipient=""))


def test_the_transaction_of_a_change_renders_nothing_and_asks_nobody_whom_to_tell(
    world: World, service: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        for name in ("render_to_string", "holders", "parties"):
            patch.setattr(permissions, name, never)
        permission = subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
        suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
        resume(actor=world.operateur, permission_id=permission.pk, now=world.now)
        later = world.now + timedelta(days=700)
        extend(actor=world.alice, permission_id=permission.pk, valid_until=later, now=world.now)
    assert tasks.claim(now=world.now) is None  # nothing of it is an e-mail yet
    assert tasks.write_letters(now=world.now) == 4
    assert keys() == [name for name in ("extended", "granted", "resumed", "suspended") for _ in SIDES]
    assert tasks.write_letters(now=world.now) == 0


def test_nobody_waits_for_letters_to_be_rendered(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, depths = len(connection.savepoint_ids), set()
    render = permissions.render_to_string

    def seen(*given: object, **named: object) -> str:
        depths.add(len(connection.savepoint_ids) - outside)
        return render(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(permissions, "render_to_string", seen)
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    tasks.write_letters(now=world.now)
    assert depths == {0}


def test_each_letter_says_what_changed_then(world: World, permission: Permission) -> None:
    """Extended twice before the worker comes by: each letter has its own day."""
    for days in (700, 800):
        extend(
            actor=world.alice,
            permission_id=permission.pk,
            valid_until=world.now + timedelta(days=days),
            now=world.now,
        )
    tasks.write_letters(now=world.now)
    first, second = OutgoingEmail.objects.filter(recipient="alice@acme.example").order_by("pk")
    assert "Jusqu’au\u00a0: 25\u00a0octobre 2028" in first.body
    assert "Jusqu’au\u00a0: 2\u00a0février 2029" in second.body


def test_the_letters_of_a_change_are_all_or_nothing_at_every_statement(
    world: World, permission: Permission
) -> None:
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    failed = 0
    while not _fails_at(failed + 1):
        failed += 1
        assert (OutgoingEmail.objects.filter(recipient="").count(), keys()) == (1, []), failed
    assert failed > 5
    assert (OutgoingEmail.objects.filter(recipient="").count(), len(keys())) == (0, len(SIDES))


def _fails_at(statement: int) -> bool:
    """Whether it was done before a statement that the registry does not answer."""
    seen = 0

    def fail(execute: Callable[..., object], sql: str, *rest: object) -> object:
        nonlocal seen
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen += 1
            if seen == statement:
                raise OperationalError("no answer") from _busy()
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        try:
            tasks.write_letters(now=NOW)
        except OperationalError:
            return False
    return True


def _busy() -> Exception:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def test_what_cannot_be_rendered_holds_up_no_other_and_is_never_given_up(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    resume(actor=world.operateur, permission_id=permission.pk, now=world.now)
    letters_of = asking.letters_of

    def refuse(asked: OutgoingEmail, *, now: datetime) -> list[OutgoingEmail]:
        if asked.key.startswith("suspended:"):
            raise ZeroDivisionError
        return letters_of(asked, now=now)

    now = world.now
    with monkeypatch.context() as patch:
        patch.setattr(asking, "letters_of", refuse)
        assert tasks.write_letters(now=now) == 1
        for _ in range(tasks.MOST_ATTEMPTS + 1):
            now = OutgoingEmail.objects.get(recipient="").due_at
            assert tasks.write_letters(now=now - timedelta(seconds=1)) == 0
            assert tasks.write_letters(now=now) == 0
    assert set(keys()) == {"resumed"}
    now = OutgoingEmail.objects.get(recipient="").due_at
    assert tasks.write_letters(now=now) == 1
    assert set(keys()) == {"resumed", "suspended"}


def test_the_operator_is_told_of_letters_that_cannot_be_rendered(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: OutgoingEmail, *, now: datetime) -> list[OutgoingEmail]:
        raise ValueError("no such word")

    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    assert [*awaited_letters(world.now + timedelta(minutes=9))] == []
    (late,) = awaited_letters(world.now + timedelta(minutes=11))
    assert late.startswith("Not written yet: the letters of 1 change, the oldest since 2026-11-25")
    with monkeypatch.context() as patch:
        patch.setattr(asking, "letters_of", refuse)
        tasks.write_letters(now=world.now)
    (again, why) = awaited_letters(world.now + timedelta(minutes=11))
    assert again == late
    assert why.startswith(f"suspended:{permission.pk}:")
    assert why.endswith(": its letters cannot be written: ValueError: no such word")
    tasks.write_letters(now=world.now + timedelta(minutes=11))
    assert [*awaited_letters(world.now + timedelta(days=1))] == []


def test_letters_on_what_two_share_leave_in_the_order_of_the_events(
    world: World, service: DataService
) -> None:
    """Though the page that ends signs its receipt before the worker comes by, and several e-mails leave at once."""
    permission = subscribe(actor=world.alice, service=service, points=[world.p1.pk], now=world.now)
    asked = revoke_permission(actor=world.alice, permission_id=permission.pk, now=world.now)
    complete(asked, now=world.now)
    assert tasks.claim(now=world.now) is None
    tasks.write_letters(now=world.now)
    begun = [tasks.claim(now=world.now) for _ in SIDES]
    assert {(one.recipient, one.key.split(":")[0]) for one in begun if one is not None} == {
        (side, "granted") for side in SIDES
    }
    assert (
        tasks.claim(now=world.now) is None
    )  # while those are on their way, and while one is to be tried again
    sent, later, given_up = [OutgoingEmail.objects.get(pk=one.pk) for one in begun if one is not None]
    OutgoingEmail.objects.filter(pk=sent.pk).update(sent_at=world.now)
    OutgoingEmail.objects.filter(pk=later.pk).update(
        leased_until=None, due_at=world.now + timedelta(minutes=1)
    )
    OutgoingEmail.objects.filter(pk=given_up.pk).update(leased_until=None, attempts=tasks.MOST_ATTEMPTS)
    ended = [tasks.claim(now=world.now) for _ in SIDES]
    assert {(one.recipient, one.key.split(":")[0]) for one in ended if one is not None} == {
        (one.recipient, "ended") for one in (sent, given_up)
    }


def test_who_may_not_learn_of_it_any_more_when_a_letter_is_written_gets_none(
    world: World, permission: Permission
) -> None:
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    later = world.now + timedelta(minutes=5)
    Entitlement.objects.filter(group__members__membership=world.bob).update(valid_until=later)
    tasks.write_letters(now=later)
    told = OutgoingEmail.objects.values_list("recipient", flat=True)
    assert set(told) == SIDES - {"bob@acme.example"}


def test_an_account_that_is_deleted_as_letters_are_rendered_gets_none(
    world: World, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its former address would stay in the queue, which its deletion had emptied of it."""
    suspend(actor=world.operateur, permission_id=permission.pk, reason="", now=world.now)
    render = asking.letters_of

    def meanwhile(change: OutgoingEmail, *, now: datetime) -> list[OutgoingEmail]:
        rendered = render(change, now=now)
        delete_account(user=world.bob.user, now=now)
        return rendered

    with monkeypatch.context() as patch:
        patch.setattr(asking, "letters_of", meanwhile)
        tasks.write_letters(now=world.now)
    tasks.write_letters(now=world.now)
    told = OutgoingEmail.objects.filter(key__startswith="suspended:")
    assert sorted(told.values_list("recipient", flat=True)) == sorted(SIDES - {"bob@acme.example"})


def test_the_transaction_of_a_request_renders_nothing_and_one_rolled_back_tells_nobody(
    world: World, service: DataService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    def all_of_it() -> None:
        asked = request_permission(
            requester=world.tiers1,
            service=service,
            holder=world.acme,
            points=None,
            valid_until=date(2027, 6, 30),
            now=world.now,
        )
        refuse_request(actor=world.alice, request_id=asked.pk, now=world.now)
        eic = make_request(world.alice)
        return_request(EIC, eic, reason="Quel marché ?", actor=world.operateur, now=world.now)
        send(eic, world.alice)

    with monkeypatch.context() as patch:
        patch.setattr(permissions, "render_to_string", never)
        patch.setattr(letters, "render_to_string", never)
        patch.setattr(rights, "members_who_may", never)
        with suppress(ZeroDivisionError), transaction.atomic():
            all_of_it()
            raise ZeroDivisionError
        assert not OutgoingEmail.objects.exists()
        all_of_it()
    assert tasks.write_letters(now=world.now) == 5
    told = OutgoingEmail.objects.filter(recipient=world.alice.user.email).order_by("pk")
    assert [one.key.split(":")[0] for one in told] == [
        "requested",
        "request_submitted",
        "request_returned",
        "request_submitted",
    ]
    assert "\nQuel marché ?\n" in told[2].body  # though it was sent again since


# --- several processes

CAST = """
from datetime import UTC, datetime
from django.db import connection
from gridgate.notifications import asking, letters, tasks
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.pausing import suspend
now = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
alice = Membership.objects.select_related("user", "organisation").get(user__full_name="Alice")
staff = Membership.objects.select_related("user", "organisation").filter(organisation__is_operator=True).first()
tiers_1 = Organisation.objects.get(siren="222333445")
"""
GIVE = f"""{CAST}
from tests.factories.sharing import make_service
subscribe(actor=alice, service=make_service(tiers_1), points=None, now=now)
tasks.write_letters(now=now)
"""
SUSPEND = """
suspend(actor=staff, permission_id=Permission.objects.get().pk, reason="", now=now)
"""
STOPPED = """
import os, time

def stop(*_, **__):
    print("there", flush=True)
    time.sleep(3600)

def stop_at(execute, sql, *rest):
    result = execute(sql, *rest)
    if sql.startswith(os.environ["WHERE"]):
        stop()
    return result

if os.environ["WHERE"] == "commit":
    stop()
if os.environ["WHERE"] == "enqueue":
    tasks.enqueue = stop
with connection.execute_wrapper(stop_at):
    tasks.write_letters(now=now)
"""
WORK = "print(tasks.write_letters(now=now))"
ASKED = "SELECT count(*) FROM notifications_outgoingemail WHERE recipient = ''"
LETTERS = "SELECT recipient FROM notifications_outgoingemail WHERE key LIKE 'suspended:%' AND recipient <> ''"


@pytest.mark.parametrize(
    "where",
    [
        "commit",
        "enqueue",
        'DELETE FROM "notifications_outgoingemail"',
        'INSERT OR IGNORE INTO "notifications_outgoingemail"',
    ],
)
def test_a_process_killed_after_its_commit_leaves_the_letters_to_the_worker(
    registry: Registry, where: str
) -> None:
    """Before they are rendered; rendered; in place of what asked for them, but not committed."""
    registry.run(GIVE)
    process = registry.start(CAST + SUSPEND + STOPPED, WHERE=where)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.communicate()
    assert registry.rows("SELECT state FROM sharing_permission") == [("suspended",)]
    assert (registry.rows(ASKED), registry.rows(LETTERS)) == ([(1,)], [])
    assert [registry.run(CAST + WORK) for _ in range(2)] == ["1", "0"]
    assert sorted(to for (to,) in registry.rows(LETTERS)) == ["alice@acme.example", "dev@tiers-1.example"]


def test_letters_that_several_workers_write_at_once_are_written_once(registry: Registry) -> None:
    registry.run(GIVE)
    registry.run(CAST + SUSPEND)
    registry.at_once(*[CAST + AT_ONCE + WORK] * 3)
    assert registry.rows(ASKED) == [(0,)]
    assert sorted(to for (to,) in registry.rows(LETTERS)) == ["alice@acme.example", "dev@tiers-1.example"]
