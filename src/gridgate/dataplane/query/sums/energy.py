"""Energy, by civil periods or by point and day."""

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.query.days import epoch, epoch_up
from gridgate.dataplane.query.sums.parts import Integers, Parts
from gridgate.dataplane.query.sums.rows import rows_of
from gridgate.dataplane.query.sums.tally import MISSING, Days, Sums, Tally, in_halves
from gridgate.dataplane.store.port import MeasurementStore

_MEASURED = int(Quality.MEASURED)
_ESTIMATED = int(Quality.ESTIMATED)
_CORRECTED = int(Quality.CORRECTED)
_THOUSANDTHS = -3


def sum_of_energy(
    store: MeasurementStore,
    parts: Parts,
    direction: FlowDirection,
    *,
    start: datetime,
    end: datetime,
    period: Period,
    until: datetime,
    zone: ZoneInfo,
    groups: int = 1,
    as_of: int | None = None,
) -> Sums:
    """The energy of each civil period, of the civil days that lie wholly in `[start, end)`.

    As the meter tells it for each day; of days of which it tells none, from the load curve, when that is whole. What is
    missing is told up to `until`; `as_of` is of the store. Raises `StoreUnavailable`.
    """
    days = Days.touched(start, end, zone)
    within = (days.midnights[:-1] >= epoch_up(start)) & (days.midnights[1:] <= epoch(end))
    firsts = [period.first_day(days.day(index)) for index in range(len(days))]
    begins = np.array([index == 0 or firsts[index] != firsts[index - 1] for index in range(len(days))])
    period_of = np.cumsum(begins) - 1
    tally = Tally(parts, days, groups, int(period_of[-1]) + 1 if len(days) else 0)
    _add_energy(store, parts, direction, days, within, period_of, tally, zone, as_of)
    present = np.zeros((groups, tally.steps), np.int64)
    starts = np.flatnonzero(begins)
    names, group_of, given = tally.by_point()
    if len(names) and len(starts):
        np.add.at(present, group_of, np.logical_or.reduceat(given > 0, starts, axis=1))
    edges = days.midnights[[*starts, len(days)]] if len(days) else np.zeros(1, np.int64)
    due = (within & (days.midnights[1:] <= epoch(until))).astype(np.int64)
    return tally.sums(Kind.DAILY_ENERGY, np.clip(edges, epoch(start), epoch(end)), present, due)


def energy_of_points(
    store: MeasurementStore,
    parts: Parts,
    direction: FlowDirection,
    *,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
) -> tuple[NDArray[np.float64], NDArray[np.uint8], list[int]]:
    """The same for each point and civil day, in Wh: groups (a point has its own) by days, NaN where there is none; the
    quality of each, of a sum that of its least sure value; and how many values each part gave. Raises
    `StoreUnavailable`.
    """
    days = Days.touched(start, end, zone)
    within = (days.midnights[:-1] >= epoch_up(start)) & (days.midnights[1:] <= epoch(end))
    tally = Tally(parts, days, int(parts.group.max(initial=-1)) + 1, len(days))
    _add_energy(store, parts, direction, days, within, np.arange(len(days)), tally, zone)
    told = np.zeros((tally.groups, len(days)), np.bool_)
    np.logical_or.at(told, tally.group, tally.given > 0)
    quality = np.full(told.shape, MISSING, np.uint8)
    parts_of, index = np.nonzero(tally.given)
    quality[tally.group[parts_of], index] = tally.quality[parts_of, index]
    return np.where(told, tally.nearest(), np.nan), quality, tally.given.sum(axis=1).tolist()


def _add_energy(
    store: MeasurementStore,
    parts: Parts,
    direction: FlowDirection,
    days: Days,
    within: NDArray[np.bool_],
    period_of: Integers,
    tally: Tally,
    zone: ZoneInfo,
    as_of: int | None = None,
) -> None:
    whole = parts.within(days.midnights[:-1], days.midnights[1:]) & within  # spans by days
    told = np.zeros((len(parts), len(days)), np.bool_)

    def add(
        points: Integers,
        index: Integers,
        values: NDArray[np.signedinteger],
        scale: int,
        quality: NDArray[np.uint8] | None,
    ) -> None:
        where = (
            tally.group[points] * tally.steps + period_of[index]
        )  # one index is added at several times as fast
        for half, weight in in_halves(values):
            np.add.at(tally.into(scale, weight).reshape(-1), where, half.astype(np.int64))
        tally.given[points, index] = 1
        tally.quality[points, index] = _MEASURED if quality is None else _least_sure(quality)

    for chunk in rows_of(store, parts, Kind.DAILY_ENERGY, direction, days, zone, as_of):
        for amounts in chunk:
            if amounts.values.shape[1] != 1:
                continue
            index = days.indices(amounts.days)
            rows = np.ones(len(index), np.bool_) if amounts.said is None else amounts.said[:, 0]
            told[amounts.points[rows], index[rows]] = True
            rows = rows & whole[parts.which[amounts.points], index]
            quality = None if amounts.quality is None else amounts.quality[rows]
            add(amounts.points[rows], index[rows], amounts.values[rows, 0], amounts.scale, quality)
    silent = whole[parts.which] & ~told
    if not silent.any():
        return
    some = np.flatnonzero(silent.any(axis=1))
    at = np.flatnonzero(silent.any(axis=0))
    shorter = Days(days.day(int(at[0])), days.midnights[at[0] : at[-1] + 2])
    for chunk in rows_of(store, parts.some(some), Kind.LOAD_CURVE, direction, shorter, zone, as_of):
        for amounts in chunk:
            points, index = some[amounts.points], days.indices(amounts.days)
            rows = silent[points, index]
            if amounts.said is not None:
                rows = rows & amounts.said.all(axis=1)
            if rows.any():
                lengths = np.diff(days.midnights)[index[rows]]
                energy, scale = _energy_of_days(amounts.values[rows], amounts.scale, lengths)
                quality = None if amounts.quality is None else amounts.quality[rows]
                add(points[rows], index[rows], energy, scale, quality)


def _least_sure(quality: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of each row of qualities, none of them missing, that of what is made of all.

    >>> _least_sure(np.array([[0, 0], [0, 2], [2, 1]], np.uint8)).tolist()
    [0, 2, 1]
    """
    least_sure = np.zeros(len(quality), np.uint8)
    for code in (_CORRECTED, _ESTIMATED):
        least_sure[(quality == code).any(axis=1)] = code
    return least_sure


def _energy_of_days(values: NDArray[np.signedinteger], scale: int, lengths: Integers) -> tuple[Integers, int]:
    """The energy that whole days of mean power make, to the thousandth of a Wh, halves to the even one."""
    own = lengths // values.shape[1]
    over = Fraction(10) ** (scale - _THOUSANDTHS) / 3600
    most = int(values.max()) * values.shape[1] * int(own.max()) * over.numerator
    exact = values.astype(object) if most >= 2**62 else values
    seconds = exact.sum(axis=1, dtype=object if most >= 2**62 else np.int64) * own * over.numerator
    whole, rest = seconds // over.denominator, seconds % over.denominator
    up = (2 * rest > over.denominator) | ((2 * rest == over.denominator) & (whole % 2 == 1))
    return (whole + up).astype(np.int64), _THOUSANDTHS
