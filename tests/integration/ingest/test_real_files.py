"""The real samples: what is held is what the file says, to the watt-hour, less what was set aside.

The files are summed by the standard library's own XML and CSV, not by the readers.
"""

import csv
import xml.etree.ElementTree as ElementTree
from datetime import date
from pathlib import Path

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from tests.dataplane_world import CONSO, SOLAR
from tests.integration.ingest.conftest import Instance

ESPI = "{http://naesb.org/espi}"
SGE = "enedis/sge-tiers/CommandeCollectePublicationMesures"
YEARS = (
    "Coastal_Single_Family_Jan_1_2011_to_Jan_1_2012.xml",
    "Desert_Multi_Family_Jan_1_2011_to_Jan_1_2012.xml",
)


def readings_of(path: Path) -> list[tuple[int, int]]:
    """(duration, value) of every reading."""
    found = ElementTree.parse(path).getroot().iter(f"{ESPI}IntervalReading")
    return [(int(r.findtext(f".//{ESPI}duration", "")), int(r.findtext(f"{ESPI}value", ""))) for r in found]


class TestGreenButton:
    @pytest.mark.parametrize("name", YEARS)
    @pytest.mark.large
    def test_years_are_held_to_the_watt_hour(self, instance: Instance, shared_data: Path, name: str) -> None:
        path = shared_data / "espi/samples" / name
        readings = readings_of(path)

        report = instance.take_one(path, single=CONSO)

        set_aside = sum(int(item.value) for item in report.quarantined)
        assert report.read == len(readings) == 8760
        assert instance.energy(Kind.LOAD_CURVE) == sum(value for _, value in readings) - set_aside

    @pytest.mark.large
    def test_sets_aside_what_the_clock_changes_broke(self, instance: Instance, shared_data: Path) -> None:
        report = instance.take_one(shared_data / "espi/samples" / YEARS[0], single=CONSO)

        told = {item.where.split(",")[0]: (item.reason, item.value) for item in report.quarantined}
        assert list(told) == ["line 12090", "line 12146", "line 52130"]
        assert "covers 120 min" in told["line 12090"][0]
        assert "already told by line 12139, entry 5, block " in told["line 12146"][0]
        assert told["line 12146"][1] == "721"
        assert "covers no time" in told["line 52130"][0]

    @pytest.mark.parametrize(
        ("name", "kind"), [("15minLP_15Days.xml", Kind.LOAD_CURVE), ("1hrLP_32Days.xml", Kind.LOAD_CURVE)]
    )
    def test_shorter_steps(self, instance: Instance, shared_data: Path, name: str, kind: Kind) -> None:
        path = shared_data / "espi/samples" / name

        assert instance.take_one(path, single=CONSO).complete
        assert instance.energy(kind) == sum(value for _, value in readings_of(path))

    def test_days_of_the_feeds_own_clock(self, instance: Instance, shared_data: Path) -> None:
        path = shared_data / "espi/samples/1dayLP_45Days.xml"

        assert instance.take_one(path, single=CONSO).complete
        blocks = instance.blocks(Kind.DAILY_ENERGY)
        assert (blocks[0].day, blocks[-1].day, len(blocks)) == (date(2012, 3, 1), date(2012, 4, 14), 45)
        assert instance.energy(Kind.DAILY_ENERGY) == sum(value for _, value in readings_of(path))

    def test_three_usage_points_by_a_table(self, instance: Instance, shared_data: Path) -> None:
        path = shared_data / "espi/samples/BatchFeedThreeUsagePoints_M.xml"

        report = instance.take_one(path, table={"4284792": SOLAR, "4284793": CONSO})

        unknown = [item for item in report.quarantined if "4284794" in item.reason]
        assert (report.read, report.stored, len(unknown)) == (384, 288, 96)
        assert all("--map" in item.reason for item in unknown)
        directions = {block.key.direction for block in instance.blocks(Kind.LOAD_CURVE, SOLAR)}
        assert directions == set(FlowDirection)

    def test_months_are_no_step(self, instance: Instance, shared_data: Path) -> None:
        report = instance.take_one(shared_data / "espi/samples/Electric.xml", single=CONSO)

        assert report.stored == 0
        assert [item.value for item in report.quarantined] == ["4702205", "1262848"]


class TestSge:
    def test_r50_day(self, instance: Instance, shared_data: Path) -> None:
        path = shared_data / SGE / "C5-CDC/R50.xml"

        assert instance.take_one(path, single=CONSO).complete

        (block,) = instance.blocks(Kind.LOAD_CURVE)
        values = [int(v.text or "") for v in ElementTree.parse(path).getroot().iter("V")]
        assert (block.day, block.key.resolution) == (date(2022, 2, 2), Resolution.PT30M)
        assert block.values.tolist() == values

    def test_r151_index_and_maximum(self, instance: Instance, shared_data: Path) -> None:
        assert instance.take_one(shared_data / SGE / "C5-IDX/R151.xml", single=CONSO).complete

        indexes = {b.key.register: (b.day, int(b.values[0])) for b in instance.blocks(Kind.REGISTER_READING)}
        (maximum,) = instance.blocks(Kind.MAXIMUM_POWER)
        assert indexes == {"BASE": (date(2022, 2, 3), 9744495), "D:BASE": (date(2022, 2, 3), 9744495)}
        assert (maximum.day, int(maximum.values[0])) == (date(2022, 2, 2), 3817)

    def test_r171_active_energy(self, instance: Instance, shared_data: Path) -> None:
        report = instance.take_one(shared_data / SGE / "C4-IDX/R171.xml", single=SOLAR)

        assert (report.read, report.stored) == (28, 4)
        assert {b.key.register: int(b.values[0]) for b in instance.blocks(Kind.REGISTER_READING, SOLAR)} == {
            "D:HPH": 429229000,
            "D:HCH": 175013000,
            "D:HPE": 129034000,
            "D:HCE": 60091000,
        }

    def test_r4q_day(self, instance: Instance, shared_data: Path) -> None:
        path = shared_data / SGE / "C4-CDC/R4Q.xml"

        report = instance.take_one(path, single=SOLAR)

        assert (report.read, report.stored) == (288, 144)
        (block,) = instance.blocks(Kind.LOAD_CURVE, SOLAR)
        curve = next(c for c in ElementTree.parse(path).getroot().iter("Donnees_Courbe"))
        kilowatts = [int(p.get("Valeur_Point", "")) for p in curve.iter("Donnees_Point_Mesure")]
        assert (block.day, block.key.resolution) == (date(2022, 2, 2), Resolution.PT10M)
        assert block.values.tolist() == [1000 * value for value in kilowatts]


class TestCustomerExport:
    def test_load_curve(self, instance: Instance, shared_data: Path) -> None:
        path = shared_data / "enedis/aeneria-user-export/Enedis_Conso_Heure_first120.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            values = [int(row[1]) for row in list(csv.reader(file, delimiter=";"))[3:] if row[1]]

        report = instance.take_one(path, single=CONSO)

        assert report.complete
        assert report.read == len(values)
        assert instance.energy(Kind.LOAD_CURVE) == sum(values) / 2
        first = instance.blocks(Kind.LOAD_CURVE)[0]
        assert (first.day, first.values[0]) == (date(2022, 1, 18), 218)

    def test_index(self, instance: Instance, shared_data: Path) -> None:
        path = shared_data / "enedis/aeneria-user-export/Enedis_Conso_Jour_first120.csv"

        assert instance.take_one(path, single=CONSO).complete

        total = instance.blocks(Kind.REGISTER_READING, register="")
        assert (total[0].day, int(total[0].values[0])) == (date(2021, 1, 24), 15521318)
        assert {b.key.register for b in instance.blocks(Kind.REGISTER_READING)} == {"", "F1", "D1"}
