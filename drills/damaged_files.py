"""Damage each file of an instance in each way, and ask the installed commands.

Done to a copy each time: the registry, the measurements, the secret key, the key of receipts and the access log are
missing, empty, cut short, filled with garbage, or a folder (the log's folder: missing, or a file).

Seen must be: `check` ends with 1 and names the file; `audit verify`, `serve` and `worker` end with 2 and one message, or
go on as the file allows; nobody prints a traceback, and nothing is made in the place of what is lost.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

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
LONGEST = 20
"""Seconds after which a server that started is taken to go on, and is stopped."""


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
        checked, said = _ask(data, "check", longest=300)
        told = [
            _ask(data, *command)
            for command in (("audit", "verify"), ("serve", "--port", str(free_port())), ("worker",))
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
            say(f"  {said.strip()[:300]}")
        return seen


def _ask(data: Path, *arguments: str, longest: float = LONGEST) -> tuple[int | None, str]:
    """The exit code and what was printed; no code when it went on working."""
    process = subprocess.Popen(
        [str(GRIDGATE), "--data", str(data), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said, _ = process.communicate(timeout=longest)
    except subprocess.TimeoutExpired:
        process.terminate()
        said, _ = process.communicate()
        return None, said
    return process.returncode, said
