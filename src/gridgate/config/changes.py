"""The changes that the registry has made and those that the chained log says, brought face to face.

Put together here because the halves do not know each other: `audit`, `sharing` and `organisations` have the rows,
`dataplane.accesslog` has the files.

The order is: the registry commits, then the line is written durably, then the answer leaves (ADR 0015). So a change that
the log says and the registry lacks was answered, and undone since: by a damaged file, or by an older copy put in its
place. Nothing may be served then, since nobody knows what else is undone. A change that the registry has and the log
lacks is what a death between the two left behind: the line is written now.
"""

import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from gridgate.audit import events
from gridgate.audit.changes import PERMISSION, RECEIPT, RIGHTS, Change
from gridgate.audit.models import AuditEvent
from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.sharing import PermissionState
from gridgate.core.text import counted
from gridgate.dataplane.accesslog import AccessLog, AccessLogUnavailable, ChangeEntry
from gridgate.dataplane.accesslog.damage import DamagedSegment
from gridgate.dataplane.accesslog.reading import TooManyFaults, following_lines, read_segment
from gridgate.dataplane.accesslog.segments import (
    CHANGES_SUFFIX,
    is_changes,
    open_segment,
    segment_name,
    segment_paths,
)
from gridgate.dataplane.registry.newest import NEWEST
from gridgate.sharing import history, signing
from gridgate.sharing.models import Permission, PermissionEvent
from gridgate.sharing.receipts.asking import signed
from gridgate.sharing.receipts.completing import change_of

RECONCILIATION = "reconciliation"
"""A line that gives up changes, after a restore that was meant; signed, or anybody could write one."""
RECONCILIATION_TYPE = "gridgate-reconciliation+json"

Key = tuple[str, str, str]
"""Kind, id and digest of a change: the same change on both sides has the same."""

_log = logging.getLogger(__name__)
_log_of: dict[tuple[int, Path], AccessLog] = {}
_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class Logged:
    """A change as a line of the log says it."""

    where: str
    """`2026-11-25-3f0c….changes.jsonl:17`"""
    at: str
    change: Change

    @property
    def key(self) -> Key:
        return key_of(self.change)

    @property
    def permission(self) -> str:
        return str(self.change.says["permission"])

    def __str__(self) -> str:
        """What it is, in a few words, for a person at a terminal."""
        says = self.change.says
        if self.change.kind == PERMISSION:
            return f"permission {says['permission']} {says['state']} on {says['at']} by {says['actor_name']}"
        if self.change.kind == RECEIPT:
            return f"receipt {self.change.id}"
        return f"{says['action']} {says['subject']} on {says['at']} by {says['by'] or 'the portal'}"


@dataclass(slots=True)
class Comparison:
    """What only one side has."""

    lost: list[Logged] = field(default_factory=list)
    """Of the log, and not of the registry as it is: in the order they were written."""
    unlogged: list[Change] = field(default_factory=list)
    """Of the registry, and not of the log."""


class RegistryContradictsLog(GridgateError):
    """The registry lacks changes that were answered."""

    def __init__(self, lost: Sequence[Logged], *, damaged: str = "") -> None:
        self.lost = lost
        count = f"{len(lost)} changes" if len(lost) > 1 else "a change"
        first = f"{'the first: ' if len(lost) > 1 else ''}{lost[0]}"
        cause = (
            f"The log itself is not as it was written, at {damaged}"
            if damaged
            else "It is damaged, or an older copy was put in its place"
        )
        super().__init__(
            ErrorKind.CONFLICT,
            f"the registry lacks {count} that the access log holds ({first}). {cause}: what had ended could be read "
            "again, so nothing is served",
            remedy="Put the newest copy back; or, if this one is meant, run: gridgate audit reconcile, which also lets "
            "every program sign in anew",
        )


def damaged_segment(environment: Environment, lost: Sequence[Logged]) -> str:
    """Where a file that says what is lost is not as it was written; empty when all are."""
    said_in = {one.where.rpartition(":")[0] for one in lost}
    for path in changes_segments(environment.access_log):
        if segment_name(path) in said_in and (faults := read_segment(path, keep_entries=False).faults):
            return faults[0].where
    return ""


def write(changes: Sequence[Change]) -> None:
    """Write changes into the log of this process; they are durable on return. Raises `AccessLogUnavailable`."""
    _append(settings.ENVIRONMENT.access_log, changes)


def refuse_contradiction(environment: Environment) -> None:
    """Let the instance start when registry and log agree, and write the lines that are missing.

    Raises `RegistryContradictsLog`.
    """
    comparison = compare(environment)
    if comparison.lost:
        raise RegistryContradictsLog(comparison.lost, damaged=damaged_segment(environment, comparison.lost))
    if comparison.unlogged:
        try:
            _append(environment.access_log, comparison.unlogged)
        except AccessLogUnavailable as error:  # the worker tries again; what reads refuses until then
            _log.warning("%s not in the log yet: %s", counted(len(comparison.unlogged), "change"), error)


def compare(environment: Environment) -> Comparison:
    """Compare every change of the log with the registry. Raises `OSError` when the log cannot be read."""
    logged: dict[Key, tuple[Path, int]] = {}
    last_word: dict[str, tuple[str, str]] = {}
    given_up: set[Key] = set()
    for path in changes_segments(environment.access_log):
        for number, line in _lines(path):
            if line.change.kind == RECONCILIATION:
                given_up |= given_up_by(line.change, environment)
                continue
            logged[line.key] = (path, number)
            if line.change.kind == PERMISSION:
                said = (line.at, line.change.says["state"])
                last_word[line.permission] = max(said, last_word.get(line.permission, said))
    comparison = Comparison()
    missing = dict(logged)
    # After the log: what is written meanwhile is in the registry before it is in the log.
    for change in _changes_here():
        if missing.pop(key_of(change), None) is None:
            comparison.unlogged.append(change)
    wanted = set(missing.values())
    lines = [
        line
        for path in sorted({path for path, _ in wanted})
        for number, line in _lines(path)
        if (path, number) in wanted
    ]
    comparison.lost = [
        line
        for line in sorted(lines, key=lambda line: line.at)
        if line.key not in given_up or _is_undone(line, last_word)
    ]
    return comparison


def _is_undone(line: Logged, last_word: Mapping[str, tuple[str, str]]) -> bool:
    """Whether a change that was given up, since the registry of then knew nothing of what it ended, is undone in the one
    of now, which does: what took something away is never given up for good.
    """
    if line.change.kind == RECEIPT:
        named = line.change.says.get("permissions") or [None]
        return Permission.objects.filter(pk__in=named).count() == len(named)
    if line.change.kind != PERMISSION:
        return False
    permission = Permission.objects.filter(pk=line.permission).first()
    if permission is None or PermissionState(permission.state).ended:
        return False
    says = line.change.says
    if permission.points.filter(metering_point__in=says["details"].get("points_lost", [])).exists():
        return True
    state = PermissionState(says["state"])
    suspended = state == PermissionState.SUSPENDED and last_word[line.permission] == (line.at, state)
    return state.ended or (suspended and permission.state == PermissionState.ACTIVE)


def changes_segments(directory: Path) -> list[Path]:
    return [path for path in segment_paths(directory) if is_changes(path)]


def all_given_up(environment: Environment) -> set[Key]:
    """Every change that a signed reconciliation has given up."""
    return {
        key
        for path in changes_segments(environment.access_log)
        for _, line in _lines(path)
        if line.change.kind == RECONCILIATION
        for key in given_up_by(line.change, environment)
    }


def given_up_by(change: Change, environment: Environment) -> set[Key]:
    """What a reconciliation gives up; nothing when it was not signed by this instance.

    Without the key, the registry's own event of it vouches for what it names; raises `KeyUnusable` where there is none.
    """
    token = str(change.says.get("jws"))
    try:
        keys = signing.load_public_keys(environment.receipt_key)
    except signing.KeyUnusable:
        claimed = signing.unverified(token).get("given_up", [])
        event = AuditEvent.objects.filter(pk=change.id, hash=change.digest).first()
        if event is None or event.after.get("given_up") != digest_of(claimed):
            raise
        return {(kind, name, digest) for kind, name, digest in claimed}
    found = signing.verify(token, keys, kind=RECONCILIATION_TYPE)
    if isinstance(found, signing.Invalid):
        return set()
    return {(kind, name, digest) for kind, name, digest in found.payload["given_up"]}


def digest_of(given_up: Sequence[Sequence[str]]) -> str:
    """What the registry's event of a reconciliation says of the changes that its line names."""
    return sha256(json.dumps(given_up).encode()).hexdigest()


def key_of(change: Change) -> Key:
    return change.kind, change.id, change.digest


def _append(directory: Path, changes: Sequence[Change]) -> None:
    now = datetime.now(UTC)
    entries = (
        ChangeEntry(now, change.kind, change.id, change.digest, _as_json_holds(change.says))
        for change in changes
    )
    _log_in(directory).append(*entries)
    _keep_newest(directory, changes)


def _keep_newest(directory: Path, changes: Sequence[Change]) -> None:
    """Name the newest change for whoever finds that the registry's file is another one than it was."""
    change = next((one for one in reversed(changes) if one.kind != RECONCILIATION), None)
    if change is None:
        return
    key: list[Any] = []
    match change.kind:
        case "permission":
            key = [UUID(change.says["permission"]).hex, change.says["sequence"], change.says["state"]]
        case "receipt":
            key = [change.id]
        case "rights":
            key = [int(change.id), change.digest]
    draft = directory / f".{NEWEST}.{os.getpid()}.{threading.get_ident()}"
    with suppress(OSError):  # the one before will do
        draft.write_text(json.dumps({"change": change.kind, "key": key}), encoding="ascii")
        draft.replace(directory / NEWEST)


def _as_json_holds(says: Any) -> Any:
    """Lazy texts and the like, as the registry's JSON columns hold them."""
    return json.loads(json.dumps(says, default=str))


def _log_in(directory: Path) -> AccessLog:
    key = (os.getpid(), directory)  # a segment is one process's
    with _opening:
        if key not in _log_of:
            _log_of[key] = AccessLog(directory, "changes", suffix=CHANGES_SUFFIX)
        return _log_of[key]


def _lines(path: Path) -> Iterator[tuple[int, Logged]]:
    """The changes of a segment, whoever packed it. What is no line of one is passed over, and so is what follows where a
    packed one is damaged, or where too many lines do not follow from those before: `gridgate audit verify` tells of it.
    """
    name = segment_name(path)
    try:
        with open_segment(path) as file:
            for number, raw, _head, _follows in following_lines(file):
                if (line := _logged(f"{name}:{number}", raw)) is not None:
                    yield number, line
    except TooManyFaults as error:
        _log.error("%s: changes are read no further: %s; run gridgate audit verify", name, error)
    except DamagedSegment as error:
        _log.error("changes of who may read cannot be read: %s; run gridgate audit verify", error)


def _logged(where: str, raw: bytes) -> Logged | None:
    """What a line says; None when it is none of a change, or not one that the registry can have made."""
    try:
        record = json.loads(raw)
        says = record["says"]
        if record["change"] == PERMISSION:
            UUID(says["permission"]), PermissionState(says["state"]), int(says["sequence"])
            datetime.fromisoformat(says["at"])
            lost = says["details"].get("points_lost", [])
            for left_on in says["details"].get("left_on", {}).values():
                date.fromisoformat(left_on)
            complete = isinstance(lost, list) and {"actor_id", "actor_name", "reason"} <= says.keys()
        elif record["change"] == RECEIPT:
            complete = isinstance(says["jws"], str) and {"holder", "eligible_party"} <= says.keys()
        elif record["change"] == RIGHTS:
            complete = {"action", "subject", "at", "by"} <= says.keys()
        else:
            complete = record["change"] == RECONCILIATION and isinstance(says["jws"], str)
        texts = all(isinstance(record[name], str) for name in ("id", "digest", "at"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not complete or not texts:
        return None
    return Logged(where, record["at"], Change(record["change"], record["id"], record["digest"], says))


def _changes_here() -> Iterator[Change]:
    """Every change that the registry has, in the order in which it made them."""
    yield from map(history.change_of, PermissionEvent.objects.order_by("pk").iterator())
    yield from map(change_of, signed().order_by("pk").iterator())
    yield from map(events.change_of, AuditEvent.objects.defer("before", "after").order_by("pk").iterator())
