"""Server processes: started on free ports, measured by their own CPU time, ended by their id."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cpu_seconds, free_port, memory, wait_for

WORKERS = 2
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """CPU time of the server and its workers so far."""
        return cpu_seconds(self.pid)

    def memory(self) -> int:
        return memory(self.pid)


@contextmanager
def serve(app: str, folder: Path) -> Iterator[Server]:
    """Serve one of `benchmarks.applications` while the block runs."""
    port = free_port()
    with (folder / f"{app}.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "asgi", "--workers", str(WORKERS)),
                *("--port", str(port), "--no-access-log", "--log-level", "warning"),
                f"benchmarks.applications:{app}",
            ],
            cwd=ROOT,
            env={**os.environ, "GRIDGATE_BENCH_FOLDER": str(folder)},
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/readyz", process, folder / f"{app}.log")
            yield Server(url, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)
