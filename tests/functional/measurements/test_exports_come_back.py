"""What one exports of several meters, one can import: each value, as it is."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.client import MeasurementClient
from gridgate.dataplane.ingest.directory import RegistryDirectory
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.pipeline import ingest_files
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.portal import measurements
from tests.dataplane_plane import WITHDRAWAL, Plane, daily, day_block
from tests.dataplane_world import PARIS
from tests.functional.measurements.test_several import PAGE, body
from tests.world import NOW, World

TWICE, NEVER = date(2026, 10, 25), date(2026, 3, 29)
"""The days with two hours from 2 to 3, and with none."""


@pytest.fixture
def plane(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plane]:
    """Half hours and ten minutes, whole and in tenths, with holes; energies of one, of the other the curve alone."""
    plane = Plane(tmp_path)
    for point in (world.p1.pk, world.p2.pk):
        plane.world.point(point, holder=world.acme.pk)
    for around in (TWICE, NEVER):
        for day in (around - timedelta(days=1), around, around + timedelta(days=1)):
            half_hours = list[int | None](range(1000, 1000 + slots_in_day(day, Resolution.PT30M, PARIS)))
            half_hours[4] = half_hours[20] = None
            tens = list(range(7301, 7301 + slots_in_day(day, Resolution.PT10M, PARIS)))
            sure = [Quality.MEASURED] * (len(tens) - 1)
            about = Kind.LOAD_CURVE, WITHDRAWAL
            plane.put(
                day_block(world.p1.pk, *about, Resolution.PT30M, day, half_hours),
                day_block(
                    world.p2.pk,
                    *about,
                    Resolution.PT10M,
                    day,
                    tens,
                    scale=-1,
                    quality=[Quality.CORRECTED if day == around else Quality.ESTIMATED, *sure],
                ),
                *daily(world.p1.pk, day, [18_430 + day.day]),
            )
    client = MeasurementClient(plane.config)
    monkeypatch.setattr(measurements, "client", lambda: client)
    yield plane
    client.close()
    plane.close()


def kept(plane: Plane, kind: Kind, *points: str) -> list[object]:
    """What the store holds."""
    return [
        (point, block.day, block.key.resolution, block.scale, block.values.tolist(), block.quality.tolist())
        for point in points
        for block in plane.store.read(point, kind, WITHDRAWAL, date(2026, 1, 1), date(2026, 12, 31))
    ]


@pytest.mark.parametrize("around", [TWICE, NEVER])
@pytest.mark.parametrize("quantity", ["puissance", "energie"])
@pytest.mark.parametrize(
    ("form", "language"),
    [("csv", "fr"), ("excel", "fr"), ("excel", "en"), ("xlsx", "fr"), ("parquet", "fr")],
)
def test_nothing_changes_and_nothing_is_set_aside(
    world: World, plane: Plane, tmp_path: Path, form: str, language: str, quantity: str, around: date
) -> None:
    both = f"compteur={world.p1.pk}&compteur={world.p2.pk}"
    days = f"vue=dates&du={around - timedelta(days=1)}&au={around + timedelta(days=1)}"
    alice = world.client("alice", language=language)
    file = tmp_path / "download"
    file.write_bytes(body(alice.get(f"{PAGE}export?{both}&{days}&grandeur={quantity}&format={form}")))
    before = (
        kept(plane, Kind.LOAD_CURVE, world.p1.pk, world.p2.pk),
        kept(plane, Kind.DAILY_ENERGY, world.p1.pk),
    )

    (report,) = ingest_files(
        [file],
        ingest=Ingest(
            store=plane.store,
            directory=RegistryDirectory(plane.config.registry, today=NOW.date()),
            zone=PARIS,
            recorded_at=int(NOW.timestamp() * 1000) + 1000,
            mapping=MeterMapping(),
        ),
    ).files

    assert report.quarantined == []
    sums = 3 if quantity == "energie" else 0  # which were of the curve, and stand for themselves now
    slots = {
        name: sum(slots_in_day(around + timedelta(days=n), step, PARIS) for n in (-1, 0, 1))
        for name, step in (("half", Resolution.PT30M), ("ten", Resolution.PT10M))
    }
    values = 3 if quantity == "energie" else slots["half"] - 6 + slots["ten"]
    assert (report.unchanged, report.stored) == (values, sums)
    after = (
        kept(plane, Kind.LOAD_CURVE, world.p1.pk, world.p2.pk),
        kept(plane, Kind.DAILY_ENERGY, world.p1.pk),
    )
    assert after == before


def test_a_sum_of_a_curve_is_as_sure_as_its_least_sure_value(
    world: World, plane: Plane, tmp_path: Path
) -> None:
    days = f"vue=dates&du={TWICE - timedelta(days=1)}&au={TWICE}"
    answer = world.client("alice").get(f"{PAGE}export?compteur={world.p2.pk}&{days}&format=csv")
    lines = body(answer).decode().splitlines()[1:]
    assert [line.rpartition(",")[2] for line in lines] == ["estimated", "corrected"]
