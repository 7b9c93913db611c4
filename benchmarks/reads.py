"""`python -m benchmarks.reads`: the CPU time of a read within the process, no server around it.

Each read goes through the whole application: token, decision, store, text, and a durable line of the log. What the
thread of the log takes is counted in, since it is this process's; the client's is not, there is none.
"""

import argparse
import asyncio
import hashlib
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.instance import CHANGED, OF_A_YEAR, OTHERS, POINTS, TENS, Instance, build
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.http.app import create_app
from gridgate.facades import FACADES

CURVE = "/enedis/metering_data_clc/v5/consumption_load_curve"
RESULTS = Path(__file__).resolve().parent / "results"
AT_ONCE = 8


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reads", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--reads", type=int, default=400, help="a round, of each workload (400)")
    options = parser.parse_args(arguments)
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS, prefix="instance-") as folder:
        instance = build(Path(folder), now=datetime.now(UTC))
        asyncio.run(_measure(Path(folder), instance, options.rounds, options.reads))
    return 0


async def _measure(folder: Path, instance: Instance, rounds: int, reads: int) -> None:
    app = create_app(
        DataPlaneConfig(
            registry=folder / "registry.sqlite3",
            measurements=folder / "measurements.sqlite3",
            access_log=folder / "accesslog",
            process="bench",
            request_log=False,
        ),
        FACADES,
    )
    workloads = {
        name: _scopes(instance, name) for name in ("week", "week-10min", "week-changed", "native", "year")
    }
    found: dict[str, list[float]] = {name: [] for name in workloads}
    texts = {name: hashlib.sha256() for name in workloads}
    for number in range(rounds + 1):
        for name, scopes in workloads.items():
            count = reads if name != "year" else max(OF_A_YEAR, reads // 10)
            chosen = list(itertools.islice(scopes, count))
            before = time.process_time()
            for start in range(0, count, AT_ONCE):
                bodies = await asyncio.gather(
                    *(_call(app, scope) for scope in chosen[start : start + AT_ONCE])
                )
                if number == 0:
                    for body in bodies:
                        texts[name].update(body)
            if number:  # the first warms
                found[name].append((time.process_time() - before) / count * 1e6)
    app.state.plane.close()
    for name, times in found.items():
        low, high = min(times), max(times)
        print(f"{name:<14}{median(times):>8.0f} µs  [{low:.0f}..{high:.0f}]  {texts[name].hexdigest()[:12]}")


def _scopes(instance: Instance, name: str) -> Iterator[dict[str, Any]]:
    after, count = {"week-10min": (TENS, OTHERS), "week-changed": (CHANGED, OTHERS)}.get(name, (0, POINTS))
    if name == "year":
        count = OF_A_YEAR
    first = instance.year if name == "year" else instance.first
    for number in itertools.cycle(range(1, count + 1)):
        point, period = f"{after + number:014d}", f"start={first}&end={instance.end}"
        path, query = CURVE, f"usage_point_id={point}&{period}"
        if name in ("native", "year"):
            path = f"/api/v1/metering-points/{point}/measurements"
            query = f"kind=load_curve&direction=withdrawal&{period}"
        yield {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {instance.token}".encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }


async def _call(app: Any, scope: dict[str, Any]) -> bytes:
    body, status = b"", 0

    async def send(message: Any) -> None:
        nonlocal body, status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            body += message.get("body", b"")

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(dict(scope), receive, send)
    assert status == 200, body
    return body


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
