"""Where a reading stands: a line is no place in a feed that is written on one line, so its numbers are told too."""

from datetime import UTC, datetime


class Places:
    """The readings of one block, numbered from 1. Stands for the template of `Observations.place`."""

    def __init__(self, entry: int, block: int) -> None:
        self._block = f"entry {entry}, block {block}"
        self._lines: list[int] = []
        self._starts: list[int | None] = []

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, line: int, start: int | None) -> int:
        """The number of one more reading."""
        self._lines.append(line)
        self._starts.append(start)
        return len(self._lines)

    def format(self, number: int) -> str:
        line, start = self._lines[number - 1], self._starts[number - 1]
        instant = f", {instant_of(start)}" if start is not None else ""
        return f"line {line}, {self._block}, reading {number}{instant}"


def instant_of(seconds: int) -> str:
    """The instant as people read it; the number itself where no calendar has it.

    >>> instant_of(0), instant_of(2**47)
    ('1970-01-01T00:00:00Z', '140737488355328 s')
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"
