"""From day blocks to segments.

**What belongs to `[start, end)`.** A step is answered only when it lies wholly in the interval, so that no
reader learns anything of an instant outside it. A register reading is an instant, and belongs when `start <=
it < end`.

**Where segments break.** A civil day without any value, a change of step and a change of register begin a new
segment; shorter gaps are `None` inside one. A segment begins and ends with a value.

**When the step changes within a day**, two blocks speak of that day. Of two values for the same instant the
one recorded later is the truth, and of two recorded together the finer. A coarse value that is overruled for
a part of its step is left out whole: what would remain of it is a guess, and a guess is not a measurement.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise
from operator import attrgetter
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import epoch, epoch_up, instant, midnight, next_midnight, step_length
from gridgate.dataplane.store.port import DayBlock

_ATOM = 300  # The finest step: every other is a multiple of it.


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
