from datetime import timedelta

from gridgate.core.time import Interval, Resolution
from gridgate.dataplane.query.aggregate import Extreme
from gridgate.dataplane.query.threshold import Above, above
from tests.factories.measurements import PARIS, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import HOUR, bounds, whole

START = bounds(SUMMER)[0]


class TestAbove:
    def test_tells_how_long_and_each_time(self) -> None:
        found = above(whole(block(values=[5, 12, 15, 10, 11, *[5] * 43])), 10, zone=PARIS)
        assert found.duration == 1.5 * HOUR
        first, second = found.episodes
        assert first.interval == Interval(START + HOUR / 2, START + 1.5 * HOUR)
        assert first.maximum == Extreme(15, START + HOUR)
        assert second.interval == Interval(START + 2 * HOUR, START + 2.5 * HOUR)

    def test_does_not_count_the_threshold_itself(self) -> None:
        assert above(whole(block(values=10)), 10, zone=PARIS) == Above(timedelta(), [])

    def test_ends_where_nothing_is_known(self) -> None:
        found = above(whole(block(values=[20, None, 20, *[5] * 45])), 10, zone=PARIS)
        assert [e.interval.start for e in found.episodes] == [START, START + HOUR]
        assert found.duration == HOUR

    def test_goes_on_through_a_change_of_step_and_to_the_end(self) -> None:
        tens = key(resolution=Resolution.PT10M)
        morning, evening = (
            block(values=[20] * 24 + [None] * 24),
            block(values=[None] * 72 + [30] * 72, of=tens),
        )
        found = above(whole(morning, evening), 10, zone=PARIS)
        (episode,) = found.episodes
        assert episode.interval == Interval(*bounds(SUMMER))
        assert episode.maximum == Extreme(30, START + 12 * HOUR)

    def test_takes_the_maximum_of_each_day_by_itself(self) -> None:
        found = above(whole(block(values=[12, 15, 5, 11, *[5] * 44])), 10, zone=PARIS, each=True)
        assert [e.maximum.value for e in found.episodes] == [12, 15, 11]
