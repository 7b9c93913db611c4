"""I1: files of half hours taken in by `gridgate ingest`, run whole, in CPU, children included.

    python -m benchmarks.files_in csv parquet r63 wide [--points 1000 --days 30 --files 4 --jobs 2] [--source DIR]

An instance is made with the points, files are written for them, and the command is run as an operator does. The CPU of a
start (`ingest` of one value) is told apart. By hand, `--each-day` takes each day in by a command of its own beside those
before, and `--source` runs the code of another checkout: before and after, by the same script on the same machine.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from benchmarks.commands import HERE, Run, run
from benchmarks.files_written import FIRST_DAY, WRITERS, identifier, write_files
from benchmarks.lines import Line, Scale
from benchmarks.peers.afternoon import Afternoon, afternoon
from benchmarks.peers.victoria import NAME as VICTORIA
from benchmarks.peers.victoria import victoria
from gridgate.dataplane.store import open_store
from tests.dataplane_world import PARIS, RegistryFile

FORMS: Final = {"csv": "CSV", "parquet": "Parquet", "r63": "R63 in JSON", "wide": "wide CSV"}
OF_A_DAY: Final = ("csv", "parquet", "r63")


def measure(scale: Scale, folder: Path) -> Iterator[Line]:
    """A month and a day of the points, each form beside the peers, which are there only while they work."""
    one = _of_one_value(folder)
    starts = [_ingest(HERE, folder, 1, [one]).cpu for _ in range(2 * scale.rounds)]
    yield Line("I1 start of `ingest`", "s", starts)
    for form, name in FORMS.items():
        starts += [_ingest(HERE, folder, 1, [one]).cpu for _ in range(scale.rounds)]
        paths = write_files(folder, form, points=scale.points, days=scale.days)
        runs = [_ingest(HERE, folder, scale.points, paths) for _ in range(scale.rounds)]
        (values,) = {_stored(done) for done in runs}
        assert values == 48 * scale.points * scale.days, (form, values)
        theirs = _peers(folder, form, paths[0])
        yield Line(
            f"I1 {name}",
            "µs a value",
            [(done.cpu - min(starts)) / values * 1e6 for done in runs],
            {peer: [cpu / values * 1e6] for peer, (cpu, _) in theirs.items()},
        )
        yield Line(
            f"M taking in {name}",
            "MB",
            [done.peak / 1e6 for done in runs],
            {peer: [held / 1e6] for peer, (_, held) in theirs.items()},
        )
        paths[0].unlink()
    for form in OF_A_DAY:
        paths = write_files(folder, form, points=scale.points)
        runs = [_ingest(HERE, folder, scale.points, paths) for _ in range(scale.rounds)]
        theirs = _peers(folder, form, paths[0])
        peers = {peer: [cpu] for peer, (cpu, _) in theirs.items()}
        yield Line(f"I1 a day, {FORMS[form]}, whole command", "s", [done.cpu for done in runs], peers)


def _peers(folder: Path, form: str, path: Path) -> dict[str, tuple[float, int]]:
    """What each took to have the file, and the most that its largest process held. They serve: no start is in it."""
    content, found = path.read_bytes(), {}
    with afternoon(folder) as peer:
        found[peer.name] = peer.cpu(lambda: _post(peer, form, content)), peer.peak()
    if form == "csv":
        with victoria(folder) as store:
            if store is not None:
                found[VICTORIA] = store.cpu(lambda: store.load_csv(content)), store.peak()
        shutil.rmtree(folder / "victoria", ignore_errors=True)
    return found


def _post(peer: Afternoon, form: str, content: bytes) -> None:
    peer.post("/files", params={"form": form}, content=content)


def _ingest(
    source: Path, folder: Path, points: int, paths: Sequence[Path], *arguments: str, data: Path | None = None
) -> Run:
    """Into an instance that holds nothing, unless one is given."""
    place = data or folder / "var"
    if data is None:
        shutil.rmtree(place, ignore_errors=True)
        make_instance(place, points)
    return run(source, place, "ingest", *arguments, "--json", *map(str, paths))


def _stored(done: Run) -> int:
    """Values that the command says it stored."""
    return sum(int(file["stored"]) for file in json.loads(done.output)["files"])


def _of_one_value(folder: Path) -> Path:
    one = folder / "one.csv"
    one.write_text(
        f"metering_point_id,start,resolution,value\n{identifier(1)},2026-01-05T00:00:00+01:00,PT30M,1\n"
    )
    return one


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


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files_in")
    parser.add_argument("forms", nargs="+", choices=sorted(WRITERS), metavar="FORMAT", help=", ".join(FORMS))
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--each-day", action="store_true", help="a command for each day, beside those before")
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where there is room: 6 GB a million points and day")
    parser.add_argument("--source", type=Path, default=HERE, help="the checkout whose code is run")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gridgate-files-in-", dir=options.folder) as name:
        for line in _by_hand(Path(name), options):
            print(line, flush=True)
    return 0


def _by_hand(folder: Path, options: argparse.Namespace) -> Iterator[str]:
    one, jobs = _of_one_value(folder), ("--jobs", str(options.jobs)) if options.jobs else ()
    start = min(_ingest(options.source, folder, 1, [one]).cpu for _ in range(options.rounds))
    yield f"start: {start:.2f} s CPU"
    for form in options.forms:
        for _ in range(options.rounds):
            data = folder / "of-this-round"
            shutil.rmtree(data, ignore_errors=True)
            make_instance(data, options.points)
            for number in range(options.days if options.each_day else 1):
                paths = write_files(
                    folder,
                    form,
                    points=options.points,
                    first=FIRST_DAY + timedelta(days=number),
                    days=1 if options.each_day else options.days,
                    files=options.files,
                )
                size, before = sum(path.stat().st_size for path in paths), _held(data)
                done = _ingest(options.source, folder, options.points, paths, *jobs, data=data)
                grown = _held(data) - before
                values = _stored(done)
                for path in paths:
                    path.unlink()
                yield (
                    f"{form}: {values:,} values in {len(paths)} files, {size / 1e6:.1f} MB: {done.cpu:.2f} s CPU,"
                    f" {(done.cpu - start) / values * 1e6:.2f} µs and {grown / values:.2f} bytes a value;"
                    f" {done.seconds:.2f} s, {done.together / 1e6:.0f} MB together, {done.peak / 1e6:.0f} the largest"
                )


def _held(data: Path) -> int:
    return sum(path.stat().st_size for path in data.glob("measurements.sqlite3*"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
