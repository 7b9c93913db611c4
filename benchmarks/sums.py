"""A: what sums of many points cost, each asked of a registry and a store in files.

The month: so many points × 31 days of half hours, their sum for each half hour. The day: a hundred times as many points
× one day. The company: the energy of each of 30 days of a company, as the portal asks for it. Ours reads and decides the
lines of all points and logs each point durably, through the portal's door; *neither decided nor logged* is the sum alone,
beside NumPy, which has the values in memory. The peers decide and log nothing, and all find the same total.
"""

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lines import Line, Scale
from benchmarks.peers.afternoon import Afternoon, afternoon
from benchmarks.peers.victoria import NAME as VICTORIA
from benchmarks.peers.victoria import Victoria, victoria
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Interval, Resolution, civil_day_bounds
from gridgate.dataplane.client import MeasurementClient, Period, Reader, SumAsked
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.query.sums.parts import Parts
from gridgate.dataplane.store import open_store
from gridgate.dataplane.summing import add_up
from tests.dataplane_world import ACME, PARIS, RegistryFile

AT_ONCE = 5
FIRST = date(2026, 7, 1)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
OUT = FlowDirection.WITHDRAWAL


def measure(scale: Scale, folder: Path) -> Iterator[Line]:
    """Each question to ours alone and through the portal's door, and to the peers."""
    company = 50 * scale.points
    with afternoon(folder) as rows, victoria(folder) as metrics:
        peers = (rows, metrics)
        for place, (name, points, days, step) in enumerate(
            (
                (f"{scale.points:,} points × month", scale.points, 31, Resolution.PT30M),
                (f"{scale.many:,} points × day", scale.many, 1, Resolution.PT30M),
                (f"{company:,} points × 30 days of energy", company, 30, Period.DAY),
            )
        ):
            here = folder / f"sums-{place}"
            here.mkdir()
            yield from lines(f"A {name}", Question(here, points, days, step), scale.rounds, *peers)
            peers = (rows, None)  # it was filled, and cannot be emptied
            shutil.rmtree(here)


def lines(
    name: str, question: "Question", rounds: int, rows: Afternoon, metrics: Victoria | None
) -> Iterator[Line]:
    question.fill(rows, metrics)
    alone, read, memory = ([1000 * own(way) for _ in range(rounds)] for way in question.ours())
    peers = {
        rows.name: [
            1000 * rows.cpu(repeated(lambda: question.of_rows(rows))) / AT_ONCE for _ in range(rounds)
        ]
    }
    if metrics is not None:
        peers[VICTORIA] = [
            1000 * metrics.cpu(repeated(lambda: question.of_metrics(metrics))) / AT_ONCE
            for _ in range(rounds)
        ]
    yield Line(name, "ms", read, peers)
    yield Line(f"{name}, neither decided nor logged", "ms", alone, {"NumPy in memory": memory})


def own(question: Callable[[], float]) -> float:
    """Seconds of this process's CPU, of all its threads, for one of some."""
    began = time.process_time()
    repeated(question)()
    return (time.process_time() - began) / AT_ONCE


def repeated(question: Callable[[], float]) -> Callable[[], None]:
    """So often that the clock of other processes, of ten milliseconds, can tell what it takes."""

    def ask() -> None:
        for _ in range(AT_ONCE):
            question()

    return ask


class Question:
    """A sum of the same values, which all must find."""

    def __init__(self, folder: Path, count: int, days: int, step: Resolution | Period) -> None:
        self.points = [f"{number:014d}" for number in range(count)]
        self.days, self.step = days, step
        slots = 48 if isinstance(step, Resolution) else 1
        self.values = np.random.default_rng(1).integers(100, 9_000, (count, days, slots)).astype("<i2")
        self.total = float(self.values.sum(dtype=np.int64))
        self.start = civil_day_bounds(FIRST, PARIS).start
        self.end = civil_day_bounds(FIRST + timedelta(days=days), PARIS).start
        self._span = int(self.start.timestamp()), int(self.end.timestamp())
        self.folder = folder
        fill_store(folder / "measurements.sqlite3", self.points, self.values, step)
        fill_registry(folder / "registry.sqlite3", self.points)
        (folder / "accesslog").mkdir()

    def fill(self, rows: Afternoon, metrics: Victoria | None) -> None:
        flat = self.values.reshape(len(self.points), -1)
        rows.post("/tables")
        rows.fill(self.points, self._span[0], flat, (self._span[1] - self._span[0]) // flat.shape[1])
        rows.post("/analyse")
        assert self.of_rows(rows) == self.total
        if metrics is not None:
            metrics.fill(self.points, self._span[0], flat)
            assert self.of_metrics(metrics) == self.total

    def of_rows(self, rows: Afternoon) -> float:
        answer = rows.get("/sum", params={"start": self._span[0], "end": self._span[1]})
        return float(sum(watts for _, watts in answer.json()))

    def of_metrics(self, metrics: Victoria) -> float:
        return metrics.total(*self._span)

    def ours(self) -> list[Callable[[], float]]:
        """The sum alone, through the portal's door, and of what NumPy has in memory: what no store can be faster than."""
        asked = SumAsked(OUT, Interval(self.start, self.end), self.step)
        none = np.zeros(len(self.points), np.int64)
        parts = Parts(self.points, [(self._span,)], none, none)
        store = open_store(self.folder / "measurements.sqlite3", read_only=True, zone=PARIS)
        client = MeasurementClient(
            DataPlaneConfig(
                registry=self.folder / "registry.sqlite3",
                measurements=self.folder / "measurements.sqlite3",
                access_log=self.folder / "accesslog",
                zone=PARIS,
                process="benchmark",
            )
        )
        reader, groups = Reader(ACME, "ACME Industries"), dict.fromkeys(self.points, 0)

        def alone() -> float:
            return total(add_up(store, asked, parts, at=NOW, zone=PARIS).values[0])

        def read() -> float:
            if self.step is Period.DAY:
                last = FIRST + timedelta(days=self.days - 1)
                return float(client.daily_totals(reader, self.points, OUT, FIRST, last, at=NOW).values.sum())
            return total(client.sums(reader, asked, groups, at=NOW)[0].values[0])

        def in_memory() -> float:
            return float(self.values.sum(axis=0, dtype=np.int64).sum())

        ways = [alone, read, in_memory]
        for way in ways:
            assert way() == self.total, way.__name__
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
        db.execute(
            "insert into source (id, sha256, name, format, published_at, recorded_at)"
            " values (1, '0', 'benchmark', 'benchmark', 0, 0)"
        )
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
