"""Processes that start in a fraction of a second: forked from one that has loaded what all of them load.

`start` is to be used as `subprocess.Popen([sys.executable, "-c", program, …])`. See `forking_parent` for what such a
process is, and is not. A few tests start a fresh interpreter by the installed command, and so prove that way too.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from threading import Thread
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
PARENT = "from tests.forking_parent import next_program; exec(next_program())"
Stream = int | IO[Any] | None
FIXED = ("PYTHON", "LANG", "LC_")
"""What an interpreter reads once, when it starts."""


class Forked:
    """What `subprocess.Popen` is to a process of its own."""

    def __init__(self, args: list[str], pipes: list[IO[str] | None], ends: IO[bytes]) -> None:
        self.args = args
        self.stdin, self.stdout, self.stderr = pipes
        self._ends = ends
        self.pid = int(ends.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._code(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _code(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._ends], [], [], timeout)[0]:
            said = self._ends.readline()
            self._ends.close()
            assert said, "the process that all are forked from has ended"
            self.returncode = int(said)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What is left of its output and of its errors, once it has ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        if self.stdin:
            self.stdin.close()
        said = ["", ""]

        def read(number: int, pipe: IO[str]) -> None:
            said[number] = pipe.read()

        pipes = {n: pipe for n, pipe in enumerate((self.stdout, self.stderr)) if pipe and not pipe.closed}
        readers = [Thread(target=read, args=one, daemon=True) for one in pipes.items()]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(None if deadline is None else max(0, deadline - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        self.wait(None if deadline is None else max(0, deadline - time.monotonic()))
        for pipe in pipes.values():
            pipe.close()
        return said[0], said[1]


def start(
    program: str,
    *arguments: str,
    name: str = "-c",
    env: dict[str, str],
    cwd: Path = ROOT,
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = subprocess.PIPE,
    stderr: Stream = subprocess.PIPE,
) -> Forked:
    """Start a Python program. The caller waits for it, or kills it; what still runs at the end of the run is killed."""
    parent, its = _parent()
    for variable in its.keys() | env.keys():
        if variable.startswith(FIXED) and its.get(variable) != env.get(variable):
            raise ValueError(f"{variable} is read by a fresh interpreter only: start one")
    pipes: list[IO[str] | None] = []
    passed: list[int] = []
    for number, wanted in enumerate((stdin, stdout, stderr)):
        ours, theirs = _stream(wanted, writing=number == 0, output=passed)
        pipes.append(ours)
        passed.append(theirs)
    read, write = os.pipe()
    request = {"program": program, "argv": [name, *arguments], "env": env, "cwd": str(cwd)}
    socket.send_fds(parent, [json.dumps(request).encode()], [*passed, write])
    for file in {*passed, write}:
        os.close(file)
    return Forked([name, *arguments], pipes, os.fdopen(read, "rb", buffering=0))


def _stream(wanted: Stream, *, writing: bool, output: list[int]) -> tuple[IO[str] | None, int]:
    """Our end of a stream, if there is one, and a file of the process's."""
    if wanted is None:
        return None, os.dup(len(output))
    if wanted == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    if wanted == subprocess.STDOUT:
        return None, os.dup(output[-1])
    if wanted != subprocess.PIPE:
        return None, os.dup(wanted if isinstance(wanted, int) else wanted.fileno())
    read, write = os.pipe()
    ours, theirs = (write, read) if writing else (read, write)
    return os.fdopen(ours, "w" if writing else "r", encoding="utf-8"), theirs


@cache
def _parent() -> tuple[socket.socket, dict[str, str]]:
    """The process of this run that others are forked from, and the environment it started in."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GRIDGATE_") and name != "DJANGO_SETTINGS_MODULE"
    }
    # One thread for numpy's sums, too.
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        env={**env, "OPENBLAS_NUM_THREADS": "1"},
        stdin=theirs,
        stdout=subprocess.DEVNULL,
    )
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours, env
