"""Real instances: a demo world and an empty one, made once per test run, copied for each server that a test starts."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests import forking
from tests.forking import Forked
from tests.once import once
from tests.ports import free_port

READY_SECONDS = 120
INSTALLED = Path(sys.executable).with_name("gridgate")
GRIDGATE = "import sys; from gridgate.config.cli import main; sys.exit(main())"
"""What the installed command does."""
OPERATOR = "Réseau d’essai"


def run_gridgate(
    *arguments: str, data: Path, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line on an instance and return what it printed."""
    process = _gridgate("--data", str(data), *arguments, environment=environment)
    try:
        output, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    done = subprocess.CompletedProcess(arguments, process.wait(), output, errors)
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
    process: "Forked | subprocess.Popen[bytes]"
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def world(self) -> dict[str, Any]:
        world: dict[str, Any] = json.loads((self.data / "demo.json").read_text(encoding="utf-8"))
        return world

    def is_ready(self) -> bool:
        """Whether it answers, within the time given to it. An end that comes before is a no at once."""
        deadline = time.monotonic() + READY_SECONDS
        with httpx.Client(base_url=self.base_url, verify=False, timeout=READY_SECONDS) as asking:
            while time.monotonic() < deadline and self.process.poll() is None:
                with suppress(httpx.TransportError):
                    if asking.get("/readyz").status_code == 200:
                        return True
                time.sleep(0.05)
        return False

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=READY_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def serve(data: Path, *, plane: str = "all", installed: bool = False, **environment: str) -> Server:
    """Start a real server on a free port of 127.0.0.1 and wait until it is ready. The caller stops it.

    `installed`: by the command as it is installed, in an interpreter of its own.
    """
    while True:
        port = free_port()
        arguments = ("--data", str(data), "serve", "--port", str(port), "--plane", plane)
        found = {"GRIDGATE_BASE_URL": f"http://127.0.0.1:{port}", **environment}
        log = data.with_name(f"{data.name}-{port}.log")
        with log.open("wb") as output:
            streams = {"stdout": output, "stderr": subprocess.STDOUT}
            process = (
                subprocess.Popen([INSTALLED, *arguments], env=_environment(found), **streams)
                if installed
                else _gridgate(*arguments, environment=found, **streams)
            )
        server = Server(data, port, process, log)
        if server.is_ready():
            return server
        server.stop()
        if f"port {port} of 127.0.0.1 cannot be used" not in server.said():
            raise AssertionError(f"the server was not ready:\n{server.said()[-4000:]}")


@contextmanager
def serving(
    data: Path, *, plane: str = "all", installed: bool = False, **environment: str
) -> Iterator[Server]:
    """A real server for the time of a `with` block."""
    server = serve(data, plane=plane, installed=installed, **environment)
    try:
        yield server
    finally:
        server.stop()


def _gridgate(*arguments: str, environment: dict[str, str], **streams: Any) -> Forked:
    return forking.start(
        GRIDGATE, *arguments, name="gridgate", env=_environment(environment), cwd=Path.cwd(), **streams
    )


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GRIDGATE_")}
    return {**kept, "TZ": "UTC", **more}


def _seed(data: Path) -> None:
    command = [INSTALLED, "--data", str(data), "demo", "--no-serve"]
    done = subprocess.run(command, env=_environment({}), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session", autouse=True)
def _demo_world_is_begun(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Seeding takes most of a minute: it goes on beside the first tests, or both workers would wait for it in the end."""
    wanted = any("demo_template" in getattr(item, "fixturenames", ()) for item in request.session.items)
    if not wanted or os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0":
        yield
        return
    begun = Thread(target=_once_seeded, args=[tmp_path_factory])
    begun.start()
    yield
    begun.join()


def _once_seeded(factory: pytest.TempPathFactory) -> Path:
    return once(factory, "demo-template", _seed)


@pytest.fixture(scope="session")
def demo_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded demo world that no server runs on: copy it."""
    return _once_seeded(tmp_path_factory)


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `gridgate init` makes: copy it."""
    return once(
        tmp_path_factory,
        "empty-template",
        lambda data: run_gridgate("init", "--operator", OPERATOR, data=data),
    )


@pytest.fixture(scope="module")
def empty_instance(empty_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance that holds nothing yet, of the file's own."""
    return Path(shutil.copytree(empty_template, tmp_path_factory.mktemp("empty") / "instance"))


@contextmanager
def demo_copy(
    template: Path, folder: Path, *, installed: bool = False, **environment: str
) -> Iterator[Server]:
    """A server on a copy of the template in `folder`, stopped at the end."""
    data = folder / "instance"
    shutil.copytree(template, data)
    with serving(data, installed=installed, **environment) as server:
        yield server


@pytest.fixture(scope="session")
def demo_server(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the demo world, shared by all tests that only look: one web process shows what two would, and warms up
    once.
    """
    with demo_copy(demo_template, tmp_path_factory.mktemp("shared"), GRIDGATE_WORKERS="1") as server:
        yield server


@pytest.fixture(scope="module")
def demo_server_of_file(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a demo world of the file's own, whose tests change it without meeting each other."""
    with demo_copy(demo_template, tmp_path_factory.mktemp("file")) as server:
        yield server


@pytest.fixture
def own_demo_server(demo_template: Path, tmp_path: Path) -> Iterator[Server]:
    """A server on a demo world of the test's own, for tests that change it beyond sharing."""
    with demo_copy(demo_template, tmp_path) as server:
        yield server
