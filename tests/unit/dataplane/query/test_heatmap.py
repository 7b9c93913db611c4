from datetime import timedelta

import pytest

from gridgate.core.time import Resolution
from gridgate.dataplane.query.heatmap import heat_map, round_up
from tests.factories.measurements import AUTUMN, PARIS, SPRING, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import bounds, whole


class TestHeatMap:
    def test_shows_mean_power_by_day_and_hour_of_the_clock(self) -> None:
        values = [n // 2 * 10 for n in range(48)]
        drawn = heat_map(
            whole(block(values=values)), start=bounds(SUMMER)[0], end=bounds(SUMMER)[1], zone=PARIS
        )
        assert drawn.days == [SUMMER]
        assert drawn.values == [[hour * 10 for hour in range(24)]]
        assert drawn.top == 250
        assert drawn.levels[0][:6] == [0, 0, 0, 0, 0, 1]
        assert drawn.levels[0][23] == 5

    def test_on_the_days_when_clocks_change(self) -> None:
        start, end = bounds(SPRING)
        spring = heat_map(whole(block(SPRING, 6)), start=start, end=end, zone=PARIS)
        assert spring.values[0][1:4] == [6, None, 6]
        start, end = bounds(AUTUMN)
        doubled = [0] * 4 + [10, 10, 20, 20] + [0] * 42
        autumn = heat_map(whole(block(AUTUMN, doubled)), start=start, end=end, zone=PARIS)
        assert autumn.values[0][1:4] == [0, 15, 0]

    def test_shows_no_hour_of_which_a_part_is_missing(self) -> None:
        start, end = bounds(SUMMER, SUMMER + timedelta(days=1))
        drawn = heat_map(whole(block(values=[None, 1, 2, 2, *[3] * 44])), start=start, end=end, zone=PARIS)
        assert drawn.values[0][:3] == [None, 2, 3]
        assert drawn.levels[1] == [None] * 24

    def test_puts_the_highest_value_in_the_highest_level(self) -> None:
        drawn = heat_map(whole(block(values=50)), start=bounds(SUMMER)[0], end=bounds(SUMMER)[1], zone=PARIS)
        assert (drawn.top, drawn.levels[0][0]) == (50, 5)

    def test_leaves_out_values_of_whole_days(self) -> None:
        days = whole(block(of=key(resolution=Resolution.P1D)))
        drawn = heat_map(days, start=bounds(SUMMER)[0], end=bounds(SUMMER)[1], zone=PARIS)
        assert (drawn.values, drawn.top) == ([[None] * 24], 1)


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (0.07, 0.08), (9.1, 10), (96, 100), (101, 150), (250_000, 250_000)]
)
def test_round_up_ends_a_scale_with_a_round_number(value: float, top: float) -> None:
    assert round_up(value) == top
