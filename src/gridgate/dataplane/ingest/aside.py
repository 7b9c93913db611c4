"""What is set aside of a file, in the order of the file: told one by one, however much it is.

More than fits in memory is written to a file that has no name, which is gone with whoever holds it: sorted runs, read
together when they are told.
"""

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from heapq import merge
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, overload

import orjson

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.store.port import StoreUnavailable
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject

HELD: Final = 50_000
"""Held in memory at most."""
_ROOM: Final = 3
"""How many times what is written here must be free beside it: it comes into the log of the store, and into the store."""
_WINDOW: Final = 65_536
_COPIED: Final = 2**20
_NUMBERS: Final = re.compile(r"\d{1,18}")
"""A longer one is a column's strange name."""

_Entry = tuple[list[int], Quarantined, str | None]
"""Where it stands, itself, and the name of its meter where that alone tells what it is of."""


class NoRoomToTell(GridgateError):
    """More is set aside than there is room for on disk: then it is the file that is amiss."""


class SetAside(Sequence[Quarantined]):
    """Those of one file, by the numbers in their places, line 9 before line 10; of those that stand in one place, in the
    order in which they were added."""

    def __init__(
        self, folder: Path | None = None, told: Callable[[Quarantined], Quarantined] | None = None
    ) -> None:
        """`folder` is where there is room; `told` makes of each what people are told, and leaves its place."""
        self._folder, self._told = folder, told
        self._held: list[_Entry] = []
        self._runs: list[tuple[int, int]] = []
        self._written = 0
        self._file: _Open | None = None
        self._named: dict[str, tuple[str, ...]] = {}
        self._points: dict[str, str] = {}

    def add(self, item: Quarantined, meter: Sequence[str] = ()) -> None:
        """`meter` are the names of the meter that it is of, when its point is to be told by them (`named`, `lead_to`).

        Raises `NoRoomToTell`, and `StoreUnavailable` when the disk fails."""
        if meter:
            self._named.setdefault(meter[0], tuple(meter))
        place = [int(number) for number in _NUMBERS.findall(item.where)]
        told = item if self._told is None else self._told(item)
        self._held.append((place, told, meter[0] if meter else None))
        if len(self._held) >= HELD:
            self._write()

    def extend(self, several: Iterable[Quarantined]) -> None:
        for one in several:
            self.add(one)

    @property
    def named(self) -> list[tuple[str, ...]]:
        """The names of meters that came since the last time it was said where meters lead."""
        return list(self._named.values())

    def lead_to(self, points: Mapping[str, str]) -> None:
        """Which metering points those of the meters are that lead to one, by their first names."""
        self._points.update((name, points[name]) for name in self._named if name in points)
        self._named = {}

    @property
    def on_disk(self) -> bool:
        return bool(self._runs)

    def chunks(self) -> Iterator[list[Quarantined]]:
        """All of them, some at a time."""
        told = iter(self)
        while chunk := list(islice(told, HELD)):
            yield chunk

    def __len__(self) -> int:
        return self._written + len(self._held)

    def __iter__(self) -> Iterator[Quarantined]:
        runs = [self._run(start, end) for start, end in self._runs]
        for _, one, meter in merge(*runs, sorted(self._held, key=itemgetter(0)), key=itemgetter(0)):
            point = None if meter is None else self._points.get(meter)
            yield one if point is None else replace(one, subject=Subject(point))

    @overload
    def __getitem__(self, index: int) -> Quarantined: ...
    @overload
    def __getitem__(self, index: slice) -> list[Quarantined]: ...
    def __getitem__(self, index: int | slice) -> Quarantined | list[Quarantined]:
        if isinstance(index, slice):
            return list(self)[index]
        return next(islice(self, range(len(self))[index], None))

    # On disk

    def _write(self, *, told_already: bool = False) -> None:
        self._held.sort(key=itemgetter(0))
        run = b"".join(orjson.dumps(_row(entry)) + b"\n" for entry in self._held)
        start = self._runs[-1][1] if self._runs else 0
        try:
            file = self._opened()
            if not told_already:
                self._require_room(start + len(run))
            left = memoryview(run)
            while left:
                left = left[os.pwrite(file, left, start + len(run) - len(left)) :]
        except OSError as error:
            raise StoreUnavailable(
                f"what is set aside of the file cannot be kept on disk: {error.strerror or error}",
                remedy="Make room there, and take it again.",
                where=self._place,
            ) from error
        self._runs.append((start, start + len(run)))
        self._written += len(self._held)
        self._held = []

    @property
    def _place(self) -> str:
        return str(self._folder or tempfile.gettempdir())

    def _opened(self) -> int:
        if self._file is None:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                self.hold(os.dup(file.fileno()))
        assert self._file is not None
        return self._file.descriptor

    def _require_room(self, size: int) -> None:
        if _ROOM * size > shutil.disk_usage(self._place).free:
            count, first = self._written + len(self._held), next(iter(self))
            raise NoRoomToTell(
                ErrorKind.MALFORMED,
                f"more values of the file cannot be taken than there is room to tell of on disk: {count:,} until then"
                f" (one of them, {first.where}: {first.reason.rstrip('.')})",
                remedy=f"Mend what they have in common and send the file again, or make room in {self._place}.",
            )

    def _run(self, start: int, end: int) -> Iterator[_Entry]:
        assert self._file is not None
        rest = b""
        while start < end:
            data = os.pread(self._file.descriptor, min(_WINDOW, end - start), start)
            if not data:
                raise StoreUnavailable(
                    "what was set aside of the file is gone from the disk", where=self._place
                )
            start += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield _entry(orjson.loads(line))

    # To another process

    def fileno(self) -> int:
        """Of what is on disk, which another process is given beside the rest."""
        return self._opened()

    def hold(self, file: int) -> None:
        """Have the file of one that was made in another process; it is closed here."""
        self._file = _Open(file)

    # With those of other files

    def all_on_disk(self) -> None:
        """Hold nothing of it in memory. By then the store has it. Raises `StoreUnavailable`."""
        if self._held:
            self._write(told_already=True)

    def keep_with(self, other: "SetAside") -> None:
        """Go on in the file of another, once nothing is added to either any more: of many, a process may not have so many
        files open. It stays where it is when there is no room for it twice.
        """
        own, there = self._opened(), other._opened()
        at = os.fstat(there).st_size
        position, size = 0, self._runs[-1][1] if self._runs else 0
        with suppress(OSError):
            while position < size:
                data = os.pread(own, min(_COPIED, size - position), position)
                if not data:
                    return
                position += os.pwrite(there, data, at + position)
            self._runs = [(start + at, end + at) for start, end in self._runs]
            self._file = other._file

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_told": None, "_file": None}


class _Open:
    """A file without a name, for as long as somebody has it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        weakref.finalize(self, os.close, descriptor)


def _row(entry: _Entry) -> list[Any]:
    place, item, meter = entry
    of = item.subject
    subject = None if of is None else [of.metering_point, of.kind, of.direction, of.day, of.span]
    return [place, item.where, item.reason, item.value, item.cause, subject, meter]


def _entry(row: list[Any]) -> _Entry:
    place, where, reason, value, cause, of, meter = row
    subject = None
    if of is not None:
        point, kind, direction, day, span = of
        subject = Subject(
            point,
            kind and Kind(kind),
            direction and FlowDirection(direction),
            day and date.fromisoformat(day),
            span and tuple(span),
        )
    return place, Quarantined(where, reason, value, cause and Cause(cause), subject), meter
