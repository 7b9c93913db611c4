"""What is particular to the SQLite adapter: the file, its settings, its plan."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.store import open_store, sqlite, sqlite_connection
from gridgate.dataplane.store.port import MeasurementStore, StoreUnavailable
from gridgate.dataplane.store.sqlite import SqliteStore
from tests.factories.measurements import PARIS, POINT, SUMMER, block, source

CURVE, OUT = Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "measurements.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(path, zone=PARIS) as opened:
        yield opened


def fill(store: MeasurementStore, values: int = 100, *, at: int = 1_000) -> None:
    days = [block(SUMMER + timedelta(days=n), values) for n in range(7)]
    store.put(days, source=source(str(values)), quarantined=[], recorded_at=at)


class TestOpenStore:
    def test_makes_a_durable_file_that_processes_share(self, path: Path, store: SqliteStore) -> None:
        assert isinstance(store, MeasurementStore)
        assert store._connection.execute("pragma journal_mode").fetchone() == ("wal",)
        assert store._connection.execute("pragma synchronous").fetchone() == (2,)

    def test_for_reading_says_what_to_do_when_there_is_no_store(self, path: Path) -> None:
        with pytest.raises(StoreUnavailable, match="Run `gridgate init`"):
            open_store(path, read_only=True)
        assert not path.exists()

    def test_follows_the_file_that_is_in_its_place(self, path: Path, tmp_path: Path) -> None:
        with open_store(path) as store:
            fill(store)
        reader = open_store(path, read_only=True)
        moved = path.rename(tmp_path / "away")
        with pytest.raises(StoreUnavailable):
            reader.read(POINT, CURVE, OUT, SUMMER, SUMMER)
        path.write_bytes(b"garbage" * 999)
        with pytest.raises(StoreUnavailable, match="no SQLite database"):
            reader.read(POINT, CURVE, OUT, SUMMER, SUMMER)
        moved.replace(path)
        assert len(reader.read(POINT, CURVE, OUT, SUMMER, SUMMER)) == 1
        reader.close()

    def test_is_opened_anew_once_what_hindered_that_is_over(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with open_store(path) as store:
            fill(store)
        reader = open_store(path, read_only=True)
        os.utime(path, (0, 0))  # as when what was written is copied into the file

        def no_more_files(*_: object, **__: object) -> sqlite3.Connection:
            raise StoreUnavailable("too many open files")

        with monkeypatch.context() as patch:
            patch.setattr(sqlite_connection, "open_connection", no_more_files)
            with pytest.raises(StoreUnavailable, match="too many"):
                reader.read(POINT, CURVE, OUT, SUMMER, SUMMER)
        assert len(reader.read(POINT, CURVE, OUT, SUMMER, SUMMER)) == 1
        reader.close()

    def test_is_not_written_to_where_nobody_finds_it(self, path: Path, tmp_path: Path) -> None:
        with open_store(path) as store:
            path.rename(tmp_path / "away")
            with pytest.raises(StoreUnavailable, match="moved or replaced"):
                fill(store)

    def test_for_reading_works_when_nobody_else_has_it_open(self, path: Path) -> None:
        with open_store(path) as store:
            fill(store)
        with open_store(path, read_only=True) as store:
            assert len(store.read(POINT, CURVE, OUT, SUMMER, SUMMER)) == 1

    def test_refuses_to_count_the_days_of_another_zone(self, path: Path, store: SqliteStore) -> None:
        with pytest.raises(StoreUnavailable, match="GRIDGATE_TIME_ZONE=Europe/Paris"):
            open_store(path, zone=ZoneInfo("America/Cayenne"))

    def test_refuses_a_file_that_is_something_else(self, path: Path) -> None:
        other = sqlite3.connect(path)
        other.execute("create table t (x)")
        other.close()
        with pytest.raises(StoreUnavailable, match="not a measurement store"):
            open_store(path, read_only=True)
        with pytest.raises(StoreUnavailable, match="not a measurement store"):
            open_store(path)
        path.write_bytes(b"no database at all, but long enough to look like one" * 20)
        with pytest.raises(StoreUnavailable, match="cannot be opened"):
            open_store(path)

    def test_refuses_a_store_made_by_a_newer_gridgate(self, path: Path, store: SqliteStore) -> None:
        store._connection.execute("pragma user_version = 99")
        with pytest.raises(StoreUnavailable, match="schema 99"):
            open_store(path)

    def test_by_many_at_once_makes_one_store(self, path: Path) -> None:
        failures: list[Exception] = []
        barrier = threading.Barrier(6)

        def opened() -> None:
            barrier.wait()
            try:
                with open_store(path) as store:
                    fill(store)
            except StoreUnavailable as failure:
                failures.append(failure)

        threads = [threading.Thread(target=opened) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        with open_store(path, read_only=True) as store:
            assert len(store.sources()) == 1


class TestSqliteStore:
    def test_reads_a_week_by_two_index_searches_and_no_sort(self, store: SqliteStore) -> None:
        fill(store)
        plan = store._connection.execute(
            f"explain query plan {sqlite._READ_NOW}", (POINT, CURVE.value, OUT.value, 0, 99_999)
        ).fetchall()
        steps = [row[3] for row in plan]
        assert len(steps) == 2
        assert all(step.startswith("SEARCH") for step in steps)

    def test_finds_what_was_set_aside_by_one_index_search(self, store: SqliteStore) -> None:
        plan = store._connection.execute(
            f"explain query plan {sqlite._SET_ASIDE}",
            (POINT, 0, 99_999, CURVE.value, OUT.value, False, 0, "[]"),
        ).fetchall()
        steps = [row[3] for row in plan]
        assert (
            "SEARCH o USING COVERING INDEX quarantine_of_day (metering_point=? AND day>? AND day<?)" in steps
        )
        assert "SEARCH i USING INDEX quarantine_subject (subject=?)" in steps

    def test_packs_a_day_in_two_bytes_a_value(self, store: SqliteStore) -> None:
        fill(store, 30_000)
        (size, quality, provenance) = store._connection.execute(
            "select length(amounts), quality, provenance from block"
        ).fetchone()
        assert (size, quality, provenance) == (96, None, None)

    def test_serves_several_threads(self, store: SqliteStore) -> None:
        fill(store)
        found: list[int] = []

        def work(number: int) -> None:
            for _ in range(20):
                fill(store, number)
                found.append(len(store.read(POINT, CURVE, OUT, SUMMER, SUMMER + timedelta(days=6))))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [7] * 80

    def test_overwrites_what_it_erases(self, path: Path) -> None:
        telling = 0x5A5A5A5A5A5A5A5A
        with open_store(path) as store:
            fill(store, telling)
            store.erase(POINT)
            assert bytes.fromhex("5a" * 48) not in path.read_bytes()
            wal = path.with_name(path.name + "-wal")
            assert not wal.exists() or bytes.fromhex("5a" * 48) not in wal.read_bytes()

    def test_says_so_when_the_file_does_not_answer(self, store: SqliteStore) -> None:
        store.close()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.read(POINT, CURVE, OUT, SUMMER, SUMMER)
        with pytest.raises(StoreUnavailable, match="does not answer"):
            fill(store)

    def test_gives_up_when_another_writes_for_too_long(self, path: Path, store: SqliteStore) -> None:
        store._connection.execute("pragma busy_timeout = 10")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(StoreUnavailable, match="locked"):
            fill(store)
        assert store.read(POINT, CURVE, OUT, SUMMER, SUMMER) == []
        other.execute("rollback")
        other.close()
        fill(store)
