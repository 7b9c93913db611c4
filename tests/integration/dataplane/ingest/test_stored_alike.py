"""What is stored of each file of the field and each case, and set aside of it, stays what it was: row for row.

The digests were made before files were read by whole columns. One that changes for a reason is made anew, by running
this module with the folder of the samples and the file to write.
"""

import hashlib
import json
import sqlite3
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from gridgate.core.quantities import FlowDirection
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.mapping import MeterMapping
from gridgate.dataplane.ingest.pipeline import ingest_files
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.dataplane.store import open_store

KNOWN = Path(__file__).with_name("stored.json")
PARIS = ZoneInfo("Europe/Paris")
POINT = "22516914714270"
NOW = 1_924_988_400_000
LARGEST = 3_000_000
STORED = """select metering_point, kind, direction, resolution, register, day, version, scale, width, amounts, quality,
  offsets, provenance from series join block on series = series.id order by 1, 2, 3, 4, 5, 6"""
SET_ASIDE = """select place, reason, value, cause, metering_point, kind, direction, day, span_start, span_end
  from quarantine order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"""


class Everything:
    """Every name of fourteen digits is a point; what kind of one, its digits say. One in nine is opposed."""

    def known(self, ids: Collection[str]) -> Mapping[str, PointInfo]:
        return {one: self.point(one) for one in ids if len(one) == 14 and one.isdigit()}

    def point(self, identifier: str) -> PointInfo:
        number = sum(map(int, identifier))
        both = number % 3 or identifier == POINT
        return PointInfo(
            identifier,
            ("C5", "C4", "P4", "C1")[number % 4],
            frozenset(FlowDirection) if both else frozenset({FlowDirection.WITHDRAWAL}),
            datetime(2026, 6, 1, tzinfo=UTC) if number % 9 == 0 else None,
        )


def digests(shared: Path, names: Collection[str]) -> dict[str, list[str]]:
    """Of each file that says something: of what is stored of it and of what is set aside, its meter told and not."""
    mappings = (MeterMapping(), MeterMapping(single=POINT, direction=FlowDirection.WITHDRAWAL))
    found = {name: [digest(shared / name, mapping) for mapping in mappings] for name in names}
    return {name: told for name, told in found.items() if any(told)}


def names(shared: Path) -> list[str]:
    paths = sorted([*(shared / "data").rglob("*"), *(shared / "cases" / "files").rglob("*")])
    small = [path for path in paths if path.is_file() and path.stat().st_size <= LARGEST]
    return [path.relative_to(shared).as_posix() for path in small]


def digest(path: Path, mapping: MeterMapping) -> str:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "measurements.sqlite3"
        with open_store(file, zone=PARIS) as store:
            work = Ingest(store=store, directory=Everything(), zone=PARIS, recorded_at=NOW, mapping=mapping)
            ingest_files([path], ingest=work)
        with sqlite3.connect(file) as opened:
            rows = [opened.execute(statement).fetchall() for statement in (STORED, SET_ASIDE)]
        return hashlib.sha256(repr(rows).encode()).hexdigest()[:16] if any(rows) else ""


def test_is_stored_and_set_aside_as_it_was(shared_data: Path) -> None:
    known = json.loads(KNOWN.read_text())

    assert digests(shared_data.parent, known) == known


if __name__ == "__main__":
    samples, written = map(Path, sys.argv[1:])
    written.write_text(json.dumps(digests(samples, names(samples)), indent=1) + "\n")
