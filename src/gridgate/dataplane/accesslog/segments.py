"""Segments: chained lines in a file of one process and one UTC day, `2026-11-25-3f0c….jsonl`; those of changes,
`2026-11-25-3f0c….changes.jsonl`, say who was given or lost what, and are kept for good.

A line is one JSON object whose first member, `prev`, is the SHA-256 of the line before (64 zeros for the
first). A process that dies may leave a last line without its end: it was never acknowledged, so what it was
to log was never answered; it is reported as torn, and never dropped in silence.

A segment of a past day is packed, `2026-11-25-3f0c….jsonl.zst` (`packed`): the same lines, under the same name, in frames
of which any one is read without those before it. Whoever asks for a segment is given its lines, in whichever form.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from gridgate.dataplane.accesslog.damage import DamagedSegment

ORIGIN = "0" * 64
SUFFIX = ".jsonl"
CHANGES_SUFFIX = f".changes{SUFFIX}"
PACKED = ".zst"
CHECKPOINTS = f"checkpoints{SUFFIX}"
FOLDED = ".folded"
"""An empty file, changed when the registry was last found to count every line there was."""
LONGEST_LINE = 64 * 2**20
"""Bytes: a receipt on all points of a large company has some millions."""
MOST_FAULTS = 500
"""Told of one segment, which is then read no further: a few kilobytes of a packed one can be lines without number."""
PROBE = "probe"
"""Member of a line that was written to see whether one can be: chained like all, and no entry."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was written."""

    where: str
    """File name, and line number when it is about a line: `2026-11-25-3f0c.jsonl:17`."""
    what: str


@dataclass(slots=True)
class Span:
    """Lines of a segment between two of the line counts that were asked for, or after the last one."""

    first: int
    last: int
    earliest: datetime | None = None
    """The earliest stamp of these lines; the line that opens a segment has none."""
    line: int = 0
    """The line that bears it."""
    latest: datetime | None = None
    """The latest stamp of these lines that is not after the instant asked for."""


@dataclass(slots=True)
class SegmentReading:
    """A segment, read to its end and checked line by line."""

    name: str
    genesis: dict[str, Any] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    """The chain's value after each of the line counts that were asked for."""
    located: dict[str, int] = field(default_factory=dict)
    """After how many lines the chain had each of the values that were sought."""
    spans: list[Span] = field(default_factory=list)
    lines: int = 0
    probes: int = 0
    """How many of the lines are probes."""
    head: str = ORIGIN
    size: int = 0
    """Bytes of whole lines."""
    torn: int = 0
    """Bytes after the last whole line, left by a process that died while writing."""
    faults: list[Fault] = field(default_factory=list)
    given_up: bool = False
    """Whether it has more lines, which were not read after so many faults."""


def digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def is_entry(record: dict[str, Any]) -> bool:
    """Whether a line of a segment tells of a read."""
    return "genesis" not in record and PROBE not in record


def segment_paths(directory: Path) -> list[Path]:
    """Every segment, oldest day first, each in the form that `form_of` says."""
    paths: dict[str, Path] = {}
    for path in _named_as_segments(directory):
        # What waits for its reader, such as a pipe, is none, and would be waited for.
        if _is_text(path.name) and (path.is_file() or path.is_dir()):
            name = segment_name(path)
            paths[name] = form_of(directory / name) if name in paths else path
    return [paths[name] for name in sorted(paths)]


def misnamed(directory: Path) -> list[str]:
    """Names of what would be segments, were they text: nothing that writes the log gives such ones, and neither the
    registry nor a checkpoint can hold them.
    """
    return sorted(path.name for path in _named_as_segments(directory) if not _is_text(path.name))


def _named_as_segments(directory: Path) -> Iterator[Path]:
    # As packing goes: one that is packed meanwhile is found in one form or the other.
    for form in ("", PACKED):
        for path in directory.glob(f"*{SUFFIX}{form}"):
            if path.name != CHECKPOINTS:
                yield path


def _is_text(name: str) -> bool:
    """Whether the bytes of a file's name are UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def form_of(path: Path) -> Path:
    """Which file has the lines of a segment, given where it was written: of both, as when packing was cut short, that
    one; unless it is shorter, having been put back from a copy of when it still grew.
    """
    packed = path.with_name(path.name + PACKED)
    try:
        written = path.stat().st_size
    except FileNotFoundError:
        return packed if packed.exists() else path
    if not packed.is_file():  # of that name a folder has no lines, and a pipe would be waited for
        return path
    try:
        return packed if segment_size(packed) > written else path
    except OSError:  # damaged, or not to be read
        return path


def segment_name(path: Path) -> str:
    """What a segment is called in checkpoints and elsewhere, in whichever form its file is."""
    return path.name.removesuffix(PACKED)


def is_packed(path: Path) -> bool:
    return path.name.endswith(PACKED)


def day_of_segment(name: str) -> date | None:
    """The UTC day on which its first line was written; None when the name does not say."""
    try:
        return date.fromisoformat(name[:10])
    except ValueError:
        return None


def end_of_segment(name: str) -> datetime | None:
    """When its day is over; None when the name does not say which it is."""
    day = day_of_segment(name)
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=1)


def open_segment(path: Path) -> BinaryIO:
    """Its lines, in whichever form the file is, or is by now: another process may pack it meanwhile. Raises `OSError`;
    opening or reading a damaged packed one, `DamagedSegment`.
    """
    if not is_packed(path):
        try:
            return path.open("rb")
        except FileNotFoundError:
            path = path.with_name(path.name + PACKED)
            if not path.exists():
                raise
    from gridgate.dataplane.accesslog.packed import open_packed  # most processes never read one

    return cast(BinaryIO, open_packed(path))


class TooManyFaults(ValueError):
    """So many lines of a segment do not follow from those before them that it is read no further."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"{MOST_FAULTS} lines before line {line} do not follow from those before them")


def following_lines(
    file: BinaryIO, *, after: int = 0, head: str = ORIGIN
) -> Iterator[tuple[int, bytes, str, bool]]:
    """The whole lines after so many, where the chain stood so: the number of each, what stands there, the chain's value
    after it, and whether it follows from the one before.

    Raises `TooManyFaults`: packed, some kilobytes are lines without number that follow from nothing, and each that does
    follow names another hash, which packs to no less than itself.
    """
    faults, number = 0, after
    for raw in whole_lines(file):
        if not raw.endswith(b"\n"):
            return
        number += 1
        if faults >= MOST_FAULTS:
            raise TooManyFaults(number)
        follows = raw.startswith(b'{"prev":"%b"' % head.encode())
        faults += not follows
        head = digest(raw[:-1])
        yield number, raw, head, follows


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines from where the file stands, with their ends. What is longer than any comes without one, and is the last:
    a few kilobytes can be packed lines, or a hole on the disk, of any length.
    """
    while raw := file.readline(LONGEST_LINE):
        yield raw
        if not raw.endswith(b"\n"):
            return


def segment_size(path: Path) -> int:
    """How many bytes its lines have, in whichever form the file is. Raises `OSError`."""
    if not is_packed(path):
        with suppress(FileNotFoundError):  # packed meanwhile
            return path.stat().st_size
    with open_segment(path) as file:
        return file.seek(0, 2)


def ends_at(path: Path, size: int) -> bool:
    """Whether its whole lines have so many bytes; what a death left after them never will be one. Raises `OSError`."""
    there = segment_size(path)
    if there <= size:
        return there == size
    with open_segment(path) as file:
        file.seek(size)
        rest = next(whole_lines(file), b"\n")
    return not rest.endswith(b"\n") and len(rest) < LONGEST_LINE


def read_lines(directory: Path, name: str, offsets: Sequence[int]) -> Iterator[dict[str, Any]]:
    """What the lines of a segment say that begin at these offsets. Raises `OSError`, `ValueError` for what is no line."""
    with open_segment(form_of(directory / name)) as file:
        for offset in offsets:
            file.seek(offset)
            yield orjson.loads(file.readline(LONGEST_LINE))


def is_changes(path: Path) -> bool:
    """Whether its lines are changes of who may read what; else they are reads."""
    return segment_name(path).endswith(CHANGES_SUFFIX)


def read_segment(
    path: Path,
    *,
    keep_entries: bool = True,
    heads_at: Collection[int] = frozenset(),
    sought: Collection[str] = frozenset(),
    latest_by: datetime | None = None,
) -> SegmentReading:
    """Read and check a segment. `heads_at` asks for the chain's value after these numbers of lines, and cuts the
    segment in spans there; `sought` asks where the chain had these values, `latest_by` for the latest stamps by then.

    A line that does not follow from the one before it is a fault, and reading goes on from it, so that each
    break is told once; so is the place from which on a packed segment is damaged. After `MOST_FAULTS` of them it is given
    up. Raises `OSError`.
    """
    reading = SegmentReading(segment_name(path))
    try:
        _read(
            reading,
            path,
            keep_entries=keep_entries,
            heads_at=heads_at,
            sought=sought,
            latest_by=latest_by,
        )
    except DamagedSegment:
        where = f"{reading.name}:{reading.lines + 1}"
        reading.faults.append(
            Fault(where, "its file is damaged: this line and those after it cannot be read")
        )
    return reading


def _read(
    reading: SegmentReading,
    path: Path,
    *,
    keep_entries: bool,
    heads_at: Collection[int],
    sought: Collection[str],
    latest_by: datetime | None,
) -> None:
    with open_segment(path) as file:
        for raw in whole_lines(file):
            if not raw.endswith(b"\n"):
                reading.torn = len(raw)
                if reading.torn == LONGEST_LINE:
                    where = f"{reading.name}:{reading.lines + 1}"
                    reading.faults.append(Fault(where, "is longer than any line of an access log"))
                break
            if len(reading.faults) >= MOST_FAULTS:
                where = f"{reading.name}:{reading.lines + 1}"
                what = f"this line and those after it were not read: {MOST_FAULTS} faults or more come before them"
                reading.faults.append(Fault(where, what))
                reading.given_up = True
                break
            reading.size += len(raw)
            _take(reading, raw[:-1], keep_entries=keep_entries, latest_by=latest_by)
            if reading.lines in heads_at:
                reading.heads[reading.lines] = reading.head
            if reading.head in sought:
                reading.located[reading.head] = reading.lines


def entries_after(path: Path, offset: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each entry written after byte `offset`, with the offset at which to go on next time.

    For those who fold the log elsewhere as it grows. Whole lines only; the chain is not checked. Raises
    `OSError`.
    """
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            offset += len(raw)
            record = orjson.loads(raw)
            if is_entry(record):
                yield offset, record


def _take(reading: SegmentReading, line: bytes, *, keep_entries: bool, latest_by: datetime | None) -> None:
    reading.lines += 1
    where = f"{reading.name}:{reading.lines}"
    previous, reading.head = reading.head, digest(line)
    if not reading.spans or reading.lines - 1 in reading.heads:
        reading.spans.append(Span(reading.lines, reading.lines))
    reading.spans[-1].last = reading.lines
    try:
        record = orjson.loads(line)
        chained = record["prev"] == previous
    except (orjson.JSONDecodeError, KeyError, TypeError):
        reading.faults.append(Fault(where, "not a line of an access log"))
        return
    if not chained:
        reading.faults.append(
            Fault(where, "does not follow from the line before it: one of the two was changed or moved")
        )
    if reading.lines == 1:
        if isinstance(record.get("genesis"), dict):
            reading.genesis = record["genesis"]
        else:
            reading.faults.append(Fault(where, "the first line does not open a segment"))
        return
    _stamp(reading, record, where, latest_by)
    if PROBE in record:
        reading.probes += 1
    elif keep_entries:
        reading.entries.append(record)


def _stamp(reading: SegmentReading, record: dict[str, Any], where: str, latest_by: datetime | None) -> None:
    try:
        at = datetime.fromisoformat(record["at"])
    except (KeyError, TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        reading.faults.append(Fault(where, "does not say when it was written"))
        return
    span = reading.spans[-1]
    if span.earliest is None or at < span.earliest:
        span.earliest, span.line = at, reading.lines
    if latest_by is not None and at <= latest_by and (span.latest is None or at > span.latest):
        span.latest = at
