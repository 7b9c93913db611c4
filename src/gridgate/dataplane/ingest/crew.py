"""Files taken in by several processes at once, with the outcome of one process taking them one after the other.

A process reads, checks and cuts its file beside the others; it stores when all files before it are done, since of two
that differ the later one speaks. So there is one writer at a time. A process that dies takes its file down and no other:
that is told, another is started, and the store has each of its transactions whole or not at all. When this process
ends, however it does, the others find their line cut and end before they store anything more (`python -m` this module).
"""

import errno
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from signal import Signals
from typing import Any, Final, cast

from gridgate.core.errors import GridgateError
from gridgate.dataplane.ingest.aside import SetAside
from gridgate.dataplane.ingest.brief import UNKNOWN, refusal
from gridgate.dataplane.ingest.parquet_process import without_secrets
from gridgate.dataplane.ingest.pipeline import take
from gridgate.dataplane.ingest.progress import Progress, Untold
from gridgate.dataplane.ingest.report import FileReport
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.dataplane.ingest.work import Work
from gridgate.dataplane.store.port import MeasurementStore
from gridgate.dataplane.store.quarantine import Quarantined

MEMORY: Final = 512 * 2**20
"""What a process may need, at most."""
_ALONE: Final = 16 * 2**20
"""Bytes of files that are taken in before other processes would have started."""
_OF_THE_MACHINE: Final = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EAGAIN,
    errno.EPIPE,
}
_LOOK_UP: Final = 1.0
"""Seconds after which waiting begins anew: a signal that comes just before the system waits is seen only after it."""
_TOLD_EVERY: Final = 0.2
"""Seconds between two words of a process on its progress."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file, and what it is called."""

    path: Path
    name: str

    @classmethod
    def of(cls, path: Path) -> "Given":
        return cls(path, str(path))


def take_in(
    files: Sequence[Given],
    work: Work,
    *,
    jobs: int,
    progress: Progress | None = None,
    begin: Callable[[int], None] | None = None,
) -> Generator[list[FileReport], None, None]:
    """What became of each file (of each member of an archive), in the order given, as soon as it is known. Whoever does
    not take all closes it. `begin` is told the number of each file before anything is done with it.

    Raises `GridgateError`, before the first, when no file can be taken (see `Work.require`), and when the store or the
    registry stops answering: what was told before is stored.
    """
    work.require()
    work.tidy()
    progress = progress or Untold()
    if min(jobs, len(files)) > 1:
        with work.shared() as shared:
            yield from _Crew(files, shared, progress, begin).taken(min(jobs, len(files)))
        return
    with work.opened(progress) as ingest:
        for number, file in enumerate(files):
            if begin is not None:
                begin(number)
            yield _outcome(file, ingest)


def _outcome(file: Given, ingest: Ingest) -> list[FileReport]:
    """What became of it. Raises `GridgateError`, and `OSError` for what would befall any file here."""
    try:
        return list(take(file.path, ingest, name=file.name))
    except OSError as error:
        if error.errno in _OF_THE_MACHINE:
            raise
        reason = (
            f"the file cannot be read: {error.strerror or error}; fetch it again, or mend the disk it is on"
        )
        return [refusal(file.name, UNKNOWN, Quarantined("file", reason, ""))]


def usual_jobs(sizes: Sequence[int]) -> int:
    """How many processes files of such sizes are worth on this machine: one a core, as far as memory goes.

    >>> usual_jobs([10_000, 20_000, 30_000])
    1
    """
    if len(sizes) < 2 or sum(sizes) <= _ALONE:
        return 1
    return max(1, min(len(sizes), _cores(), _free_memory() // MEMORY))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free_memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 2 * MEMORY
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), 0)


@dataclass(eq=False, slots=True)
class _Hand:
    """A process, and the file it has in hand."""

    process: "subprocess.Popen[bytes]"
    line: Connection
    file: int | None = None
    waits: bool = False
    """Whether it asked to store."""
    defect: str = ""
    """What it said of a defect before it ended."""
    short: bool = False
    """Whether it said before it ended that it had no memory left."""

    def tell(self, what: object) -> None:
        with suppress(OSError):  # that it died is heard
            self.line.send(what)


@dataclass(slots=True)
class _Crew:
    files: Sequence[Given]
    work: Work
    progress: Progress
    begin: Callable[[int], None] | None = None
    hands: list[_Hand] = field(default_factory=list)
    waiting: deque[int] = field(default_factory=deque)
    done: dict[int, list[FileReport]] = field(default_factory=dict)

    def taken(self, jobs: int) -> Iterator[list[FileReport]]:
        self.waiting.extend(range(len(self.files)))
        try:
            for _ in range(jobs):
                self._start()
            for turn in range(len(self.files)):
                while turn not in self.done:
                    self._listen(turn)
                yield self.done.pop(turn)
        finally:
            for hand in self.hands:
                hand.process.kill()
                hand.process.wait()
                hand.line.close()

    def _start(self) -> None:
        here, there = Pipe()
        with there:
            process = subprocess.Popen(  # noqa: S603  # ourselves
                [sys.executable, "-P", "-m", __name__, str(there.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[there.fileno()],
                # not of the group that a terminal interrupts: this process ends them
                process_group=0,
                env={**without_secrets(), "POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        hand = _Hand(process, here)
        self.hands.append(hand)
        hand.tell(self.work)
        self._give(hand)

    def _give(self, hand: _Hand) -> None:
        """The next file, if there is one."""
        hand.waits = False
        hand.file = self.waiting.popleft() if self.waiting else None
        if hand.file is not None:
            if self.begin is not None:
                self.begin(hand.file)
            hand.tell(self.files[hand.file])

    def _listen(self, turn: int) -> None:
        """Hear what the processes have to say; the one whose turn it is may store."""
        for hand in self.hands:
            if hand.waits and hand.file == turn:
                hand.waits = False
                hand.tell("store")
        busy = {hand.line: hand for hand in self.hands if hand.file is not None}
        for line in wait(list(busy), timeout=_LOOK_UP):
            hand = busy[cast("Connection", line)]
            try:
                self._heard(hand, hand.line.recv())
            except (EOFError, OSError):
                self._lost(hand)

    def _heard(self, hand: _Hand, event: tuple[str, Any]) -> None:
        match event:
            case "read", size:
                self.progress.read(size)
            case "seen", count:
                self.progress.seen(count)
            case "asks", _:
                hand.waits = True
            case "done", reports:
                assert hand.file is not None
                for report in reports:
                    if isinstance(report.quarantined, SetAside):
                        report.quarantined.hold(recv_handle(hand.line))
                self.done[hand.file] = reports
                self._give(hand)
            case "defect", what:
                hand.defect = what
            case "short", _:
                hand.short = True
            case "failed", OSError() as error:
                raise error
            case "failed", (kind, message, remedy, where):
                raise GridgateError(kind, message, remedy=remedy, where=where)

    def _lost(self, hand: _Hand) -> None:
        self.hands.remove(hand)
        hand.line.close()
        code = hand.process.wait()
        assert hand.file is not None
        name = self.files[hand.file].name
        self.done[hand.file] = [
            refusal(
                name, UNKNOWN, Quarantined("file", _how_it_ended(code, hand.defect, short=hand.short), "")
            )
        ]
        if self.waiting:
            self._start()


def _how_it_ended(code: int, defect: str, *, short: bool) -> str:
    """What ended the process, what that did to the file and to the others, and what to do."""
    untouched = "; the other files were not touched by that"
    if defect:
        return (
            f"a defect of Gridgate ended the process that took it in ({defect}){untouched}. Report it, with what standard"
            " error says of it and with the file, if it may be shown; the file is taken in again once it is mended"
        )
    again = "Take this one in again, with --jobs 1 if memory is short"
    if short:
        return f"the process that took it in was given no more memory{untouched}. {again}"
    how = f"by {Signals(-code).name}" if -code in set(Signals) else f"with {code}"
    why = ", as the system does for want of memory" if code == -9 else ""
    said = "" if code < 0 else "; standard error says why, if anything does"
    again = again if code < 0 else "Take this one in again"
    return f"the process that took it in was ended {how}{why}{said}{untouched}. {again}"


class _Told:
    """Progress, told to the process that asked, a few times a second."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._read = self._seen = 0
        self._last = time.monotonic()

    def read(self, size: int) -> None:
        self._read += size
        self._tell()

    def seen(self, count: int) -> None:
        self._seen += count
        self._tell()

    def _tell(self) -> None:
        if time.monotonic() - self._last > _TOLD_EVERY:
            self.flush()

    def flush(self) -> None:
        self._last = time.monotonic()
        self._line.send(("read", self._read))
        self._line.send(("seen", self._seen))
        self._read = self._seen = 0


class _InTurn:
    """A store that is first asked for anything when the files before are done."""

    def __init__(self, store: MeasurementStore, line: Connection) -> None:
        self._store, self._line = store, line
        self._may = False

    def next_file(self) -> None:
        self._may = False

    def __getattr__(self, name: str) -> Any:
        if not self._may:
            self._line.send(("asks", None))
            self._line.recv()
            self._may = True
        return getattr(self._store, name)


def _serve(line: Connection) -> None:
    """Take in each file that comes on the line; end with it."""
    try:
        work = line.recv()
        told = _Told(line)
        with work.opened(told) as ingest:
            store = _InTurn(ingest.store, line)
            ingest = replace(ingest, store=cast("MeasurementStore", store))
            while True:
                file = line.recv()
                store.next_file()
                reports = _outcome(file, ingest)
                told.flush()
                on_disk = [one.quarantined for one in reports if isinstance(one.quarantined, SetAside)]
                line.send(("done", reports))
                for aside in on_disk:
                    send_handle(line, aside.fileno(), None)
    except (EOFError, ConnectionError):
        pass
    except GridgateError as error:
        line.send(("failed", (error.kind, error.message, error.remedy, error.where)))
    except OSError as error:
        line.send(("failed", OSError(error.errno, error.strerror, error.filename)))
    except MemoryError:
        line.send(("short", None))
        raise
    except Exception as error:
        line.send(("defect", f"{type(error).__name__}: {error}"))
        raise


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
