"""What a delivery does to a day: pure, so that every adapter merges alike.

A day is decided slot by slot. A slot that the delivery speaks of is *changed* when the delivery ranks at
least as high as whoever spoke last and says something else, *confirmed* when it says the same, and *late*
when it says something else but somebody ranking higher has spoken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Quality
from gridgate.dataplane.store.checking import rescaled, shortest
from gridgate.dataplane.store.days import Days, key_columns
from gridgate.dataplane.store.packing import Provenance
from gridgate.dataplane.store.port import DayBlock


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """The order of deliveries: publication, then first reception (source ids count up)."""

    published: int
    source: int


@dataclass(slots=True)
class Merge:
    """The outcome for one day. `block` and `provenance` are the day as it now stands."""

    block: DayBlock
    provenance: Provenance
    changed: int
    """Slots whose value, quality or instant is no longer the same."""
    confirmed: bool
    """True when a higher rank said the same again: only the provenance changes."""
    late: DayBlock | None
    """What the delivery said too late, and nothing else."""
    late_count: int


def united(days: Days) -> Days:
    """Canonical blocks as one delivery gave them, in the order of series and days and none twice, without those that say
    nothing."""
    order = sorted(range(len(days.keys)), key=lambda number: key_columns(days.keys[number]))
    days = days.in_order(order)
    said = np.flatnonzero(days.counted(days.spoken))
    days = days.some(said[np.lexsort((days.day[said], days.series[said]))])
    again = (np.diff(days.series) == 0) & (np.diff(days.day) == 0)
    if not again.any():
        return days
    begins = np.flatnonzero(~np.concatenate(([False], again)))
    edges = [*begins.tolist(), len(days)]
    return Days.of([combined([days[place] for place in range(first, end)]) for first, end in pairwise(edges)])


def combined(blocks: Sequence[DayBlock]) -> DayBlock:
    """Several canonical blocks of one series and day, as one delivery gave them: slot by slot the last one
    speaks."""
    if len(blocks) == 1:
        return blocks[0]
    first = blocks[0]
    scale = min(b.scale for b in blocks)
    values, quality = (
        np.zeros(len(first.values), np.int64),
        np.full(len(first.values), Quality.MISSING, np.uint8),
    )
    offsets, cancelled = np.zeros(len(values), np.int32), np.zeros(len(values), np.bool_)
    for block in blocks:
        spoken = speaks(block)
        values[spoken] = rescaled(block.values, block.scale, scale, str(block.key))[spoken]
        quality[spoken] = block.quality[spoken]
        offsets[spoken] = 0 if block.offsets is None else block.offsets[spoken]
        cancelled[spoken] = False if block.cancelled is None else block.cancelled[spoken]
    values, scale = shortest(values, scale)
    return DayBlock(
        first.key,
        first.day,
        values,
        quality,
        scale,
        offsets if offsets.any() else None,
        cancelled=cancelled if cancelled.any() else None,
    )


def speaks(block: DayBlock) -> NDArray[np.bool_]:
    """The slots that a delivered block speaks of: those it gives and those it withdraws."""
    return block.said if block.cancelled is None else block.said | block.cancelled


def first(incoming: DayBlock, rank: Rank, recorded_at: int) -> Merge:
    """The day when nothing was held of it."""
    spoken = speaks(incoming)
    provenance = Provenance.uniform(
        spoken, published=rank.published, source=rank.source, recorded=recorded_at
    )
    return Merge(incoming, provenance, int(spoken.sum()), False, None, 0)


def merge(held: DayBlock, provenance: Provenance, incoming: DayBlock, rank: Rank, recorded_at: int) -> Merge:
    """The day when `held` is what was known of it and `provenance` who said so."""
    scale = min(held.scale, incoming.scale)
    where = f"{incoming.key} {incoming.day.isoformat()}"
    old_values = rescaled(held.values, held.scale, scale, where)
    new_values = rescaled(incoming.values, incoming.scale, scale, where)
    old_offsets, new_offsets = _offsets(held), _offsets(incoming)
    differs = (old_values != new_values) | (held.quality != incoming.quality) | (old_offsets != new_offsets)

    spoken = speaks(incoming)
    higher = (provenance.published < rank.published) | (
        (provenance.published == rank.published) & (provenance.source < rank.source)
    )
    same_rank = (provenance.published == rank.published) & (provenance.source == rank.source)
    change = spoken & differs & (higher | same_rank)
    confirm = spoken & ~differs & higher
    late = spoken & differs & ~(higher | same_rank)

    values, short = shortest(np.where(change, new_values, old_values), scale, where)
    offsets = np.where(change, new_offsets, old_offsets)
    block = DayBlock(
        held.key,
        held.day,
        values,
        np.where(change, incoming.quality, held.quality).astype(np.uint8),
        short,
        offsets.astype(np.int32) if offsets.any() else None,
        recorded_at=recorded_at,
    )
    # Withdrawing a slot of which nothing was said changes nothing, yet "confirm" gives it the rank that keeps
    # it empty.
    now_mine = change | confirm
    merged = Provenance(
        np.where(now_mine, rank.published, provenance.published),
        np.where(now_mine, rank.source, provenance.source),
        np.where(change, recorded_at, provenance.recorded),
    )
    return Merge(
        block,
        merged,
        int(change.sum()),
        bool(confirm.any()),
        _only(incoming, late) if late.any() else None,
        int(late.sum()),
    )


def not_told(late: DayBlock, history: Sequence[DayBlock]) -> DayBlock | None:
    """What of `late` no version in `history` says already: a file delivered again adds nothing. None when all
    is."""
    told = ~late.said
    for known in history:
        scale = min(late.scale, known.scale)
        told |= (
            (rescaled(late.values, late.scale, scale) == rescaled(known.values, known.scale, scale))
            & (late.quality == known.quality)
            & (_offsets(late) == _offsets(known))
        )
    return None if told.all() else _only(late, ~told)


def _only(block: DayBlock, slots: NDArray[np.bool_]) -> DayBlock:
    values, scale = shortest(np.where(slots, block.values, 0), block.scale)
    offsets = np.where(slots, _offsets(block), 0).astype(np.int32)
    return DayBlock(
        block.key,
        block.day,
        values,
        np.where(slots, block.quality, Quality.MISSING).astype(np.uint8),
        scale,
        offsets if offsets.any() else None,
    )


def _offsets(block: DayBlock) -> NDArray[np.int32]:
    return np.zeros(len(block.values), np.int32) if block.offsets is None else block.offsets
