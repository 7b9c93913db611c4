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

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.columns import MISSING, Columns, on_one_divisor
from gridgate.dataplane.query.days import epoch, epoch_up, midnight, next_midnight, step_length
from gridgate.dataplane.store import packing
from gridgate.dataplane.store.days import day_of_number
from gridgate.dataplane.store.port import DayBlock, PackedDay

_ATOM = 300  # The finest step: every other is a multiple of it.


def assemble(blocks: Iterable[DayBlock], start: datetime, end: datetime, zone: ZoneInfo) -> list[Segment]:
    """Return what the blocks of one point, kind and direction say of `[start, end)`, by register, then time.

    The blocks may have several steps and registers. Register readings keep the instant at which they were
    read, maxima the instant at which they were reached, as `offsets`.
    """
    return [columns.segment() for columns in columns_of(blocks, start, end, zone)]


def columns_of(blocks: Iterable[DayBlock], start: datetime, end: datetime, zone: ZoneInfo) -> list[Columns]:
    """The same, to go on computing with."""
    of_register: dict[str, list[DayBlock]] = {}
    for block in blocks:
        of_register.setdefault(block.key.register, []).append(block)
    first, last = epoch_up(start), epoch(end)
    columns: list[Columns] = []
    for register in sorted(of_register):
        for run in _runs(of_register[register], zone):
            columns += _of_run(run, register, first, last)
    return columns


def columns_of_packed(
    days: Sequence[PackedDay],
    about: tuple[str, Kind, FlowDirection],
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> list[Columns]:
    """The same from days as they are kept, of one point, kind and direction, in their order.

    Of a curve of one step, a year as a rule, no block is made: its bytes are joined and unpacked together.
    """
    if not days:
        return []
    numbers, steps, registers, _, scales, widths, amounts, qualities, offsets, _ = zip(*days, strict=True)
    plain = (
        len({*zip(steps, registers, scales, strict=True)}) == 1
        and len({*numbers}) == len(days)
        and not any(offsets)
        and steps[0] != Resolution.P1D.seconds
        and about[1] is not Kind.REGISTER_READING
    )
    if not plain:
        return columns_of(packing.blocks_of(*about, days), start, end, zone)
    first, last = epoch_up(start), epoch(end)
    lengths = [len(one) // width for one, width in zip(amounts, widths, strict=True)]
    bounds = [0, *accumulate(lengths)]
    values, divisor = on_one_divisor([(packing.joined_values(widths, amounts), scales[0])])
    quality = packing.joined_quality(qualities, lengths)
    edges = [0, *(n for n in range(1, len(days)) if numbers[n] != numbers[n - 1] + 1), len(days)]
    columns: list[Columns] = []
    for here, beyond in pairwise(edges):
        place = slice(bounds[here], bounds[beyond])
        run = _Run(
            resolution=Resolution(steps[0]),
            readings=False,
            starts=[midnight(day_of_number(numbers[here]), zone)],
            end=next_midnight(day_of_number(numbers[beyond - 1]), zone),
            lengths=lengths[here:beyond],
            values=values[place],
            divisor=divisor,
            quality=quality[place],
        )
        columns += _of_run(run, registers[0], first, last)
    return columns


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
    blocks = [b for b in blocks if b.said.any()]
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


@dataclass(slots=True)
class _Run:
    """Days, or pieces of days, of one step that follow each other without a break."""

    resolution: Resolution
    readings: bool
    starts: list[int]
    """When each of them begins; the first is enough where steps are of one length."""
    end: int
    lengths: list[int]
    """How many steps each has."""
    values: NDArray[Any]
    divisor: int
    quality: NDArray[np.uint8]
    offsets: NDArray[np.int32] | None = None
    has_offsets: Sequence[bool] = ()
    """Whether each has."""


def _runs(blocks: list[DayBlock], zone: ZoneInfo) -> Iterator[_Run]:
    blocks.sort(key=attrgetter("day"))
    readings = blocks[0].key.kind is Kind.REGISTER_READING
    starts: list[int] = []
    parts: list[DayBlock | Piece] = []
    reached, step = 0, Resolution.P1D
    for start, end, resolution, part in _in_order_of_time(blocks, zone):
        if parts and (reached != start or step is not resolution):
            yield _run_of(parts, starts, reached, step, readings=readings)
            starts, parts = [], []
        starts.append(start)
        parts.append(part)
        reached, step = end, resolution
    if parts:
        yield _run_of(parts, starts, reached, step, readings=readings)


def _run_of(
    parts: Sequence[DayBlock | Piece], starts: list[int], end: int, resolution: Resolution, *, readings: bool
) -> _Run:
    values, divisor = on_one_divisor([(part.values, part.scale) for part in parts])
    has_offsets, offsets = [part.offsets is not None for part in parts], None
    if any(has_offsets):
        zeros = (np.zeros(len(part.values), np.int32) for part in parts)
        offsets = _joined([z if p.offsets is None else p.offsets for p, z in zip(parts, zeros, strict=True)])
    return _Run(
        resolution=resolution,
        readings=readings,
        starts=starts,
        end=end,
        lengths=[len(part.values) for part in parts],
        values=values,
        divisor=divisor,
        quality=_joined([part.quality for part in parts]),
        offsets=offsets,
        has_offsets=has_offsets,
    )


def _in_order_of_time(
    blocks: Sequence[DayBlock], zone: ZoneInfo
) -> Iterator[tuple[int, int, Resolution, DayBlock | Piece]]:
    """Start, end and step of what each day says. A day of one block is that block, though it may say nothing."""
    index = 0
    while index < len(blocks):
        block = blocks[index]
        day, upto = block.day, index + 1
        while upto < len(blocks) and blocks[upto].day == day:
            upto += 1
        if upto == index + 1:
            begin, resolution = midnight(day, zone), block.key.resolution
            yield begin, begin + len(block.values) * step_length(resolution, day, zone), resolution, block
        else:
            for piece in pieces_of_day(blocks[index:upto], day, zone):
                yield piece.start, piece.end, piece.resolution, piece
        index = upto


def _of_run(run: _Run, register: str, first: int, last: int) -> Iterator[Columns]:
    """What of the run belongs to the interval. Days without any value part it."""
    begins = [0, *accumulate(run.lengths[:-1])]
    said = np.not_equal(run.quality, MISSING)
    _clip(said, run, first, last)
    speak = np.logical_or.reduceat(said, begins)
    if not speak.any():
        return
    values, quality, offsets = run.values, run.quality, run.offsets
    if not said.all():
        values, quality = np.where(said, values, 0), np.where(said, quality, np.uint8(MISSING))
    edges = [0, len(begins)]
    if not speak.all():
        edges = np.flatnonzero(np.diff(speak, prepend=False, append=False)).tolist()
    for here, beyond in zip(edges[::2], edges[1::2], strict=True):
        begin, end = begins[here], begins[beyond] if beyond < len(begins) else len(said)
        there = np.flatnonzero(said[begin:end])
        low, high = begin + int(there[0]), begin + int(there[-1]) + 1
        # A part of P1D is one step: it knows where it starts, whatever the length of the days before it.
        daily = run.resolution is Resolution.P1D
        yield Columns(
            run.starts[low] if daily else run.starts[0] + low * run.resolution.seconds,
            run.resolution,
            values[low:high],
            run.divisor,
            quality[low:high],
            offsets[low:high] if offsets is not None and any(run.has_offsets[here:beyond]) else None,
            register,
        )


def _clip(said: NDArray[np.bool_], run: _Run, first: int, last: int) -> None:
    """Say nothing of the steps that do not lie wholly in the interval, and of the readings read outside it."""
    if first <= run.starts[0] and run.end <= last and not run.readings:
        return
    if run.resolution is Resolution.P1D:
        starts = np.array([*run.starts, run.end])
        ends, starts = starts[1:], starts[:-1]
    else:
        starts = run.starts[0] + run.resolution.seconds * np.arange(len(said))
        ends = starts + run.resolution.seconds
    if run.readings:
        at = starts if run.offsets is None else starts + run.offsets
        said &= (first <= at) & (at < last)
    else:
        said &= (first <= starts) & (ends <= last)


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if len(arrays) > 1 else arrays[0]


def _overlaid(blocks: Sequence[DayBlock], day: date, zone: ZoneInfo) -> list[Piece]:
    """Take values in the order of their authority, each only where nothing was taken yet."""
    begin = midnight(day, zone)
    steps = [step_length(block.key.resolution, day, zone) for block in blocks]
    owners = np.full((next_midnight(day, zone) - begin) // _ATOM, -1)
    taken = [np.zeros(len(block.values), np.bool_) for block in blocks]
    of_equal_authority = []
    for which, block in enumerate(blocks):
        recorded = (
            np.full(len(block.values), block.recorded_at)
            if block.slot_recorded_at is None
            else block.slot_recorded_at
        )
        of_equal_authority += [(-at, steps[which], which) for at in np.unique(recorded[block.said]).tolist()]
    for at, step, which in sorted(of_equal_authority):
        block = blocks[which]
        speak = block.said
        if block.slot_recorded_at is not None:
            speak = speak & (block.slot_recorded_at == -at)
        atoms = owners.reshape(len(speak), step // _ATOM)
        speak = speak & (atoms < 0).all(axis=1)
        taken[which] |= speak
        atoms[speak] = which
    places = np.flatnonzero(owners >= 0)
    owned = owners[places]
    edges = np.flatnonzero(np.diff(owned, prepend=-1, append=-1)).tolist()
    pieces = []
    for here, beyond in pairwise(edges):
        which = int(owned[here])
        block, step = blocks[which], steps[which]
        low, high = int(places[here]) * _ATOM // step, (int(places[beyond - 1]) + 1) * _ATOM // step
        pieces.append(
            Piece(
                begin + low * step,
                begin + high * step,
                block.key.resolution,
                block.scale,
                block.values[low:high],
                np.where(taken[which], block.quality, np.uint8(MISSING))[low:high],
                None if block.offsets is None else block.offsets[low:high],
            )
        )
    return pieces
