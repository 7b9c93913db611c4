"""Green Button as it comes: the files beside the checkout, and what is held of each."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest.mapping import read_mapping_file
from gridgate.dataplane.store import open_store
from tests.dataplane_world import ACME, BOTH_WAYS, RegistryFile
from tests.ingest_samples import PARIS
from tests.integration.ingest.conftest import Instance

NEW_YEAR = date(2024, 1, 1)
QUARTERS = [400, 404, 408, 412]


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases" / "files"
    if not folder.is_dir():
        pytest.skip(f"the cases are not at {folder}")
    return folder


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Points by the numbers of the files: each file has its own, and 14 goes both ways."""
    data = tmp_path_factory.mktemp("cases")
    registry = RegistryFile(data / "registry.sqlite3")
    for number in range(1, 31):
        registry.point(
            point(number), holder=ACME, directions=BOTH_WAYS if number == 14 else FlowDirection.WITHDRAWAL.bit
        )
    store = open_store(data / "measurements.sqlite3", zone=PARIS)
    yield Instance(data, registry, store)
    store.close()
    registry.db.close()


def point(number: int) -> str:
    return f"300099000000{number:02}"


def held(instance: Instance, number: int) -> list[tuple[object, ...]]:
    """(day, slot, value, quality) of the quarters or hours that are held of a point."""
    return [
        (block.day, slot, int(block.values[slot]), Quality(block.quality[slot]))
        for block in instance.blocks(Kind.LOAD_CURVE, point(number))
        for slot in np.flatnonzero(block.said).tolist()
    ]


def curve(
    values: list[int], quality: Quality = Quality.MEASURED, day: date = NEW_YEAR
) -> list[tuple[object, ...]]:
    return [(day, slot, value, quality) for slot, value in enumerate(values)]


@pytest.mark.parametrize(
    ("number", "file", "expected"),
    [
        (2, "r02_default_quality.xml", curve(QUARTERS, Quality.ESTIMATED)),
        (6, "r06_phases.xml", curve([2400, 2424, 2448, 2472])),
        (11, "r11_no_time_period.xml", curve(QUARTERS)),
        (1, "g1_3599.xml", curve([1000 + hour for hour in range(24)], day=date(2026, 9, 1))),
    ],
)
def test_holds_what_the_file_says(
    instance: Instance, cases: Path, number: int, file: str, expected: list[tuple[object, ...]]
) -> None:
    assert instance.take_one(cases / file, single=point(number)).complete

    assert held(instance, number) == expected


def test_keeps_both_registers_of_a_tariff(instance: Instance, cases: Path) -> None:
    assert instance.take_one(cases / "r12_tou_registers.xml", single=point(12)).complete

    registers = instance.blocks(Kind.REGISTER_READING, point(12))
    assert {block.key.register: int(block.values[0]) for block in registers} == {"TOU1": 1000, "TOU2": 5000}


def test_takes_the_direction_that_the_reason_asks_for(instance: Instance, cases: Path) -> None:
    refused = instance.take_one(cases / "r14_no_flow_direction.xml", single=point(14))
    assert all("--direction injection" in item.reason for item in refused.quarantined)

    taken = instance.take_one(
        cases / "r14_no_flow_direction.xml", single=point(14), direction=FlowDirection.INJECTION
    )

    assert taken.complete
    assert [block.key.direction for block in instance.blocks(Kind.LOAD_CURVE, point(14))] == [
        FlowDirection.INJECTION
    ]


@pytest.mark.parametrize("table", ["r15a_map.csv", "r15b_map.csv"])
def test_finds_the_usage_point_as_the_feed_writes_it(instance: Instance, cases: Path, table: str) -> None:
    report = instance.take_one(cases / "r15_full_links.xml", table=read_mapping_file(cases / table))

    assert (report.read, report.complete) == (4, True)
    assert held(instance, 15) == curve(QUARTERS)


def test_names_the_clock_that_is_missing(instance: Instance, cases: Path) -> None:
    report = instance.take_one(cases / "r19_daily_without_clock.xml", single=point(19))

    assert ["no LocalTimeParameters" in item.reason for item in report.quarantined] == [True]


def test_says_where_values_overlap_in_a_file_of_one_line(instance: Instance, cases: Path) -> None:
    report = instance.take_one(cases / "g10_overlap.xml", single=point(10))

    assert (report.stored, len({item.where for item in report.quarantined})) == (24, 24)
    first = report.quarantined[0]
    assert first.where == "line 1, entry 6, block 1, reading 1, 2026-08-31T22:00:00Z"
    assert "already told by line 1, entry 5, block 1, reading 1, 2026-08-31T22:00:00Z (1000)" in first.reason
