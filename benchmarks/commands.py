"""Commands of Gridgate run whole, as an operator does, in processes of their own, and what they used."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.processes import memory

HERE: Final = Path(__file__).resolve().parent.parent
RUN: Final = "import sys; from gridgate.config.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command."""

    cpu: float
    seconds: float
    peak: int
    """Bytes of the largest process."""
    together: int
    """Bytes of all processes at once, shared pages counted once, as seen every half second."""
    output: str


def run(source: Path, data: Path, *arguments: str) -> Run:
    """`gridgate` in a process of its own, by which what it used is told from what other runs did."""
    began = time.monotonic()
    environment = {**os.environ, "GRIDGATE_DATA": str(data), "PYTHONPATH": str(source / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", _MEASURED, sys.executable, "-c", RUN, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    together = [0]
    watching = threading.Thread(target=_watch, args=(process, together), daemon=True)
    watching.start()
    output, _ = process.communicate()
    *printed, measured = output.splitlines()
    if process.returncode:
        raise SystemExit("\n".join(printed))
    used = json.loads(measured)
    return Run(used["cpu"], time.monotonic() - began, used["peak"] * 1024, max(together), "\n".join(printed))


def _watch(process: "subprocess.Popen[str]", together: list[int]) -> None:
    while process.poll() is None:
        together.append(memory(process.pid))
        time.sleep(0.5)


_MEASURED: Final = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss}))
sys.exit(code)
"""
