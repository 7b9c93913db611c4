from datetime import timedelta

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.query.envelope import envelope
from tests.factories.measurements import AUTUMN, PARIS, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import bounds, whole

START, END = bounds(SUMMER)


class TestEnvelope:
    def test_keeps_the_lowest_and_highest_of_each_column(self) -> None:
        drawn = envelope(whole(block(values=list(range(48)))), start=START, end=END, columns=4, zone=PARIS)
        assert drawn.minimum == [0, 12, 24, 36]
        assert drawn.maximum == [11, 23, 35, 47]
        assert drawn.gap == drawn.estimated == [False] * 4
        assert drawn.column_start(1) == START + timedelta(hours=6)

    def test_spreads_a_step_over_all_the_columns_it_touches(self) -> None:
        drawn = envelope(whole(block(values=[1, 9, *[5] * 46])), start=START, end=END, columns=32, zone=PARIS)
        assert (drawn.minimum[:3], drawn.maximum[:3]) == ([1, 5, 5], [9, 9, 5])
        fine = envelope(whole(block(values=[1, 9, *[5] * 46])), start=START, end=END, columns=96, zone=PARIS)
        assert fine.maximum[:5] == [1, 1, 9, 9, 5]

    def test_shows_the_shortest_gap_and_what_is_estimated(self) -> None:
        quality = [Quality.MEASURED] * 30 + [Quality.ESTIMATED] * 18
        given = block(values=[5] * 13 + [None] + [5] * 34, quality=quality)
        drawn = envelope(whole(given), start=START, end=END, columns=4, zone=PARIS)
        assert drawn.gap == [False, True, False, False]
        assert drawn.estimated == [False, False, True, True]
        assert drawn.maximum == [5] * 4

    def test_knows_nothing_outside_the_data(self) -> None:
        day = timedelta(days=1)
        drawn = envelope(whole(block()), start=START - day, end=END + day, columns=3, zone=PARIS)
        assert drawn.maximum == [None, 100, None]
        assert drawn.gap == [True, False, True]
        zoomed = envelope(whole(block()), start=START + day / 4, end=START + day / 2, columns=2, zone=PARIS)
        assert (zoomed.maximum, zoomed.gap) == ([100, 100], [False, False])

    def test_draws_days_of_any_length(self) -> None:
        of = key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)
        days = [AUTUMN + timedelta(days=n) for n in (-1, 0, 1)]
        start, end = bounds(days[0], days[-1])
        segments = whole(*[block(d, n, of=of) for n, d in enumerate(days)])
        drawn = envelope(segments, start=start, end=end, columns=73, zone=PARIS)
        assert drawn.maximum == [0] * 24 + [1] * 25 + [2] * 24
