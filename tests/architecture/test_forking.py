"""A process forked from one that has loaded much is, to the code that it runs, a fresh one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.forking import ROOT, start
from tests.ports import free_port

pytestmark = pytest.mark.processes

SEEN = """
import json, os, sys, time
import django
from django.conf import settings
django.setup()
import gridgate.config.urls
chosen = {name: repr(getattr(settings, name)) for name in dir(settings) if name.isupper()}
print(json.dumps([chosen, dict(os.environ), os.getcwd(), sys.argv, sys.path, time.tzname, __name__, sys.stdout.encoding,
                  sorted(map(str, os.listdir("/proc/self/fd")))]))
"""


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GRIDGATE_")} | more


def test_it_sees_what_a_fresh_one_sees(tmp_path: Path) -> None:
    env = environment(
        GRIDGATE_DATA=str(tmp_path), GRIDGATE_BASE_URL="https://portail.example", TZ="Asia/Tokyo"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", SEEN, "an argument"],
        env=env,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    output, errors = start(SEEN, "an argument", env=env).communicate()
    assert json.loads(output) == json.loads(fresh.stdout), errors


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("pass", 0),
        ("import sys; sys.exit(7)", 7),
        ("raise ValueError", 1),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_its_exit_code_is_its_own(program: str, code: int) -> None:
    process = start(program, env=environment())
    _, errors = process.communicate()
    assert process.returncode == code
    assert ("ValueError" in errors) == (code == 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_can_be_ended(number: signal.Signals) -> None:
    process = start("import time; print('here', flush=True); time.sleep(600)", env=environment())
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.01)
    process.send_signal(number)
    assert process.wait() == -number
    process.communicate()


def test_its_streams_are_those_given(tmp_path: Path) -> None:
    program = "import sys; sys.stderr.write('two '); print(sys.stdin.read())"
    with (tmp_path / "log").open("wb") as log:
        process = start(
            program, env=environment(), stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        )
    assert process.stdin is not None
    process.stdin.write("été")
    process.communicate()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "two été\n"


def test_polars_computes_in_it_with_all_of_its_threads() -> None:
    program = "import polars; print(polars.LazyFrame({'a': range(10**6)}).select(polars.col('a').sum()).collect().item())"
    processes = [start(program, env=environment()) for _ in range(3)]
    assert [process.communicate()[0] for process in processes] == ["499999500000\n"] * 3


def test_what_only_a_fresh_interpreter_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="LANG is read by a fresh interpreter only"):
        start("pass", env=environment(LANG="C"))


def test_it_ends_with_who_asked_for_it_and_so_does_what_it_started() -> None:
    """Even when that one is killed, and has no time to say so."""
    asking = f"""
import os, sys
from tests.forking import start
program = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
program += "print(os.getpid(), child.pid, flush=True); child.wait()"
process = start("import os; " + program, env={{**os.environ}})
print(process.stdout.readline(), flush=True)
os.kill(os.getpid(), {signal.SIGKILL})
"""
    asked = subprocess.run(
        [sys.executable, "-c", asking],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert asked.returncode == -signal.SIGKILL
    left = [Path("/proc", number, "stat") for number in asked.stdout.split()]
    assert len(left) == 2
    deadline = time.monotonic() + 60
    while any(map(_runs, left)):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _runs(stat: Path) -> bool:
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_port_is_given_to_one_only() -> None:
    """Whoever else asks is given another, in this process as in the next."""
    ours = [free_port(), free_port()]  # first: those of a process that has ended are free again
    program = "from tests.ports import free_port; print(free_port(), free_port())"
    others = [start(program, env=environment()) for _ in range(3)]
    theirs = [[int(port) for port in other.communicate()[0].split()] for other in others]
    for pair in (ours, *theirs):
        assert len(set(pair)) == 2
    assert not {*ours} & {port for pair in theirs for port in pair}
