"""Erasing reads that are too old, from the registry and from the disk."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from gridgate.audit.lines import zone
from gridgate.audit.operations.erasing import erase_before, forget_segments
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config.access_log.losses import ends_by, erased_and_gone
from gridgate.config.access_log.reading import lines_of
from gridgate.config.access_log.signing import sign_now
from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.accesslog import is_changes
from gridgate.dataplane.accesslog.checkpoints import not_intact
from gridgate.dataplane.accesslog.segments import PACKED, form_of, segment_name, segment_paths
from gridgate.dataplane.accesslog.verification import verify
from gridgate.sharing.signing import load_private_key, load_public_keys


@dataclass(frozen=True, slots=True)
class Erased:
    """What went for being old."""

    entries: int
    segments: int


def erase_reads(environment: Environment, *, before: date, now: datetime) -> Erased:
    """Erase the reads of the civil days before `before`: from the registry, and the segments that hold no others. Those
    of changes stay. Killed on the way, it is ended by running it again.

    The checkpoint that says so is signed before a segment goes: what is missing then is accounted for. Raises
    `TooYoungToErase`, `GridgateError` when the log is not intact or the key is missing, having erased nothing.
    """
    _require_intact(environment, now)
    start = civil_day_bounds(before, zone()).start
    entries = erase_before(
        day=before, now=now, lines_of=lambda name: _counted_lines(form_of(environment.access_log / name))
    )
    sign_now(environment, now)
    gone = [
        path
        for path in segment_paths(environment.access_log)
        if not is_changes(path) and ends_by(segment_name(path), start) and not _holds_later(path, start)
    ]
    removed = sum(map(_unlink, gone))
    kept = {segment_name(path) for path in segment_paths(environment.access_log)}
    forget_segments(erased_and_gone(kept))
    return Erased(entries, removed)


def _counted_lines(path: Path) -> Iterator[LogLine]:
    """Raises `GridgateError` (CONFLICT) when the segment is no more: they were erased, and an older copy of the registry
    was put in its place since.
    """
    try:
        yield from lines_of(path)
    except FileNotFoundError:
        raise GridgateError(
            ErrorKind.CONFLICT,
            "the registry counts reads of a segment that is no more",
            where=path.name,
            remedy="Run gridgate audit rebuild --without-lost, then this again.",
        ) from None


def _unlink(path: Path) -> bool:
    """Remove a segment in both forms, if there are two, and what a death left of packing it; returns whether it did: not
    while it is written or packed, which would bring it back.
    """
    from gridgate.dataplane.accesslog.packing import unfinished  # most processes never do

    name = segment_name(path)
    with ExitStack() as held:
        try:
            fcntl.flock(held.enter_context(path.with_name(name).open("rb")), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:  # it is packed, once for all
            pass
        except BlockingIOError:
            return False
        for form in (path.with_name(name), path.with_name(f"{name}{PACKED}"), unfinished(path)):
            form.unlink(missing_ok=True)
    return True


def _require_intact(environment: Environment, now: datetime) -> None:
    """What was changed, or taken away, would be erased with the rest and show no more."""
    load_private_key(environment.receipt_key)
    found = verify(environment.access_log, load_public_keys(environment.receipt_key), now=now)
    for fault in found.faults:
        raise not_intact(fault.what, where=fault.where)


def _holds_later(path: Path, instant: datetime) -> bool:
    """Whether a line says that it is later than its segment's day."""
    for line in lines_of(path):
        with suppress(KeyError, TypeError, ValueError):
            if line.entry is not None and datetime.fromisoformat(line.entry["at"]) >= instant:
                return True
    return False
