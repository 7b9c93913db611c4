"""One durable write for all who wait for one.

A request hands over what it has to write and waits. A thread takes whatever has gathered, writes it, waits for the disk
once, and lets all of them go; meanwhile the next group gathers. So a request waits for two flushes at most, and their
number does not grow with the number of requests.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class GroupCommit(Generic[Job, Outcome]):
    """Writes groups, one after the other, in a thread that begins with the first. Safe to use from several threads and
    event loops at once.

    `write` is given the jobs of a group and returns, in their order, what became of each: durably done, or an error.
    `closed` is the error of whoever comes too late.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[Sequence[Job]], Sequence[Outcome | Exception]],
        *,
        closed: Callable[[], Exception],
    ) -> None:
        self._name = name
        self._write = write
        self._closed = closed
        self._gathered: list[_Waiting[Job, Outcome]] = []
        self._turns: dict[asyncio.AbstractEventLoop, list[_Waiting[Job, Outcome]]] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def done(self, job: Job) -> Outcome:
        """Write, and return when it is durable. Raises what became of it."""
        waiting: _InAThread[Job, Outcome] = _InAThread(job)
        self._hand_over([waiting])
        waiting.event.wait()
        assert waiting.outcome is not None
        (outcome,) = waiting.outcome
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def durable(self, job: Job) -> Outcome:
        """The same, without holding up the event loop.

        What the tasks of one turn of the loop have to write is handed over together at its end: requests that arrive
        together share a flush.
        """
        loop = asyncio.get_running_loop()
        waiting: _OnALoop[Job, Outcome] = _OnALoop(job, loop, loop.create_future())
        turn = self._turns.setdefault(loop, [])
        turn.append(waiting)
        if len(turn) == 1:
            loop.call_soon(self._end_turn, loop)
        return await waiting.future

    def close(self) -> None:
        """Write what has gathered and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._turns.pop(loop)
        try:
            self._hand_over(turn)
        except Exception as error:  # noqa: BLE001 -- whatever it is, they wait for it
            for waiting in turn:
                waiting.resolve(error)

    def _hand_over(self, waiting: "Sequence[_Waiting[Job, Outcome]]") -> None:
        with self._changed:
            if self._closing:
                raise self._closed()
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()  # which the system may refuse: then the next one tries again
                self._thread = thread
            self._gathered += waiting
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._gathered and not self._closing:
                    self._changed.wait()
                group, self._gathered = self._gathered, []
            if not group:
                return
            outcomes: Sequence[Outcome | Exception]
            try:
                outcomes = self._write([waiting.job for waiting in group])
            except Exception as error:  # noqa: BLE001 -- a defect; those who wait must learn of it all the same
                outcomes = [error] * len(group)
            _let_go(list(zip(group, outcomes, strict=True)))


@dataclass(slots=True)
class _Waiting(Generic[Job, Outcome]):
    """Someone who waits for their job to be durable."""

    job: Job

    def loop(self) -> asyncio.AbstractEventLoop | None:
        """Where it is to be resolved; None: anywhere."""
        return None

    def resolve(self, outcome: Outcome | Exception) -> None:
        raise NotImplementedError


@dataclass(slots=True)
class _InAThread(_Waiting[Job, Outcome]):
    event: threading.Event = field(default_factory=threading.Event)
    outcome: tuple[Outcome | Exception] | None = None

    def resolve(self, outcome: Outcome | Exception) -> None:
        self.outcome = (outcome,)
        self.event.set()


@dataclass(slots=True)
class _OnALoop(_Waiting[Job, Outcome]):
    of: asyncio.AbstractEventLoop
    future: asyncio.Future[Outcome]

    def loop(self) -> asyncio.AbstractEventLoop:
        return self.of

    def resolve(self, outcome: Outcome | Exception) -> None:
        if self.future.done():  # the request was given up
            return
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)


def _let_go(told: "Sequence[tuple[_Waiting[Job, Outcome], Outcome | Exception]]") -> None:
    """Tell everyone who waits, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiting[Job, Outcome], Outcome | Exception]]] = {}
    for waiting, outcome in told:
        loop = waiting.loop()
        if loop is None:
            waiting.resolve(outcome)
        else:
            by_loop.setdefault(loop, []).append((waiting, outcome))
    for loop, there in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, there)
        except RuntimeError:  # the loop was closed meanwhile: nobody is waiting any more
            continue


def _resolve_all(told: "Sequence[tuple[_Waiting[Job, Outcome], Outcome | Exception]]") -> None:
    for waiting, outcome in told:
        waiting.resolve(outcome)
