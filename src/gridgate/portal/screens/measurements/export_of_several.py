"""Several meters as one file: a row for each value, meter after meter, some meters at a time.

Each lot is decided and logged before a row of it is written, so that what may no longer be read is not in the rest of a
file that is being made, and memory does not grow with the number of meters. A file is made in a folder of its own: a
small one while the person waits, a large one by the worker (`preparing`).
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.client import Decided, MeasurementClient, Period, Reader, SumAsked
from gridgate.metering.chunks import chunks
from gridgate.portal.kit import formats
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.power_of_several import STEP
from gridgate.tables.out import XLSX_TYPE, Instant, csv_lines, write_workbook
from gridgate.tables.text import guarded

ROWS_AT_ONCE: Final = 100_000
_REFUSED_BY_THE_SYSTEM: Final = re.compile(r"\(os error (\d+)\)")
METERS_AT_ONCE: Final = 2_000
"""So many a statement can name."""


COLUMNS: Final = (
    "metering_point",
    "name",
    "kind",
    "direction",
    "start",
    "end",
    "value",
    "unit",
    "quality",
)
"""As `gridgate ingest` reads them: what one exports, one can import."""
_QUALITIES: Final = {int(quality): quality.word for quality in Quality}


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
    "xlsx": Format("xlsx", XLSX_TYPE, 5_000, 300_000),  # what can be taken in again: `MAX_CELLS`, with room
    "excel": Format("csv", "text/csv; charset=utf-8", 50_000, 5_000_000),
    "csv": Format("csv", "text/csv; charset=utf-8", 50_000, 5_000_000),
    "parquet": Format("parquet", "application/vnd.apache.parquet", 50_000, 5_000_000),
}


class Value(NamedTuple):
    """One value of one meter."""

    point: str
    name: str
    start: datetime
    end: datetime
    value: int | float
    quality: str


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

    def values(self) -> Iterator[Value]:
        """Raises as the client does, at the beginning of a lot."""
        rows = max(1, rows_of(self.client, self.shown, list(self.names), self.zone))
        at_once = min(METERS_AT_ONCE, max(1, ROWS_AT_ONCE * len(self.names) // rows))
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
        asked, zone = asked_of(self.shown, self.zone), self.zone
        curves, decided = self.client.curves(self.reader, asked, points, at=self.clock(), channel="export")
        return decided, (
            Value(
                point,
                self.names[point],
                step.start.astimezone(zone),
                step.end.astimezone(zone),
                step.value,
                step.quality,
            )
            for point, segments in curves.items()
            for segment in segments
            for step in segment.steps(zone)
            if step.value is not None
        )

    def _energy(self, points: Sequence[str]) -> tuple[Decided, Iterator[Value]]:
        shown = self.shown
        totals = self.client.daily_totals(
            self.reader, points, shown.flow, shown.first, shown.last, at=self.clock(), channel="export"
        )
        bounds = [civil_day_bounds(day, self.zone).start for day in totals.days]
        bounds.append(civil_day_bounds(shown.last + timedelta(days=1), self.zone).start)
        edges = [edge.astimezone(self.zone) for edge in bounds]
        quality = np.zeros(totals.values.shape, np.uint8) if totals.quality is None else totals.quality
        return totals.decided, (
            Value(
                point,
                self.names[point],
                edges[at],
                edges[at + 1],
                _whole(float(values[at])),
                _QUALITIES[int(codes[at])],
            )
            for point, values, codes in zip(totals.points, totals.values, quality, strict=True)
            for at in np.flatnonzero(np.isfinite(values)).tolist()
        )


def asked_of(shown: Shown, zone: ZoneInfo) -> SumAsked:
    """What is asked of the measurements for it."""
    step = STEP if shown.kind is Kind.LOAD_CURVE else Period.DAY
    return SumAsked(shown.flow, shown.interval(zone), step)


def rows_of(client: MeasurementClient, shown: Shown, meters: Sequence[str], zone: ZoneInfo) -> int:
    """How many rows those meters have at most, of power in the steps in which it is kept. Raises as the client does."""
    if shown.kind is Kind.LOAD_CURVE:
        return client.steps_within(meters, asked_of(shown, zone))
    return len(meters) * shown.days


def write(exported: Exported, form: str, folder: Path) -> Path:
    """Make the file in a folder that holds nothing else, and is removed by whoever made it."""
    target = folder / f"values.{FORMATS[form].suffix}"
    if form == "parquet":
        _write_parquet(exported, target, folder)
    elif form == "xlsx":
        with target.open("wb") as file:
            sheet = exported.shown.kind.value
            # First, for people, the clock on the wall. A cell knows no offset: `start` and `end`, in text, do.
            header = ["local_time", *COLUMNS]
            write_workbook(file, header, _sheet_rows(exported), sheet=sheet, folder=folder)
    else:
        with target.open("w", encoding="utf-8", newline="") as text:
            text.writelines(_lines(exported, form))
    return target


def _lines(exported: Exported, dialect: str) -> Iterator[str]:
    """CSV: `excel` with semicolons and the decimal mark of the language, anything else by RFC 4180."""
    if dialect == "excel":
        yield from csv_lines(COLUMNS, _rows(exported), decimal_mark=formats.decimal_mark())
        return
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(COLUMNS)
    for row in _rows(exported):
        yield writer.writerow(guarded(cell) if isinstance(cell, str) else cell for cell in row)


def _write_parquet(exported: Exported, target: Path, folder: Path) -> None:
    """Apache Parquet, times in UTC: in parts, then as one, so that memory holds a part at a time."""
    import polars  # Slow to import, and only this needs it.

    instants = polars.Datetime("us", "UTC")
    types: dict[str, Any] = {"start": instants, "end": instants, "value": polars.Float64}
    schema: Any = {name: types.get(name, polars.String) for name in COLUMNS}

    def part(values: Iterable[Value], number: int) -> Path:
        rows = [_row(exported, value, value.start, value.end) for value in values]
        columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
        frame = polars.DataFrame(dict(zip(COLUMNS, columns, strict=True)), schema=schema, strict=False)
        path = folder / f"part-{number:06}.parquet"
        frame.write_parquet(path, compression="zstd")
        return path

    rows = chunks(exported.values(), ROWS_AT_ONCE)
    try:
        parts = [part(values, number) for number, values in enumerate(rows)]
        whole = polars.scan_parquet(parts or [part((), 0)])
        whole.sink_parquet(target, compression="zstd")
    except polars.exceptions.PolarsError as error:
        # So it tells of a full disk, and of all else that the system refuses.
        if found := _REFUSED_BY_THE_SYSTEM.search(str(error)):
            raise OSError(int(found[1]), str(error)) from error
        raise


def _rows(exported: Exported) -> Iterator[tuple[object, ...]]:
    """As text."""
    for value in exported.values():
        yield _row(exported, value, value.start.isoformat(), value.end.isoformat())


def _sheet_rows(exported: Exported) -> Iterator[tuple[object, ...]]:
    start = COLUMNS.index("start")
    for row in _rows(exported):
        yield Instant(row[start]), *row


def _row(exported: Exported, value: Value, start: object, end: object) -> tuple[object, ...]:
    """By `COLUMNS`."""
    kind, flow = exported.shown.kind, exported.shown.flow
    about = value.point, value.name, kind.value, flow.value
    return *about, start, end, value.value, kind.unit, value.quality


def _whole(value: float) -> int | float:
    return int(value) if value.is_integer() else value


class _Echo:
    def write(self, text: str) -> str:
        return text
