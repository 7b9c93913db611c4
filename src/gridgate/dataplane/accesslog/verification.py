"""Checking the log: every chain, every link between segments, every segment against the signed checkpoints, and
every stamp against the checkpoints before it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridgate.core.retention import latest_erasable
from gridgate.core.text import counted
from gridgate.dataplane.accesslog.checkpoints import (
    INTERVAL,
    Checkpoint,
    checkpoint_lines,
    checkpoint_of,
)
from gridgate.dataplane.accesslog.segments import (
    CHANGES_SUFFIX,
    CHECKPOINTS,
    ORIGIN,
    Fault,
    SegmentReading,
    Span,
    digest,
    end_of_segment,
    is_changes,
    misnamed,
    read_segment,
    segment_name,
    segment_paths,
)

LATE = timedelta(hours=1)
"""How much earlier than the last checkpoint a new line may be stamped: clocks differ, and a request may be long."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a segment must have stood, and who says so."""

    lines: int
    head: str
    said_by: str
    place: int = 0
    """Which of the checkpoints that is, from 0, if it is one: what the one before did not know cannot be much older."""


@dataclass(slots=True)
class _When:
    """Between which instants a checkpoint was signed: its stamp twice, unless the others contradict its clock."""

    not_before: datetime | None
    not_after: datetime

    @property
    def is_told(self) -> bool:
        """Whether its own stamp tells."""
        return self.not_before == self.not_after


@dataclass(slots=True)
class Verification:
    """What `verify` found. The log is intact when there are no faults."""

    segments: int = 0
    entries: int = 0
    changes: int = 0
    signed: int = 0
    """Entries and changes that the last checkpoint covers; later ones rest on their chain alone."""
    checkpoints: int = 0
    torn: list[Fault] = field(default_factory=list)
    """Ends of segments that a dying process left half written. Not a fault: what they were to log was not
    answered.
    """
    notes: list[Fault] = field(default_factory=list)
    """What is as it was written, and says less than it could; and what is none of the log."""
    faults: list[Fault] = field(default_factory=list)
    signatures: list[Checkpoint] = field(default_factory=list)
    """The checkpoints that can be read, oldest first."""
    located: dict[str, dict[str, int]] = field(default_factory=dict)
    """By segment, after how many lines its chain had each of the values that were sought."""
    given_up: dict[str, int] = field(default_factory=dict)
    """Segments that were not read to their end, as they have too many faults: how many lines were."""

    erased: datetime | None = None
    """Up to when reads were erased for being old, as a signed checkpoint says."""

    @property
    def intact(self) -> bool:
        return not self.faults

    def has_erased(self, name: str) -> bool:
        """Whether a segment need not be there, all of its reads being erased; that of changes is kept for good."""
        end = end_of_segment(name)
        if name.endswith(CHANGES_SUFFIX) or end is None or self.erased is None:
            return False
        return end <= self.erased


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
    found = Verification()
    keys = [keys] if isinstance(keys, Ed25519PublicKey) else keys
    marks = _checkpoint_marks(directory, keys, found)
    signed = _signed_when(found.signatures, now)
    _check_erased(keys, signed, found)
    follows: dict[str, list[_Mark]] = {}
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
        _count(path, reading, found)
        followed = reading.genesis.get("follows")
        if followed:
            try:
                mark = _Mark(followed["lines"], followed["head"], f"the first line of {name}")
                follows.setdefault(str(followed["segment"]), []).append(mark)
            except (KeyError, TypeError):
                found.faults.append(Fault(f"{name}:1", "does not say which segment it follows"))
    found.notes += [
        Fault(name, "is no segment by its name, which is not text: nothing is read of it")
        for name in misnamed(directory)
    ]
    _check_marks(marks, readings, found)
    _check_ends(follows, readings, found)
    _check_stamps(marks, readings, found, signed, now)
    found.faults += _contradicted(copies, keys, found.signatures)
    return found


def _count(path: Path, reading: SegmentReading, found: Verification) -> None:
    found.segments += 1
    if is_changes(path):
        found.changes += max(reading.lines - 1, 0)
    else:
        found.entries += max(reading.lines - 1, 0) - reading.probes
    found.faults += reading.faults
    found.located[reading.name] = reading.found
    if reading.given_up:
        found.given_up[reading.name] = reading.lines
    if reading.torn:
        found.torn.append(
            Fault(reading.name, f"ends in {counted(reading.torn, 'byte')} of a line that was never finished")
        )


def _checkpoint_marks(
    directory: Path, keys: Sequence[Ed25519PublicKey], found: Verification
) -> dict[str, list[_Mark]]:
    marks: dict[str, list[_Mark]] = {}
    chained = ORIGIN
    for number, line in enumerate(checkpoint_lines(directory), start=1):
        where = f"{CHECKPOINTS}:{number}"
        found.checkpoints += 1
        checkpoint = checkpoint_of(line)
        if checkpoint is None:
            found.faults.append(Fault(where, "not a checkpoint"))
        else:
            if not checkpoint.signed_by_one_of(keys):
                found.faults.append(Fault(where, "the signature does not verify with any of the keys given"))
            if checkpoint.payload.get("prev") != chained or checkpoint.number != number:
                found.faults.append(Fault(where, "does not follow from the checkpoint before it"))
            for name, said in checkpoint.segments.items():
                mark = _Mark(said["lines"], said["head"], where, len(found.signatures))
                marks.setdefault(name, []).append(mark)
            found.signatures.append(checkpoint)
        chained = digest(line)
    return marks


def _signed_when(signatures: Sequence[Checkpoint], now: datetime) -> list[_When]:
    """When each was signed. They are a chain, so their sequence is sure and their clocks are not: the stamps of as many
    days as can be are taken for right, in order and none of them to come; the others were stamped by a clock that was
    wrong, and were signed between those.
    """
    right = _in_order([one.at for one in signatures], now + LATE)
    signed = []
    before: datetime | None = None
    for place, one in enumerate(signatures):
        if place in right:
            before = one.at
        signed.append(_When(before, one.at))
    after = now
    for place in reversed(range(len(signatures))):
        if place in right:
            after = signatures[place].at
        signed[place].not_after = after
    return signed


def _in_order(stamps: Sequence[datetime], until: datetime) -> set[int]:
    """The places of stamps that do not go back, none after `until`: of as many days as can be, and of these as many as
    can be. Days come first, as the log is signed by itself once in each: signing often by a wrong clock gains nothing.
    """
    there = sorted({at for at in stamps if at <= until})
    best: list[_Chain] = [(0, 0, -1)] * (len(there) + 1)
    came_from: dict[int, int] = {}
    for place, at in enumerate(stamps):
        if at > until:
            continue
        day = at.astimezone(UTC).date()
        days, count, last = _best(best, bisect_left(there, datetime.combine(day, time.min, UTC)))
        days += 1
        same_days, same_count, same_last = _best(best, bisect_right(there, at))
        if same_last >= 0 and stamps[same_last].astimezone(UTC).date() == day:
            days, count, last = max((days, count, last), (same_days, same_count, same_last))
        came_from[place] = last
        index = bisect_right(there, at)
        while index < len(best):
            best[index] = max(best[index], (days, count + 1, place))
            index += index & -index
    found = set()
    at_place = _best(best, len(there))[2]
    while at_place >= 0:
        found.add(at_place)
        at_place = came_from[at_place]
    return found


_Chain = tuple[int, int, int]
"""Of stamps in order: how many days and how many stamps, and the place of the last."""


def _best(best: Sequence[_Chain], index: int) -> _Chain:
    """Of the chains whose last stamp is among the first `index`; `best` is a Fenwick tree."""
    found = best[0]
    while index:
        found = max(found, best[index])
        index -= index & -index
    return found


def _told_by(marks: Iterable[_Mark], signed: Sequence[_When]) -> datetime | None:
    """Up to when stamps of a segment tell of a checkpoint whose own does not; None when there is no such."""
    instants = [signed[mark.place] for mark in marks]
    return min((one.not_after for one in instants if not one.is_told), default=None)


def _check_erased(keys: Sequence[Ed25519PublicKey], signed: Sequence[_When], found: Verification) -> None:
    for checkpoint, when in zip(found.signatures, signed, strict=True):
        erased = _erased(checkpoint)
        if erased is None or not checkpoint.signed_by_one_of(keys):
            continue
        if erased > latest_erasable(when.not_after):
            what = f"says that reads up to {_said(erased)} were erased, which were to be kept then"
            found.faults.append(Fault(f"{CHECKPOINTS}:{checkpoint.number}", what))
        else:
            found.erased = max(erased, found.erased or erased)


def _erased(checkpoint: Checkpoint) -> datetime | None:
    try:
        erased = datetime.fromisoformat(checkpoint.payload["erased"])
    except (KeyError, TypeError, ValueError):
        return None
    return erased if erased.tzinfo is not None else None


def _check_marks(
    marks: dict[str, list[_Mark]], readings: dict[str, SegmentReading], found: Verification
) -> None:
    for name, said in marks.items():
        reading = readings.get(name)
        if reading is None:
            if found.has_erased(name):
                continue
            found.faults.append(
                Fault(name, f"is missing; {said[-1].said_by} says it had {counted(said[-1].lines, 'line')}")
            )
            continue
        for mark in said:
            if reading.given_up and reading.lines < mark.lines:
                continue
            if reading.lines < mark.lines:
                what = f"has {counted(reading.lines, 'line')}; {mark.said_by} says it had {mark.lines}"
                found.faults.append(Fault(name, what))
            elif reading.heads.get(mark.lines) != mark.head:
                what = (
                    f"of its first {counted(mark.lines, 'line')} one changed since {mark.said_by} was signed"
                )
                found.faults.append(Fault(name, what))
        found.signed += max(min(max(mark.lines for mark in said), reading.lines) - 1, 0)


def _check_ends(
    marks: dict[str, list[_Mark]], readings: dict[str, SegmentReading], found: Verification
) -> None:
    """A segment that another one follows was closed: it must end where the other says it ended."""
    for name, said in marks.items():
        reading = readings.get(name)
        for mark in said:
            if reading is None:
                if not found.has_erased(name):
                    found.faults.append(Fault(name, f"is missing; {mark.said_by} follows it"))
            elif not reading.given_up and (reading.lines, reading.head) != (mark.lines, mark.head):
                found.faults.append(Fault(name, f"does not end as {mark.said_by} says it did"))


def _check_stamps(
    marks: dict[str, list[_Mark]],
    readings: dict[str, SegmentReading],
    found: Verification,
    signed: Sequence[_When],
    now: datetime,
) -> None:
    """What a checkpoint names for the first time was written since the one before it, and what none names since the
    last one, and not long ago.
    """
    spans = [
        (
            name,
            span,
            next((mark.place for mark in marks.get(name, ()) if span.last <= mark.lines), len(signed)),
        )
        for name, reading in readings.items()
        for span in reading.spans
    ]
    _tell_wrong_clocks(spans, signed, found)
    unsigned: dict[str, datetime] = {}
    belated: dict[int, datetime] = {}
    for name, span, place in spans:
        if place:
            found.faults += _backdated(name, span, found.signatures[place - 1].number, signed[place - 1])
        if span.earliest is None:
            continue
        if place == len(signed):
            unsigned[name] = min(span.earliest, unsigned.get(name, span.earliest))
        elif span.earliest < signed[place].not_after - INTERVAL:
            number = found.signatures[place].number
            belated[number] = min(span.earliest, belated.get(number, span.earliest))
    old = {name: at for name, at in unsigned.items() if at < now - INTERVAL}
    if old:
        found.faults.append(
            Fault(
                CHECKPOINTS,
                f"no checkpoint covers lines in {counted(len(old), 'segment')}, the oldest of "
                f"{_said(min(old.values()))}, and the log "
                "is to be signed every day: find out why the worker did not, then run gridgate audit sign",
            )
        )
    found.notes += [
        Fault(
            f"{CHECKPOINTS}:{number}",
            f"is the first to cover lines as old as {_said(at)}; whether they were changed before it was signed, "
            "it cannot tell",
        )
        for number, at in sorted(belated.items())
    ]


def _tell_wrong_clocks(
    spans: Iterable[tuple[str, Span, int]], signed: Sequence[_When], found: Verification
) -> None:
    """Say which checkpoints tell a wrong time. What one of them knew was there by then, so that it was signed later than
    the lines that it knew say, if they were not stamped by that clock too.
    """
    wrong = {place for place, when in enumerate(signed) if not when.is_told}
    if not wrong:
        return
    known: dict[int, datetime] = {}
    for _name, span, place in spans:
        if place in wrong and span.latest is not None and span.latest <= signed[place].not_after:
            known[place] = max(span.latest, known.get(place, span.latest))
    since: datetime | None = None
    for place, when in enumerate(signed):
        if place not in wrong:
            since = when.not_before
            continue
        since = when.not_before = max(
            (at for at in (since, when.not_before, known.get(place)) if at is not None), default=None
        )
        one = found.signatures[place]
        from_then = f"from {_said(since)} on, and " if since is not None else ""
        what = (
            f"is stamped {_said(one.at)} by a clock that was wrong: as the others and this check’s own clock say, it was "
            f"signed {from_then}no later than {_said(when.not_after)}"
        )
        found.notes.append(Fault(f"{CHECKPOINTS}:{one.number}", what))


def _backdated(name: str, span: Span, number: int, signed: _When) -> Iterator[Fault]:
    """Lines that say they are older than a checkpoint that did not know them."""
    if signed.not_before is None:
        return
    after = "" if signed.is_told else "after "
    told = f"checkpoint {number}, signed {after}{_said(signed.not_before)}, did not know"
    if span.earliest is not None and span.earliest < signed.not_before - LATE:
        yield Fault(f"{name}:{span.line}", f"is stamped {_said(span.earliest)}, and {told} the line")
    elif span.first == 1 and (ended := end_of_segment(name)) is not None and ended < signed.not_before - LATE:
        yield Fault(name, f"is of a day that was over, and {told} the segment")


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


def _said(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
