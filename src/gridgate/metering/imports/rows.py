"""From the bytes of a file, CSV or a workbook, to its lines, with what is wrong in the file itself."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gridgate.core.text import visible
from gridgate.metering.imports.findings import Code, Finding, Level
from gridgate.tables import text, workbook
from gridgate.tables.diagnosis import Fault, UnusableFile
from gridgate.tables.known import Known, other_table

Progress = Callable[[int, int], None]
"""Told how many lines are done, of how many."""

_SHEETS_NAMED = 8
_LINES_LOOKED_AT = 20
MOST_CELLS = 2_000_000
"""Of a workbook: some 200,000 lines of points."""

Records = Iterator[tuple[int, list[str] | Finding]]
"""Each record with the number of the line, or of the row, it starts on."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line that has as many cells as the header: values by column, without the spaces around them."""

    line: int
    cells: dict[str, str]
    separator: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The readable lines of a file, how many lines of data it has, and what is wrong with the others."""

    rows: list[Row]
    read: int
    findings: list[Finding]
    heads: Mapping[str, str] = field(default_factory=dict)
    """What the file calls each column."""

    def told(self, finding: Finding) -> Finding:
        """The finding with its column as the file heads it."""
        return replace(finding, column=self.heads.get(finding.column, finding.column))


def read_sheet(content: bytes, *, table: Known) -> Sheet:
    """Read a file: text in UTF-8 or UTF-16 with `;`, `,` or tab between cells, or a workbook; columns in any order,
    called as the commands or as the exports of pages call them.

    Blank lines are not counted. When the file as a whole cannot be used a finding says `REFUSED`.
    """
    try:
        if content.startswith(b"PK\x03\x04"):
            return _of_workbook(content, table)
        if content.startswith(b"PAR1"):
            raise UnusableFile("is_measurements")
        whole = text.decoded(content)
    except UnusableFile as error:
        fault = error.fault
        refusal = Finding(
            Code(fault.code), fault.line, value=fault.value, level=Level.REFUSED, details=dict(fault.details)
        )
        return Sheet([], 0, [refusal])
    return _of_text(whole, table)


def _of_text(whole: str, table: Known) -> Sheet:
    lines = whole.splitlines()
    above = next(
        (n for n, line in enumerate(lines) if line.strip(" ;,\t") and not text.named_separator(line)), None
    )
    if above is None:
        return _empty(table)
    separator = text.separator_of(lines[above])
    if other := other_table("\n".join(lines[above : above + _LINES_LOOKED_AT]), table):
        return _other(other, lines[above])
    return _of_records(_records(whole, separator, above), table, separator)


def _of_workbook(content: bytes, table: Known) -> Sheet:
    """The one sheet that has the columns. Raises `UnusableFile`."""
    file = io.BytesIO(content)
    kind = workbook.kind_of(file)
    if kind != "xlsx":
        raise UnusableFile(kind) if kind else UnusableFile("is_packed", what="zip")
    sheets = workbook.read_sheets(file, most_cells=MOST_CELLS)
    if not sheets:
        return _empty(table)
    having = [sheet for sheet in sheets if set(table.columns) <= set(_header(sheet.rows[0][1], table))]
    if not having:
        for sheet in sheets:
            first = ";".join(sheet.rows[0][1])
            if other := other_table(first, table):
                return _other(other, first)
    if len(having) > 1 or (not having and len(sheets) > 1):
        names = ", ".join(sheet.name[:40] for sheet in (having or sheets)[:_SHEETS_NAMED])
        code = Code.SEVERAL_SHEETS if having else Code.NO_SHEET
        return Sheet(
            [], 0, [Finding(code, 1, level=Level.REFUSED, details={"sheets": names, "columns": table.known})]
        )
    (sheet,) = having or sheets
    return _of_records(_rows_of(sheet), table, ";")


def _rows_of(sheet: workbook.Sheet) -> Records:
    for number, cells in sheet.rows:
        errors = [column for column, cell in enumerate(cells) if workbook.is_error(cell)]
        if errors:
            details = {"cell": sheet.cell(number, errors[0])}
            yield number, Finding(Code.CELL_ERROR, number, value=cells[errors[0]], details=details)
        else:
            yield number, cells


def _empty(table: Known) -> Sheet:
    return Sheet([], 0, [Finding(Code.EMPTY_FILE, 1, level=Level.REFUSED, details={"columns": table.known})])


def _other(fault: Fault, first: str) -> Sheet:
    return Sheet([], 0, [Finding(Code(fault.code), 1, value=first[:80], level=Level.REFUSED)])


def _header(cells: Sequence[str], table: Known) -> list[str]:
    return table.named(visible(name) for name in cells)


def _of_records(records: Records, table: Known, separator: str) -> Sheet:
    first = next(records, None)
    if first is None or isinstance(first[1], Finding):
        return _empty(table)
    header = _header(first[1], table)
    while header and not header[-1]:
        header.pop()
    findings = _check_header(header, table)
    if any(finding.level is Level.REFUSED for finding in findings):
        return Sheet([], 0, findings)
    sheet = _body(records, header, {*table.columns, *table.optional}, separator, findings)
    return replace(sheet, heads=dict(zip(header, (visible(name).strip() for name in first[1]), strict=False)))


def _body(
    records: Records,
    header: list[str],
    wanted: set[str],
    separator: str,
    findings: list[Finding],
) -> Sheet:
    rows: list[Row] = []
    read = 0
    for line, record in records:
        read += 1
        if isinstance(record, Finding):
            findings.append(record)
            continue
        while len(record) > len(header) and not record[-1].strip():
            record.pop()  # what a spreadsheet fills up with
        if len(record) != len(header):
            details = {"found": str(len(record)), "expected": str(len(header))}
            findings.append(
                Finding(Code.WRONG_WIDTH, line, value=separator.join(record)[:80], details=details)
            )
        else:
            cells = {
                name: text.unguarded(visible(cell).strip())
                for name, cell in zip(header, record, strict=True)
                if name in wanted
            }
            rows.append(Row(line, cells, separator))
    return Sheet(rows, read, findings)


def _records(whole: str, separator: str, above: int) -> Records:
    """Each record below the lines that say nothing; blank ones are passed over."""
    source = io.StringIO(whole, newline="")
    for _ in range(above):
        source.readline()
    reader = csv.reader(source, delimiter=separator, strict=True)
    while True:
        line = reader.line_num + above + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, Finding(Code.BAD_QUOTES, line)
            continue
        if any(cell.strip() for cell in record):
            yield line, record


def _check_header(header: list[str], table: Known) -> list[Finding]:
    columns, details = table.columns, {"columns": table.known}
    absent = [column for column in columns if column not in header]
    if len(absent) > 1 and len(absent) == len(columns):
        shown = ", ".join(name for name in header if name)[:80]
        return [Finding(Code.OTHER_COLUMNS, 1, value=shown, level=Level.REFUSED, details=details)]
    missing = [
        Finding(Code.MISSING_COLUMN, 1, column, level=Level.REFUSED, details=details) for column in absent
    ]
    repeated = [
        Finding(Code.REPEATED_COLUMN, 1, column, level=Level.REFUSED)
        for column in sorted({name for name in header if name and header.count(name) > 1})
    ]
    unknown = [
        Finding(Code.UNKNOWN_COLUMN, 1, column, column, level=Level.NOTE, details=details)
        for column in header
        if column and column not in (*columns, *table.optional, *table.aside)
    ]
    return missing + repeated + unknown
