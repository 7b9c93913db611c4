"""One series as a file: CSV for programs and spreadsheets, XLSX, JSON in the shape of the native API, Parquet.

Times bear their offset, so that the hour that autumn repeats is told twice and not once; the unit and the
direction stand in the header. Missing steps within a segment are rows without a value.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from shutil import copyfileobj
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import orjson

from gridgate.dataplane.query.answer import Answer, Segment, Step
from gridgate.tables.out import workbook
from gridgate.tables.text import guarded


class ExportFormat(StrEnum):
    """What `gridgate export --format` takes."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    XLSX = "xlsx"


class CsvStyle(StrEnum):
    """How a spreadsheet wants it."""

    RFC4180 = "rfc4180"
    """Comma between fields, point in decimals, CRLF."""
    FRENCH = "french"
    """Semicolon between fields, comma in decimals, and a byte order mark: what Excel in French opens by
    itself."""


def export(
    answer: Answer,
    target: BinaryIO,
    *,
    format: ExportFormat,  # noqa: A002  # the word of the command line
    zone: ZoneInfo,
    style: CsvStyle = CsvStyle.RFC4180,
) -> int:
    """Write the answer to `target`, which is left open, and return the number of values written.

    CSV is written row by row and needs no room beside the answer. `style` matters to CSV only.
    """
    match format:
        case ExportFormat.CSV:
            _write_csv(answer, target, zone, style)
        case ExportFormat.JSON:
            target.write(orjson.dumps(document(answer), option=orjson.OPT_APPEND_NEWLINE))
        case ExportFormat.PARQUET:
            _write_parquet(answer, target, zone)
        case ExportFormat.XLSX:
            _write_workbook(answer, target, zone)
    return answer.count


def document(answer: Answer) -> dict[str, Any]:
    """The answer in the shape of the native API: columns, not one object a point; times in UTC."""
    return {
        "metering_point": answer.metering_point,
        "kind": answer.kind.value,
        "direction": answer.direction.value,
        "unit": answer.unit,
        "start": _utc(answer.start),
        "end": _utc(answer.end),
        "segments": [_segment(segment) for segment in answer.segments],
        "coverage": {
            "requested": _interval(answer.requested.start, answer.requested.end),
            "available": answer.available and _interval(answer.available.start, answer.available.end),
            "missing": [{**_interval(m.start, m.end), "reason": m.reason} for m in answer.missing],
        },
    }


def _segment(segment: Segment) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "start": _utc(segment.start),
        "resolution": segment.resolution.iso,
        "values": segment.values,
        "quality": segment.quality,
    }
    if segment.offsets is not None:
        shown["offsets"] = segment.offsets
    if segment.register:
        shown["register"] = segment.register
    return shown


def _write_csv(answer: Answer, target: BinaryIO, zone: ZoneInfo, style: CsvStyle) -> None:
    french = style is CsvStyle.FRENCH
    text = io.TextIOWrapper(target, encoding="utf-8-sig" if french else "utf-8", newline="")
    writer = csv.writer(text, delimiter=";" if french else ",", lineterminator="\r\n")
    writer.writerow(_columns(answer))
    for segment, step in _rows(answer, zone):
        row = _cells(answer, segment, step, zone)
        row[2] = "" if step.value is None else str(step.value)
        if french:
            row[2] = row[2].replace(".", ",")
        writer.writerow(row)
    text.flush()
    text.detach()


def _write_workbook(answer: Answer, target: BinaryIO, zone: ZoneInfo) -> None:
    """The columns of the CSV after one for people: the start as a spreadsheet's own instant, by the clock on the wall."""

    def rows() -> Iterator[list[object]]:
        for segment, step in _rows(answer, zone):
            start = step.start.astimezone(zone).replace(tzinfo=None)
            yield [start, *_cells(answer, segment, step, zone)]

    sheet = f"{answer.metering_point} {answer.kind.value}"
    with workbook(["local_time", *_columns(answer)], rows(), sheet=sheet) as made:
        copyfileobj(made, target)


def _columns(answer: Answer) -> list[str]:
    measure = f"{answer.metering_point} {answer.kind.value} {answer.direction.value} ({answer.unit})"
    observed, registers = _has_offsets(answer), _has_registers(answer)
    return ["start", "end", measure, "quality", *["observed_at"] * observed, *["register"] * registers]


def _cells(answer: Answer, segment: Segment, step: Step, zone: ZoneInfo) -> list[Any]:
    row = [_local(step.start, zone), _local(step.end, zone), step.value, step.quality]
    if _has_offsets(answer):
        row.append("" if step.value is None else _local(step.observed_at, zone))
    if _has_registers(answer):
        row.append(guarded(segment.register))
    return row


def _write_parquet(answer: Answer, target: BinaryIO, zone: ZoneInfo) -> None:
    import polars  # Slow to import, and only this one format needs it.

    rows = list(_rows(answer, zone))
    instants = polars.Datetime("us", "UTC")
    columns: dict[str, tuple[list[Any], Any]] = {
        "start": ([step.start for _, step in rows], instants),
        "end": ([step.end for _, step in rows], instants),
        "value": ([step.value for _, step in rows], _number_type(answer)),
        "quality": ([step.quality for _, step in rows], polars.String),
        "resolution": ([segment.resolution.iso for segment, _ in rows], polars.String),
    }
    if _has_offsets(answer):
        observed = [None if step.value is None else step.observed_at for _, step in rows]
        columns["observed_at"] = (observed, instants)
    if _has_registers(answer):
        columns["register"] = ([segment.register for segment, _ in rows], polars.String)
    frame = polars.DataFrame(
        {name: values for name, (values, _) in columns.items()},
        schema={name: kind for name, (_, kind) in columns.items()},
        strict=False,
    )
    about = {
        "metering_point": answer.metering_point,
        "kind": answer.kind.value,
        "direction": answer.direction.value,
        "unit": answer.unit,
    }
    frame.write_parquet(target, compression="zstd", metadata=about)


def _number_type(answer: Answer) -> Any:
    import polars

    decimals = any(isinstance(v, float) for segment in answer.segments for v in segment.values)
    return polars.Float64 if decimals else polars.Int64


def _rows(answer: Answer, zone: ZoneInfo) -> Iterator[tuple[Segment, Step]]:
    for segment in answer.segments:
        for step in segment.steps(zone):
            yield segment, step


def _has_offsets(answer: Answer) -> bool:
    return any(segment.offsets is not None for segment in answer.segments)


def _has_registers(answer: Answer) -> bool:
    return any(segment.register for segment in answer.segments)


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).isoformat()


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _interval(start: datetime, end: datetime | None) -> dict[str, str | None]:
    return {"from": _utc(start), "to": None if end is None else _utc(end)}
