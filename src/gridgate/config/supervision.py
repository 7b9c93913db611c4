"""The web processes of `gridgate serve`: started again when they die, one by one, and ended with their parent.

Granian ends everything when a process dies again soon after it was started anew, and leaves its processes behind when
it is killed itself. Both are decided here instead: by a loader, which the library calls in each web process, and by the
loop that waits for what happens to them (`WebProcesses._serve_loop`), the one thing of the library that is replaced.
"""

import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from typing import Any, Final

from granian.server.mp import MPServer

from gridgate.config.environment import Environment, read_environment
from gridgate.core.errors import ErrorKind, GridgateError

_log = logging.getLogger(__name__)

STEADY_SECONDS: Final = 10.0
"""A process that lived that long did not die of its start: it is started again at once."""
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 5.0
LOOK_UP: Final = 1.0
_PR_SET_PDEATHSIG: Final = 1


class Interrupt:
    """What the loop waits for, in place of the library's event: handlers of signals set it, which run in the thread that
    waits, and would wait for ever for the lock that it holds. Whoever waits takes it; nothing that comes later is lost.
    """

    def __init__(self) -> None:
        self._told: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._told.put(None)

    def wait(self, timeout: float | None = None) -> None:
        """At most `LOOK_UP` seconds: a signal that comes just before the system waits is seen only after it."""
        with suppress(Empty):
            self._told.get(timeout=LOOK_UP if timeout is None else min(timeout, LOOK_UP))

    def clear(self) -> None:
        """The library does so before it starts its processes anew, and what came just then would never be looked at."""


class WebProcesses(MPServer):  # type: ignore[misc]
    """Granian, which never gives up on a process that has worked."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.main_loop_interrupt = Interrupt()
        # Where the library's threads note each process that ended, for it to end with 1 itself: one of them may come to
        # that after everything was decided. Nothing is kept of it, and who lives is asked of the processes.
        self.interrupt_children = deque[int](maxlen=0)
        self._told, self._tell = multiprocessing.Pipe(duplex=False)
        self._pauses: dict[int, float] = {}
        """How long each process that died waits when it dies again."""
        self._failed: set[int] = set()
        self._loaded = False
        self._hopeless = False

    def run(self, environment: Environment) -> None:
        """Serve until told to stop.

        Raises `GridgateError` (INTERNAL) when every process ends before it could answer anything.
        """
        # Twice as many places as processes: on SIGHUP the old ones live a while beside the new.
        self.serve(
            target_loader=partial(_load, os.getpid(), 2 * environment.workers, self._tell), wrap_loader=False
        )
        if self._hopeless:
            raise GridgateError(
                ErrorKind.INTERNAL,
                "the web processes end while they start",
                remedy="What each of them said stands above; gridgate check looks at the instance.",
            )

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        due: dict[int, float] = {}
        while True:
            wait = max(0.0, min(due.values()) - time.monotonic()) if due else None
            self.main_loop_interrupt.wait(wait)
            if self.interrupt_signal:
                break
            if self.reload_signal:
                self._reload(spawn_target, target_loader)
                due.clear()
            now = time.monotonic()
            for worker in self.wrks:
                if worker.idx not in due and not worker.is_alive():
                    due[worker.idx] = now + self._pause(worker, now)
            if self._hopeless:
                break
            for number in [number for number, at in due.items() if at <= now]:
                del due[number]
                self._start_again(number, spawn_target, target_loader)

    def _start_again(self, number: int, spawn_target: Any, target_loader: Any) -> None:
        _log.warning("web process %s is started again", number + 1)
        worker = self._spawn_worker(idx=number, target=spawn_target, callback_loader=target_loader)
        worker.start()
        self.wrks[number] = worker

    def _pause(self, worker: Any, now: float) -> float:
        """How long a process that died waits; none the first time."""
        while self._told.poll():
            self._told.recv_bytes()
            self._loaded = True
        if not self._loaded and worker.inner.exitcode != 0:
            self._failed.add(worker.idx)
            self._hopeless = len(self._failed) == self.workers
        before = 0.0 if now - worker.birth > STEADY_SECONDS else self._pauses.get(worker.idx, 0.0)
        self._pauses[worker.idx] = min(max(2 * before, FIRST_PAUSE), LONGEST_PAUSE)
        return before


def end_with_parent(parent: int) -> None:
    """See to it that this process ends when its parent does, however that ends. Call it in the child."""
    if sys.platform == "linux" and _tied_by_the_system():
        if os.getppid() != parent:  # it ended before that
            _end()
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        _end()

    threading.Thread(target=watch, name="parent-watcher", daemon=True).start()


def _tied_by_the_system() -> bool:
    # The system ends the child with the thread that started it: Granian's is the main one.
    return bool(ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _load(parent: int, places: int, tell: Connection) -> Any:
    """The application; called in each web process."""
    from gridgate.dataplane.http import shared_metrics

    end_with_parent(parent)
    try:
        shared_metrics.share(read_environment().metrics, places)
        from gridgate.config.asgi import application
    except GridgateError as error:
        _log.error("%s", error)
        sys.exit(2)
    tell.send_bytes(b"loaded")
    return application
