from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gridgate.core.quantities import Kind
from gridgate.core.time import Interval, Resolution
from gridgate.dataplane.query.answer import Missing
from gridgate.dataplane.query.assemble import assemble
from gridgate.dataplane.query.coverage import Span, coverage, without
from gridgate.dataplane.store.port import DayBlock
from tests.factories.measurements import AUTUMN, PARIS, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import HOUR, bounds

START, END = bounds(SUMMER)
LATER = END + timedelta(days=30)


def told(
    *blocks: DayBlock,
    start: datetime = START,
    end: datetime | None = END,
    at: datetime = LATER,
    explained: list[Missing] | None = None,
) -> tuple[Interval | None, list[Missing]]:
    segments = assemble(list(blocks), start, end or at, PARIS)
    return coverage(segments, requested=Interval(start, end), at=at, zone=PARIS, explained=explained or [])


class TestCoverage:
    def test_of_a_full_answer_misses_nothing(self) -> None:
        assert told(block()) == (Interval(START, END), [])

    def test_names_what_was_not_received(self) -> None:
        available, missing = told(block(values=[None] * 2 + [1] * 10 + [None] * 3 + [1] * 33))
        assert available == Interval(START + HOUR, END)
        assert missing == [
            Missing(START, START + HOUR, "not_received"),
            Missing(START + 6 * HOUR, START + 7.5 * HOUR, "not_received"),
        ]

    def test_of_nothing_misses_everything(self) -> None:
        assert told() == (None, [Missing(START, END, "not_received")])

    def test_tells_the_future_from_what_should_be_there(self) -> None:
        now = START + 10.1 * HOUR
        _, missing = told(block(values=[1] * 18 + [None] * 30), at=now)
        assert missing == [Missing(START + 9 * HOUR, now, "not_received"), Missing(now, END, "future")]

    def test_without_an_end_goes_up_to_now(self) -> None:
        _, missing = told(block(values=[1] * 18 + [None] * 30), end=None, at=START + 10 * HOUR)
        assert missing == [Missing(START + 9 * HOUR, START + 10 * HOUR, "not_received")]

    def test_takes_the_word_of_the_caller_for_what_it_can_explain(self) -> None:
        title = Missing(START - HOUR, START + HOUR, "before_title")
        elsewhere = Missing(END, END + HOUR, "after_title")
        _, missing = told(block(values=[None] * 4 + [1] * 44), explained=[title, elsewhere])
        assert missing == [
            Missing(START, START + HOUR, "before_title"),
            Missing(START + HOUR, START + 2 * HOUR, "not_received"),
        ]

    def test_tells_an_edge_too_short_for_a_step(self) -> None:
        start, end = START + HOUR / 4, END - HOUR / 4
        available, missing = told(block(), start=start, end=end)
        assert available == Interval(START + HOUR / 2, END - HOUR / 2)
        assert missing == [
            Missing(start, START + HOUR / 2, "partial_step"),
            Missing(END - HOUR / 2, end, "partial_step"),
        ]

    def test_counts_days_of_any_length(self) -> None:
        of = key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)
        days = [AUTUMN + timedelta(days=n) for n in (-1, 0, 2)]
        start, end = bounds(days[0], days[-1])
        available, missing = told(*[block(d, of=of) for d in days], start=start, end=end, at=end)
        assert available == Interval(start, end)
        assert missing == [Missing(*bounds(AUTUMN + timedelta(days=1)), "not_received")]

    def test_is_satisfied_by_one_register(self) -> None:
        of = key(kind=Kind.REGISTER_READING, resolution=Resolution.P1D, register="HP")
        assert told(block(of=of)) == (Interval(START, END), [])


def at_minute(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12).map(
    lambda given: [(at_minute(start), at_minute(start + length)) for start, length in given]
)


class TestWithout:
    @given(SPANS, SPANS)
    def test_leaves_what_taking_one_hole_after_another_leaves(
        self, spans: list[Span], holes: list[Span]
    ) -> None:
        left = spans
        for begin, stop in holes:
            parts = [part for a, b in left for part in ((a, min(b, begin)), (max(a, stop), b))]
            left = [(a, b) for a, b in parts if a < b]
        assert without(spans, holes) == left

    def test_does_not_compare_every_span_with_every_hole(self) -> None:
        """A curve with a value missing every ten minutes has as many holes as values."""
        count = 0

        class Counted(datetime):
            def __lt__(self, other: datetime) -> bool:
                nonlocal count
                count += 1
                return super().__lt__(other)

        minutes = [Counted.fromtimestamp(60 * minute, UTC) for minute in range(2_001)]
        steps = list(pairwise(minutes))
        assert without(steps, steps[::2]) == steps[1::2]
        assert count < 100_000
