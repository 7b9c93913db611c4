"""Checkpoints: signed statements of where each segment stood, and the verification of everything against
them.

`checkpoints.jsonl` has one line per checkpoint: `{"payload": {…}, "signature": …}`, Ed25519 (RFC 8032) over
the bytes of the payload as they stand in the line. A payload names the segments that were new or had grown,
how many lines each had and its chain's value, and the SHA-256 of the checkpoint before. A segment whose size
has not changed is not named again, so a checkpoint costs what was logged since the last one.
"""

import base64
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog.segments import (
    CHECKPOINTS,
    ORIGIN,
    Fault,
    SegmentReading,
    digest,
    read_segment,
    segment_paths,
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a segment must have stood, and who says so."""

    lines: int
    head: str
    size: int | None
    said_by: str


@dataclass(slots=True)
class Verification:
    """What `verify` found. The log is intact when there are no faults."""

    segments: int = 0
    entries: int = 0
    signed: int = 0
    """Entries that the last checkpoint covers; later ones rest on their chain alone."""
    checkpoints: int = 0
    torn: list[Fault] = field(default_factory=list)
    """Ends of segments that a dying process left half written. Not a fault: what they were to log was not
    answered.
    """
    faults: list[Fault] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        return not self.faults


def sign_checkpoint(directory: Path, key: Ed25519PrivateKey, at: datetime) -> int:
    """Append a checkpoint over what was logged since the last one; return the number of segments it names.

    Every line it covers is flushed to disk first, so that a power cut cannot make the log look shortened.
    Refuses (`GridgateError`, CONFLICT) to sign over a segment that is not intact.
    """
    path = directory / CHECKPOINTS
    lines = _whole_lines(path)
    sizes = {
        name: mark["size"]
        for line in lines
        for name, mark in orjson.loads(line)["payload"]["segments"].items()
    }
    grown = {}
    for segment in segment_paths(directory):
        if segment.stat().st_size == sizes.get(segment.name):
            continue
        _flush(segment)
        reading = read_segment(segment, keep_entries=False)
        if reading.faults:
            fault = reading.faults[0]
            raise GridgateError(
                ErrorKind.CONFLICT,
                f"the access log is not intact: {fault.what}",
                where=fault.where,
                remedy="Run gridgate audit verify and keep the directory as it is.",
            )
        if reading.lines and reading.size != sizes.get(segment.name):
            grown[segment.name] = {"lines": reading.lines, "size": reading.size, "head": reading.head}
    payload = {
        "number": len(lines) + 1,
        "at": at,
        "prev": digest(lines[-1]) if lines else ORIGIN,
        "segments": grown,
    }
    signed = orjson.dumps(payload, option=orjson.OPT_UTC_Z)
    signature = base64.b64encode(key.sign(signed)).decode()
    _append(path, b'{"payload":%b,"signature":"%b"}' % (signed, signature.encode()), after=lines)
    return len(grown)


def verify(directory: Path, keys: Sequence[Ed25519PublicKey] | Ed25519PublicKey) -> Verification:
    """Check every segment's chain, every link between segments, and every segment against the signed
    checkpoints.

    `keys` are the public keys that checkpoints may be signed with: the present one, and former ones. Needs
    nothing but the directory, and never writes to it. Raises `OSError` when it cannot be read.
    """
    found = Verification()
    marks = _checkpoint_marks(directory, [keys] if isinstance(keys, Ed25519PublicKey) else keys, found)
    genesis_marks: dict[str, list[_Mark]] = {}
    readings: dict[str, SegmentReading] = {}
    for path in segment_paths(directory):
        wanted = frozenset(mark.lines for mark in marks.get(path.name, ()))
        reading = readings[path.name] = read_segment(path, keep_entries=False, heads_at=wanted)
        found.segments += 1
        found.entries += max(reading.lines - 1, 0)
        found.faults += reading.faults
        if reading.torn:
            found.torn.append(
                Fault(path.name, f"ends in {reading.torn} bytes of a line that was never finished")
            )
        follows = reading.genesis.get("follows")
        if follows:
            mark = _Mark(follows["lines"], follows["head"], None, f"the first line of {path.name}")
            genesis_marks.setdefault(follows["segment"], []).append(mark)
    _check_marks(marks, readings, found, count_signed=True)
    _check_ends(genesis_marks, readings, found)
    return found


def _checkpoint_marks(
    directory: Path, keys: Sequence[Ed25519PublicKey], found: Verification
) -> dict[str, list[_Mark]]:
    marks: dict[str, list[_Mark]] = {}
    previous = ORIGIN
    for number, line in enumerate(_whole_lines(directory / CHECKPOINTS), start=1):
        where = f"{CHECKPOINTS}:{number}"
        found.checkpoints += 1
        try:
            record = orjson.loads(line)
            payload, signature = record["payload"], base64.b64decode(record["signature"])
            segments: dict[str, dict[str, Any]] = payload["segments"]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            found.faults.append(Fault(where, "not a checkpoint"))
        else:
            if not _signed_by_one_of(keys, signature, orjson.dumps(payload)):
                found.faults.append(Fault(where, "the signature does not verify with any of the keys given"))
            if payload.get("prev") != previous or payload.get("number") != number:
                found.faults.append(Fault(where, "does not follow from the checkpoint before it"))
            for name, mark in segments.items():
                marks.setdefault(name, []).append(_Mark(mark["lines"], mark["head"], mark["size"], where))
        previous = digest(line)
    return marks


def _check_marks(
    marks: dict[str, list[_Mark]],
    readings: dict[str, SegmentReading],
    found: Verification,
    *,
    count_signed: bool,
) -> None:
    for name, said in marks.items():
        reading = readings.get(name)
        if reading is None:
            found.faults.append(
                Fault(name, f"is missing; {said[-1].said_by} says it had {said[-1].lines} lines")
            )
            continue
        for mark in said:
            if reading.lines < mark.lines:
                what = f"has {reading.lines} lines; {mark.said_by} says it had {mark.lines}"
                found.faults.append(Fault(name, what))
            elif reading.heads[mark.lines] != mark.head:
                what = f"one of its first {mark.lines} lines changed since {mark.said_by} was signed"
                found.faults.append(Fault(name, what))
        if count_signed:
            found.signed += max(min(max(mark.lines for mark in said), reading.lines) - 1, 0)


def _check_ends(
    marks: dict[str, list[_Mark]], readings: dict[str, SegmentReading], found: Verification
) -> None:
    """A segment that another one follows was closed: it must end where the other says it ended."""
    for name, said in marks.items():
        reading = readings.get(name)
        for mark in said:
            if reading is None:
                found.faults.append(Fault(name, f"is missing; {mark.said_by} follows it"))
            elif (reading.lines, reading.head) != (mark.lines, mark.head):
                found.faults.append(Fault(name, f"does not end as {mark.said_by} says it did"))


def _signed_by_one_of(keys: Iterable[Ed25519PublicKey], signature: bytes, signed: bytes) -> bool:
    for key in keys:
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            continue
        return True
    return False


def _whole_lines(path: Path) -> list[bytes]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    return content.split(b"\n")[:-1]


def _append(path: Path, line: bytes, *, after: list[bytes]) -> None:
    """Append a checkpoint, over whatever an interrupted attempt left after the last whole one."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(sum(len(whole) + 1 for whole in after))
        file.seek(0, os.SEEK_END)
        file.write(line + b"\n")
        file.flush()
        os.fsync(descriptor)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
