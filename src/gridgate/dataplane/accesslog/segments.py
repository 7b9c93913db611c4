"""Segments: chained lines in a file of one process and one UTC day, `2026-11-25-3f0c….jsonl`; those of changes,
`2026-11-25-3f0c….changes.jsonl`, say who was given or lost what, and are kept for good.

A line is one JSON object whose first member, `prev`, is the SHA-256 of the line before (64 zeros for the
first). A process that dies may leave a last line without its end: it was never acknowledged, so what it was
to log was never answered; it is reported as torn, and never dropped in silence.

A segment of a past day is packed, `2026-11-25-3f0c….jsonl.zst` (`packed`): the same lines, under the same name, in frames
of which any one is read without those before it. Whoever asks for a segment is given its lines, in whichever form.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

ORIGIN = "0" * 64
SUFFIX = ".jsonl"
CHANGES_SUFFIX = f".changes{SUFFIX}"
PACKED = ".zst"
CHECKPOINTS = f"checkpoints{SUFFIX}"
FOLDED = ".folded"
"""An empty file, changed when the registry was last found to count every line there was."""
LONGEST_LINE = 64 * 2**20
"""Bytes: a receipt on all points of a large company has some millions."""
PROBE = "probe"
"""Member of a line that was written to see whether one can be: chained like all, and no entry."""


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
