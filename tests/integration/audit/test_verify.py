"""`gridgate audit verify`: whatever is changed, in the log or in the registry's copy, shows."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import Result
from django.db import connection
from typer.testing import CliRunner

from gridgate.audit.models import AccessLogSegment
from gridgate.audit.operations.progress import Position
from gridgate.audit.operations.roll_up import LogLine
from gridgate.audit.verify import Comparison, unknown_segments
from gridgate.config.access_log.folding import fold_access_log
from gridgate.config.access_log.reading import lines_of
from gridgate.config.access_log.signing import sign_due_checkpoint
from gridgate.config.commands.audit import app
from gridgate.config.environment import Environment
from gridgate.config.registry_proof import _changes, _folded, _legible
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog import AccessEntry, AccessLog, Verification
from gridgate.dataplane.accesslog.segments import CHECKPOINTS, day_of_segment, segment_paths
from gridgate.sharing import signing
from tests.keys import public_pem

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    environment = Environment(data=tmp_path / "instance")
    environment.access_log.mkdir(parents=True)
    signing.make_key(environment.receipt_key)
    return environment


@pytest.fixture
def log(environment: Environment) -> Iterator[AccessLog]:
    log = AccessLog(environment.access_log, "test", started_at=NOW)
    log.append(*(entry(number) for number in range(4)))
    yield log
    log.close()


def entry(number: int) -> AccessEntry:
    at = NOW + timedelta(seconds=number)
    return AccessEntry(
        at,
        "api:native",
        "granted",
        7,
        "Tiers 1",
        "30001480112233",
        3,
        "load_curve",
        "withdrawal",
        values=number,
    )


@pytest.fixture
def path(environment: Environment, log: AccessLog) -> Path:
    (path,) = segment_paths(environment.access_log)
    return path


# --- the registry's roll-up and index


@pytest.fixture
def folded(db: None, environment: Environment, path: Path) -> Path:
    fold_access_log(environment)
    return path


def found(path: Path) -> list[str]:
    comparison = Comparison(NOW)
    return [*comparison.segment(path.name, NOW.date(), lines_of(path)), *comparison.end()]


def change(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_faithful_roll_up_does_not_differ(folded: Path) -> None:
    assert found(folded) == []


def test_what_is_not_folded_yet_is_no_difference(folded: Path, log: AccessLog) -> None:
    log.append(entry(9))
    assert found(folded) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE audit_logday SET entries = 3",
            "2026-11-25, company 3: the registry says otherwise than the log: entries",
        ),
        (
            'UPDATE audit_logpointday SET "values" = 0, last = 0',
            "2026-11-25, company 3, point 30001480112233: the registry says otherwise than the log: values, last",
        ),
        (
            "DELETE FROM audit_logpointday",
            "2026-11-25, company 3, point 30001480112233: the registry lacks 4 of the log's entries",
        ),
        (
            "UPDATE audit_logpoint SET entries = 9",
            "company 3, point 30001480112233, since the beginning: the registry says otherwise than the log: entries",
        ),
        ("DELETE FROM audit_logstretch", "{name}, company 3: the index finds other lines than there are"),
        ("UPDATE audit_logstretch SET columns = x'00'", "{name}, company 3: the index finds other lines"),
        ("UPDATE audit_logstretch SET last = 0", "{name}, company 3: the index finds other lines"),
        ("UPDATE audit_logstretch SET first = 1 << 62", "{name}, company 3: the index finds other lines"),
        ("UPDATE audit_logstretch SET first = -1 << 62", "{name}, company 3: the index finds other lines"),
        ("UPDATE audit_logstretch SET holder = 5", "{name}, company 5: the index finds other lines"),
        ("UPDATE audit_logfacet SET holder = 5", "2026-11-25, company 5: the registry counts 4 entries that"),
    ],
)
def test_each_change_shows_with_its_day_its_company_and_what(folded: Path, statement: str, said: str) -> None:
    change(statement)
    said = said.format(name=folded.name)
    assert any(line.startswith(said) for line in found(folded)), found(folded)


@pytest.mark.parametrize("change_of", ["size = size - 1", "sealed = 1"])
def test_where_folding_stops_is_compared_by_the_next_line(
    folded: Path, log: AccessLog, change_of: str
) -> None:
    """A holder would see no more of what is read, and nobody would say so for a day."""
    log.append(entry(9))
    change(f"UPDATE audit_accesslogsegment SET {change_of}")
    assert found(folded) == [f"{folded.name}: the registry does not go on folding where it stopped"]


def test_a_day_that_names_another_segment_shows(folded: Path) -> None:
    """Where the last line is: a receipt names that segment, and where it stood."""
    other = AccessLogSegment.objects.create(name="2026-11-24-0.jsonl")
    change(f"UPDATE audit_logday SET segment_id = {other.pk}")
    assert found(folded) == [
        "2026-11-25, company 3: the registry says that its last line is in another segment"
    ]


def test_a_day_names_the_segment_of_its_last_line_or_one_of_them(
    folded: Path, environment: Environment
) -> None:
    """Which was folded last of two that were written at once, the log does not say."""
    same, earlier = _another(environment, entry(3)), _another(environment, entry(0))
    fold_access_log(environment)

    def is_told(named: Path) -> bool:
        change(
            "UPDATE audit_logday SET segment_id = "
            f"(SELECT id FROM audit_accesslogsegment WHERE name = '{named.name}')"
        )
        comparison = Comparison(NOW)
        for path in segment_paths(environment.access_log):
            assert list(comparison.segment(path.name, NOW.date(), lines_of(path))) == []
        return bool(list(comparison.end()))

    assert [is_told(path) for path in (folded, same, earlier)] == [False, False, True]


def _another(environment: Environment, *entries: AccessEntry) -> Path:
    before = {*segment_paths(environment.access_log)}
    log = AccessLog(environment.access_log, "another", started_at=NOW)
    log.append(*entries)
    log.close()
    (made,) = {*segment_paths(environment.access_log)} - before
    return made


def test_lines_of_a_clock_that_was_put_back_are_counted_on_their_own_day(
    folded: Path, environment: Environment
) -> None:
    """It was nine days ahead, and a process writes on in the segment that it began."""
    days = timedelta(days=9)
    _another(environment, replace(entry(5), at=NOW + timedelta(days=5)))
    _another(environment, replace(entry(6), at=NOW + days), entry(7))
    fold_access_log(environment)
    comparison = Comparison(NOW + days)
    for path in segment_paths(environment.access_log):
        assert list(comparison.segment(path.name, day_of_segment(path.name), lines_of(path))) == []
    assert list(comparison.end()) == []


def test_what_the_index_finds_in_a_segment_that_is_not_there_shows(folded: Path) -> None:
    change(
        "INSERT INTO audit_logstretch (segment_id, holder, first, last, columns) "
        "SELECT 99, holder, first, last, columns FROM audit_logstretch"
    )
    told = found(folded)
    change("DELETE FROM audit_logstretch WHERE segment_id = 99")
    assert told == [
        "segment 99, of which the registry has no name: the index finds lines of it, and it is not there"
    ]
    AccessLogSegment.objects.create(name="2026-11-24-0.jsonl")
    change(
        "INSERT INTO audit_logstretch (segment_id, holder, first, last, columns) "
        "SELECT (SELECT max(id) FROM audit_accesslogsegment), holder, first, last, columns FROM audit_logstretch"
    )
    assert found(folded) == ["2026-11-24-0.jsonl: the index finds lines of it, and it is not there"]


def test_a_day_that_is_added_shows(folded: Path) -> None:
    change("INSERT INTO audit_logday SELECT facet_id, '2026-11-20', 2, 0, 0, 0, segment_id FROM audit_logday")
    assert found(folded) == ["2026-11-20, company 3: the registry counts 2 entries that the log has not"]


def test_days_are_compared_as_soon_as_they_are_over(folded: Path) -> None:
    """Memory is that of a few days, not of the whole log."""
    comparison = Comparison(NOW)
    assert list(comparison.segment(folded.name, NOW.date(), lines_of(folded))) == []
    assert comparison._days
    assert list(comparison.segment("2026-12-02-0.jsonl", NOW.date() + timedelta(days=7), [])) == []
    assert not comparison._days


def test_a_line_that_is_no_entry_is_left_to_who_reads_the_log(folded: Path) -> None:
    lines = [LogLine(2, {"at": "?"}), *list(lines_of(folded))[1:]]
    comparison = Comparison(NOW)
    assert list(comparison.segment(folded.name, NOW.date(), lines)) == []


def test_a_segment_that_is_gone_shows(folded: Path) -> None:
    assert AccessLogSegment.objects.count() == 1
    assert unknown_segments(names=[folded.name]) == []
    assert unknown_segments(names=[]) == [folded.name]


def test_a_segment_given_up_is_compared_as_far_as_it_was_read(path: Path) -> None:
    """What follows may be lines without number."""
    log = Verification(given_up={path.name: 2})
    assert [line.number for line in _legible(path, log)] == [1, 2]
    assert len([*_legible(path, Verification())]) == 5
    assert [*_folded({path.name: Position(5, 1, "f" * 64)}, _located(log, path))] == []
    assert len([*_folded({path.name: Position(5, 1, "f" * 64)}, _located(Verification(), path))]) == 1


def test_changes_of_a_segment_given_up_are_said_not_to_be_compared(environment: Environment) -> None:
    log = Verification(given_up={"2026-11-25-0.changes.jsonl": 501})
    (told,) = _changes(environment, log, NOW)
    assert told.startswith("2026-11-25-0.changes.jsonl: it was not read to its end")


def _located(log: Verification, path: Path) -> Verification:
    log.located[path.name] = {}
    return log


def test_torn_and_unreadable_lines_are_read_past(path: Path) -> None:
    path.write_bytes(b"{\n" + path.read_bytes() + b'{"prev": "')
    assert [line.entry is not None for line in lines_of(path)] == [False, False, True, True, True, True]


# --- the command, on the log alone


def run(environment: Environment, *arguments: str) -> Result:
    key = environment.data / "public.pem"
    public = signing.load_private_key(environment.receipt_key).public_key()
    key.write_bytes(public_pem(public))
    (environment.data / "keys.json").write_text(json.dumps(signing.jwks([public])))
    log = str(environment.access_log)
    with time_machine.travel(NOW, tick=False):
        return CliRunner().invoke(app, ["verify", "--log", log, *arguments], catch_exceptions=True)


@pytest.fixture
def signed(environment: Environment, path: Path) -> Environment:
    sign_due_checkpoint(environment, NOW)
    return environment


def key(environment: Environment) -> list[str]:
    return ["--key", str(environment.data / "public.pem")]


def test_an_intact_log_is_one_line_and_0(signed: Environment, log: AccessLog) -> None:
    log.append(entry(5))
    done = run(signed, *key(signed))
    assert done.output == "intact: 5 entries in 1 segment, 4 of them under 1 signed checkpoint\n"
    assert done.exit_code == 0


@pytest.mark.parametrize("name", [b"2026-11-25-\xff.jsonl", b"2026-11-25-\xff.jsonl.zst"])
def test_what_has_a_name_that_is_no_text_is_told_and_no_segment(
    signed: Environment, folded: Path, name: bytes
) -> None:
    """Neither the registry nor a terminal takes such a name: it ended the command, and the folding of all others."""
    (signed.access_log / os.fsdecode(name)).write_bytes(b"none\n")
    assert segment_paths(signed.access_log) == [folded]
    fold_access_log(signed)
    done = run(signed, *key(signed))
    assert done.exit_code == 0, done.output
    told = f"note: {name.decode(errors='surrogateescape')} is no segment by its name".replace(
        "\udcff", "\\udcff"
    )
    assert told in done.stdout
    (note,) = json.loads(run(signed, *key(signed), "--json").stdout)["notes"]
    assert os.fsencode(note["where"]) == name


def test_the_published_keys_do_as_well(signed: Environment) -> None:
    assert run(signed, "--jwks", str(signed.data / "keys.json")).exit_code == 0


def test_a_changed_line_is_told_and_1(signed: Environment, path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"values":2', b'"values":9'))
    done = run(signed, *key(signed))
    assert done.exit_code == 1
    first, *faults = done.output.splitlines()
    assert first.startswith(f"NOT INTACT: {len(faults)} fault{'s' * (len(faults) > 1)} in ")
    assert any(fault.startswith(f"{path.name}:5: does not follow") for fault in faults)


def test_a_log_cut_below_what_was_signed_is_told(signed: Environment, path: Path) -> None:
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:3]) + b"\n")
    done = run(signed, *key(signed))
    assert done.exit_code == 1
    assert "has 3 lines" in done.output


def test_a_checkpoint_by_another_key_is_told(signed: Environment, tmp_path: Path) -> None:
    signing.make_key(tmp_path / "other.pem")
    done = run(signed, "--key", str(tmp_path / "other.pem"))
    assert done.exit_code == 1
    assert "does not verify" in done.output


def test_a_line_that_a_dying_process_left_is_a_note(signed: Environment, path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"prev": "12')
    done = run(signed, *key(signed))
    assert done.exit_code == 0
    assert f"note: {path.name} ends in 12 bytes" in done.output


def test_the_verdict_as_json(signed: Environment, path: Path) -> None:
    done = run(signed, "--json", *key(signed))
    assert json.loads(done.output) == {
        "intact": True,
        "segments": 1,
        "entries": 4,
        "changes": 0,
        "signed": 4,
        "checkpoints": 1,
        "faults": [],
        "torn": [],
        "notes": [],
        "registry": None,
    }
    (signed.access_log / CHECKPOINTS).write_text("{}\n")
    done = run(signed, "--json", *key(signed))
    assert (done.exit_code, json.loads(done.output)["intact"]) == (1, False)
    assert json.loads(done.output)["faults"][0]["where"] == "checkpoints.jsonl:1"


@pytest.mark.parametrize(
    "arguments", [["--log", "nowhere"], ["--key", "nowhere.pem"], ["--jwks", "nowhere.json"]]
)
def test_what_cannot_be_checked_is_an_error_with_its_remedy(
    signed: Environment, arguments: list[str]
) -> None:
    done = run(signed, *arguments)
    assert isinstance(done.exception, GridgateError)
    assert done.exception.kind is ErrorKind.NOT_FOUND
    assert done.exception.remedy


def test_a_log_that_cannot_be_read_is_an_error(signed: Environment) -> None:
    (signed.access_log / "2026-11-24-0.jsonl").mkdir()
    done = run(signed, *key(signed))
    assert isinstance(done.exception, GridgateError)
    assert "cannot be read" in str(done.exception)
