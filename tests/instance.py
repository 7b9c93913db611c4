"""Real instances: a demo world seeded once per test run, copied for each server that a test starts."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest

READY_SECONDS = 60


def run_gridgate(
    *arguments: str, data: Path, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line on an instance and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "gridgate.config.cli", "--data", str(data), *arguments],
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(
            f"gridgate {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
    return done


@dataclass
class Server:
    """A running `gridgate serve` and what its demo.json says."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def world(self) -> dict[str, Any]:
        world: dict[str, Any] = json.loads((self.data / "demo.json").read_text(encoding="utf-8"))
        return world

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def serve(data: Path, *, plane: str = "all", **environment: str) -> Server:
    """Start a real server on a free port of 127.0.0.1 and wait until it is ready. The caller stops it."""
    port = free_port()
    log = data.with_name(f"{data.name}-{port}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "gridgate.config.cli",
                "--data",
                str(data),
                "serve",
                "--port",
                str(port),
                "--plane",
                plane,
            ],
            env=_environment({"GRIDGATE_BASE_URL": f"http://127.0.0.1:{port}", **environment}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(data, port, process, log)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{server.base_url}/readyz", timeout=2).status_code == 200:
                return server
        time.sleep(0.1)
    server.stop()
    raise AssertionError(f"the server was not ready:\n{log.read_text(errors='replace')[-4000:]}")


@contextmanager
def serving(data: Path, *, plane: str = "all", **environment: str) -> Iterator[Server]:
    """A real server for the time of a `with` block."""
    server = serve(data, plane=plane, **environment)
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GRIDGATE_")}
    return {**kept, "LANG": "fr_FR.UTF-8", "TZ": "UTC", "PYTHONUNBUFFERED": "1", **more}


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded demo world that no server runs on: copy it. The workers of a parallel run share one."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    data = shared / "demo-template"
    with (shared / "demo-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not data.exists():
            # Named last, so that a world whose seeding failed is not taken for one.
            seeding = shared / "demo-being-seeded"
            shutil.rmtree(seeding, ignore_errors=True)
            run_gridgate("demo", "--no-serve", data=seeding)
            seeding.rename(data)
    return data


@contextmanager
def demo_copy(template: Path, folder: Path) -> Iterator[Server]:
    """A server on a copy of the template in `folder`, stopped at the end."""
    data = folder / "instance"
    shutil.copytree(template, data)
    with serving(data) as server:
        yield server


@pytest.fixture(scope="session")
def demo_server(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the demo world, shared by all tests that only look."""
    with demo_copy(demo_template, tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture
def own_demo_server(demo_template: Path, tmp_path: Path) -> Iterator[Server]:
    """A server on a demo world of the test's own, for tests that change it."""
    with demo_copy(demo_template, tmp_path) as server:
        yield server
