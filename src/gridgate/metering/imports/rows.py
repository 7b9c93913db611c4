"""From the bytes of a CSV file to its lines, with what is wrong in the file itself."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gridgate.core.text import visible
from gridgate.metering.imports.findings import Code, Finding, Level

Progress = Callable[[int, int], None]
"""Told how many lines are done, of how many."""

_SEPARATORS = (";", ",", "\t")


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


def read_sheet(content: bytes, *, columns: Sequence[str], optional: Sequence[str] = ()) -> Sheet:
    """Read a file: UTF-8, with a byte order mark or not; `;`, `,` or tab between cells; columns in any order.

    Blank lines are not counted. When the file as a whole cannot be used a finding says `REFUSED`.
    """
    known = ", ".join([*columns, *optional])
    text = _decoded(content, known)
    if isinstance(text, Finding):
        return Sheet([], 0, [text])
    separator = _separator(text)
    records = _records(text, separator)
    first = next(records, None)
    if first is None or isinstance(first[1], Finding):
        refusal = Finding(Code.EMPTY_FILE, 1, level=Level.REFUSED, details={"columns": known})
        return Sheet([], 0, [refusal])
    header = [visible(name).strip().lower() for name in first[1]]
    findings = _check_header(header, columns, optional, known)
    if any(finding.level is Level.REFUSED for finding in findings):
        return Sheet([], 0, findings)
    return _body(records, header, {*columns, *optional}, separator, findings)


def _body(
    records: "Iterator[tuple[int, list[str] | Finding]]",
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
        elif len(record) != len(header):
            details = {"found": str(len(record)), "expected": str(len(header))}
            findings.append(
                Finding(Code.WRONG_WIDTH, line, value=separator.join(record)[:80], details=details)
            )
        else:
            cells = {
                name: visible(cell).strip()
                for name, cell in zip(header, record, strict=True)
                if name in wanted
            }
            rows.append(Row(line, cells, separator))
    return Sheet(rows, read, findings)


def _decoded(content: bytes, known: str) -> str | Finding:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Finding(Code.NOT_TEXT, 1, level=Level.REFUSED, details={"what": "UTF-16"})
    if content.startswith(b"PK\x03\x04"):
        return Finding(Code.NOT_TEXT, 1, level=Level.REFUSED, details={"what": "ZIP/XLSX"})
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        return Finding(Code.NOT_TEXT, line, level=Level.REFUSED, details={"what": "binary"})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        start = content.rfind(b"\n", 0, error.start) + 1
        shown = content[start : error.start + 20].split(b"\n")[0].decode("latin-1").strip()
        byte = f"{content[error.start]:02X}"
        return Finding(Code.NOT_UTF8, line, value=shown[-80:], level=Level.REFUSED, details={"byte": byte})
    if not text.strip():
        return Finding(Code.EMPTY_FILE, 1, level=Level.REFUSED, details={"columns": known})
    return text


def _separator(text: str) -> str:
    header = next(line for line in text.splitlines() if line.strip())
    return max(_SEPARATORS, key=header.count)


def _records(text: str, separator: str) -> "Iterator[tuple[int, list[str] | Finding]]":
    """Each record with the number of the line it starts on; blank ones are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, Finding(Code.BAD_QUOTES, line)
            continue
        if any(cell.strip() for cell in record):
            yield line, record


def _check_header(
    header: list[str], columns: Sequence[str], optional: Sequence[str], known: str
) -> list[Finding]:
    details = {"columns": known}
    missing = [
        Finding(Code.MISSING_COLUMN, 1, column, level=Level.REFUSED, details=details)
        for column in columns
        if column not in header
    ]
    repeated = [
        Finding(Code.REPEATED_COLUMN, 1, column, level=Level.REFUSED)
        for column in sorted({name for name in header if name and header.count(name) > 1})
    ]
    unknown = [
        Finding(Code.UNKNOWN_COLUMN, 1, column, column, level=Level.NOTE, details=details)
        for column in header
        if column and column not in (*columns, *optional)
    ]
    return missing + repeated + unknown
