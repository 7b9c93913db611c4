"""`python -m benchmarks.ingest`: what files of 1,000 points cost to take in, beside what an afternoon's program costs.

Each file is taken by the command, in an instance of its own. CPU time is that of the command and of its children, which
other work on the machine changes little; less its start-up, which is that of the command with a file of one value.
"""

import argparse
import csv
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Final

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from tests.dataplane_world import ACME, PARIS, RegistryFile

POINTS: Final = 1000
FIRST: Final = date(2026, 6, 1)
SLOTS: Final = 48
MEGABYTE: Final = 1024
_NEW_STORE: Final = """
import pathlib, sys, zoneinfo
from gridgate.dataplane.store import open_store
open_store(pathlib.Path(sys.argv[1]), zone=zoneinfo.ZoneInfo("Europe/Paris")).close()
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds, and the most memory that one of the processes had, in megabytes."""

    cpu: float
    peak: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, nargs="*", default=[1, 30])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, help="the src folder of another tree, to measure beside")
    asked = parser.parse_args(arguments)
    console = Console()
    table = Table("file", "start-up s", "CPU s", "µs a value", "peak MB", "afternoon µs a value", box=None)
    with tempfile.TemporaryDirectory() as folder:
        for name, write in WRITERS.items():
            one = Path(folder) / f"one.{name}"
            write(one, points=1, days=1)
            start = _least(lambda one=one: _command(one, asked.source), asked.rounds)
            for days in asked.days:
                file = Path(folder) / f"{days}.{name}"
                write(file, points=POINTS, days=days)
                values = POINTS * days * SLOTS
                cost = _least(lambda file=file: _command(file, asked.source), asked.rounds)
                peer = (
                    f"{min(_afternoon(file) for _ in range(asked.rounds)) / values * 1e6:.2f}"
                    if name == "csv"
                    else ""
                )
                each = (cost.cpu - start.cpu) / values * 1e6
                table.add_row(
                    f"{name}, {days} days",
                    f"{start.cpu:.2f}",
                    f"{cost.cpu:.2f}",
                    f"{each:.2f}",
                    f"{cost.peak}",
                    peer,
                )
                file.unlink()
    console.print(table)


def _least(measure: Callable[[], Cost], rounds: int) -> Cost:
    costs = [measure() for _ in range(rounds)]
    return Cost(min(cost.cpu for cost in costs), max(cost.peak for cost in costs))


def _command(file: Path, source: Path | None) -> Cost:
    """What `gridgate ingest` costs with that file, in a new instance."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "instance"
        (data / "accesslog").mkdir(parents=True)
        registry = RegistryFile(data / "registry.sqlite3")
        registry.db.execute("BEGIN")
        for point in _points(POINTS):
            registry.point(point, holder=ACME)
        registry.db.execute("COMMIT")
        registry.db.close()
        environment = dict(os.environ) | ({"PYTHONPATH": str(source)} if source else {})
        made = [sys.executable, "-c", _NEW_STORE, str(data / "measurements.sqlite3")]
        subprocess.run(made, check=True, env=environment)  # ourselves
        command = [sys.executable, "-m", "gridgate.config.cli", "--data", str(data), "ingest", str(file)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)  # ourselves
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"gridgate ingest ended with {process.returncode}")
        return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss // MEGABYTE)


def _afternoon(file: Path) -> float:
    """CPU seconds of the csv module and a row for each value in SQLite, durable."""
    began = process_time()
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "rows.sqlite3")) as db,
    ):
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.execute("create table value (point, at, watts, quality, primary key (point, at)) without rowid")
        with file.open(newline="") as lines:
            told = csv.DictReader(lines)
            rows = ((r["metering_point_id"], _at(r["start"]), float(r["value"]), r["quality"]) for r in told)
            db.executemany("insert or replace into value values (?, ?, ?, ?)", rows)
        db.commit()
    return process_time() - began


def _at(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp())


def _points(count: int) -> list[str]:
    return [f"{number:014d}" for number in range(1, count + 1)]


def _long(points: int, days: int) -> pl.DataFrame:
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=PARIS)
    stamps = [(start + timedelta(minutes=30 * slot)) for slot in range(SLOTS * days)]
    values = np.random.default_rng(1).integers(0, 6000, points * len(stamps))
    return pl.DataFrame({"start": [stamp.isoformat() for stamp in stamps] * points, "value": values}).select(
        pl.Series("metering_point_id", np.repeat(_points(points), len(stamps))),
        pl.lit("load_curve").alias("kind"),
        pl.lit("withdrawal").alias("direction"),
        "start",
        pl.lit("PT30M").alias("resolution"),
        "value",
        pl.lit("W").alias("unit"),
        pl.lit("measured").alias("quality"),
    )


def _write_csv(path: Path, *, points: int, days: int) -> None:
    _long(points, days).write_csv(path)


def _write_parquet(path: Path, *, points: int, days: int) -> None:
    instant = pl.col("start").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC")
    _long(points, days).with_columns(instant).write_parquet(path)


def _write_wide(path: Path, *, points: int, days: int) -> None:
    values = _long(points, days)["value"].to_numpy().reshape(points * days, SLOTS)
    table = pl.DataFrame(values, schema=[f"v{slot}" for slot in range(1, SLOTS + 1)])
    of = pl.Series("metering_point_id", np.repeat(_points(points), days))
    day = pl.Series("day", [(FIRST + timedelta(days=number)).isoformat() for number in range(days)] * points)
    table.select(
        of, day, pl.lit("withdrawal").alias("direction"), pl.lit("PT30M").alias("resolution"), pl.all()
    ).write_csv(path)


WRITERS: Final = {"csv": _write_csv, "wide.csv": _write_wide, "parquet": _write_parquet}

if __name__ == "__main__":
    main()
