"""Folding the segments of the access log into the registry: all of it, once, whatever happens."""

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from gridgate.audit.lines import Columns, LogEntry, entry_of
from gridgate.audit.models import (
    AccessLogSegment,
    LogDay,
    LogFacet,
    LogPoint,
    LogPointDay,
    LogRetention,
    LogStretch,
)
from gridgate.audit.operations.erasing import ErasedMeanwhile, TooYoungToErase, erase_before
from gridgate.audit.operations.folding import Folded, fold, rebuild, seal
from gridgate.audit.operations.progress import BeingCounted, Position, being_counted, positions
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config import changes
from gridgate.config.access_log import folding
from gridgate.config.access_log.faults import log_not_shown
from gridgate.config.access_log.folding import count_anew, fold_access_log
from gridgate.config.access_log.losses import lost_segments
from gridgate.config.access_log.packing import pack_past_days
from gridgate.config.access_log.reading import entry_of_line, lines_of
from gridgate.config.access_log.signing import _alone, sign_due_checkpoint
from gridgate.config.environment import Environment
from gridgate.core.errors import GridgateError
from gridgate.dataplane.accesslog import AccessEntry, AccessLog, ChangeEntry, packing, verify
from gridgate.dataplane.accesslog.packing import pack
from gridgate.dataplane.accesslog.reading import MOST_FAULTS, read_segment
from gridgate.dataplane.accesslog.segments import (
    CHANGES_SUFFIX,
    CHECKPOINTS,
    FOLDED,
    read_lines,
    segment_paths,
)
from gridgate.sharing.signing import load_public_keys, make_key

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


def folded(environment: Environment) -> list[LogEntry]:
    """Every entry that the index knows, read from where it says."""
    entries = []
    for stretch in LogStretch.objects.select_related("segment").order_by("pk"):
        columns = Columns.unpack(bytes(stretch.columns), most=stretch.segment.lines)
        offsets = columns.offset.tolist()
        entries += map(entry_of, read_lines(environment.access_log, stretch.segment.name, offsets))
    return entries


def counted(model: Any = LogDay) -> int:
    return sum(model.objects.values_list("entries", flat=True))


def test_an_entry_is_folded_with_all_that_pages_ask_for(environment: Environment, log: AccessLog) -> None:
    log.append(entry(user=4, user_name="Alice", as_of=NOW))
    assert fold_access_log(environment) == 1
    facet = LogFacet.objects.get()
    assert (facet.holder, facet.reader, facet.reader_name) == (3, 7, "Tiers 1")
    assert (facet.user, facet.user_name, facet.application) == (4, "Alice", "demo-tiers1")
    assert (facet.kind, facet.direction) == ("load_curve", "withdrawal")
    assert (facet.channel, facet.outcome) == ("api:enedis", "granted")
    at = int(NOW.timestamp()) * 1_000_000
    day, of_point, ever = LogDay.objects.get(), LogPointDay.objects.get(), LogPoint.objects.get()
    for sums in (day, of_point):
        assert (sums.facet, sums.day, sums.entries, sums.values) == (facet, NOW.date(), 1, 336)
        assert (sums.first, sums.last) == (at, at)
    assert of_point.metering_point_id == ever.metering_point_id == "30001480112233"
    assert (ever.permission, ever.entries, ever.last) == ("01234567-89ab-cdef-0123-456789abcdef", 1, at)
    reading = read_segment(only_segment(environment))
    segment = AccessLogSegment.objects.get()
    assert (segment.lines, segment.size, segment.head) == (reading.lines, reading.size, reading.head)
    assert day.segment == segment
    [said] = folded(environment)
    assert (said.at, said.start, said.end, said.as_of) == (NOW, NOW - timedelta(days=7), NOW, NOW)
    assert (said.permission, said.basis, said.values) == (ever.permission, "permission", 336)


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
    [said] = folded(environment)
    assert (said.holder, said.permission, said.basis, said.application) == (None, "", "", "")
    assert (said.start, said.user) == (None, None)
    assert not LogPoint.objects.exists()  # nothing was read


def test_entries_are_added_up_by_civil_day_point_and_permission(
    environment: Environment, log: AccessLog
) -> None:
    late = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # the 26th in Paris
    log.append(entry(1), entry(2), entry(3, metering_point="30001480445566"), entry(at=late, values=1))
    log.append(entry(4, outcome="expired", values=0))
    fold_access_log(environment)
    days = LogDay.objects.order_by("day", "facet__outcome").values_list("day__day", "entries", "values")
    assert list(days) == [(25, 1, 0), (25, 3, 1008), (26, 1, 1)]
    assert sorted(LogPointDay.objects.values_list("entries", flat=True)) == [1, 1, 1, 2]
    assert dict(LogPoint.objects.values_list("metering_point_id", "entries")) == {
        "30001480112233": 3,
        "30001480445566": 1,
    }


def test_batches_add_up_to_what_one_would(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows, the index joined included, however many batches it took."""
    log.append(*(entry(n, metering_point=f"3000148011223{n % 3}", reader=7 + n % 2) for n in range(20)))

    def rows() -> list[object]:
        found: list[object] = [
            sorted(model.objects.values_list("entries", "last", "facet__digest"))
            for model in (LogDay, LogPointDay, LogPoint)
        ]
        return [*found, sorted(folded(environment), key=lambda said: said.at)]

    fold_access_log(environment)
    at_once = rows()
    rebuild()
    assert (counted(), folded(environment), AccessLogSegment.objects.get().lines) == (0, [], 0)
    monkeypatch.setattr(folding, "_BATCH", 3)
    assert fold_access_log(environment) == 20
    assert rows() == at_once
    assert LogStretch.objects.count() == 7
    seal(only_segment(environment).name)
    assert LogStretch.objects.count() == 1
    assert rows() == at_once


def test_folding_goes_on_where_it_stopped_and_twice_adds_nothing(
    environment: Environment, log: AccessLog
) -> None:
    log.append(entry(1), entry(2))
    assert fold_access_log(environment) == 2
    assert fold_access_log(environment) == 0
    log.append(entry(3))
    assert fold_access_log(environment) == 1
    assert [said.at.second for said in folded(environment)] == [1, 2, 3]
    assert counted() == counted(LogPointDay) == counted(LogPoint) == 3


def test_lines_that_another_worker_has_folded_are_not_added_again(environment: Environment) -> None:
    """What is added and how far are one transaction: whoever starts from another place adds nothing."""
    lines = [LogLine(2, json.loads(entry().encode()), 0)]
    there = Position(2, 400, "f" * 64)
    assert fold(segment="s.jsonl", lines=lines, reached=lambda: there).entries == 1
    assert fold(segment="s.jsonl", lines=lines, reached=lambda: there).entries == 0
    assert fold(segment="s.jsonl", lines=lines, start=Position(1, 90), reached=lambda: there).entries == 0
    assert (counted(), LogStretch.objects.count()) == (1, 1)
    assert positions() == {"s.jsonl": there}


def test_a_death_between_the_sums_and_the_position_leaves_neither(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(entry(1), entry(2))
    with monkeypatch.context() as dying:
        dying.setattr(LogStretch.objects, "bulk_create", lambda *_: 1 / 0)
        assert fold_access_log(environment) == 0
    assert (counted(), counted(LogPoint), positions()) == (0, 0, {})
    assert fold_access_log(environment) == 2
    assert counted() == 2


def test_two_workers_that_fold_the_same_lines_at_once_count_them_once(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read how far it is folded, and the other is through when the first writes its batch."""
    log.append(*map(entry, range(10)))
    monkeypatch.setattr(folding, "_BATCH", 3)
    fold_alone, others = folding.fold, []

    def overtaken(**said: Any) -> Folded:
        if not others:
            others.append(0)
            others[0] = fold_access_log(environment)
        return fold_alone(**said)

    monkeypatch.setattr(folding, "fold", overtaken)
    assert (fold_access_log(environment), others) == (0, [10])
    assert counted() == counted(LogPointDay) == counted(LogPoint) == len(folded(environment)) == 10
    reading = read_segment(only_segment(environment))
    assert positions() == {reading.name: Position(reading.lines, reading.size, reading.head)}


def test_a_segment_that_is_another_one_is_told_and_counts_nothing_twice(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    """Longer than the one that was folded: what is in the place of the lines that follow is taken, as it stands there."""
    log.append(entry(1), entry(2))
    fold_access_log(environment)
    path = only_segment(environment)
    other = AccessLog(environment.access_log, "other", started_at=NOW)
    other.append(*map(entry, range(10, 20)))
    other.close()
    [longer] = set(segment_paths(environment.access_log)) - {path}
    path.write_bytes(longer.read_bytes())
    longer.unlink()
    fold_access_log(environment)
    assert f"{path.name}:4 does not follow from the line before it; run gridgate audit verify" in caplog.text
    assert counted() == 2 + 8
    assert fold_access_log(environment) == 0


def test_many_lines_are_folded_in_batches(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "_BATCH", 4)
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


READ_BY = b"""{"at": "2026-11-25T09:30:00Z", "permission": null, "channel": "api", "outcome": "granted", "reader": 7,
 "reader_name": "Tiers 1", "holder": 3, "kind": "load_curve", "direction": "withdrawal", "service": "", "values": 1,
 "metering_point": "30001480112233"}""".replace(b"\n", b"")


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"7",
        b'{"at": "yesterday"}',
        b'{"prev": "x"}',
        b'{"at": "2026-11-25T09:30:00Z", "channel": null, "outcome": "granted"}',
        b'{"at": "9999-12-31T23:59:59Z"}',
        b'{"at": "0001-01-01T00:00:00+14:00"}',
        READ_BY.replace(b"null", b"7"),
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
    assert [said.at.second for said in folded(environment)] == [1, 3]
    assert f"{path.name}:3 " in caplog.text
    assert fold_access_log(environment) == 0


def test_a_segment_that_cannot_be_read_does_not_hold_up_the_others(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    (environment.access_log / "2026-11-24-0.jsonl").mkdir()
    log.append(entry())
    assert fold_access_log(environment) == 1
    assert "2026-11-24-0.jsonl cannot be folded" in caplog.text


def test_a_line_that_a_death_cut_short_is_not_written_about_each_round(
    environment: Environment, log: AccessLog
) -> None:
    log.append(entry(1))
    path = only_segment(environment)
    path.write_bytes(path.read_bytes() + b'{"prev":"12')
    assert fold_access_log(environment) == 1
    with CaptureQueriesContext(connection) as captured:
        assert fold_access_log(environment) == 0
    assert {query["sql"].split()[0] for query in captured} == {"SELECT"}


def test_a_segment_that_became_shorter_is_told(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    log.append(entry(1), entry(2))
    fold_access_log(environment)
    path = only_segment(environment)
    path.write_bytes(path.read_bytes()[:-40])
    assert fold_access_log(environment) == 0
    assert "cannot be folded" in caplog.text


def test_counts_are_not_said_to_be_whole_by_who_was_not_quick_enough(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker folds the segment, and has not come to its end; nor is it read through in vain."""
    monkeypatch.setattr(folding, "_BATCH", 2)
    log.append(*map(entry, range(9)))
    before, fold_some, folds = positions(), folding.fold, []
    with monkeypatch.context() as dying:
        dying.setattr(folding, "fold", lambda **said: fold_some(**said) and 1 / 0)
        fold_access_log(environment)
    with monkeypatch.context() as late:
        late.setattr(folding, "positions", lambda: before)
        late.setattr(folding, "fold", lambda **said: folds.append(said) or fold_some(**said))
        assert fold_access_log(environment) == 0
    assert (len(folds), (environment.access_log / FOLDED).exists()) == (1, False)
    assert fold_access_log(environment) == 8
    assert (environment.access_log / FOLDED).exists()


def test_one_that_cannot_be_folded_is_told_once_until_that_changes(
    environment: Environment, log: AccessLog, caplog: pytest.LogCaptureFixture
) -> None:
    """It is looked at each second."""
    log.append(entry(1), entry(2))
    fold_access_log(environment)
    path = only_segment(environment)
    whole = path.read_bytes()
    for expected, content in ((1, whole[:-40]), (2, whole[:-50]), (2, whole), (3, whole[:-50])):
        path.write_bytes(content)
        for _ in range(5):
            fold_access_log(environment)
        assert caplog.text.count("cannot be folded") == expected


# --- retention


def test_a_retention_erases_what_is_old_enough_and_nothing_else(
    environment: Environment, log: AccessLog
) -> None:
    old = NOW - timedelta(days=4 * 365)
    lines = [LogLine(2, json.loads(entry(at=old, user=4).encode()))]
    fold(segment="old.jsonl", lines=lines, reached=lambda: Position(2, 2, "e"))
    log.append(entry())
    fold_access_log(environment)
    with pytest.raises(TooYoungToErase, match="Choose 2023-11-25 or an earlier day"):
        erase_before(day=NOW.date() - timedelta(days=2 * 365), now=NOW, lines_of=lambda _: lines)
    day = NOW.date() - timedelta(days=3 * 365 + 30)
    assert erase_before(day=day, now=NOW, lines_of=lambda _: lines) == 1
    assert erase_before(day=day, now=NOW, lines_of=lambda _: lines) == 0
    assert counted() == counted(LogPointDay) == counted(LogPoint) == 1
    assert LogFacet.objects.get().user is None  # nobody is remembered whose reads are erased
    retention = LogRetention.objects.latest("pk")
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        retention.delete()


def test_what_two_erase_at_once_is_taken_away_once(environment: Environment, log: AccessLog) -> None:
    log.append(entry(at=NOW - timedelta(days=4 * 365)), entry())
    path = only_segment(environment)
    fold_access_log(environment)
    day = NOW.date() - timedelta(days=3 * 365 + 30)

    def lines_and_another(_name: str) -> Iterator[LogLine]:
        yield from lines_of(path)
        assert erase_before(day=day, now=NOW, lines_of=lambda _: lines_of(path)) == 1

    with pytest.raises(ErasedMeanwhile):
        erase_before(day=day, now=NOW, lines_of=lines_and_another)
    assert counted() == counted(LogPointDay) == counted(LogPoint) == 1


def test_what_a_retention_erased_is_not_folded_again(environment: Environment, log: AccessLog) -> None:
    old = NOW - timedelta(days=4 * 365)
    log.append(entry(at=old), entry())
    erase_before(day=NOW.date() - timedelta(days=3 * 365 + 30), now=NOW, lines_of=lambda _: [])
    assert fold_access_log(environment) == 1
    assert (counted(), len(folded(environment))) == (1, 1)


# --- past days


def test_segments_of_past_days_are_packed_once_they_are_folded(
    environment: Environment, log: AccessLog
) -> None:
    log.append(*(entry(n, reader=7 + n % 2) for n in range(20)))
    two_days = NOW + timedelta(days=2)
    assert pack_past_days(environment, two_days) == 0  # not folded yet
    fold_access_log(environment)
    before = folded(environment)
    assert pack_past_days(environment, two_days) == 0  # the process that writes to it is alive
    log.close()
    assert pack_past_days(environment, NOW + timedelta(days=1)) == 0
    assert pack_past_days(environment, two_days) == 1
    assert only_segment(environment).name.endswith(".jsonl.zst")
    assert folded(environment) == before
    assert (fold_access_log(environment), pack_past_days(environment, two_days)) == (0, 0)
    rebuild()
    assert fold_access_log(environment) == 20
    assert pack_past_days(environment, two_days) == 1  # packed already: noted
    assert folded(environment) == before


def test_one_that_a_death_cut_short_is_packed_with_what_it_left(
    environment: Environment, log: AccessLog
) -> None:
    log.append(entry(1))
    log.close()
    path = only_segment(environment)
    path.write_bytes(path.read_bytes() + b'{"prev":"12')
    fold_access_log(environment)
    assert pack_past_days(environment, NOW + timedelta(days=2)) == 1
    reading = read_segment(only_segment(environment))
    assert (reading.torn, reading.faults) == (11, [])
    assert len(folded(environment)) == 1
    assert (fold_access_log(environment), positions()) == (0, {})


def test_what_is_written_just_before_it_is_packed_is_folded(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(entry(1))
    fold_access_log(environment)

    def pack_late(path: Path) -> bool:
        log.append(entry(2))
        log.close()
        return pack(path)

    with monkeypatch.context() as patch:
        patch.setattr(packing, "pack", pack_late)
        assert pack_past_days(environment, NOW + timedelta(days=2)) == 0
    assert (fold_access_log(environment), pack_past_days(environment, NOW + timedelta(days=2))) == (1, 1)


def test_an_older_registry_folds_what_it_lacks_of_a_packed_segment(
    environment: Environment, log: AccessLog
) -> None:
    log.append(entry(1))
    fold_access_log(environment)
    [row] = AccessLogSegment.objects.values("lines", "size", "head")
    log.append(entry(2))
    log.close()
    fold_access_log(environment)
    pack_past_days(environment, NOW + timedelta(days=2))
    LogStretch.objects.latest("pk").delete()
    AccessLogSegment.objects.update(sealed=False, **row)  # as in a copy of the registry from between the two
    assert fold_access_log(environment) == 1


def test_a_copy_of_when_a_segment_still_grew_takes_no_line_away(
    environment: Environment, log: AccessLog
) -> None:
    """A backup of that day is put back, of the log beside what was packed since, and of the registry."""
    log.append(entry(1))
    fold_access_log(environment)
    backup = only_segment(environment).read_bytes()
    registry = transaction.savepoint()
    log.append(*(entry(number) for number in range(2, 9)))
    log.close()
    plain = only_segment(environment)
    fold_access_log(environment)
    pack_past_days(environment, NOW + timedelta(days=2))
    packed_before = only_segment(environment).read_bytes()
    sign_due_checkpoint(environment, NOW + timedelta(hours=1))
    plain.write_bytes(backup)
    assert len(folded(environment)) == 8
    transaction.savepoint_rollback(registry)
    assert fold_access_log(environment) == 7
    assert pack_past_days(environment, NOW + timedelta(days=2)) == 1
    assert only_segment(environment).read_bytes() == packed_before
    assert not pack(plain)
    assert len(folded(environment)) == 8
    keys = load_public_keys(environment.receipt_key)
    assert verify(environment.access_log, keys, now=NOW + timedelta(hours=2)).intact


def test_segments_that_are_done_are_not_looked_at_again(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round of the worker costs what is new, not what there is."""
    log.append(entry(1))
    log.close()
    fold_access_log(environment)
    pack_past_days(environment, NOW + timedelta(days=2))
    monkeypatch.setattr(folding, "segment_size", lambda path: 1 / 0)
    assert fold_access_log(environment) == 0


# --- counting anew


def test_counting_anew_is_told_until_all_that_was_folded_is_again(
    environment: Environment, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is killed on the way, and however often it is begun."""
    monkeypatch.setattr(folding, "_BATCH", 3)
    log.append(*map(entry, range(10)))
    fold_access_log(environment)
    assert not being_counted()
    fold_some = folding.fold
    for _ in range(2):
        with monkeypatch.context() as dying:
            dying.setattr(folding, "fold", lambda **said: fold_some(**said) and 1 / 0)
            count_anew(environment)
        assert (being_counted(), counted()) == (True, 2)
        with pytest.raises(BeingCounted):
            erase_before(day=date(2022, 1, 1), now=NOW, lines_of=lambda _: [])
    log.append(entry(10))
    assert fold_access_log(environment) == 9
    assert (being_counted(), counted()) == (False, 11)


def test_what_was_counted_is_not_given_up_unasked(environment: Environment, log: AccessLog) -> None:
    """A segment that is gone, or was cut, cannot be counted again; nor one whose packed form is damaged within."""
    gone = AccessLog(environment.access_log, "gone", started_at=NOW - timedelta(days=3))
    gone.append(*(entry(at=NOW - timedelta(days=3, seconds=n)) for n in range(200, 0, -1)))
    gone.close()
    log.append(entry(1), entry(2))
    fold_access_log(environment)
    path, live = segment_paths(environment.access_log)
    whole = path.read_bytes()
    assert lost_segments(environment) == {}

    def refused(name: str, what: str, *, through: bool = True) -> None:
        assert what in lost_segments(environment, through=through)[name]
        with pytest.raises(GridgateError, match=f"{name}: .*counted no longer.*--without-lost"):
            count_anew(environment)
        assert (being_counted(), counted()) == (False, 202)

    path.unlink()
    refused(path.name, "it is missing", through=False)
    path.write_bytes(whole[:-100])
    refused(path.name, "bytes of lines, and had", through=False)
    path.write_bytes(whole)
    assert pack_past_days(environment, NOW + timedelta(days=1)) == 1
    packed = path.with_name(path.name + ".zst")
    content = bytearray(packed.read_bytes())
    content[len(content) // 3] ^= 255
    packed.write_bytes(content)
    refused(path.name, "it cannot be read")
    packed.write_bytes(content[:-20])
    refused(path.name, "it cannot be read", through=False)
    packed.unlink()
    count_anew(environment, without_lost=True)
    assert (being_counted(), counted()) == (False, 2)
    assert lost_segments(environment) == {path.name: "it is missing"}
    assert counted(LogDay) == counted(LogPointDay) == counted(LogPoint)
    log.append(entry(3))
    assert (fold_access_log(environment), live.is_file()) == (1, True)


def test_the_operator_is_told_of_lost_segments_and_that_counting_is_under_way(
    environment: Environment, log: AccessLog
) -> None:
    log.append(entry(1))
    fold_access_log(environment)
    assert list(log_not_shown(environment)) == []
    rebuild()
    [told] = log_not_shown(environment)
    assert "is being counted anew" in told
    fold_access_log(environment)
    assert list(log_not_shown(environment)) == []
    only_segment(environment).unlink()
    [told] = log_not_shown(environment)
    assert f"{AccessLogSegment.objects.get().name}: it is missing" in told


def test_a_round_says_since_when_nothing_is_lacking(environment: Environment, log: AccessLog) -> None:
    told = environment.access_log / FOLDED
    log.append(entry())
    fold_access_log(environment)
    os.utime(told, (1, 1))
    shorter = only_segment(environment)
    whole = shorter.read_bytes()
    shorter.write_bytes(whole[:-40])
    fold_access_log(environment)
    assert told.stat().st_mtime == 1  # it could not be folded
    shorter.write_bytes(whole)
    begun = datetime.now(UTC)
    fold_access_log(environment)
    assert begun <= datetime.fromtimestamp(told.stat().st_mtime, UTC) <= datetime.now(UTC)


# --- what packs to nothing


@pytest.mark.parametrize("junk", [b"{}\n", None], ids=["no line", "the same line"])
def test_lines_without_number_that_follow_from_nothing_are_not_read_to_the_end(
    environment: Environment,
    log: AccessLog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    junk: bytes | None,
) -> None:
    """Neither in one round of the worker nor in all of them; what stands before them shows."""
    log.append(entry(1), entry(2))
    log.close()
    path = only_segment(environment)
    with path.open("ab") as file:
        file.write((junk or path.read_bytes().splitlines(keepends=True)[-1]) * 30_000)
    assert pack(path)
    read, real = [], entry_of_line

    def seen(raw: bytes) -> dict[str, Any] | None:
        read.append(raw)
        return real(raw)

    monkeypatch.setattr(folding, "entry_of_line", seen)
    for _round in range(3):
        fold_access_log(environment)
        assert len(read) == 3 + MOST_FAULTS
    assert [one.at for one in folded(environment)[:2]] == [
        NOW + timedelta(seconds=1),
        NOW + timedelta(seconds=2),
    ]
    assert not (environment.access_log / FOLDED).exists()
    assert f"{MOST_FAULTS} lines before line {4 + MOST_FAULTS} do not follow" in caplog.text


@pytest.mark.parametrize("junk", [b"{}\n", None], ids=["no line", "the same line"])
def test_changes_without_number_that_follow_from_nothing_are_not_compared_to_the_end(
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    junk: bytes | None,
) -> None:
    log = AccessLog(environment.access_log, "changes", suffix=CHANGES_SUFFIX, started_at=NOW)
    log.append(ChangeEntry(NOW, "rights", "1", "x", {"action": "a", "subject": "s", "at": "t", "by": "b"}))
    log.close()
    path = only_segment(environment)
    with path.open("ab") as file:
        file.write((junk or path.read_bytes().splitlines(keepends=True)[-1]) * 30_000)
    assert pack(path)
    read, real = [], changes._logged

    def seen(where: str, raw: bytes) -> changes.Logged | None:
        read.append(raw)
        return real(where, raw)

    monkeypatch.setattr(changes, "_logged", seen)
    assert [one.change.id for one in changes.compare(environment).lost] == ["1"]
    assert len(read) <= 2 * (2 + MOST_FAULTS)  # once to find what is lost, once to say it
    assert "changes are read no further" in caplog.text


# --- the daily checkpoint


def test_the_log_is_signed_once_a_day(environment: Environment, log: AccessLog) -> None:
    log.append(entry())
    assert sign_due_checkpoint(environment, NOW)
    assert not sign_due_checkpoint(environment, NOW + timedelta(hours=14))
    assert sign_due_checkpoint(environment, NOW + timedelta(hours=15))
    assert (environment.access_log / CHECKPOINTS).read_bytes().count(b"\n") == 2


def test_one_process_at_a_time_signs(environment: Environment, log: AccessLog) -> None:
    with _alone(environment.access_log) as first:
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
