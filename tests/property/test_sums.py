"""The sum of many points is, value by value, the sum of what a read of each of them answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import AccessLine, Basis, Wanted
from gridgate.core.time import Interval, Resolution, civil_day_bounds, slots_in_day
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.query.assemble import assemble
from gridgate.dataplane.query.sums.energy import sum_of_energy
from gridgate.dataplane.query.sums.parts import Parts, Span
from gridgate.dataplane.query.sums.power import sum_of_power
from gridgate.dataplane.reading.days import read_segments
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, MeasurementStore
from tests.examples import examples
from tests.factories.measurements import AUTUMN, PARIS, SPRING, SUMMER, block, key, source

OUT = FlowDirection.WITHDRAWAL
POINTS = [f"{n:014d}" for n in range(4)]
LENGTH = 3
FINE = [r for r in Resolution if r is not Resolution.P1D]
LINE = AccessLine(Basis.TITLE, None, 1, 15, 3, 0, 0, None, 0, None)

AS_OF = st.sampled_from([None, 1_000, 1_001])  # of the last delivery, of the first, of the first two

Delivery = list[DayBlock]


class Part(NamedTuple):
    """A point, what of it may be read, and to which of the sums it is added."""

    metering_point: str
    spans: tuple[Span, ...]
    group: int = 0


def columns(parts: list[Part]) -> Parts:
    spans = list(dict.fromkeys(part.spans for part in parts))
    which = np.array([spans.index(part.spans) for part in parts], np.int64)
    group = np.array([part.group for part in parts], np.int64)
    return Parts([part.metering_point for part in parts], spans, which, group)


@st.composite
def deliveries(draw: st.DrawFn, *, most: int) -> tuple[date, list[Delivery]]:
    """A few files about four points and three days around a clock change or none, with holes, decimals, withdrawn
    values, and days told in two steps or by their energy.
    """
    middle = draw(st.sampled_from([SPRING, SUMMER, AUTUMN]))
    days = [middle + timedelta(days=n - 1) for n in range(LENGTH)]
    value = st.one_of(st.none(), st.integers(0, 200), st.integers(0, 10**6), st.integers(0, most))
    delivered = []
    for _ in range(draw(st.integers(1, 3))):
        blocks = []
        for point in POINTS:
            if not draw(st.booleans()):
                continue
            energy = draw(st.integers(0, 3)) == 0
            step = Resolution.P1D if energy else draw(st.sampled_from(list(Resolution)))
            of = key(point, Kind.DAILY_ENERGY if energy else Kind.LOAD_CURVE, OUT, step)
            drawn = draw(
                st.lists(value if draw(st.booleans()) else st.integers(0, 9_000), min_size=8, max_size=8)
            )
            for day in days:
                slots = slots_in_day(day, step, PARIS)
                cancelled = [draw(st.integers(0, slots - 1))] if draw(st.integers(0, 4)) == 0 else []
                values = [drawn[(i * i + i) % 8] for i in range(slots)]
                blocks.append(
                    block(
                        day, values, of=of, scale=draw(st.sampled_from([0, 0, -1, -3])), cancelled=cancelled
                    )
                )
        delivered.append(blocks)
    return days[0], delivered


@st.composite
def spans(draw: st.DrawFn, first: date) -> tuple[tuple[int, int], ...]:
    begin = int(civil_day_bounds(first, PARIS).start.timestamp())
    cuts = sorted(draw(st.lists(st.integers(-2, LENGTH * 24 * 4 + 4), min_size=2, max_size=4, unique=True)))
    return tuple((begin + a * 900, begin + b * 900) for a, b in zip(cuts[::2], cuts[1::2], strict=False))


@contextmanager
def holding(delivered: list[Delivery]) -> Iterator[MeasurementStore]:
    with TemporaryDirectory() as folder, open_store(Path(folder) / "m.sqlite3") as store:
        for number, blocks in enumerate(delivered):
            store.put(blocks, source=source(str(number)), quarantined=[], recorded_at=1_000 + number)
        yield store


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def atoms(store: MeasurementStore, part: Part, first: date, as_of: int | None) -> dict[int, Fraction]:
    """The mean power of each five minutes that a read of the point alone tells."""
    last = first + timedelta(days=LENGTH - 1)
    blocks = store.read(part.metering_point, Kind.LOAD_CURVE, OUT, first, last, as_of=as_of)
    found: dict[int, Fraction] = {}
    for low, high in part.spans:
        for segment in assemble(blocks, instant(low), instant(high), PARIS):
            for step in segment.steps(PARIS):
                if step.value is not None:
                    for at in range(int(step.start.timestamp()), int(step.end.timestamp()), 300):
                        found[at] = Fraction(repr(step.value))
    return found


def number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


@settings(max_examples=examples(60))
@given(data=st.data(), given_files=deliveries(most=2**50), step=st.sampled_from(FINE), by_point=st.booleans())
def test_power(
    data: st.DataObject, given_files: tuple[date, list[Delivery]], step: Resolution, by_point: bool
) -> None:
    first, delivered = given_files
    whole = spans(first).map(lambda _: ((0, 2**33),))
    parts = [
        Part(point, data.draw(st.one_of(whole, spans(first))), place if by_point else 0)
        for place, point in enumerate(POINTS)
    ]
    midnight = int(civil_day_bounds(first, PARIS).start.timestamp())
    start = midnight + 900 * data.draw(st.integers(0, 60))
    end = start + 900 * data.draw(st.integers(1, 230))
    groups = len(POINTS) if by_point else 1
    as_of = data.draw(AS_OF)
    with holding(delivered) as store:
        found = sum_of_power(
            store,
            columns(parts),
            OUT,
            start=instant(start),
            end=instant(end),
            step=step,
            until=instant(end),
            zone=PARIS,
            groups=groups,
            as_of=as_of,
        )
        told = [atoms(store, part, first, as_of) for part in parts]
    begin = -(-(start - midnight) // step.seconds) * step.seconds + midnight
    starts = list(range(begin, end - step.seconds + 1, step.seconds))
    assert [int(edge.timestamp()) for edge in found.edges] == [*starts, begin + len(starts) * step.seconds]
    counts = [0] * len(parts)
    for group in range(groups):
        for place, at in enumerate(starts):
            each = []
            for index, (part, of_point) in enumerate(zip(parts, told, strict=True)):
                within = [of_point.get(at + n) for n in range(0, step.seconds, 300)]
                if part.group == group and None not in within:
                    each.append(sum(v for v in within if v is not None) / len(within))
                    counts[index] += 1
            assert found.points[group][place] == len(each)
            assert found.values[group][place] == (number(sum(each, Fraction(0))) if each else None)
    assert found.counts == counts
    missing = dict.fromkeys(POINTS, 0)
    for gap in found.gaps:
        missing[gap.metering_point] += gap.steps
    assert [missing[point] for point in POINTS] == [len(starts) - count for count in counts]


@settings(max_examples=examples(60))
@given(data=st.data(), given_files=deliveries(most=10**7), period=st.sampled_from(Period))
def test_energy(data: st.DataObject, given_files: tuple[date, list[Delivery]], period: Period) -> None:
    first, delivered = given_files
    parts = [Part(point, data.draw(st.one_of(st.just(((0, 2**33),)), spans(first)))) for point in POINTS]
    days = [first + timedelta(days=n) for n in range(LENGTH)]
    start, end = civil_day_bounds(days[0], PARIS).start, civil_day_bounds(days[-1], PARIS).end
    assert end is not None
    as_of = data.draw(AS_OF)
    known = None if as_of is None else datetime.fromtimestamp(as_of / 1000, UTC)
    with holding(delivered) as store:
        found = sum_of_energy(
            store,
            columns(parts),
            OUT,
            start=start,
            end=end,
            period=period,
            until=end,
            zone=PARIS,
            as_of=as_of,
        )
        told: dict[tuple[str, date], Fraction] = {}
        for part in parts:
            wanted = Wanted(
                part.metering_point, Kind.DAILY_ENERGY, OUT, Interval(start, end), end, None, known
            )
            for low, high in part.spans:
                readable = Interval(start, end).intersect(Interval(instant(low), instant(high)))
                for segment in read_segments(store, wanted, LINE, readable, zone=PARIS) if readable else []:
                    for one in segment.steps(PARIS):
                        if one.value is not None:
                            on = one.start.astimezone(PARIS).date()
                            told[part.metering_point, on] = Fraction(repr(one.value))
    firsts = sorted({period.first_day(day) for day in days})
    for place, begin in enumerate(firsts):
        each = {k: v for k, v in told.items() if period.first_day(k[1]) == begin}
        assert found.points[0][place] == len({point for point, _ in each})
        expected = number(sum(each.values(), Fraction(0))) if each else None
        assert found.values[0][place] == expected
    assert found.counts == [sum(1 for p, _ in told if p == point) for point in POINTS]
    assert sum(gap.steps for gap in found.gaps) == len(POINTS) * LENGTH - len(told)
