from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution, civil_day_bounds, slots_in_day
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.assemble import assemble, columns_of_packed
from gridgate.dataplane.store import packing
from gridgate.dataplane.store.days import day_number
from gridgate.dataplane.store.port import DayBlock, PackedDay
from tests.factories.measurements import AUTUMN, PARIS, SPRING, SUMMER, block, key

HOUR = timedelta(hours=1)


def bounds(first: date, last: date | None = None) -> tuple[datetime, datetime]:
    end = civil_day_bounds(last or first, PARIS).end
    assert end is not None
    return civil_day_bounds(first, PARIS).start, end


def whole(*blocks: DayBlock) -> list[Segment]:
    start, end = bounds(min(b.day for b in blocks), max(b.day for b in blocks))
    return assemble(list(blocks), start, end, PARIS)


def at(block: DayBlock, recorded: int) -> DayBlock:
    block.recorded_at = recorded
    return block


class TestAssemble:
    def test_joins_days_into_one_segment(self) -> None:
        days = [SUMMER + timedelta(days=n) for n in range(7)]
        (segment,) = whole(*[block(day, n) for n, day in enumerate(days)])
        assert segment.start == datetime(2026, 5, 31, 22, tzinfo=UTC)
        assert segment.resolution is Resolution.PT30M
        assert segment.values == [n for n in range(7) for _ in range(48)]
        assert segment.quality == [("measured", 336)]
        assert segment.offsets is None

    @pytest.mark.parametrize(("day", "slots"), [(SPRING, 46), (AUTUMN, 50)])
    def test_runs_through_a_clock_change(self, day: date, slots: int) -> None:
        around = [day - timedelta(days=1), day, day + timedelta(days=1)]
        (segment,) = whole(*[block(d) for d in around])
        assert len(segment) == 96 + slots
        assert segment.end(PARIS) == bounds(around[-1])[1]

    def test_clips_to_the_steps_wholly_in_the_interval(self) -> None:
        start = bounds(SUMMER)[0]
        given = [block(values=list(range(48)))]
        (segment,) = assemble(given, start + HOUR / 4, start + 2.25 * HOUR, PARIS)
        assert (segment.start, segment.values) == (start + HOUR / 2, [1, 2, 3])
        assert assemble(given, start + HOUR / 4, start + 0.75 * HOUR, PARIS) == []
        (exact,) = assemble(given, start + HOUR, start + 2 * HOUR, PARIS)
        assert exact.values == [2, 3]

    def test_never_gives_a_day_that_is_not_wholly_asked_for(self) -> None:
        of = key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)
        days = [SUMMER + timedelta(days=n) for n in range(4)]
        start, end = bounds(days[0], days[-1])
        given = [block(day, n, of=of) for n, day in enumerate(days)]
        (segment,) = assemble(given, start + HOUR, end - HOUR, PARIS)
        assert (segment.start, segment.values) == (bounds(days[1])[0], [1, 2])

    def test_joins_days_of_any_length(self) -> None:
        of = key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)
        days = [AUTUMN + timedelta(days=n) for n in (-1, 0, 1)]
        (segment,) = whole(*[block(day, n, of=of) for n, day in enumerate(days)])
        assert segment.values == [0, 1, 2]
        assert [s.start for s in segment.steps(PARIS)] == [bounds(d)[0] for d in days]
        assert [s.end for s in segment.steps(PARIS)] == [bounds(d)[1] for d in days]
        assert segment.end(PARIS) == bounds(days[-1])[1]

    def test_gives_none_for_what_is_missing_within_a_segment(self) -> None:
        values = [None, 1, None, None, 4, *[5] * 42, None]
        (segment,) = whole(block(values=values))
        assert segment.start == bounds(SUMMER)[0] + HOUR / 2
        assert segment.values == [1, None, None, 4, *[5] * 42]
        assert segment.quality == [("measured", 1), ("missing", 2), ("measured", 43)]

    def test_keeps_a_short_gap_at_midnight_within_one_segment(self) -> None:
        tomorrow = SUMMER + timedelta(days=1)
        (segment,) = whole(block(values=[1] * 47 + [None]), block(tomorrow, [None] + [2] * 47))
        assert segment.values == [1] * 47 + [None, None] + [2] * 47

    def test_breaks_at_a_day_without_any_value(self) -> None:
        days = [SUMMER + timedelta(days=n) for n in range(4)]
        first, second = whole(block(days[0]), block(days[2], {}), block(days[3]))
        assert (first.start, second.start) == (bounds(days[0])[0], bounds(days[3])[0])
        assert len(first) == len(second) == 48

    def test_gives_nothing_for_nothing(self) -> None:
        assert assemble([], *bounds(SUMMER), PARIS) == []
        assert whole(block(values={})) == []

    def test_gives_decimals_as_the_nearest_float_and_whole_numbers_as_integers(self) -> None:
        tomorrow = SUMMER + timedelta(days=1)
        (segment,) = whole(block(values=[7305, *[10] * 47], scale=-1), block(tomorrow, 3))
        assert segment.values == [730.5, *[1] * 47, *[3] * 48]
        assert isinstance(segment.values[1], int)
        assert whole(block(values=3, scale=2))[0].values == [300] * 48

    def test_tells_qualities_across_days(self) -> None:
        tomorrow = SUMMER + timedelta(days=1)
        quality = [Quality.MEASURED] * 40 + [Quality.ESTIMATED] * 8
        (segment,) = whole(block(quality=quality), block(tomorrow, quality=Quality.ESTIMATED))
        assert segment.quality == [("measured", 40), ("estimated", 56)]
        assert segment.qualities().count("estimated") == 56

    def test_keeps_the_instant_of_a_maximum(self) -> None:
        of = key(kind=Kind.MAXIMUM_POWER, resolution=Resolution.P1D)
        tomorrow = SUMMER + timedelta(days=1)
        (segment,) = whole(block(values=6, of=of, offsets=[3_600]), block(tomorrow, 7, of=of))
        assert segment.offsets == [3_600, 0]
        assert next(segment.steps(PARIS)).observed_at == bounds(SUMMER)[0] + HOUR

    def test_gives_a_reading_by_its_instant(self) -> None:
        of = key(kind=Kind.REGISTER_READING, resolution=Resolution.P1D, register="HP")
        start = bounds(SUMMER)[0]
        given = [block(values=5, of=of, offsets=[7_200])]
        (segment,) = assemble(given, start + HOUR, start + 3 * HOUR, PARIS)
        assert (segment.register, segment.values, segment.offsets) == ("HP", [5], [7_200])
        assert assemble(given, start + 3 * HOUR, start + 4 * HOUR, PARIS) == []
        assert assemble(given, start, start + 2 * HOUR, PARIS) == []

    def test_keeps_registers_in_segments_of_their_own(self) -> None:
        of = [key(kind=Kind.REGISTER_READING, resolution=Resolution.P1D, register=r) for r in ("HP", "HC")]
        segments = whole(*[block(values=n, of=k) for n, k in enumerate(of)])
        assert [(s.register, s.values) for s in segments] == [("HC", [1]), ("HP", [0])]


class TestStepThatChangesWithinADay:
    FINE, COARSE = key(resolution=Resolution.PT10M), key()

    def test_gives_a_segment_for_each_step(self) -> None:
        morning = block(values=[30] * 24 + [None] * 24)
        evening = block(values=[None] * 72 + [10] * 72, of=self.FINE)
        first, second = whole(evening, morning)
        assert (first.resolution, first.values) == (Resolution.PT30M, [30] * 24)
        assert (second.resolution, second.values) == (Resolution.PT10M, [10] * 72)
        assert first.end(PARIS) == second.start

    def test_goes_on_in_the_new_step_on_the_next_day(self) -> None:
        tomorrow = SUMMER + timedelta(days=1)
        segments = whole(
            block(SUMMER - timedelta(days=1)),
            block(values=[30] * 24 + [None] * 24),
            block(values=[None] * 72 + [10] * 72, of=self.FINE),
            block(tomorrow, of=self.FINE),
        )
        assert [(s.resolution, len(s)) for s in segments] == [
            (Resolution.PT30M, 48 + 24),
            (Resolution.PT10M, 72 + 144),
        ]

    def test_takes_the_value_recorded_later_when_two_speak_of_an_instant(self) -> None:
        coarse, fine = block(values=30), block(values={0: 1, 1: 2, 2: 3, 3: 4}, of=self.FINE)
        (only,) = whole(at(coarse, 2_000), at(fine, 1_000))
        assert (only.resolution, set(only.values)) == (Resolution.PT30M, {30})
        first, second = whole(at(coarse, 1_000), at(fine, 2_000))
        assert first.values == [1, 2, 3, 4]
        # The finer tells ten minutes of the second half hour: what remains of it is nobody's measurement.
        assert (second.start, len(second)) == (first.start + HOUR, 46)

    def test_takes_the_finer_of_two_recorded_together(self) -> None:
        (only,) = whole(at(block(values=30), 1_000), at(block(values=10, of=self.FINE), 1_000))
        assert only.resolution is Resolution.PT10M

    def test_judges_slot_by_slot_when_a_part_was_corrected_later(self) -> None:
        coarse, fine = at(block(values=30), 3_000), at(block(values=10, of=self.FINE), 2_000)
        coarse.slot_recorded_at = np.array([3_000] + [1_000] * 47)
        first, second = whole(coarse, fine)
        assert (first.resolution, first.values) == (Resolution.PT30M, [30])
        assert (second.resolution, len(second)) == (Resolution.PT10M, 141)

    def test_leaves_a_hole_as_a_hole(self) -> None:
        fine = block(values=[None] * 72 + [10] * 30 + [None] * 2 + [10] * 40, of=self.FINE)
        _, second = whole(block(values=[30] * 24 + [None] * 24), fine)
        assert second.values == [10] * 30 + [None] * 2 + [10] * 40

    def test_holds_on_the_day_of_fifty_half_hours(self) -> None:
        first, second = whole(
            block(AUTUMN, [30] * 6 + [None] * 44), block(AUTUMN, [None] * 18 + [10] * 132, of=self.FINE)
        )
        assert (len(first), len(second)) == (6, 132)
        assert second.end(PARIS) == bounds(AUTUMN)[1]

    def test_holds_between_a_day_and_its_half_hours(self) -> None:
        of = key(resolution=Resolution.P1D)
        (only,) = whole(at(block(AUTUMN, 500, of=of), 1), at(block(AUTUMN, 30), 2))
        assert only.resolution is Resolution.PT30M
        (only,) = whole(at(block(AUTUMN, 500, of=of), 2), at(block(AUTUMN, 30), 1))
        assert (only.resolution, only.values, only.start) == (Resolution.P1D, [500], bounds(AUTUMN)[0])


def test_makes_no_block_of_a_year_of_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where days are missing, nor of days whose values need more bytes."""
    slots = {48: 40, 46: 40, 50: 40_000}
    days = []
    for number in (n for n in range(365) if n != 100):
        day = SUMMER + timedelta(days=number)
        made = block(day, slots[slots_in_day(day, Resolution.PT30M, PARIS)])
        width, amounts = packing.pack_values(made.values)
        days.append(PackedDay(day_number(day), 1800, "", 0, 0, width, amounts, None, None, None))
    monkeypatch.setattr(packing, "blocks_of", None)
    made_of = (key().metering_point, Kind.LOAD_CURVE, key().direction)
    before, after = columns_of_packed(days, made_of, *bounds(SUMMER, SUMMER + timedelta(days=364)), PARIS)
    assert before.count == 100 * 48
    assert before.count + after.count == 364 * 48  # a day of 46 and one of 50 among them
    assert sorted({*before.values.tolist(), *after.values.tolist()}) == [40, 40_000]
