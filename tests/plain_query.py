"""Assembling and resampling one value after the other, as plainly as it can be said: what the arrays of
`gridgate.dataplane.query` must agree with to the last digit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import groupby, pairwise
from operator import attrgetter
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution, civil_day_of
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import epoch, epoch_up, instant, midnight, next_midnight, step_length
from gridgate.dataplane.store.port import DayBlock

_ATOM = 300
_SURENESS = ("measured", "corrected", "estimated")


def assemble(blocks: Iterable[DayBlock], start: datetime, end: datetime, zone: ZoneInfo) -> list[Segment]:
    """Return what the blocks of one point, kind and direction say of `[start, end)`, by register, then time.

    The blocks may have several steps and registers. Register readings keep the instant at which they were
    read, maxima the instant at which they were reached, as `offsets`.
    """
    of_register: dict[str, list[DayBlock]] = {}
    for block in blocks:
        of_register.setdefault(block.key.register, []).append(block)
    first, last = epoch_up(start), epoch(end)
    segments: list[Segment] = []
    for register in sorted(of_register):
        segments += _segments(of_register[register], register, first, last, zone)
    return segments


@dataclass(slots=True)
class Piece:
    """Some steps of one block in a row; `values`, `quality` and `offsets` as in the block."""

    start: int
    end: int
    resolution: Resolution
    scale: int
    values: NDArray[np.int64]
    quality: NDArray[np.uint8]
    offsets: NDArray[np.int32] | None


def pieces_of_day(blocks: Sequence[DayBlock], day: date, zone: ZoneInfo) -> list[Piece]:
    """What the blocks of one series' day say together, in order of time, no instant twice.

    One block is one piece, missing steps included; nothing when it has no value. Several blocks (steps) yield
    pieces that begin and end with a value.
    """
    blocks = [b for b in blocks if not (b.quality == Quality.MISSING).all()]
    if len(blocks) == 1:
        block, begin = blocks[0], midnight(day, zone)
        return [
            Piece(
                begin,
                begin + len(block.values) * step_length(block.key.resolution, day, zone),
                block.key.resolution,
                block.scale,
                block.values,
                block.quality,
                block.offsets,
            )
        ]
    return _overlaid(blocks, day, zone)


def _segments(
    blocks: list[DayBlock], register: str, first: int, last: int, zone: ZoneInfo
) -> Iterable[Segment]:
    blocks.sort(key=attrgetter("day"))
    readings = bool(blocks) and blocks[0].key.kind is Kind.REGISTER_READING
    run: list[Piece] = []
    for day, same in groupby(blocks, key=attrgetter("day")):
        for piece in pieces_of_day(list(same), day, zone):
            clipped = _clipped(piece, first, last, readings=readings)
            if clipped is None:
                continue
            if run and (run[-1].end != clipped.start or run[-1].resolution is not clipped.resolution):
                yield from _segment(run, register, zone)
                run = []
            run.append(clipped)
    yield from _segment(run, register, zone)


def _clipped(piece: Piece, first: int, last: int, *, readings: bool) -> Piece | None:
    """The steps of the piece that belong to the interval; None when there is none."""
    if first <= piece.start and piece.end <= last and not readings:
        return piece
    step = (piece.end - piece.start) // len(piece.values)
    if readings:
        at = piece.start + step * np.arange(len(piece.values))
        at = at if piece.offsets is None else at + piece.offsets
        within = np.flatnonzero((first <= at) & (at < last))
        low, high = (int(within[0]), int(within[-1]) + 1) if len(within) else (0, 0)
    else:
        low = max(0, -((piece.start - first) // step))
        high = min(len(piece.values), (last - piece.start) // step)
    return _slice(piece, low, high, step) if low < high else None


def _slice(piece: Piece, low: int, high: int, step: int) -> Piece | None:
    quality = piece.quality[low:high]
    if (quality == Quality.MISSING).all():
        return None
    return Piece(
        piece.start + low * step,
        piece.start + high * step,
        piece.resolution,
        piece.scale,
        piece.values[low:high],
        quality,
        None if piece.offsets is None else piece.offsets[low:high],
    )


def _segment(run: list[Piece], register: str, zone: ZoneInfo) -> Iterable[Segment]:
    if not run:
        return
    quality = np.concatenate([p.quality for p in run])
    said = np.flatnonzero(quality != Quality.MISSING)
    low, high = int(said[0]), int(said[-1]) + 1
    quality = quality[low:high]
    values: list[int | float | None] = []
    for piece in run:
        values += in_unit(piece.values, piece.scale)
    values = values[low:high]
    for index in np.flatnonzero(quality == Quality.MISSING).tolist():
        values[index] = None
    offsets = None
    if any(p.offsets is not None for p in run):
        zeros = (np.zeros(len(p.values), np.int32) if p.offsets is None else p.offsets for p in run)
        offsets = np.concatenate(list(zeros))[low:high].tolist()
    # A piece of P1D is one step: it knows where it starts, whatever the length of the days before it.
    daily = run[0].resolution is Resolution.P1D
    begin = run[low].start if daily else run[0].start + low * run[0].resolution.seconds
    yield Segment(instant(begin), run[0].resolution, values, quality_words(quality), offsets, register)


def in_unit(values: NDArray[np.int64], scale: int) -> list[int | float | None]:
    """The measures as numbers: integers where they are whole, else the nearest float."""
    whole: list[int | float | None] = values.tolist()
    if scale == 0:
        return whole
    if scale > 0:
        return [v * 10**scale for v in values.tolist()]
    divisor = 10**-scale
    return [v // divisor if v % divisor == 0 else v / divisor for v in values.tolist()]


def quality_words(quality: NDArray[np.uint8]) -> list[tuple[str, int]]:
    """Quality codes as runs of words."""
    edges = [0, *(np.flatnonzero(quality[1:] != quality[:-1]) + 1).tolist(), len(quality)]
    return [(_WORDS[int(quality[a])], b - a) for a, b in pairwise(edges)]


def _overlaid(blocks: Sequence[DayBlock], day: date, zone: ZoneInfo) -> list[Piece]:
    """Take values in the order of their authority, each only where nothing was taken yet."""
    begin = midnight(day, zone)
    atoms = bytearray((next_midnight(day, zone) - begin) // _ATOM)
    steps = [step_length(block.key.resolution, day, zone) for block in blocks]
    candidates = []
    for which, block in enumerate(blocks):
        recorded = block.slot_recorded_at
        for index in np.flatnonzero(block.said).tolist():
            at = block.recorded_at if recorded is None else int(recorded[index])
            candidates.append((-at, steps[which], index, which))
    chosen: list[tuple[int, int, int]] = []
    for _, step, index, which in sorted(candidates):
        low, high = index * step // _ATOM, (index + 1) * step // _ATOM
        if not any(atoms[low:high]):
            atoms[low:high] = b"\1" * (high - low)
            chosen.append((low, which, index))
    chosen.sort()
    pieces = []
    for which, taken in groupby(chosen, key=lambda c: c[1]):
        indexes = [index for _, _, index in taken]
        block, step = blocks[which], steps[which]
        low, high = indexes[0], indexes[-1] + 1
        quality = np.full(high - low, Quality.MISSING, np.uint8)
        for index in indexes:
            quality[index - low] = block.quality[index]
        pieces.append(
            Piece(
                begin + low * step,
                begin + high * step,
                block.key.resolution,
                block.scale,
                block.values[low:high],
                quality,
                None if block.offsets is None else block.offsets[low:high],
            )
        )
    return pieces


_WORDS = {int(quality): quality.word for quality in Quality}


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
        made = _segments_of_windows(
            [windows[at] for at in sorted(windows)], step, kind, of_register[0].register
        )
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


def _segments_of_windows(
    windows: Sequence[_Window], resolution: Resolution, kind: Kind, register: str
) -> list[Segment]:
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
