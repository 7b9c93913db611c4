"""Checkpoints: signed statements of where each segment stood.

`checkpoints.jsonl` has one line per checkpoint: `{"payload": {…}, "signature": …}`, Ed25519 (RFC 8032) over
the bytes of the payload as they stand in the line. A payload names the segments that were new or had grown,
how many lines each had and its chain's value, the SHA-256 of the checkpoint before, and what else the one who
signs vouches for. A segment whose size has not changed is not named again, so a checkpoint costs what was
logged since the last one.
"""

import base64
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.accesslog.damage import DamagedSegment
from gridgate.dataplane.accesslog.reading import SegmentReading, read_segment
from gridgate.dataplane.accesslog.segments import (
    CHECKPOINTS,
    ORIGIN,
    digest,
    ends_at,
    segment_name,
    segment_paths,
)

INTERVAL = timedelta(hours=26)
"""The log is signed every day; older lines that are not are a fault. Two hours for whoever is late."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one line says, as far as it can be read."""

    line: bytes
    payload: dict[str, Any]
    number: int
    at: datetime
    segments: dict[str, dict[str, Any]]
    signature: bytes

    @property
    def digest(self) -> str:
        return digest(self.line)

    def signed_by_one_of(self, keys: Iterable[Ed25519PublicKey]) -> bool:
        signed = orjson.dumps(self.payload)
        for key in keys:
            try:
                key.verify(self.signature, signed)
            except InvalidSignature:
                continue
            return True
        return False


def checkpoint_lines(directory: Path) -> list[bytes]:
    """The whole lines that there are, each without its end. Raises `OSError`."""
    try:
        content = (directory / CHECKPOINTS).read_bytes()
    except FileNotFoundError:
        return []
    return content.split(b"\n")[:-1]


def checkpoint_of(line: bytes) -> Checkpoint | None:
    """What a line says; None when it is not a checkpoint."""
    try:
        record = orjson.loads(line)
        payload = record["payload"]
        at, number = datetime.fromisoformat(payload["at"]), payload["number"]
        segments = {
            name: {"lines": int(mark["lines"]), "head": str(mark["head"]), "size": int(mark["size"])}
            for name, mark in payload["segments"].items()
        }
        signature = base64.b64decode(record["signature"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if at.tzinfo is None or not isinstance(number, int):
        return None
    return Checkpoint(line, payload, number, at, segments, signature)


def checkpoints_of(directory: Path) -> list[Checkpoint]:
    """Every checkpoint, oldest first. Raises `GridgateError` (CONFLICT) at a line that is none, `OSError`."""
    checkpoints = []
    for number, line in enumerate(checkpoint_lines(directory), start=1):
        checkpoint = checkpoint_of(line)
        if checkpoint is None or checkpoint.number != number:
            raise not_intact("not the checkpoint that stood here", where=f"{CHECKPOINTS}:{number}")
        checkpoints.append(checkpoint)
    return checkpoints


def sign_checkpoint(
    directory: Path, key: Ed25519PrivateKey, at: datetime, vouched: Mapping[str, Any] | None = None
) -> int:
    """Append a checkpoint over what was logged since the last one, and what else is `vouched` for; return the
    number of segments it names.

    Every line it covers is flushed to disk first, so that a power cut cannot make the log look shortened.
    Refuses (`GridgateError`, CONFLICT) to sign over a segment or checkpoints that are not intact.
    """
    before = checkpoints_of(directory)
    grown = {
        reading.name: {"lines": reading.lines, "size": reading.size, "head": reading.head}
        for reading in _grown(directory, before)
    }
    payload = {
        "number": len(before) + 1,
        "at": at,
        "prev": before[-1].digest if before else ORIGIN,
        "segments": grown,
        **(vouched or {}),
    }
    signed = orjson.dumps(payload, option=orjson.OPT_UTC_Z)
    signature = base64.b64encode(key.sign(signed))
    _append(
        directory / CHECKPOINTS,
        b'{"payload":%b,"signature":"%b"}' % (signed, signature),
        after=[checkpoint.line for checkpoint in before],
    )
    return len(grown)


def earliest_unsigned(directory: Path, before: Iterable[Checkpoint]) -> datetime | None:
    """The earliest stamp of the segments that these checkpoints do not name as they stand; None without any."""
    stamps = [span.earliest for reading in _grown(directory, before) for span in reading.spans]
    return min((stamp for stamp in stamps if stamp is not None), default=None)


def not_intact(what: str, *, where: str) -> GridgateError:
    return GridgateError(
        ErrorKind.CONFLICT,
        f"the access log is not intact: {what}",
        where=where,
        remedy="Run gridgate audit verify and keep the directory as it is.",
    )


def _grown(directory: Path, before: Iterable[Checkpoint]) -> Iterable[SegmentReading]:
    """The segments that have other whole lines than these checkpoints say, on the disk and intact."""
    sizes = {name: mark["size"] for checkpoint in before for name, mark in checkpoint.segments.items()}
    for segment in segment_paths(directory):
        try:
            if ends_at(segment, sizes.get(segment_name(segment), 0)):
                continue
        except DamagedSegment:
            raise not_intact("its file is damaged", where=segment_name(segment)) from None
        _flush(segment)
        reading = read_segment(segment, keep_entries=False)
        if reading.faults:
            raise not_intact(reading.faults[0].what, where=reading.faults[0].where)
        if reading.lines and reading.size != sizes.get(segment.name):
            yield reading


def _append(path: Path, line: bytes, *, after: list[bytes]) -> None:
    """Append a checkpoint, over whatever an interrupted attempt left after the last whole one."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(sum(len(whole) + 1 for whole in after))
        file.seek(0, os.SEEK_END)
        file.write(line + b"\n")
        file.flush()
        os.fsync(descriptor)
    _flush(path.parent)  # its name, too


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
