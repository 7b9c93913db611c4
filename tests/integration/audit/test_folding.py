"""Folding the segments of the access log into the registry: all of it, once, whatever happens."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from gridgate.audit.models import AccessLogEntry, AccessLogSegment, LogRetention
from gridgate.audit.operations import LogLine, Position, TooYoungToErase, erase_before, fold, positions
from gridgate.config import access_log
from gridgate.config.access_log import fold_access_log, sign_due_checkpoint
from gridgate.config.environment import Environment
from gridgate.core.errors import GridgateError
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.accesslog.segments import CHECKPOINTS, read_segment, segment_paths
from gridgate.sharing.signing import make_key

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    environment = Environment(data=tmp_path)
    environment.access_log.mkdir()
    make_key(environment.receipt_key)
    return environment


@pytest.fixture
def log(environment: Environment) -> Iterator[AccessLog]:
    log = AccessLog(environment.access_log, "test", started_at=NOW)
    yield log
    log.close()


def entry(number: int = 0, **more: object) -> AccessEntry:
    facts: dict[str, object] = {
        "at": NOW + timedelta(seconds=number),
        "channel": "api:enedis",
        "outcome": "granted",
        "reader": 7,
        "reader_name": "Tiers 1",
        "metering_point": "30001480112233",
        "holder": 3,
        "kind": "load_curve",
        "direction": "withdrawal",
        "start": NOW - timedelta(days=7),
        "end": NOW,
        "permission": "0123456789abcdef0123456789abcdef",
        "basis": "permission",
        "application": "demo-tiers1",
        "values": 336,
    }
    return AccessEntry(**{**facts, **more})  # type: ignore[arg-type]


def only_segment(environment: Environment) -> Path:
    (path,) = segment_paths(environment.access_log)
    return path


def test_an_entry_is_folded_with_all_that_it_says(environment: Environment, log: AccessLog) -> None:
    log.append(entry(user=4, user_name="Alice", as_of=NOW))
    assert fold_access_log(environment) == 1
    row = AccessLogEntry.objects.get()
    assert (row.line, row.at, row.channel, row.outcome) == (2, NOW, "api:enedis", "granted")
    assert (row.holder, row.reader, row.reader_name, row.user, row.user_name) == (3, 7, "Tiers 1", 4, "Alice")
    assert (row.application, row.basis) == ("demo-tiers1", "permission")
    assert row.permission == "01234567-89ab-cdef-0123-456789abcdef"
    assert (row.metering_point_id, row.kind, row.direction) == ("30001480112233", "load_curve", "withdrawal")
    assert (row.start, row.end, row.as_of, row.values) == (NOW - timedelta(days=7), NOW, NOW, 336)
    reading = read_segment(only_segment(environment))
    segment = AccessLogSegment.objects.get()
    assert (segment.lines, segment.size, segment.head) == (reading.lines, reading.size, reading.head)


def test_a_refusal_may_leave_out_what_it_does_not_know(environment: Environment, log: AccessLog) -> None:
    log.append(
        entry(
            outcome="no_permission",
            holder=None,
            permission=None,
            basis=None,
            application=None,
            start=None,
            end=None,
        )
    )
    fold_access_log(environment)
    row = AccessLogEntry.objects.get()
    assert (row.holder, row.permission, row.basis, row.application, row.start, row.user) == (
        None,
        "",
        "",
        "",
        None,
        None,
    )


def test_folding_goes_on_where_it_stopped_and_twice_adds_nothing(
    environment: Environment, log: AccessLog
) -> None:
    log.append(entry(1), entry(2))
    assert fold_access_log(environment) == 2
    assert fold_access_log(environment) == 0
    log.append(entry(3))
    assert fold_access_log(environment) == 1
    assert list(AccessLogEntry.objects.order_by("line").values_list("line", flat=True)) == [2, 3, 4]


def test_a_position_that_was_lost_folds_nothing_twice(environment: Environment, log: AccessLog) -> None:
    """As when another worker has folded the same lines, or this one was killed before it wrote how far it
    was.
    """
    log.append(entry(1), entry(2))
    fold_access_log(environment)
    AccessLogSegment.objects.update(lines=0, size=0, head="")
    assert fold_access_log(environment) == 0
    assert AccessLogEntry.objects.count() == 2
    assert AccessLogSegment.objects.get().lines == 3


def test_a_slower_worker_does_not_take_the_position_back(environment: Environment) -> None:
    fold(segment="s.jsonl", lines=[], reached=Position(9, 900, "f" * 64))
    fold(segment="s.jsonl", lines=[], reached=Position(5, 500, "e" * 64))
    assert positions() == {"s.jsonl": Position(9, 900, "f" * 64)}


def test_many_lines_are_folded_in_batches(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_log, "_BATCH", 4)
    log.append(*map(entry, range(10)))
    assert fold_access_log(environment) == 10


def test_a_line_that_is_not_finished_waits_until_it_is(environment: Environment, log: AccessLog) -> None:
    log.append(entry())
    path = only_segment(environment)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    assert fold_access_log(environment) == 0
    path.write_bytes(whole)
    assert fold_access_log(environment) == 1


def test_a_broken_chain_is_told_and_the_reads_show_all_the_same(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.append(entry(1), entry(2), entry(3))
    path = only_segment(environment)
    path.write_bytes(path.read_bytes().replace(b"09:30:02", b"09:30:09"))
    assert fold_access_log(environment) == 3
    assert f"{path.name}:4 does not follow from the line before it; run gridgate audit verify" in caplog.text
    caplog.clear()
    fold_access_log(environment)
    assert not caplog.text


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"7",
        b'{"at": "yesterday"}',
        b'{"prev": "x"}',
        b'{"at": "2026-11-25T09:30:00Z", "channel": null, "outcome": "granted"}',
    ],
)
def test_a_line_that_is_no_entry_is_told_and_does_not_hold_up_the_others(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture, bad: bytes
) -> None:
    log.append(entry(1), entry(2), entry(3))
    path = only_segment(environment)
    lines = path.read_bytes().split(b"\n")
    lines[2] = bad
    path.write_bytes(b"\n".join(lines))
    assert fold_access_log(environment) == 2
    assert list(AccessLogEntry.objects.order_by("line").values_list("line", flat=True)) == [2, 4]
    assert f"{path.name}:3 " in caplog.text
    assert fold_access_log(environment) == 0


def test_a_segment_that_cannot_be_read_does_not_hold_up_the_others(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    (environment.access_log / "2026-11-24-0.jsonl").mkdir()
    log.append(entry())
    assert fold_access_log(environment) == 1
    assert "2026-11-24-0.jsonl cannot be folded" in caplog.text


def test_a_segment_that_became_shorter_is_told(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.append(entry(1), entry(2))
    fold_access_log(environment)
    path = only_segment(environment)
    path.write_bytes(path.read_bytes()[:-40])
    assert fold_access_log(environment) == 0
    assert "cannot be folded" in caplog.text


# --- the registry's copy only grows


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_accesslogentry SET outcome = ''", "DELETE FROM audit_accesslogentry"]
)
def test_the_database_refuses_to_change_an_entry(
    environment: Environment, log: AccessLog, statement: str
) -> None:
    log.append(entry())
    fold_access_log(environment)
    with (
        pytest.raises(IntegrityError, match="only grows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AccessLogEntry.objects.get().outcome == "granted"


def test_a_retention_erases_what_is_old_enough_and_nothing_else(
    environment: Environment, log: AccessLog
) -> None:
    old = NOW - timedelta(days=4 * 365)
    fold(
        segment="old.jsonl",
        lines=[LogLine(2, json.loads(entry(at=old).encode()))],
        reached=Position(2, 2, "e"),
    )
    log.append(entry())
    fold_access_log(environment)
    with pytest.raises(TooYoungToErase):
        erase_before(before=NOW - timedelta(days=2 * 365), now=NOW)
    assert erase_before(before=NOW - timedelta(days=3 * 365 + 30), now=NOW) == 1
    assert AccessLogEntry.objects.get().at == NOW
    retention = LogRetention.objects.get()
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        retention.delete()
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        AccessLogEntry.objects.all().delete()


# --- the daily checkpoint


def test_the_log_is_signed_once_a_day(environment: Environment, log: AccessLog) -> None:
    log.append(entry())
    assert sign_due_checkpoint(environment, NOW)
    assert not sign_due_checkpoint(environment, NOW + timedelta(hours=14))
    assert sign_due_checkpoint(environment, NOW + timedelta(hours=15))
    assert (environment.access_log / CHECKPOINTS).read_bytes().count(b"\n") == 2


def test_one_process_at_a_time_signs(environment: Environment, log: AccessLog) -> None:
    with access_log._alone(environment.access_log) as first:
        assert first
        assert not sign_due_checkpoint(environment, NOW)
    assert sign_due_checkpoint(environment, NOW)


def test_a_log_that_is_not_intact_is_not_signed(environment: Environment, log: AccessLog) -> None:
    log.append(entry(1), entry(2))
    path = only_segment(environment)
    path.write_bytes(path.read_bytes().replace(b"09:30:01", b"09:30:09"))
    with pytest.raises(GridgateError, match="not intact"):
        sign_due_checkpoint(environment, NOW)


def test_a_segment_without_lines_yet_is_not_told(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    (environment.access_log / "2026-11-25-0.jsonl").touch()
    with caplog.at_level(logging.DEBUG):
        assert fold_access_log(environment) == 0
    assert not caplog.records
