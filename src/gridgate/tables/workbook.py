"""Workbooks (XLSX) in: the sheets as rows of text, within limits, and nothing that they could make happen.

Read row by row with openpyxl, which tells errors, shares and days apart; formulas give the value that was saved
with them, and nothing is computed. Links, macros, pictures and entities are not looked at.
"""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from gridgate.tables.diagnosis import UnusableFile
from gridgate.tables.limits import (
    FAULTS,
    MAX_COLUMNS,
    MAX_PARTS,
    MAX_ROWS,
    WIDEST_SHEET,
    Counted,
    brief,
    require_limits,
)

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell

MAX_CELLS: Final = 4_000_000
MAX_CHARACTERS: Final = 64 * 2**20
"""Of all cells: a text that many cells share counts in each."""
LONGEST_CELL: Final = 32_767
MAX_OBJECTS: Final = 2**20
"""Shared texts, their runs, formats and relations: each is read whole before the first row."""
_FEW_OBJECTS: Final = 100_000
_EXACT: Final = 10**15
"""Spreadsheets keep 15 digits: a whole number beyond has lost its last ones."""
ERRORS: Final = frozenset(
    ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet that hold something, each with its number there, from the leftmost column that is used."""

    name: str
    rows: list[tuple[int, list[str]]]
    left: int

    def cell(self, row: int, column: int) -> str:
        """What people call a cell: `Sheet1!B7`. `column` counts from 0, from the leftmost that is used."""
        name = self.name if re.fullmatch(r"\w+", self.name) else "'{}'".format(self.name.replace("'", "''"))
        return f"{name}!{_letters(self.left + column)}{row}"

    def as_csv(self) -> bytes:
        """The rows as text, one a line, in UTF-8 with semicolons."""
        target = io.StringIO()
        csv.writer(target, delimiter=";", lineterminator="\n").writerows(cells for _, cells in self.rows)
        return target.getvalue().encode("utf-8", "replace")


def kind_of(file: BinaryIO) -> str:
    """What a zip archive really is: `xlsx`, or the code of what is not read (`is_ods`…); empty for one of files."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist()[:MAX_PARTS])
            if "mimetype" in names and {"content.xml", "META-INF/manifest.xml"} & names:
                with archive.open("mimetype") as packed:
                    first = packed.read(200)
                return "is_ods" if b"spreadsheet" in first else "is_office"
    except FAULTS:
        return ""
    finally:
        file.seek(0)
    if "[Content_Types].xml" not in names:
        return ""
    if "xl/workbook.bin" in names:
        return "is_xlsb"
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "is_office" if any(name.startswith(("word/", "ppt/", "visio/")) for name in names) else ""


def read_sheets(
    file: BinaryIO, *, most_cells: int = MAX_CELLS, most_characters: int = MAX_CHARACTERS
) -> list[Sheet]:
    """The sheets that hold something, in the order of the workbook. Raises `UnusableFile`."""
    require_limits(file, most_objects=min(MAX_OBJECTS, max(_FEW_OBJECTS, most_cells)))
    file.seek(0)
    from openpyxl import load_workbook  # Slow to import, and only this needs it.

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that it leaves out
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            try:
                cells, characters = Counted(most_cells, "cells"), Counted(most_characters, "characters")
                sheets = [_sheet(sheet.title, sheet, cells, characters) for sheet in book.worksheets]
            finally:
                book.close()
    except UnusableFile:
        raise
    except MemoryError:
        raise UnusableFile("large_workbook", most="there is memory for") from None
    except Exception as error:  # noqa: BLE001  # whatever a damaged part makes it raise
        raise UnusableFile("damaged_workbook", why=brief(error)) from None
    return [sheet for sheet in sheets if sheet.rows]


def _rows(sheet: Any, counted: Counted) -> "Iterator[tuple[int, tuple[ReadOnlyCell, ...]]]":
    """The rows that are written, each with its number, as openpyxl makes them; it fills gaps, however wide.

    Nothing after the last row is read.
    """
    from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
    from openpyxl.xml.functions import iterparse

    book = sheet.parent
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        last = count = 0
        for _event, element in iterparse(source):
            if element.tag == DATA_TAG:
                return
            if element.tag != ROW_TAG:
                continue
            count += 1
            if len(element) > WIDEST_SHEET:
                raise UnusableFile("large_workbook", most=f"{MAX_COLUMNS} columns")
            number, cells = parser.parse_row(element)
            element.clear()
            if max(number, count) > MAX_ROWS:
                raise UnusableFile("large_workbook", most=f"{MAX_ROWS} rows")
            width = cells[-1]["column"] if cells else 0
            if width > WIDEST_SHEET:
                raise UnusableFile("large_workbook", most=f"{MAX_COLUMNS} columns")
            counted.take(max(1, len(cells), width))
            if number > last:
                last = number
                yield number, sheet._get_row(cells)


def _sheet(name: str, sheet: Any, counted: Counted, characters: Counted) -> Sheet:
    sheet.reset_dimensions()  # what the file says of its size is not believed
    rows: list[tuple[int, list[str]]] = []
    left = MAX_COLUMNS
    for number, cells in _rows(sheet, counted):
        texts = []
        for text in _texts(cells):
            characters.take(len(text))
            texts.append(text)
        while texts and not texts[-1].strip():
            texts.pop()
        if texts:
            if len(texts) > MAX_COLUMNS:
                raise UnusableFile("large_workbook", most=f"{MAX_COLUMNS} columns")
            rows.append((number, texts))
            left = min(left, next(index for index, text in enumerate(texts) if text.strip()))
    width = max((len(texts) for _, texts in rows), default=0) - left
    counted.take(sum(max(0, width + left - len(texts)) for _, texts in rows))
    padded = [(number, texts[left:] + [""] * (width - len(texts) + left)) for number, texts in rows]
    return Sheet(name, padded, left)


def _texts(cells: "tuple[ReadOnlyCell, ...]") -> Iterator[str]:
    for cell in cells:
        value = cell.value
        if isinstance(value, str) and len(value) > LONGEST_CELL:
            raise UnusableFile("large_workbook", most=f"{LONGEST_CELL} characters in a cell")
        yield "" if value is None else _text(value, cell)


def _text(value: Any, cell: "ReadOnlyCell") -> str:
    match value:
        case str():
            return " ".join(value.split()) if "\n" in value or "\r" in value else value
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            rounded = (value + timedelta(milliseconds=500)).replace(microsecond=0)
            return rounded.date().isoformat() if _day_only(rounded, cell) else rounded.isoformat()
        case date() | time():
            return value.isoformat()
        case int() | float():
            return _number(value, str(cell.number_format or ""))
        case _:
            return str(value)


def _day_only(value: datetime, cell: "ReadOnlyCell") -> bool:
    from openpyxl.styles.numbers import is_datetime

    return value.time() == time() and is_datetime(cell.number_format) == "date"


def _number(value: int | float, shown_as: str) -> str:
    """With all its digits; as a share or an exponent when that is what the sheet holds.

    >>> [_number(4.03, "General"), _number(23128200000028.0, "0"), _number(0.12, "0%"), _number(301234567890123456, "0")]
    ['4.03', '23128200000028', '12 %', '3.01234567890123E+17']
    """
    if "%" in shown_as:
        return f"{value * 100:.10g} %"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    if abs(value) >= _EXACT:
        return f"{value:.14E}"
    return str(value)


def is_error(text: str) -> bool:
    """Whether a cell holds what a formula failed with.

    >>> [is_error(text) for text in ("#N/A", "#DIV/0!", "#1 rue")]
    [True, True, False]
    """
    return text in ERRORS


def _letters(column: int) -> str:
    """
    >>> [_letters(column) for column in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
