"""The batches of one series as a table, from which checks strike out rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.ingest.columns import STEPS
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import FIRST, LAST, LocalClock
from gridgate.dataplane.ingest.port import Observations, Stamp
from gridgate.dataplane.store.quarantine import Cause

STAMPED_AT_END: Final = ("C5", "P4")
Mask = NDArray[np.bool_]


def lasting(batch: Observations, clock: LocalClock) -> Observations:
    """The batch with steps that are seconds, whatever the clock on the wall did in between."""
    if not batch.steps_shown:
        return batch
    lasting = clock.lasting(batch.times, batch.times + batch.steps)
    steps = np.where(batch.wall & (batch.times > FIRST) & (batch.times < LAST), lasting, batch.steps)
    return replace(batch, steps=np.maximum(steps, -1))


def as_stamped(batch: Observations, point: PointInfo) -> Observations:
    """The batch with its stamps as points of the segment are stamped."""
    if batch.stamp is not Stamp.BY_SEGMENT:
        return batch
    if point.segment not in STAMPED_AT_END:
        return replace(batch, stamp=Stamp.START)
    steps = batch.steps if batch.steps_of_ends is None else batch.steps_of_ends
    return replace(batch, stamp=Stamp.END, steps=steps)


class Table:
    """The batches as one set of columns; rows are struck out as checks find them bad."""

    def __init__(self, batches: Sequence[Observations]) -> None:
        self._batches = batches
        self.times = _joined(b.times for b in batches)
        self.wall = np.concatenate([b.wall for b in batches])
        self.steps = _joined(b.steps for b in batches)
        self.quality = _joined(b.quality for b in batches)
        self.slots = _joined(np.zeros(len(b), np.int64) if b.slots is None else b.slots for b in batches)
        self.stamps_used = sorted({b.stamp for b in batches}, key=lambda stamp: stamp.value)
        self.stamp = np.repeat([b.stamp.value for b in batches], [len(b) for b in batches])
        self.ends = _joined(np.full(len(b), -1) if b.ends is None else b.ends for b in batches)
        self._ends = np.cumsum([len(b) for b in batches])
        self.offsets = (
            None
            if any(b.offsets is None for b in batches)
            else _joined(b.offsets for b in batches if b.offsets is not None)
        )
        self._variants = [b.variant for b in batches]
        self.good = np.ones(len(self.times), bool)
        self.rejected: list[tuple[NDArray[np.intp], Cause, Callable[[int], str]]] = []
        self.negative = np.concatenate([b.values < 0 for b in batches])
        self.values = _joined(powers(b) for b in batches)
        self.scales = np.concatenate([b.scales for b in batches])
        self.sizes = np.concatenate([powers(b, b.values.astype(np.float64)) for b in batches])
        self.sizes = self.sizes * 10.0 ** np.clip(self.scales, -300, 200)

    def reject(self, mask: Mask, cause: Cause, reason: Callable[[int], str]) -> None:
        """Strike out the rows of the mask that are still good; `reason` is asked for each when they are told."""
        struck = np.flatnonzero(mask & self.good)
        if len(struck):
            self.rejected.append((struck, cause, reason))
        self.good &= ~mask

    def place(self, index: int) -> str:
        batch, within = self._find(index)
        return batch.place.format(batch.rows[within])

    def raw(self, index: int) -> str:
        batch, within = self._find(index)
        return str(batch.raw[within])

    def remedy(self, index: int) -> str:
        """What to do about a day that is none of ours."""
        batch, _ = self._find(index)
        return batch.fault or (CORRECT if self.wall[index] else _DATED_BY_ITSELF)

    def variant(self, index: int) -> str:
        return self._variants[int(np.searchsorted(self._ends, index, side="right"))]

    def same(self, index: int, other: int) -> bool:
        return bool(self.sizes[index] == self.sizes[other] and self.steps[index] == self.steps[other])

    def about_step(self, index: int) -> str:
        step = self.steps[index]
        if step == 0:
            return "the step of this value is not said, nor can its neighbours tell; give a resolution"
        covers = f"the value covers {minutes_text(step)}, which" if step > 0 else "the resolution"
        return f"{covers} is none of the steps 5, 10, 15, 30, 60 minutes; ask the source for one of them"

    def _find(self, index: int) -> tuple[Observations, int]:
        number = int(np.searchsorted(self._ends, index, side="right"))
        return self._batches[number], int(index - (self._ends[number - 1] if number else 0))


def powers(batch: Observations, values: NDArray[Any] | None = None) -> NDArray[Any]:
    """The batch's values; energy of a step as its mean power, which is exact: steps divide an hour."""
    values = batch.values if values is None else values
    if not batch.energy:
        return values
    return values * np.where(np.isin(batch.steps, STEPS), 3600 // np.maximum(batch.steps, 1), 1)


CORRECT: Final = "correct the stamp"
_DATED_BY_ITSELF: Final = "if it is of a day by the clock here, date it by the day alone"


def _joined(arrays: Iterable[NDArray[np.generic]]) -> NDArray[np.int64]:
    return np.concatenate(list(arrays)).astype(np.int64)


def minutes_text(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds and seconds % 60 == 0 else f"{seconds} s"


def utc_text(seconds: int) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def wall_text(seconds: int) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")
