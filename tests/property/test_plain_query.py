"""The arrays of the query package say what a plain reading of their rules says, one value after the other."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Interval, Resolution, civil_day_bounds, slots_in_day
from gridgate.dataplane.query.assemble import assemble, columns_of, columns_of_packed
from gridgate.dataplane.query.resample import resample
from gridgate.dataplane.store import packing
from gridgate.dataplane.store.days import day_number
from gridgate.dataplane.store.port import DayBlock, PackedDay
from tests import plain_query
from tests.examples import examples
from tests.factories.measurements import AUTUMN, PARIS, SPRING, SUMMER, key

DAYS = st.sampled_from([SPRING, SUMMER, AUTUMN, date(1960, 6, 1)])
QUALITIES = st.lists(st.sampled_from([0, 0, 0, 1, 2, 15]), min_size=7, max_size=7)
VALUES = st.lists(st.integers(0, 10**6), min_size=8, max_size=8)
KINDS = [Kind.LOAD_CURVE, Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER, Kind.REGISTER_READING]


@st.composite
def series(draw: st.DrawFn, kind: Kind) -> list[DayBlock]:
    """Four days, each in a step or two, in scales of its own, some of them without a word."""
    first = draw(DAYS) - timedelta(days=1)
    steps = draw(st.lists(st.sampled_from(Resolution), min_size=1, max_size=2))
    registers = ["", "HP"] if kind is Kind.REGISTER_READING else [""]
    blocks = []
    for day in (first + timedelta(days=n) for n in range(4)):
        many = draw(st.sampled_from(["one", "one", "two", "none"]))
        chosen = [draw(st.sampled_from(steps))] if many == "one" else steps if many == "two" else []
        blocks += [
            _drawn(draw, kind, day, resolution, draw(st.sampled_from(registers)))
            for resolution in dict.fromkeys(chosen)
        ]
    return blocks


def _drawn(draw: st.DrawFn, kind: Kind, day: date, resolution: Resolution, register: str) -> DayBlock:
    slots = slots_in_day(day, resolution, PARIS)
    drawn, said = draw(VALUES), draw(QUALITIES)
    # A few drawn values, repeated unevenly, are as telling as 288 and much faster to draw.
    quality = np.array([said[(i * i + i // 5) % 7] for i in range(slots)], np.uint8)
    values = np.array([drawn[(i * i + i) % 8] for i in range(slots)], np.int64)
    offsets = recorded = None
    if kind in (Kind.MAXIMUM_POWER, Kind.REGISTER_READING) and draw(st.booleans()):
        offsets = np.array([(i * 37 + 1) % resolution.seconds for i in range(slots)], np.int32)
    if draw(st.booleans()):
        recorded = np.array([10 + (i // 11) % 3 for i in range(slots)], np.int64)
    return DayBlock(
        key(kind=kind, resolution=resolution, register=register),
        day,
        np.where(quality == Quality.MISSING, 0, values),
        quality,
        draw(st.sampled_from([0, 0, 0, -1, -3, 2])),
        offsets,
        draw(st.integers(10, 12)),
        recorded,
    )


def as_kept(block: DayBlock) -> PackedDay:
    """As the store keeps it, which of provenance keeps what the query looks at."""
    width, amounts = packing.pack_values(block.values)
    provenance = None
    if (recorded := block.slot_recorded_at) is not None:
        told = packing.Provenance(
            np.zeros(len(recorded), np.int64), np.zeros(len(recorded), np.int64), recorded
        )
        provenance = packing.pack_provenance(told, np.zeros(len(recorded), np.bool_))
    return PackedDay(
        day_number(block.day),
        block.key.resolution.seconds,
        block.key.register,
        block.recorded_at,
        block.scale,
        width,
        amounts,
        packing.pack_quality(block.quality),
        packing.pack_offsets(block.offsets),
        provenance,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_says_what_plain_code_says(kind: Kind) -> None:
    @settings(max_examples=examples(60))
    @given(
        blocks=series(kind),
        a=st.integers(-5, 96 * 12),
        length=st.integers(1, 97 * 12),
        to=st.sampled_from(Resolution),
    )
    def check(blocks: list[DayBlock], a: int, length: int, to: Resolution) -> None:
        if not blocks:
            return
        start = civil_day_bounds(blocks[0].day, PARIS).start + timedelta(minutes=5 * a)
        span = Interval(start, start + timedelta(minutes=5 * length))
        assert span.end is not None
        plain = plain_query.assemble(list(blocks), span.start, span.end, PARIS)
        assert repr(assemble(list(blocks), span.start, span.end, PARIS)) == repr(plain)
        columns = columns_of(list(blocks), span.start, span.end, PARIS)
        about = (blocks[0].key.metering_point, kind, blocks[0].key.direction)
        packed = columns_of_packed(list(map(as_kept, blocks)), about, span.start, span.end, PARIS)
        assert repr([one.segment() for one in packed]) == repr(plain)
        coarser = [made.segment() for made in resample(columns, to, kind=kind, zone=PARIS)]
        assert repr(coarser) == repr(plain_query.resample(plain, to, kind=kind, zone=PARIS))

    check()


@pytest.mark.parametrize("scale", [0, 3, -3])
def test_holds_numbers_that_no_meter_counts(scale: int) -> None:
    """Beyond what a float holds exactly, and what 64 bits do once it is added up."""
    of = key(resolution=Resolution.PT10M)
    values = np.array([2**62 + n * n for n in range(144)], np.int64)
    block = DayBlock(of, SUMMER, values, np.zeros(144, np.uint8), scale)
    bounds = civil_day_bounds(SUMMER, PARIS)
    assert bounds.end is not None
    plain = plain_query.assemble([block], bounds.start, bounds.end, PARIS)
    assert repr(assemble([block], bounds.start, bounds.end, PARIS)) == repr(plain)
    columns = columns_of([block], bounds.start, bounds.end, PARIS)
    for to in (Resolution.PT30M, Resolution.P1D):
        (made,) = resample(columns, to, kind=Kind.LOAD_CURVE, zone=PARIS)
        count = to.seconds // 600
        exact = [sum(map(int, values[i : i + count])) for i in range(0, 144, count)]
        divisor = count * 10 ** max(0, -scale)
        whole = [total * 10 ** max(0, scale) for total in exact]
        assert made.segment().values == [v // divisor if v % divisor == 0 else v / divisor for v in whole]
