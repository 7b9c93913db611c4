"""`python -m benchmarks.start [--source DIR]`: what a command costs before it does anything, in CPU, children included.

The command is run whole, as an operator does, on an instance of its own: `ingest` takes one value in. `--source` is
another checkout, whose code is run instead: before and after, by the same script on the same machine.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent.parent
RUN: Final = "import sys; from gridgate.config.cli import main; sys.exit(main())"
POINT: Final = "22516914714270"
POINTS: Final = f"""id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on
{POINT},C5,withdrawal,1 rue du Moulin,69007,Lyon,36,2020-01-15
"""
VALUE: Final = f"metering_point_id,start,resolution,value\n{POINT},2026-06-01T00:00:00+02:00,PT30M,752\n"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start")
    parser.add_argument("--source", type=Path, default=HERE, help="the checkout whose code is run")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gridgate-start-") as folder:
        data, points, value = (Path(folder) / name for name in ("var", "points.csv", "value.csv"))
        points.write_text(POINTS)
        value.write_text(VALUE)
        run = _runner(options.source, data)
        run("init", "--operator", "Banc")
        run("import", "points", str(points))
        for command in (("--version",), ("ingest", str(value)), ("ingest", str(value), "--json")):
            seconds = [run(*command) for _ in range(options.rounds)]
            shown = " ".join(part if part.startswith("-") else Path(part).name for part in command)
            print(
                f"gridgate {shown:<24} {statistics.median(seconds):.3f} s CPU in the median, {min(seconds):.3f} at least"
            )
    return 0


def _runner(source: Path, data: Path) -> Callable[..., float]:
    environment = {**os.environ, "GRIDGATE_DATA": str(data), "PYTHONPATH": str(source / "src")}

    def run(*arguments: str) -> float:
        before = _cpu()
        subprocess.run(
            [sys.executable, "-c", RUN, *arguments], env=environment, check=True, capture_output=True
        )
        return _cpu() - before

    return run


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
