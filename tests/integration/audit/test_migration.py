"""From a row a read to the roll-up: rows whose segment is gone are kept, and said; the rest is made anew."""

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from pytest_django import Settings
from typer.testing import CliRunner

from gridgate.audit.models import AccessLogSegment, LogDay
from gridgate.config import cli
from gridgate.config.access_log.folding import fold_access_log
from gridgate.config.access_log.reading import segment_sizes
from gridgate.config.environment import Environment
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.accesslog.segments import segment_paths

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
pytestmark = pytest.mark.django_db
migration = import_module("gridgate.audit.migrations.0007_roll_up")


@pytest.fixture
def environment(tmp_path: Path, settings: Settings) -> Environment:
    settings.ENVIRONMENT = Environment(data=tmp_path)
    settings.ENVIRONMENT.access_log.mkdir()
    log = AccessLog(settings.ENVIRONMENT.access_log, "test", started_at=NOW)
    log.append(AccessEntry(NOW, "screen", "granted", 7, "Tiers 1", "3", 3, "load_curve", "withdrawal"))
    log.close()
    return settings.ENVIRONMENT


def former(environment: Environment, *, gone: bool) -> None:
    """The table as it was, with a row of the segment that is there and, with `gone`, two of one that is not."""
    [path] = segment_paths(environment.access_log)
    there = AccessLogSegment.objects.create(name=path.name, lines=2, size=path.stat().st_size, head="a")
    rows = [(1, there.pk, 2)]
    if gone:
        other = AccessLogSegment.objects.create(name="2026-11-24-gone.jsonl", lines=3, size=900, head="b")
        rows += [(2, other.pk, 2), (3, other.pk, 3)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE audit_accesslogentry (id integer, segment_id integer, line integer)")
        cursor.executemany("INSERT INTO audit_accesslogentry VALUES (%s, %s, %s)", rows)
        for verb in ("update", "delete"):
            cursor.execute(
                f"CREATE TRIGGER audit_accesslogentry_no_{verb} BEFORE {verb} ON audit_accesslogentry"
                " BEGIN SELECT RAISE(ABORT, 'only grows'); END"
            )


def migrate() -> None:
    migration._put_away(_Apps(), SimpleNamespace(connection=connection))


class _Apps:
    def get_model(self, app: str, name: str) -> type[AccessLogSegment]:
        return AccessLogSegment


def tables() -> list[str]:
    return connection.introspection.table_names()


def test_rows_of_segments_that_are_gone_are_kept_and_said(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    former(environment, gone=True)
    migrate()
    assert "audit_accesslogentry" not in tables()
    with connection.cursor() as cursor:
        cursor.execute("SELECT segment_name, line FROM audit_formerread ORDER BY line")
        assert cursor.fetchall() == [("2026-11-24-gone.jsonl", 2), ("2026-11-24-gone.jsonl", 3)]
    said = capsys.readouterr().err
    assert "2026-11-24-gone.jsonl: the registry has folded it, and it is not in the access log" in said
    assert "2 reads are in the registry alone" in said
    assert fold_access_log(environment) == 1
    assert LogDay.objects.get().entries == 1


def test_nothing_is_kept_nor_said_when_the_segments_are_there(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    former(environment, gone=False)
    migrate()
    assert not {"audit_accesslogentry", "audit_formerread"} & {*tables()}
    assert capsys.readouterr().err == ""
    assert set(segment_sizes()) == set(AccessLogSegment.objects.values_list("name", flat=True))


def test_the_command_leaves_nothing_to_count_when_it_ends(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends right after an upgrade, before any worker ran, has a receipt that says what was read."""
    former(environment, gone=False)
    migrate()
    environment.measurements.touch()
    monkeypatch.setattr("gridgate.config.commands.migrate.load_django", lambda **_: environment)
    monkeypatch.setattr("gridgate.config.instance.migrate", lambda: None)  # the tables are there
    done = CliRunner().invoke(cli.app, ["migrate"])
    assert done.exit_code == 0, done.output
    assert "1 entry counted and found" in done.output
    assert LogDay.objects.get().entries == 1


def test_it_makes_the_tables_that_the_models_say() -> None:
    """They are written out there, without row numbers, which Django does not write."""
    for model in ("LogDay", "LogPointDay", "LogPoint"):
        table = f"audit_{model.lower()}"
        with connection.cursor() as cursor:
            said = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
            assert "WITHOUT ROWID" in cursor.fetchone()[0]
        fields = apps.get_model("audit", model)._meta.concrete_fields
        assert said == {field.column for field in fields if field.column}
