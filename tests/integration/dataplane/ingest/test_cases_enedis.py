"""Files as customers and networks send them, and what they say: Enedis' and plain ones of `shared/cases`."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import slot_start
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.pipeline import ingest_files
from gridgate.dataplane.ingest.report import FileReport
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, MeasurementStore
from tests.conftest import ROOT
from tests.integration.ingest.conftest import RECORDED_AT

FILES = ROOT.parent / "shared" / "cases" / "files"
PARIS = ZoneInfo("Europe/Paris")

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason=f"the cases are not at {FILES}")


class Directory:
    """The points of `points_r.csv`: the first is C4, the others C5."""

    def known(self, ids: Collection[str]) -> Mapping[str, PointInfo]:
        withdrawal = frozenset({FlowDirection.WITHDRAWAL})
        return {
            identifier: PointInfo(identifier, "C4" if identifier.endswith("01") else "C5", withdrawal)
            for identifier in ids
            if identifier.startswith("300099000000")
        }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeasurementStore]:
    store = open_store(tmp_path_factory.mktemp("cases") / "measurements.sqlite3", zone=PARIS)
    yield store
    store.close()


def take(store: MeasurementStore, name: str, point: str) -> FileReport:
    work = Ingest(
        store=store,
        directory=Directory(),
        zone=PARIS,
        recorded_at=RECORDED_AT,
        mapping=MeterMapping(single=point),
    )
    (report,) = ingest_files([Path(FILES / name)], ingest=work).files
    return report


def held(
    store: MeasurementStore, point: str, kind: Kind = Kind.LOAD_CURVE, register: str = ""
) -> dict[str, tuple[int, float]]:
    """By the local instant at which it begins or was observed: minutes of the step, and the value."""
    blocks = store.read(
        point, kind, FlowDirection.WITHDRAWAL, date(2000, 1, 1), date(2030, 1, 1), register=register
    )
    return {
        _local(block, index): (block.key.resolution.seconds // 60, round(value * 10.0**block.scale, 3))
        for block in blocks
        for index, value in enumerate(block.values.tolist())
        if block.said[index]
    }


def _local(block: DayBlock, index: int) -> str:
    start = slot_start(block.day, index, block.key.resolution, PARIS).timestamp()
    observed = start + (0 if block.offsets is None else int(block.offsets[index]))
    return f"{datetime.fromtimestamp(observed, PARIS):%Y-%m-%dT%H:%M:%S}"


def test_curve_of_a_c4_point_is_stamped_at_the_start(store: MeasurementStore) -> None:
    report = take(store, "r01_customer_csv_c4.csv", "30009900000001")

    curve = held(store, "30009900000001")
    assert (report.read, report.stored, report.complete) == (144, 144, True)
    assert min(curve) == "2020-02-03T00:00:00"
    assert curve["2020-02-03T00:00:00"] == (10, 18000)
    assert curve["2020-02-03T23:50:00"] == (10, 19430)


def test_second_section_is_read_too(store: MeasurementStore) -> None:
    report = take(store, "r03_index_then_pmax.csv", "30009900000003")

    assert (report.read, report.stored, report.complete) == (8, 8, True)
    assert {v for _, v in held(store, "30009900000003", Kind.MAXIMUM_POWER).items()} == {
        (1440, 4402),
        (1440, 3774),
    }
    assert list(held(store, "30009900000003", Kind.MAXIMUM_POWER)) == [
        "2021-06-02T08:40:17",
        "2021-06-03T13:03:57",
    ]
    for register in ("F1", "D1", ""):
        readings = held(store, "30009900000003", Kind.REGISTER_READING, register)
        assert [value for _, value in readings.values()] == [3166954, 3194882]


def test_first_value_behind_a_hole_has_the_step_of_what_follows(store: MeasurementStore) -> None:
    report = take(store, "r05a_gap_then_new_step.csv", "30009900000005")

    curve = held(store, "30009900000005")
    assert (report.stored, report.complete) == (24, True)
    assert curve["2021-02-13T00:00:00"] == (30, 2030)
    assert curve["2021-02-12T11:00:00"] == (60, 1012)


def test_curve_without_a_unit_is_in_watts(store: MeasurementStore) -> None:
    take(store, "r08_customer_csv_no_unit.csv", "30009900000008")

    assert held(store, "30009900000008") == {
        "2020-02-03T00:00:00": (30, 1800),
        "2020-02-03T00:30:00": (30, 1900),
        "2020-02-03T01:00:00": (30, 1850),
    }


def test_table_of_calendars_is_no_data(store: MeasurementStore) -> None:
    report = take(store, "r10_index_with_trailer.csv", "30009900000010")

    assert (report.read, report.stored, report.complete) == (6, 6, True)


@pytest.mark.parametrize(
    "name", ["t04_debut_fin_kw.csv", "t04b_debut_fin_kw_cp1252.csv", "workbook_as_exported.xlsx"]
)
def test_french_heads_say_the_unit(store: MeasurementStore, name: str) -> None:
    report = take(store, name, "30009900000004")

    curve = held(store, "30009900000004")
    assert (report.read, report.complete) == (48, True)
    assert curve["2026-09-16T00:00:00"] == (30, 4030)
    assert curve["2026-09-16T23:30:00"] == (30, 4077)


def test_billed_quantities_are_named_in_a_list_too(store: MeasurementStore) -> None:
    (item,) = take(store, "r17_r67_array.json", "30009900000017").quarantined

    assert "R67 is of billed quantities" in item.reason
