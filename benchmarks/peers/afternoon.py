"""FastAPI and PostgreSQL rows, as an engineer would in an afternoon (`app.py`), started here and measured."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import cpu_seconds, free_port, memory, peak, wait_for

HERE = Path(__file__).resolve().parent
VENV = HERE.parent.parent / "var" / "bench-peers"
LONGEST = 1800


class Afternoon:
    """The peer, with empty tables."""

    def __init__(self, name: str, url: str, pids: list[int]) -> None:
        self.name = name
        self.url = url
        self._pids = pids
        self._http = httpx.Client(base_url=url, timeout=LONGEST)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._http.get(path, **options).raise_for_status()

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self._http.post(path, **options).raise_for_status()

    def cpu(self, work: Callable[[], object]) -> float:
        """Seconds of CPU of its processes while the work is done."""
        before = self.cpu_seconds()
        work()
        return self.cpu_seconds() - before

    def cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, self._pids))

    def memory(self) -> int:
        return sum(map(memory, self._pids))

    def peak(self) -> int:
        return max(map(peak, self._pids))

    def fill(self, points: list[str], first: int, values: NDArray[Any], step: int = 1800) -> None:
        """Values of each point from the instant `first` on, a row of `values` for each."""
        for part in np.array_split(np.arange(len(points)), max(1, values.size // 500_000)):
            packed = [(points[n], first, step, values[n].tolist()) for n in part]
            self.post("/files", params={"form": "packed"}, content=json.dumps(packed).encode())

    def token(self, reader: int, points: Iterable[str]) -> tuple[str, str]:
        """A client that may read the points: its token, and the form by which it asks for one."""
        consents = [(n, point, 1, reader) for n, point in enumerate(points, 1)]
        self.post("/consents", json=consents)
        self.post("/clients", json={"id": "tiers1", "secret": "a long secret", "reader": reader})
        form = {"client_id": "tiers1", "client_secret": "a long secret"}
        return self.post("/token", data=form).json()["access_token"], str(httpx.QueryParams(form))


@contextmanager
def afternoon(folder: Path, *, workers: int = 1) -> Iterator[Afternoon]:
    """With PostgreSQL where Debian's is, else with SQLite, which its name tells."""
    python = _environment()
    port = free_port()
    with ExitStack() as stack:
        pids, kind = [], "PostgreSQL"
        if programs := _programs():
            database, pid = stack.enter_context(_postgres(programs))
            pids.append(pid)
        else:
            database, kind = folder / "afternoon.sqlite3", "SQLite"
        log = folder / "afternoon.log"
        process = subprocess.Popen(
            [
                *(python, "-m", "uvicorn", "app:app", "--port", str(port), "--workers", str(workers)),
                *("--no-access-log", "--log-level", "warning"),
            ],
            cwd=HERE,
            env={**os.environ, "AFTERNOON_DATABASE": str(database)},
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
        )
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        wait_for(f"http://127.0.0.1:{port}/", process, log)
        peer = Afternoon(f"FastAPI + {kind} rows", f"http://127.0.0.1:{port}", [process.pid, *pids])
        peer.post("/tables")
        yield peer


def _environment() -> Path:
    """The peer's own, made once for what `requirements.txt` asks."""
    python, asked = VENV / "bin" / "python", HERE / "requirements.txt"
    made = VENV / "made-of.txt"
    if not made.is_file() or made.read_bytes() != asked.read_bytes():
        shutil.rmtree(VENV, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)
        uv = Path(sys.executable).with_name("uv")
        subprocess.run(
            [uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", asked], check=True
        )
        shutil.copyfile(asked, made)
    return python


def _programs() -> Path | None:
    """PostgreSQL's, of the newest version that Debian's packages put here."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return there[-1].parent if there else None


@contextmanager
def _postgres(programs: Path) -> Iterator[tuple[Path, int]]:
    """A server of its own, with the settings it comes with, on a socket alone: its folder, and its process."""
    # Under /var/tmp: on a disk, and in reach of the account that it runs under, for it refuses root.
    account = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    made = subprocess.run(
        ["mktemp", "-d", "/var/tmp/bench-XXXXXX"], user=account, capture_output=True, text=True, check=True
    )
    folder = Path(made.stdout.strip())
    try:
        subprocess.run(
            [
                programs / "initdb",
                "-D",
                folder / "data",
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
            ],
            user=account,
            stdout=subprocess.DEVNULL,
            check=True,
            cwd="/",
        )
        process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses="],
            user=account,
            stderr=(HERE.parent.parent / "var" / "bench-postgres.log").open("wb"),
            cwd="/",
        )
        try:
            _wait_for_postgres([programs / "pg_isready", "-q", "-h", folder, "-U", "postgres"])
            yield folder, process.pid
        finally:
            process.terminate()
            process.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_postgres(asked: list[str | Path]) -> None:
    for _ in range(600):
        if subprocess.run(asked, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise SystemExit("PostgreSQL was not ready in a minute")
