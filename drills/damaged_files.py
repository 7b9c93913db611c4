"""Damage each file of an instance in each way, and ask the installed commands.

Done to a copy each time: the registry, the measurements, the secret key, the key of receipts and the access log are
missing, empty, cut short, filled with garbage, or a folder (the log's folder: missing, or a file).

Seen must be: `check` ends with 1 and names the file; `audit verify`, `serve` and `worker` end with 2 and one message, or
go on as the file allows; nobody prints a traceback, and nothing is made in the place of what is lost.
"""

import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from drills.instance import GRIDGATE, demo_instance, free_port

Say = Callable[[str], None]
FILES = ("registry.sqlite3", "measurements.sqlite3", "keys/secret_key", "keys/receipts.pem")
WAYS: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "garbage": lambda path: path.write_bytes(b"\xff\x00garbage" * 900),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
LOG_WAYS: dict[str, Callable[[Path], object]] = {
    "missing": shutil.rmtree,
    "a file": lambda path: (shutil.rmtree(path), path.write_bytes(b"")),
}
LONGEST = 300
"""Seconds within which a command ends, or is at work."""
HUNG = -1
"""The exit code of one that did neither."""
A_WHILE = 5
"""Seconds for which what is at work goes on, to say what goes wrong then."""


def run(say: Say) -> bool:
    cases = [(name, way, do) for name in FILES for way, do in WAYS.items()]
    cases += [("accesslog", way, do) for way, do in LOG_WAYS.items()]
    with demo_instance() as template:
        seen = [_damage(template, *case, say) for case in cases]
    return all(seen)


def _damage(template: Path, name: str, way: str, do: Callable[[Path], object], say: Say) -> bool:
    with TemporaryDirectory(prefix="gridgate-drill-") as folder:
        data = Path(shutil.copytree(template, Path(folder) / "instance"))
        do(data / name)
        port = free_port()
        checked, said = _ask(data, "check")
        told = [
            _ask(data, "audit", "verify"),
            _ask(data, "serve", "--port", str(port), at_work=lambda _: _answers(port)),
            _ask(data, "worker", at_work=_waits_for_its_end),
        ]
        seen = (
            checked == 1
            and name in said
            and all(code in (None, 0, 1, 2) for code, _ in told)
            and not any("Traceback" in text for _, text in (*told, (0, said)))
        )
        codes = ", ".join("went on" if code is None else str(code) for code, _ in told)
        say(
            f"{name} {way}: check {checked}; verify, serve, worker: {codes}{'' if seen else '   NOT AS IT MUST BE'}"
        )
        if not seen:
            for _, text in ((checked, said), *told):
                say(f"  {text.strip()[-300:]}")
        return seen


def _ask(
    data: Path, *arguments: str, at_work: Callable[[int], bool] = lambda _: False
) -> tuple[int | None, str]:
    """The exit code and what was printed; no code when it went on working."""
    with TemporaryFile() as output:
        process = subprocess.Popen(
            [str(GRIDGATE), "--data", str(data), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code = _ended_or_at_work(process, at_work)
        finally:
            _stop(process)
        output.seek(0)
        return code, output.read().decode(errors="replace")


def _ended_or_at_work(process: "subprocess.Popen[bytes]", at_work: Callable[[int], bool]) -> int | None:
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return process.returncode
        if at_work(process.pid):
            with suppress(subprocess.TimeoutExpired):
                return process.wait(A_WHILE)
            return None
        time.sleep(0.1)
    return HUNG


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _waits_for_its_end(pid: int) -> bool:
    """Whether a process has said what it does when it is told to stop: a worker does before its first round."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        return bool(int(status.partition("SigCgt:")[2].split()[0], 16) >> (signal.SIGTERM - 1) & 1)
    return False
