"""From a block of interval readings to observations: which of them are steps, which are days, which are neither."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest.columns import Columns, observe
from gridgate.dataplane.ingest.decimals import Numbers
from gridgate.dataplane.ingest.local_time import DAY
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.readers.espi.codes import DIRECTIONS, ReadingType, kind_and_unit
from gridgate.dataplane.ingest.readers.espi.feed import About, Block
from gridgate.dataplane.ingest.stamps import Stamps

_NO_LENGTH = "the interval has no length: it covers no time; ask the source to correct it"
_NO_CIVIL_DAY = "the interval is as long as a day but is no civil day by the feed's LocalTimeParameters"
_POWER_OF_A_DAY = "the mean power of a whole day is no step of a load curve (5 to 60 minutes)"
_SHORT_MAXIMUM = "the maximum is of an interval that is no civil day; only daily maxima are kept"

Mask = NDArray[np.bool_]


def observations(block: Block, about: About, notes: Notes) -> Iterator[Observations]:
    """Yield what of the block can be taken; reject the rest."""
    everything = np.ones(len(block.values), bool)
    if about.reading_type is None or about.refusal:
        _reject(block, everything, about.refusal, notes)
        return
    kind, unit = kind_and_unit(about.reading_type)
    batches = _Batches(block, about, about.reading_type, unit, notes)
    if kind is Kind.REGISTER_READING:
        _reject(block, block.durations < 0, _NO_LENGTH, notes)
        at_end = block.starts + block.durations
        batches.add(kind, Stamp.MOMENT, at_end, rows=block.durations >= 0)
    else:
        _reject(block, block.durations <= 0, _NO_LENGTH, notes)
        _days_and_steps(block, about, kind, unit, batches, notes)
    yield from batches.found


def _days_and_steps(
    block: Block, about: About, kind: Kind, unit: str, batches: "_Batches", notes: Notes
) -> None:
    days = (block.durations >= DAY - 3600) & (block.durations <= DAY + 3600)
    steps = (block.durations > 0) & ~days
    if unit == "W":
        _reject(block, days, _POWER_OF_A_DAY, notes)
    else:
        times, whole = _civil_days(block, about.clock)
        of_days = Kind.DAILY_ENERGY if kind is Kind.LOAD_CURVE else kind
        batches.add(of_days, Stamp.DAY, times, rows=days & whole, wall=bool(about.clock))
        _reject(block, days & ~whole, _NO_CIVIL_DAY, notes)
    if kind is Kind.LOAD_CURVE:
        batches.add(kind, Stamp.START, block.starts, rows=steps)
    else:
        _reject(block, steps, _SHORT_MAXIMUM, notes)


def _civil_days(block: Block, clock: tuple[int, ...]) -> tuple[NDArray[np.int64], Mask]:
    """The civil day of each interval, and whether it is one: by the feed's own clock, or, when it does not say,
    as an instant that is checked against ours further on.
    """
    if not clock:
        return block.starts, np.ones(len(block.starts), bool)
    days = block.starts.copy()
    begins, ends = np.zeros(len(days), bool), np.zeros(len(days), bool)
    for offset in clock:
        at_midnight = (block.starts + offset) % DAY == 0
        days[at_midnight] = block.starts[at_midnight] + offset
        begins |= at_midnight
        ends |= (block.starts + block.durations + offset) % DAY == 0
    return days, begins & ends


class _Batches:
    """Observations of one block, which share all but their kind and times."""

    def __init__(
        self, block: Block, about: About, reading_type: ReadingType, unit: str, notes: Notes
    ) -> None:
        self.found: list[Observations] = []
        self._block = block
        self._about = about
        self._type = reading_type
        self._unit = unit
        self._notes = notes

    def add(
        self, kind: Kind, stamp: Stamp, times: NDArray[np.int64], *, rows: Mask, wall: bool = False
    ) -> None:
        block, count = self._block, int(rows.sum())
        batch = observe(
            Columns(
                meter=self._about.meter,
                also_known_as=self._about.other_names,
                kind=kind,
                direction=DIRECTIONS[self._type.flow],
                stamp=stamp,
                unit=self._unit,
                exponent=self._type.multiplier,
                stamps=Stamps(times[rows], np.full(count, wall), np.ones(count, bool)),
                values=Numbers(block.values[rows], 0, np.ones(count, bool), np.zeros(count, bool)),
                raw=pl.Series(block.values[rows]).cast(pl.String),
                rows=block.lines[rows],
                steps=block.durations[rows],
                quality=block.qualities[rows].astype(np.uint8),
            ),
            self._notes,
        )
        if batch is not None:
            self.found.append(batch)


def _reject(block: Block, rows: Mask, reason: str, notes: Notes) -> None:
    for value, line in zip(block.values[rows].tolist(), block.lines[rows].tolist(), strict=True):
        notes.reject(f"line {line}", reason, str(value))
