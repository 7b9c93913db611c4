"""Ingest into a real store, with a registry that the data plane reads as it reads any."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest.directory import RegistryDirectory
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.pipeline import ingest_files
from gridgate.dataplane.ingest.report import FileReport, IngestReport
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, MeasurementStore
from tests.dataplane_world import ACME, BOTH_WAYS, CONSO, SOLAR, RegistryFile
from tests.ingest_samples import PARIS

RECORDED_AT = 1_795_000_000_000


@dataclass
class Instance:
    """A data directory: `CONSO` is C5 and withdraws, `SOLAR` is C4 and does both."""

    data: Path
    registry: RegistryFile
    store: MeasurementStore

    def take(self, *paths: Path, recorded_at: int = RECORDED_AT, **mapping: Any) -> IngestReport:
        work = Ingest(
            store=self.store,
            directory=RegistryDirectory(self.registry.path, today=date(2026, 11, 24)),
            zone=PARIS,
            recorded_at=recorded_at,
            mapping=MeterMapping(**mapping),
        )
        report = ingest_files(paths, ingest=work)
        for file in report.files:
            assert file.read == file.stored + file.unchanged + len(file.quarantined)
        return report

    def take_one(self, path: Path, **more: Any) -> FileReport:
        (only,) = self.take(path, **more).files
        return only

    def blocks(self, kind: Kind, point: str = CONSO, register: str | None = None) -> list[DayBlock]:
        first, last = date(1990, 1, 1), date(2090, 1, 1)
        return [
            block
            for direction in FlowDirection
            for block in self.store.read(point, kind, direction, first, last, register=register)
        ]

    def energy(self, kind: Kind, point: str = CONSO) -> float:
        """Wh held of a point."""
        hours = 1.0 if kind is Kind.DAILY_ENERGY else None
        return sum(
            float(block.values.sum()) * 10.0**block.scale * (hours or block.key.resolution.seconds / 3600)
            for block in self.blocks(kind, point)
        )


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    data = tmp_path / "instance"
    data.mkdir()
    registry = RegistryFile(data / "registry.sqlite3")
    registry.point(CONSO, holder=ACME, segment="C5")
    registry.point(SOLAR, holder=ACME, segment="C4", directions=BOTH_WAYS)
    store = open_store(data / "measurements.sqlite3", zone=PARIS)
    yield Instance(data, registry, store)
    store.close()
    registry.db.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes | str, str], Path]:
    """Put data into a file: `write(data, "name.csv")`."""

    def write(data: bytes | str, name: str = "file") -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write
