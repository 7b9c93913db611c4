"""A coarser step from a finer one.

A value of the coarser step is made only when every part of it is there: otherwise it is missing. Power is
averaged over time, so that its energy is kept; energies are added; of maxima the highest is kept, with its
instant; of register readings the one at the start of the step. Its quality is the least sure of its parts:
estimated, else corrected, else measured.

Never the other way: values whose step is already as coarse as the one asked for, or coarser, are left as they
are. And never by cutting a value in two: ten minutes do not divide a quarter of an hour, so they become half
hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution, civil_day_of
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import epoch, instant, midnight, next_midnight

_SURENESS = ("measured", "corrected", "estimated")


def resample(
    segments: Sequence[Segment], resolution: Resolution, *, kind: Kind, zone: ZoneInfo
) -> list[Segment]:
    """Return the segments with no step finer than `resolution`, by register, then time.

    Steps are counted from midnight of the civil day. A mean that is not whole is a float.
    """
    answer: list[Segment] = []
    for _, same in groupby(sorted(segments, key=lambda s: s.register), key=lambda s: s.register):
        of_register = list(same)
        fine = [s for s in of_register if s.resolution.seconds < resolution.seconds]
        coarse = [s for s in of_register if s.resolution.seconds >= resolution.seconds]
        step = _divisible(resolution, {s.resolution.seconds for s in fine})
        windows: dict[int, _Window] = {}
        for segment in fine:
            _fill(windows, segment, step, kind, zone)
        made = _segments([windows[at] for at in sorted(windows)], step, kind, of_register[0].register)
        answer += sorted([*coarse, *made], key=lambda s: s.start)
    return answer


def exact(value: int | float) -> int | Fraction:
    """The decimal number that a float of an answer stands for: 0.1 is a tenth."""
    return value if isinstance(value, int) else Fraction(repr(value))


def number(value: int | Fraction) -> int | float:
    """An integer when it is whole, else the nearest float."""
    if isinstance(value, int):
        return value
    return value.numerator if value.denominator == 1 else float(value)


def quotient(total: int | Fraction, divisor: int) -> int | float:
    """An integer when it is whole, else the nearest float."""
    if isinstance(total, int) and total % divisor == 0:
        return total // divisor
    return number(Fraction(total, divisor))


def exact_sum(values: Sequence[int | float]) -> int | Fraction:
    total = sum(values)
    return total if isinstance(total, int) else sum((exact(v) for v in values), Fraction(0))


@dataclass(slots=True)
class _Window:
    """One step of the coarser resolution while its parts come in."""

    start: int
    end: int
    covered: int = 0
    total: int | Fraction = 0
    """Sum of the parts; for power, of power times seconds."""
    first: int | float | None = None
    """The value of the part that starts with the window."""
    first_offset: int = 0
    highest: int | float | None = None
    highest_offset: int = 0
    sureness: int = 0

    def value(self, kind: Kind) -> tuple[int | float, int] | None:
        """The value of the window and the offset of its instant; None when a part is missing."""
        if kind is Kind.REGISTER_READING:
            return None if self.first is None else (self.first, self.first_offset)
        if self.covered < self.end - self.start:
            return None
        if kind is Kind.LOAD_CURVE:
            return quotient(self.total, self.end - self.start), 0
        if kind is Kind.MAXIMUM_POWER and self.highest is not None:
            return self.highest, self.highest_offset
        return number(self.total), 0


def _fill(
    windows: dict[int, _Window], segment: Segment, resolution: Resolution, kind: Kind, zone: ZoneInfo
) -> None:
    step = segment.resolution.seconds
    words = segment.qualities()
    at, index = epoch(segment.start), 0
    begin = midnight_after = at
    while index < len(segment):
        if at >= midnight_after:
            day = civil_day_of(instant(at), zone)
            begin, midnight_after = midnight(day, zone), next_midnight(day, zone)
        start, end = begin, midnight_after
        if resolution is not Resolution.P1D:
            start += (at - begin) // resolution.seconds * resolution.seconds
            end = start + resolution.seconds
        window = windows.get(start)
        if window is None:
            window = windows[start] = _Window(start, end)
        upto = min(len(segment), index + max(1, (end - at) // step))
        parts = segment.values[index:upto]
        values = [v for v in parts if v is not None]
        if values:
            seconds = len(values) * step
            total = exact_sum(values)
            window.total += total * step if kind is Kind.LOAD_CURVE else total
            window.covered += seconds
            for word in set(words[index:upto]) - {"missing"}:
                window.sureness = max(window.sureness, _SURENESS.index(word))
            if at == start and parts[0] is not None:
                window.first = parts[0]
                window.first_offset = segment.offsets[index] if segment.offsets else 0
            highest = max(values)
            if window.highest is None or highest > window.highest:
                place = index + parts.index(highest)
                offset = segment.offsets[place] if segment.offsets else 0
                window.highest, window.highest_offset = highest, at - start + (place - index) * step + offset
        at, index = at + (upto - index) * step, upto


def _divisible(resolution: Resolution, steps: set[int]) -> Resolution:
    """The step asked for, or the next that is a whole number of each of `steps`."""
    return next(
        r
        for r in Resolution
        if r.seconds >= resolution.seconds and all(r.seconds % step == 0 for step in steps)
    )


def _segments(windows: Sequence[_Window], resolution: Resolution, kind: Kind, register: str) -> list[Segment]:
    """Windows in a row become a segment; those that are missing at its ends are dropped."""
    runs: list[list[tuple[_Window, tuple[int | float, int] | None]]] = []
    for window in windows:
        if not runs or runs[-1][-1][0].end != window.start:
            runs.append([])
        runs[-1].append((window, window.value(kind)))
    segments = []
    for run in runs:
        there = [index for index, (_, made) in enumerate(run) if made is not None]
        if not there:
            continue
        run = run[there[0] : there[-1] + 1]
        words = ["missing" if made is None else _SURENESS[window.sureness] for window, made in run]
        offsets = [0 if made is None else made[1] for _, made in run]
        segments.append(
            Segment(
                start=instant(run[0][0].start),
                resolution=resolution,
                values=[None if made is None else made[0] for _, made in run],
                quality=[(word, len(list(same))) for word, same in groupby(words)],
                offsets=offsets if any(offsets) else None,
                register=register,
            )
        )
    return segments
