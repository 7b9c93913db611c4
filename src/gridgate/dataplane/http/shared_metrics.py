"""Metrics of several processes, added up through files that are written and never mapped.

The library's own way maps sparse files into memory, and a process that touches a page of one when its disk is full is
ended by the system (SIGBUS). Here each value is kept by its process, and a thread writes those that changed in a moment
to its file together: a request changes five. What cannot be written is told once, goes on being counted, and is written
when there is room again. The files are the library's own, which its collector adds up; what a process that is killed
counted in its last moment is lost.

A process takes one place of several and holds it until it ends, however it ends. Whoever takes the place next goes on
from what it finds there: what a process counted stays counted, and there are never more files than places. A gauge
would have to be forgotten with its process; there is none.
"""

import atexit
import errno
import fcntl
import logging
import os
import struct
import threading
import time
from pathlib import Path
from typing import Any, Final

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict, mmap_key

_log = logging.getLogger(__name__)

MOMENT: Final = 0.25
"""Seconds during which changes gather."""

_USED: Final = struct.Struct("ii")
_VALUE: Final = struct.Struct("dd")
_FIRST: Final = _USED.size


class _Place:
    """What this process shares: nothing until `share` has found a place."""

    directory: Path | None = None
    number: int = 0
    lock: int = -1
    files: dict[str, "_File"] = {}
    changes: "_Changes"


def share(directory: Path, places: int) -> bool:
    """Write this process's metrics where the others' are; False when that cannot be, and it counts for itself.

    To be called before the first metric is made, that is before `gridgate.dataplane.http.metrics` is loaded.
    """
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        taken = _take(directory, places)
        if taken is None:
            raise OSError("every place is taken")
        _Place.number, _Place.lock = taken
        _Place.files = {
            kind: _File(directory / f"{kind}_{_Place.number}.db") for kind in ("counter", "histogram")
        }
    except OSError as error:
        _log.warning("metrics are kept by each web process, and not added up: %s", error.strerror or error)
        return False
    _Place.changes = _Changes()
    _Place.directory = directory
    values.ValueClass = SharedValue
    return True


def write_changes() -> None:
    """Write what changed and is not written yet, now."""
    for file in _Place.files.values():
        file.write_changes()


def shared_directory() -> Path | None:
    """Where this process's metrics are added to those of others; None when it counts for itself."""
    return _Place.directory


class SharedValue:
    """What the library asks of a value."""

    _multiprocess = True

    def __init__(
        self,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: Any,
        labelvalues: Any,
        help_text: str,
        **_: Any,
    ) -> None:
        self._file = _Place.files[typ]
        self._key = mmap_key(metric_name, name, labelnames, labelvalues, help_text)
        self._lock = threading.Lock()
        self._value = self._file.begin(self._key)

    def inc(self, amount: float) -> None:
        with self._lock:
            self._value += amount
            self._file.change(self._key, self._value)

    def set(self, value: float, timestamp: float | None = None) -> None:
        with self._lock:
            self._value = value
            self._file.change(self._key, value)

    def get(self) -> float:
        return self._value

    def set_exemplar(self, exemplar: Any) -> None:
        """Exemplars are of one process."""

    def get_exemplar(self) -> None:
        return None


class _File:
    """Values by key, in the library's format: bytes in use, then of each its key and two doubles."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._positions: dict[str, int] = {}
        self._values: dict[str, float] = {}
        self._behind: dict[str, None] = {}
        """The keys whose values are not written yet."""
        self._told = False
        self._used = _FIRST
        if os.fstat(self._descriptor).st_size < _FIRST:
            self._put(_USED.pack(_FIRST, 0), 0)
            return
        self._used = _USED.unpack(os.pread(self._descriptor, _FIRST, 0))[0]
        for key, value, _, position in MmapedDict.read_all_values_from_file(path):  # type: ignore[no-untyped-call]
            self._positions[key] = position
            self._values[key] = value

    def begin(self, key: str) -> float:
        """The value to go on from."""
        value = self._values.get(key, 0.0)
        self._values[key] = value
        self._behind[key] = None
        self.write_changes()
        return value

    def change(self, key: str, value: float) -> None:
        """Have it written soon. Never waits, never fails."""
        self._values[key] = value
        self._behind[key] = None
        _Place.changes.write_soon()

    def write_changes(self) -> None:
        with self._lock:
            try:
                for key in list(self._behind):  # what changes meanwhile is for the next time
                    self._behind.pop(key, None)
                    self._write(key)
            except OSError as error:
                if not self._told:
                    _log.warning(
                        "metrics cannot be written for now, and go on being counted: %s", error.strerror
                    )
                self._told = True
            else:
                self._told = False

    def _write(self, key: str) -> None:
        value, position = self._values[key], self._positions.get(key)
        try:
            if position is None:
                self._add(key, value)
            else:
                self._put(_VALUE.pack(value, 0.0), position)
        except OSError:
            self._behind[key] = None
            raise

    def _add(self, key: str, value: float) -> None:
        encoded = key.encode()
        padded = encoded + b" " * (8 - (len(encoded) + 4) % 8)
        entry = struct.pack(f"i{len(padded)}s", len(encoded), padded) + _VALUE.pack(value, 0.0)
        self._put(entry, self._used)
        # Whoever reads meanwhile reads what is in use: the entry counts from here on.
        self._put(_USED.pack(self._used + len(entry), 0), 0)
        self._used += len(entry)
        self._positions[key] = self._used - _VALUE.size

    def _put(self, data: bytes, at: int) -> None:
        if os.pwrite(self._descriptor, data, at) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Changes:
    """The thread that writes them; it begins with the first."""

    def __init__(self) -> None:
        self._some = threading.Event()
        self._begun = False

    def write_soon(self) -> None:
        if self._some.is_set():
            return
        self._some.set()
        if not self._begun:
            self._begun = True
            try:
                threading.Thread(target=self._run, name="metrics", daemon=True).start()
            except RuntimeError:  # the system refuses one for now: the next change tries again
                self._begun = False
                self._some.clear()
                return
            atexit.register(write_changes)

    def _run(self) -> None:
        while True:
            self._some.wait()
            time.sleep(MOMENT)
            self._some.clear()
            write_changes()


def _take(directory: Path, places: int) -> tuple[int, int] | None:
    """The first place that no living process holds, and what holds it."""
    for number in range(1, places + 1):
        lock = os.open(directory / f"place_{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return number, lock
    return None
