"""`gridgate ingest` as an operator runs it: a process of its own, its exit code, its JSON, and `kill -9`."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gridgate.config.cli import app
from gridgate.config.ingesting.options import FORMATS
from gridgate.core.errors import GridgateError
from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest.readers import readers
from gridgate.dataplane.store.days import day_number
from tests.dataplane_world import CONSO, SOLAR, UNKNOWN
from tests.ingest_samples import offset, plain_csv, starts, zipped
from tests.instance import run_gridgate
from tests.integration.ingest.conftest import Instance
from tests.waiting import until

pytestmark = pytest.mark.processes

Write = Callable[..., Path]


def day_file(day: date, value: int, point: str = CONSO) -> bytes:
    return plain_csv(
        f"{point},load_curve,withdrawal,{stamp},PT30M,{value + n},W,"
        for n, stamp in enumerate(offset(starts(day)))
    )


class TestReport:
    def test_is_json_on_standard_output_and_nothing_else(self, instance: Instance, write: Write) -> None:
        good, bad = write(day_file(date(2026, 6, 1), 100), "good.csv"), write("hello", "bad.txt")

        done = run_gridgate("ingest", str(good), str(bad), "--json", data=instance.data, check=False)

        assert done.returncode == 1
        files = json.loads(done.stdout)["files"]
        assert [sorted(file) for file in files] == [
            ["format", "path", "quarantined", "read", "stored", "unchanged"]
        ] * 2
        assert files[0] == {
            "path": str(good),
            "format": "csv",
            "read": 48,
            "stored": 48,
            "unchanged": 0,
            "quarantined": [],
        }
        (refused,) = files[1]["quarantined"]
        assert sorted(refused) == ["cause", "day", "metering_point", "reason", "value", "where"]
        assert files[1]["read"] == 1

    def test_is_a_table_for_people(self, instance: Instance, write: Write) -> None:
        path = write(day_file(date(2026, 6, 1), 100).replace(b",100,W", b",-100,W"))

        done = run_gridgate("ingest", str(path), data=instance.data, check=False, COLUMNS="200")

        assert done.returncode == 1
        assert "Quarantined" in done.stdout
        assert "line 2 (-100): the value is negative" in done.stdout
        assert f" (of {CONSO}, 2026-06-01)" in done.stdout

    def test_ends_with_0_when_all_was_taken(self, instance: Instance, write: Write) -> None:
        path = write(day_file(date(2026, 6, 1), 100))

        assert run_gridgate("ingest", str(path), data=instance.data).returncode == 0


class TestOptions:
    """In this process: a fresh one each time would tell no more."""

    @pytest.fixture
    def run(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
        monkeypatch.setenv("GRIDGATE_DATA", "replaced by --data")
        return lambda *arguments: CliRunner().invoke(
            app, ["--data", str(instance.data), "ingest", *map(str, arguments)]
        )

    def test_map_and_metering_point_lead_foreign_meters_home(
        self, instance: Instance, run: Callable[..., Result], write: Write
    ) -> None:
        foreign = write(day_file(date(2026, 6, 1), 1, "meter 7"), "a.csv")
        table = write(f"meter 7;{SOLAR}\n", "map.csv")

        assert run(foreign).exit_code == 1
        assert run(foreign, "--map", table).exit_code == 0
        assert run(foreign, "--metering-point", CONSO).exit_code == 0
        assert (
            len(instance.blocks(Kind.LOAD_CURVE, SOLAR)) == len(instance.blocks(Kind.LOAD_CURVE, CONSO)) == 1
        )

    def test_what_people_should_look_at_is_told_though_all_was_taken(
        self, run: Callable[..., Result], write: Write
    ) -> None:
        path = write(f"metering_point_id,start,resolution,value\n{CONSO},2026-06-01T00:00:00Z,PT30M,12")
        told = "line 2: the file ends there without a line end: whether « 12 » was cut cannot be told"

        rehearsed, done = run(path, "--dry-run", "--json"), run(path)

        ((notice,),) = [file["notices"] for file in json.loads(rehearsed.stdout)["files"]]
        assert notice.startswith(told)
        assert f"{path}: look at {told}" in done.stdout
        assert rehearsed.exit_code == done.exit_code == 0

    def test_several_files_of_a_meter_each_are_not_all_said_to_be_of_one_point(
        self, run: Callable[..., Result], write: Write
    ) -> None:
        """Given for the whole call, as it was told for each file, the option would put both on one point."""
        one, other = (
            write(day_file(date(2026, 6, 1), 1, name), f"{name}.csv") for name in ("meter 7", "meter 8")
        )

        assert "--metering-point" in run(one).stdout
        both = run(one, other).stdout
        assert "--map" in both
        assert "--metering-point" not in both

    def test_a_file_refused_whole_is_nothing_done_unless_another_was_taken(
        self, run: Callable[..., Result], write: Write
    ) -> None:
        good, bad = write(day_file(date(2026, 6, 1), 100), "good.csv"), write(b"hello", "bad.txt")
        archive = write(zipped({"a.csv": b"hello", "b.csv": b"world"}), "bad.zip")

        assert run(bad).exit_code == run(bad, archive, "--json").exit_code == 2
        assert run(good, bad).exit_code == 1

    def test_dry_run_reports_what_would_be_and_stores_nothing(
        self, instance: Instance, run: Callable[..., Result], write: Write
    ) -> None:
        first, second = date(2026, 6, 1), date(2026, 6, 2)
        held, new = write(day_file(first, 100), "held.csv"), write(day_file(second, 100), "new.csv")
        again, bad = write(day_file(second, 100), "again.csv"), write(b"hello", "bad.txt")
        run(held)
        before = instance.store.sources(), instance.store.quarantine(), len(instance.blocks(Kind.LOAD_CURVE))

        rehearsed = run(held, new, again, bad, "--dry-run", "--json")

        assert before == (
            instance.store.sources(),
            instance.store.quarantine(),
            len(instance.blocks(Kind.LOAD_CURVE)),
        )
        done = run(held, new, again, bad, "--json")
        assert rehearsed.exit_code == done.exit_code == 1
        said = json.loads(rehearsed.stdout)
        assert said.pop("dry_run") is True
        assert said == json.loads(done.stdout)
        assert [file["stored"] for file in said["files"]] == [0, 48, 0, 0]
        assert "Nothing was stored: dry run." in run(new, "--dry-run").output

    def test_json_bears_no_progress_beside_it(self, run: Callable[..., Result], write: Write) -> None:
        done = run(write(day_file(date(2026, 6, 1), 100)), "--json", "--progress")

        assert json.loads(done.output)["files"]
        assert done.stderr == ""

    def test_dry_run_needs_no_right_to_write(
        self, instance: Instance, run: Callable[..., Result], write: Write
    ) -> None:
        """Nor does it wait for who writes."""
        with closing(sqlite3.connect(instance.data / "measurements.sqlite3", isolation_level=None)) as other:
            other.execute("begin immediate")
            assert run(write(day_file(date(2026, 6, 1), 100)), "--dry-run").exit_code == 0
            other.execute("rollback")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--metering-point", UNKNOWN), "no such metering point"),
            (("--metering-point", "12"), "a metering point has 14 digits"),
            (("--format", "xls"), "no format 'xls'"),
            (("--map", "absent.csv"), "cannot be read"),
            (("--map", "autre,colonnes\nX,30001480112233\n"), "Call them foreign_id,metering_point_id"),
            (("--map", "metering_point_id;foreign_id\n30001480112233;X\n"), "the other way round"),
            (("--map", "X,2.31282E+13\n"), "a spreadsheet has rounded the identifier"),
        ],
    )
    def test_that_cannot_be_met_stop_before_anything_is_read(
        self,
        instance: Instance,
        run: Callable[..., Result],
        write: Write,
        options: tuple[str, ...],
        message: str,
    ) -> None:
        if "," in options[1] or ";" in options[1]:
            options = (options[0], str(write(options[1].encode(), "map.csv")))

        error = run(write(day_file(date(2026, 6, 1), 100)), *options).exception

        assert isinstance(error, GridgateError)
        assert message in f"{error} {error.remedy}"
        assert instance.store.sources() == []

    def test_name_a_file_that_is_not_there(
        self, instance: Instance, run: Callable[..., Result], tmp_path: Path
    ) -> None:
        error = run(tmp_path / "absent.csv").exception

        assert isinstance(error, GridgateError)
        assert "absent.csv: there is no such file" in str(error)
        assert instance.store.sources() == []

    def test_are_not_needed_for_names_that_look_like_markup(
        self, run: Callable[..., Result], write: Write
    ) -> None:
        archive = write(zipped({"[/x].csv": day_file(date(2026, 6, 1), 100), "[red].csv": b"hello"}), "a.zip")

        shown = run(archive).output

        assert "[/x].csv" in shown
        assert "[red].csv: nothing was taken" in shown

    def test_name_every_format(self) -> None:
        assert list(FORMATS) == list(readers())


def test_without_an_instance_says_how_to_make_one(tmp_path: Path, write: Write) -> None:
    done = run_gridgate("ingest", str(write("x")), data=tmp_path / "nowhere", check=False)

    assert done.returncode == 2
    assert "gridgate init" in done.stderr
    assert not (tmp_path / "nowhere").exists()


class TestKill9:
    FILES, DAYS = 6, 60

    @pytest.fixture
    def hold(self, instance: Instance) -> Iterator[Callable[[date | None], None]]:
        """Have whoever stores that day go on without end in the middle of its transaction; None lets it be."""
        db = sqlite3.connect(instance.data / "measurements.sqlite3", isolation_level=None)
        db.execute(
            "create view endless as with recursive n(i) as (values (1) union all select i + 1 from n) select i from n"
        )

        def hold(day: date | None) -> None:
            db.execute("drop trigger if exists hold")
            if day is not None:
                db.execute(
                    f"create trigger hold before insert on block when new.day = {day_number(day)}"
                    " begin select max(i) from endless; end"
                )

        yield hold
        db.close()

    def test_loses_nothing_and_doubles_nothing(
        self, instance: Instance, write: Write, hold: Callable[[date | None], None]
    ) -> None:
        paths = [write(days_file(n * self.DAYS, self.DAYS), f"{n}.csv") for n in range(self.FILES)]
        values = {str(path): path.read_bytes().count(b"\n") - 1 for path in paths}
        for whole in (2, 4):
            hold(nth_day(whole * self.DAYS + self.DAYS // 2))
            process = start(instance.data, paths)
            try:
                until(
                    lambda whole=whole: len(instance.store.sources()) == whole and is_writing(instance),
                    "the next file half stored",
                )
                assert process.poll() is None
            finally:
                process.kill()
                process.wait()

            # every file is there whole, or not at all
            assert held(instance) == sum(values[info.source.name] for info in instance.store.sources())
            assert len(instance.store.sources()) == whole
        hold(None)

        done = run_gridgate("ingest", *map(str, paths), "--json", data=instance.data)

        files = json.loads(done.stdout)["files"]
        assert [file["unchanged"] > 0 for file in files] == [True] * 4 + [False] * 2
        assert [file["read"] for file in files] == list(values.values())
        assert held(instance) == sum(values.values())
        blocks = instance.blocks(Kind.LOAD_CURVE)
        assert {len(instance.store.versions(block.key, block.day)) for block in blocks} == {1}


def nth_day(number: int) -> date:
    return date(2025, 1, 1) + timedelta(days=number)


def days_file(first: int, count: int) -> bytes:
    days = [nth_day(number) for number in range(first, first + count)]
    header, _, _ = day_file(days[0], 0).partition(b"\n")
    return header + b"\n" + b"".join(day_file(day, day.day).partition(b"\n")[2] for day in days)


def held(instance: Instance) -> int:
    return sum(int(block.said.sum()) for block in instance.blocks(Kind.LOAD_CURVE))


def is_writing(instance: Instance) -> bool:
    """True while some process has begun to write and has not committed."""
    with closing(
        sqlite3.connect(instance.data / "measurements.sqlite3", isolation_level=None, timeout=0)
    ) as db:
        try:
            db.execute("begin immediate")
        except sqlite3.OperationalError:
            return True
        return False


def start(data: Path, paths: list[Path]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gridgate.config.cli", "--data", str(data), "ingest", *map(str, paths)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
