"""The worker that `gridgate serve` starts comes back, whatever keeps it from that for a while."""

import errno
import subprocess
import threading
from typing import Any

import pytest

from gridgate.config.commands import serve
from tests.waiting import PATIENCE


class Child:
    """A process; it lives until it is told to end when it is to stay."""

    returncode = 1

    def __init__(self, *, stays: bool = False) -> None:
        self._over, self.waited_for = threading.Event(), threading.Event()
        if not stays:
            self._over.set()

    def wait(self, timeout: float | None = None) -> int:
        self.waited_for.set()
        assert self._over.wait(PATIENCE)
        return self.returncode

    def terminate(self) -> None:
        self._over.set()


def test_one_that_cannot_be_started_is_started_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    steady = Child(stays=True)
    starts: list[Child | OSError] = [
        Child(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        steady,
    ]

    def start(*_: Any, **__: Any) -> Child:
        started = starts.pop(0)
        if isinstance(started, OSError):
            raise started
        return started

    monkeypatch.setattr(serve, "RESTART_SECONDS", 0)
    monkeypatch.setattr(subprocess, "Popen", start)
    worker = serve.Worker()
    assert steady.waited_for.wait(PATIENCE)
    worker.stop()
    assert "cannot be started: [Errno 12] Cannot allocate memory" in caplog.text
