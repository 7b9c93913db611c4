"""What is missing because values of it came and were set aside."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gridgate.core.time import Interval, civil_day_bounds
from gridgate.dataplane.query.answer import Missing
from gridgate.dataplane.query.set_aside import in_part, told_apart
from gridgate.dataplane.store.quarantine import Cause, SetAside

PARIS = ZoneInfo("Europe/Paris")
DAY = date(2026, 6, 1)
START = civil_day_bounds(DAY, PARIS).start
HOUR = timedelta(hours=1)
ALL = [Interval(START - 240 * HOUR, START + 240 * HOUR)]


def at(hours: float) -> datetime:
    return START + hours * HOUR


def gap(start: float, end: float, reason: str = "not_received") -> Missing:
    return Missing(at(start), at(end), reason)


def value(hours: float, cause: Cause = Cause.NEGATIVE) -> SetAside:
    """One of half an hour, so many hours after the day began."""
    start = int(at(hours).timestamp())
    return SetAside(at(hours).astimezone(PARIS).date(), cause, 1, (start, start + 1800))


def timeless(days: int = 0, cause: Cause = Cause.STEP) -> SetAside:
    return SetAside(DAY + timedelta(days=days), cause, 3)


def told(
    missing: list[Missing], *found: SetAside, readable: list[Interval] = ALL
) -> tuple[list[Missing], list[SetAside]]:
    return told_apart(missing, found, readable=readable, zone=PARIS)


def test_tells_the_gap_of_its_day_in_which_a_value_lies() -> None:
    missing = [gap(-24, 3), gap(10, 48)]
    assert told(missing, value(10), value(12)) == (
        [gap(-24, 3), gap(10, 24, "set_aside"), gap(24, 48)],
        [value(10), value(12)],
    )


def test_says_nothing_of_a_value_that_came_well_afterwards() -> None:
    missing = [gap(10, 12)]
    assert told(missing, value(3)) == (missing, [])


def test_says_nothing_of_what_repeats_a_value_that_was_kept() -> None:
    missing = [gap(10, 12)]
    assert told(missing, value(10, Cause.REPEATED), timeless(cause=Cause.REPEATED)) == (missing, [])


def test_tells_every_gap_of_the_day_of_a_value_whose_time_nobody_knows() -> None:
    assert told([gap(2, 3), gap(10, 12), gap(30, 31)], timeless()) == (
        [gap(2, 3, "set_aside"), gap(10, 12, "set_aside"), gap(30, 31)],
        [timeless()],
    )


def test_says_nothing_of_such_a_value_when_a_part_of_its_day_is_anothers() -> None:
    afternoon = [Interval(at(12), at(48))]
    missing = [gap(12, 48)]
    assert told(missing, timeless(), readable=afternoon) == (missing, [])
    assert told(missing, timeless(), timeless(1), readable=afternoon)[1] == [timeless(1)]


def test_says_nothing_of_a_value_of_a_time_that_may_not_be_read() -> None:
    missing = [gap(0, 12, "before_title"), gap(12, 24)]
    assert told(missing, value(3), readable=[Interval(at(12), at(24))]) == (missing, [])


def test_puts_days_together_that_have_the_same_causes() -> None:
    found = [timeless(), timeless(1), timeless(2, Cause.OPPOSITION)]
    assert told([gap(0, 96)], *found)[0] == [
        gap(0, 48, "set_aside"),
        gap(48, 72, "set_aside"),
        gap(72, 96),
    ]


def test_leaves_what_is_missing_for_another_reason_as_it_is() -> None:
    missing = [gap(0, 6, "before_activation"), gap(6, 12, "partial_step"), gap(12, 24, "future")]
    assert told(missing, timeless()) == (missing, [])


def test_counts_the_days_of_the_clock_on_the_wall() -> None:
    autumn = civil_day_bounds(date(2026, 10, 25), PARIS)
    assert autumn.end is not None
    missing = [Missing(autumn.start, autumn.end, "not_received")]
    (whole,), _ = told_apart(
        missing,
        [SetAside(date(2026, 10, 25), Cause.AMBIGUOUS_TIME, 4)],
        readable=[Interval(datetime(2026, 1, 1, tzinfo=UTC), None)],
        zone=PARIS,
    )
    assert whole == Missing(autumn.start, autumn.end, "set_aside")


def test_tells_of_which_days_a_part_alone_is_missing() -> None:
    missing = [gap(0, 24), gap(25, 26, "future"), gap(40, 72), gap(95, 120), gap(120, 150)]
    assert in_part(missing, PARIS) == [DAY + timedelta(days=number) for number in (1, 3, 6)]


HOURS = st.tuples(st.integers(0, 70), st.integers(1, 30))
CAUSES = st.sampled_from([Cause.NEGATIVE, Cause.STEP, Cause.OPPOSITION])


@st.composite
def values(draw: st.DrawFn) -> SetAside:
    hours, length = draw(HOURS)
    start = int(at(hours).timestamp())
    span = draw(st.sampled_from([None, (start, start + length * 3600)]))
    return SetAside(at(hours).astimezone(PARIS).date(), draw(CAUSES), draw(st.integers(1, 9)), span)


@given(st.sets(st.integers(0, 71)), st.lists(values(), max_size=8), st.integers(0, 30))
def test_tells_what_comparing_each_gap_with_each_value_tells(
    hours: set[int], found: list[SetAside], readable_from: int
) -> None:
    missing = [gap(hour, hour + 1) for hour in sorted(hours)]
    readable = [Interval(at(readable_from), at(96))]

    def lies_in(one: SetAside, hole: Missing) -> bool:
        bounds = civil_day_bounds(one.day, PARIS)
        if not bounds.contains(hole.start):
            return False
        if one.span is None:
            return readable[0].covers(bounds)
        return one.span[0] < hole.end.timestamp() and hole.start.timestamp() < one.span[1]

    gaps, counted = told(missing, *found, readable=readable)

    kept = [one for one in found if any(lies_in(one, hole) for hole in missing)]
    assert counted == sorted(kept, key=lambda one: one.day)
    for hole in missing:
        (reason,) = {one.reason for one in gaps if one.start < hole.end and hole.start < one.end}
        assert (reason == "set_aside") == any(lies_in(one, hole) for one in kept)


def test_does_not_compare_each_gap_with_each_value() -> None:
    count = 0

    class Counted(int):
        def __lt__(self, other: float) -> bool:
            nonlocal count
            count += 1
            return super().__lt__(other)  # type: ignore[operator]

    start = int(START.timestamp())
    seconds = range(0, 86_400, 60)
    found = [
        SetAside(DAY, Cause.NEGATIVE, 1, (Counted(start + second), Counted(start + second + 900)))
        for second in seconds
    ]
    missing = [gap(hour / 12, (hour + 1) / 12) for hour in range(0, 288, 2)]
    assert len(told(missing, *found)[1]) > 1_400
    assert count < 40 * (len(found) + len(missing))
