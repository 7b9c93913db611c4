"""`python -m benchmarks.million [--points N] [--jobs N]`: a day of a million points from Parquet files, taken in.

The files, of 10,000 points each, one value a line, are written first; then `gridgate ingest` takes all of them in, as one
command, into a store that holds nothing, and, when more than one day is asked, each further day beside those before.
What it cost is printed for each day, and from the last what 37 million points would: by the value, which is all that is
known here of more than was run (docs/1-running/sizing.md).
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks.files_in import FIRST_DAY, HERE, WRITERS, Run, make_instance, run

PER_FILE: Final = 10_000
EVERY_POINT_OF_FRANCE: Final = 37_000_000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--format", choices=sorted(WRITERS), default="parquet")
    parser.add_argument("--folder", type=Path, help="where there is room: 6 GB a million points and day")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gridgate-million-", dir=options.folder) as name:
        for line in measured(Path(name), options):
            print(line, flush=True)
    return 0


def measured(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    data, store = folder / "var", folder / "var" / "measurements.sqlite3"
    make_instance(data, options.points)
    suffix, write = WRITERS[options.format]
    for number in range(options.days):
        day, paths = FIRST_DAY + timedelta(days=number), []
        for first in range(1, options.points + 1, PER_FILE):
            paths.append(folder / f"{day:%Y%m%d}-{first:08d}{suffix}")
            write(paths[-1], range(first, min(first + PER_FILE, options.points + 1)), day, 1)
        before = _size(store)
        done = run(HERE, data, "ingest", "--jobs", str(options.jobs), "--json", *map(str, paths))
        files = json.loads(done.output)["files"]
        values = sum(file["stored"] for file in files)
        if values != 48 * options.points:
            raise SystemExit(f"{values} values were stored of {48 * options.points}")
        grown = _size(store) - before
        for path in paths:
            path.unlink()
        yield (
            f"{day}: {values:,} values of {options.points:,} points in {len(files)} files, {options.jobs} jobs:"
            f" {done.seconds:.1f} s, {done.cpu:.1f} s CPU, {done.cpu / values * 1e6:.2f} µs and"
            f" {grown / values:.2f} bytes a value, memory {done.together / 1e6:.0f} MB together,"
            f" {done.peak / 1e6:.0f} MB the largest"
        )
    yield _of_a_country(done, values, grown)


def _of_a_country(done: Run, values: int, grown: int) -> str:
    more = 48 * EVERY_POINT_OF_FRANCE / values
    return (
        f"so many for {EVERY_POINT_OF_FRANCE:,} points, by the value: {done.cpu * more / 3600:.2f} hours of one core and"
        f" {grown * more / 1e9:.1f} GB a day"
    )


def _size(store: Path) -> int:
    return sum(path.stat().st_size for path in store.parent.glob(f"{store.name}*"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
