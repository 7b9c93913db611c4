"""The worker: does what is due, survives what fails, stops when told."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import DatabaseError, OperationalError

from gridgate.audit.models import LogDay
from gridgate.config import worker
from gridgate.config.environment import Environment
from gridgate.config.worker import SEATS, Files, Job, Mail, do, jobs, work
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.accesslog.segments import CHECKPOINTS
from gridgate.delivery.models import PreparedFile
from gridgate.delivery.operations import prepared_files
from gridgate.metering.models import LoadCurveCollection, TitleHolding
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.titles import close_holding
from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.portal.screens.measurements import preparing
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.granting import subscribe
from gridgate.sharing.operations.requesting import request_permission
from gridgate.sharing.signing import make_key
from tests.factories.sharing import make_service
from tests.real_registry import Registry
from tests.waiting import PATIENCE, until
from tests.world import World

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def clock() -> datetime:
    return NOW


# --- jobs


def test_a_job_is_done_when_due_and_not_before() -> None:
    done: list[datetime] = []
    job = Job("count", 3600, done.append)
    do(job, NOW)
    do(job, NOW)
    assert done == [NOW]
    job.due = 0
    do(job, NOW)
    assert len(done) == 2


def test_a_job_that_fails_waits_longer_each_time_and_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(now: datetime) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(worker, "monotonic", lambda: 1000.0)
    job = Job("fold", 1, fail)
    waits = []
    for _ in range(14):
        job.due = 0
        do(job, NOW)
        waits.append(job.due - 1000)
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == 3600
    assert "could not fold; next attempt in 2 s" in caplog.text
    assert "disk full" in caplog.text
    job.act, job.due = (lambda now: None), 0
    do(job, NOW)
    assert (job.failures, job.due) == (0, 1001)


@pytest.mark.django_db
def test_one_poisoned_job_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "claim", lambda now: None)
    stop, done = threading.Event(), []

    def poisoned(now: datetime) -> None:
        raise ZeroDivisionError

    def fine(now: datetime) -> None:
        done.append(now)
        if len(done) == 3:
            stop.set()

    monkeypatch.setattr(worker, "ROUND_SECONDS", 0)
    work([Job("a", 0, poisoned), Job("b", 0, fine), Job("c", 0, lambda now: done.append(now))], stop, clock)
    assert len(done) == 3  # "b", "c", "b"; and "c" is not begun after the stop


def test_the_seats_are_bounded_and_a_slow_server_holds_up_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, most, release, taken = [], [], threading.Event(), iter(range(100))

    def send(email: int, clock: object) -> None:
        busy.append(email)
        most.append(len(busy))
        release.wait()
        busy.remove(email)

    monkeypatch.setattr(tasks, "claim", lambda now: next(taken, None))
    monkeypatch.setattr(tasks, "send", send)
    with Mail(clock) as mail:
        mail.fill_seats()
        mail.fill_seats()
        release.set()
    assert next(taken) == SEATS
    assert max(most) <= SEATS


def test_what_fails_in_a_seat_frees_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    emails = [OutgoingEmail(pk=number) for number in range(SEATS * 2)]

    def send(email: OutgoingEmail, clock: object) -> None:
        raise OSError("no disk")

    monkeypatch.setattr(tasks, "claim", lambda now: emails.pop() if emails else None)
    monkeypatch.setattr(tasks, "send", send)
    with Mail(clock) as mail:
        until(lambda: mail.fill_seats() or not emails, "the seats filled a second time")
    assert caplog.text.count("what became of e-mail") == SEATS * 2


def test_a_registry_that_does_not_answer_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def claim(now: datetime) -> None:
        raise OSError("locked")

    monkeypatch.setattr(tasks, "claim", claim)
    with Mail(clock) as mail:
        mail.fill_seats()
    assert "e-mails cannot be claimed" in caplog.text


def test_an_outage_of_the_registry_is_told_once_and_the_next_one_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """E-mails are looked for twice a second."""
    faults: list[DatabaseError | None] = [OperationalError("it is missing")] * 3
    faults += [None, OperationalError("it is missing"), OperationalError("it is locked")]

    def claim(now: datetime) -> None:
        if fault := faults.pop(0):
            raise fault

    monkeypatch.setattr(tasks, "claim", claim)
    with Mail(clock) as mail:
        for _ in range(6):
            mail.fill_seats()
    assert [record.getMessage() for record in caplog.records] == [
        "e-mails cannot be claimed: it is missing",
        "e-mails cannot be claimed: it is missing",
        "e-mails cannot be claimed: it is locked",
    ]


def test_files_are_prepared_one_at_a_time_beside_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, begun, release = [PreparedFile(pk=1), PreparedFile(pk=2)], [], threading.Event()
    stop = threading.Event()

    def prepare(file: PreparedFile, *, clock: object, stopped: Callable[[], bool]) -> None:
        begun.append((file.pk, stopped()))
        release.wait()

    monkeypatch.setattr(prepared_files, "claim_file", lambda now: waiting.pop(0) if waiting else None)
    monkeypatch.setattr(preparing, "prepare", prepare)
    with Files(clock, stop) as files:
        files.fill_seat(NOW)
        files.fill_seat(NOW)
        until(lambda: len(begun) == 1, "the first is begun")
        assert len(waiting) == 1, "the second waits for the seat"
        stop.set()
        release.set()
        until(lambda: files.fill_seat(NOW) or len(begun) == 2, "the seat is free again")
    assert begun == [(1, False), (2, True)]


def test_a_file_that_cannot_be_prepared_frees_the_seat(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = [PreparedFile(pk=1), PreparedFile(pk=2)]

    def prepare(file: PreparedFile, **_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(prepared_files, "claim_file", lambda now: waiting.pop(0) if waiting else None)
    monkeypatch.setattr(preparing, "prepare", prepare)
    with Files(clock, threading.Event()) as files:
        until(lambda: files.fill_seat(NOW) or not waiting, "both were tried")
    assert caplog.text.count("a file asked for cannot be prepared") == 2


def test_files_that_may_be_read_no_more_are_looked_for_in_the_seat_and_hold_up_no_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked, release = [], threading.Event()

    def forget_unreadable(*, now: datetime) -> None:
        looked.append(now)
        release.wait()

    monkeypatch.setattr(prepared_files, "forget_over", lambda now: None)
    monkeypatch.setattr(prepared_files, "some_are_ready", lambda: True)
    monkeypatch.setattr(preparing, "forget_unreadable", forget_unreadable)
    with Files(clock, threading.Event()) as files:
        files.forget(NOW)
        files.forget(NOW)  # returns at once, though the first look goes on
        until(lambda: looked == [NOW], "they are looked at")
        release.set()
        until(lambda: files.forget(NOW) or len(looked) == 2, "the seat is free again")


def test_a_registry_that_does_not_answer_keeps_no_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(now: datetime) -> None:
        raise OperationalError("it is locked")

    monkeypatch.setattr(prepared_files, "claim_file", claim)
    with Files(clock, threading.Event()) as files:
        for _ in "ab":
            with pytest.raises(OperationalError):
                files.fill_seat(NOW)


# --- what the jobs do


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    environment = Environment(data=tmp_path)
    environment.access_log.mkdir()
    make_key(environment.receipt_key)
    return environment


def test_a_round_ends_reminds_folds_and_signs(world: World, environment: Environment) -> None:
    service, day = make_service(world.third_party_1), timedelta(days=1)
    over = subscribe(actor=world.alice, service=service, points=[world.p1.pk], valid_until=NOW + day, now=NOW)
    left = subscribe(actor=world.alice, service=service, points=[world.p2.pk], now=NOW)
    ending = subscribe(
        actor=world.alice, service=service, points=[world.p3.pk], valid_until=NOW + 40 * day, now=NOW
    )
    request = request_permission(
        requester=world.tiers1,
        service=service,
        holder=world.acme,
        points=None,
        valid_until=NOW.date(),
        now=NOW,
    )
    set_collection(actor=None, points=[world.p2.pk], state="active", now=NOW)
    close_holding(
        holding=TitleHolding.objects.get(metering_point=world.p2.pk), valid_to=date(2026, 11, 30), now=NOW
    )
    log = AccessLog(environment.access_log, "test", started_at=NOW)
    today = NOW + 11 * day
    log.append(AccessEntry(today, "screen", "granted", 1, "ACME", world.p1.pk, 1, "load_curve", "withdrawal"))
    log.close()
    OutgoingEmail.objects.all().delete()

    with time_machine.travel(NOW + 11 * day, tick=False):
        for job in jobs(environment):
            do(job, NOW + 11 * day)
            assert job.failures == 0

    states = [Permission.objects.get(pk=permission.pk).state for permission in (over, left, ending)]
    assert states == ["expired", "invalidated", "active"]
    request.refresh_from_db()
    assert request.state == "timed_out"
    assert not LoadCurveCollection.objects.filter(metering_point=world.p2.pk, until=None).exists()
    assert OutgoingEmail.objects.filter(key__startswith="reminder:").exists()
    assert (environment.access_log / CHECKPOINTS).read_bytes().count(b"\n") == 1
    assert LogDay.objects.get().entries == 1


# --- real processes

RUN = "from gridgate.config.worker import run; run(environment)"


@pytest.fixture
def process(registry: Registry) -> Iterator["subprocess.Popen[str]"]:
    process = registry.start(f"print('up', flush=True); {RUN}")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_stops_when_told(
    registry: Registry, process: "subprocess.Popen[str]", number: signal.Signals
) -> None:
    until(lambda: (registry.data / "accesslog" / CHECKPOINTS).exists(), "the log signed")
    process.send_signal(number)
    assert process.wait(PATIENCE) == 0


def test_a_worker_ends_with_who_started_it(registry: Registry) -> None:
    read, write = os.pipe()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDGATE_")}
    # By itself, and not because it took too long.
    patient = "from gridgate.config import worker; worker.ORPHAN_SECONDS = 3600"
    program = (
        f"from gridgate.config.loading import load_django; environment = load_django(); {patient}; {RUN}"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=read,
        env={**kept, "GRIDGATE_DATA": str(registry.data)},
    )
    os.close(read)
    os.close(write)
    assert process.wait(PATIENCE) == 0


def test_a_worker_folds_within_seconds_of_a_read_and_goes_on_after_a_fault(
    registry: Registry, process: "subprocess.Popen[str]"
) -> None:
    (registry.data / "accesslog" / "2026-11-24-0.jsonl").mkdir()
    log = AccessLog(registry.data / "accesslog", "test", started_at=NOW)
    entry = AccessEntry(NOW, "screen", "granted", 1, "ACME", "30001480112233", 1, "load_curve", "withdrawal")
    folded = "SELECT sum(entries) FROM audit_logday"
    log.append(entry)
    until(lambda: registry.rows(folded) == [(1,)], "the read folded")
    log.append(entry)
    until(lambda: registry.rows(folded) == [(2,)], "the next one folded")
    log.close()
    assert process.poll() is None
