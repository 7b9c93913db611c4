from datetime import UTC, date, datetime, timedelta

import pytest

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Interval, Resolution
from gridgate.dataplane.query.aggregate import Comparison, Earlier, Extreme, Period, Total, totals
from gridgate.dataplane.store.port import DayBlock
from tests.factories.measurements import AUTUMN, PARIS, SPRING, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import HOUR, bounds, whole

TENS = key(resolution=Resolution.PT10M)
ENERGY = key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def totalled(
    *blocks: DayBlock, by: Period = Period.DAY, span: tuple[datetime, datetime] | None = None
) -> list[Total]:
    first, last = min(b.day for b in blocks), max(b.day for b in blocks)
    start, end = span or bounds(first, last)
    return totals(whole(*blocks), by, kind=blocks[0].key.kind, start=start, end=end, zone=PARIS)


class TestTotals:
    @pytest.mark.parametrize(("day", "energy"), [(SPRING, 2_300), (SUMMER, 2_400), (AUTUMN, 2_500)])
    def test_energy_of_a_civil_day_of_any_length(self, day: date, energy: int) -> None:
        (total,) = totalled(block(day, 100))
        assert (total.energy_wh, total.values, total.missing) == (energy, energy // 50, 0)
        assert total.interval == Interval(*bounds(day))
        assert total.complete

    def test_energy_is_exact_to_the_watt_hour_the_source_gave(self) -> None:
        """13 Wh in ten minutes is 78 W; what is summed is what was read."""
        wh = [(n * 7919) % 1_013 for n in range(144)]
        (total,) = totalled(block(values=[w * 6 for w in wh], of=TENS))
        assert total.energy_wh == sum(wh)
        assert isinstance(total.energy_wh, int)

    def test_energy_is_not_rounded_before_the_end(self) -> None:
        (total,) = totalled(block(values={0: 1, 1: 1, 2: 1}, of=TENS))
        assert total.energy_wh == 0.5
        (total,) = totalled(block(values=1, of=TENS, scale=-1))
        assert total.energy_wh == 2.4

    def test_counts_what_is_missing_and_what_is_not_sure(self) -> None:
        quality = [Quality.ESTIMATED] * 3 + [Quality.CORRECTED] * 2 + [Quality.MEASURED] * 43
        (total,) = totalled(block(values=[1] * 40 + [None] * 8, quality=quality))
        assert (total.values, total.missing, total.estimated, total.corrected) == (40, 8, 3, 2)
        assert not total.complete

    def test_tells_the_extremes_and_when(self) -> None:
        (total,) = totalled(block(values=[5] * 10 + [9] + [5] * 20 + [1, 9] + [5] * 15))
        start = bounds(SUMMER)[0]
        assert total.maximum == Extreme(9, start + 5 * HOUR)
        assert total.minimum == Extreme(1, start + 15.5 * HOUR)

    def test_tells_when_a_maximum_was_reached(self) -> None:
        of = key(kind=Kind.MAXIMUM_POWER, resolution=Resolution.P1D)
        june = days(SUMMER, 3)
        blocks = [block(d, v, of=of, offsets=[v * 60]) for d, v in zip(june, (5, 8, 6), strict=True)]
        (total,) = totalled(*blocks, by=Period.MONTH)
        assert total.maximum == Extreme(8, bounds(june[1])[0] + timedelta(minutes=8))
        assert total.energy_wh is None

    def test_adds_daily_energies(self) -> None:
        blocks = [block(d, 1_000 + n, of=ENERGY) for n, d in enumerate(days(AUTUMN, 3)) if n != 1]
        (total,) = totalled(*blocks, by=Period.YEAR)
        assert (total.energy_wh, total.values, total.missing) == (2_002, 2, 1)

    def test_by_week_starts_on_monday_and_keeps_to_what_was_asked(self) -> None:
        blocks = [block(d, 100) for d in days(date(2026, 6, 3), 7)]
        first, second = totalled(*blocks, by=Period.WEEK)
        assert (first.first, first.energy_wh, first.missing) == (date(2026, 6, 1), 5 * 2_400, 0)
        assert (second.first, second.energy_wh, second.missing) == (date(2026, 6, 8), 2 * 2_400, 0)

    def test_by_month_and_year_lists_the_empty_ones_too(self) -> None:
        span = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)
        months = totalled(block(SUMMER, 100), by=Period.MONTH, span=span)
        assert [t.first.month for t in months] == list(range(1, 13))
        assert [t.values for t in months] == [0] * 5 + [48] + [0] * 6
        assert [t.missing for t in months][:5] == [31 * 48, 28 * 48, 31 * 48 - 2, 30 * 48, 31 * 48]
        assert months[0].maximum is None
        (year,) = totalled(block(SUMMER, 100), by=Period.YEAR, span=span)
        assert (year.values, year.missing) == (48, 364 * 48)

    def test_when_the_step_changes_counts_in_the_usual_one(self) -> None:
        morning, evening = block(values=[6] * 24 + [None] * 24), block(values=[None] * 72 + [6] * 72, of=TENS)
        (total,) = totalled(morning, evening)
        assert (total.energy_wh, total.values, total.missing) == (144, 96, 0)

    def test_a_hole_shorter_than_the_usual_step_is_one(self) -> None:
        """Of a quarter of an hour that was withdrawn, another file tells ten minutes."""
        quarters = block(values=[10, 10, None, *[10] * 93], of=key(resolution=Resolution.PT15M))
        (total,) = totalled(quarters, block(values={3: 10}, of=TENS))
        assert (total.values, total.missing, total.complete) == (96, 1, False)

    def test_of_nothing_counts_half_hours_of_a_curve_and_days_of_the_rest(self) -> None:
        start, end = bounds(AUTUMN)
        for kind, missing in ((Kind.LOAD_CURVE, 50), (Kind.DAILY_ENERGY, 1)):
            (total,) = totals([], Period.DAY, kind=kind, start=start, end=end, zone=PARIS)
            assert (total.missing, total.values) == (missing, 0)
        assert totals([], Period.DAY, kind=Kind.LOAD_CURVE, start=end, end=end, zone=PARIS) == []


class TestComparison:
    def test_tells_difference_and_change(self) -> None:
        current, reference = totalled(block(values=110))[0], totalled(block(values=100))[0]
        comparison = Comparison(current, reference)
        assert comparison.difference_wh == 240
        assert comparison.change == pytest.approx(0.1)
        assert comparison.fair

    def test_is_not_fair_when_something_is_missing(self) -> None:
        current, reference = totalled(block(values=110))[0], totalled(block(values={0: 0}))[0]
        comparison = Comparison(current, reference)
        assert not comparison.fair
        assert comparison.change is None

    def test_of_maxima_is_no_energy(self) -> None:
        of = key(kind=Kind.MAXIMUM_POWER, resolution=Resolution.P1D)
        (total,) = totalled(block(of=of))
        assert Comparison(total, total).difference_wh is None


class TestEarlier:
    @pytest.mark.parametrize(
        ("earlier", "first", "last", "expected"),
        [
            (Earlier.BEFORE, date(2026, 3, 1), date(2026, 3, 31), (date(2026, 2, 1), date(2026, 2, 28))),
            (Earlier.BEFORE, date(2026, 1, 1), date(2026, 12, 31), (date(2025, 1, 1), date(2025, 12, 31))),
            (Earlier.BEFORE, date(2026, 6, 8), date(2026, 6, 14), (date(2026, 6, 1), date(2026, 6, 7))),
            (Earlier.BEFORE, AUTUMN, AUTUMN, (date(2026, 10, 24), date(2026, 10, 24))),
            (Earlier.YEAR, date(2026, 6, 8), date(2026, 6, 14), (date(2025, 6, 8), date(2025, 6, 14))),
            (Earlier.YEAR, date(2024, 2, 29), date(2024, 3, 1), (date(2023, 2, 28), date(2023, 3, 1))),
            (Earlier.WEEKS_52, date(2026, 6, 8), date(2026, 6, 14), (date(2025, 6, 9), date(2025, 6, 15))),
        ],
    )
    def test_interval(self, earlier: Earlier, first: date, last: date, expected: tuple[date, date]) -> None:
        assert earlier.interval(*bounds(first, last), zone=PARIS) == Interval(*bounds(*expected))

    def test_of_an_empty_interval_is_refused(self) -> None:
        start = bounds(SUMMER)[0]
        with pytest.raises(GridgateError):
            Earlier.YEAR.interval(start, start, zone=PARIS)
