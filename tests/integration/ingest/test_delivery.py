"""Files delivered again, in parts, late, in zips, damaged: what is held stays right."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest.directory import PointInfo, RegistryDirectory
from gridgate.dataplane.store.quarantine import Cause
from tests.dataplane_world import ACME, CONSO, SOLAR, UNKNOWN
from tests.ingest_samples import PLAIN, as_json, ends, offset, plain_csv, r63, zipped
from tests.integration.ingest.conftest import RECORDED_AT, Instance

Write = Callable[..., Path]
STAMPS = offset(ends(PLAIN))


def day(
    values: list[object] | range, stamps: list[str] = STAMPS, *, published: str = "2026-06-02T04:00:00+02:00"
) -> bytes:
    return as_json(r63(CONSO, stamps, values, flow="R63B", announced=published))


class TestTheSameFileAgain:
    def test_changes_nothing(self, instance: Instance, write: Write) -> None:
        values: list[object] = [*range(46), -1, "x"]
        path = write(day(values))

        first, again = instance.take_one(path), instance.take_one(path, recorded_at=RECORDED_AT + 1000)

        assert (first.stored, first.unchanged, len(first.quarantined)) == (46, 0, 2)
        assert (again.stored, again.unchanged, len(again.quarantined)) == (0, 46, 2)
        (block,) = instance.blocks(Kind.LOAD_CURVE)
        assert len(instance.store.versions(block.key, PLAIN)) == 1
        assert len(instance.store.quarantine()) == 2

    def test_takes_what_was_unknown_once_the_point_is_there(self, instance: Instance, write: Write) -> None:
        path = write(
            plain_csv(
                [f"{UNKNOWN},daily_energy,,2026-06-01,,5,Wh,", f"{CONSO},daily_energy,,2026-06-01,,6,Wh,"]
            )
        )
        first = instance.take_one(path)
        instance.registry.point(UNKNOWN, holder=ACME)

        again = instance.take_one(path)

        assert (first.stored, len(first.quarantined)) == (1, 1)
        assert (again.stored, again.unchanged, again.complete) == (1, 1, True)


class TestWhatIsSetAside:
    """Of a real store: what came of a day, until it comes well."""

    def told(self, instance: Instance) -> list[tuple[date, Cause, int]]:
        found = instance.store.set_aside(CONSO, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, PLAIN, PLAIN)
        return [(one.day, one.cause, one.count) for one in found]

    def test_is_known_by_its_day_once_however_often_the_file_comes(
        self, instance: Instance, write: Write
    ) -> None:
        for name in ("a", "a", "b"):
            instance.take_one(
                write(day([-1] * 48, published=f"2026-06-0{2 + (name == 'b')}T04:00:00+02:00"), name)
            )
        assert self.told(instance) == [(PLAIN, Cause.NEGATIVE, 48)]

    def test_of_a_real_file_is_known_by_its_day(self, instance: Instance, shared_data: Path) -> None:
        report = instance.take_one(shared_data / "espi/samples/Electric.xml", single=CONSO)
        told = [(item.cause, item.subject and item.subject.day) for item in report.quarantined]
        assert told == [(Cause.STEP, date(2012, 4, 1)), (Cause.STEP, date(2012, 5, 1))]

    def test_stands_beside_the_values_that_come_later(self, instance: Instance, write: Write) -> None:
        """Which of the two is told is the reading's to say."""
        instance.take_one(write(day([-1] * 48), "a"))
        instance.take_one(write(day(range(48), published="2026-06-03T04:00:00+02:00"), "b"))
        assert self.told(instance) == [(PLAIN, Cause.NEGATIVE, 48)]
        (block,) = instance.blocks(Kind.LOAD_CURVE)
        assert set(block.quality.tolist()) == {Quality.MEASURED}


class TestParts:
    def test_of_a_day_come_together(self, instance: Instance, write: Write) -> None:
        instance.take(write(day(range(24), STAMPS[:24]), "a"), write(day(range(24, 48), STAMPS[24:]), "b"))

        (block,) = instance.blocks(Kind.LOAD_CURVE)
        assert block.values.tolist() == list(range(48))

    def test_a_correction_replaces_and_an_older_publication_does_not(
        self, instance: Instance, write: Write
    ) -> None:
        corrected = as_json(
            r63(CONSO, STAMPS, [100] * 48, nature="C", flow="R63B", announced="2026-06-09T04:00:00+02:00")
        )
        late = day([7] * 48, published="2026-06-03T04:00:00+02:00")

        instance.take(write(day(range(48)), "first"), write(corrected, "second"), write(late, "third"))

        (block,) = instance.blocks(Kind.LOAD_CURVE)
        assert set(block.values.tolist()) == {100}
        assert set(block.quality.tolist()) == {Quality.CORRECTED}
        assert len(instance.store.versions(block.key, PLAIN)) == 3


class TestFiles:
    def test_do_not_stop_one_another(self, instance: Instance, write: Write, tmp_path: Path) -> None:
        bad, good = write(b"hello", "bad.txt"), write(day(range(48)), "good.json")

        report = instance.take(tmp_path / "absent.csv", bad, tmp_path, good)

        assert [file.refused for file in report.files] == [True, True, True, False]
        assert [file.read for file in report.files] == [1, 1, 1, 48]
        assert "cannot be read" in report.files[0].quarantined[0].reason

    def test_come_in_zips_member_by_member(self, instance: Instance, write: Write) -> None:
        inner = zipped({"b.json": day(range(24, 48), STAMPS[24:])})
        path = write(
            zipped({"a.json": day(range(24), STAMPS[:24]), "in.zip": inner, "notes.txt": b"hello"}), "x.zip"
        )

        report = instance.take(path)

        assert [(file.path.removeprefix(str(path)), file.stored, file.refused) for file in report.files] == [
            ("/a.json", 24, False),
            ("/in.zip/b.json", 24, False),
            ("/notes.txt", 0, True),
        ]
        assert [source.source.name for source in instance.store.sources()] != []

    def test_of_a_zip_are_of_one_foreign_meter(self, instance: Instance, write: Write) -> None:
        def member(meter: str, day: int) -> bytes:
            return plain_csv([f"{meter},daily_energy,,2026-06-{day:02},,5,Wh,"])

        path = write(
            zipped(
                {"a.csv": member("meter 7", 1), "b.csv": member("meter 8", 2), "c.csv": member("meter 7", 3)}
            )
        )

        report = instance.take(path, single=CONSO)

        assert [file.stored for file in report.files] == [1, 0, 1]
        assert "meter « meter 8 »" in report.files[1].quarantined[0].reason

    @pytest.mark.parametrize("keep", [0.2, 0.6, 0.97])
    def test_of_a_truncated_zip_leave_nothing_behind(
        self, instance: Instance, write: Write, keep: float
    ) -> None:
        data = zipped({"a.json": day(range(48))})

        report = instance.take_one(write(data[: int(len(data) * keep)], "cut.zip"))

        assert report.refused
        assert report.format == "zip"
        assert "truncated or damaged" in report.quarantined[0].reason
        assert "Fetch the archive again" in report.quarantined[0].reason
        assert instance.blocks(Kind.LOAD_CURVE) == []

    @pytest.mark.parametrize("keep", [0.2, 0.6, 0.97])
    def test_that_are_truncated_leave_nothing_behind(
        self, instance: Instance, write: Write, keep: float
    ) -> None:
        data = day(range(48))

        assert instance.take_one(write(data[: int(len(data) * keep)])).refused
        assert instance.blocks(Kind.LOAD_CURVE) == []

    def test_that_are_empty_say_so(self, instance: Instance, write: Write) -> None:
        assert "the file is empty" in instance.take_one(write(b"")).quarantined[0].reason


class TestRegistryDirectory:
    def test_knows_points_and_oppositions(self, instance: Instance) -> None:
        instance.registry.db.execute(
            "UPDATE metering_loadcurvecollection SET state = 'opposed', since = '2026-06-01 08:00:00.123456'"
            " WHERE metering_point_id = ?",
            (SOLAR,),
        )

        known = RegistryDirectory(instance.registry.path, today=date(2026, 11, 24)).known(
            [CONSO, SOLAR, UNKNOWN]
        )

        assert known == {
            CONSO: PointInfo(CONSO, "C5", frozenset({FlowDirection.WITHDRAWAL})),
            SOLAR: PointInfo(
                SOLAR, "C4", frozenset(FlowDirection), datetime(2026, 6, 1, 8, 0, 0, 123456, tzinfo=UTC)
            ),
        }

    def test_forgets_an_opposition_that_is_over(self, instance: Instance) -> None:
        instance.registry.db.execute(
            "UPDATE metering_loadcurvecollection SET state = 'opposed', until = '2026-07-01 00:00:00'"
        )

        (point,) = RegistryDirectory(instance.registry.path, today=date(2026, 11, 24)).known([CONSO]).values()

        assert point.opposed_from is None

    def test_looks_up_many_at_once(self, instance: Instance) -> None:
        ids = [f"{n:014d}" for n in range(2000)]

        assert list(
            RegistryDirectory(instance.registry.path, today=date(2026, 11, 24)).known([*ids, CONSO])
        ) == [CONSO]

    def test_says_that_there_is_no_instance(self, tmp_path: Path) -> None:
        with pytest.raises(GridgateError, match="gridgate init") as caught:
            RegistryDirectory(tmp_path / "registry.sqlite3", today=date(2026, 11, 24)).known([CONSO])

        assert caught.value.kind is ErrorKind.UNAVAILABLE
