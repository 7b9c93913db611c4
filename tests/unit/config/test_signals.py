"""A signal is heard wherever it finds a process: its handler runs in the thread that waits, amid whatever that does."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import pytest
from granian.server import common

from gridgate.config import supervision, worker
from gridgate.config.environment import Environment
from gridgate.config.supervision import WebProcesses
from tests.waiting import PATIENCE

LOOPS = ("work", "_serve_loop")


def returns(act: Callable[[], object], line: int, signalled: Callable[[], object]) -> bool:
    """Whether `act` comes to its end with a signal that arrives at that line of what it waits by."""

    def main() -> None:
        left = [line]

        def trace(frame: FrameType, event: str, argument: object) -> Any:
            caller = frame.f_back and frame.f_back.f_code.co_name
            if frame.f_code.co_name != "wait" or caller not in LOOPS:
                return None
            left[0] -= event == "line"
            if event == "line" and left[0] == 0:
                signalled()
            return trace

        sys.settrace(trace)
        try:
            act()
        finally:
            sys.settrace(None)

    thread = Thread(target=main, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


LINES = pytest.mark.parametrize("line", [1, 2, 3])


@pytest.fixture
def server() -> WebProcesses:
    server = WebProcesses("gridgate.config.asgi:application")
    server.main_loop_interrupt.set()  # as when a process has died: the loop looks, and waits again
    return server


@LINES
def test_serve_ends_on_one_that_comes_while_it_begins_or_ends_to_wait(
    server: WebProcesses, line: int
) -> None:
    assert returns(lambda: server._serve_loop(None, None), line, server.signal_handler_interrupt)


def test_serve_looks_again_though_nothing_woke_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python sees a signal that comes just before the system waits only once that is over."""
    monkeypatch.setattr(supervision, "LOOK_UP", 0.01)
    server = WebProcesses("gridgate.config.asgi:application")
    server.interrupt_signal = True
    waiting = Thread(target=lambda: server._serve_loop(None, None), daemon=True)
    waiting.start()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()


def test_serve_ends_on_one_that_comes_while_it_begins_to_start_its_processes_anew(
    server: WebProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def told(text: str) -> None:
        begun.append(text)
        server.signal_handler_interrupt()

    monkeypatch.setattr(common.logger, "info", told)
    monkeypatch.setattr(server, "_respawn_workers", lambda *_, **__: None)
    server.signal_handler_reload()
    assert returns(lambda: server._serve_loop(None, None), 0, lambda: None)
    assert len(begun) == 1


@LINES
def test_the_worker_ends_on_one_that_comes_while_it_begins_or_ends_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int
) -> None:
    handlers: dict[int, Callable[..., object]] = {}
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(worker, "_stop_with_parent", lambda stop: None)
    monkeypatch.setattr(worker, "jobs", lambda environment: [])
    monkeypatch.setattr(worker, "do", lambda job, now: None)
    monkeypatch.setattr(worker.Mail, "fill_seats", lambda self: None)
    assert returns(
        lambda: worker.run(Environment(data=tmp_path)),
        line,
        lambda: handlers[signal.SIGTERM](signal.SIGTERM, None),
    )
