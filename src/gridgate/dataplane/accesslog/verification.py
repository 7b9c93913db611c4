"""Checking the log: every chain, every link between segments, every segment against the signed checkpoints, and
every stamp against the checkpoints before it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridgate.core.retention import latest_erasable
from gridgate.core.text import counted
from gridgate.dataplane.accesslog.checkpoints import Checkpoint, checkpoint_lines, checkpoint_of
from gridgate.dataplane.accesslog.findings import Mark, Verification, utc_text
from gridgate.dataplane.accesslog.reading import Fault, SegmentReading, read_segment
from gridgate.dataplane.accesslog.segments import (
    CHECKPOINTS,
    ORIGIN,
    digest,
    is_changes,
    misnamed,
    segment_name,
    segment_paths,
)
from gridgate.dataplane.accesslog.signing import When, signed_when
from gridgate.dataplane.accesslog.stamps import check_stamps


@dataclass(frozen=True, slots=True)
class Copy:
    """A checkpoint that was kept elsewhere, and the file it comes from."""

    name: str
    line: bytes


def verify(
    directory: Path,
    keys: Sequence[Ed25519PublicKey] | Ed25519PublicKey,
    *,
    now: datetime,
    sought: Mapping[str, Collection[str]] | None = None,
    copies: Iterable[Copy] = (),
) -> Verification:
    """Check the log as it must be by `now`.

    `keys` are the public keys that checkpoints may be signed with: the present one, and former ones. `sought`
    names, by segment, values of its chain to look for; `copies` are checkpoints that must be among those there.
    Needs nothing but the directory, and never writes to it. Raises `OSError` when it cannot be read.
    """
    verification = Verification()
    keys = [keys] if isinstance(keys, Ed25519PublicKey) else keys
    marks = _checkpoint_marks(directory, keys, verification)
    signed = signed_when(verification.signatures, now)
    _check_erased(keys, signed, verification)
    follows: dict[str, list[Mark]] = {}
    readings: dict[str, SegmentReading] = {}
    for path in segment_paths(directory):
        name = segment_name(path)
        reading = readings[name] = read_segment(
            path,
            keep_entries=False,
            heads_at=frozenset(mark.lines for mark in marks.get(name, ())),
            latest_by=_told_by(marks.get(name, ()), signed),
            sought=frozenset((sought or {}).get(name, ())),
        )
        _count(path, reading, verification)
        followed = reading.genesis.get("follows")
        if followed:
            try:
                mark = Mark(followed["lines"], followed["head"], f"the first line of {name}")
                follows.setdefault(str(followed["segment"]), []).append(mark)
            except (KeyError, TypeError):
                verification.faults.append(Fault(f"{name}:1", "does not say which segment it follows"))
    verification.notes += [
        Fault(name, "is no segment by its name, which is not text: nothing is read of it")
        for name in misnamed(directory)
    ]
    _check_marks(marks, readings, verification)
    _check_ends(follows, readings, verification)
    check_stamps(marks, readings, verification, signed, now)
    verification.faults += _contradicted(copies, keys, verification.signatures)
    return verification


def _count(path: Path, reading: SegmentReading, verification: Verification) -> None:
    verification.segments += 1
    if is_changes(path):
        verification.changes += max(reading.lines - 1, 0)
    else:
        verification.entries += max(reading.lines - 1, 0) - reading.probes
    verification.faults += reading.faults
    verification.located[reading.name] = reading.located
    if reading.given_up:
        verification.given_up[reading.name] = reading.lines
    if reading.torn:
        verification.torn.append(
            Fault(reading.name, f"ends in {counted(reading.torn, 'byte')} of a line that was never finished")
        )


def _checkpoint_marks(
    directory: Path, keys: Sequence[Ed25519PublicKey], verification: Verification
) -> dict[str, list[Mark]]:
    marks: dict[str, list[Mark]] = {}
    chained = ORIGIN
    for number, line in enumerate(checkpoint_lines(directory), start=1):
        where = f"{CHECKPOINTS}:{number}"
        verification.checkpoints += 1
        checkpoint = checkpoint_of(line)
        if checkpoint is None:
            verification.faults.append(Fault(where, "not a checkpoint"))
        else:
            if not checkpoint.signed_by_one_of(keys):
                verification.faults.append(
                    Fault(where, "the signature does not verify with any of the keys given")
                )
            if checkpoint.payload.get("prev") != chained or checkpoint.number != number:
                verification.faults.append(Fault(where, "does not follow from the checkpoint before it"))
            for name, state in checkpoint.segments.items():
                mark = Mark(state["lines"], state["head"], where, len(verification.signatures))
                marks.setdefault(name, []).append(mark)
            verification.signatures.append(checkpoint)
        chained = digest(line)
    return marks


def _told_by(marks: Iterable[Mark], signed: Sequence[When]) -> datetime | None:
    """Up to when stamps of a segment tell of a checkpoint whose own does not; None when there is no such."""
    instants = [signed[mark.place] for mark in marks]
    return min((when.not_after for when in instants if not when.is_told), default=None)


def _check_erased(
    keys: Sequence[Ed25519PublicKey], signed: Sequence[When], verification: Verification
) -> None:
    for checkpoint, when in zip(verification.signatures, signed, strict=True):
        erased = _erased(checkpoint)
        if erased is None or not checkpoint.signed_by_one_of(keys):
            continue
        if erased > latest_erasable(when.not_after):
            what = f"says that reads up to {utc_text(erased)} were erased, which were to be kept then"
            verification.faults.append(Fault(f"{CHECKPOINTS}:{checkpoint.number}", what))
        else:
            verification.erased = max(erased, verification.erased or erased)


def _erased(checkpoint: Checkpoint) -> datetime | None:
    try:
        erased = datetime.fromisoformat(checkpoint.payload["erased"])
    except (KeyError, TypeError, ValueError):
        return None
    return erased if erased.tzinfo is not None else None


def _check_marks(
    marks: dict[str, list[Mark]], readings: dict[str, SegmentReading], verification: Verification
) -> None:
    for name, of_segment in marks.items():
        reading = readings.get(name)
        if reading is None:
            if verification.has_erased(name):
                continue
            verification.faults.append(
                Fault(
                    name,
                    f"is missing; {of_segment[-1].said_by} says it had {counted(of_segment[-1].lines, 'line')}",
                )
            )
            continue
        for mark in of_segment:
            if reading.given_up and reading.lines < mark.lines:
                continue
            if reading.lines < mark.lines:
                what = f"has {counted(reading.lines, 'line')}; {mark.said_by} says it had {mark.lines}"
                verification.faults.append(Fault(name, what))
            elif reading.heads.get(mark.lines) != mark.head:
                what = (
                    f"of its first {counted(mark.lines, 'line')} one changed since {mark.said_by} was signed"
                )
                verification.faults.append(Fault(name, what))
        verification.signed += max(min(max(mark.lines for mark in of_segment), reading.lines) - 1, 0)


def _check_ends(
    marks: dict[str, list[Mark]], readings: dict[str, SegmentReading], verification: Verification
) -> None:
    """A segment that another one follows was closed: it must end where the other says it ended."""
    for name, of_segment in marks.items():
        reading = readings.get(name)
        for mark in of_segment:
            if reading is None:
                if not verification.has_erased(name):
                    verification.faults.append(Fault(name, f"is missing; {mark.said_by} follows it"))
            elif not reading.given_up and (reading.lines, reading.head) != (mark.lines, mark.head):
                verification.faults.append(Fault(name, f"does not end as {mark.said_by} says it did"))


def _contradicted(
    copies: Iterable[Copy], keys: Sequence[Ed25519PublicKey], there: Sequence[Checkpoint]
) -> Iterator[Fault]:
    by_number = {checkpoint.number: checkpoint.line for checkpoint in there}
    for copy in copies:
        kept = checkpoint_of(copy.line)
        if kept is None or not kept.signed_by_one_of(keys):
            yield Fault(copy.name, "the signature of the copy does not verify with any of the keys given")
        elif kept.number not in by_number:
            yield Fault(copy.name, f"the log has no checkpoint {kept.number}; it had this one")
        elif by_number[kept.number] != kept.line:
            yield Fault(copy.name, f"the log has another checkpoint {kept.number} than this one")
