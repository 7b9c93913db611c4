"""Laws of intervals and civil days, whatever the instants, in four time zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gridgate.core.time import (
    Interval,
    Resolution,
    civil_day_bounds,
    civil_day_of,
    days_between,
    months_from,
    slot_start,
    slots_in_day,
)

ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("Europe/Paris", "Europe/Lisbon", "Atlantic/Azores", "Indian/Reunion")]
)
DAYS = st.dates(date(1990, 1, 1), date(2060, 1, 1))
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    start = draw(INSTANTS)
    length = draw(st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=800)))
    return Interval(start, None if length is None else start + length)


@given(intervals(), intervals(), INSTANTS)
def test_an_instant_is_in_the_intersection_when_it_is_in_both(
    a: Interval, b: Interval, instant: datetime
) -> None:
    both = a.intersect(b)
    assert (both is not None and both.contains(instant)) == (a.contains(instant) and b.contains(instant))


@given(intervals(), intervals())
def test_intersection_is_symmetric_and_covered_by_both(a: Interval, b: Interval) -> None:
    both = a.intersect(b)
    assert both == b.intersect(a)
    assert a.overlaps(b) == (both is not None)
    if both is not None:
        assert a.covers(both)
        assert b.covers(both)


@given(DAYS, ZONES)
def test_days_follow_one_another_without_a_hole(day: date, zone: ZoneInfo) -> None:
    assert civil_day_bounds(day, zone).end == civil_day_bounds(day + timedelta(days=1), zone).start


@given(DAYS, ZONES, st.sampled_from(list(Resolution)))
def test_slots_fill_the_day(day: date, zone: ZoneInfo, resolution: Resolution) -> None:
    bounds, slots = civil_day_bounds(day, zone), slots_in_day(day, resolution, zone)
    if resolution is not Resolution.P1D:
        assert slot_start(day, slots, resolution, zone) == bounds.end
    assert slot_start(day, 0, resolution, zone) == bounds.start


@given(INSTANTS, ZONES)
def test_an_instant_is_in_its_own_day(instant: datetime, zone: ZoneInfo) -> None:
    assert civil_day_bounds(civil_day_of(instant, zone), zone).contains(instant)


@given(INSTANTS, st.timedeltas(timedelta(seconds=1), timedelta(days=40)), ZONES)
def test_days_between_are_those_that_are_touched(start: datetime, length: timedelta, zone: ZoneInfo) -> None:
    asked = Interval(start, start + length)
    days = days_between(start, start + length, zone)
    assert all(civil_day_bounds(day, zone).overlaps(asked) for day in days)
    assert not civil_day_bounds(days[0] - timedelta(days=1), zone).overlaps(asked)
    assert not civil_day_bounds(days[-1] + timedelta(days=1), zone).overlaps(asked)


@given(DAYS, st.integers(-600, 600))
def test_a_day_so_many_months_on_has_its_number_or_is_the_last_of_a_shorter_month(
    day: date, months: int
) -> None:
    there = months_from(day, months)
    assert (there.year - day.year) * 12 + there.month - day.month == months
    last_of_its_month = (there + timedelta(days=1)).day == 1
    assert there.day == day.day or (there.day < day.day and last_of_its_month)
