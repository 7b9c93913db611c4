"""`gridgate import points`: metering points, created or brought up to date."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from gridgate.core.quantities import directions_of
from gridgate.metering.events import titles_changed
from gridgate.metering.imports.cells import Cells
from gridgate.metering.imports.chunks import CHUNK, chunks
from gridgate.metering.imports.findings import Code, Finding, ImportReport, Level
from gridgate.metering.imports.rows import Progress, Row, read_sheet
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership

POINT_COLUMNS = (
    "id",
    "segment",
    "directions",
    "address",
    "postcode",
    "city",
    "subscribed_power_kva",
    "activated_on",
)
OPTIONAL_POINT_COLUMNS = ("label", "meter_type")

_LOW_VOLTAGE = ("C5", "P4")


def import_points(
    content: bytes,
    *,
    now: datetime,
    dry_run: bool = False,
    progress: Progress | None = None,
    actor: Membership | None = None,
) -> ImportReport:
    """Create the points of the file that are new and update those that differ, in one transaction.

    Lines at fault are reported and left out. A dry run reports the same and changes nothing.
    """
    require_operator(actor)
    sheet = read_sheet(content, columns=POINT_COLUMNS, optional=OPTIONAL_POINT_COLUMNS)
    report = ImportReport("points", dry_run, read=sheet.read, findings=list(sheet.findings))
    asked = _parse(sheet.rows, report)
    tell = progress or nobody
    with transaction.atomic():
        updated: list[str] = []
        done = sheet.read - len(asked)
        for group in chunks(asked.items(), CHUNK):
            written, changed = _compare(dict(group), report)
            if not dry_run:
                _upsert(written)
                updated += changed
            done += len(group)
            tell(done, sheet.read)
        if updated:
            titles_changed.send(MeteringPoint, point_ids=updated, now=now)
    report.findings.sort(key=lambda finding: finding.line)
    return report


def nobody(done: int, total: int) -> None:
    """The progress of an import that nobody watches."""


def _parse(rows: list[Row], report: ImportReport) -> dict[str, tuple[Row, dict[str, Any]]]:
    """The good lines, by point; the columns that a line leaves open are absent from its values."""
    asked: dict[str, tuple[Row, dict[str, Any]]] = {}
    for row in rows:
        cells = Cells(row)
        values = _values(cells)
        point_id = cells.point_id("id")
        if point_id in asked:
            cells.say(Code.DUPLICATE, "id", first=asked[point_id][0].line)
        report.findings += cells.findings
        if cells.good and point_id is not None:
            asked[point_id] = (row, values)
    return asked


def _values(cells: Cells) -> dict[str, Any]:
    values: dict[str, Any] = {
        "segment": cells.choice("segment", MeteringPoint.Segment.values),
        "directions": cells.directions("directions"),
        "address": cells.text("address", limit=200),
        "postcode": cells.text("postcode", limit=10),
        "city": cells.text("city", limit=80),
        "subscribed_power_kva": cells.power("subscribed_power_kva"),
        "activated_on": cells.day("activated_on"),
    }
    if len(values["postcode"]) == 4 and values["postcode"].isdigit():
        cells.say(Code.POSTCODE_ZERO, "postcode", level=Level.NOTE)
    if cells.row.cells.get("label"):
        values["label"] = cells.text("label", limit=80)
    if cells.row.cells.get("meter_type"):
        values["meter_type"] = cells.choice("meter_type", MeteringPoint.MeterType.values)
    return values


def _compare(
    asked: Mapping[str, tuple[Row, dict[str, Any]]], report: ImportReport
) -> tuple[list[MeteringPoint], list[str]]:
    """The points to write, and the identifiers of those that exist already; counts each line."""
    known = MeteringPoint.objects.select_for_update().in_bulk(list(asked))
    written: list[MeteringPoint] = []
    updated: list[str] = []
    for point_id, (row, values) in asked.items():
        point = known.get(point_id)
        if point is None:
            written.append(MeteringPoint(id=point_id, **(_assumed(values["segment"]) | values)))
            report.created += 1
            continue
        differing = {name: value for name, value in values.items() if getattr(point, name) != value}
        if not differing:
            report.unchanged += 1
            continue
        for name, value in differing.items():
            report.findings.append(_change(row, name, getattr(point, name)))
            setattr(point, name, value)
        report.changed += 1
        written.append(point)
        updated.append(point_id)
    return written, updated


def _assumed(segment: str) -> dict[str, Any]:
    """What a new point's line may leave out: low-voltage meters are the communicating ones."""
    types = MeteringPoint.MeterType
    return {"meter_type": types.AMM if segment in _LOW_VOLTAGE else types.PMEI}


def _change(row: Row, column: str, before: Any) -> Finding:
    if column == "directions":
        before = "+".join(sorted(directions_of(before), reverse=True))
    if isinstance(before, Decimal):
        before = f"{before.normalize():f}"
    details = {"before": "–" if before in (None, "") else str(before)}
    return Finding(Code.CHANGED, row.line, column, row.cells[column], Level.NOTE, details)


def _upsert(points: list[MeteringPoint]) -> None:
    for point in points:
        point.search_text = point.folded_text()
    columns = [field.name for field in MeteringPoint._meta.concrete_fields if not field.primary_key]
    MeteringPoint.objects.bulk_create(
        points, update_conflicts=True, unique_fields=["id"], update_fields=columns
    )
