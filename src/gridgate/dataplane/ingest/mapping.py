"""From a file's own name of a meter to a metering point: by itself, by one option, or by a table."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.identifiers import InvalidIdentifier, parse_metering_point_id
from gridgate.core.quantities import FlowDirection
from gridgate.core.text import counted
from gridgate.dataplane.ingest.directory import PointDirectory, PointInfo
from gridgate.dataplane.ingest.port import Meter
from gridgate.tables import workbook
from gridgate.tables.diagnosis import UnusableFile, damage, meant
from gridgate.tables.known import MAPPING, other_table
from gridgate.tables.text import decoded, named_separator, separator_of

_HEADER: Final = MAPPING.columns
_ZIP: Final = b"PK\x03\x04"
_MOST_CELLS: Final = 1_000_000
"""Of a workbook."""
_SHEETS_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class MeterMapping:
    """How the operator said that foreign meters map. Without either, a meter's own name must be a metering
    point."""

    single: str = ""
    """The metering point of the one foreign meter a file holds (`--metering-point`)."""
    table: Mapping[str, str] = field(default_factory=dict)
    """Foreign name to metering point (`--map`)."""
    direction: FlowDirection | None = None
    """Which way energy flows where a file does not say (`--direction`)."""
    names_one: bool = True
    """Whether whoever gives a file is told of `single`: not of several, or of a folder, which have one mapping."""

    def target(self, name: str) -> str:
        """What two names of meters have in common that lead to one metering point, whatever the registry knows."""
        return self.table.get(name) or _canonical(name)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A meter that leads to no metering point, and why. The reason names the option that mends it."""

    reason: str


def resolve(
    meters: Sequence[Meter], mapping: MeterMapping, directory: PointDirectory, *, others: int = 0
) -> dict[str, PointInfo | Unmapped]:
    """Find the metering point of every meter of one file, or of those of a part of it that has so many `others`. One
    look-up."""
    meant = {meter.name: _mapped(meter, mapping) for meter in meters}
    candidates = {_canonical(meter.name) for meter in meters} | {point for point in meant.values() if point}
    known = directory.known((candidates | {mapping.single}) - {""})
    return {
        meter.name: _point(meter, meant[meter.name], mapping, known, meters=len(meters) + others)
        for meter in meters
    }


def settled_on(
    meters: Sequence[Meter], points: Mapping[str, PointInfo | Unmapped], mapping: MeterMapping
) -> MeterMapping:
    """The mapping for the rest of an archive: its members share the one foreign meter that `single` stands for.

    Once a member has shown which one that is, another foreign meter in a later member must not be booked on
    the same point.
    """
    if len(meters) != 1 or not mapping.single:
        return mapping
    (meter,) = meters
    point = points[meter.name]
    if isinstance(point, Unmapped) or point.id == _canonical(meter.name):
        return mapping
    return replace(mapping, single="", table={**mapping.table, meter.name: mapping.single})


def read_mapping_file(path: Path) -> dict[str, str]:
    """Read rows of `foreign_id,metering_point_id`: text (comma, semicolon or tab) or a workbook; the header is optional.

    Raises `GridgateError` naming the line or the cell: a wrong number of columns, an identifier that does not check, a
    foreign name given twice.
    """
    try:
        data = path.read_bytes()
        packed = data.startswith(_ZIP)
        rows = list(_of_workbook(data, path) if packed else _of_text(decoded(data), path))
    except OSError as error:
        raise GridgateError(
            ErrorKind.NOT_FOUND, f"{path} cannot be read: {error.strerror}", remedy="Check --map."
        ) from None
    except UnusableFile as error:
        fault = error.fault
        where = str(path) if packed else f"{path}, line {fault.line}"
        raise GridgateError(ErrorKind.MALFORMED, fault.message, remedy=fault.remedy, where=where) from None
    table: dict[str, str] = {}
    for place, row in rows:
        cells = [cell.strip() for cell in row]
        while len(cells) > len(_HEADER) and not cells[-1]:
            cells.pop()  # what a spreadsheet fills up with
        names = tuple(cell.casefold() for cell in cells)
        if not table and set(names) == set(_HEADER) and names != _HEADER:
            raise GridgateError(
                ErrorKind.MALFORMED,
                "the columns are the other way round",
                remedy=f"Give {','.join(_HEADER)}, in this order.",
                where=f"{path}, {place}",
            )
        if not table and (other := other_table(";".join(cells), MAPPING)):
            raise GridgateError(
                ErrorKind.MALFORMED, other.message, remedy=other.remedy, where=f"{path}, {place}"
            )
        if any(cells) and names != _HEADER:
            _add(table, cells, f"{path}, {place}")
    if not table:
        raise GridgateError(
            ErrorKind.MALFORMED, f"{path} maps nothing", remedy=f"Give rows of {','.join(_HEADER)}."
        )
    return table


def _of_workbook(data: bytes, path: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of the sheet that is headed as a mapping is, else of the only sheet. Raises `UnusableFile`."""
    file = io.BytesIO(data)
    kind = workbook.kind_of(file)
    if kind != "xlsx":
        raise UnusableFile(kind) if kind else UnusableFile("is_packed", what="zip")
    sheets = workbook.read_sheets(file, most_cells=_MOST_CELLS)
    headed = [sheet for sheet in sheets if {*_HEADER} <= {*MAPPING.named(sheet.rows[0][1])}]
    if len(headed or sheets) > 1:
        names = ", ".join(f"« {sheet.name[:40]} »" for sheet in (headed or sheets)[:_SHEETS_NAMED])
        raise GridgateError(
            ErrorKind.MALFORMED,
            f"which of the sheets {names} is meant cannot be told",
            remedy=f"Keep one in the file, or head one alone {', '.join(_HEADER)}.",
            where=str(path),
        )
    for sheet in headed or sheets:
        for number, cells in sheet.rows:
            errors = [column for column, cell in enumerate(cells) if workbook.is_error(cell)]
            if errors:
                raise GridgateError(
                    ErrorKind.MALFORMED,
                    f"the cell {sheet.cell(number, errors[0])} holds an error",
                    remedy="Mend its formula, or type the value.",
                    where=str(path),
                )
            yield f"sheet « {sheet.name} », line {number}", cells


def _of_text(text: str, path: Path) -> Iterator[tuple[str, list[str]]]:
    """The rows of the text but for a line `sep=;`."""
    lines = [line for line in text.splitlines() if line.strip() and not named_separator(line)]
    delimiter = separator_of(lines[0]) if lines else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, row in enumerate(rows, start=1):
            if not named_separator(delimiter.join(row)):
                yield f"line {number}", row
    except csv.Error as error:
        raise GridgateError(
            ErrorKind.MALFORMED,
            f"the mapping cannot be cut into columns ({error})",
            remedy="Check for a quote that is not closed.",
            where=f"{path}, line {rows.line_num}",
        ) from None


def check_targets(mapping: MeterMapping, directory: PointDirectory) -> None:
    """Refuse a mapping to metering points that are not in the registry, before any file is read."""
    targets = ({mapping.single} if mapping.single else set()) | set(mapping.table.values())
    absent = sorted(targets - set(directory.known(targets)))
    if absent:
        named = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            f"{named}: no such metering point",
            remedy="Import it first: gridgate import points FILE.csv.",
        )


def _add(table: dict[str, str], cells: list[str], where: str) -> None:
    if len(cells) != 2:
        raise GridgateError(
            ErrorKind.MALFORMED,
            counted(len(cells), "column"),
            remedy=f"Give two: {','.join(_HEADER)}.",
            where=where,
        )
    foreign, point = cells
    try:
        identifier = parse_metering_point_id(meant(point))
    except InvalidIdentifier as error:
        if not any(char.isdigit() for char in point):
            raise GridgateError(
                ErrorKind.MALFORMED,
                f"the columns are called « {foreign[:40]} » and « {point[:40]} »",
                remedy=f"Call them {','.join(_HEADER)}, or leave that line out.",
                where=where,
            ) from None
        seen = damage(point)
        message, remedy = (
            (seen.message, seen.remedy)
            if seen and seen.code != "id_length"
            else (error.message, error.remedy)
        )
        raise GridgateError(ErrorKind.INVALID, message, remedy=remedy, where=where) from None
    if table.get(foreign, identifier) != identifier:
        raise GridgateError(
            ErrorKind.CONFLICT,
            f"« {foreign} » is mapped twice",
            remedy="Keep one of the two lines.",
            where=where,
        )
    table[foreign] = identifier


def _mapped(meter: Meter, mapping: MeterMapping) -> str | None:
    return next((mapping.table[name] for name in meter.names if name in mapping.table), None)


def _point(
    meter: Meter, meant: str | None, mapping: MeterMapping, known: Mapping[str, PointInfo], *, meters: int
) -> PointInfo | Unmapped:
    if meant is not None:
        return known.get(meant) or Unmapped(
            f"{meant} is no metering point of the registry; import it: gridgate import points"
        )
    own = known.get(_canonical(meter.name))
    if own is not None:
        if mapping.single and own.id != mapping.single:
            return Unmapped(f"the file is about {own.id}, not {mapping.single}; leave --metering-point out")
        return own
    if mapping.single and meters == 1:
        return known[mapping.single]
    if mapping.single:
        return Unmapped(
            f"{_named(meter)}: the file holds {meters} meters, --metering-point is for one; use --map"
        )
    alone = "--metering-point" if mapping.names_one else "gridgate ingest --metering-point"
    option = alone if meters == 1 and mapping.names_one else "--map"
    fault = damage(meter.name)
    if fault is not None and fault.code != "id_length":
        return Unmapped(
            f"{_named(meter)}: {fault.message}. {fault.remedy} Or say which point it is with {option}"
        )
    if not meter.name:
        return Unmapped(
            f"the file names no meter; say which point it is with {alone}"
            if meters == 1
            else "no meter is named here, but others are; name one in each line, or give these apart"
        )
    return Unmapped(
        f"{_named(meter)} is no metering point of the registry; import it (gridgate import points), "
        f"or say which point it is with {option}"
    )


def _named(meter: Meter) -> str:
    if not meter.name:
        return "a meter without a name"
    others = f" (also {', '.join(meter.also_known_as[:2])})" if meter.also_known_as else ""
    return f"meter « {meter.name} »{others}"


def _canonical(name: str) -> str:
    """The identifier as the registry writes it; a foreign name stays as it is."""
    try:
        return parse_metering_point_id(meant(name))
    except InvalidIdentifier:
        return name
