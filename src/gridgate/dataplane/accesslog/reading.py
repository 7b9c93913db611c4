"""A segment read and checked line by line: its chain, its stamps, where it stands."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from gridgate.dataplane.accesslog.damage import DamagedSegment
from gridgate.dataplane.accesslog.segments import (
    LONGEST_LINE,
    ORIGIN,
    PROBE,
    digest,
    is_entry,
    open_segment,
    segment_name,
    whole_lines,
)

MOST_FAULTS = 500
"""Told of one segment, which is then read no further: a few kilobytes of a packed one can be lines without number."""


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
