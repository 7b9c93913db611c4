"""How far ingest has come: a bar on terminals, lines elsewhere for whoever asks for them."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from gridgate.dataplane.ingest.progress import Progress, Untold

_EVERY: Final = 5.0
"""Seconds between two lines."""
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


@contextmanager
def progress_shown(total: int, *, wanted: bool | None) -> Iterator[Progress]:
    """What to tell the progress over `total` bytes. `wanted` None: on terminals only; True: on anything."""
    terminal = sys.stderr.isatty()
    if wanted is False or not (terminal or wanted):
        yield Untold()
    elif terminal:
        with _bar(total) as bar:
            yield bar
    else:
        yield Lines(total, say=lambda line: print(line, file=sys.stderr, flush=True))


class Lines:
    """A line every few seconds."""

    def __init__(
        self, total: int, *, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total, self._say, self._clock = total, say, clock
        self._began = self._told = clock()
        self._bytes = self._values = 0

    def read(self, size: int) -> None:
        self._bytes += size
        self._tell()

    def seen(self, count: int) -> None:
        self._values += count
        self._tell()

    def _tell(self) -> None:
        now = self._clock()
        if now - self._told < _EVERY:
            return
        self._told = now
        elapsed = now - self._began
        left = elapsed * (self._total - self._bytes) / self._bytes if self._bytes else None
        self._say(
            f"{_size(self._bytes)} of {_size(self._total)} read, {self._values} values, {_rate(self._values, elapsed)}"
            + ("" if left is None else f", {_duration(max(0, left))} left")
        )


@contextmanager
def _bar(total: int) -> Iterator[Progress]:
    # On terminals only: slow to import.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("Reading"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as bar:
        task = bar.add_task("", total=total, rate="")
        began, values = time.monotonic(), 0

        class Told:
            def read(self, size: int) -> None:
                bar.advance(task, size)

            def seen(self, count: int) -> None:
                nonlocal values
                values += count
                bar.update(task, rate=_rate(values, time.monotonic() - began))

        yield Told()


def _rate(values: int, seconds: float) -> str:
    return f"{round(values / seconds) if seconds else 0} values/s"


def _size(count: float) -> str:
    """
    >>> _size(812), _size(12_345_678)
    ('812 bytes', '12.3 MB')
    """
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count:.0f} {_UNITS[0]}"


def _duration(seconds: float) -> str:
    """
    >>> _duration(42), _duration(3661)
    ('42 s', '1 h 1 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"
