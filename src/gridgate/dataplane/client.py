"""The portal plane's only door to measurements: every read is decided and logged here as on the APIs.

Synchronous, and safe to share between threads.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import Granted, RefusalReason, Refused, Wanted
from gridgate.core.time import Interval, Resolution, civil_day_bounds, civil_day_of, days_between
from gridgate.dataplane.accesslog import AccessLog
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.dataplane.query.sums.energy import energy_of_points
from gridgate.dataplane.query.sums.tally import Sums
from gridgate.dataplane.reading.answering import curve_of, in_order
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.reading.sealed import Denied, L, Sealed, T, take
from gridgate.dataplane.reading.window import Window
from gridgate.dataplane.registry.opening import open_registry
from gridgate.dataplane.registry.port import Access
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import MeasurementStore, SeriesInfo
from gridgate.dataplane.store.quarantine import Cause, SetAside
from gridgate.dataplane.summing import Decided, SumAsked, add_up, decide_each, is_unknown, log_entries

__all__ = [
    "Cause",
    "DailyTotals",
    "Decided",
    "Latest",
    "MeasurementClient",
    "Period",
    "ReadRefused",
    "Reader",
    "SeriesInfo",
    "SetAside",
    "SumAsked",
    "Sums",
]


class ReadRefused(GridgateError):
    """The reader may not read that. NOT_FOUND when it has no line on the point at the time, so that an
    unreadable point and an absent one look the same; FORBIDDEN when it has, but none that covers what is
    asked.
    """

    def __init__(self, reason: RefusalReason) -> None:
        self.reason = reason
        kind = ErrorKind.NOT_FOUND if is_unknown(reason) else ErrorKind.FORBIDDEN
        super().__init__(kind, f"this cannot be read: {reason.value.replace('_', ' ')}")


def _judged(access: Access, wanted: Wanted, verdict: Granted | Refused) -> Granted | Denied[Answer]:
    return Denied(verdict, ReadRefused(verdict.reason)) if isinstance(verdict, Refused) else verdict


@dataclass(frozen=True, slots=True)
class DailyTotals:
    """The energy of several points, day by day."""

    points: list[str]
    days: list[date]
    values: NDArray[np.float64]
    """Wh, points by days; NaN where there is none."""
    decided: Decided = field(default_factory=Decided)
    """Which points may be read, and of what time."""
    quality: NDArray[np.uint8] | None = None
    """`Quality` codes, as `values`; None when each is measured."""


@dataclass(frozen=True, slots=True)
class Latest:
    """Until when a point has data, and when the last of it came."""

    day: date
    recorded_at: datetime


class MeasurementClient:
    """One per process. Files are opened at first use."""

    def __init__(self, config: DataPlaneConfig) -> None:
        self._config = config
        self._zone = config.zone
        self._registry = open_registry(config)
        self._log = AccessLog(config.access_log, config.process)
        self._lock = threading.Lock()
        self._store: MeasurementStore | None = None
        self._idle: list[MeasurementStore] = []

    def read(
        self,
        reader: Reader,
        metering_point: str,
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
        """Read a period on behalf of `reader`, as far as the title or a permission of its organisation
        reaches.

        `at` is the present. The read is in the access log, durably, when this returns or raises.
        Raises `ReadRefused`, `RegistryUnavailable`, `StoreUnavailable`, `AccessLogUnavailable`.
        """
        wanted = Wanted(metering_point, kind, direction, Interval(start, end), at, resolution, as_of)
        access = self._access(reader, metering_point, at)
        sealed = take(
            self._opened,
            reader,
            access,
            wanted,
            channel,
            judge=_judged,
            write=Window.answer,
            zone=self._zone,
        )
        return self._given(sealed)

    def daily_totals(
        self,
        reader: Reader,
        metering_points: Sequence[str],
        direction: FlowDirection,
        first: date,
        last: date,
        *,
        at: datetime,
        channel: str = "screen",
    ) -> DailyTotals:
        """The energy of each civil day `first` to `last` of each point, in a handful of statements for all of them.

        Points that `reader` may not read are absent. One line of the log a point and part of the period. Raises as
        `read` does, but not `ReadRefused`.
        """
        period = Interval(civil_day_bounds(first, self._zone).start, civil_day_bounds(last, self._zone).end)
        asked = SumAsked(direction, period, Period.DAY)
        decided = self._decided(reader, metering_points, asked, at)
        groups = {point: place for place, point in enumerate(decided.granted)}
        assert period.end is not None
        with self._own_store() as store, store.snapshot():
            values, quality, counts = energy_of_points(
                store,
                decided.parts(at, groups),
                direction,
                start=period.start,
                end=period.end,
                zone=self._zone,
            )
        days = [first + timedelta(days=index) for index in range((last - first).days + 1)]
        lines = log_entries(reader, asked, decided, channel=channel, at=at, counts=counts)
        return self._given(Sealed(lines, DailyTotals(list(groups), days, values, decided, quality)))

    def sums(
        self,
        reader: Reader,
        asked: SumAsked,
        metering_points: Mapping[str, int],
        *,
        at: datetime,
    ) -> tuple[Sums, Decided]:
        """What those points have together, by the group (from 0) that each is in; and which of them `reader` may read.

        One line of the log a point and part of the period. Raises as `read` does, but not `ReadRefused`.
        """
        decided = self._decided(reader, list(metering_points), asked, at)
        parts = decided.parts(at, metering_points)
        groups = max(metering_points.values(), default=0) + 1
        with self._own_store() as store:
            sums = add_up(store, asked, parts, at=at, zone=self._zone, groups=groups)
        lines = log_entries(reader, asked, decided, channel="screen", at=at, counts=sums.counts)
        return self._given(Sealed(lines, (sums, decided)))

    def curves(
        self, reader: Reader, asked: SumAsked, metering_points: Sequence[str], *, at: datetime, channel: str
    ) -> tuple[dict[str, list[Segment]], Decided]:
        """The values of each of those points as they are stored, no finer than the reader may have them; and which of
        the points it may read. What it may read is what it might add up as asked.

        One line of the log a point and part of the period. Raises as `read` does, but not `ReadRefused`.
        """
        decided = self._decided(reader, metering_points, asked, at)
        found: dict[str, list[Segment]] = {}
        counts = []
        with self._own_store() as store, store.snapshot():
            for point, verdict in decided.granted.items():
                wanted = Wanted(point, asked.kind, asked.direction, asked.period, at)
                of_parts = [curve_of(store, wanted, part, zone=self._zone) for part in verdict.parts]
                counts += [sum(segment.count for segment in segments) for segments in of_parts]
                found[point] = in_order(of_parts)
        lines = log_entries(reader, asked, decided, channel=channel, at=at, counts=counts)
        return self._given(Sealed(lines, (found, decided)))

    def readable(
        self, reader: Reader, asked: SumAsked, metering_points: Sequence[str], *, at: datetime
    ) -> Decided:
        """What `reader` could read of each point now. Nothing is read, so nothing is logged: for telling whether what
        was read once may still be looked at. Raises `RegistryUnavailable`.
        """
        return self._decided(reader, metering_points, asked, at)

    def series(self, metering_points: Sequence[str]) -> list[SeriesInfo]:
        """What is held of those points: which series, from when to when. Not their values, so not logged.

        For points whose readability was decided already. Raises `StoreUnavailable`.
        """
        return self._opened().series(metering_points)

    def series_within(self, metering_point: str, first: date, last: date) -> list[SeriesInfo]:
        """The same of one point, of the civil days `first` to `last` only, both included."""
        return self._opened().series_within(metering_point, first, last)

    def steps_within(self, metering_points: Sequence[str], asked: SumAsked) -> int:
        """How many values of those points and days there may be at most. As `series`."""
        assert asked.period.end is not None
        days = days_between(asked.period.start, asked.period.end, self._zone)
        with self._own_store() as store:
            return store.steps_within(metering_points, asked.kind, asked.direction, days[0], days[-1])

    def latest(self, metering_points: Sequence[str]) -> dict[str, Latest]:
        """The last civil day with data of each point that has any, in one statement. As `series`.

        Of a series said to reach into days to come, in a store made by a former version, what lies up to today counts.
        """
        today = civil_day_of(datetime.now(UTC), self._zone)
        told = self._opened().latest(metering_points)
        came = {
            at: datetime.fromtimestamp(at / 1000, UTC) for at in {recorded_at for *_, recorded_at in told}
        }
        found = {point: Latest(day, came[recorded_at]) for point, day, recorded_at in told}
        for point in [point for point, day, _ in told if day > today]:
            upto = self.series_within(point, date.min, today)
            del found[point]
            if upto:
                recorded_at = max(info.recorded_at for info in upto)
                day = max(info.last for info in upto)
                found[point] = Latest(day, datetime.fromtimestamp(recorded_at / 1000, UTC))
        return found

    def _given(self, sealed: Sealed[L, T]) -> T:
        """What was read, once the log has it. Raises `AccessLogUnavailable`."""
        self._log.append(*sealed.lines)
        return sealed.open()

    def close(self) -> None:
        self._log.close()
        with self._lock:
            self._registry.close()
            for store in (self._store, *self._idle):
                if store is not None:
                    store.close()
            self._store, self._idle = None, []

    def _opened(self) -> MeasurementStore:
        with self._lock:
            if self._store is None:
                self._store = open_store(self._config.measurements, read_only=True, zone=self._zone)
            return self._store

    @contextmanager
    def _own_store(self) -> Iterator[MeasurementStore]:
        """A connection of one's own: a statement over thousands of points holds up no read of one, and what is read of
        them shows one instant.
        """
        with self._lock:
            store = self._idle.pop() if self._idle else None
        if store is None:
            store = open_store(self._config.measurements, read_only=True, zone=self._zone)
        try:
            yield store
        finally:
            with self._lock:
                self._idle.append(store)

    def _access(self, reader: Reader, metering_point: str, at: datetime) -> Access:
        with self._lock:
            return self._registry.access(reader.organisation, metering_point, at=at)

    def _decided(
        self, reader: Reader, metering_points: Sequence[str], asked: SumAsked, at: datetime
    ) -> Decided:
        points = list(dict.fromkeys(metering_points))
        with self._lock:
            lines = self._registry.lines(reader.organisation, points)
        return decide_each(asked, points, lines, at=at)
