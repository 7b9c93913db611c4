"""Several meters as one file: a row for each value, meter after meter, some meters at a time.

Each lot is decided and logged before a row of it leaves, so that what the company may no longer read is not in the rest
of a file that is being made, and memory does not grow with the number of meters.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import IO, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.quantities import Kind
from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.client import MeasurementClient, Reader, SumAsked
from gridgate.portal import formats
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.several import STEP
from gridgate.tables.out import Instant, csv_lines, workbook
from gridgate.tables.text import guarded

MOST_ROWS: Final = 500_000
"""Of one file: thirty meters over a year of half hours."""
ROWS_AT_ONCE: Final = 100_000
FORMATS: Final = ("csv", "excel", "xlsx", "parquet")


class Value(NamedTuple):
    """One value of one meter."""

    point: str
    name: str
    start: datetime
    end: datetime
    value: int | float


@dataclass(frozen=True, slots=True)
class Exported:
    """What is written, and on whose behalf it is read."""

    client: MeasurementClient
    reader: Reader
    names: Mapping[str, str]
    """The meters, in the order of the file."""
    shown: Shown
    zone: ZoneInfo
    clock: Callable[[], datetime]
    """Read once a lot."""

    @property
    def columns(self) -> list[str]:
        kind = self.shown.kind
        measure = f"{kind.value} {self.shown.flow.value} ({kind.unit})"
        return ["metering_point", "name", "start", "end", measure]

    def values(self) -> Iterator[Value]:
        """Raises as the client does, at the beginning of a lot."""
        points = list(self.names)
        at_once = max(1, ROWS_AT_ONCE // rows_of(self.shown, 1))
        for start in range(0, len(points), at_once):
            lot = points[start : start + at_once]
            yield from self._power(lot) if self.shown.kind is Kind.LOAD_CURVE else self._energy(lot)

    def _power(self, points: Sequence[str]) -> Iterator[Value]:
        asked = SumAsked(self.shown.flow, self.shown.interval(self.zone), STEP)
        groups = {point: place for place, point in enumerate(points)}
        sums, _decided = self.client.sums(self.reader, asked, groups, at=self.clock(), channel="export")
        edges = [edge.astimezone(self.zone) for edge in sums.edges]
        for point, values in zip(points, sums.values, strict=True):
            for start, end, value in zip(edges, edges[1:], values, strict=False):
                if value is not None:
                    yield Value(point, self.names[point], start, end, value)

    def _energy(self, points: Sequence[str]) -> Iterator[Value]:
        shown = self.shown
        totals = self.client.daily_totals(
            self.reader, points, shown.flow, shown.first, shown.last, at=self.clock(), channel="export"
        )
        bounds = [civil_day_bounds(day, self.zone).start for day in totals.days]
        bounds.append(civil_day_bounds(shown.last + timedelta(days=1), self.zone).start)
        edges = [edge.astimezone(self.zone) for edge in bounds]
        for point, values in zip(totals.points, totals.values, strict=True):
            for at in np.flatnonzero(np.isfinite(values)).tolist():
                value = float(values[at])
                whole = int(value) if value.is_integer() else value
                yield Value(point, self.names[point], edges[at], edges[at + 1], whole)


def rows_of(shown: Shown, meters: int) -> int:
    """How many rows that many meters have at most."""
    a_day = 50 if shown.kind is Kind.LOAD_CURVE else 1
    return meters * shown.days * a_day


def lines(exported: Exported, *, dialect: str) -> Iterator[str]:
    """CSV: `excel` with semicolons and the decimal mark of the language, anything else by RFC 4180."""
    if dialect == "excel":
        yield from csv_lines(exported.columns, _rows(exported), decimal_mark=formats.decimal_mark())
        return
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(exported.columns)
    for value in exported.values():
        start, end = value.start.isoformat(), value.end.isoformat()
        yield writer.writerow([value.point, guarded(value.name), start, end, value.value])


def sheet(exported: Exported) -> IO[bytes]:
    """A workbook, at its beginning, which the caller closes."""
    return workbook(exported.columns, _rows(exported), sheet=exported.shown.kind.value)


def parquet(exported: Exported) -> IO[bytes]:
    """Apache Parquet, times in UTC; at its beginning, which the caller closes."""
    import polars  # Slow to import, and only this needs it.

    instants = polars.Datetime("us", "UTC")
    names = ("metering_point", "name", "start", "end", "value")
    types = (polars.String, polars.String, instants, instants, polars.Float64)
    columns = list(zip(*exported.values(), strict=True)) or [()] * len(names)
    frame = polars.DataFrame(
        dict(zip(names, columns, strict=True)), schema=dict(zip(names, types, strict=True)), strict=False
    )
    target = TemporaryFile()  # noqa: SIM115  # the response closes it
    about = {"measure": exported.columns[-1]}
    frame.write_parquet(target, compression="zstd", metadata=about)
    target.seek(0)
    return target


def _rows(exported: Exported) -> Iterator[tuple[object, ...]]:
    for value in exported.values():
        yield value.point, value.name, Instant.of(value.start), Instant.of(value.end), value.value


class _Echo:
    def write(self, text: str) -> str:
        return text
