"""The portal plane's only door to measurements: every read is decided and logged here as on the APIs.

Synchronous, and safe to share between threads.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import Granted, ReadRequest, RefusalReason, Refused, decide
from gridgate.core.time import Interval, Resolution, civil_day_bounds, civil_day_of
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.config import DataPlaneConfig
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.reading import (
    Reader,
    Wanted,
    answer,
    daily_energy_from,
    entries,
    segments_of,
)
from gridgate.dataplane.registry import NEWEST, Access, SqliteRegistry
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import Cause, DayBlock, MeasurementStore, SeriesInfo, SetAside

__all__ = ["Cause", "Latest", "MeasurementClient", "ReadRefused", "Reader", "SeriesInfo", "SetAside"]

DailyTotals = dict[str, dict[date, int | float]]
"""Energy in Wh by metering point and civil day."""


class ReadRefused(GridgateError):
    """The reader may not read that. NOT_FOUND when it has no line on the point at the time, so that an
    unreadable point and an absent one look the same; FORBIDDEN when it has, but none that covers what is
    asked.
    """

    def __init__(self, reason: RefusalReason) -> None:
        self.reason = reason
        unknown = reason in (RefusalReason.NO_PERMISSION, RefusalReason.NOT_YET_VALID, RefusalReason.EXPIRED)
        kind = ErrorKind.NOT_FOUND if unknown else ErrorKind.FORBIDDEN
        super().__init__(kind, f"this cannot be read: {reason.value.replace('_', ' ')}")


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
        self._registry = SqliteRegistry(config.registry, zone=config.zone, newest=config.access_log / NEWEST)
        self._log = AccessLog(config.access_log, config.process)
        self._lock = threading.Lock()
        self._store: MeasurementStore | None = None

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
        wanted = Wanted(metering_point, kind, direction, Interval(start, end), resolution, as_of)
        access = self._access(reader, metering_point, at)
        lines = access.lines if access.point else ()
        verdict = decide(ReadRequest(kind, direction, wanted.period, at, resolution), lines)
        if isinstance(verdict, Refused) or access.point is None:
            refused = verdict if isinstance(verdict, Refused) else Refused(RefusalReason.NO_PERMISSION)
            self._log.append(*entries(reader, wanted, refused, channel=channel, point=access.point, at=at))
            raise ReadRefused(refused.reason)
        found = answer(self._measurements, wanted, verdict, point=access.point, at=at, zone=self._zone)
        self._log.append(
            *entries(reader, wanted, verdict, channel=channel, point=access.point, at=at, counts=found.counts)
        )
        return found

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
        """The energy of each civil day `first` to `last` of each point, in a handful of statements for all of
        them.

        Days without data are absent, and so are points that `reader` may not read. One line of the log a
        point and part of the period. Raises as `read` does, but not `ReadRefused`.
        """
        start, end = civil_day_bounds(first, self._zone).start, civil_day_bounds(last, self._zone).end
        period = Interval(start, end)
        with self._lock:
            lines = self._registry.lines(reader.organisation, metering_points)
        request = ReadRequest(Kind.DAILY_ENERGY, direction, period, at)
        verdicts = {point: decide(request, lines.get(point, ())) for point in dict.fromkeys(metering_points)}
        granted = {point: verdict for point, verdict in verdicts.items() if isinstance(verdict, Granted)}
        blocks = self._daily_blocks(list(granted), direction, first, last)
        totals: DailyTotals = {}
        logged: list[AccessEntry] = []
        for point, verdict in verdicts.items():
            wanted = Wanted(point, Kind.DAILY_ENERGY, direction, period)
            counts: list[int] = []
            if isinstance(verdict, Granted):
                of_parts = [self._totals(wanted, part, blocks.get(point, [])) for part in verdict.parts]
                totals[point] = {day: value for part in of_parts for day, value in part.items()}
                counts = [len(part) for part in of_parts]
            logged += entries(reader, wanted, verdict, channel=channel, point=None, at=at, counts=counts)
        self._log.append(*logged)
        return totals

    def series(self, metering_points: Sequence[str]) -> list[SeriesInfo]:
        """What is held of those points: which series, from when to when. Not their values, so not logged.

        For points whose readability was decided already. Raises `StoreUnavailable`.
        """
        return self._measurements.series(metering_points)

    def series_within(self, metering_point: str, first: date, last: date) -> list[SeriesInfo]:
        """The same of one point, of the civil days `first` to `last` only, both included."""
        return self._measurements.series_within(metering_point, first, last)

    def latest(self, metering_points: Sequence[str]) -> dict[str, Latest]:
        """The last civil day with data of each point that has any, in one statement. As `series`.

        Of a series said to reach into days to come, in a store made by a former version, what lies up to today counts.
        """
        found: dict[str, Latest] = {}
        today = civil_day_of(datetime.now(UTC), self._zone)
        told = self.series(metering_points)
        for point in {info.key.metering_point for info in told if info.last > today}:
            told = [info for info in told if info.key.metering_point != point]
            told += self.series_within(point, date.min, today)
        for info in told:
            point = info.key.metering_point
            recorded = datetime.fromtimestamp(info.recorded_at / 1000, UTC)
            before = found.get(point)
            found[point] = (
                Latest(max(info.last, before.day), max(recorded, before.recorded_at))
                if before
                else Latest(info.last, recorded)
            )
        return found

    def close(self) -> None:
        self._log.close()
        with self._lock:
            self._registry.close()
            if self._store is not None:
                self._store.close()
                self._store = None

    @property
    def _measurements(self) -> MeasurementStore:
        with self._lock:
            if self._store is None:
                self._store = open_store(self._config.measurements, read_only=True, zone=self._zone)
            return self._store

    def _access(self, reader: Reader, metering_point: str, at: datetime) -> Access:
        with self._lock:
            return self._registry.access(reader.organisation, metering_point, at=at)

    def _daily_blocks(
        self, points: Sequence[str], direction: FlowDirection, first: date, last: date
    ) -> Mapping[str, list[DayBlock]]:
        """Daily energy as stored, and made from load curves for the points and days that have none."""
        store = self._measurements
        stored = store.read_many(points, Kind.DAILY_ENERGY, direction, first, last)
        blocks = _by_point(block for block in stored if block.said.any())
        days = (last - first).days + 1
        silent = [point for point in points if len(blocks.get(point, ())) < days]
        curves = _by_point(store.read_many(silent, Kind.LOAD_CURVE, direction, first, last)) if silent else {}
        for point, curve in curves.items():
            told = {block.day for block in blocks.get(point, ())}
            made = daily_energy_from([b for b in curve if b.day not in told], zone=self._zone)
            blocks.setdefault(point, []).extend(made)
        return blocks

    def _totals(self, wanted: Wanted, part: Granted, blocks: list[DayBlock]) -> dict[date, int | float]:
        segments = segments_of(blocks, wanted, part.line, part.readable, zone=self._zone)
        return {
            step.start.astimezone(self._zone).date(): step.value
            for segment in segments
            for step in segment.steps(self._zone)
            if step.value is not None
        }


def _by_point(blocks: Iterable[DayBlock]) -> dict[str, list[DayBlock]]:
    return {point: list(same) for point, same in groupby(blocks, key=lambda block: block.key.metering_point)}
