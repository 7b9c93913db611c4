"""`make bench`: everything that is measured, each workload beside its peers in the same run, and what it may cost.

    python -m benchmarks [--quick] [--check] [--only GROUP…]

Each group runs in a process of its own, which starts and ends its peers. A run of all is written to `results/`, from
which `python -m benchmarks.report` makes the tables of the read-mes. `--check` exits 1 where the least round of a line
is above its budget (`budgets.toml`), which is for the full size alone. The group of such a line is measured again first:
what other work on the machine adds to one run it rarely adds to three; and a slower machine is allowed more.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib import import_module
from pathlib import Path

from benchmarks.lines import QUICK, Line, Scale
from benchmarks.results import HERE, begin, budgets, load, missed, slower
from benchmarks.yardstick import yardstick

GROUPS = {
    "files_in": "I1 files taken in",
    "sums": "A sums",
    "reads": "R7, R365, T what is served",
    "ending": "C ends",
    "log": "F, P the log and its pages",
    "pages": "P measurements",
    "rights": "G rights",
}
MOST = 3
"""Times that a group of which a budget is missed is measured, before it is."""
PLACE = HERE.parent / "var" / "bench"
"""On the disk of the checkout, so that what is made durable is."""


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    scale = QUICK if options.quick else Scale()
    if options.group:
        _measure(options.group, scale)
        return 0
    results = begin("quick" if options.quick else "full")
    began = time.monotonic()
    print(f"{results.cores} cores, Python {results.python}, load {results.load} before; least of the rounds")
    faults: list[str] = []
    for group in options.only:
        print(f"\n{GROUPS[group]}", flush=True)
        measure = partial(_told, group, options.quick)
        if options.check:
            lines, over = held(measure, budgets(), yardstick)
            faults += over
        else:
            lines = measure()
        results.lines.extend(lines)
    print(f"\n{time.monotonic() - began:,.0f} s")
    if len(options.only) == len(GROUPS):
        print(f"written: {replace(results, load_after=load()).write().relative_to(HERE.parent)}")
    for fault in faults:
        print(f"MISSED {fault}")
    return bool(faults)


def held(
    measure: Callable[[], list[Line]], allowed: dict[str, float], yardstick: Callable[[], float]
) -> tuple[list[Line], list[str]]:
    """The lines of a group, and what is above its budget still when it was measured `MOST` times."""
    lines: dict[str, Line] = {}
    over: list[str] = []
    sticks = [yardstick()]
    for _ in range(MOST):
        for line in measure():
            lines[line.name] = lines[line.name].with_rounds_of(line) if line.name in lines else line
        sticks.append(yardstick())
        times = slower(min(sticks))
        over = list(missed(lines.values(), allowed, times))
        if not over:
            break
        print("  above: " + "; ".join(over) + (f" (on a machine {times:.2f}× slower)" if times > 1 else ""))
    return list(lines.values()), over


def _told(group: str, quick: bool) -> list[Line]:
    """Each line is shown as soon as it is measured."""
    lines = []
    for line in _of_a_process(group, quick):
        print(shown(line), flush=True)
        lines.append(line)
    return lines


def shown(line: Line) -> str:
    """A line as the terminal has it: ours, and each peer with how many times ours it takes."""
    peers = "".join(f"   {peer} {least:,.4g} ({ratio:,.3g}×)" for peer, least, ratio in line.ratios())
    return f"  {line.name:<58} {line.least:>10,.4g} {line.unit}{peers}"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gridgate bench", description="Measure all, beside peers.")
    parser.add_argument("--quick", action="store_true", help="a look, of few points and rounds")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is missed")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(GROUPS),
        default=list(GROUPS),
        metavar="GROUP",
        help=", ".join(GROUPS),
    )
    parser.add_argument("--group", choices=list(GROUPS), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.quick and options.check:
        parser.error("budgets are of the full size: leave --quick out")
    return options


def _of_a_process(group: str, quick: bool) -> Iterator[Line]:
    command = [sys.executable, "-m", "benchmarks", "--group", group, *["--quick"] * quick]
    with subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for text in process.stdout:
                if text.startswith(MARK):
                    yield Line(**json.loads(text.removeprefix(MARK)))
                else:
                    print(f"  {text}", end="")
        except BaseException:
            process.send_signal(signal.SIGINT)  # it ends its peers first
            raise
    if process.returncode:
        raise SystemExit(f"{group} failed")


MARK = "LINE "


def _measure(group: str, scale: Scale) -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE, prefix=f"{group}-") as folder:
        for line in import_module(f"benchmarks.{group}").measure(scale, Path(folder)):
            print(MARK + json.dumps(asdict(line)), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
