"""The day on which a reader read many times more than it does."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """A day on which a reader read many times more than on its other days."""

    index: int
    count: int
    usual: int
    """Mean of the other days on which it read at all."""

    @property
    def times(self) -> int:
        return self.count // max(1, self.usual)


UNUSUAL_TIMES = 4
UNUSUAL_AT_LEAST = 20


def unusual_day(counts: Sequence[int]) -> UnusualDay | None:
    """Find the day that stands out: at least 20 reads, and four times the mean of the other days with reads.

    A reader that reads once a week is used to its weekly reads; one that has read on a single day has no
    habit yet.

    >>> unusual_day([42, 40, 0, 44, 505, 42]).times
    12
    >>> unusual_day([0, 0, 12, 0, 0, 12]) is None, unusual_day([0, 900, 0]) is None
    (True, True)
    """
    if not counts:
        return None
    index = max(range(len(counts)), key=counts.__getitem__)
    others = [count for place, count in enumerate(counts) if count and place != index]
    if not others or counts[index] < UNUSUAL_AT_LEAST:
        return None
    usual = round(sum(others) / len(others))
    return UnusualDay(index, counts[index], usual) if counts[index] >= UNUSUAL_TIMES * max(1, usual) else None
