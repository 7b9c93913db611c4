"""The access log's way from the segments on disk into the registry and back onto the screens, and its signatures.

Put together here because the two halves do not know each other: `dataplane.accesslog` has the files,
`audit` the tables.
"""

import fcntl
import logging
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.conf import settings
from django.db import transaction

from gridgate.audit.checkpoints import Signed, differing, known_checkpoints, remember, rights_head
from gridgate.audit.lines import LinesMissing, zone
from gridgate.audit.operations.erasing import erase_before, forget_segments
from gridgate.audit.operations.folding import Folded, fold, rebuild, seal
from gridgate.audit.operations.progress import (
    Position,
    erased_before,
    positions,
    sealed_segments,
    segments_known,
    segments_reaching,
    sizes_folded,
)
from gridgate.audit.operations.roll_up import LogLine
from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted
from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.accesslog import Checkpoint, checkpoints_of, is_changes, segments, sign_checkpoint
from gridgate.dataplane.accesslog.checkpoints import INTERVAL, earliest_unsigned, not_intact
from gridgate.dataplane.accesslog.reading import TooManyFaults, following_lines
from gridgate.dataplane.accesslog.segments import (
    CHECKPOINTS,
    FOLDED,
    ORIGIN,
    PACKED,
    day_of_segment,
    end_of_segment,
    ends_at,
    form_of,
    is_entry,
    is_packed,
    open_segment,
    segment_name,
    segment_paths,
    segment_size,
    whole_lines,
)
from gridgate.dataplane.accesslog.signing import LATE
from gridgate.dataplane.accesslog.verification import verify
from gridgate.notifications.checkpoints import send_copies
from gridgate.sharing.signing import load_private_key, load_public_keys

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """What went for being old."""

    entries: int
    segments: int


_told: dict[Path, str] = {}
"""What was told of segments that cannot be folded, while it is so."""
_given_up: dict[Path, Position] = {}
"""From where on segments are read no further by this process, for having too many faults."""
_PIECE = 2**20
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


def lost_segments(environment: Environment, *, through: bool = False) -> dict[str, str]:
    """Segments that the registry has counted and whose lines are not all there any more, with what is wrong. `through`
    reads them to their end, which finds a packed one that is damaged within.
    """
    paths = {segment_name(path): path for path in segment_paths(environment.access_log)}
    found = {}
    sizes, erased = sizes_folded(), _erased_and_gone(paths)
    for name in sorted(sizes.keys() - erased):
        try:
            there = _size_read(paths[name]) if through else segment_size(paths[name])
        except KeyError:
            found[name] = "it is missing"
        except (OSError, ValueError) as error:
            found[name] = f"it cannot be read: {error}"
        else:
            if there < sizes[name]:
                found[name] = f"it has {there} bytes of lines, and had {sizes[name]}"
    return found


def _erased_and_gone(there: Collection[str]) -> set[str]:
    """Segments that a retention has removed and whom the registry still knows: it was killed, or they were folded
    meanwhile.
    """
    erased = erased_before()
    if erased is None:
        return set()
    start = civil_day_bounds(erased, zone()).start
    gone = {name for name in segments_known().difference(there) if _ends_by(name, start)}
    return gone - segments_reaching(start) if gone else gone


def _size_read(path: Path) -> int:
    with open_segment(path) as file:  # in pieces: a packed one may be lines without number
        return sum(map(len, iter(partial(file.read, _PIECE), b"")))


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
    rebuild(without={*lost, *_erased_and_gone(there)})
    fold_access_log(environment)


def pack_past_days(environment: Environment, now: datetime) -> int:
    """Pack the segments of the days before yesterday that are folded whole; returns how many. Those of changes stay as
    they are.

    A segment that cannot be packed is told in the process's log and does not hold up the others.
    """
    from gridgate.dataplane.accesslog.packing import pack  # most processes never do

    done = 0
    there, sealed = positions(), sealed_segments()
    for path in segment_paths(environment.access_log):
        name = segment_name(path)
        day = day_of_segment(name)
        position = there.get(name)
        if is_changes(path) or name in sealed or position is None:
            continue
        if day is None or day >= now.astimezone(UTC).date() - timedelta(days=1):
            continue
        try:
            if not ends_at(path, position.size) or not (is_packed(path) or pack(path)):
                continue
            if ends_at(path, position.size):  # it was not written to before the packer had it alone
                seal(name)
                done += 1
        except Exception:  # noqa: BLE001 -- the others are packed all the same
            _log.exception("the access log's segment %s cannot be packed", name)
    return done


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
        if not is_changes(path) and _ends_by(segment_name(path), start) and not _holds_later(path, start)
    ]
    removed = sum(map(_unlink, gone))
    kept = {segment_name(path) for path in segment_paths(environment.access_log)}
    forget_segments(_erased_and_gone(kept))
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


def _ends_by(name: str, instant: datetime) -> bool:
    end = end_of_segment(name)
    return end is not None and end <= instant


def _holds_later(path: Path, instant: datetime) -> bool:
    """Whether a line says that it is later than its segment's day."""
    for line in lines_of(path):
        with suppress(KeyError, TypeError, ValueError):
            if line.entry is not None and datetime.fromisoformat(line.entry["at"]) >= instant:
                return True
    return False


def read_lines(segment: str, offsets: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    """What lines of a segment say, for the screens (`settings.LOG_LINES`). Raises `LinesMissing`."""
    directory: Path = settings.ENVIRONMENT.access_log
    try:
        yield from segments.read_lines(directory, segment, offsets)
    except (OSError, ValueError) as error:
        raise LinesMissing(str(error)) from error


def segment_sizes() -> dict[str, int]:
    """How many bytes of lines each segment has that is there (`settings.LOG_SEGMENTS`)."""
    directory: Path = settings.ENVIRONMENT.access_log
    return {segment_name(path): segment_size(path) for path in segment_paths(directory) if path.is_file()}


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


def lines_of(path: Path) -> Iterator[LogLine]:
    """Every whole line of a segment. What is no line of one holds no entry: the chain tells of it. Raises `OSError`."""
    offset = 0
    with open_segment(path) as file:
        for number, raw in enumerate(whole_lines(file), start=1):
            if not raw.endswith(b"\n"):
                return
            entry = _entry(raw)
            yield LogLine(number, entry if entry is not None and is_entry(entry) else None, offset)
            offset += len(raw)


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
                entry = _entry(raw)
                if entry is None or not follows:
                    told = "%s:%s does not follow from the line before it; run gridgate audit verify"
                    _log.error(told, self._name, number)
                yield LogLine(number, entry if entry is not None and is_entry(entry) else None, size)
                size, head = size + len(raw), after
        except TooManyFaults as error:
            self.given_up = error
        self.position = Position(number, size, head)
        self.ended = number < last


def _entry(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = orjson.loads(raw)
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
