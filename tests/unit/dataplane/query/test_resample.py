from datetime import date, timedelta

import numpy as np
import pytest

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.assemble import columns_of
from gridgate.dataplane.query.columns import Columns
from gridgate.dataplane.query.resample import resample
from gridgate.dataplane.store.port import DayBlock
from tests.factories.measurements import AUTUMN, PARIS, SPRING, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import bounds

TENS = key(resolution=Resolution.PT10M)


def to(resolution: Resolution, columns: list[Columns], kind: Kind = Kind.LOAD_CURVE) -> list[Segment]:
    return [made.segment() for made in resample(columns, resolution, kind=kind, zone=PARIS)]


def whole(*blocks: DayBlock) -> list[Columns]:
    start, end = bounds(blocks[0].day)
    return columns_of(list(blocks), start, end, PARIS)


def tens(values: list[int], offsets: list[int] | None = None) -> Columns:
    return Columns(
        int(bounds(SUMMER)[0].timestamp()),
        Resolution.PT10M,
        np.array(values),
        1,
        np.zeros(len(values), np.uint8),
        None if offsets is None else np.array(offsets, np.int32),
    )


class TestResample:
    def test_averages_power(self) -> None:
        (segment,) = to(Resolution.PT30M, whole(block(values=[1, 2, 6] * 48, of=TENS)))
        assert (segment.resolution, segment.values) == (Resolution.PT30M, [3] * 48)
        assert segment.quality == [("measured", 48)]
        assert segment.start == bounds(SUMMER)[0]

    def test_gives_the_nearest_float_when_the_mean_is_not_whole(self) -> None:
        (segment,) = to(Resolution.PT30M, whole(block(values=[1, 0, 0] * 48, of=TENS)))
        assert segment.values == [1 / 3] * 48

    def test_averages_decimals_exactly(self) -> None:
        (segment,) = to(Resolution.PT30M, whole(block(values=[1, 2, 3] * 48, of=TENS, scale=-1)))
        assert segment.values == [0.2] * 48

    @pytest.mark.parametrize(("day", "slots"), [(SPRING, 46), (SUMMER, 48), (AUTUMN, 50)])
    def test_averages_over_the_whole_civil_day(self, day: object, slots: int) -> None:
        (segment,) = to(Resolution.P1D, whole(block(day, [slots] + [0] * (slots - 1))))  # type: ignore[arg-type]
        assert (segment.resolution, segment.values) == (Resolution.P1D, [1])

    def test_counts_days_before_the_epoch_too(self) -> None:
        (segment,) = to(Resolution.PT60M, whole(block(date(1960, 6, 1), [2, 4] * 24)))
        assert (segment.resolution, segment.values) == (Resolution.PT60M, [3] * 24)

    def test_makes_no_value_of_a_part(self) -> None:
        values = [*[None] * 2, 3, *[3] * 6, None, 3, 3, *[3] * 132]
        (segment,) = to(Resolution.PT30M, whole(block(values=values, of=TENS)))
        assert segment.start == bounds(SUMMER)[0] + timedelta(minutes=30)
        assert segment.values == [3, 3, None, *[3] * 44]
        assert segment.quality == [("measured", 2), ("missing", 1), ("measured", 44)]
        assert to(Resolution.P1D, whole(block(values=values, of=TENS))) == []

    def test_is_as_sure_as_the_least_sure_part(self) -> None:
        quality = [Quality.CORRECTED, Quality.ESTIMATED, Quality.MEASURED] + [Quality.MEASURED] * 3
        quality += [Quality.CORRECTED] + [Quality.MEASURED] * 137
        (segment,) = to(Resolution.PT30M, whole(block(of=TENS, quality=quality)))
        assert segment.quality == [("estimated", 1), ("measured", 1), ("corrected", 1), ("measured", 45)]

    def test_leaves_coarser_values_as_they_are(self) -> None:
        coarse = whole(block())
        as_it_is = [columns.segment() for columns in coarse]
        assert to(Resolution.PT10M, coarse) == to(Resolution.PT30M, coarse) == as_it_is

    def test_cuts_no_value_in_two(self) -> None:
        (segment,) = to(Resolution.PT15M, whole(block(values=[1, 2, 6] * 48, of=TENS)))
        assert (segment.resolution, segment.values) == (Resolution.PT30M, [3] * 48)
        (segment,) = to(Resolution.PT15M, whole(block(of=key(resolution=Resolution.PT5M))))
        assert segment.resolution is Resolution.PT15M

    def test_puts_together_steps_that_change_within_a_window(self) -> None:
        fives = key(resolution=Resolution.PT5M)
        segments = whole(
            block(values=dict.fromkeys(range(7), 6), of=TENS),
            block(values={14: 3, 15: 3, 16: 3, 17: 9}, of=fives),
        )
        (segment,) = to(Resolution.PT30M, segments)
        assert segment.values == [6, 6, 5]
        (segment,) = to(Resolution.PT60M, segments)
        assert segment.values == [6]

    def test_keeps_the_highest_of_maxima_with_its_instant(self) -> None:
        (made,) = to(Resolution.PT30M, [tens([5, 9, 9], [10, 20, 30])], Kind.MAXIMUM_POWER)
        assert (made.values, made.offsets) == ([9], [620])

    def test_adds_energies(self) -> None:
        (made,) = to(Resolution.PT30M, [tens([5, 9, 9])], Kind.DAILY_ENERGY)
        assert made.values == [23]

    def test_keeps_the_reading_at_the_start_of_the_step(self) -> None:
        of = key(kind=Kind.REGISTER_READING, resolution=Resolution.PT60M, register="HP")
        (made,) = to(Resolution.P1D, whole(block(values=list(range(24)), of=of)), Kind.REGISTER_READING)
        assert (made.values, made.register) == ([0], "HP")
        late = whole(block(values={1: 5}, of=of))
        assert to(Resolution.P1D, late, Kind.REGISTER_READING) == []

    def test_keeps_registers_apart(self) -> None:
        of = [key(resolution=Resolution.PT10M, register=r) for r in ("HC", "HP")]
        made = to(Resolution.PT60M, whole(*[block(values=n, of=k) for n, k in enumerate(of)]))
        assert [(s.register, s.values[0]) for s in made] == [("HC", 0), ("HP", 1)]

    def test_of_nothing_is_nothing(self) -> None:
        assert to(Resolution.P1D, []) == []
