"""Measurements for tests of screens, without files: the fixture `measured` stands for the data plane client.

Every point has 10 kWh a day this year and 8 the year before, a flat curve of half hours; all up to yesterday.
What the client itself decides and logs is tested with the real one, in `integration/dataplane`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import AccessLine, Basis, Granted
from gridgate.core.time import Interval, Resolution, civil_day_of, days_between
from gridgate.dataplane.client import DailyTotals, Decided, Latest, Reader, SumAsked, Sums
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.dataplane.store.port import Cause, SeriesInfo, SeriesKey, SetAside
from tests.world import NOW

PARIS = ZoneInfo("Europe/Paris")
YESTERDAY = civil_day_of(NOW, PARIS) - timedelta(days=1)
TITLE = AccessLine(Basis.TITLE, None, 1, 15, 3, 0, 0, None, 0, None)
RECORDED = datetime(2026, 11, 25, 4, tzinfo=UTC)


@dataclass
class Measured:
    silent: set[str] = field(default_factory=set)
    """Points without data."""
    refused: set[str] = field(default_factory=set)
    """Points of which every value came and was set aside, as negative."""
    broken: bool = False
    """True to have the store not answer."""
    asked: list[tuple[object, ...]] = field(default_factory=list)
    """Who read which points, and how."""

    def latest(self, points: Sequence[str]) -> dict[str, Latest]:
        self._answer()
        return {point: Latest(YESTERDAY, RECORDED) for point in points if point not in self.silent}

    def series(self, points: Sequence[str]) -> list[SeriesInfo]:
        self._answer()
        keys = [
            SeriesKey(point, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, Resolution.PT30M)
            for point in points
            if point not in self.silent
        ]
        recorded = int(RECORDED.timestamp() * 1000)
        return [SeriesInfo(key, date(2024, 1, 1), YESTERDAY, recorded) for key in keys]

    def series_within(self, point: str, first: date, last: date) -> list[SeriesInfo]:
        return [
            replace(info, first=max(first, info.first), last=min(last, info.last))
            for info in self.series([point])
            if info.first <= last and info.last >= first
        ]

    def daily_totals(
        self,
        reader: Reader,
        points: Sequence[str],
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        at: datetime,
        channel: str = "screen",
    ) -> DailyTotals:
        self._answer()
        self.asked.append((reader.organisation_name, direction, *points))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        told = [point for point in points if point not in self.silent]
        each = 10_000.0 if first.year == NOW.year else 8_000.0
        return DailyTotals(told, days, np.full((len(told), len(days)), each))

    def sums(
        self,
        reader: Reader,
        asked: SumAsked,
        points: Mapping[str, int],
        *,
        at: datetime,
        channel: str = "screen",
    ) -> tuple[Sums, Decided]:
        """Of half hours, in one group."""
        self._answer()
        self.asked.append((reader.organisation_name, asked.direction, *points))
        told = [point for point in points if point not in self.silent]
        end = asked.period.end
        assert end is not None
        count = int((end - asked.period.start).total_seconds()) // Resolution.PT30M.seconds
        edges = [asked.period.start + timedelta(minutes=30 * n) for n in range(count + 1)]
        past = [edge < at for edge in edges[1:]]
        values: list[int | float | None] = [417 * len(told) if told and over else None for over in past]
        of_points = [len(told) if over else 0 for over in past]
        granted = Decided({point: Granted(TITLE, asked.period) for point in points})
        return Sums(asked.kind, edges, [values], [of_points], [count] * len(told)), granted

    def read(
        self,
        reader: Reader,
        point: str,
        kind: Kind,
        direction: FlowDirection,
        start: datetime,
        end: datetime,
        *,
        at: datetime,
        resolution: Resolution | None = None,
        as_of: datetime | None = None,
        channel: str = "screen",
    ) -> Answer:
        self._answer()
        self.asked.append((reader.organisation_name, direction, point, channel))
        until = min(end, at)
        none = self.silent | self.refused
        segments = [] if point in none or start >= until else [_flat(kind, start, until)]
        days = days_between(start, until, PARIS) if point in self.refused else []
        return Answer(
            metering_point=point,
            kind=kind,
            direction=direction,
            unit=kind.unit,
            start=start,
            end=end,
            segments=segments,
            requested=Interval(start, end),
            available=Interval(start, until) if segments else None,
            missing=[Missing(start, until, "set_aside")] if days else [],
            set_aside=[SetAside(day, Cause.NEGATIVE, 48) for day in days],
        )

    def _answer(self) -> None:
        if self.broken:
            raise GridgateError(ErrorKind.UNAVAILABLE, "the store does not answer")


def _flat(kind: Kind, start: datetime, end: datetime) -> Segment:
    if kind is Kind.LOAD_CURVE:
        count = int((end - start).total_seconds()) // Resolution.PT30M.seconds
        return Segment(start, Resolution.PT30M, [417] * count, [("measured", count)])
    count = len(days_between(start, end, PARIS))
    return Segment(start, Resolution.P1D, [10_000] * count, [("measured", count)])


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    from gridgate.portal import measurements

    measured = Measured()
    monkeypatch.setattr(measurements, "client", lambda: measured)
    return measured
