"""What one exports, one reads again, as CSV and as a workbook."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gridgate.tables import out
from gridgate.tables.text import unguarded
from gridgate.tables.workbook import read_sheets

HEADER = ("id", "label", "power", "since", "at")
ROWS = [
    ("03128200000028", "=1+1", Decimal("36.5"), date(2026, 9, 14), out.Instant("2026-10-25T02:30:00+01:00")),
    ("30009900000001", "'=x", 12, None, ""),
    ("30009900000002", "-5 °C", 3, None, ""),
]


def test_csv_and_workbook_have_the_same_cells() -> None:
    text = "".join(out.csv_lines(HEADER, ROWS)).removeprefix("\ufeff")
    in_csv = list(csv.reader(io.StringIO(text), delimiter=";"))
    with out.workbook(HEADER, ROWS, sheet="Compteurs") as file:
        (sheet,) = read_sheets(file)  # type: ignore[arg-type]
    in_workbook = [cells for _, cells in sheet.rows]

    assert in_csv[0] == in_workbook[0] == list(HEADER)
    assert [[unguarded(cell) for cell in row[:4]] for row in in_csv[1:]] == [
        [unguarded(cell) for cell in row[:4]] for row in in_workbook[1:]
    ]
    assert [unguarded(row[1]) for row in in_csv[1:]] == ["=1+1", "'=x", "-5 °C"]
    assert in_workbook[1][4] == "2026-10-25T02:30:00"


@pytest.mark.parametrize(("mark", "cells"), [(",", "36,5;160;1000;0,125;7"), (".", "36.5;160;1000;0.125;7")])
def test_a_csv_writes_numbers_as_its_language_does(mark: str, cells: str) -> None:
    row = [Decimal("36.50"), Decimal("160.00"), Decimal("1E+3"), 0.125, 7]
    assert list(out.csv_lines(HEADER, [row], decimal_mark=mark))[1].strip() == cells


def test_a_workbook_without_rows_has_its_header() -> None:
    with out.workbook(HEADER, [], sheet="Compteurs") as file:
        (sheet,) = read_sheets(file)  # type: ignore[arg-type]

    assert sheet.rows == [(1, list(HEADER))]


def test_more_rows_than_a_sheet_has_go_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "ROWS_A_SHEET", 2)
    with out.workbook(HEADER, ROWS, sheet="Compteurs") as file:
        sheets = [(sheet.name, len(sheet.rows)) for sheet in read_sheets(file)]  # type: ignore[arg-type]

    assert sheets == [("Compteurs", 3), ("Compteurs (2)", 2)]


def test_text_never_becomes_an_instant_and_what_no_spreadsheet_dates_stays_text() -> None:
    cells = [
        "2026-13-45T00:00+00:00",
        "2026-10-25T02:30:00+01:00",
        out.Instant("1899-12-31T23:00:00+00:00"),
        date(1, 1, 1),
        datetime(1600, 1, 1, tzinfo=UTC),
    ]
    with out.workbook(HEADER, [cells], sheet="Compteurs") as file:
        (sheet,) = read_sheets(file)  # type: ignore[arg-type]

    assert sheet.rows[1] == (2, [cell if isinstance(cell, str) else cell.isoformat() for cell in cells])
