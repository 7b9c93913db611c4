"""`gridgate audit erase`: whole days go, what is left is proved, and nothing goes that must be kept."""

import fcntl
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import Result
from django.db import transaction
from pytest_django import Settings
from typer.testing import CliRunner

from gridgate.audit.models import AccessLogSegment, LogDay, LogFacet, LogPoint, LogPointDay, LogStretch
from gridgate.audit.operations.erasing import ErasedMeanwhile, TooYoungToErase, erase_before
from gridgate.audit.operations.progress import being_counted
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config.access_log import erasing, reading
from gridgate.config.access_log.folding import fold_access_log
from gridgate.config.access_log.losses import lost_segments
from gridgate.config.access_log.packing import pack_past_days
from gridgate.config.access_log.reading import lines_of
from gridgate.config.access_log.signing import sign_due_checkpoint
from gridgate.config.commands.audit import app
from gridgate.config.environment import Environment
from gridgate.core.errors import GridgateError
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.accesslog.segments import CHECKPOINTS, open_segment, segment_name, segment_paths
from gridgate.sharing.signing import make_key

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = datetime(2022, 6, 14, 9, 30, tzinfo=UTC)
BEFORE = "2022-06-16"


@pytest.fixture
def environment(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Environment:
    """Three days of 2022 and one of now, each folded, signed and packed in its time; the third ends on a line that in
    Paris is of the day after. A parameter names a segment without lines that is there from the first day.
    """
    monkeypatch.setenv("GRIDGATE_DATA", str(tmp_path))
    settings.ENVIRONMENT = environment = Environment(data=tmp_path)
    environment.access_log.mkdir()
    make_key(environment.receipt_key)
    monkeypatch.setattr("gridgate.config.loading.load_django", lambda **_: environment)
    if name := getattr(request, "param", None):
        opened = b'{"prev":"%b","genesis":{"follows":null}}\n' % (b"0" * 64)
        (environment.access_log / name).write_bytes(opened)
    for at in (OLD, OLD + DAY, OLD + 2 * DAY, NOW):
        log = AccessLog(environment.access_log, "test", started_at=at)
        log.append(entry(at, user=4), entry(at.replace(hour=23)))
        log.close()
        fold_access_log(environment)
        sign_due_checkpoint(environment, at.replace(hour=23, minute=59))
        pack_past_days(environment, at)
    return environment


def entry(at: datetime, **more: int) -> AccessEntry:
    return AccessEntry(
        at, "screen", "granted", 7, "Tiers 1", "30001480112233", 3, "load_curve", "withdrawal", **more
    )


def run(*arguments: str, at: datetime = NOW + DAY) -> Result:
    with time_machine.travel(at, tick=False):
        return CliRunner().invoke(app, arguments)


def verdict() -> str:
    return run("verify").output


def test_whole_days_go_and_the_rest_is_proved(environment: Environment) -> None:
    assert verdict().startswith("intact: 8 entries in 4 segments")
    checkpoints = (environment.access_log / CHECKPOINTS).read_bytes()
    done = run("erase", "--before", BEFORE)
    # The lines of 23:30 UTC on the 15th are of the 16th in Paris: their segment stays until these are old, too.
    assert (done.exit_code, done.output) == (0, "erased: 3 entries, 1 segment\n")
    names = [segment_name(path)[:10] for path in segment_paths(environment.access_log)]
    assert names == ["2022-06-15", "2022-06-16", "2026-11-25"]
    assert LogDay.objects.earliest("day").day == date(2022, 6, 16)
    for model in (LogDay, LogPointDay, LogPoint):
        assert sum(model.objects.values_list("entries", flat=True)) == 5
    kept = (environment.access_log / CHECKPOINTS).read_bytes()
    assert kept.startswith(checkpoints)  # what was signed of the days that are gone stays
    assert kept.count(b"\n") == checkpoints.count(b"\n") + 1
    assert verdict().startswith("intact: 6 entries in 3 segments")


def test_later_all_of_it_goes_and_nobody_is_remembered(environment: Environment) -> None:
    run("erase", "--before", BEFORE)
    assert run("erase", "--before", "2023-01-01").output == "erased: 3 entries, 2 segments\n"
    assert AccessLogSegment.objects.count() == LogStretch.objects.count() == 1
    assert {day.day for day in LogDay.objects.all()} == {date(2026, 11, 25), date(2026, 11, 26)}
    assert LogFacet.objects.count() == 2
    assert verdict().startswith("intact: 2 entries in 1 segment")
    assert run("rebuild").output == "2 entries counted and found\n"
    assert verdict().startswith("intact: 2 entries in 1 segment")


def test_what_is_to_be_kept_stays(environment: Environment) -> None:
    before = [path.read_bytes() for path in segment_paths(environment.access_log)]
    done = run("erase", "--before", "2025-01-01")
    assert isinstance(done.exception, TooYoungToErase)
    assert [path.read_bytes() for path in segment_paths(environment.access_log)] == before
    assert verdict().startswith("intact: 8 entries in 4 segments")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_of_no_calendar_is_no_defect(environment: Environment, day: str) -> None:
    refused = run("erase", "--before", day).exception
    assert isinstance(refused, GridgateError)
    assert refused.where == "--before"


def test_killed_on_the_way_it_is_ended_by_running_it_again(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("sign_now", "_holds_later"):
        with monkeypatch.context() as dying:
            dying.setattr(erasing, step, lambda *_: 1 / 0)
            assert isinstance(run("erase", "--before", "2023-01-01").exception, ZeroDivisionError)
        fold_access_log(environment)  # the segments are there, and what is erased is not folded again
        assert sum(LogDay.objects.values_list("entries", flat=True)) == 2
        assert verdict().startswith("intact: 8 entries in 4 segments")
    assert run("erase", "--before", "2023-01-01").output == "erased: 0 entries, 3 segments\n"
    assert verdict().startswith("intact: 2 entries in 1 segment")


def test_killed_before_the_registry_forgets_segments_all_is_proved(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(erasing, "forget_segments", lambda _: 1 / 0)
        assert isinstance(run("erase", "--before", "2023-01-01").exception, ZeroDivisionError)
    assert verdict().startswith("intact: 2 entries in 1 segment")
    assert lost_segments(environment) == {}
    assert run("rebuild").output == "2 entries counted and found\n"
    assert not being_counted()
    assert run("erase", "--before", "2023-01-01").output == "erased: 0 entries, 0 segments\n"
    assert AccessLogSegment.objects.count() == 1


def test_a_segment_that_was_kept_for_a_later_line_and_is_lost_shows(environment: Environment) -> None:
    run("erase", "--before", BEFORE)
    kept = segment_paths(environment.access_log)[0]
    kept.unlink()
    assert f"{segment_name(kept)}: the index finds lines of it, and it is not there" in verdict()
    assert lost_segments(environment) == {segment_name(kept): "it is missing"}
    run("erase", "--before", BEFORE)  # which does not forget it
    assert lost_segments(environment) == {segment_name(kept): "it is missing"}


def test_what_was_put_back_and_is_not_counted_is_not_taken_away(environment: Environment) -> None:
    """A segment was lost, given up by counting anew, and found in a copy: its reads are in no sum."""
    first = segment_paths(environment.access_log)[0]
    copy = first.rename(environment.data / first.name)
    assert run("rebuild", "--without-lost").output == "6 entries counted and found\n"
    copy.rename(first)
    assert run("erase", "--before", BEFORE).exit_code == 0
    for model in (LogDay, LogPointDay, LogPoint):
        assert sum(model.objects.values_list("entries", flat=True)) == 5
    assert verdict().startswith("intact: 6 entries in 3 segments")


def test_what_is_counted_while_it_is_looked_for_is_not_left_behind(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = segment_paths(environment.access_log)[0]
    copy = first.rename(environment.data / first.name)
    run("rebuild", "--without-lost")
    copy.rename(first)
    lines_of = reading.lines_of

    def lines_and_a_worker(path: Path) -> Iterator[LogLine]:
        fold_access_log(environment)
        return lines_of(path)

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "lines_of", lines_and_a_worker)
        assert isinstance(run("erase", "--before", BEFORE).exception, ErasedMeanwhile)
    assert run("erase", "--before", BEFORE).output == "erased: 3 entries, 1 segment\n"
    assert sum(LogPoint.objects.values_list("entries", flat=True)) == 5
    assert verdict().startswith("intact: 6 entries in 3 segments")


def test_lines_of_a_clock_that_was_put_back_are_found_whatever_their_segment_is_called(
    environment: Environment,
) -> None:
    """It was ahead when the segment was begun, and a process writes on in its segment."""
    log = AccessLog(environment.access_log, "test", started_at=OLD)
    log.append(entry(NOW - 8 * DAY), entry(OLD))
    log.close()
    (made,) = [path for path in segment_paths(environment.access_log) if "2026-11-17" in path.name]
    fold_access_log(environment)
    assert sum(LogPoint.objects.values_list("entries", flat=True)) == 10
    erase_before(
        day=date(2022, 6, 16), now=NOW, lines_of=lambda name: lines_of(environment.access_log / name)
    )
    for model in (LogDay, LogPointDay, LogPoint):
        assert sum(model.objects.values_list("entries", flat=True)) == 6
    assert made.exists()


def test_a_segment_that_packing_left_in_both_forms_goes_in_both(environment: Environment) -> None:
    packed = segment_paths(environment.access_log)[0]
    packed.with_suffix("").write_bytes(open_segment(packed).read())
    assert run("erase", "--before", BEFORE).output == "erased: 3 entries, 1 segment\n"
    assert not [path for path in environment.access_log.iterdir() if path.name.startswith("2022-06-14")]
    assert verdict().startswith("intact: 6 entries in 3 segments")


def test_a_registry_of_before_the_erasure_is_counted_anew_first(environment: Environment) -> None:
    """It was restored: it counts reads of segments that are no more, and knows of no erasure."""
    before = transaction.savepoint()
    assert run("erase", "--before", BEFORE).output == "erased: 3 entries, 1 segment\n"
    transaction.savepoint_rollback(before)
    refused = run("erase", "--before", BEFORE)
    assert isinstance(refused.exception, GridgateError)
    assert "gridgate audit rebuild --without-lost" in str(refused.exception)
    assert sum(LogDay.objects.values_list("entries", flat=True)) == 8
    assert run("rebuild", "--without-lost").output == "6 entries counted and found\n"
    assert run("erase", "--before", BEFORE).output == "erased: 1 entry, 0 segments\n"
    assert verdict().startswith("intact: 6 entries in 3 segments")
    assert sum(LogPoint.objects.values_list("entries", flat=True)) == 5


def test_what_a_death_left_of_packing_goes_with_its_segment(environment: Environment) -> None:
    packed = segment_paths(environment.access_log)[0]
    (environment.access_log / f".{packed.name}.part").write_bytes(packed.read_bytes())
    run("erase", "--before", BEFORE)
    assert not [path for path in environment.access_log.iterdir() if "2022-06-14" in path.name]


def test_a_segment_that_is_packed_meanwhile_goes_the_next_time(environment: Environment) -> None:
    packed = segment_paths(environment.access_log)[0]
    packed.with_suffix("").write_bytes(open_segment(packed).read())
    with packed.with_suffix("").open("rb") as packing:
        fcntl.flock(packing, fcntl.LOCK_EX)
        assert run("erase", "--before", BEFORE).output == "erased: 3 entries, 0 segments\n"
    assert verdict().startswith("intact: 8 entries in 4 segments")
    assert run("erase", "--before", BEFORE).output == "erased: 0 entries, 1 segment\n"
    assert verdict().startswith("intact: 6 entries in 3 segments")


def test_a_segment_that_goes_otherwise_shows(environment: Environment) -> None:
    run("erase", "--before", BEFORE)
    segment_paths(environment.access_log)[1].unlink()
    assert "2022-06-16" in verdict()
    assert "is missing" in verdict()


@pytest.mark.parametrize("environment", ["2022-06-14-0000000000000000.changes.jsonl"], indirect=True)
def test_changes_stay_for_good(environment: Environment) -> None:
    assert run("erase", "--before", "2023-01-01").output == "erased: 6 entries, 3 segments\n"
    names = [segment_name(path)[:10] for path in segment_paths(environment.access_log)]
    assert names == ["2022-06-14", "2026-11-25"]


def _renamed(environment: Environment) -> None:
    first = segment_paths(environment.access_log)[0]
    first.rename(first.with_name(f"2023{first.name[4:]}"))


def _cut_short(environment: Environment) -> None:
    first = segment_paths(environment.access_log)[0]
    first.write_bytes(first.read_bytes()[:-20])


def _without_key(environment: Environment) -> None:
    environment.receipt_key.unlink()


@pytest.mark.parametrize(
    ("happens", "said"),
    [(_renamed, "is missing"), (_cut_short, "damaged"), (_without_key, "key")],
)
def test_nothing_goes_of_a_log_that_is_not_intact_or_cannot_be_signed(
    environment: Environment, happens: Callable[[Environment], None], said: str
) -> None:
    happens(environment)
    before = {path.name: path.read_bytes() for path in environment.access_log.glob("*.jsonl*")}
    done = run("erase", "--before", "2023-01-01")
    assert isinstance(done.exception, GridgateError)
    assert said in str(done.exception)
    assert {path.name: path.read_bytes() for path in environment.access_log.glob("*.jsonl*")} == before
    assert sum(LogDay.objects.values_list("entries", flat=True)) == 8


def test_of_a_packed_segment_that_is_cut_short_the_rest_of_the_log_is_checked(
    environment: Environment,
) -> None:
    first, second, *_ = segment_paths(environment.access_log)
    _cut_short(environment)
    second.unlink()
    done = run("verify")
    assert done.exit_code == 1
    assert f"{segment_name(first)}:1: its file is damaged" in done.output
    assert f"{segment_name(second)}: is missing" in done.output
