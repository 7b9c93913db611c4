"""A whole instance, as `gridgate serve` runs it: made in a folder, changed by the product's own operations, served,
and ended by the ids of its processes.
"""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np

from benchmarks.processes import family, free_port, wait_for
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution, slots_in_day
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, SeriesKey, Source

READY_SECONDS = 120.0
WORKERS = 2


def make(folder: Path) -> Path:
    """An empty instance, with Django set up on it in this process; its folder."""
    data = folder / "instance"
    os.environ.update(GRIDGATE_DATA=str(data), GRIDGATE_QUOTAS="off", GRIDGATE_REQUEST_LOG="false")
    os.environ.setdefault("TZ", "UTC")
    from gridgate.config.instance import create_instance
    from gridgate.config.loading import load_django
    from gridgate.config.private import keep_private

    keep_private()
    environment = load_django(must_exist=False)
    create_instance(
        environment, operator="Réseau d’essai", siren="100000009", now=datetime.now(UTC) - timedelta(days=900)
    )
    return data


def fill(data: Path, points: list[str], days: list[date]) -> None:
    """Half hours of these days for each point."""
    from gridgate.config.environment import read_environment

    zone = read_environment().zone
    store = open_store(data / "measurements.sqlite3", zone=zone)
    draw = np.random.default_rng(1)
    blocks = []
    for point in points:
        key = SeriesKey(point, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, Resolution.PT30M)
        for day in days:
            slots = slots_in_day(day, Resolution.PT30M, zone)
            blocks.append(DayBlock(key, day, draw.integers(100, 9000, slots), np.zeros(slots, np.uint8)))
    source = Source("benchmark", "0" * 64, "benchmark", None)
    store.put(blocks, source=source, quarantined=[], recorded_at=int(time.time() * 1000))
    store.close()


class Served:
    """`gridgate serve`, with its web workers and its background worker."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.log = data.with_name("serve.log")
        self.start()

    def start(self) -> None:
        command = (sys.executable, "-m", "gridgate.config.cli", "--data", str(self.data), "serve")
        environment = {**os.environ, "GRIDGATE_WORKERS": str(WORKERS)}
        environment["GRIDGATE_BASE_URL"] = f"http://127.0.0.1:{self.port}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()

    def wait(self) -> None:
        """Until it answers."""
        wait_for(f"http://127.0.0.1:{self.port}/readyz", self.process, self.log, READY_SECONDS)

    def workers(self) -> tuple[list[int], list[int]]:
        """The processes that answer, and the one that works in the background."""
        web, background = [], []
        for pid in family(self.process.pid)[1:]:
            said = _command_of(pid)
            if b"\0worker" in said:
                background.append(pid)
            elif b"\0serve\0" in said:
                web.append(pid)
        return web, background

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def token_for(served: Served, client_id: str, secret: str) -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{served.port}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(client_id, secret),
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def machine() -> str:
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, {datetime.now(UTC):%d %B %Y}"
