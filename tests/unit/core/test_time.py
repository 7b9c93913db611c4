"""Civil days and intervals, the two days of the clock change above all."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gridgate.core.errors import GridgateError
from gridgate.core.time import (
    Interval,
    Resolution,
    civil_day_bounds,
    civil_day_of,
    days_between,
    slot_start,
    slots_in_day,
)

PARIS = ZoneInfo("Europe/Paris")
SPRING, AUTUMN, JUNE = date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 15)


@pytest.mark.parametrize(
    ("day", "resolution", "slots"),
    [
        (SPRING, Resolution.PT60M, 23),
        (SPRING, Resolution.PT30M, 46),
        (SPRING, Resolution.PT5M, 276),
        (AUTUMN, Resolution.PT60M, 25),
        (AUTUMN, Resolution.PT30M, 50),
        (AUTUMN, Resolution.PT10M, 150),
        (JUNE, Resolution.PT15M, 96),
        (SPRING, Resolution.P1D, 1),
    ],
)
def test_a_day_has_as_many_slots_as_the_clock_gives_it(day: date, resolution: Resolution, slots: int) -> None:
    assert slots_in_day(day, resolution, PARIS) == slots


def test_the_repeated_hour_of_october_is_two_different_instants() -> None:
    first, second = (slot_start(AUTUMN, index, Resolution.PT60M, PARIS) for index in (2, 3))
    assert second - first == timedelta(hours=1)
    assert first.astimezone(PARIS).hour == second.astimezone(PARIS).hour == 2


def test_days_are_bounded_by_local_midnights() -> None:
    assert civil_day_bounds(JUNE, PARIS) == Interval(
        datetime(2026, 6, 14, 22, tzinfo=UTC), datetime(2026, 6, 15, 22, tzinfo=UTC)
    )
    assert civil_day_of(datetime(2026, 6, 14, 22, tzinfo=UTC), PARIS) == JUNE
    assert civil_day_of(datetime(2026, 6, 14, 21, 59, tzinfo=UTC), PARIS) == JUNE - timedelta(days=1)


def test_days_between_leaves_out_the_day_that_starts_at_the_end() -> None:
    bounds = civil_day_bounds(JUNE, PARIS)
    assert bounds.end is not None
    assert days_between(bounds.start, bounds.end, PARIS) == [JUNE]
    assert days_between(bounds.start, bounds.end + timedelta(seconds=1), PARIS) == [
        JUNE,
        JUNE + timedelta(days=1),
    ]
    assert days_between(bounds.end, bounds.start, PARIS) == []


class TestInterval:
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def test_refuses_an_instant_without_a_zone(self) -> None:
        with pytest.raises(GridgateError, match="no time zone"):
            Interval(datetime(2026, 1, 1), None)  # noqa: DTZ001

    @pytest.mark.parametrize("hours", [0, -1])
    def test_refuses_an_end_that_is_not_after_its_start(self, hours: int) -> None:
        with pytest.raises(GridgateError, match="not after its start"):
            Interval(self.start, self.start + timedelta(hours=hours))

    def test_is_in_utc_whatever_it_was_given(self) -> None:
        assert Interval(datetime(2026, 1, 1, 1, tzinfo=PARIS), None).start == self.start
        assert Interval(datetime(2026, 1, 1, 1, tzinfo=PARIS), None).start.tzinfo is UTC

    def test_an_open_interval_covers_all_that_starts_later(self) -> None:
        always = Interval(self.start, None)
        assert always.covers(Interval(self.start, self.start + timedelta(days=1)))
        assert not Interval(self.start, self.start + timedelta(days=1)).covers(always)
        assert not always.covers(Interval(self.start - timedelta(seconds=1), None))


class TestResolution:
    def test_reads_the_spellings_in_use(self) -> None:
        assert Resolution.parse("PT60M") is Resolution.parse("PT1H") is Resolution.PT60M
        assert Resolution.of_seconds(600) is Resolution.PT10M

    def test_names_the_steps_that_exist(self) -> None:
        with pytest.raises(GridgateError, match="PT5M, PT10M, PT15M, PT30M, PT60M, P1D"):
            Resolution.parse("PT20M")
        with pytest.raises(GridgateError, match="no step of 1200 s"):
            Resolution.of_seconds(1200)
