"""Ingest with a directory and a store that are a dictionary and a list."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gridgate.core.quantities import FlowDirection
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.pipeline import ingest_files
from gridgate.dataplane.ingest.report import FileReport
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.dataplane.store.checking import canonical
from gridgate.dataplane.store.days import Days
from gridgate.dataplane.store.port import DayBlock, PutResult, Source
from gridgate.dataplane.store.quarantine import Quarantined
from tests.ingest_samples import PARIS

RECORDED_AT = 1_924_988_400_000
"""The first instant of 2031, in Paris: after whatever the samples tell."""
C5, C4, INJECTING = "22516914714270", "11453290002823", "30001480112233"


@dataclass
class Directory:
    """`C5` and `C4` withdraw, `INJECTING` does both."""

    points: dict[str, PointInfo]

    def known(self, ids: Collection[str]) -> Mapping[str, PointInfo]:
        return {identifier: self.points[identifier] for identifier in ids if identifier in self.points}


@dataclass
class Store:
    """Remembers what came; knows nothing of versions."""

    blocks: list[DayBlock] = field(default_factory=list)
    source: Source | None = None
    quarantined: Sequence[Quarantined] = ()
    chunks: list[Sequence[Quarantined]] = field(default_factory=list)

    def put(
        self,
        blocks: Sequence[DayBlock],
        *,
        source: Source,
        quarantined: Sequence[Quarantined],
        recorded_at: int,
        complete: bool = True,
    ) -> PutResult:
        canonical(Days.of(blocks), PARIS)  # raises on what no store takes
        self.blocks += blocks
        self.source, self.quarantined = source, quarantined
        self.chunks.append(quarantined)
        return PutResult(sum(int(block.said.sum()) for block in blocks), 0)


@dataclass
class Taken:
    """What one file became."""

    report: FileReport
    store: Store

    @property
    def blocks(self) -> list[DayBlock]:
        return self.store.blocks

    @property
    def block(self) -> DayBlock:
        (only,) = self.store.blocks
        return only

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(item.where, item.reason) for item in self.report.quarantined]


@pytest.fixture
def directory() -> Directory:
    withdrawal, both = frozenset({FlowDirection.WITHDRAWAL}), frozenset(FlowDirection)
    points = [
        PointInfo(C5, "C5", withdrawal),
        PointInfo(C4, "C4", withdrawal),
        PointInfo(INJECTING, "C5", both),
    ]
    return Directory({point.id: point for point in points})


@pytest.fixture
def take_all(tmp_path: Path, directory: Directory) -> Callable[..., tuple[list[FileReport], Store]]:
    """Ingest bytes (or text) as a file, or as an archive of files: what became of each."""

    def take_all(
        data: bytes | str,
        *,
        name: str = "file",
        format: str = "auto",  # noqa: A002
        **mapping: Any,
    ) -> tuple[list[FileReport], Store]:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        store = Store()
        work = Ingest(
            store=store,  # type: ignore[arg-type]
            directory=directory,
            zone=PARIS,
            recorded_at=RECORDED_AT,
            mapping=MeterMapping(**mapping),
            format=format,
        )
        reports = ingest_files([path], ingest=work).files
        for report in reports:
            assert report.read == report.stored + report.unchanged + len(report.quarantined)
        return reports, store

    return take_all


@pytest.fixture
def take(take_all: Callable[..., tuple[list[FileReport], Store]]) -> Callable[..., Taken]:
    """The same for one file: `take(data, name=…, single=…, table=…, format=…)`."""

    def take(data: bytes | str, **how: Any) -> Taken:
        (report,), store = take_all(data, **how)
        return Taken(report, store)

    return take
