"""Readings of registers on the screen: what moved between two times of a company is another's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gridgate.core.time import Resolution
from gridgate.dataplane.query.answer import Segment
from gridgate.portal.screens.measurements.figures import register_figure
from gridgate.portal.screens.measurements.table import reading_rows

PARIS = ZoneInfo("Europe/Paris")
LEFT, BACK = datetime(2026, 7, 28, 22, tzinfo=UTC), datetime(2026, 9, 30, 22, tzinfo=UTC)


def days(start: datetime, *values: int) -> Segment:
    return Segment(start, Resolution.P1D, list(values), [("measured", len(values))])


def test_what_another_holder_used_is_neither_a_difference_nor_in_the_sum() -> None:
    own = [days(LEFT, 1000, 3000), days(BACK, 900_000, 904_000)]
    assert [row.difference for row in reading_rows(own, [BACK], PARIS)] == ["", "2,000", "", "4,000"]
    assert register_figure("", own, [BACK]).note.replace("\u00a0", " ").startswith("6 kWh de plus")


def test_a_gap_in_ones_own_time_is_ones_own() -> None:
    own = [days(LEFT, 1000, 3000), days(BACK, 10_000)]
    assert [row.difference for row in reading_rows(own, [], PARIS)] == ["", "2,000", "7,000"]
