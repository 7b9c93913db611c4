"""What came of a day and was set aside: told by point, kind, direction and day, once, and erased with the point."""

import sqlite3
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.store import open_store, schema
from gridgate.dataplane.store.days import day_number
from gridgate.dataplane.store.port import MeasurementStore, StoreUnavailable
from gridgate.dataplane.store.quarantine import Cause, Quarantined, SetAside, Subject
from tests.factories.measurements import ELSEWHERE, PARIS, POINT, SUMMER, block, source

CURVE, OUT, IN = Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, FlowDirection.INJECTION
NEXT = SUMMER + timedelta(days=1)
ITS_OWN = Subject(POINT, CURVE, OUT, SUMMER, (3600, 5400))


def item(
    where: str = "line 2", subject: Subject | None = ITS_OWN, cause: Cause = Cause.NEGATIVE
) -> Quarantined:
    return Quarantined(where, f"because of {cause}", "-4", cause, subject)


def put(store: MeasurementStore, *items: Quarantined, name: str = "a.csv", at: int = 1_000) -> None:
    store.put([], source=source(name), quarantined=items, recorded_at=at)


def told(
    store: MeasurementStore, first: date = SUMMER, last: date = NEXT, direction: FlowDirection = OUT
) -> list[SetAside]:
    return store.set_aside(POINT, CURVE, direction, first, last)


class TestSetAside:
    def test_is_told_by_day_and_cause(self, store: MeasurementStore) -> None:
        put(
            store,
            item("line 2", replace(ITS_OWN, day=NEXT, span=None), Cause.STEP),
            item("line 3", replace(ITS_OWN, day=NEXT, span=None), Cause.STEP),
            item("line 4"),
        )
        assert told(store) == [
            SetAside(SUMMER, Cause.NEGATIVE, 1, (3600, 5400)),
            SetAside(NEXT, Cause.STEP, 2),
        ]
        assert told(store, NEXT, NEXT) == [SetAside(NEXT, Cause.STEP, 2)]

    def test_is_that_of_the_point_the_kind_and_the_direction_alone(self, store: MeasurementStore) -> None:
        others = (
            replace(ITS_OWN, metering_point=ELSEWHERE),
            replace(ITS_OWN, kind=Kind.DAILY_ENERGY),
            replace(ITS_OWN, direction=IN),
            replace(ITS_OWN, day=None),
            None,
        )
        put(store, *(item(f"line {number}", subject) for number, subject in enumerate(others)))
        assert told(store) == []
        assert len(told(store, direction=IN)) == 1

    def test_has_what_says_no_direction_when_asked(self, store: MeasurementStore) -> None:
        put(store, item(subject=replace(ITS_OWN, direction=None), cause=Cause.DIRECTION_UNSAID))
        assert told(store) == []
        for way in FlowDirection:
            (found,) = store.set_aside(POINT, CURVE, way, SUMMER, NEXT, unsaid=True)
            assert found.cause is Cause.DIRECTION_UNSAID

    def test_counts_what_several_files_tell_once(self, store: MeasurementStore) -> None:
        timeless = replace(ITS_OWN, span=None)
        for name, lines in (("a.csv", 2), ("b.csv", 3)):
            items = [item(f"line {number}", timeless, Cause.STEP) for number in range(lines)]
            for _ in range(2):
                put(store, item("line 9"), *items, name=name)
        assert [(one.cause, one.count) for one in told(store)] == [(Cause.NEGATIVE, 1), (Cause.STEP, 3)]

    def test_is_summed_up_however_much_came_of_a_day(self, store: MeasurementStore) -> None:
        spans = [(second, second + step) for second in range(3600, 7200) for step in (900, 1800)]
        items = [item(f"line {n}", replace(ITS_OWN, span=span)) for n, span in enumerate(spans)]
        put(store, *items, item("line 9999", replace(ITS_OWN, span=None)))
        put(store, *items[:100], name="b.csv")
        assert told(store) == [
            SetAside(SUMMER, Cause.NEGATIVE, 1),
            SetAside(SUMMER, Cause.NEGATIVE, 7200, (3600, 8999)),
        ]

        (timeless, *parts) = store.set_aside(POINT, CURVE, OUT, SUMMER, NEXT, by_time=[SUMMER])

        assert timeless == SetAside(SUMMER, Cause.NEGATIVE, 1)
        assert [(one.count, one.span) for one in parts] == [
            (600, (start, start + 299 + 1800)) for start in range(3600, 7200, 300)
        ]

    def test_as_of_an_instant_is_what_had_come_then(self, store: MeasurementStore) -> None:
        put(store, item(), at=2_000)
        assert store.set_aside(POINT, CURVE, OUT, SUMMER, NEXT, as_of=1_999) == []
        assert len(store.set_aside(POINT, CURVE, OUT, SUMMER, NEXT, as_of=2_000)) == 1


class TestErase:
    def test_takes_what_was_set_aside_of_the_point_and_of_no_other(self, store: MeasurementStore) -> None:
        elsewhere = item("line 3", replace(ITS_OWN, metering_point=ELSEWHERE))
        put(store, item(), item("line 4", replace(ITS_OWN, day=None)), elsewhere, item("line 5", None))
        store.erase(POINT)
        assert told(store) == []
        assert {row.where for row in store.quarantine()} == {"line 3", "line 5"}

    def test_before_a_day_takes_that_of_the_days_before_it(self, store: MeasurementStore) -> None:
        day_of_arrival = day_number(SUMMER) * 86_400_000
        timeless = replace(ITS_OWN, day=None)
        put(
            store,
            item("line 2"),
            item("line 3", replace(ITS_OWN, day=NEXT)),
            item("line 4", timeless),
            at=day_of_arrival,
        )
        put(store, item("line 5", timeless), name="later", at=day_of_arrival + 86_400_000)
        store.erase(POINT, before=NEXT)
        assert {row.where for row in store.quarantine()} == {"line 3", "line 5"}

    def test_says_when_a_reader_keeps_it_from_being_overwritten(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.1)
        path = tmp_path / "measurements.sqlite3"
        with open_store(path) as store:
            put(store, replace(item(), value="-511111"))
            reader = sqlite3.connect(path, isolation_level=None)
            reader.execute("begin")
            reader.execute("select count(*) from quarantine").fetchone()
            with pytest.raises(StoreUnavailable, match="another process is reading"):
                store.erase(POINT)
            reader.close()
            assert store.quarantine() == []
            assert store.erase(POINT) == 0
            assert not any(b"-511111" in file.read_bytes() for file in tmp_path.iterdir())

    def test_leaves_no_word_of_it(self, tmp_path: Path) -> None:
        path = tmp_path / "measurements.sqlite3"
        with open_store(path) as store:
            put(store, replace(item(), reason="the holder of Rosewood 7 opposes"), item("line 3", None))
            store.erase(POINT)
        assert not any(b"Rosewood" in file.read_bytes() for file in tmp_path.iterdir())


class TestHowItIsKept:
    def test_small_what_many_have_in_common_once(self, tmp_path: Path) -> None:
        path, count = tmp_path / "measurements.sqlite3", 20_000
        of_days = [replace(ITS_OWN, day=SUMMER + timedelta(days=n // 48)) for n in range(count)]
        reasons = [
            "the value is negative: measures are not; which way energy flows is the direction's to say",
            "this time is already told by line {} (the same value), which is kept; remove one of the two",
            "meter « 99999999990049 » is no metering point of the registry; import it (gridgate import points)",
            "2027-06-01T00:00:{}Z is still to come; correct the stamp",
        ]
        with open_store(path) as store:
            items = [
                Quarantined(f"line {n}", reasons[n % 4].format(n - 1), f"-{n}", Cause.NEGATIVE, of_days[n])
                for n in range(count)
            ]
            put(store, *items)
            assert store.sources()[0].quarantined == count
        assert path.stat().st_size < 80 * count

    def test_each_with_its_words_once(self, store: MeasurementStore) -> None:
        put(store, *AS_SAID)
        put(store, *AS_SAID, at=2_000)
        put(store, *(replace(one, subject=None, cause=None) for one in AS_SAID), at=3_000)
        assert said_by(store) == sorted((one.where, one.reason, one.value) for one in AS_SAID)
        assert {row.recorded_at for row in store.quarantine()} == {1_000}


AS_SAID = [
    Quarantined(where, reason, value, Cause.REPEATED, ITS_OWN)
    for where in ("line 2", "line 02", "line 10", "file", "a1.zip: b.csv: line 2, col 3", "2", "", "x\n9\ny")
    for reason in (
        "plain",
        "of 2 words",
        "of 3 words",
        "this time is already told by line 9 (7 W), which is kept",
        "this time is already told by line 99 (7 W), which is kept",
    )
    for value in ("-4", "")
]


def said_by(store: MeasurementStore) -> list[tuple[str, str, str]]:
    return sorted((row.where, row.reason, row.value) for row in store.quarantine(limit=9_999))


class TestAFileOfTheThirdSchema:
    @pytest.fixture
    def path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "measurements.sqlite3"
        with monkeypatch.context() as then:
            then.setattr(schema, "SCHEMA_VERSION", 3)
            open_store(path).close()
        by_hand = sqlite3.connect(path, isolation_level=None)
        by_hand.execute(
            "insert into source values (1, ?, 'a.csv', 'csv', null, 500, 500)", (source("a.csv").sha256,)
        )
        by_hand.executemany(
            "insert into quarantine (source, place, reason, value, recorded_at, cause, metering_point, kind,"
            " direction, day, span_start, span_end) values (1, ?, ?, ?, 1000, ?, ?, ?, ?, ?, ?, ?)",
            [
                (q.where, q.reason, q.value, q.cause, POINT, CURVE, OUT, day_number(SUMMER), 3600, 5400)
                for q in AS_SAID
            ],
        )
        by_hand.close()
        return path

    def test_tells_the_same_read_as_it_is_and_brought_up(self, path: Path) -> None:
        expected = sorted((one.where, one.reason, one.value) for one in AS_SAID)
        with open_store(path, read_only=True) as reader:
            for _ in range(2):
                assert said_by(reader) == expected
                assert reader.sources()[0].quarantined == len(AS_SAID)
                assert told(reader) == [SetAside(SUMMER, Cause.REPEATED, 1, (3600, 5400))]
                assert reader.set_aside(POINT, CURVE, OUT, SUMMER, NEXT, as_of=999) == []
                open_store(path).close()
        with open_store(path) as store:
            put(store, *AS_SAID, at=2_000)
            assert said_by(store) == expected
            assert {row.recorded_at for row in store.quarantine()} == {1_000}


class TestAFileOfTheFirstSchema:
    @pytest.fixture
    def path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """As the version before made it, with a block and a quarantined value."""
        path = tmp_path / "measurements.sqlite3"
        with monkeypatch.context() as then:
            then.setattr(schema, "SCHEMA_VERSION", 1)
            open_store(path).close()
        by_hand = sqlite3.connect(path, isolation_level=None)
        assert by_hand.execute("pragma user_version").fetchone() == (1,)
        by_hand.execute(
            "insert into source values (1, ?, 'a.csv', 'csv', null, 500)", (source("a.csv").sha256,)
        )
        by_hand.execute(
            "insert into quarantine (source, place, reason, value, recorded_at)"
            " values (1, 'line 2', 'because of negative', '-4', 500)"
        )
        by_hand.close()
        return path

    def test_opened_for_reading_is_read_and_left_as_it_is(self, path: Path) -> None:
        with open_store(path, read_only=True, zone=PARIS) as reader:
            assert told(reader) == []
            assert [row.where for row in reader.quarantine()] == ["line 2"]
            assert reader.read(POINT, CURVE, OUT, SUMMER, SUMMER) == []
            assert reader.sources()[0].quarantined == 1
        by_hand = sqlite3.connect(path)
        assert by_hand.execute("pragma user_version").fetchone() == (1,)
        by_hand.close()

    def test_opened_for_writing_is_brought_up_beside_who_reads_it(self, path: Path) -> None:
        with open_store(path, read_only=True) as reader:
            assert told(reader) == []
            with open_store(path) as writer:
                put(writer, item("line 3"), name="b.csv")
                writer.put([block()], source=source("c.csv"), quarantined=[], recorded_at=2_000)
            assert [one.cause for one in told(reader)] == [Cause.NEGATIVE]
            assert len(reader.read(POINT, CURVE, OUT, SUMMER, SUMMER)) == 1
            assert len(reader.quarantine()) == 2

    def test_put_back_under_who_reads_is_read(self, path: Path, tmp_path: Path) -> None:
        present = tmp_path / "present.sqlite3"
        open_store(present).close()
        with open_store(present, read_only=True) as reader:
            assert told(reader) == []
            path.replace(present)
            assert told(reader) == []
            open_store(present).close()
            assert told(reader) == []

    def test_that_is_being_written_is_said_to_be_in_use(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(schema, "BUSY_SECONDS", 0.1)
        older = sqlite3.connect(path, isolation_level=None)
        older.execute("begin immediate")
        with pytest.raises(StoreUnavailable, match="in use") as refusal:
            open_store(path)
        older.close()
        assert "backup" not in str(refusal.value) + refusal.value.remedy
        open_store(path).close()

    def test_learns_what_its_values_are_of_when_their_file_comes_again(self, path: Path) -> None:
        with open_store(path) as store:
            put(store, item(), at=2_000)
            assert len(store.quarantine()) == 1
            assert [one.cause for one in told(store)] == [Cause.NEGATIVE]
            assert store.quarantine()[0].recorded_at == 500

    def test_is_the_same_in_the_end_as_a_new_one(self, path: Path, tmp_path: Path) -> None:
        layouts = []
        for file in (path, tmp_path / "new.sqlite3"):
            open_store(file).close()
            by_hand = sqlite3.connect(file)
            layouts.append(by_hand.execute("select name, sql from sqlite_master order by name").fetchall())
            by_hand.close()
        assert layouts[0] == layouts[1]
