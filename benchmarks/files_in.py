"""`python -m benchmarks.files_in FORMAT…`: files of half hours taken in by `gridgate ingest`, in CPU, children included.

    python -m benchmarks.files_in r63 csv parquet --points 1000 --days 1 [--files 4 --jobs 2] [--source DIR]

An instance is made with the points, files are written for them, and the command is run whole, as an operator does. The
CPU of a start (`ingest` of one value) is told apart. `--source` is another checkout, whose code is run instead: before
and after, by the same script on the same machine. The peak is of the largest process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.time import Resolution, slot_start, slots_in_day
from gridgate.dataplane.store import open_store
from tests.dataplane_world import PARIS, RegistryFile

HERE: Final = Path(__file__).resolve().parent.parent
RUN: Final = "import sys; from gridgate.config.cli import main; sys.exit(main())"
FIRST_DAY: Final = date(2026, 6, 1)


def identifier(number: int) -> str:
    return f"{number:014d}"


def instants(first: date, days: int) -> list[datetime]:
    """The instants at which the half hours of so many days begin."""
    return [
        slot_start(day, index, Resolution.PT30M, PARIS)
        for day in (first + timedelta(days=n) for n in range(days))
        for index in range(slots_in_day(day, Resolution.PT30M, PARIS))
    ]


def loads(points: int, slots: int, seed: int) -> NDArray[np.int64]:
    """Watts, of no pattern."""
    return np.random.default_rng(seed).integers(100, 9000, (points, slots))


def csv_file(path: Path, numbers: range, first: date, days: int) -> None:
    table(numbers, first, days).with_columns(
        pl.col("start").dt.convert_time_zone("Europe/Paris").dt.strftime("%Y-%m-%dT%H:%M:%S%:z"),
    ).write_csv(path)


def parquet_file(path: Path, numbers: range, first: date, days: int) -> None:
    table(numbers, first, days).write_parquet(path)


def table(numbers: range, first: date, days: int) -> pl.DataFrame:
    starts = instants(first, days)
    values = loads(len(numbers), len(starts), numbers.start)
    count = len(numbers) * len(starts)
    return pl.DataFrame(
        {
            "metering_point_id": pl.Series([identifier(n) for n in numbers]).gather(
                np.repeat(np.arange(len(numbers)), len(starts))
            ),
            "kind": pl.repeat("load_curve", count, eager=True),
            "direction": pl.repeat("withdrawal", count, eager=True),
            "start": pl.Series(starts * len(numbers)).dt.cast_time_unit("ms"),
            "resolution": pl.repeat("PT30M", count, eager=True),
            "value": values.ravel(),
            "unit": pl.repeat("W", count, eager=True),
            "quality": pl.repeat("measured", count, eager=True),
        }
    )


def r63_file(path: Path, numbers: range, first: date, days: int) -> None:
    half_hour = timedelta(minutes=30)
    ends = [
        (start + half_hour).astimezone(PARIS).strftime("%Y-%m-%d %H:%M:%S") for start in instants(first, days)
    ]
    period = {"dateDebut": first.isoformat(), "dateFin": (first + timedelta(days=days)).isoformat()}
    header = {
        "siDemandeur": "SGE",
        "typeDestinataire": "ENTREPRISE",
        "idDestinataire": "732829320",
        "codeFlux": "R63",
        "idDemande": "M0000YK0",
        "modePublication": "P",
        "idCanalContact": "Interne",
        "format": "JSON",
    }
    with path.open("w", encoding="ascii") as file:
        file.write(f'{{"header": {json.dumps(header)}, "mesures": [')
        for place, (number, values) in enumerate(
            zip(numbers, loads(len(numbers), len(ends), numbers.start).tolist(), strict=True)
        ):
            points = [
                {"v": str(v), "d": d, "p": "PT30M", "n": "B", "tc": "HPE", "iv": 0, "ec": None}
                for d, v in zip(ends, values, strict=True)
            ]
            quantity = {"grandeurMetier": "CONS", "grandeurPhysique": "PA", "unite": "W", "points": points}
            measure = {
                "idPrm": identifier(number),
                "etapeMetier": "BRUT",
                "periode": period,
                "modeCalcul": "BRUT",
                "grandeur": [quantity],
            }
            file.write(("," if place else "") + json.dumps(measure))
        file.write("]}")


WRITERS: Final[dict[str, tuple[str, Callable[[Path, range, date, int], None]]]] = {
    "csv": (".csv", csv_file),
    "parquet": (".parquet", parquet_file),
    "r63": (".json", r63_file),
}


def make_instance(folder: Path, points: int) -> None:
    """A registry of the points, with what ingest asks of them, and an empty store."""
    folder.mkdir(parents=True)
    registry = RegistryFile(folder / "registry.sqlite3")
    ids = [identifier(number) for number in range(1, points + 1)]
    registry.db.execute("BEGIN")
    registry.db.executemany(
        "INSERT INTO metering_meteringpoint VALUES (?, '2020-01-15')", ((point,) for point in ids)
    )
    registry.db.executemany(
        "INSERT INTO metering_pointversion (metering_point_id, valid_from, segment, directions, subscribed_power_kva)"
        " VALUES (?, '2020-01-15', 'C5', 1, 36)",
        ((point,) for point in ids),
    )
    registry.db.execute("COMMIT")
    registry.db.close()
    open_store(folder / "measurements.sqlite3", zone=PARIS).close()


def write_files(folder: Path, form: str, *, points: int, days: int, files: int) -> list[Path]:
    suffix, write = WRITERS[form]
    edges = np.linspace(1, points + 1, files + 1).astype(int).tolist()
    paths = []
    for place in range(files):
        paths.append(folder / f"{form}-{place}{suffix}")
        write(paths[-1], range(edges[place], edges[place + 1]), FIRST_DAY, days)
    return paths


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command."""

    cpu: float
    seconds: float
    peak: int
    """Bytes of the largest process."""
    together: int
    """Bytes of all processes at once, shared pages counted once, as seen every half second."""
    output: str


def run(source: Path, data: Path, *arguments: str) -> Run:
    """`gridgate` in a process of its own, by which what it used is told from what other runs did."""
    began = time.monotonic()
    environment = {**os.environ, "GRIDGATE_DATA": str(data), "PYTHONPATH": str(source / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", _MEASURED, sys.executable, "-c", RUN, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    together = [0]
    watching = threading.Thread(target=_watch, args=(process, together), daemon=True)
    watching.start()
    output, _ = process.communicate()
    *printed, measured = output.splitlines()
    if process.returncode:
        raise SystemExit("\n".join(printed))
    used = json.loads(measured)
    return Run(used["cpu"], time.monotonic() - began, used["peak"] * 1024, max(together), "\n".join(printed))


def _watch(process: "subprocess.Popen[str]", together: list[int]) -> None:
    while process.poll() is None:
        together.append(sum(map(_memory, _family(process.pid))))
        time.sleep(0.5)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(other for child in children for other in _family(int(child)))]


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


_MEASURED: Final = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss}))
sys.exit(code)
"""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files_in")
    parser.add_argument(
        "forms", nargs="+", choices=sorted(WRITERS), metavar="FORMAT", help=", ".join(WRITERS)
    )
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, default=HERE, help="the checkout whose code is run")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gridgate-files-in-") as name:
        for line in measured(Path(name), options):
            print(line, flush=True)
    return 0


def measured(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    one = folder / "one.csv"
    one.write_text(
        f"metering_point_id,start,resolution,value\n{identifier(1)},2026-01-05T00:00:00+01:00,PT30M,1\n"
    )
    for form in options.forms:
        paths = write_files(folder, form, points=options.points, days=options.days, files=options.files)
        jobs = ("--jobs", str(options.jobs)) if options.jobs else ()
        runs, starts, values = [], [], 0
        for number in range(options.rounds):
            data = folder / f"{form}-var-{number}"
            make_instance(data, options.points)
            starts.append(run(options.source, data, "ingest", str(one)).cpu)
            runs.append(run(options.source, data, "ingest", *jobs, "--json", *map(str, paths)))
            values = sum(file["stored"] for file in json.loads(runs[-1].output)["files"])
        best, start = min(runs, key=lambda r: r.cpu), min(starts)
        size = sum(path.stat().st_size for path in paths)
        yield (
            f"{form}: {values:,} values in {len(paths)} files, {size / 1e6:.1f} MB: {best.cpu:.2f} s CPU at least,"
            f" start {start:.2f}, {(best.cpu - start) / values * 1e6:.2f} µs a value;"
            f" {best.seconds:.2f} s, peak {best.peak / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
