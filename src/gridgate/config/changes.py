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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from gridgate.audit import events
from gridgate.audit.changes import PERMISSION, RECEIPT, Change
from gridgate.audit.models import AuditEvent
from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog import AccessLog, AccessLogUnavailable, ChangeEntry
from gridgate.dataplane.accesslog.segments import CHANGES_SUFFIX, is_changes, segment_paths
from gridgate.sharing import history, receipts, signing
from gridgate.sharing.models import PermissionEvent, Receipt

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

    def __init__(self, lost: Sequence[Logged]) -> None:
        self.lost = lost
        count = f"{len(lost)} changes" if len(lost) > 1 else "a change"
        first = f"{'the first: ' if len(lost) > 1 else ''}{lost[0]}"
        super().__init__(
            ErrorKind.CONFLICT,
            f"the registry lacks {count} that the access log holds ({first}). It is damaged, or an older copy was put "
            "in its place: what had ended could be read again, so nothing is served",
            remedy="Put the newest copy of the registry back; or, if this one is meant, run: gridgate audit reconcile",
        )


def write(changes: Sequence[Change]) -> None:
    """Write changes into the log of this process; they are durable on return. Raises `AccessLogUnavailable`."""
    _append(settings.ENVIRONMENT.access_log, changes)


def refuse_contradiction(environment: Environment) -> None:
    """Let the instance start when registry and log agree, and write the lines that are missing.

    Raises `RegistryContradictsLog`.
    """
    found = compare(environment)
    if found.lost:
        raise RegistryContradictsLog(found.lost)
    if found.unlogged:
        try:
            _append(environment.access_log, found.unlogged)
        except AccessLogUnavailable as error:  # the worker tries again; what reads refuses until then
            _log.warning("%d changes are not in the log yet: %s", len(found.unlogged), error)


def compare(environment: Environment) -> Comparison:
    """Compare every change of the log with the registry. Raises `OSError` when the log cannot be read."""
    logged: dict[Key, tuple[Path, int]] = {}
    given_up: set[Key] = set()
    for path in changes_segments(environment.access_log):
        for number, line in _lines(path):
            if line.change.kind == RECONCILIATION:
                given_up |= given_up_by(line.change, environment)
            else:
                logged[line.key] = (path, number)
    found = Comparison()
    missing = dict(logged)
    # After the log: what is written meanwhile is in the registry before it is in the log.
    for change in _changes_here():
        if missing.pop(key_of(change), None) is None:
            found.unlogged.append(change)
    wanted = {place for key, place in missing.items() if key not in given_up}
    found.lost = [
        line
        for path in sorted({path for path, _ in wanted})
        for number, line in _lines(path)
        if (path, number) in wanted
    ]
    found.lost.sort(key=lambda line: line.at)
    return found


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
    """What a reconciliation gives up; nothing when it was not signed by this instance. Raises `KeyUnusable`."""
    keys = signing.load_public_keys(environment.receipt_key)
    found = signing.verify(str(change.says.get("jws")), keys, kind=RECONCILIATION_TYPE)
    if isinstance(found, signing.Invalid):
        return set()
    return {(kind, name, digest) for kind, name, digest in found.payload["given_up"]}


def key_of(change: Change) -> Key:
    return change.kind, change.id, change.digest


def _append(directory: Path, changes: Sequence[Change]) -> None:
    now = datetime.now(UTC)
    entries = (
        ChangeEntry(now, change.kind, change.id, change.digest, _as_json_holds(change.says))
        for change in changes
    )
    _log_in(directory).append(*entries)


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
    """The changes of a segment. What is no line of one is passed over: `gridgate audit verify` tells of it."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.endswith(b"\n"):
                return
            try:
                record = json.loads(raw)
                change = Change(record["change"], record["id"], record["digest"], record["says"])
                yield number, Logged(f"{path.name}:{number}", record["at"], change)
            except (ValueError, KeyError, TypeError):
                continue


def _changes_here() -> Iterator[Change]:
    """Every change that the registry has, in the order in which it made them."""
    yield from map(history.change_of, PermissionEvent.objects.order_by("pk").iterator())
    yield from map(receipts.change_of, Receipt.objects.order_by("pk").iterator())
    yield from map(events.change_of, AuditEvent.objects.defer("before", "after").order_by("pk").iterator())
