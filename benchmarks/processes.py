"""Processes that are measured: what CPU time they and theirs took, and what memory they hold."""

import os
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from subprocess import Popen
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all below it. Any thread starts children: each has a list."""
    found = [pid]
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in listed.read_text().split()]
        except OSError:
            continue
        found += [below for child in children for below in family(child)]
    return found


def cpu_seconds(pid: int) -> float:
    """Of a process and all below it, those that ended included."""
    return sum(map(_cpu_seconds, family(pid)))


def memory(pid: int) -> int:
    """Bytes of a process and all below it, pages that they share counted once."""
    return sum(map(_memory, family(pid)))


def peak(pid: int) -> int:
    """Bytes that the largest of a process and those below it has held at most."""
    return max(map(_peak, family(pid)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: "Popen[Any]", log: Path, seconds: float = 120) -> None:
    """Until it answers that it is ready."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{log.stem} ended while starting: {log.read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit(f"{log.stem} was not ready in {seconds:.0f} s")


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS  # its own, and of its children that it has waited for


def _memory(pid: int) -> int:
    return _kilobytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def _peak(pid: int) -> int:
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmHWM:")


def _kilobytes(path: Path, name: str) -> int:
    """In bytes; none of a process that has ended."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)
