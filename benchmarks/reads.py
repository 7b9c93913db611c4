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
from numpy.typing import NDArray

from benchmarks.instance import CHANGED, DAYS, FOREIGN, OTHERS, TENS, Instance, build
from benchmarks.lines import Line, Scale
from benchmarks.peers.afternoon import Afternoon, afternoon
from benchmarks.peers.oidc import FORM, oidc
from benchmarks.peers.oidc import NAME as OIDC
from benchmarks.peers.victoria import NAME as VICTORIA
from benchmarks.peers.victoria import Victoria, victoria
from benchmarks.servers import WORKERS, serve
from benchmarks.workloads import (
    CHANGED_STEP,
    REFUSED,
    TEN_MINUTES,
    TOKENS,
    WEEK,
    YEAR,
    Workload,
    counted,
    get,
    post,
    workloads,
)
from tests.dataplane_world import PARIS

CONNECTIONS = 16
YEARS = 4 * 10**13
"""After which number the peers have those of a year."""
LONGEST = 60
"""Seconds in which each connection must have been answered once."""


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
            if figure != "cpu_us" and line not in (WEEK, TEN_MINUTES, TOKENS):
                continue
            figures = {
                who: [float(getattr(told, figure)) for told in rounds] for who, rounds in of_each.items()
            }
            yield Line(name, unit, figures.pop(OURS), figures)


@dataclass(frozen=True, slots=True)
class Kept:
    """Values that the peers hold, like ours: a row for each point, of one step."""

    after: int
    first: int
    step: int
    values: NDArray[np.int64]

    @property
    def points(self) -> list[str]:
        return [f"{self.after + number:014d}" for number in range(1, len(self.values) + 1)]


def _kept(instance: Instance, scale: Scale) -> list[Kept]:
    """A month of a thousand points, a year of some; of others a month at ten minutes, of others again until four days
    before its end, then at half hours.
    """
    end = date.fromisoformat(instance.end)
    until, change = _midnight(end), _midnight(end - timedelta(days=4)) + 43_200

    def drawn(after: int, points: int, step: int, until: int, count: int) -> Kept:
        values = np.random.default_rng(after + step).integers(100, 9000, (points, count))
        return Kept(after, until - step * count, step, values)

    return [
        drawn(0, scale.points, 1800, until, 48 * DAYS),
        drawn(YEARS, scale.year_points, 1800, until, 48 * 365),
        drawn(TENS, OTHERS, 600, until, 144 * DAYS),
        drawn(CHANGED, OTHERS, 600, change, 144 * (DAYS - 4)),
        drawn(CHANGED, OTHERS, 1800, until, (until - change) // 1800),
    ]


def _of_rows(rows: Afternoon, instance: Instance, scale: Scale) -> list[Asked]:
    """The same weeks and years; what is kept at ten minutes is resampled by SQL."""
    kept = _kept(instance, scale)
    for one in kept:
        rows.fill(one.points, one.first, one.values, one.step)
    token, form = rows.token(1, sorted({point for one in kept for point in one.points}))
    rows.post("/analyse")

    def asked(line: str, points: str, first: str, more: str = "", status: int = 200) -> Asked:
        path = f'"/points/" .. {points} .. "/load?start={first}&end={instance.end}{more}"'
        return Asked(line, rows.name, rows, Workload(line, "", get(path, token), status))

    resampled = [
        asked(line, f"point({after}, {OTHERS})", instance.first, "&step=1800")
        for line, after in ((TEN_MINUTES, TENS), (CHANGED_STEP, CHANGED))
    ]
    answer = rows.get(
        f"/points/{kept[2].points[0]}/load?start={instance.first}&end={instance.end}&step=1800",
        headers={"Authorization": f"Bearer {token}"},
    )
    _same([reading["value"] for reading in answer.json()["readings"]], kept[2], instance)
    return [
        asked(WEEK, f"point(0, {scale.points})", instance.first),
        asked(YEAR, f"point({YEARS}, {scale.year_points})", instance.year),
        *resampled,
        asked(REFUSED, f'"{FOREIGN}"', instance.first, status=403),
        Asked(TOKENS, rows.name, rows, Workload("rows-tokens", "", post("/token", form))),
    ]


def _of_metrics(metrics: Victoria, instance: Instance, scale: Scale) -> list[Asked]:
    kept = _kept(instance, scale)
    for one in kept:
        metrics.fill(one.points, one.first, one.values, one.step)
    end = _midnight(date.fromisoformat(instance.end))
    week, year = end - 7 * 86_400, end - 365 * 86_400
    # A sample says what begins with it: the mean of 30 minutes from each half hour on.
    mean = "query=avg_over_time(load%7Bpoint%3D%22{}%22%7D%5B30m%5D%20offset%20-20m)"
    resampled = f"/api/v1/query_range?{mean}&start={week}&end={end - 1}&step=1800&nocache=1"
    as_kept = "/api/v1/export?match%5B%5D=load%7Bpoint%3D%22{}%22%7D&start={}&end={}"
    (series,) = metrics.get(resampled.format(kept[2].points[0])).json()["data"]["result"]
    _same([float(value) for _, value in series["values"]], kept[2], instance)

    def asked(line: str, path: str, after: int, points: int) -> Asked:
        before, behind = path.split("POINT")
        lua = f'"{before}" .. point({after}, {points}) .. "{behind}"'
        return Asked(line, VICTORIA, metrics, Workload(line, "", get(lua, "")))

    return [
        asked(WEEK, as_kept.format("POINT", week, end - 1), 0, scale.points),
        asked(YEAR, as_kept.format("POINT", year, end - 1), YEARS, scale.year_points),
        asked(TEN_MINUTES, resampled.format("POINT"), TENS, OTHERS),
        asked(CHANGED_STEP, resampled.format("POINT"), CHANGED, OTHERS),
    ]


def _same(found: list[float], kept: Kept, instance: Instance) -> None:
    """Whether a peer found the means of the half hours of the week of the first point, but for how it rounds them."""
    start, end = (_midnight(date.fromisoformat(day)) for day in (instance.first, instance.end))
    values = kept.values[0][(start - kept.first) // kept.step : (end - kept.first) // kept.step]
    means = values.reshape(-1, 1800 // kept.step).mean(axis=1)
    assert len(found) == len(means), (len(found), len(means))
    assert np.abs(np.array(found) - means).max() <= 0.5


def _drive(asked: Asked, folder: Path, seconds: int) -> Measured:
    script = folder / "asked.lua"
    script.write_text(counted(asked.workload))
    command = ("wrk", "-t1", f"-c{CONNECTIONS}", "--timeout", "30s", "-s", str(script), asked.server.url)
    while True:
        before = asked.server.cpu_seconds()
        finished = subprocess.run([*command, f"-d{seconds}s"], capture_output=True, text=True, check=True)
        cpu = asked.server.cpu_seconds() - before
        (line,) = (line for line in finished.stdout.splitlines() if line.startswith("RESULT "))
        result = json.loads(line.removeprefix("RESULT "))
        if result["requests"] >= CONNECTIONS or result["unexpected"] or result["lost"] or seconds >= LONGEST:
            break
        seconds *= 2  # on a busy machine the slowest peer has answered hardly any by then
    if result["unexpected"] or result["lost"] or not result["requests"]:
        raise SystemExit(f"{asked.who}, {asked.line}: not every answer was {asked.workload.status}: {result}")
    return Measured(
        cpu_us=cpu / result["requests"] * 1e6,
        clock_us=result["microseconds"] / result["requests"],
        p99_ms=result["p99_ms"],
    )


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())
