"""The access log's way from the segments on disk into the registry, and its daily signature.

Put together here because the two halves do not know each other: `dataplane.accesslog` has the files,
`audit` the tables.
"""

import fcntl
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from gridgate.audit import operations as audit
from gridgate.audit.operations import LogLine, Position
from gridgate.config.environment import Environment
from gridgate.dataplane.accesslog import sign_checkpoint
from gridgate.dataplane.accesslog.segments import CHECKPOINTS, ORIGIN, digest, is_changes, segment_paths
from gridgate.sharing.signing import load_private_key

_log = logging.getLogger(__name__)
_BATCH = 1000


def fold_access_log(environment: Environment) -> int:
    """Bring the registry's copy of the log up to what the segments hold; returns how many entries are new.

    A segment that cannot be read or folded is told in the process's log and does not hold up the others.
    """
    added = 0
    there = audit.positions()
    for path in segment_paths(environment.access_log):
        if is_changes(path):
            continue
        try:
            added += _fold_segment(path, there.get(path.name, Position()))
        except Exception:  # noqa: BLE001 -- whatever is wrong with it, the holders’ other reads must show
            _log.exception("the access log's segment %s cannot be folded", path.name)
    return added


def sign_due_checkpoint(environment: Environment, now: datetime) -> bool:
    """Sign the log once a UTC day; returns whether it did. Only one process at a time does.

    Raises `GridgateError` when the log is not intact, or the key is missing.
    """
    with _alone(environment.access_log) as alone:
        last = _last_checkpoint(environment.access_log)
        if not alone or (last is not None and last.date() >= now.astimezone(UTC).date()):
            return False
        sign_checkpoint(environment.access_log, load_private_key(environment.receipt_key), now)
    return True


def _fold_segment(path: Path, position: Position) -> int:
    size = path.stat().st_size
    if size == position.size:
        return 0
    if size < position.size:
        raise ValueError(f"it has {size} bytes, and had {position.size}")
    added = 0
    lines = _lines_after(path, position)
    while batch := list(islice(lines, _BATCH)):
        added += _fold_batch(path.name, [line for line, _ in batch], batch[-1][1])
    return added


def _fold_batch(segment: str, lines: list[LogLine], reached: Position) -> int:
    try:
        return audit.fold(segment=segment, lines=lines, reached=reached)
    except (ValueError, KeyError, TypeError):
        added = 0
        for line in lines:  # the one at fault is left out, and told
            try:
                added += audit.fold(segment=segment, lines=[line], reached=Position())
            except (ValueError, KeyError, TypeError) as error:
                _log.error("%s:%s is not an entry of the access log: %s", segment, line.number, error)
        audit.fold(segment=segment, lines=[], reached=reached)
        return added


def _lines_after(path: Path, position: Position) -> Iterator[tuple[LogLine, Position]]:
    """Each whole line written since, and where folding stands after it. A break of the chain is told once."""
    number, size, head = position.lines, position.size, position.head or ORIGIN
    with path.open("rb") as file:
        file.seek(size)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            number, size = number + 1, size + len(raw)
            entry = _entry(raw)
            if entry is None or entry.get("prev") != head:
                _log.error(
                    "%s:%s does not follow from the line before it; run gridgate audit verify",
                    path.name,
                    number,
                )
            head = digest(raw[:-1])
            is_read = entry is not None and "genesis" not in entry
            yield LogLine(number, entry if is_read else None), Position(number, size, head)


def _entry(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _last_checkpoint(directory: Path) -> datetime | None:
    path = directory / CHECKPOINTS
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return datetime.fromisoformat(json.loads(lines[-1])["payload"]["at"]) if lines else None


@contextmanager
def _alone(directory: Path) -> Iterator[bool]:
    """True for one process at a time; the lock goes with the process, however it ends."""
    with (directory / ".checkpoint.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
