"""A segment while it is computed with: whole numbers over one divisor, in arrays.

Its values become numbers of an answer at the very end, once: integers where they are whole, else the nearest float. So
a mean is divided once, and no value is an object before it has to be one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.days import instant

MISSING = int(Quality.MISSING)
"""A plain number: compared with an array, a member of the enumeration takes longer than the comparison."""

Divisor = int | NDArray[Any]

_WORDS = {int(quality): quality.word for quality in Quality}
_EXACT_IN_A_FLOAT = 2**53
_EXACT_IN_64_BITS = 2**62


@dataclass(slots=True)
class Columns:
    """Values that follow each other without a break, as in `Segment`: the first and the last are there.

    What is missing inside has the quality MISSING and the value 0.
    """

    start: int
    """Epoch second."""
    resolution: Resolution
    values: NDArray[Any]
    """The measures, in the unit of the kind, times `divisor`; 64-bit integers, or integers of any size."""
    divisor: Divisor
    """One, or one for each value."""
    quality: NDArray[np.uint8]
    offsets: NDArray[np.int32] | None = None
    register: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def said(self) -> NDArray[np.bool_]:
        """True where there is a value."""
        return np.not_equal(self.quality, MISSING)

    @property
    def count(self) -> int:
        """How many values it holds, missing ones not counted."""
        return int(np.count_nonzero(self.said))

    def segment(self) -> Segment:
        """The same in the numbers and words of an answer."""
        values = numbers(self.values, self.divisor)
        for index in np.flatnonzero(np.equal(self.quality, MISSING)).tolist():
            values[index] = None
        return Segment(
            instant(self.start),
            self.resolution,
            values,
            quality_words(self.quality),
            None if self.offsets is None else self.offsets.tolist(),
            self.register,
        )


def numbers(values: NDArray[Any], divisor: Divisor) -> list[Any]:
    """The quotients: an integer where it is whole, else the nearest float."""
    if isinstance(divisor, int):
        if divisor == 1:
            undivided: list[Any] = values.tolist()
            return undivided
    else:
        divisor = divisor[: len(values)]
    if (
        values.dtype == object
        or _highest(values) >= _EXACT_IN_A_FLOAT
        or _highest(divisor) >= _EXACT_IN_A_FLOAT
    ):
        # A float would round what is divided before the division rounds again; integers of any size do not.
        divisors = np.broadcast_to(np.asarray(divisor, object), values.shape)
        return [
            v // d if v % d == 0 else v / d for v, d in zip(values.tolist(), divisors.tolist(), strict=True)
        ]
    whole, rest = np.divmod(values, divisor)
    quotients: list[Any] = (values / divisor if rest.any() else whole).tolist()
    if not rest.any():
        return quotients
    exact = np.flatnonzero(rest == 0)
    for index, value in zip(exact.tolist(), whole[exact].tolist(), strict=True):
        quotients[index] = value
    return quotients


def times(values: NDArray[Any], factor: int | NDArray[Any], *, added: int = 1) -> NDArray[Any]:
    """The products, in integers that hold as many of them added up as is said."""
    if values.dtype == object or _highest(values) * _highest(factor) * added >= _EXACT_IN_64_BITS:
        values = values.astype(object)
    elif isinstance(factor, int) and factor == 1:
        return values
    return values * factor


def on_one_divisor(parts: Sequence[tuple[NDArray[np.int64], int]]) -> tuple[NDArray[Any], int]:
    """Arrays of integers, each with its power of ten, as one array over one divisor."""
    joined = np.concatenate([values for values, _ in parts]) if len(parts) > 1 else parts[0][0]
    scales = {scale for _, scale in parts}
    if scales == {0}:
        return joined, 1
    divisor = 10 ** max(0, -min(scales))
    if len(scales) == 1:
        return times(joined, 10 ** max(0, *scales)), divisor
    factors = [10**scale * divisor if scale > 0 else divisor // 10**-scale for _, scale in parts]
    of_each = np.repeat(np.array(factors, object), [len(values) for values, _ in parts])
    if max(factors) < _EXACT_IN_64_BITS:
        of_each = of_each.astype(np.int64)
    return times(joined, of_each), divisor


def quality_words(quality: NDArray[np.uint8]) -> list[tuple[str, int]]:
    """Quality codes as runs of words."""
    edges = [0, *(np.flatnonzero(quality[1:] != quality[:-1]) + 1).tolist(), len(quality)]
    return [(_WORDS[int(quality[a])], b - a) for a, b in pairwise(edges)]


def _highest(values: Divisor) -> int:
    """The largest magnitude."""
    if isinstance(values, int):
        return abs(values)
    return max(int(values.max()), -int(values.min())) if len(values) else 0
