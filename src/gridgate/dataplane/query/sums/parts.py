"""Points, and what of each may be read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Span = tuple[int, int]
"""From and up to which epoch second."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Points, what of each may be read, and to which of the sums it is added, in columns: a company has many points, of
    which much the same may be read.

    A point may have several parts, which share no instant: it counts as one.
    """

    points: list[str]
    spans: list[tuple[Span, ...]]
    """Spans that do not touch: those that some point has."""
    which: Integers
    """Of these, for each point, its own."""
    group: Integers

    def __len__(self) -> int:
        return len(self.points)

    def some(self, places: Integers) -> "Parts":
        points = [self.points[place] for place in places.tolist()]
        return Parts(points, self.spans, self.which[places], self.group[places])

    def within(self, starts: Integers, ends: Integers) -> NDArray[np.bool_]:
        """For each of the spans, which of these steps lie wholly in it."""
        each = [lie_within(spans, starts, ends) for spans in self.spans]
        return np.array(each, np.bool_).reshape(len(self.spans), len(starts))


def lie_within(spans: tuple[Span, ...], starts: Integers, ends: Integers) -> NDArray[np.bool_]:
    """Which of these steps lie wholly in one of the spans."""
    within = np.zeros(len(starts), np.bool_)
    for low, high in spans:
        within |= (starts >= low) & (ends <= high)
    return within
