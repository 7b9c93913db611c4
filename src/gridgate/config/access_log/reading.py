"""What lines of the segments say, for the screens and for whoever counts them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from gridgate.audit.lines import LinesMissing
from gridgate.audit.operations.roll_up import LogLine
from gridgate.dataplane.accesslog import segments
from gridgate.dataplane.accesslog.segments import (
    is_entry,
    open_segment,
    segment_name,
    segment_paths,
    segment_size,
    whole_lines,
)


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


def lines_of(path: Path) -> Iterator[LogLine]:
    """Every whole line of a segment. What is no line of one holds no entry: the chain tells of it. Raises `OSError`."""
    offset = 0
    with open_segment(path) as file:
        for number, raw in enumerate(whole_lines(file), start=1):
            if not raw.endswith(b"\n"):
                return
            entry = entry_of_line(raw)
            yield LogLine(number, entry if entry is not None and is_entry(entry) else None, offset)
            offset += len(raw)


def entry_of_line(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = orjson.loads(raw)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
