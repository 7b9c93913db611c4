"""`python -m benchmarks`: build an instance, drive it, print a table."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.instance import build
from benchmarks.servers import WORKERS, Server, serve
from benchmarks.workloads import Workload, counted, workloads

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one workload."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """CPU time of the server a request."""


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    if shutil.which("wrk") is None:
        print("wrk drives the measurements and is not here. On Debian: apt install wrk.", file=sys.stderr)
        return 2
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="instance-") as folder, ExitStack() as stack:
        print("Building an instance…", file=sys.stderr)
        chosen = [w for w in workloads(build(Path(folder), now=now)) if w.name in options.workloads]
        servers = {
            app: stack.enter_context(serve(app, Path(folder)))
            for app in {workload.app for workload in chosen}
        }
        rounds = _measure(chosen, servers, Path(folder), options.rounds, options.seconds)
    _report(rounds, options)
    (RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json").write_text(
        json.dumps(
            {
                "at": now.isoformat(),
                "machine": _machine(),
                "rounds": {name: [asdict(measured) for measured in found] for name, found in rounds.items()},
            },
            indent=2,
        )
    )
    return 1 if options.check and _missed(rounds) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    names = [
        *(
            "bare",
            "week-enedis",
            "week-10min",
            "week-changed",
            "week-native",
            "year-native",
            "refused",
            "tokens",
        )
    ]
    parser = argparse.ArgumentParser(prog="gridgate bench", description="Measure what this machine serves.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each workload is measured (5)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (5)")
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    parser.add_argument("--check", action="store_true", help="exit 1 when a budget is missed")
    parser.add_argument(
        "--workloads", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds = 2, 2
    return options


def _measure(
    chosen: Sequence[Workload], servers: dict[str, Server], folder: Path, rounds: int, seconds: int
) -> dict[str, list[Measured]]:
    """Take the workloads in turn, so that what else the machine does falls on all of them alike."""
    found: dict[str, list[Measured]] = {workload.name: [] for workload in chosen}
    for workload in chosen:
        _drive(workload, servers[workload.app], folder, 1)  # warm
    for number in range(rounds):
        for workload in chosen:
            print(f"\rRound {number + 1} of {rounds}: {workload.name:<12}", end="", file=sys.stderr)
            found[workload.name].append(_drive(workload, servers[workload.app], folder, seconds))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return found


def _drive(workload: Workload, server: Server, folder: Path, seconds: int) -> Measured:
    script = folder / f"{workload.name}.lua"
    script.write_text(counted(workload))
    before = server.cpu_seconds()
    finished = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), server.url],
        capture_output=True,
        text=True,
        check=True,
    )
    cpu = server.cpu_seconds() - before
    (line,) = (line for line in finished.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["unexpected"] or result["lost"] or not result["requests"]:
        raise SystemExit(f"{workload.name}: not every answer was {workload.status}: {result}")
    return Measured(
        requests_per_second=result["requests"] / result["microseconds"] * 1e6,
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        cpu_us=cpu / result["requests"] * 1e6,
    )


def _report(rounds: dict[str, list[Measured]], options: argparse.Namespace) -> None:
    table = Table(
        title=f"{options.rounds} rounds of {options.seconds} s, {CONNECTIONS} connections, {WORKERS} workers",
        caption=_machine(),
    )
    for column in (
        "workload",
        "requests/s",
        "lowest to highest",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "to bare",
        "budget",
    ):
        table.add_column(column, justify="left" if column == "workload" else "right", no_wrap=True)
    budgets = _budgets()
    bare = _median(rounds["bare"]) if "bare" in rounds else None
    for name, found in rounds.items():
        rate = _median(found)
        rates = [measured.requests_per_second for measured in found]
        budget = budgets.get(name)
        table.add_row(
            name,
            f"{rate:,.0f}",
            f"{min(rates):,.0f} to {max(rates):,.0f}",
            f"{statistics.median(m.p50_ms for m in found):.2f}",
            f"{statistics.median(m.p99_ms for m in found):.2f}",
            f"{_cpu(found):.0f}",
            f"{rate / bare:.2f}" if bare else "",
            "" if budget is None else f"{budget:,} {'met' if _cpu(found) <= budget else 'MISSED'}",
        )
    terminal = Console()
    (terminal if terminal.is_terminal else Console(width=110)).print(table)


def _median(found: Sequence[Measured]) -> float:
    return statistics.median(measured.requests_per_second for measured in found)


def _cpu(found: Sequence[Measured]) -> float:
    return statistics.median(measured.cpu_us for measured in found)


def _budgets() -> dict[str, int]:
    budgets: dict[str, int] = tomllib.loads((HERE / "budgets.toml").read_text())["cpu_microseconds"]
    return budgets


def _missed(rounds: dict[str, list[Measured]]) -> bool:
    return any(_cpu(rounds[name]) > budget for name, budget in _budgets().items() if name in rounds)


def _machine() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, load {load}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
