"""Workbooks (XLSX) in: the sheets as rows of text, within limits, and nothing that they could make happen.

Read row by row with openpyxl, which tells errors, shares and days apart; formulas give the value that was saved
with them, and nothing is computed. Links, macros, pictures and entities are not looked at.
"""

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from gridgate.tables.diagnosis import UnusableFile

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell

MAX_CELLS: Final = 4_000_000
MAX_BYTES: Final = 512 * 2**20
"""Of all that a workbook unpacks to, counted and not believed."""
MAX_RATIO: Final = 200
"""Unpacked over packed, beyond the first 64 MiB."""
MAX_COLUMNS: Final = 512
MAX_PARTS: Final = 2_000
MAX_CONTENTS: Final = 2**20
MAX_ROWS: Final = 2**20
"""What a sheet has in a spreadsheet; a row may name any number."""
MAX_CHARACTERS: Final = 64 * 2**20
"""Of all cells: a text that many cells share counts in each."""
LONGEST_CELL: Final = 32_767
MAX_OBJECTS: Final = 2**20
"""Shared texts, their runs, formats and relations: each is read whole before the first row."""
_WIDEST_SHEET: Final = 16_384
_TAGS_A_ROW: Final = 64 * _WIDEST_SHEET
"""A cell has four to six, more where its text has formats of its own."""
_FEW_OBJECTS: Final = 100_000
_RATIO_FREE: Final = 64 * 2**20
_CHUNK: Final = 2**20
_EXACT: Final = 10**15
"""Spreadsheets keep 15 digits: a whole number beyond has lost its last ones."""
_FAULTS: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
ERRORS: Final = frozenset(
    ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)
_DECLARATION: Final = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)")
_OBJECT: Final = re.compile(
    rb"<(?:[\w.-]+:)?"
    rb"(?:si|r|rPh|xf|dxf|font|fill|border|numFmt|cellStyle|sheet|definedName|Relationship|Override|Default)[\s/>]"
)
_ROW: Final = re.compile(rb"<(?:[\w.-]+:)?row[\s/>]")
_CELL: Final = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_MARK: Final = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")
_PROLOG: Final = re.compile(rb"<\?xml\s[^>]{0,500}?\?>")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_ENCODINGS: Final = frozenset(
    (b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252")
)
"""In which letters of ASCII are themselves; an XML parser takes others too."""
_OVERLAP: Final = 64


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
    except _FAULTS:
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
    _within_limits(file, most_objects=min(MAX_OBJECTS, max(_FEW_OBJECTS, most_cells)))
    file.seek(0)
    from openpyxl import load_workbook  # Slow to import, and only this needs it.

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that it leaves out
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            try:
                cells, characters = _Counted(most_cells, "cells"), _Counted(most_characters, "characters")
                sheets = [_sheet(sheet.title, sheet, cells, characters) for sheet in book.worksheets]
            finally:
                book.close()
    except UnusableFile:
        raise
    except MemoryError:
        raise UnusableFile("large_workbook", most="there is memory for") from None
    except Exception as error:  # noqa: BLE001  # whatever a damaged part makes it raise
        raise UnusableFile("damaged_workbook", why=_brief(error)) from None
    return [sheet for sheet in sheets if sheet.rows]


class _Counted:
    def __init__(self, most: int, what: str) -> None:
        self._most = self._left = most
        self._what = what

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise UnusableFile("large_workbook", most=f"{self._most} {self._what}")


def _within_limits(file: BinaryIO, *, most_objects: int) -> None:
    """Unpack everything once and keep nothing: sizes are counted. Raises `UnusableFile`."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    most = min(MAX_BYTES, max(_RATIO_FREE, size * MAX_RATIO))
    file.seek(0)
    total = 0
    objects = _Counted(most_objects, "shared texts and formats")
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise UnusableFile("large_workbook", most=f"{MAX_PARTS} parts")
            for part in parts:
                markup = _Markup(objects)
                with archive.open(part) as packed:
                    while piece := packed.read(_CHUNK):
                        total += len(piece)
                        if total > most:
                            raise UnusableFile("large_workbook", most=f"{most // 2**20} MiB")
                        markup.look(piece)
    except _FAULTS as error:
        raise UnusableFile("damaged_workbook", why=_brief(error)) from None


class _Markup:
    """One part, looked at before any parser is. What it is called is not believed: relations name any part a sheet."""

    def __init__(self, objects: _Counted) -> None:
        self._objects = objects
        self._before: bytes | None = None
        self._is_xml = True
        self._cut_tag = b""
        self._in_row = False
        self._cells = self._tags = 0

    def look(self, piece: bytes) -> None:
        if not self._is_xml:
            return
        letters = _MARK.sub(b"", piece, count=1) if self._before is None else piece
        letters = letters.replace(b"\0", b"")  # of UTF-16
        if self._before is None:
            self._is_xml = letters.lstrip().startswith(b"<")
            self._begin(letters)
        seen = (self._before or b"") + letters
        if _DECLARATION.search(seen):
            raise UnusableFile("damaged_workbook", why="it declares entities")
        self._objects.take(sum(1 for _ in _OBJECT.finditer(seen)))
        self._before = seen[-_OVERLAP:]
        self._count_cells(letters)

    def _count_cells(self, letters: bytes) -> None:
        """A row is parsed as a whole, more than once: what no sheet has in one is refused before."""
        letters = self._cut_tag + letters
        last = letters.rfind(b"<")
        whole = last if last >= 0 and len(letters) - last < _OVERLAP else len(letters)
        self._cut_tag = letters[whole:]
        for number, between in enumerate(_ROW.split(letters[:whole])):
            if number:
                self._in_row = True
                self._cells = self._tags = 0
            if self._in_row:
                self._tags += between.count(b"<")
                self._cells += len(_CELL.findall(between))
                if self._cells > _WIDEST_SHEET or self._tags > _TAGS_A_ROW:
                    raise UnusableFile("large_workbook", most=f"{MAX_COLUMNS} columns")

    def _begin(self, letters: bytes) -> None:
        if not letters.startswith(b"<?xml"):
            return
        prolog = _PROLOG.match(letters)
        encoding = _ENCODING.search(prolog[0]) if prolog else None
        if prolog is None or (encoding and encoding[1].lower() not in _ENCODINGS):
            raise UnusableFile("damaged_workbook", why="its encoding is not known")


def _rows(sheet: Any, counted: _Counted) -> "Iterator[tuple[int, tuple[ReadOnlyCell, ...]]]":
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
            if len(element) > _WIDEST_SHEET:
                raise UnusableFile("large_workbook", most=f"{MAX_COLUMNS} columns")
            number, cells = parser.parse_row(element)
            element.clear()
            if max(number, count) > MAX_ROWS:
                raise UnusableFile("large_workbook", most=f"{MAX_ROWS} rows")
            width = cells[-1]["column"] if cells else 0
            if width > _WIDEST_SHEET:
                raise UnusableFile("large_workbook", most=f"{MAX_COLUMNS} columns")
            counted.take(max(1, len(cells), width))
            if number > last:
                last = number
                yield number, sheet._get_row(cells)


def _sheet(name: str, sheet: Any, counted: _Counted, characters: _Counted) -> Sheet:
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


def _brief(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
