"""Sums while they grow, exact, and what is told of them at the end."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import lcm
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import civil_day_of, days_between
from gridgate.dataplane.query.days import midnight
from gridgate.dataplane.query.sums.parts import Integers, Parts

MISSING = int(Quality.MISSING)
_HALF = 31
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row of which a point lacks values, and how many steps of the sum in all."""

    metering_point: str
    first: date
    last: date
    steps: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over steps `i` from `edges[i]` to `edges[i + 1]`, one list of them for each group of points."""

    kind: Kind
    edges: list[datetime]
    values: list[list[int | float | None]]
    """In the unit of the kind: the mean power of all together, or their energy. None where no point has any."""
    points: list[list[int]]
    """How many points have a value in the step."""
    counts: list[int]
    """How many values (steps of power, days of energy) each part gave, in the order given."""
    gaps: list[Gap] = field(default_factory=list)
    """What is missing of what is past, by point; what a reader may not read too."""


@dataclass(frozen=True, slots=True)
class Days:
    """Civil days in a row, and the midnights between which they lie."""

    first: date
    midnights: Integers

    @classmethod
    def touched(cls, start: datetime, end: datetime, zone: ZoneInfo) -> "Days":
        days = days_between(start, end, zone)
        first = days[0] if days else civil_day_of(start, zone)
        every = [first + timedelta(days=index) for index in range(len(days) + 1)]
        return cls(first, np.array([midnight(day, zone) for day in every], np.int64))

    def __len__(self) -> int:
        return len(self.midnights) - 1

    def day(self, index: int) -> date:
        return self.first + timedelta(days=index)

    @property
    def last(self) -> date:
        return self.day(len(self) - 1)

    def indices(self, days: Integers) -> Integers:
        """Of days since 1970."""
        return days - (self.first - EPOCH).days


class Tally:
    """Sums while they grow, each of integers that stand for the same power of ten times the same seconds."""

    def __init__(self, parts: Parts, days: Days, groups: int, steps: int) -> None:
        self.parts = parts
        self.days = days
        self.groups = groups
        self.steps = steps
        self.group = parts.group
        self.given = np.zeros((len(parts), len(days)), np.int32)
        """How many values each point gave of each day."""
        self.quality = np.full(self.given.shape, MISSING, np.uint8)
        """Of the energy of each day."""
        self._of: dict[tuple[int, int], Integers] = {}

    def into(self, scale: int, seconds: int = 1) -> Integers:
        """Where to add measures times seconds, groups by steps."""
        if (scale, seconds) not in self._of:
            self._of[scale, seconds] = np.zeros((self.groups, self.steps), np.int64)
        return self._of[scale, seconds]

    def by_point(self) -> tuple[list[str], Integers, NDArray[np.int32]]:
        """Each point once: its name, its group, and what all its parts gave of each day."""
        place: dict[str, int] = {}
        of_part = np.array([place.setdefault(point, len(place)) for point in self.parts.points], np.int64)
        if len(place) == len(self.parts):
            return list(place), self.group, self.given
        given = np.zeros((len(place), len(self.days)), np.int32)
        np.add.at(given, of_part, self.given)
        group = np.zeros(len(place), np.int64)
        group[of_part] = self.group
        return list(place), group, given

    def nearest(self) -> NDArray[np.float64]:
        """All sums put together, each the nearest float."""
        total = np.zeros((self.groups, self.steps))
        for (scale, weight), added in self._of.items():
            total += added * float(weight) / 10.0**-scale
        return total

    def sums(
        self, kind: Kind, edges: Integers, present: Integers, due: NDArray[np.integer], *, divisor: int = 1
    ) -> Sums:
        every = zip(self._quotients(divisor), present.tolist(), strict=True)
        return Sums(
            kind,
            [datetime.fromtimestamp(edge, UTC) for edge in edges.tolist()],
            [[v if n else None for v, n in zip(values, points, strict=True)] for values, points in every],
            present.tolist(),
            self.given.sum(axis=1).tolist(),
            list(self._gaps(due)),
        )

    def _quotients(self, divisor: int) -> list[list[int | float]]:
        """All sums put together, each an integer when it is whole, else the nearest float."""
        factors = {key: Fraction(10) ** key[0] * key[1] / divisor for key in self._of}
        denominator = lcm(*(factor.denominator for factor in factors.values()))
        total = np.zeros((self.groups, self.steps), object)
        for key, added in self._of.items():
            factor = int(factors[key] * denominator)
            most = int(added.max(initial=0)) * factor
            total = total + (added if most < 2**62 else added.astype(object)) * factor
        if denominator == 1:
            return total.tolist()
        return [
            [v // denominator if v % denominator == 0 else v / denominator for v in row]
            for row in total.tolist()
        ]

    def _gaps(self, due: NDArray[np.integer]) -> Iterator[Gap]:
        names, _, given = self.by_point()
        lacking = np.maximum(due - given, 0)
        for point in np.flatnonzero(lacking.any(axis=1)).tolist():
            row = lacking[point]
            edges = np.flatnonzero(np.diff(np.concatenate(([0], row > 0, [0]))))
            for low, high in edges.reshape(-1, 2).tolist():
                yield Gap(names[point], self.days.day(low), self.days.day(high - 1), int(row[low:high].sum()))


def in_halves(values: NDArray[np.signedinteger]) -> Iterable[tuple[NDArray[np.signedinteger], int]]:
    """Values and what one of them weighs: those of eight bytes in two halves, whose sums cannot overflow."""
    if values.dtype.itemsize < 8:
        return [(values, 1)]
    return [(values >> _HALF, 2**_HALF), (values & (2**_HALF - 1), 1)]
