"""VictoriaMetrics, where Debian's package is: a store of metrics without companies, permissions or a log."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import cpu_seconds, free_port, memory, peak, wait_for

NAME = "VictoriaMetrics"


class Victoria:
    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid
        self._http = httpx.Client(base_url=url, timeout=600)

    def cpu(self, work: Callable[[], object]) -> float:
        before = cpu_seconds(self._pid)
        work()
        return cpu_seconds(self._pid) - before

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._pid)

    def memory(self) -> int:
        return memory(self._pid)

    def peak(self) -> int:
        return peak(self._pid)

    def load_csv(self, content: bytes) -> None:
        """Our long CSV, without its header."""
        columns = "1:label:point,4:time:rfc3339,6:metric:load"
        self._http.post(
            "/api/v1/import/csv", params={"format": columns}, content=content.partition(b"\n")[2]
        ).raise_for_status()
        self._settle()

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path).raise_for_status()

    def fill(self, points: list[str], first: int, values: NDArray[Any], step: int = 1800) -> None:
        at = (first + step * np.arange(values.shape[1])) * 1000
        times = ",".join(map(str, at.tolist()))
        for part in np.array_split(np.arange(len(points)), max(1, values.size // 500_000)):
            lines = [
                f'{{"metric":{{"__name__":"load","point":"{points[n]}"}},"timestamps":[{times}],'
                f'"values":[{",".join(map(str, values[n].tolist()))}]}}'
                for n in part
            ]
            self._http.post("/api/v1/import", content="\n".join(lines).encode()).raise_for_status()
        self._settle()

    def total(self, start: int, end: int) -> float:
        """Of the sum of all points for each half hour."""
        answer = self._http.get(
            "/api/v1/query_range",
            params={"query": "sum(load)", "start": start, "end": end - 1800, "step": "1800", "nocache": "1"},
        ).raise_for_status()
        (series,) = answer.json()["data"]["result"]
        return sum(float(value) for _, value in series["values"])

    def _settle(self) -> None:
        """What was taken in is on disk, and can be asked for."""
        self._http.get("/internal/force_flush").raise_for_status()


@contextmanager
def victoria(folder: Path) -> Iterator[Victoria | None]:
    program = shutil.which("victoria-metrics")
    if program is None:
        yield None
        return
    port = free_port()
    log = folder / "victoria.log"
    process = subprocess.Popen(
        [
            program,
            f"-storageDataPath={folder / 'victoria'}",
            f"-httpListenAddr=127.0.0.1:{port}",
            *("-retentionPeriod=10y", "-search.maxUniqueTimeseries=1000000", "-search.disableCache"),
            "-search.latencyOffset=0s",
        ],
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield Victoria(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(60)
