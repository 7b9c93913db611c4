"""A real server, real sockets, eight readers: no request that starts after the commit succeeds."""

import http.client
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gridgate.dataplane.accesslog import read_segment
from tests import forking
from tests.dataplane_plane import Plane
from tests.dataplane_world import ACME, CONSO, TIERS1
from tests.forking import Forked
from tests.ports import free_port
from tests.waiting import PATIENCE

pytestmark = pytest.mark.processes

OPTIONS = ("--interface", "asgi", "--workers", "2", "--log-level", "error", "--no-access-log")
READERS = 8
ROUNDS = 20


@dataclass
class Server:
    plane: Plane
    port: int
    token: str
    path: str

    def status(self, connection: http.client.HTTPConnection) -> int:
        connection.request("GET", self.path, headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    today = datetime.now(UTC).date()
    plane = Plane(tmp_path)
    plane.now = datetime.now(UTC)
    plane.world.point(CONSO, holder=ACME)
    plane.put_curve(CONSO, today - timedelta(days=10), 10)
    token = plane.token(plane.world.application("tiers1", TIERS1, "enedis"))
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        process = forking.start(
            "from granian.cli import entrypoint; entrypoint()",
            *OPTIONS,
            "--port",
            str(port),
            "tests.dataplane_app:app",
            name="granian",
            env={**os.environ, "GRIDGATE_TEST_FOLDER": str(tmp_path)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    path = "/enedis/metering_data_clc/v5/consumption_load_curve"
    query = f"?usage_point_id={CONSO}&start={today - timedelta(days=7)}&end={today}"
    try:
        _wait_until_ready(port, process, tmp_path / "log")
        yield Server(plane, port, token, path + query)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        plane.close()


def _wait_until_ready(port: int, process: Forked, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise AssertionError(f"the server did not get ready:\n{log.read_text(errors='replace')}")


@dataclass(frozen=True, slots=True)
class Read:
    started: float
    answered: float
    status: int


@dataclass
class Reader:
    """Reads without pause, and keeps what became of each request."""

    server: Server
    stopping: threading.Event
    reads: list[Read] = field(default_factory=list)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        while not self.stopping.is_set():
            started = time.monotonic()
            status = self.server.status(connection)
            self.reads.append(Read(started, time.monotonic(), status))
            if len(self.reads) % 5 == 0:
                connection.close()  # the next one may reach another worker
        connection.close()


def test_no_request_that_starts_after_the_commit_succeeds(server: Server) -> None:
    stopping = threading.Event()
    readers = [Reader(server, stopping) for _ in range(READERS)]
    threads = [threading.Thread(target=reader.run) for reader in readers]
    ended: list[tuple[float, float]] = []
    for thread in threads:
        thread.start()
    try:
        for _ in range(ROUNDS):
            line = server.plane.world.line(CONSO, reader=TIERS1, holder=ACME, valid_from=date(2020, 1, 1))
            _wait_for(readers, 200, 3)
            server.plane.world.end(line)  # committed when this returns
            committed = time.monotonic()
            _wait_for(readers, 403, 3)
            ended.append((committed, time.monotonic()))
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    reads = [read for reader in readers for read in reader.reads]
    assert {read.status for read in reads} == {200, 403}
    for committed, until in ended:
        # Those that were answered after `until` may have met the next round's permission.
        after = [read.status for read in reads if committed < read.started and read.answered < until]
        assert after
        assert set(after) == {403}
    _every_read_is_in_the_log(server, reads)


def _wait_for(readers: list[Reader], status: int, count: int) -> None:
    """Until every reader has been answered `status` `count` times more."""
    marks = [len(reader.reads) for reader in readers]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if all(
            [read.status for read in reader.reads[mark:]].count(status) >= count
            for reader, mark in zip(readers, marks, strict=True)
        ):
            return
        time.sleep(0.01)
    raise AssertionError(f"not every reader met {status}")


def _every_read_is_in_the_log(server: Server, reads: list[Read]) -> None:
    """Each answer was preceded by its line, in one chain per process."""
    readings = [read_segment(path) for path in (server.plane.folder / "accesslog").glob("*.jsonl")]
    assert all(not reading.faults and not reading.torn for reading in readings)
    statuses = [read.status for read in reads]
    outcomes = [entry["outcome"] for reading in readings for entry in reading.entries]
    assert outcomes.count("granted") == statuses.count(200)
    assert outcomes.count("no_permission") == statuses.count(403)
