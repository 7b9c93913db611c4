"""What sums of many points cost: CPU time, beside a row table in SQLite and NumPy in memory in the same run.

`python -m benchmarks.sums [--company N]`. Three questions, each asked of a registry and a store in files:

- *month*: 1,000 points × 31 days of half hours, their sum for each half hour;
- *day*: 100,000 points × one day of half hours, the same;
- *company*: the energy of each of 30 days of a company of 50,000 points, as the portal asks for it: lines of all points
  read and decided, energy of each point and day, one durable line of the log for each point.

*Store* is the sum alone; *read* decides and logs each point too, through the portal's door. *Rows* is a table with a row
a value, primary key (point, instant), summed by `group by`, nothing decided or logged. *NumPy* adds the same values up,
which it has in memory: what no store can be faster than.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Interval, Resolution, civil_day_bounds
from gridgate.dataplane.client import MeasurementClient, Period, Reader, SumAsked
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.query.sums import Part
from gridgate.dataplane.store import open_store
from gridgate.dataplane.summing import add_up
from tests.dataplane_world import ACME, PARIS, RegistryFile

ROUNDS = 5
FIRST = date(2026, 7, 1)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
OUT = FlowDirection.WITHDRAWAL


def main() -> None:
    """Build, ask in turns, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--company", type=int, default=50_000)
    company = parser.parse_args().company
    print(f"CPU ms, median of {ROUNDS} rounds\n\n| | store | read | rows | NumPy |\n|---|---|---|---|---|")
    for name, points, days, step in (
        ("month of 1,000 points", 1_000, 31, Resolution.PT30M),
        ("day of 100,000 points", 100_000, 1, Resolution.PT30M),
        (f"company of {company:,} points, 30 days of energy", company, 30, Period.DAY),
    ):
        with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
            told = [f"{ask(question):,.1f}" for question in questions(Path(folder), points, days, step)]
            print(f"| {name} | {' | '.join(told)} |", flush=True)


def ask(question: Callable[[], float]) -> float:
    """Milliseconds of CPU time, of all threads, the first round not counted."""
    question()
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        question()
        taken.append((time.process_time() - began) * 1000)
    return median(taken)


def questions(folder: Path, count: int, days: int, step: Resolution | Period) -> list[Callable[[], float]]:
    """The four ways to the same sum; each returns its total, which must be the same."""
    points = [f"{number:014d}" for number in range(count)]
    slots = 48 if isinstance(step, Resolution) else 1
    values = np.random.default_rng(1).integers(100, 9_000, (count, days, slots)).astype("<i2")
    fill_store(folder / "measurements.sqlite3", points, values, step)
    fill_registry(folder / "registry.sqlite3", points)
    (folder / "accesslog").mkdir()
    start = civil_day_bounds(FIRST, PARIS).start
    end = civil_day_bounds(FIRST + timedelta(days=days), PARIS).start
    asked = SumAsked(OUT, Interval(start, end), step)
    whole = ((int(start.timestamp()), int(end.timestamp())),)
    parts = [Part(point, whole) for point in points]
    store = open_store(folder / "measurements.sqlite3", read_only=True, zone=PARIS)
    client = MeasurementClient(
        DataPlaneConfig(
            registry=folder / "registry.sqlite3",
            measurements=folder / "measurements.sqlite3",
            access_log=folder / "accesslog",
            zone=PARIS,
            process="benchmark",
        )
    )
    reader, groups = Reader(ACME, "ACME Industries"), dict.fromkeys(points, 0)
    rows = fill_rows(folder / "rows.sqlite3", values)
    expected = float(values.sum(dtype=np.int64))

    def alone() -> float:
        return total(add_up(store, asked, parts, at=NOW, zone=PARIS).values[0])

    def read() -> float:
        if step is Period.DAY:
            last = FIRST + timedelta(days=days - 1)
            return float(client.daily_totals(reader, points, OUT, FIRST, last, at=NOW).values.sum())
        return total(client.sums(reader, asked, groups, at=NOW)[0].values[0])

    def of_rows() -> float:
        found = rows.execute("select at, sum(value), count(*) from reading group by at").fetchall()
        return float(sum(row[1] for row in found))

    def in_memory() -> float:
        return float(values.sum(axis=0, dtype=np.int64).sum())

    ways = [alone, read, of_rows, in_memory]
    for way in ways:
        assert way() == expected, way.__name__
    return ways


def total(values: list[int | float | None]) -> float:
    return float(sum(value for value in values if value is not None))


def fill_store(path: Path, points: list[str], values: NDArray[np.int16], step: Resolution | Period) -> None:
    """Blocks as a delivery leaves them, written at once: how they are taken in is measured elsewhere."""
    open_store(path, zone=PARIS).close()
    kind, seconds = (
        (Kind.LOAD_CURVE, step.seconds) if isinstance(step, Resolution) else (Kind.DAILY_ENERGY, 86_400)
    )
    first = (FIRST - date(1970, 1, 1)).days
    days = range(first, first + values.shape[1])
    with sqlite3.connect(path) as db:
        db.execute("insert into source values (1, '0', 'benchmark', 'benchmark', 0, 0)")
        db.executemany(
            "insert into series values (?, ?, ?, ?, ?, '', ?, ?, 0)",
            (
                (n, point, kind.value, OUT.value, seconds, days[0], days[-1])
                for n, point in enumerate(points, 1)
            ),
        )
        db.executemany(
            "insert into block values (?, ?, 1, 1, 1, 1, 0, 2, ?, null, null, null)",
            (
                (n + 1, day, values[n, place].tobytes())
                for n in range(len(points))
                for place, day in enumerate(days)
            ),
        )
    db.close()


def fill_registry(path: Path, points: list[str]) -> None:
    registry = RegistryFile(path)
    registry.db.execute("begin")
    for point in points:
        registry.line(point, reader=ACME, holder=ACME, basis="title")
    registry.db.execute("commit")
    registry.db.close()


def fill_rows(path: Path, values: NDArray[np.int16]) -> sqlite3.Connection:
    db = sqlite3.connect(path)
    db.execute("pragma mmap_size = 1073741824")
    db.execute(
        "create table reading (point integer, at integer, value integer, primary key (point, at)) without rowid"
    )
    flat = values.reshape(len(values), -1)
    db.executemany(
        "insert into reading values (?, ?, ?)",
        ((n, at, value) for n, row in enumerate(flat) for at, value in enumerate(row.tolist())),
    )
    db.commit()
    return db


if __name__ == "__main__":
    main()
