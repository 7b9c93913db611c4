"""What holds of queries whatever the values: energy is kept, nothing outside is told."""

from datetime import timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from gridgate.core.quantities import Kind
from gridgate.core.time import Interval, Resolution, civil_day_bounds, slots_in_day
from gridgate.dataplane.query.aggregate import Period, totals
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.assemble import assemble, columns_of
from gridgate.dataplane.query.coverage import coverage
from gridgate.dataplane.query.resample import resample
from gridgate.dataplane.store.port import DayBlock
from tests.examples import examples
from tests.factories.measurements import AUTUMN, PARIS, SPRING, SUMMER, block, key

DAYS = st.sampled_from([SPRING, SUMMER, AUTUMN])
FINE = st.sampled_from([r for r in Resolution if r is not Resolution.P1D])
LENGTH = 3


@st.composite
def curves(draw: st.DrawFn, *, holes: bool) -> list[DayBlock]:
    """Three days around a clock change or none, in one step."""
    day, resolution = draw(DAYS), draw(FINE)
    value = st.integers(0, 40_000)
    blocks = []
    for n in range(LENGTH):
        this = day + timedelta(days=n - 1)
        slots = slots_in_day(this, resolution, PARIS)
        drawn = draw(st.lists(st.one_of(st.none(), value) if holes else value, min_size=8, max_size=8))
        # Eight drawn values, repeated unevenly, are as telling as 288 and much faster to draw.
        blocks.append(
            block(this, [drawn[(i * i + i) % 8] for i in range(slots)], of=key(resolution=resolution))
        )
    return blocks


def around(blocks: list[DayBlock]) -> Interval:
    last = civil_day_bounds(blocks[-1].day, PARIS).end
    return Interval(civil_day_bounds(blocks[0].day, PARIS).start, last)


def watt_seconds(segments: list[Segment]) -> Fraction:
    return sum(
        (
            Fraction(step.value).limit_denominator(1_000) * int((step.end - step.start).total_seconds())
            for segment in segments
            for step in segment.steps(PARIS)
            if step.value is not None
        ),
        Fraction(0),
    )


@settings(max_examples=examples(60))
@given(blocks=curves(holes=False), coarse=st.sampled_from(Resolution))
def test_resampling_keeps_energy(blocks: list[DayBlock], coarse: Resolution) -> None:
    span = around(blocks)
    assert span.end is not None
    columns = columns_of(blocks, span.start, span.end, PARIS)
    segments = [one.segment() for one in columns]
    made = [one.segment() for one in resample(columns, coarse, kind=Kind.LOAD_CURVE, zone=PARIS)]
    assert watt_seconds(made) == watt_seconds(segments)
    assert all(s.resolution.seconds >= min(coarse.seconds, segments[0].resolution.seconds) for s in made)
    stored = sum(int(b.values.sum()) for b in blocks) * segments[0].resolution.seconds
    for period in Period:
        found = totals(segments, period, kind=Kind.LOAD_CURVE, start=span.start, end=span.end, zone=PARIS)
        assert abs(sum(Fraction(t.energy_wh or 0) for t in found) - Fraction(stored, 3600)) < Fraction(
            1, 10**6
        )
        assert sum(t.values for t in found) == sum(len(b.values) for b in blocks)
        assert all(t.missing == 0 for t in found)


@settings(max_examples=examples(60))
@given(blocks=curves(holes=True), a=st.integers(0, 71 * 4), length=st.integers(1, 72 * 4))
def test_an_answer_tells_nothing_outside_the_interval_and_all_within(
    blocks: list[DayBlock], a: int, length: int
) -> None:
    span = around(blocks)
    start = span.start + a * timedelta(minutes=15)
    end = start + length * timedelta(minutes=15)
    segments = assemble(blocks, start, end, PARIS)
    given_values = []
    for b in blocks:
        begin = civil_day_bounds(b.day, PARIS).start
        for index in b.said.nonzero()[0].tolist():
            step = timedelta(seconds=b.key.resolution.seconds)
            if start <= begin + index * step and begin + (index + 1) * step <= end:
                given_values.append((begin + index * step, int(b.values[index])))
    steps = [s for segment in segments for s in segment.steps(PARIS)]
    assert [(s.start, s.value) for s in steps if s.value is not None] == given_values
    assert all(start <= s.start and s.end <= end for s in steps)
    for segment in segments:
        assert segment.values[0] is not None
        assert segment.values[-1] is not None
        assert sum(count for _, count in segment.quality) == len(segment)

    available, missing = coverage(segments, requested=Interval(start, end), at=end, zone=PARIS)
    assert (available is None) == (not steps)
    spoken = sum((s.end - s.start for s in steps if s.value is not None), timedelta())
    assert spoken + sum((m.end - m.start for m in missing), timedelta()) == end - start
