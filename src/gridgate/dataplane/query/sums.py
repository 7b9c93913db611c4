"""What many points have together, summed with NumPy: power step by step, energy by civil periods.

**What counts.** Of each point what its reader may read of it, and of that what a read of the point alone would answer:
a step that lies wholly in it, with every part there. Nothing is made up for what is missing; it is counted.

**Exact.** Sums are of integers, one for each power of ten and length of step that occurs, put together at the end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import lcm
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution, civil_day_of, days_between
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.query.assemble import Piece, pieces_of_day
from gridgate.dataplane.query.days import epoch, epoch_up, midnight
from gridgate.dataplane.store.checking import rescaled
from gridgate.dataplane.store.port import Amounts, MeasurementStore

Integers = NDArray[np.int64]
Span = tuple[int, int]
"""From and up to which epoch second."""

_ATOM = Resolution.PT5M.seconds  # The finest step: every other is a multiple of it.
_MEASURED, _ESTIMATED, _CORRECTED, _MISSING = (
    int(quality) for quality in (Quality.MEASURED, Quality.ESTIMATED, Quality.CORRECTED, Quality.MISSING)
)
_HALF = 31
_THOUSANDTHS = -3
_EPOCH = date(1970, 1, 1)


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
        each = [_within(spans, starts, ends) for spans in self.spans]
        return np.array(each, np.bool_).reshape(len(self.spans), len(starts))


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


def sum_of_power(
    store: MeasurementStore,
    parts: Parts,
    direction: FlowDirection,
    *,
    start: datetime,
    end: datetime,
    step: Resolution,
    until: datetime,
    zone: ZoneInfo,
    groups: int = 1,
    as_of: int | None = None,
) -> Sums:
    """The mean power of each step (finer than a day) that lies in `[start, end)`.

    Finer values are averaged; coarser ones hold all through their step. Steps are counted from local midnight. What is
    missing is told up to `until`; `as_of` is of the store. Raises `StoreUnavailable`.
    """
    days = _Days.touched(start, end, zone)
    begin = days.midnights[0] - (days.midnights[0] - epoch_up(start)) // step.seconds * step.seconds
    grid = _Grid(begin, step.seconds, max(0, (epoch(end) - begin) // step.seconds))
    tally = _Tally(parts, days, groups, grid.count)
    present = np.zeros((groups, grid.count), np.int64)
    for chunk in _rows(store, parts, Kind.LOAD_CURVE, direction, days, zone, as_of):
        for amounts in chunk:
            _add_power(amounts, grid, days, tally, present)
    starts = grid.begin + grid.step * np.arange(grid.count + 1)
    ended = np.searchsorted(days.midnights, starts[:-1][starts[1:] <= epoch(until)], "right") - 1
    due = np.bincount(ended, minlength=len(days))
    return tally.sums(Kind.LOAD_CURVE, starts, present, due, divisor=step.seconds)


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
    days = _Days.touched(start, end, zone)
    within = (days.midnights[:-1] >= epoch_up(start)) & (days.midnights[1:] <= epoch(end))
    firsts = [period.first_day(days.day(index)) for index in range(len(days))]
    begins = np.array([index == 0 or firsts[index] != firsts[index - 1] for index in range(len(days))])
    period_of = np.cumsum(begins) - 1
    tally = _Tally(parts, days, groups, int(period_of[-1]) + 1 if len(days) else 0)
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
    days = _Days.touched(start, end, zone)
    within = (days.midnights[:-1] >= epoch_up(start)) & (days.midnights[1:] <= epoch(end))
    tally = _Tally(parts, days, int(parts.group.max(initial=-1)) + 1, len(days))
    _add_energy(store, parts, direction, days, within, np.arange(len(days)), tally, zone)
    told = np.zeros((tally.groups, len(days)), np.bool_)
    np.logical_or.at(told, tally.group, tally.given > 0)
    quality = np.full(told.shape, _MISSING, np.uint8)
    parts_of, index = np.nonzero(tally.given)
    quality[tally.group[parts_of], index] = tally.quality[parts_of, index]
    return np.where(told, tally.nearest(), np.nan), quality, tally.given.sum(axis=1).tolist()


@dataclass(frozen=True, slots=True)
class _Days:
    """Civil days in a row, and the midnights between which they lie."""

    first: date
    midnights: Integers

    @classmethod
    def touched(cls, start: datetime, end: datetime, zone: ZoneInfo) -> "_Days":
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
        return days - (self.first - _EPOCH).days


@dataclass(frozen=True, slots=True)
class _Grid:
    begin: int
    step: int
    count: int


def _within(spans: tuple[Span, ...], starts: Integers, ends: Integers) -> NDArray[np.bool_]:
    """Which of these steps lie wholly in one of the spans."""
    found = np.zeros(len(starts), np.bool_)
    for low, high in spans:
        found |= (starts >= low) & (ends <= high)
    return found


class _Tally:
    """Sums while they grow, each of integers that stand for the same power of ten times the same seconds."""

    def __init__(self, parts: Parts, days: _Days, groups: int, steps: int) -> None:
        self.parts = parts
        self.days = days
        self.groups = groups
        self.steps = steps
        self.group = parts.group
        self.given = np.zeros((len(parts), len(days)), np.int32)
        """How many values each point gave of each day."""
        self.quality = np.full(self.given.shape, _MISSING, np.uint8)
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


def _rows(
    store: MeasurementStore,
    parts: Parts,
    kind: Kind,
    direction: FlowDirection,
    days: _Days,
    zone: ZoneInfo,
    as_of: int | None,
) -> Iterator[list[Amounts]]:
    """What the store has of the parts, each day of a point in one row: where several blocks speak of one, what they
    say together.
    """
    if not len(days):
        return
    for chunk in store.amounts(parts.points, kind, direction, days.first, days.last, as_of=as_of):
        if len(chunk) < 2:  # of one form, so that no two are of one day
            yield chunk
            continue
        keys = [amounts.points * len(days) + days.indices(amounts.days) for amounts in chunk]
        low = min(int(key.min()) for key in keys)
        times = np.bincount(np.concatenate(keys) - low)
        several = np.flatnonzero(times > 1) + low
        if len(several):
            chunk = [_without(one, times[key - low] > 1) for one, key in zip(chunk, keys, strict=True)]
            chunk += _told_together(store, parts, several, kind, direction, days, zone, as_of)
        yield [amounts for amounts in chunk if len(amounts.points)]


def _without(amounts: Amounts, left_out: NDArray[np.bool_]) -> Amounts:
    return _kept(amounts, np.flatnonzero(~left_out)) if left_out.any() else amounts


def _kept(amounts: Amounts, rows: Integers) -> Amounts:
    said = None if amounts.said is None else amounts.said[rows]
    quality = None if amounts.quality is None else amounts.quality[rows]
    a = amounts
    return Amounts(a.resolution, a.scale, a.points[rows], a.days[rows], a.values[rows], said, quality)


def _told_together(
    store: MeasurementStore,
    parts: Parts,
    places: Integers,
    kind: Kind,
    direction: FlowDirection,
    days: _Days,
    zone: ZoneInfo,
    as_of: int | None,
) -> list[Amounts]:
    """Days of several blocks as rows of five minutes, the form in which any steps can be put together."""
    made = []
    for point in np.unique(places // len(days)).tolist():
        wanted = (places[places // len(days) == point] % len(days)).tolist()
        span = days.day(wanted[0]), days.day(wanted[-1])
        blocks = store.read(parts.points[point], kind, direction, *span, as_of=as_of, register="")
        for index in wanted:
            day = days.day(index)
            pieces = pieces_of_day([block for block in blocks if block.day == day], day, zone)
            if not pieces:
                continue
            bounds = days.midnights[index : index + 2].tolist()
            scale, values, quality = _on_atoms(pieces, *bounds, spans=parts.spans[parts.which[point]])
            since = (day - _EPOCH).days
            at = np.array([point]), np.array([since])
            said = quality != _MISSING
            made.append(
                Amounts(Resolution.PT5M, scale, *at, values[None, :], said[None, :], quality[None, :])
            )
    return made


def _on_atoms(
    pieces: Sequence[Piece], begin: int, end: int, *, spans: tuple[Span, ...]
) -> tuple[int, Integers, NDArray[np.uint8]]:
    """Of a step that does not lie wholly in one of the spans nothing is told, not even of its part that does."""
    count = (end - begin) // _ATOM
    scale = min(piece.scale for piece in pieces)
    values, quality = np.zeros(count, np.int64), np.full(count, _MISSING, np.uint8)
    for piece in pieces:
        step = (piece.end - piece.start) // len(piece.values)
        times, low = step // _ATOM, (piece.start - begin) // _ATOM
        high = low + times * len(piece.values)
        starts = piece.start + step * np.arange(len(piece.values))
        there = (piece.quality != _MISSING) & _within(spans, starts, starts + step)
        of_piece = np.where(there, rescaled(piece.values, piece.scale, scale), 0)
        values[low:high] = np.repeat(of_piece, times)
        quality[low:high] = np.repeat(np.where(there, piece.quality, _MISSING), times)
    return scale, values, quality


def _add_power(amounts: Amounts, grid: _Grid, days: _Days, tally: _Tally, present: Integers) -> None:
    index = days.indices(amounts.days)
    lengths = np.diff(days.midnights)[index]
    for length in np.unique(lengths).tolist() if amounts.resolution is Resolution.P1D else [0]:
        same = _kept(amounts, np.flatnonzero(lengths == length)) if length else amounts
        own = length or amounts.resolution.seconds
        starts = days.midnights[days.indices(same.days)]
        said = _readable_slots(same, starts, own, tally.parts)
        _add_on_grid(same, starts, own, said, grid, days, tally, present)


def _readable_slots(amounts: Amounts, starts: Integers, own: int, parts: Parts) -> NDArray[np.bool_] | None:
    """Where there is a value that may be read; None for everywhere."""
    said = amounts.said
    spans_of = parts.which[amounts.points]
    for which in np.unique(spans_of).tolist():
        spans = parts.spans[which]
        low, high = int(starts.min()), int(starts.max()) + own * amounts.values.shape[1]
        if any(since <= low and high <= until for since, until in spans):
            continue
        rows = np.flatnonzero(spans_of == which)
        at = (starts[rows, None] + own * np.arange(amounts.values.shape[1])).ravel()
        said = np.ones(amounts.values.shape, np.bool_) if said is None else said.copy()
        said[rows] &= _within(spans, at, at + own).reshape(len(rows), -1)
    return said


def _add_on_grid(
    amounts: Amounts,
    starts: Integers,
    own: int,
    said: NDArray[np.bool_] | None,
    grid: _Grid,
    days: _Days,
    tally: _Tally,
    present: Integers,
) -> None:
    values = amounts.values if said is amounts.said or said is None else np.where(said, amounts.values, 0)
    times = 1 if grid.step % own == 0 else own // (grid.step if own % grid.step == 0 else _ATOM)
    if times > 1:
        own //= times
        values = np.repeat(values, times, axis=1)
        said = None if said is None else np.repeat(said, times, axis=1)
    parts = grid.step // own
    steps = values.shape[1] // parts
    if parts > 1 and said is not None:
        said = np.all(said.reshape(-1, steps, parts), axis=2).reshape(-1, steps)
    at = (starts - grid.begin) // grid.step
    outside = (at < 0) | (at + steps > grid.count)
    order, edges, groups = _by_group_and_start(tally.group[amounts.points], at)
    place = at[order[edges[:-1]]][:, None] + np.arange(steps)
    inside = (place >= 0) & (place < grid.count)
    where = np.broadcast_to(groups[:, None], place.shape)[inside], place[inside]
    for low_values, weight in _in_halves(values):
        of_step = low_values
        if parts > 1:
            of_step = low_values.reshape(-1, steps, parts).sum(axis=2, dtype=np.int64)
            if said is not None:
                of_step = np.where(said, of_step, 0)
        tally.into(amounts.scale, own * weight)[where] += _added(of_step, order, edges)[inside]
    if said is None:
        present[where] += np.broadcast_to(np.diff(edges)[:, None], place.shape)[inside]
        counted = (
            np.minimum(at + steps, grid.count) - np.maximum(at, 0)
            if outside.any()
            else np.full(len(at), steps)
        )
    else:
        present[where] += _added(said, order, edges)[inside]
        if outside.any():
            each = at[:, None] + np.arange(steps)
            said = said & (each >= 0) & (each < grid.count)
        counted = said.sum(axis=1)
    tally.given[amounts.points, days.indices(amounts.days)] += np.maximum(counted, 0).astype(np.int32)


def _by_group_and_start(groups: Integers, at: Integers) -> tuple[Integers, Integers, Integers]:
    """Rows in the order of group and start; where each new one of the two begins, with the end; the groups of those."""
    order = np.lexsort((at, groups))
    of_group, of_at = groups[order], at[order]
    new = np.flatnonzero((of_group[1:] != of_group[:-1]) | (of_at[1:] != of_at[:-1])) + 1
    edges = np.concatenate(([0], new, [len(order)]))
    return order, edges, of_group[edges[:-1]]


def _added(rows: NDArray[np.generic], order: Integers, edges: Integers) -> Integers:
    """The sums of rows from each edge to the next."""
    if len(edges) - 1 == len(order):
        return rows[order].astype(np.int64)
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return np.array([rows[order[low:high]].sum(axis=0, dtype=np.int64) for low, high in pairs])


def _in_halves(values: NDArray[np.signedinteger]) -> Iterable[tuple[NDArray[np.signedinteger], int]]:
    """Values and what one of them weighs: those of eight bytes in two halves, whose sums cannot overflow."""
    if values.dtype.itemsize < 8:
        return [(values, 1)]
    return [(values >> _HALF, 2**_HALF), (values & (2**_HALF - 1), 1)]


def _add_energy(
    store: MeasurementStore,
    parts: Parts,
    direction: FlowDirection,
    days: _Days,
    within: NDArray[np.bool_],
    period_of: Integers,
    tally: _Tally,
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
        for half, weight in _in_halves(values):
            np.add.at(tally.into(scale, weight).reshape(-1), where, half.astype(np.int64))
        tally.given[points, index] = 1
        tally.quality[points, index] = _MEASURED if quality is None else _least_sure(quality)

    for chunk in _rows(store, parts, Kind.DAILY_ENERGY, direction, days, zone, as_of):
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
    shorter = _Days(days.day(int(at[0])), days.midnights[at[0] : at[-1] + 2])
    for chunk in _rows(store, parts.some(some), Kind.LOAD_CURVE, direction, shorter, zone, as_of):
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
    found = np.zeros(len(quality), np.uint8)
    for code in (_CORRECTED, _ESTIMATED):
        found[(quality == code).any(axis=1)] = code
    return found


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
