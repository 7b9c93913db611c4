"""The access log's way from the segments on disk into the registry, and its signatures.

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

from django.db import transaction

from gridgate.audit import operations as audit
from gridgate.audit.checkpoints import Signed, differing, known_checkpoints, remember, rights_head
from gridgate.audit.operations import LogLine, Position
from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog import Checkpoint, checkpoints_of, is_changes, sign_checkpoint
from gridgate.dataplane.accesslog.checkpoints import INTERVAL, earliest_unsigned, not_intact
from gridgate.dataplane.accesslog.segments import CHECKPOINTS, ORIGIN, digest, is_entry, segment_paths
from gridgate.notifications.checkpoints import send_copies
from gridgate.sharing.signing import load_private_key, load_public_keys

_log = logging.getLogger(__name__)
_BATCH = 1000


def fold_access_log(environment: Environment) -> int:
    """Bring the registry's copy of the log up to the reads that the segments hold; returns how many are new.

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

    Raises `GridgateError` when the log is not intact, or the key is missing; and when nothing is signed although the
    log is old: then somebody took the checkpoints away, or has to say that nobody did.
    """
    with _alone(environment.access_log) as alone:
        if not alone:
            return False
        before = _remembered(environment, now)
        if before and before[-1].at.date() >= now.astimezone(UTC).date():
            return False
        if not before:
            _refuse_to_begin_late(environment, now)
        _sign(environment, now)
    return True


def sign_now(environment: Environment, now: datetime) -> Checkpoint:
    """Sign the log as it stands, whenever it was signed last; waits for another process that does.

    Raises `GridgateError` when the log is not intact, or the key is missing.
    """
    with _alone(environment.access_log, wait=True):
        _remembered(environment, now)
        return _sign(environment, now)


def signed(checkpoint: Checkpoint) -> Signed:
    """A checkpoint as the registry knows it."""
    return Signed(checkpoint.number, checkpoint.at, checkpoint.digest)


def _sign(environment: Environment, now: datetime) -> Checkpoint:
    key = load_private_key(environment.receipt_key)
    sign_checkpoint(environment.access_log, key, now, {"rights": rights_head()})
    return _remembered(environment, now)[-1]


def _remembered(environment: Environment, now: datetime) -> list[Checkpoint]:
    """The checkpoints there are, with those that the registry did not know yet written into it: the one just signed, and
    what a death between the file and the registry left.

    The newest of them leaves for whoever keeps copies: it holds the digest of the one before, and so of all. Raises
    `GridgateError` (CONFLICT) when the registry knows others, or when one is not signed by this instance.
    """
    there = checkpoints_of(environment.access_log)
    told = [signed(checkpoint) for checkpoint in there]
    known = known_checkpoints()
    if last := max(known, default=0):
        for number, what in differing(known=known, there=[one for one in told if one.number <= last]):
            raise not_intact(what, where=f"{CHECKPOINTS}:{number}")
    if len(there) > last:
        keys = load_public_keys(environment.receipt_key)
        for checkpoint in there[last:]:
            if not checkpoint.signed_by_one_of(keys):
                raise not_intact("not signed by this instance", where=f"{CHECKPOINTS}:{checkpoint.number}")
        with transaction.atomic():
            remember(told)
            newest = there[-1]
            send_copies(
                environment.checkpoint_recipients,
                line=newest.line.decode(),
                number=newest.number,
                at=newest.at,
                digest=newest.digest,
                now=now,
            )
    return there


def _refuse_to_begin_late(environment: Environment, now: datetime) -> None:
    earliest = earliest_unsigned(environment.access_log, ())
    if earliest is not None and earliest < now - INTERVAL:
        raise GridgateError(
            ErrorKind.CONFLICT,
            f"the access log goes back to {earliest:%Y-%m-%d} and has no checkpoint: there were some, or no worker ran",
            remedy="Run gridgate audit verify, compare with the copies kept elsewhere, then run gridgate audit sign.",
        )


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
            is_read = entry is not None and is_entry(entry)
            yield LogLine(number, entry if is_read else None), Position(number, size, head)


def _entry(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


@contextmanager
def _alone(directory: Path, *, wait: bool = False) -> Iterator[bool]:
    """True for one process at a time; the lock goes with the process, however it ends."""
    with (directory / ".checkpoint.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
