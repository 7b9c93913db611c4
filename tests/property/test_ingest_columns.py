"""All series of a file together, against each of them by itself: the same days, and the same set aside."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.local_time import LocalClock
from gridgate.dataplane.ingest.port import Groups, Meter, Observations, Stamp
from gridgate.dataplane.ingest.series.settle import settle
from gridgate.dataplane.ingest.settling import together
from gridgate.dataplane.ingest.settling.table import Series, Share
from gridgate.dataplane.ingest.settling.together import settle_all
from gridgate.dataplane.store.days import Days
from gridgate.dataplane.store.port import DayBlock
from gridgate.dataplane.store.quarantine import Quarantined
from tests.examples import examples
from tests.factories.measurements import SUMMER, key
from tests.ingest_samples import PARIS

CLOCK = LocalClock(PARIS)
AT = 1_924_988_400
NIGHTS = [
    int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp())
    for month, day, hour in ((10, 24, 22), (10, 25, 0), (3, 28, 23), (6, 1, 0), (12, 31, 22))
]
DIRECTION = FlowDirection.WITHDRAWAL
POINTS = [
    PointInfo("22516914714270", "C5", frozenset(FlowDirection)),
    PointInfo("11453290002823", "C4", frozenset(FlowDirection)),
    PointInfo("10284856584123", "C5", frozenset(FlowDirection), datetime(2026, 6, 1, 3, tzinfo=UTC)),
]


@st.composite
def batches(draw: st.DrawFn) -> Observations:
    """Rows of some meters, most of them regular, around midnights and the hours by which clocks change."""
    kind = draw(st.sampled_from([Kind.LOAD_CURVE, Kind.LOAD_CURVE, Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER]))
    stamp = {Kind.DAILY_ENERGY: Stamp.DAY, Kind.MAXIMUM_POWER: Stamp.MOMENT}.get(
        kind, draw(st.sampled_from([Stamp.START, Stamp.END, Stamp.BY_SEGMENT, Stamp.SLOT]))
    )
    names = ("of", "times", "wall", "steps", "values", "slots", "scale")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for group in range(draw(st.integers(1, 3))):
        step = draw(st.sampled_from([600, 1800, 3600]))
        wall = draw(st.booleans())
        count = draw(st.integers(1, 14))
        begin = draw(st.sampled_from(NIGHTS)) + draw(st.integers(-2, 2)) * 1800
        utc = begin + step * np.arange(count)
        times = CLOCK.of(utc) if wall else utc
        slots = np.zeros(count, int)
        if stamp in (Stamp.DAY, Stamp.SLOT):
            days = CLOCK.of(utc) // 86_400 + (np.arange(count) if stamp is Stamp.DAY else 0)
            times = days * 86_400 if wall else CLOCK.midnights(days)
            slots = np.arange(count) if stamp is Stamp.SLOT else slots
        rows = list(zip(times.tolist(), slots.tolist(), strict=True))
        if draw(st.integers(0, 3)) == 0:
            rows = draw(st.permutations(rows))
        if draw(st.integers(0, 3)) == 0:
            rows.append(rows[draw(st.integers(0, count - 1))])
        odd = draw(st.integers(0, 5)) == 0
        for time, slot in rows:
            columns["of"].append(group)
            columns["times"].append(time + (draw(st.sampled_from([0, 0, 1, 1800])) if odd else 0))
            columns["wall"].append(wall)
            covers = draw(st.sampled_from([step, step, 7, 0])) if odd else step
            columns["steps"].append(covers if kind is Kind.LOAD_CURVE else 86_400)
            columns["values"].append(draw(st.integers(-1 if odd else 0, 5_000)))
            columns["slots"].append(slot)
            columns["scale"].append(draw(st.sampled_from([0, -1, -1, 3] if odd else [-group])))
    count = len(columns["of"])
    # The rows of one meter after those of another, or among them.
    order = np.array(draw(st.permutations(range(count))) if draw(st.booleans()) else range(count))
    return Observations(
        groups=Groups([Meter(f"m{group}") for group in range(3)], np.array(columns["of"])[order]),
        kind=kind,
        direction=DIRECTION,
        stamp=stamp,
        times=np.array(columns["times"])[order],
        wall=np.array(columns["wall"], bool)[order],
        slots=np.array(columns["slots"], np.int32)[order],
        steps=np.array(columns["steps"])[order],
        values=np.array(columns["values"])[order],
        scale=np.array(columns["scale"])[order],
        energy=draw(st.booleans()) and kind is Kind.LOAD_CURVE,
        quality=np.full(count, Quality.MEASURED, np.uint8),
        rows=np.arange(count) + 2,
        raw=[str(columns["values"][place]) for place in order.tolist()],
    )


def told(blocks: Any) -> list[tuple[Any, ...]]:
    def one(block: DayBlock) -> tuple[Any, ...]:
        offsets = None if block.offsets is None else block.offsets.tolist()
        return block.key, block.day, block.values.tolist(), block.quality.tolist(), block.scale, offsets

    return [one(block) for block in blocks]


@settings(max_examples=examples(300))
@given(
    several=st.lists(batches(), min_size=1, max_size=3),
    point_of=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    at_once=st.sampled_from([1, 8, 10**6]),
)
def test_series_settled_together_are_what_each_is_by_itself(
    several: list[Observations], point_of: list[int], at_once: int
) -> None:
    shares = [
        Share(number, group, Series(POINTS[point_of[group]], batch.kind, DIRECTION, ""))
        for number, batch in enumerate(several)
        for group in batch.present()
    ]

    set_aside: list[Quarantined] = []
    with patch.object(together, "AT_ONCE", at_once):
        days = settle_all(several, shares, CLOCK, at=AT, tell=set_aside.extend)

    singles = {
        (number, group): batch.single(group, rows)
        for number, batch in enumerate(several)
        for group, rows in batch.by_group()
    }
    blocks, quarantined = [], []
    for series in dict.fromkeys(share.series for share in shares):
        of_series = [singles[share.batch, share.group] for share in shares if share.series == series]
        alone = settle(of_series, DIRECTION, series.point, CLOCK, at=AT)
        blocks += alone.blocks
        quarantined += alone.quarantined
    assert told(days) == told(blocks)
    assert set_aside == quarantined


@given(columns=st.lists(st.lists(st.integers(0, 40_000), min_size=1, max_size=50), min_size=1, max_size=5))
def test_blocks_as_columns_are_the_blocks(columns: list[list[int]]) -> None:
    blocks = [
        DayBlock(key(), SUMMER, np.array(values), (np.array(values) % 3).astype(np.uint8))
        for values in columns
    ]

    days = Days.of(blocks)

    assert told(days) == told(blocks)
    assert told(days.some(np.arange(len(blocks))[::-1])) == told(blocks[::-1])
    assert told(days.and_others(days)) == told(blocks + blocks)
    assert told(Days.joined([days, Days.of([]), days, days])) == told(blocks * 3)
