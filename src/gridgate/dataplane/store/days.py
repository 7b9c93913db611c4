"""Many day blocks as columns: what a file holds, without an object for each day of each series."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Quality
from gridgate.dataplane.store.port import DayBlock, InvalidBlock, SeriesKey

_EPOCH: Final = date(1970, 1, 1).toordinal()
_MISSING: Final = int(Quality.MISSING)


def day_number(day: date) -> int:
    """Days since 1970-01-01: how a civil day is stored."""
    return day.toordinal() - _EPOCH


def day_of_number(number: int) -> date:
    return date.fromordinal(number + _EPOCH)


def key_columns(key: SeriesKey) -> tuple[str, str, str, int, str]:
    return key.metering_point, key.kind.value, key.direction.value, key.resolution.seconds, key.register


@dataclass(slots=True)
class Days(Sequence[DayBlock]):
    """Day blocks one after the other; each is a `DayBlock` to whoever looks at it."""

    keys: Sequence[SeriesKey]
    """Each series once."""
    series: NDArray[np.int64]
    """Of each block, by its place in `keys`."""
    day: NDArray[np.int64]
    """Of each block, as `day_number` has it."""
    bounds: NDArray[np.int64]
    """Where the slots of each block begin, and at last where they end."""
    values: NDArray[np.int64]
    """Slot by slot, as are `quality`, `offsets` and `cancelled`."""
    quality: NDArray[np.uint8]
    scale: NDArray[np.int64]
    """Of each block."""
    offsets: NDArray[np.int32] | None = None
    cancelled: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, blocks: Sequence[DayBlock]) -> "Days":
        """The blocks as columns. Raises `InvalidBlock`, naming series and day, for arrays that are none of a day."""
        if isinstance(blocks, Days):
            return blocks
        numbers: dict[SeriesKey, int] = {}
        series = [numbers.setdefault(block.key, len(numbers)) for block in blocks]
        sizes = [max(np.asarray(block.values).size, np.asarray(block.quality).size) for block in blocks]
        for block, slots in zip(blocks, sizes, strict=True):
            _require_columns(block, slots)
        offsets = cancelled = None
        if any(block.offsets is not None for block in blocks):
            offsets = _joined(
                [
                    np.zeros(n, np.int64) if b.offsets is None else b.offsets
                    for b, n in zip(blocks, sizes, strict=True)
                ]
            )
        if any(block.cancelled is not None for block in blocks):
            cancelled = np.concatenate(
                [
                    np.zeros(n, np.bool_) if b.cancelled is None else np.asarray(b.cancelled, np.bool_)
                    for b, n in zip(blocks, sizes, strict=True)
                ]
            )
        return cls(
            list(numbers),
            np.array(series, np.int64),
            np.array([day_number(block.day) for block in blocks], np.int64),
            np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))),
            _joined([block.values for block in blocks]),
            _joined([block.quality for block in blocks]),  # type: ignore[arg-type]
            np.array([block.scale for block in blocks], np.int64),
            offsets,  # type: ignore[arg-type]
            cancelled,
        )

    def __len__(self) -> int:
        return len(self.series)

    @overload
    def __getitem__(self, index: int) -> DayBlock: ...
    @overload
    def __getitem__(self, index: slice) -> "Days": ...
    def __getitem__(self, index: int | slice) -> "DayBlock | Days":
        if isinstance(index, slice):
            return self.some(np.arange(len(self))[index])
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        slots = slice(int(self.bounds[index]), int(self.bounds[index + 1]))
        offsets = None if self.offsets is None else self.offsets[slots]
        cancelled = None if self.cancelled is None else self.cancelled[slots]
        return DayBlock(
            self.keys[int(self.series[index])],
            day_of_number(int(self.day[index])),
            self.values[slots],
            self.quality[slots],
            int(self.scale[index]),
            offsets if offsets is not None and offsets.any() else None,
            cancelled=cancelled if cancelled is not None and cancelled.any() else None,
        )

    def __iter__(self) -> Iterator[DayBlock]:
        return (self[index] for index in range(len(self)))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many slots each block has."""
        return np.diff(self.bounds)

    def each(self, of_block: NDArray[Any]) -> NDArray[Any]:
        """What is said of each block, for each of its slots."""
        return np.repeat(of_block, self.sizes)

    @property
    def spoken(self) -> NDArray[np.bool_]:
        """The slots of which something is said: given, or withdrawn."""
        said: NDArray[np.bool_] = self.quality != _MISSING
        return said if self.cancelled is None else said | self.cancelled

    def counted(self, slots: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of those slots each block has."""
        if not len(self):
            return np.zeros(0, np.int64)
        return np.add.reduceat(slots, self.bounds[:-1], dtype=np.int64)

    def some(self, blocks: NDArray[np.int64]) -> "Days":
        """Some of the blocks, by their places, in that order."""
        if np.array_equal(blocks, np.arange(len(self))):
            return self
        sizes = self.sizes[blocks]
        bounds = np.concatenate(([0], np.cumsum(sizes)))
        slots = np.arange(bounds[-1]) + np.repeat(self.bounds[:-1][blocks] - bounds[:-1], sizes)
        return Days(
            self.keys,
            self.series[blocks],
            self.day[blocks],
            bounds,
            self.values[slots],
            self.quality[slots],
            self.scale[blocks],
            None if self.offsets is None else self.offsets[slots],
            None if self.cancelled is None else self.cancelled[slots],
        )

    def and_others(self, others: "Days") -> "Days":
        """These blocks, then the others."""
        return Days.joined([self, others])

    @classmethod
    def joined(cls, several: "Sequence[Days]") -> "Days":
        """The blocks of one, then those of the next."""
        several = [days for days in several if len(days)] or several[:1]
        if len(several) == 1:
            return several[0]
        numbers: dict[SeriesKey, int] = {}
        places = [
            np.array([numbers.setdefault(key, len(numbers)) for key in days.keys], np.int64)
            for days in several
        ]
        return cls(
            list(numbers),
            np.concatenate([place[days.series] for place, days in zip(places, several, strict=True)]),
            np.concatenate([days.day for days in several]),
            np.concatenate(
                ([0], np.cumsum(np.concatenate([days.sizes for days in several]), dtype=np.int64))
            ),
            np.concatenate([days.values for days in several]),
            np.concatenate([days.quality for days in several]),
            np.concatenate([days.scale for days in several]),
            _all([days.offsets for days in several], several),
            _all([days.cancelled for days in several], several),
        )

    def in_order(self, order: Sequence[int] | NDArray[np.int64]) -> "Days":
        """The same, with the series numbered anew: `order` gives the present places in `keys`."""
        place = np.empty(len(self.keys), np.int64)
        place[np.asarray(order, np.int64)] = np.arange(len(self.keys))
        return replace(self, keys=[self.keys[old] for old in order], series=place[self.series])


def _all(columns: Sequence[NDArray[Any] | None], of: Sequence[Days]) -> NDArray[Any] | None:
    kind = next((column.dtype for column in columns if column is not None), None)
    if kind is None:
        return None
    return np.concatenate(
        [
            np.zeros(len(one.values), kind) if column is None else column
            for column, one in zip(columns, of, strict=True)
        ]
    )


def _joined(columns: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.concatenate(columns, dtype=np.int64, casting="unsafe") if columns else np.zeros(0, np.int64)


def _require_columns(block: DayBlock, slots: int) -> None:
    where = f"{block.key} {block.day.isoformat()}"
    for name, column in (("values", block.values), ("quality", block.quality), ("offsets", block.offsets)):
        if column is None:
            continue
        integers = np.asarray(column)
        if integers.shape != (slots,):
            raise InvalidBlock(f"{name} has {integers.size} slots, the day has {slots}", where=where)
        if integers.dtype.kind not in "iu":
            raise InvalidBlock(f"{name} holds {integers.dtype}, not integers", where=where)
    if block.cancelled is not None and np.asarray(block.cancelled).shape != (slots,):
        raise InvalidBlock(
            f"cancelled has {np.asarray(block.cancelled).size} slots, the day has {slots}", where=where
        )
