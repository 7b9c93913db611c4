"""Files that are too large for memory, made so by what counts as large here: parted, and stored part by part."""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from gridgate.dataplane import scratch
from gridgate.dataplane.ingest import aside, frames, parquet_process, spool
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.plain import observing
from gridgate.dataplane.ingest.settling import together
from gridgate.dataplane.ingest.work import Work
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, PutResult, StoreUnavailable
from gridgate.dataplane.store.rehearsal import Rehearsal
from gridgate.dataplane.store.sqlite import SqliteStore
from tests.dataplane_world import ACME, CONSO, FOREIGN, SOLAR
from tests.ingest_samples import AUTUMN, PARIS, naive, plain_csv, starts
from tests.integration.ingest.conftest import Instance

DAYS = [AUTUMN + timedelta(days=number) for number in range(-6, 3)]


def lines(point: str, *, first: int = 0) -> list[str]:
    """Half hours over the night in which clocks change, by the clock on the wall, in two directions."""
    stamps = [stamp for day in DAYS for stamp in naive(starts(day))]
    return [
        f"{point},load_curve,withdrawal,{stamp},PT30M,{first + number},W,measured"
        for number, stamp in enumerate(stamps)
    ]


@pytest.fixture
def file(tmp_path: Path, instance: Instance) -> Path:
    """Three points whose lines alternate, some of which cannot be taken, and a meter that nobody knows."""
    instance.registry.point(FOREIGN, holder=ACME, segment="C5")
    points = lines(CONSO), lines(SOLAR, first=5), lines(FOREIGN, first=7)
    rows = [line for alike in zip(*points, strict=True) for line in alike]
    rows[100] = rows[100].replace(",W,", ",VA,")
    rows[201] = rows[201].replace(",PT30M,", ",PT7M,")
    rows.insert(300, rows[299])
    path = tmp_path / "large.csv"
    path.write_bytes(plain_csv([*rows, *(line.replace(CONSO, "meter 7") for line in lines(CONSO)[:9])]))
    return path


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PIECE", 4_000)
    monkeypatch.setattr(spool, "VALUES", 100)


def held(path: Path) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as file:
        return file.execute(
            """select metering_point, kind, direction, resolution, register, day, scale, width, amounts, quality, offsets,
               provenance, version from series join block on series = series.id order by 1, 2, 3, 4, 5, 6"""
        ).fetchall()


class Parts:
    """The store, which remembers what each part was, and stops at one of them."""

    def __init__(self, store: Any, *, stops_at: int = 0) -> None:
        self._store, self._stops_at = store, stops_at
        self.parts: list[list[DayBlock]] = []
        self.complete: list[bool] = []

    def put(self, blocks: Sequence[DayBlock], *, complete: bool = True, **how: Any) -> PutResult:
        self.parts.append(list(blocks))
        self.complete.append(complete)
        if len(self.parts) == self._stops_at:
            raise StoreUnavailable("killed")
        result: PutResult = self._store.put(blocks, complete=complete, **how)
        return result


def completed(path: Path) -> list[int | None]:
    with sqlite3.connect(path) as file:
        return [at for (at,) in file.execute("select completed_at from source")]


class TestALargeFile:
    def test_is_stored_as_one_that_fits(
        self, instance: Instance, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        whole = instance.take_one(file)
        at_once = held(instance.data / "measurements.sqlite3")
        set_aside = instance.store.quarantine()
        instance.store = open_store(tmp_path / "parted.sqlite3", zone=PARIS)
        monkeypatch.setattr(frames, "PIECE", 4_000)
        monkeypatch.setattr(spool, "VALUES", 100)

        parted = instance.take_one(file)

        assert parted == whole
        assert held(tmp_path / "parted.sqlite3") == at_once
        assert instance.store.quarantine() == set_aside
        assert (whole.stored, len(whole.quarantined)) == (3 * len(lines(CONSO)) - 2, 12)

    @pytest.mark.usefixtures("small_pieces")
    def test_comes_in_parts_of_whole_days_of_series_the_last_of_which_completes_it(
        self, instance: Instance, file: Path
    ) -> None:
        store = instance.store
        parts = instance.store = Parts(store)  # type: ignore[assignment]
        instance.take_one(file)

        days = [(block.key, block.day) for part in parts.parts for block in part]
        assert len(days) == len(set(days)) == 3 * len(DAYS)
        assert sum(bool(part) for part in parts.parts) > 1
        assert parts.complete == [False] * (len(parts.complete) - 1) + [True]

    @pytest.mark.usefixtures("small_pieces")
    def test_that_proves_amiss_after_a_part_of_it_was_stored_is_given_up_and_not_said_to_be_taken(
        self, instance: Instance, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(aside, "HELD", 12)
        monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=0))

        report = instance.take(file)

        (one,) = report.files
        assert (report.given_up, report.refused, report.complete) == (True, False, False)
        assert 0 < one.stored < 3 * len(lines(CONSO)) - 2
        (why,) = one.quarantined
        assert why.where == "file"
        assert why.reason.startswith(
            "more values of the file cannot be taken than there is room to tell of on disk: 12 until"
        )
        assert completed(instance.data / "measurements.sqlite3") == [None]

    @pytest.mark.usefixtures("small_pieces")
    def test_that_was_cut_short_is_finished_by_taking_it_again(
        self, instance: Instance, file: Path, tmp_path: Path
    ) -> None:
        store, path = instance.store, instance.data / "measurements.sqlite3"
        parts = instance.store = Parts(store, stops_at=2)  # type: ignore[assignment]
        with pytest.raises(StoreUnavailable):
            instance.take_one(file)
        before = sum(int(block.said.sum()) for block in parts.parts[0])
        assert before > 0
        assert completed(path) == [None]
        instance.store = store

        again = instance.take_one(file, recorded_at=1_795_000_100_000)

        assert (again.unchanged, again.stored) == (before, 3 * len(lines(CONSO)) - 2 - before)
        assert completed(path) == [1_795_000_100_000]
        once = instance.data / "once.sqlite3"
        instance.store = open_store(once, zone=PARIS)
        instance.take_one(file)
        assert held(path) == held(once)
        with sqlite3.connect(path) as opened:
            assert opened.execute("select count(*) from history").fetchone() == (0,)

    @pytest.mark.usefixtures("small_pieces")
    def test_of_which_more_is_set_aside_than_fits_in_memory_is_told_and_stored_alike(
        self, instance: Instance, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        whole, set_aside = instance.take_one(file), instance.store.quarantine()
        instance.store = open_store(tmp_path / "other.sqlite3", zone=PARIS)
        monkeypatch.setattr(aside, "HELD", 5)

        again = instance.take_one(file)

        assert (again.stored, list(again.quarantined)) == (whole.stored, whole.quarantined)
        assert instance.store.quarantine() == set_aside
        assert completed(tmp_path / "other.sqlite3") != [None]

    @pytest.mark.usefixtures("small_pieces")
    def test_delivered_again_changes_nothing(self, instance: Instance, file: Path) -> None:
        first, again = instance.take_one(file), instance.take_one(file)

        assert (again.stored, again.unchanged) == (0, first.stored)

    @pytest.mark.usefixtures("small_pieces")
    def test_keeps_quoted_line_ends_together(self, instance: Instance, tmp_path: Path) -> None:
        path = tmp_path / "quoted.csv"
        noted = [f'{line},"a\nnote, of {number}"' for number, line in enumerate(lines(CONSO))]
        path.write_bytes(
            (
                "metering_point_id,kind,direction,start,resolution,value,unit,quality,note\n"
                + "\n".join(noted)
            ).encode()
        )

        assert instance.take_one(path).stored == len(noted)

    def test_leaves_nothing_beside_the_store(
        self,
        instance: Instance,
        file: Path,
        small_pieces: None,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        seen = []
        opened = spool.Spool.__enter__

        def enter(one: spool.Spool) -> spool.Spool:
            seen.append((one._folder.stat().st_mode & 0o777, one._folder))
            return opened(one)

        monkeypatch.setattr(spool.Spool, "__enter__", enter)
        instance.take_one(file)

        ((mode, folder),) = seen
        assert mode == 0o700
        assert not folder.exists()

    @pytest.mark.usefixtures("small_pieces")
    def test_for_which_there_is_no_room_is_not_taken(
        self, instance: Instance, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(one: spool.Spool, number: int) -> Any:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(spool.Spool, "_file", full)

        with pytest.raises(StoreUnavailable, match="No space left") as caught:
            instance.take_one(file)
        assert "Make room" in caught.value.remedy
        assert instance.store.sources() == []

    def test_what_a_killed_one_left_is_swept_and_what_is_in_use_is_not(self, tmp_path: Path) -> None:
        left = tmp_path / f"{spool.PREFIX}left"
        left.mkdir()
        (left / "lock").touch()
        (left / "3.arrow").write_bytes(b"rest")
        with spool.Spool(tmp_path, 1, str) as used:
            scratch.sweep(tmp_path, spool.PREFIX)

            assert [one.name for one in tmp_path.iterdir()] == [used._folder.name]
        assert list(tmp_path.iterdir()) == []

    def test_what_was_killed_before_it_was_held_is_swept_and_what_begins_is_not(self, tmp_path: Path) -> None:
        left, begun = tmp_path / f"new-{spool.PREFIX}left", tmp_path / f"new-{spool.PREFIX}begun"
        for made in (left, begun):
            made.mkdir()
            (made / "lock").touch()
        os.utime(left, (0, 0))

        scratch.sweep(tmp_path, spool.PREFIX)

        assert list(tmp_path.iterdir()) == [begun]

    def test_the_scratch_copy_of_a_killed_dry_run_goes_with_the_next_ingest(
        self, instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        temporary = tmp_path / "tmp"
        temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        measurements = instance.data / "measurements.sqlite3"
        killed = Rehearsal(measurements, zone=PARIS)
        SqliteStore.close(killed)
        assert killed._folder is not None
        killed._folder._lock.close()  # as the system does, and nothing else
        (temporary / "gridgate-rehearsal-link").symlink_to(instance.data)
        work = Work(
            registry=instance.registry.path,
            measurements=measurements,
            zone_name=PARIS.key,
            recorded_at=0,
            mapping=MeterMapping(),
        )
        with Rehearsal(measurements, zone=PARIS) as alive:
            work.tidy()
            assert {one.name for one in temporary.iterdir()} == {
                alive.scratch.name,
                "gridgate-rehearsal-link",
            }
        assert measurements.exists()


class TestALargeParquet:
    def test_is_decoded_piece_by_piece(
        self, instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run of equal values takes a few bytes in the file, and as many as there are of them in memory."""
        path = tmp_path / "runs.parquet"
        stamps = [start for day in DAYS for start in starts(day)]
        table = pl.DataFrame({"start": stamps * 2, "value": [7] * (2 * len(stamps))}).with_columns(
            metering_point_id=pl.Series([CONSO] * len(stamps) + [SOLAR] * len(stamps)),
            direction=pl.lit("withdrawal"),
            resolution=pl.lit(30),
        )
        table.write_parquet(path, row_group_size=64)
        parquet_process._decoder.close()
        monkeypatch.setattr(parquet_process, "PIECE", 100)
        pieces = []
        add = spool.Spool.add
        monkeypatch.setattr(
            spool.Spool,
            "add",
            lambda one, piece, *rest: (pieces.append(piece.height), add(one, piece, *rest))[1],
        )
        report = instance.take_one(path)
        parquet_process._decoder.close()

        assert report.stored == 2 * len(stamps)
        assert len(pieces) > 1
        assert max(pieces) <= 100


class TestWholeColumns:
    """What is done, and how often: not once for each meter."""

    def test_are_read_at_once_and_settled_together_whatever_the_clock_does(
        self, instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "night.csv"
        path.write_bytes(plain_csv([*lines(CONSO), *lines(SOLAR)]))
        calls: list[str] = []
        for module, name in ((observing, "observe"), (together, "settle")):
            what = getattr(module, name)

            def counted(*given: Any, what: Any = what, name: str = name, **how: Any) -> Any:
                calls.append(name)
                return what(*given, **how)

            monkeypatch.setattr(module, name, counted)

        assert instance.take_one(path).stored == 2 * len(lines(CONSO))
        assert calls == ["observe"]

    def test_are_settled_some_series_at_a_time(
        self, instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "night.csv"
        path.write_bytes(plain_csv([*lines(CONSO), *lines(SOLAR)]))
        rows: list[int] = []
        days = together._days

        def counted(table: Any, *more: Any) -> Any:
            rows.append(len(table.series))
            return days(table, *more)

        monkeypatch.setattr(together, "_days", counted)
        monkeypatch.setattr(together, "AT_ONCE", 10)

        assert instance.take_one(path).stored == 2 * len(lines(CONSO))
        assert rows == [len(lines(CONSO)), len(lines(SOLAR))]

    def test_of_a_series_that_is_looked_at_by_itself_are_one_batch_however_many_lines_it_has(
        self, instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "wide.csv"
        of_days = [f"{CONSO},2026-06-{day:02},PT60M,{','.join(['1'] * 24)}" for day in range(1, 11)]
        of_days[3] = of_days[3].replace(",1,", ",-1,", 1)
        head = "metering_point_id,day,resolution," + ",".join(f"v{slot}" for slot in range(1, 25))
        path.write_text("\n".join([head, *of_days]) + "\n")
        batches: list[int] = []
        settle = together.settle

        def counted(given: Sequence[Any], *more: Any, **how: Any) -> Any:
            batches.append(len(given))
            return settle(given, *more, **how)

        monkeypatch.setattr(together, "settle", counted)

        report = instance.take_one(path)

        assert (report.stored, [one.where for one in report.quarantined]) == (239, ["line 5, column v1"])
        assert batches == [1]

    def test_are_written_by_as_many_statements_for_many_series_as_for_one(
        self, instance: Instance, tmp_path: Path
    ) -> None:
        def statements(name: str, rows: list[str]) -> int:
            path = tmp_path / name
            path.write_bytes(plain_csv(rows))
            run: list[str] = []
            instance.store._connection.set_trace_callback(run.append)  # type: ignore[attr-defined]
            instance.take_one(path)
            instance.store._connection.set_trace_callback(None)  # type: ignore[attr-defined]
            return sum(statement.lower().startswith("select") for statement in run)

        one, two = (
            statements("one.csv", lines(CONSO)),
            statements("two.csv", [*lines(CONSO, first=1), *lines(SOLAR, first=1)]),
        )
        assert two <= one + 1  # what is held, of the one that was there

    def test_of_too_many_are_refused(self, instance: Instance, tmp_path: Path) -> None:
        path = tmp_path / "columns.csv"
        path.write_text(
            "day,resolution,"
            + ",".join(f"v{number}" for number in range(1, 100_001))
            + "\n2026-06-01,PT30M,1\n"
        )

        report = instance.take_one(path, single=CONSO)

        assert report.refused
        assert "100002 columns, 2000 at most" in report.quarantined[0].reason
