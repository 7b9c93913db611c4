"""Instances to do harm to: made in a temporary folder, served on a free port, stopped at the end."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

GRIDGATE = Path(sys.executable).with_name("gridgate")
READY_SECONDS = 300


@dataclass
class Served:
    """A running `gridgate serve`."""

    data: Path
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def demo_instance() -> Iterator[Path]:
    """The data directory of a fresh demo world."""
    with TemporaryDirectory(prefix="gridgate-drill-") as folder:
        data = Path(folder) / "instance"
        gridgate(data, "demo", "--no-serve")
        yield data


def gridgate(data: Path, *arguments: str, **variables: str) -> str:
    """Run the command on an instance, and return what it printed. Raises when it fails."""
    command = [str(GRIDGATE), "--data", str(data), *arguments]
    done = subprocess.run(command, env=_environment(variables), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"gridgate {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}"
        )
    return done.stdout


@contextmanager
def served(data: Path, *arguments: str, **variables: str) -> Iterator[Served]:
    """A server on the instance, ready."""
    port = free_port()
    log = data.with_name("serve.log")
    variables = {"GRIDGATE_BASE_URL": f"http://127.0.0.1:{port}", **variables}
    command = [str(GRIDGATE), "--data", str(data), "serve", "--port", str(port), *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=_environment(variables), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_ready(port, process)
        yield Served(data, port, process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    raise RuntimeError("the server was not ready")


def _environment(variables: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDGATE_")}
    return {**kept, **variables}
