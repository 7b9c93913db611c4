"""R7, R365, T and M: what the data plane serves, in CPU of its server a request, the client's not counted.

The data plane is served as by `gridgate serve`: its limits, its loop, metrics shared by the processes, the request log;
each read is checked, decided and logged durably. `wrk` asks over and over on kept connections, from the same cores, ours
and the peers in turns. Of the peers the afternoon checks token and consent and logs nothing, VictoriaMetrics checks
nothing, and the bare route builds the same week from memory.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.instance import DAYS, Instance, build
from benchmarks.lines import Line, Scale
from benchmarks.peers.afternoon import Afternoon, afternoon
from benchmarks.peers.oidc import FORM, oidc
from benchmarks.peers.oidc import NAME as OIDC
from benchmarks.peers.victoria import NAME as VICTORIA
from benchmarks.peers.victoria import Victoria, victoria
from benchmarks.servers import WORKERS, serve
from benchmarks.workloads import TOKENS, WEEK, YEAR, Workload, counted, get, post, workloads
from tests.dataplane_world import PARIS

CONNECTIONS = 16


class Server(Protocol):
    url: str

    def cpu_seconds(self) -> float: ...
    def memory(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A workload, who is asked, and under which name that stands."""

    line: str
    who: str
    server: Server
    workload: Workload


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of one workload."""

    cpu_us: float
    """CPU time of the server a request."""
    clock_us: float
    p99_ms: float


OURS = "gridgate"


def measure(scale: Scale, folder: Path) -> Iterator[Line]:
    if shutil.which("wrk") is None:
        print(
            "wrk is not here: nothing that is served is measured. On Debian: apt install wrk.",
            file=sys.stderr,
        )
        return
    instance = build(folder / "instance", now=datetime.now(UTC))
    with ExitStack() as stack:
        plane = stack.enter_context(serve("data_plane", folder / "instance"))
        servers: dict[str, Server] = {
            OURS: plane,
            "bare route": stack.enter_context(serve("bare", folder / "instance")),
        }
        who = {"data_plane": OURS, "bare": "bare route"}
        asked = [Asked(one.name, who[one.app], servers[who[one.app]], one) for one in workloads(instance)]
        rows = stack.enter_context(afternoon(folder, workers=WORKERS))
        servers[rows.name] = rows
        asked += _of_rows(rows, instance, scale)
        if (metrics := stack.enter_context(victoria(folder))) is not None:
            servers[VICTORIA] = metrics
            asked += _of_metrics(metrics, instance, scale)
        if (tokens := stack.enter_context(oidc(folder))) is not None:
            asked.append(Asked(TOKENS, OIDC, tokens, Workload("oidc", "", post("/token", FORM))))
        found: dict[str, dict[str, list[Measured]]] = {}
        for number in range(scale.rounds + 1):
            for one in asked:
                told = _drive(one, folder, scale.seconds if number else 1)
                if number:  # the first warms
                    found.setdefault(one.line, {}).setdefault(one.who, []).append(told)
        yield from _lines(found)
        held = {who: [server.memory() / 1e6] for who, server in servers.items() if who != "bare route"}
        yield Line(f"M serving, {WORKERS} processes", "MB", held.pop(OURS), held)


def _lines(found: dict[str, dict[str, list[Measured]]]) -> Iterator[Line]:
    for line, of_each in found.items():
        for name, unit, figure in (
            (line, "µs a request", "cpu_us"),
            (f"{line}, by the clock", "µs a request", "clock_us"),
            (f"{line}, slowest of a hundred", "ms", "p99_ms"),
        ):
            if figure != "cpu_us" and line not in (WEEK, TOKENS):
                continue
            figures = {
                who: [float(getattr(told, figure)) for told in rounds] for who, rounds in of_each.items()
            }
            yield Line(name, unit, figures.pop(OURS), figures)


def _of_rows(rows: Afternoon, instance: Instance, scale: Scale) -> list[Asked]:
    """The same weeks and years, of a thousand points and of some."""
    half_hours = np.random.default_rng(1).integers(100, 9000, (scale.points, 48 * DAYS))
    years = np.random.default_rng(2).integers(100, 9000, (scale.year_points, 48 * 365))
    numbers, of_years = range(1, scale.points + 1), range(1, scale.year_points + 1)
    end = date.fromisoformat(instance.end)
    rows.fill([f"{n:014d}" for n in numbers], _midnight(end - timedelta(days=DAYS)), half_hours)
    rows.fill([f"2{n:013d}" for n in of_years], _midnight(end) - 1800 * years.shape[1], years)
    token, form = rows.token(1, [*(f"{n:014d}" for n in numbers), *(f"2{n:013d}" for n in of_years)])
    rows.post("/analyse")
    week = f'"/points/" .. point(0, {scale.points}) .. "/load?start={instance.first}&end={instance.end}"'
    year = (
        f'"/points/" .. point(2e13, {scale.year_points}) .. "/load?start={instance.year}&end={instance.end}"'
    )
    return [
        Asked(WEEK, rows.name, rows, Workload("rows-week", "", get(week, token))),
        Asked(YEAR, rows.name, rows, Workload("rows-year", "", get(year, token))),
        Asked(TOKENS, rows.name, rows, Workload("rows-tokens", "", post("/token", form))),
    ]


def _of_metrics(metrics: Victoria, instance: Instance, scale: Scale) -> list[Asked]:
    end = _midnight(date.fromisoformat(instance.end))
    half_hours = np.random.default_rng(1).integers(100, 9000, (scale.points, 48 * DAYS))
    years = np.random.default_rng(2).integers(100, 9000, (scale.year_points, 48 * 365))
    metrics.fill(
        [f"{n:014d}" for n in range(1, scale.points + 1)], end - 1800 * half_hours.shape[1], half_hours
    )
    metrics.fill([f"2{n:013d}" for n in range(1, scale.year_points + 1)], end - 1800 * years.shape[1], years)
    path = '"/api/v1/export?match%5B%5D=load%7Bpoint%3D%22" .. point({}, {}) .. "%22%7D&start={}&end={}"'
    week = path.format(0, scale.points, end - 7 * 86_400, end - 1)
    year = path.format("2e13", scale.year_points, end - 365 * 86_400, end - 1)
    return [
        Asked(WEEK, VICTORIA, metrics, Workload("metrics-week", "", get(week, ""))),
        Asked(YEAR, VICTORIA, metrics, Workload("metrics-year", "", get(year, ""))),
    ]


def _drive(asked: Asked, folder: Path, seconds: int) -> Measured:
    script = folder / "asked.lua"
    script.write_text(counted(asked.workload))
    before = asked.server.cpu_seconds()
    finished = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "-s",
            str(script),
            asked.server.url,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    cpu = asked.server.cpu_seconds() - before
    (line,) = (line for line in finished.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["unexpected"] or result["lost"] or not result["requests"]:
        raise SystemExit(f"{asked.who}, {asked.line}: not every answer was {asked.workload.status}: {result}")
    return Measured(
        cpu_us=cpu / result["requests"] * 1e6,
        clock_us=result["microseconds"] / result["requests"],
        p99_ms=result["p99_ms"],
    )


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())
