"""Which clocks are believed: stamps in order, of as many days as can be, and of these as many as can be."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gridgate.dataplane.accesslog.signing import _in_order
from tests.examples import examples

BEGINNING = datetime(2026, 11, 25, tzinfo=UTC)
instants = st.integers(0, 15).map(lambda quarters: BEGINNING + timedelta(hours=6 * quarters))


def worth(stamps: list[datetime]) -> tuple[int, int]:
    return len({at.date() for at in stamps}), len(stamps)


def in_order(stamps: list[datetime]) -> bool:
    return all(before <= after for before, after in pairwise(stamps))


@settings(max_examples=examples(200))
@given(st.lists(instants, max_size=8), instants)
def test_no_other_choice_has_more_days_or_stamps(stamps: list[datetime], until: datetime) -> None:
    chosen = [stamps[place] for place in sorted(_in_order(stamps, until))]
    assert in_order(chosen)
    past = [at for at in stamps if at <= until]
    assert set(chosen) <= set(past)
    choices = (list(some) for size in range(len(past) + 1) for some in combinations(past, size))
    assert worth(chosen) == max(worth(some) for some in choices if in_order(some))
