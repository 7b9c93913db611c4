"""Tables out: the same columns as CSV or as a workbook (XLSX), row by row in constant memory."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final

from gridgate.tables.text import guarded

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_A_SHEET: Final = 1_000_000
"""A sheet has 1,048,576; what is more goes to the next one."""
_FIRST_YEAR: Final = 1900
"""No day of a spreadsheet is before: it stays text."""
_LONGEST_SHEET: Final = 31
"""Characters of a sheet's name."""
_LONGEST: Final = 32_767
"""Characters that a cell holds."""


class Instant(str):
    """An instant as CSV has it, with its offset; in a workbook it is a spreadsheet's own. Other text never is one."""

    __slots__ = ()

    @classmethod
    def of(cls, at: datetime, timespec: str = "auto") -> "Instant":
        return cls(at.isoformat(timespec=timespec))


class _Echo:
    def write(self, text: str) -> str:
        return text


def csv_lines(
    header: Sequence[object], rows: Iterable[Sequence[object]], *, decimal_mark: str = "."
) -> Iterator[str]:
    """UTF-8 with its mark, `;` between columns: what a spreadsheet opens as it is, when the decimal mark is that of its
    language.
    """
    writer = csv.writer(_Echo(), delimiter=";")
    yield "\ufeff" + writer.writerow(header)
    for row in rows:
        yield writer.writerow([_plain(value, decimal_mark) for value in row])


def workbook(header: Sequence[object], rows: Iterable[Sequence[object]], *, sheet: str) -> IO[bytes]:
    """A file at its beginning, which the caller closes; see `write_workbook`."""
    target = TemporaryFile()  # noqa: SIM115  # the caller's
    write_workbook(target, header, rows, sheet=sheet)
    target.seek(0)
    return target


def write_workbook(
    target: IO[bytes],
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    sheet: str,
    folder: Path | None = None,
) -> None:
    """`sheet` says what it holds. Text stays text, identifiers too; days and instants are those of a spreadsheet,
    instants by the clock that they were written with. What waits until all rows are there lies in `folder`, or where
    temporary files lie. Raises `OSError`.
    """
    import xlsxwriter  # Slow to import, and only this needs it.
    from xlsxwriter.exceptions import FileCreateError

    options = {"constant_memory": True, "tmpdir": None if folder is None else str(folder)}
    try:
        with xlsxwriter.Workbook(target, options) as book:
            _fill(book, header, rows, sheet)
    except FileCreateError as error:
        raise error.args[0] if isinstance(error.args[0], OSError) else OSError(str(error)) from error


def _fill(book: Any, header: Sequence[object], rows: Iterable[Sequence[object]], sheet: str) -> None:
    """Nothing is a formula, a link or a number but what is written as such."""
    bold = book.add_format({"bold": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    page: Any = None
    for number, row in enumerate(_at_least_one(rows)):
        place = number % ROWS_A_SHEET + 1
        if place == 1:
            page = book.add_worksheet(_sheet_name(sheet, number // ROWS_A_SHEET + 1))
            page.freeze_panes(1, 0)
            for column, name in enumerate(header):
                page.write_string(0, column, str(name), bold)
                page.set_column(column, column, min(40, max(12, len(str(name)) + 2)))
        for column, value in enumerate(row):
            _write(page, place, column, value, day, instant)


def _sheet_name(what: str, number: int) -> str:
    """
    >>> [_sheet_name(what, number) for what, number in (("Demandes [à traiter]", 1), ("Compteurs", 2))]
    ['Demandes à traiter', 'Compteurs (2)']
    """
    mark = f" ({number})" if number > 1 else ""
    return (
        "".join(char for char in what if char not in "[]:*?/\\")[: _LONGEST_SHEET - len(mark)].strip(" '")
        + mark
    )


def _at_least_one(rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    """An empty row where there is none: the header is written with the first."""
    some = False
    for row in rows:
        some = True
        yield row
    if not some:
        yield ()


def _write(sheet: Any, row: int, column: int, value: object, day: Any, instant: Any) -> None:
    if isinstance(value, Instant):
        value = datetime.fromisoformat(value)
    if isinstance(value, date) and value.year < _FIRST_YEAR:
        value = value.isoformat()
    match value:
        case None | "":
            return
        case datetime():
            sheet.write_datetime(row, column, value.replace(tzinfo=None), instant)
        case date():
            sheet.write_datetime(row, column, value, day)
        case bool() | str():
            text = str(value)
            # read back, one apostrophe is taken off before a sign of formulas
            sheet.write_string(row, column, (guarded(text) if text.startswith("'") else text)[:_LONGEST])
        case _:
            try:
                sheet.write_number(row, column, value)
            except (TypeError, ValueError):
                sheet.write_string(row, column, str(value))


def _plain(value: object, decimal_mark: str) -> object:
    match value:
        case str():
            return guarded(value)
        case Decimal() | float():
            return _digits(Decimal(str(value))).replace(".", decimal_mark)
        case None:
            return ""
    return value


def _digits(value: Decimal) -> str:
    """
    >>> [_digits(Decimal(text)) for text in ("160.00", "36.50", "1E+3", "0.00")]
    ['160', '36.5', '1000', '0']
    """
    return f"{value.normalize():f}"
