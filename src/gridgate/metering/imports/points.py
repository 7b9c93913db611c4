"""`gridgate import points`: metering points, created or brought up to date."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.timezone import get_default_timezone

from gridgate.core.quantities import directions_of
from gridgate.core.time import civil_day_of
from gridgate.metering import as_held
from gridgate.metering.chunks import CHUNK, chunks
from gridgate.metering.events import titles_changed
from gridgate.metering.imports.cells import Cells
from gridgate.metering.imports.findings import Code, Finding, ImportReport, Level
from gridgate.metering.imports.rows import Progress, Row, read_sheet
from gridgate.metering.models import MeteringPoint
from gridgate.metering.versions import Versions, versions_of, write
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership
from gridgate.tables.known import METER_TYPES, POINTS

POINT_COLUMNS, OPTIONAL_POINT_COLUMNS = POINTS.columns, POINTS.optional
"""`valid_from` is the civil day from which the line's values hold; without it, the day of the import."""

_TELLING = tuple(
    name for name in (*POINT_COLUMNS, *OPTIONAL_POINT_COLUMNS) if name not in ("id", "activated_on")
)

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

    What a line says holds from its `valid_from`, else from the day of `now`: what the point was before stays as it was.
    Lines at fault are reported and left out. A dry run reports the same and changes nothing.
    """
    require_operator(actor)
    sheet = read_sheet(content, table=POINTS)
    report = ImportReport("points", dry_run, read=sheet.read, findings=list(sheet.findings))
    bare = _saying_nothing(sheet.rows)
    report.unchanged = len(bare)
    telling = [row for row in sheet.rows if row.line not in bare]
    by_point = _parse(telling, report, today=civil_day_of(now, get_default_timezone()))
    tell = progress or nobody
    with transaction.atomic():
        updated: list[str] = []
        done = sheet.read - sum(map(len, by_point.values()))
        for group in chunks(by_point.items(), CHUNK):
            compared = _compare(dict(group), report)
            if not dry_run:
                compared.write()
                updated += compared.updated
            done += sum(len(lines) for _, lines in group)
            tell(done, sheet.read)
        if updated:
            as_held.project(updated)
            titles_changed.send(MeteringPoint, point_ids=updated, now=now)
    report.findings = sorted(map(sheet.told, report.findings), key=lambda finding: finding.line)
    return report


def nobody(done: int, total: int) -> None:
    """The progress of an import that nobody watches."""


def _saying_nothing(rows: list[Row]) -> set[int]:
    """The lines that say nothing of a point that is here: exports have one for a point in a time of which its former
    holder is told nothing.
    """
    bare: dict[int, tuple[str, date | None]] = {}
    for row in rows:
        if any(row.cells.get(column) for column in _TELLING):
            continue
        cells = Cells(row)
        point_id, activated_on = cells.point_id("id"), cells.day("activated_on", required=False)
        if cells.good and point_id is not None:
            bare[row.line] = (point_id, activated_on)
    here: dict[str, date] = {}
    for ids in chunks(sorted({point_id for point_id, _ in bare.values()}), CHUNK):
        here.update(MeteringPoint.objects.filter(pk__in=ids).values_list("pk", "activated_on"))
    return {
        line for line, (point_id, day) in bare.items() if point_id in here and day in (None, here[point_id])
    }


@dataclass(frozen=True, slots=True)
class _Line:
    """A good line: from which day on it holds, and its values without the columns that it leaves open."""

    row: Row
    begins: date
    activated_on: date
    values: dict[str, Any]


def _parse(rows: list[Row], report: ImportReport, *, today: date) -> dict[str, list[_Line]]:
    """The good lines, by point, each point's in the order of their days."""
    by_point: dict[str, list[_Line]] = {}
    first_lines: dict[tuple[str, date], int] = {}
    for row in rows:
        cells = Cells(row)
        values = _values(cells)
        activated_on = cells.day("activated_on")
        begins = cells.day("valid_from", required=False) or today
        point_id = cells.point_id("id")
        if point_id is not None:
            first = first_lines.setdefault((point_id, begins), row.line)
            if first != row.line:
                cells.say(Code.DUPLICATE, "id", first=first)
        report.findings += cells.findings
        if cells.good and point_id is not None and activated_on is not None:
            by_point.setdefault(point_id, []).append(_Line(row, begins, activated_on, values))
    for lines in by_point.values():
        lines.sort(key=lambda line: line.begins)
    return by_point


def _values(cells: Cells) -> dict[str, Any]:
    values: dict[str, Any] = {
        "segment": cells.choice("segment", MeteringPoint.Segment.values),
        "directions": cells.directions("directions"),
        "address": cells.text("address", limit=200),
        "postcode": cells.text("postcode", limit=10),
        "city": cells.text("city", limit=80),
        "subscribed_power_kva": cells.power("subscribed_power_kva"),
    }
    if len(values["postcode"]) == 4 and values["postcode"].isdigit():
        cells.say(Code.POSTCODE_ZERO, "postcode", level=Level.NOTE)
    if cells.row.cells.get("label"):
        values["label"] = cells.text("label", limit=80)
    if cells.row.cells.get("meter_type"):
        values["meter_type"] = cells.choice("meter_type", MeteringPoint.MeterType.values, METER_TYPES)
    return values


@dataclass(slots=True)
class _Compared:
    """What some lines change: points to create, points put into service on another day, versions, and which of them
    exist already.
    """

    created: list[MeteringPoint] = field(default_factory=list)
    dated: list[MeteringPoint] = field(default_factory=list)
    versions: list[Versions] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)

    def write(self) -> None:
        MeteringPoint.objects.bulk_create(self.created)
        MeteringPoint.objects.bulk_update(self.dated, ["activated_on"])
        write(self.versions)


def _compare(by_point: Mapping[str, list[_Line]], report: ImportReport) -> _Compared:
    """What the lines change; counts each of them."""
    known = MeteringPoint.objects.select_for_update().in_bulk(list(by_point))
    versions = versions_of(by_point)
    compared = _Compared()
    for point_id, lines in by_point.items():
        point = known.get(point_id)
        if point is None:
            point = MeteringPoint(id=point_id, activated_on=lines[0].activated_on)
            compared.created.append(point)
        changing = [line for line in lines if _say(line, point, versions[point_id], report)]
        if changing and point_id in known:
            compared.updated.append(point_id)
            compared.dated.append(point)
        compared.versions.append(versions[point_id])
    return compared


def _say(line: _Line, point: MeteringPoint, versions: Versions, report: ImportReport) -> bool:
    """Whether the line changes anything; notes what."""
    new = not versions
    if versions.on(line.begins) is None:
        # Nothing is known of that day, so that nothing can be left as it was.
        changed = versions.say(line.begins, _assumed(line.values["segment"]) | line.values)
    else:
        changed = versions.say(line.begins, line.values)
        report.findings += [_change(line.row, name, before) for name, before in changed.items()]
    if point.activated_on != line.activated_on:
        report.findings.append(_change(line.row, "activated_on", point.activated_on))
        point.activated_on = line.activated_on
        changed["activated_on"] = line.activated_on
    if new:
        report.created += 1
    elif changed:
        report.changed += 1
    else:
        report.unchanged += 1
    return bool(changed)


def _assumed(segment: str) -> dict[str, Any]:
    """What a new point's line may leave out: low-voltage meters are the communicating ones."""
    types = MeteringPoint.MeterType
    return {"label": "", "meter_type": types.AMM if segment in _LOW_VOLTAGE else types.PMEI}


def _change(row: Row, column: str, before: Any) -> Finding:
    if column == "directions":
        before = "+".join(sorted(directions_of(before), reverse=True))
    if isinstance(before, Decimal):
        before = f"{before.normalize():f}"
    details = {"before": "–" if before in (None, "") else str(before)}
    return Finding(Code.CHANGED, row.line, column, row.cells[column], Level.NOTE, details)
