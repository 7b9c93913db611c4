"""How the parts of a day block become bytes. What is written here is stored for ever: add forms, never change
one.

- values: little-endian signed integers of 2, 4 or 8 bytes, the narrowest that holds all of the day;
- quality: runs of (code: 1 byte, length: 2 bytes), absent when every value is measured;
- offsets: little-endian int32, absent when there is none;
- provenance: runs of (length: 2 bytes, published: 8, source: 4, recorded: 8), absent when the whole day came
  in one delivery: the columns of the row then say it.

Not compressed: 48 values of 2 bytes gain nothing from it, and bytes that are already integers decode in a
microsecond.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, chain, pairwise

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.store.days import day_of_number
from gridgate.dataplane.store.port import DayBlock, PackedDay, SeriesKey

NEVER = -(2**63)
"""Rank of a slot of which nothing was ever said."""

_VALUES: dict[int, np.dtype[np.signedinteger]] = {
    2: np.dtype("<i2"),
    4: np.dtype("<i4"),
    8: np.dtype("<i8"),
}
WIDTHS = tuple(_VALUES)
_OFFSET = np.dtype("<i4")
_QUALITY_RUN = np.dtype([("code", "u1"), ("length", "<u2")])
_PROVENANCE_RUN = np.dtype([("length", "<u2"), ("published", "<i8"), ("source", "<u4"), ("recorded", "<i8")])


@dataclass(slots=True)
class Provenance:
    """Slot by slot: the rank of the delivery that spoke last (`published`, then `source`), and when it was
    recorded."""

    published: NDArray[np.int64]
    source: NDArray[np.int64]
    recorded: NDArray[np.int64]

    @classmethod
    def uniform(cls, said: NDArray[np.bool_], *, published: int, source: int, recorded: int) -> "Provenance":
        """One delivery spoke of the slots in `said`, none of the others."""
        return cls(
            np.where(said, published, NEVER).astype(np.int64),
            np.where(said, source, 0).astype(np.int64),
            np.where(said, recorded, 0).astype(np.int64),
        )


def pack_values(values: NDArray[np.int64]) -> tuple[int, bytes]:
    """Return the width chosen and the bytes."""
    ((width, packed),) = pack_values_of(values, _one(values))
    return width, packed


def pack_values_of(values: NDArray[np.int64], bounds: NDArray[np.int64]) -> list[tuple[int, bytes]]:
    """The same for many days, which begin and end at the `bounds`."""
    if len(bounds) < 2:
        return []
    low, high = np.minimum.reduceat(values, bounds[:-1]), np.maximum.reduceat(values, bounds[:-1])
    narrow, middle = ((high < 2**bits) & (low >= -(2**bits)) for bits in (15, 31))
    widths = np.where(narrow, 2, np.where(middle, 4, 8))
    packed: list[tuple[int, bytes]] = [(0, b"")] * len(widths)
    for width, kind in _VALUES.items():
        days = np.flatnonzero(widths == width)
        if len(days):
            sizes = np.diff(bounds)[days]
            chosen = (
                values if len(days) == len(widths) else values[np.repeat(widths == width, np.diff(bounds))]
            )
            ends = (np.cumsum(sizes) * width).tolist()
            written = chosen.astype(kind).tobytes()
            for day, start, end in zip(days.tolist(), [0, *ends], ends, strict=False):
                packed[day] = width, written[start:end]
    return packed


def unpack_values(width: int, packed: bytes) -> NDArray[np.int64]:
    return np.frombuffer(packed, _VALUES[width]).astype(np.int64)


def joined_values(widths: Sequence[int], packed: Sequence[bytes]) -> NDArray[np.int64]:
    """The values of many days, one after the other: to unpack them one by one takes as long as all the rest."""
    if len({*widths}) == 1:
        return unpack_values(widths[0], b"".join(packed))
    return np.concatenate([unpack_values(width, one) for width, one in zip(widths, packed, strict=True)])


def joined_quality(packed: Sequence[bytes | None], slots: Sequence[int]) -> NDArray[np.uint8]:
    """The codes of many days, one after the other."""
    if not any(packed):
        return np.full(sum(slots), Quality.MEASURED, np.uint8)
    return np.concatenate([unpack_quality(one, count) for one, count in zip(packed, slots, strict=True)])


def side_by_side(width: int, packed: bytes) -> NDArray[np.signedinteger]:
    """The values of blocks that lie side by side, as narrow as they are packed, read-only: widen before adding."""
    return np.frombuffer(packed, _VALUES[width])


def blocks_of(
    metering_point: str, kind: Kind, direction: FlowDirection, days: Sequence[PackedDay]
) -> list[DayBlock]:
    """Unpack days of one point, kind and direction. Their arrays may be shared and read-only."""
    keys: dict[tuple[int, str], SeriesKey] = {}
    blocks: list[DayBlock] = []
    if not days:
        return blocks
    joined = joined_values([row[5] for row in days], [row[6] for row in days])
    ends = accumulate(len(row[6]) // row[5] for row in days)
    for row, (start, end) in zip(days, pairwise(chain((0,), ends)), strict=True):
        day, seconds, register, recorded_at, scale, _, _, quality, offsets, provenance = row
        values = joined[start:end]
        key = keys.get((seconds, register))
        if key is None:
            key = keys[seconds, register] = SeriesKey(
                metering_point, kind, direction, Resolution(seconds), register
            )
        blocks.append(
            DayBlock(
                key,
                day_of_number(day),
                values,
                unpack_quality(quality, len(values)),
                scale,
                unpack_offsets(offsets),
                recorded_at,
                None if provenance is None else unpack_provenance(provenance).recorded,
            )
        )
    return blocks


def pack_quality(quality: NDArray[np.uint8]) -> bytes | None:
    (packed,) = pack_quality_of(quality, _one(quality))
    return packed


def pack_quality_of(quality: NDArray[np.uint8], bounds: NDArray[np.int64]) -> list[bytes | None]:
    """The same for many days, which begin and end at the `bounds`."""
    packed: list[bytes | None] = [None] * (len(bounds) - 1)
    if not quality.any():
        return packed
    begins = np.concatenate(([True], quality[1:] != quality[:-1]))
    begins[bounds[:-1]] = True
    edges = np.flatnonzero(begins)
    runs = np.empty(len(edges), _QUALITY_RUN)
    runs["code"] = quality[edges]
    runs["length"] = np.diff(edges, append=len(quality))
    written, size = runs.tobytes(), _QUALITY_RUN.itemsize
    told = np.logical_or.reduceat(quality != 0, bounds[:-1])
    place = (np.searchsorted(edges, bounds) * size).tolist()
    for day in np.flatnonzero(told).tolist():
        packed[day] = written[place[day] : place[day + 1]]
    return packed


def unpack_quality(packed: bytes | None, slots: int) -> NDArray[np.uint8]:
    """Return the codes; for a measured day, one shared read-only array."""
    if packed is None:
        return _all_measured(slots)
    runs = np.frombuffer(packed, _QUALITY_RUN)
    return np.repeat(runs["code"], runs["length"])


def quality_side_by_side(packed: bytes) -> NDArray[np.uint8]:
    """The codes of blocks that lie side by side: the runs of each add up to its slots."""
    runs = np.frombuffer(packed, _QUALITY_RUN)
    return np.repeat(runs["code"], runs["length"])


def pack_offsets(offsets: NDArray[np.int32] | None) -> bytes | None:
    if offsets is None:
        return None
    (packed,) = pack_offsets_of(offsets, _one(offsets))
    return packed


def pack_offsets_of(offsets: NDArray[np.int32] | None, bounds: NDArray[np.int64]) -> list[bytes | None]:
    """The same for many days, which begin and end at the `bounds`."""
    packed: list[bytes | None] = [None] * (len(bounds) - 1)
    if offsets is None or not offsets.any():
        return packed
    written = offsets.astype(_OFFSET).tobytes()
    for day in np.flatnonzero(np.logical_or.reduceat(offsets != 0, bounds[:-1])).tolist():
        packed[day] = written[int(bounds[day]) * _OFFSET.itemsize : int(bounds[day + 1]) * _OFFSET.itemsize]
    return packed


def unpack_offsets(packed: bytes | None) -> NDArray[np.int32] | None:
    return None if packed is None else np.frombuffer(packed, _OFFSET).astype(np.int32)


def pack_provenance(provenance: Provenance, said: NDArray[np.bool_]) -> bytes | None:
    """Return None when one delivery spoke of exactly the slots in `said`: the row says it all."""
    p = provenance
    spoken = p.published != NEVER
    if np.array_equal(spoken, said) and all(
        _constant(a[spoken]) for a in (p.published, p.source, p.recorded)
    ):
        return None
    changes = (
        (p.published[1:] != p.published[:-1])
        | (p.source[1:] != p.source[:-1])
        | (p.recorded[1:] != p.recorded[:-1])
    )
    edges = _edges(changes)
    runs = np.empty(len(edges) - 1, _PROVENANCE_RUN)
    runs["length"] = np.diff(edges)
    runs["published"], runs["source"], runs["recorded"] = (
        a[edges[:-1]] for a in (p.published, p.source, p.recorded)
    )
    return runs.tobytes()


def unpack_provenance(packed: bytes) -> Provenance:
    runs = np.frombuffer(packed, _PROVENANCE_RUN)
    length = runs["length"]
    return Provenance(
        *(np.repeat(runs[name].astype(np.int64), length) for name in ("published", "source", "recorded"))
    )


def _one(column: NDArray[np.generic]) -> NDArray[np.int64]:
    return np.array([0, len(column)])


def _edges(changes: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Where runs begin, and where the last one ends."""
    return np.concatenate(([0], np.flatnonzero(changes) + 1, [len(changes) + 1]))


def _constant(array: NDArray[np.int64]) -> bool:
    return len(array) == 0 or bool((array == array[0]).all())


@lru_cache(maxsize=1024)
def _all_measured(slots: int) -> NDArray[np.uint8]:
    zeros = np.full(slots, Quality.MEASURED, np.uint8)
    zeros.flags.writeable = False
    return zeros
