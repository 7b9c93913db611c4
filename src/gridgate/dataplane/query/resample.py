"""A coarser step from a finer one.

A value of the coarser step is made only when every part of it is there: otherwise it is missing. Power is
averaged over time, so that its energy is kept; energies are added; of maxima the highest is kept, with its
instant; of register readings the one at the start of the step. Its quality is the least sure of its parts:
estimated, else corrected, else measured.

Never the other way: values whose step is already as coarse as the one asked for, or coarser, are left as they
are. And never by cutting a value in two: ten minutes do not divide a quarter of an hour, so they become half
hours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from math import gcd, lcm
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution, days_between
from gridgate.dataplane.query.columns import MISSING, Columns, times
from gridgate.dataplane.query.days import instant, midnight, next_midnight

_BY_SURENESS = np.array([Quality.MEASURED, Quality.CORRECTED, Quality.ESTIMATED], np.uint8)
_SURENESS = np.zeros(MISSING + 1, np.uint8)
_SURENESS[_BY_SURENESS] = np.arange(len(_BY_SURENESS))


def resample(
    columns: Sequence[Columns], resolution: Resolution, *, kind: Kind, zone: ZoneInfo
) -> list[Columns]:
    """Return the values with no step finer than `resolution`, by register, then time.

    Steps are counted from midnight of the civil day.
    """
    answer: list[Columns] = []
    for _, same in groupby(sorted(columns, key=lambda c: c.register), key=lambda c: c.register):
        of_register = list(same)
        fine = [c for c in of_register if c.resolution.seconds < resolution.seconds]
        coarse = [c for c in of_register if c.resolution.seconds >= resolution.seconds]
        made: list[Columns] = []
        if fine:
            step = _divisible(resolution, {c.resolution.seconds for c in fine})
            made = _coarser(sorted(fine, key=lambda c: c.start), step, kind, zone)
        answer += sorted([*coarse, *made], key=lambda c: c.start)
    return answer


def exact(value: int | float) -> int | Fraction:
    """The decimal number that a float of an answer stands for: 0.1 is a tenth."""
    return value if isinstance(value, int) else Fraction(repr(value))


def number(value: int | Fraction) -> int | float:
    """An integer when it is whole, else the nearest float."""
    if isinstance(value, int):
        return value
    return value.numerator if value.denominator == 1 else float(value)


def quotient(total: int | Fraction, divisor: int) -> int | float:
    """An integer when it is whole, else the nearest float."""
    if isinstance(total, int) and total % divisor == 0:
        return total // divisor
    return number(Fraction(total, divisor))


def exact_sum(values: Sequence[int | float]) -> int | Fraction:
    total = sum(values)
    return total if isinstance(total, int) else sum((exact(v) for v in values), Fraction(0))


def _coarser(fine: Sequence[Columns], resolution: Resolution, kind: Kind, zone: ZoneInfo) -> list[Columns]:
    """What columns of one register, none of whose steps share time, say in a coarser step."""
    parts = _Parts.of(fine)
    starts, ends = _windows(parts.starts, resolution, zone)
    # The parts of a window follow each other, and so where the next begins is where its parts are over.
    first = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
    begin, end = starts[first], ends[first]
    sureness = np.maximum.reduceat(_SURENESS[parts.quality], first)
    covered = np.add.reduceat(np.where(parts.said, parts.steps, 0), first)
    there = covered >= end - begin
    divisor: int | NDArray[Any] = parts.divisor
    offsets: NDArray[Any] | None = None
    if kind is Kind.REGISTER_READING:
        there = parts.said[first] & (parts.starts[first] == begin)
        values = parts.values[first]
        offsets = parts.offsets[first]
    elif kind is Kind.MAXIMUM_POWER:
        values = np.maximum.reduceat(parts.values, first)
        is_highest = parts.said & (parts.values == np.repeat(values, np.diff(first, append=len(starts))))
        places = np.where(is_highest, np.arange(len(starts)), len(starts))
        highest = np.minimum(np.minimum.reduceat(places, first), len(starts) - 1)
        offsets = parts.starts[highest] - begin + parts.offsets[highest]
    elif kind is Kind.LOAD_CURVE:
        unit = gcd(*{c.resolution.seconds for c in fine})
        most = resolution.seconds // unit + 1
        weighted = times(parts.values, parts.steps // unit, added=most)
        values = np.add.reduceat(weighted, first)
        lengths = (end - begin) // unit
        same = bool((lengths == lengths[0]).all())
        divisor = parts.divisor * (int(lengths[0]) if same else lengths.astype(values.dtype))
    else:
        values = np.add.reduceat(times(parts.values, 1, added=resolution.seconds), first)
    return _in_a_row(
        begin,
        end,
        there,
        Columns(
            0,
            resolution,
            np.where(there, values, 0),
            divisor,
            np.where(there, _BY_SURENESS[sureness], np.uint8(MISSING)),
            None if offsets is None else np.where(there, offsets, 0).astype(np.int32),
            fine[0].register,
        ),
    )


def _in_a_row(
    begin: NDArray[Any], end: NDArray[Any], there: NDArray[np.bool_], made: Columns
) -> list[Columns]:
    """Windows that follow each other without a break; those that are missing at its ends are dropped."""
    edges = [0, *(np.flatnonzero(begin[1:] != end[:-1]) + 1).tolist(), len(begin)]
    rows = []
    for low, high in pairwise(edges):
        present = np.flatnonzero(there[low:high])
        if not len(present):
            continue
        place = slice(low + int(present[0]), low + int(present[-1]) + 1)
        offsets = made.offsets[place] if made.offsets is not None and made.offsets[place].any() else None
        rows.append(
            Columns(
                int(begin[place.start]),
                made.resolution,
                made.values[place],
                made.divisor if isinstance(made.divisor, int) else made.divisor[place],
                made.quality[place],
                offsets,
                made.register,
            )
        )
    return rows


@dataclass(slots=True)
class _Parts:
    """The values of several columns on one divisor, each with its start and its step in seconds."""

    starts: NDArray[np.int64]
    steps: NDArray[np.int64]
    values: NDArray[Any]
    divisor: int
    quality: NDArray[np.uint8]
    said: NDArray[np.bool_]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, columns: Sequence[Columns]) -> "_Parts":
        divisor = 1
        for column in columns:
            assert isinstance(column.divisor, int)
            divisor = lcm(divisor, column.divisor)
        seconds = [column.resolution.seconds for column in columns]
        quality = np.concatenate([column.quality for column in columns])
        zeros = [
            column.offsets if column.offsets is not None else np.zeros(len(column), np.int64)
            for column in columns
        ]
        return cls(
            np.concatenate(
                [
                    column.start + step * np.arange(len(column))
                    for column, step in zip(columns, seconds, strict=True)
                ]
            ),
            np.repeat(seconds, [len(column) for column in columns]),
            np.concatenate([times(column.values, divisor // column.divisor) for column in columns]),
            divisor,
            quality,
            np.not_equal(quality, MISSING),
            np.concatenate(zeros),
        )


def _windows(
    starts: NDArray[np.int64], resolution: Resolution, zone: ZoneInfo
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each step the start and the end of the coarser step that it lies in."""
    days = days_between(instant(int(starts[0])), instant(int(starts[-1]) + 1), zone)
    midnights = np.array([*(midnight(day, zone) for day in days), next_midnight(days[-1], zone)])
    day = np.searchsorted(midnights, starts, side="right") - 1
    begin = midnights[day]
    if resolution is Resolution.P1D:
        return begin, midnights[day + 1]
    begin = begin + (starts - begin) // resolution.seconds * resolution.seconds
    return begin, begin + resolution.seconds


def _divisible(resolution: Resolution, steps: set[int]) -> Resolution:
    """The step asked for, or the next that is a whole number of each of `steps`."""
    return next(
        r
        for r in Resolution
        if r.seconds >= resolution.seconds and all(r.seconds % step == 0 for step in steps)
    )
