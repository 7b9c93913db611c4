"""The access log's way from the segments on disk into the registry."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from gridgate.audit.operations.folding import Folded, fold, rebuild
from gridgate.audit.operations.progress import Position, positions, sealed_segments
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config.access_log.losses import erased_and_gone, lost_segments
from gridgate.config.access_log.reading import entry_of_line
from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted
from gridgate.dataplane.accesslog import is_changes
from gridgate.dataplane.accesslog.reading import TooManyFaults, following_lines
from gridgate.dataplane.accesslog.segments import (
    FOLDED,
    ORIGIN,
    is_entry,
    open_segment,
    segment_name,
    segment_paths,
    segment_size,
)

_log = logging.getLogger(__name__)
_told: dict[Path, str] = {}
"""What was told of segments that cannot be folded, while it is so."""
_given_up: dict[Path, Position] = {}
"""From where on segments are read no further by this process, for having too many faults."""
_BATCH = 10_000
"""Lines folded in one transaction: the same point and day, read by the same company, is one row of many lines."""


def fold_access_log(environment: Environment) -> int:
    """Bring the registry's roll-up of the log up to the reads that the segments hold; returns how many are new.

    A segment that cannot be read or folded is told in the process's log and does not hold up the others. Once all are
    folded, `FOLDED` says since when nothing is lacking.
    """
    added, whole, begun = 0, True, datetime.now(UTC)
    there, sealed = positions(), sealed_segments()
    for path in segment_paths(environment.access_log):
        if is_changes(path) or segment_name(path) in sealed:
            continue
        try:
            position = there.get(segment_name(path), Position())
            if _given_up.get(path) == position:
                whole = False
                continue
            done = _fold_segment(path, position)
            added += done.entries
            whole = whole and not done.elsewhere
            _told.pop(path, None)
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with it, the holders’ other reads must show
            if _told.get(path) != str(error):  # looked at each second, it is told once
                _log.exception("the access log's segment %s cannot be folded", segment_name(path))
            _told[path] = str(error)
            whole = False
    if whole:
        _note_folded(environment.access_log / FOLDED, begun)
    return added


def _note_folded(path: Path, at: datetime) -> None:
    with suppress(OSError):  # pages then say that counts may be late, which is true on a full disk
        path.touch()
        os.utime(path, (at.timestamp(), at.timestamp()))


def count_anew(environment: Environment, *, without_lost: bool = False) -> None:
    """Make the registry's roll-up and index anew from the segments; a worker ends it when it is killed on the way.

    Raises `GridgateError` (CONFLICT) when lines of what was counted are no more, which would be counted no longer:
    `without_lost` accepts that.
    """
    lost = lost_segments(environment, through=True)
    if lost and not without_lost:
        name, what = next(iter(lost.items()))
        more = f", and {counted(len(lost) - 1, 'more segment')} with it" if len(lost) > 1 else ""
        raise GridgateError(
            ErrorKind.CONFLICT,
            f"{what}{more}: reads that were counted would be counted no longer",
            where=name,
            remedy="Put it back from a copy. When there is none, run it again with --without-lost.",
        )
    there = [segment_name(path) for path in segment_paths(environment.access_log)]
    rebuild(without={*lost, *erased_and_gone(there)})
    fold_access_log(environment)


def _fold_segment(path: Path, position: Position) -> Folded:
    size = segment_size(path)
    if size == position.size:
        return Folded()
    if size < position.size:
        raise ValueError(f"it has {size} bytes, and had {position.size}")
    added, name = 0, segment_name(path)
    with open_segment(path) as file:
        file.seek(position.size)
        unread = _Unread(name, file, position)
        while not unread.ended:
            done = fold(segment=name, lines=unread, start=unread.position, reached=lambda: unread.position)
            for line, why in done.faulty:
                _log.error("%s:%s is not an entry of the access log: %s", name, line, why)
            added += done.entries
            if done.elsewhere:
                return Folded(added, elsewhere=True)
    if unread.given_up is not None:
        _given_up[path] = unread.position
        raise unread.given_up
    return Folded(added)


class _Unread:
    """The whole lines written since a position, some of them each time it is gone through; none is held. A break of the
    chain is told once.
    """

    def __init__(self, name: str, file: BinaryIO, position: Position) -> None:
        self.position = position
        """Where folding stands after those gone through."""
        self.ended = False
        self.given_up: TooManyFaults | None = None
        """Why it is read no further than that, though there is more."""
        self._name = name
        self._lines = following_lines(file, after=position.lines, head=position.head or ORIGIN)

    def __iter__(self) -> Iterator[LogLine]:
        number, size, head = self.position.lines, self.position.size, self.position.head
        last = number + _BATCH
        try:
            for number, raw, after, follows in islice(self._lines, _BATCH):
                entry = entry_of_line(raw)
                if entry is None or not follows:
                    told = "%s:%s does not follow from the line before it; run gridgate audit verify"
                    _log.error(told, self._name, number)
                yield LogLine(number, entry if entry is not None and is_entry(entry) else None, size)
                size, head = size + len(raw), after
        except TooManyFaults as error:
            self.given_up = error
        self.position = Position(number, size, head)
        self.ended = number < last
