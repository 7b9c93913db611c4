"""Readings column by column, and what the rest of their feed says of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.readers.espi.clock import Clock
from gridgate.dataplane.ingest.readers.espi.codes import ReadingType
from gridgate.dataplane.ingest.readers.espi.places import Places

UNSAID: Final = -(2**62)
"""Stands in columns for what a reading does not say itself."""


@dataclass(slots=True)
class Block:
    """The readings of one block, column by column."""

    meter_reading: str
    starts: NDArray[np.int64]
    durations: NDArray[np.int64]
    values: NDArray[np.int64]
    qualities: NDArray[np.int64]
    shares: NDArray[np.int64]
    """Which of `Feed.shares` each reading says that it is of."""
    numbers: NDArray[np.int64]
    """Which reading of the block each is, counted from 1; readings without a value count too."""
    places: Places
    begins: int | None
    lasts: int
    """The interval that the block declares: None and 0 where it does not."""
    updated: int = 0
    """When its entry was last changed, in epoch milliseconds; 0 where it does not say."""
    meter: tuple[str, ...] = ()
    """The names that the feed gives to the meter, once it was read to its end."""
    raw: list[str] | None = None
    """The values as the file writes them, where one is of several readings."""

    def only(self, rows: NDArray[np.bool_]) -> "Block":
        columns = {
            name: getattr(self, name)[rows]
            for name in ("starts", "durations", "values", "qualities", "shares", "numbers")
        }
        raw = [text for text, kept in zip(self.raw, rows, strict=True) if kept] if self.raw else None
        return replace(self, **columns, raw=raw)

    def reject(self, reasons: Mapping[int, str], notes: Notes) -> None:
        """Set rows aside, each for its reason."""
        for row in sorted(reasons):
            where = self.places.format(int(self.numbers[row]))
            notes.reject(where, reasons[row], self.text(row), meter=self.meter)

    def text(self, row: int) -> str:
        return self.raw[row] if self.raw is not None else str(self.values[row])

    def texts(self) -> list[str]:
        return [self.text(row) for row in range(len(self))]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(slots=True)
class About:
    """What the rest of the feed says of a block."""

    meter: str
    other_names: tuple[str, ...]
    reading_type: ReadingType | None
    refusal: str
    """Why none of its values is taken; empty when they are."""
    clock: Clock | None
    """The feed's own clock; None when it does not say, or not which."""
    clock_fault: str
    """What is to be mended for the feed to say."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.meter, *self.other_names
