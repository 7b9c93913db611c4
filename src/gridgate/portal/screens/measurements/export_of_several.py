"""Several meters as one file: a row for each value, meter after meter, some meters at a time.

Each lot is decided and logged before a row of it is written, so that what may no longer be read is not in the rest of a
file that is being made, and memory does not grow with the number of meters. A file is made in a folder of its own: a
small one while the person waits, a large one by the worker (`preparing`).
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.quantities import Kind
from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.client import Decided, MeasurementClient, Period, Reader, SumAsked
from gridgate.metering.chunks import chunks
from gridgate.portal import formats
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.several import STEP
from gridgate.tables.out import XLSX_TYPE, Instant, csv_lines, write_workbook
from gridgate.tables.text import guarded

ROWS_AT_ONCE: Final = 100_000
METERS_AT_ONCE: Final = 2_000
"""So many a statement can name."""


@dataclass(frozen=True, slots=True)
class Format:
    """One form of the file, by the name that the address gives it."""

    suffix: str
    content_type: str
    at_once: int
    """Rows that are written in about a second: more are prepared."""
    most: int
    """Rows of one file."""


FORMATS: Final = {
    "xlsx": Format("xlsx", XLSX_TYPE, 10_000, 1_000_000),
    "excel": Format("csv", "text/csv; charset=utf-8", 75_000, 5_000_000),
    "csv": Format("csv", "text/csv; charset=utf-8", 75_000, 5_000_000),
    "parquet": Format("parquet", "application/vnd.apache.parquet", 75_000, 5_000_000),
}


class Value(NamedTuple):
    """One value of one meter."""

    point: str
    name: str
    start: datetime
    end: datetime
    value: int | float


def all_of(lot: Sequence[str]) -> Collection[str]:
    return lot


def nothing(lot: Sequence[str], decided: Decided) -> None:
    pass


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
    still: Callable[[Sequence[str]], Collection[str]] = all_of
    """Which of a lot the person may read when its turn comes."""
    written: Callable[[Sequence[str], Decided], None] = nothing
    """Told of each lot once its rows are written, with what was decided of it."""

    @property
    def columns(self) -> list[str]:
        kind = self.shown.kind
        measure = f"{kind.value} {self.shown.flow.value} ({kind.unit})"
        return ["metering_point", "name", "start", "end", measure]

    def values(self) -> Iterator[Value]:
        """Raises as the client does, at the beginning of a lot."""
        at_once = min(METERS_AT_ONCE, max(1, ROWS_AT_ONCE // rows_of(self.shown, 1)))
        for lot in chunks(self.names, at_once):
            readable = self.still(lot)
            points = [point for point in lot if point in readable]
            decided = Decided()
            if points:
                read = self._power if self.shown.kind is Kind.LOAD_CURVE else self._energy
                decided, values = read(points)
                yield from values
            self.written(lot, decided)

    def _power(self, points: Sequence[str]) -> tuple[Decided, Iterator[Value]]:
        groups = {point: place for place, point in enumerate(points)}
        asked = asked_of(self.shown, self.zone)
        sums, decided = self.client.sums(self.reader, asked, groups, at=self.clock(), channel="export")
        edges = [edge.astimezone(self.zone) for edge in sums.edges]
        return decided, (
            Value(point, self.names[point], start, end, value)
            for point, values in zip(points, sums.values, strict=True)
            for start, end, value in zip(edges, edges[1:], values, strict=False)
            if value is not None
        )

    def _energy(self, points: Sequence[str]) -> tuple[Decided, Iterator[Value]]:
        shown = self.shown
        totals = self.client.daily_totals(
            self.reader, points, shown.flow, shown.first, shown.last, at=self.clock(), channel="export"
        )
        bounds = [civil_day_bounds(day, self.zone).start for day in totals.days]
        bounds.append(civil_day_bounds(shown.last + timedelta(days=1), self.zone).start)
        edges = [edge.astimezone(self.zone) for edge in bounds]
        return totals.decided, (
            Value(point, self.names[point], edges[at], edges[at + 1], _whole(float(values[at])))
            for point, values in zip(totals.points, totals.values, strict=True)
            for at in np.flatnonzero(np.isfinite(values)).tolist()
        )


def asked_of(shown: Shown, zone: ZoneInfo) -> SumAsked:
    """What is asked of the measurements for it."""
    step = STEP if shown.kind is Kind.LOAD_CURVE else Period.DAY
    return SumAsked(shown.flow, shown.interval(zone), step)


def rows_of(shown: Shown, meters: int) -> int:
    """How many rows that many meters have at most."""
    a_day = 50 if shown.kind is Kind.LOAD_CURVE else 1
    return meters * shown.days * a_day


def write(exported: Exported, form: str, folder: Path) -> Path:
    """Make the file in a folder that holds nothing else, and is removed by whoever made it."""
    target = folder / f"values.{FORMATS[form].suffix}"
    if form == "parquet":
        _write_parquet(exported, target, folder)
    elif form == "xlsx":
        with target.open("wb") as file:
            sheet = exported.shown.kind.value
            write_workbook(file, exported.columns, _rows(exported), sheet=sheet, folder=folder)
    else:
        with target.open("w", encoding="utf-8", newline="") as text:
            text.writelines(_lines(exported, form))
    return target


def _lines(exported: Exported, dialect: str) -> Iterator[str]:
    """CSV: `excel` with semicolons and the decimal mark of the language, anything else by RFC 4180."""
    if dialect == "excel":
        yield from csv_lines(exported.columns, _rows(exported), decimal_mark=formats.decimal_mark())
        return
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(exported.columns)
    for value in exported.values():
        start, end = value.start.isoformat(), value.end.isoformat()
        yield writer.writerow([value.point, guarded(value.name), start, end, value.value])


def _write_parquet(exported: Exported, target: Path, folder: Path) -> None:
    """Apache Parquet, times in UTC: in parts, then as one, so that memory holds a part at a time."""
    import polars  # Slow to import, and only this needs it.

    instants = polars.Datetime("us", "UTC")
    names = ("metering_point", "name", "start", "end", "value")
    types = (polars.String, polars.String, instants, instants, polars.Float64)
    schema: Any = dict(zip(names, types, strict=True))

    def part(values: Iterable[Value], number: int) -> Path:
        columns = list(zip(*values, strict=True)) or [()] * len(names)
        frame = polars.DataFrame(dict(zip(names, columns, strict=True)), schema=schema, strict=False)
        path = folder / f"part-{number:06}.parquet"
        frame.write_parquet(path, compression="zstd")
        return path

    parts = [part(values, number) for number, values in enumerate(chunks(exported.values(), ROWS_AT_ONCE))]
    whole = polars.scan_parquet(parts or [part((), 0)])
    whole.sink_parquet(target, compression="zstd", metadata={"measure": exported.columns[-1]})


def _rows(exported: Exported) -> Iterator[tuple[object, ...]]:
    for value in exported.values():
        yield value.point, value.name, Instant.of(value.start), Instant.of(value.end), value.value


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value


class _Echo:
    def write(self, text: str) -> str:
        return text
