"""The access log's checkpoints: signed once a day, and remembered by the registry."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction

from gridgate.audit.checkpoints import Signed, differing, known_checkpoints, remember, rights_head
from gridgate.audit.lines import zone
from gridgate.audit.operations.progress import erased_before
from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.accesslog import Checkpoint, checkpoints_of, sign_checkpoint
from gridgate.dataplane.accesslog.checkpoints import INTERVAL, earliest_unsigned, not_intact
from gridgate.dataplane.accesslog.segments import CHECKPOINTS
from gridgate.dataplane.accesslog.signing import LATE
from gridgate.notifications.checkpoints import send_copies
from gridgate.sharing.signing import load_private_key, load_public_keys

_log = logging.getLogger(__name__)


def sign_due_checkpoint(environment: Environment, now: datetime) -> bool:
    """Sign the log once a UTC day, and at once when the clock went back since it was last signed, which its checkpoints
    then say by their order; returns whether it did. Only one process at a time does.

    Raises `GridgateError` when the log is not intact, or the key is missing; and when nothing is signed although the
    log is old: then somebody took the checkpoints away, or has to say that nobody did.
    """
    with _alone(environment.access_log) as alone:
        if not alone:
            return False
        before = _remembered(environment, now)
        if before and (last := before[-1].at) > now + LATE:
            _log.warning("the clock went back since the access log was last signed, at %s: signed anew", last)
        elif before and last.date() >= now.astimezone(UTC).date():
            return False
        if not before:
            _refuse_to_begin_late(environment, now)
        _sign(environment, now)
    return True


def signed_ahead(environment: Environment, now: datetime) -> Checkpoint | None:
    """The last checkpoint when it says that it was signed later than now. Raises `GridgateError`, `OSError`."""
    there = checkpoints_of(environment.access_log)
    return there[-1] if there and there[-1].at > now + LATE else None


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
    vouched: dict[str, object] = {"rights": rights_head()}
    if day := erased_before():
        vouched["erased"] = civil_day_bounds(day, zone()).start
    sign_checkpoint(environment.access_log, key, now, vouched)
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
