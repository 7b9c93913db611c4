"""The processes of `gridgate serve`: one that dies comes back, and none outlives the one that started them."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests import forking
from tests.instance import GRIDGATE, Server, serve
from tests.ports import free_port
from tests.waiting import until


@pytest.fixture(scope="module")
def servers(empty_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    data = tmp_path_factory.mktemp("serving") / "instance"
    shutil.copytree(empty_template, data)
    started = [serve(data)]
    yield started
    started[-1].stop()


@pytest.fixture
def server(servers: list[Server]) -> Server:
    """The one that all tests kill processes of; another where one of them has killed it whole."""
    if servers[-1].process.poll() is not None:
        servers.append(serve(servers[-1].data))
    return servers[-1]


def children(pid: int) -> dict[int, str]:
    """The living processes that this one started, and their command lines; its threads may have started some."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            if int(parent) == pid and state != "Z":
                found[int(path.parent.name)] = path.with_name("cmdline").read_text()
    return found


def lives(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def web_processes(server: Server) -> set[int]:
    return {pid for pid, command in children(server.process.pid).items() if "worker" not in command}


def answers(server: Server) -> bool:
    """Whether any of the processes that hold the port does: a connection to one that was killed is reset."""
    with suppress(httpx.TransportError):
        return httpx.get(f"{server.base_url}/healthz").status_code == 200
    return False


def test_a_web_process_killed_again_and_again_comes_back(server: Server) -> None:
    steady, victim = sorted(web_processes(server))
    for _ in range(2):
        os.kill(victim, signal.SIGKILL)
        until(lambda dead=victim: len(web_processes(server) - {dead}) == 2, "another web process")
        (victim,) = web_processes(server) - {steady}
        assert server.process.poll() is None
        until(lambda: answers(server), "an answer")
    assert steady in web_processes(server), "the others go on"
    assert "is started again" in server.said()


def test_all_web_processes_killed_at_once_come_back(server: Server) -> None:
    killed = web_processes(server)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(web_processes(server) - killed) == 2, "two web processes")
    until(lambda: answers(server), "an answer")


def test_nothing_outlives_the_parent_and_the_port_is_free(server: Server) -> None:
    started = children(server.process.pid)
    assert len(started) == 3, "two web processes and the worker"
    server.process.kill()
    server.process.wait()
    until(lambda: not any(map(lives, started)), "the end of what it started")
    with socket.socket() as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(("127.0.0.1", server.port))


AT_ONCE = ""
LATE = """
from granian.server.mp import MPServer

def noted_late(server, stop=MPServer._stop_workers):
    stop(server)
    server.interrupt_children.append(0)

MPServer._stop_workers = noted_late
"""
"""The library's thread that waits for a process comes to note its end only while the server shuts down."""


@pytest.mark.parametrize("noted", [AT_ONCE, LATE])
def test_ends_with_a_message_when_no_web_process_can_start(
    tmp_path: Path, empty_instance: Path, noted: str
) -> None:
    # What only the web processes read, and cannot.
    broken = f"import sys; sys.modules['gridgate.facades'] = None\n{noted}"
    process = forking.start(
        f"{broken}\n{GRIDGATE}",
        *("--data", str(empty_instance), "serve", "--port", str(free_port()), "--plane", "data"),
        name="gridgate",
        env={name: value for name, value in os.environ.items() if not name.startswith("GRIDGATE_")},
        cwd=tmp_path,
    )
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 2, output + errors
    assert "the web processes end while they start" in errors
