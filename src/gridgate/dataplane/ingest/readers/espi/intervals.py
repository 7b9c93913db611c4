"""From a block of interval readings to observations: which of them are steps, which are days, which are neither."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import Kind
from gridgate.core.text import counted
from gridgate.dataplane.ingest.columns import STEPS, Columns, observe
from gridgate.dataplane.ingest.decimals import Numbers
from gridgate.dataplane.ingest.local_time import DAY
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.readers.espi.blocks import UNSAID, Block
from gridgate.dataplane.ingest.readers.espi.codes import (
    DIRECTIONS,
    FORECAST,
    ReadingType,
    Share,
    kind_and_unit,
    quality_of,
)
from gridgate.dataplane.ingest.readers.espi.feed import Feed
from gridgate.dataplane.ingest.readers.espi.phases import Part, of_all_phases, reject, told_once
from gridgate.dataplane.ingest.readers.espi.places import instant_of
from gridgate.dataplane.ingest.stamps import Stamps

_NO_LENGTH: Final = "the interval has no length: it covers no time; ask the source to correct it"
_NO_CIVIL_DAY: Final = (
    "the interval is as long as a day but is no civil day by the feed's LocalTimeParameters"
)
_POWER_OF_A_DAY: Final = "the mean power of a whole day is no step of a load curve (5 to 60 minutes)"
_SHORT_MAXIMUM: Final = "the maximum is of an interval that is no civil day; only daily maxima are kept"
_PROJECTED: Final = "the reading is a projection (defaultQuality 12 of its ReadingType), not a measurement"
_LONGEST: Final = 366 * DAY
_CHANGE_OF_CLOCKS: Final = 3600
"""By how much a day may be longer than the 24 hours that its block declares."""

Mask = NDArray[np.bool_]


def observations(feed: Feed, notes: Notes) -> Iterator[Observations]:
    """Yield what of the feed can be taken; reject the rest. Of two entries that tell one time the later one holds."""
    parts = []
    for block in sorted(feed.blocks, key=lambda block: -block.updated):
        about = feed.about(block.meter_reading)
        block.meter = about.names
        if about.reading_type is None or about.refusal:
            reject(block, about.refusal, notes)
        else:
            timed = _timed(_described(block, about.reading_type, notes), about.reading_type, notes)
            parts.append(Part(timed, about, about.reading_type))
    parts = _to_their_ends(parts)
    parts = told_once(of_all_phases(parts, notes), feed.shares, notes)
    for part in parts:
        yield from _observed(part, feed.shares, notes)


def _described(block: Block, of: ReadingType, notes: Notes) -> Block:
    """With the quality that the type gives where a reading has none, as ours."""
    codes = np.where(block.qualities == UNSAID, of.default_quality, block.qualities)
    block = _kept(block, codes != FORECAST, _PROJECTED, notes)
    codes = codes[codes != FORECAST]
    block.qualities = np.array([quality_of(code) for code in codes.tolist()], np.int64)
    return block


def _timed(block: Block, of: ReadingType, notes: Notes) -> Block:
    """With the interval of each reading, those without one laid end to end over the block's."""
    unplaced = block.starts == UNSAID
    if unplaced.any():
        step, why = _step_without_period(block, of, unplaced)
        if why:
            block = _kept(block, ~unplaced, why, notes)
        else:
            block.starts = (block.begins or 0) + (block.numbers - 1) * step
            block.durations = np.full(len(block), step, np.int64)
    block.durations = np.where(block.durations == UNSAID, of.interval_length, block.durations)
    return _within_the_block(block, notes)


def _step_without_period(block: Block, of: ReadingType, unplaced: Mask) -> tuple[int, str]:
    """The seconds from one reading to the next of a block without timePeriods, or why they cannot be told."""
    without = "the reading has no timePeriod, and"
    count, length = len(block.places), of.interval_length
    if not unplaced.all():
        return 0, f"{without} others of its block have: which time it is of is not said"
    if block.begins is None:
        return 0, f"{without} its block no interval: which time it is of is not said"
    if not 0 < length <= _LONGEST:
        return 0, f"{without} its ReadingType no intervalLength: which time it is of is not said"
    fitting = [step for step in (length, length + 1) if block.lasts in (count * step, count * step - 1)]
    if block.lasts and not fitting:
        return (
            0,
            f"{without} {counted(count, 'reading')} of {length} s cannot fill the {block.lasts} s of their block",
        )
    return (fitting or [length])[-1] if length + 1 in STEPS else length, ""


def _within_the_block(block: Block, notes: Notes) -> Block:
    if block.begins is None or block.lasts <= 0:
        return block
    begins, ends = block.begins, block.begins + block.lasts
    lengths = np.maximum(block.durations, 0)
    late, early = block.starts - ends, begins - (block.starts + lengths)
    inside = np.maximum(late, early) <= _CHANGE_OF_CLOCKS
    told = f"{instant_of(begins)} to {instant_of(ends)}"
    return _kept(
        block, inside, f"the reading is outside the interval that its block declares ({told})", notes
    )


def _to_their_ends(parts: Sequence[Part]) -> list[Part]:
    """Intervals that name their last second instead of their end (3599 s for an hour) with their true length.

    One is known by a length of one second less than a step or a day, from a start on the grid of that step, while no
    other reading begins in the second that is left out.
    """
    starts: dict[str, set[int]] = defaultdict(set)
    for part in parts:
        starts[part.block.meter_reading].update(part.block.starts.tolist())
    for part in parts:
        block = part.block
        longer = block.durations + 1
        step = np.isin(longer, STEPS) & (block.starts % np.maximum(longer, 1) == 0)
        inclusive = step | np.isin(longer, (DAY - 3600, DAY, DAY + 3600))
        for index in np.flatnonzero(inclusive).tolist():
            if int(block.starts[index] + block.durations[index]) not in starts[block.meter_reading]:
                block.durations[index] += 1
    return list(parts)


def _observed(part: Part, shares: Sequence[Share], notes: Notes) -> Iterator[Observations]:
    kind, unit = kind_and_unit(part.reading_type)
    if kind is Kind.REGISTER_READING:
        block = _kept(part.block, part.block.durations >= 0, _NO_LENGTH, notes)
        batches = _Batches(part._replace(block=block), unit, notes)
        for share in np.unique(block.shares).tolist():
            register = shares[share].within(part.reading_type.share).register
            at_end = block.starts + block.durations
            batches.add(kind, Stamp.MOMENT, at_end, rows=block.shares == share, register=register)
    else:
        block = _kept(part.block, part.block.durations > 0, _NO_LENGTH, notes)
        batches = _Batches(part._replace(block=block), unit, notes)
        _days_and_steps(part._replace(block=block), kind, unit, batches, notes)
    yield from batches.observed


def _days_and_steps(part: Part, kind: Kind, unit: str, batches: "_Batches", notes: Notes) -> None:
    block = part.block
    days = (block.durations >= DAY - 3600) & (block.durations <= DAY + 3600)
    if unit == "W":
        _kept(block, ~days, _POWER_OF_A_DAY, notes)
    else:
        of_days = Kind.DAILY_ENERGY if kind is Kind.LOAD_CURVE else kind
        ends = block.starts + block.durations
        clock = part.about.clock
        midnights = np.full(len(block), -1) if clock is None else clock.days(block.starts, ends)
        batches.add(of_days, Stamp.DAY, midnights, rows=days & (midnights >= 0), wall=True)
        fault = part.about.clock_fault if clock is None else _NO_CIVIL_DAY
        batches.add(of_days, Stamp.DAY, block.starts, rows=days & (midnights < 0), ends=ends, fault=fault)
    if kind is Kind.LOAD_CURVE:
        batches.add(kind, Stamp.START, block.starts, rows=~days)
    else:
        _kept(block, days, _SHORT_MAXIMUM, notes)


class _Batches:
    """Observations of one block, which share all but their kind, times and register."""

    def __init__(self, part: Part, unit: str, notes: Notes) -> None:
        self.observed: list[Observations] = []
        self._part = part
        self._unit = unit
        self._notes = notes

    def add(
        self,
        kind: Kind,
        stamp: Stamp,
        times: NDArray[np.int64],
        *,
        rows: Mask,
        wall: bool = False,
        register: str = "",
        ends: NDArray[np.int64] | None = None,
        fault: str = "",
    ) -> None:
        block, about, of = self._part.block.only(rows), self._part.about, self._part.reading_type
        count = len(block)
        if not count:
            return
        batch = observe(
            Columns(
                meter=about.meter,
                also_known_as=about.other_names,
                kind=kind,
                direction=DIRECTIONS[of.flow],
                register=register,
                stamp=stamp,
                unit=self._unit,
                exponent=of.multiplier,
                stamps=Stamps(times[rows], np.full(count, wall), np.ones(count, bool)),
                values=Numbers(block.values, 0, np.ones(count, bool), *2 * (np.zeros(count, bool),)),
                raw=pl.Series(block.texts()),
                rows=block.numbers,
                steps=block.durations,
                quality=block.qualities.astype(np.uint8),
                place=block.places,
            ),
            self._notes,
        )
        if batch is not None:
            batch.ends, batch.fault = (None if ends is None else ends[rows]), fault
            self.observed.append(batch)


def _kept(block: Block, rows: Mask, why: str, notes: Notes) -> Block:
    """The block with those rows; the others are rejected."""
    if rows.all():
        return block
    reject(block.only(~rows), why, notes)
    return block.only(rows)
