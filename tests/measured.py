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
from gridgate.core.sharing import AccessLine, Basis, Granted, RefusalReason, Refused
from gridgate.core.time import Interval, Resolution, civil_day_bounds, civil_day_of, days_between
from gridgate.dataplane.client import DailyTotals, Decided, Latest, Period, Reader, SumAsked, Sums
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.dataplane.store.port import SeriesInfo, SeriesKey
from gridgate.dataplane.store.quarantine import Cause, SetAside
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
    unreadable: set[str] = field(default_factory=set)
    """Points that the company may read no more."""
    readable_from: datetime | None = None
    """From when on it may read the others; all when None."""
    erased: set[str] = field(default_factory=set)
    """Points of which the store has nothing any more."""
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
            if point not in self.silent | self.erased
        ]
        recorded = int(RECORDED.timestamp() * 1000)
        return [SeriesInfo(key, date(2024, 1, 1), YESTERDAY, recorded) for key in keys]

    def steps_within(self, points: Sequence[str], asked: SumAsked) -> int:
        """Of half hours, on the longest day."""
        self._answer()
        end = asked.period.end
        assert end is not None
        return 50 * len(points) * round((end - asked.period.start) / timedelta(days=1))

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
        period = Interval(civil_day_bounds(first, PARIS).start, civil_day_bounds(last, PARIS).end)
        decided = self.readable(reader, SumAsked(direction, period, Period.DAY), points, at=at)
        told = [point for point in decided.granted if point not in self.silent]
        each = 10_000.0 if first.year == NOW.year else 8_000.0
        return DailyTotals(told, days, np.full((len(told), len(days)), each), decided)

    def readable(self, reader: Reader, asked: SumAsked, points: Sequence[str], *, at: datetime) -> Decided:
        self._answer()
        period = asked.period
        if self.readable_from is not None:
            period = Interval(max(period.start, self.readable_from), period.end)
        granted = Granted(TITLE, period)
        decided = Decided({point: granted for point in points if point not in self.unreadable})
        decided.refused.update(
            (point, Refused(RefusalReason.NO_PERMISSION)) for point in points if point in self.unreadable
        )
        return decided

    def curves(
        self, reader: Reader, asked: SumAsked, points: Sequence[str], *, at: datetime, channel: str
    ) -> tuple[dict[str, list[Segment]], Decided]:
        self._answer()
        self.asked.append((reader.organisation_name, asked.direction, *points))
        decided = self.readable(reader, asked, points, at=at)
        end = min(asked.period.end or at, at)
        flat = [_flat(asked.kind, asked.period.start, end)]
        return {point: [] if point in self.silent else flat for point in decided.granted}, decided

    def sums(
        self,
        reader: Reader,
        asked: SumAsked,
        points: Mapping[str, int],
        *,
        at: datetime,
    ) -> tuple[Sums, Decided]:
        """Of half hours."""
        self._answer()
        self.asked.append((reader.organisation_name, asked.direction, *points))
        decided = self.readable(reader, asked, list(points), at=at)
        told = [point for point in decided.granted if point not in self.silent]
        end = asked.period.end
        assert end is not None
        count = int((end - asked.period.start).total_seconds()) // Resolution.PT30M.seconds
        edges = [asked.period.start + timedelta(minutes=30 * n) for n in range(count + 1)]
        past = [edge < at for edge in edges[1:]]
        each = [sum(points[point] == group for point in told) for group in range(max(points.values()) + 1)]
        values: list[list[int | float | None]] = [
            [417 * of_group if of_group and over else None for over in past] for of_group in each
        ]
        of_points = [[of_group if over else 0 for over in past] for of_group in each]
        return Sums(asked.kind, edges, values, of_points, [count] * len(told)), decided

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
