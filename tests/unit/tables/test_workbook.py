"""Workbooks as people and attackers make them."""

import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter

from gridgate.tables import limits, workbook
from gridgate.tables.diagnosis import UnusableFile
from gridgate.tables.workbook import Sheet, kind_of, read_sheets


def made(write: Callable[[Any], None], **options: Any) -> io.BytesIO:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, options) as book:
        write(book)
    return target


def sheet(rows: list[list[Any]], **options: Any) -> io.BytesIO:
    """One sheet « Sheet1 » of values, or of (value, number format)."""

    def write(book: Any) -> None:
        page = book.add_worksheet()
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                value, shown = cell if isinstance(cell, tuple) else (cell, "General")
                if value is not None:
                    page.write(row, column, value, book.add_format({"num_format": shown}))

    return made(write, **options)


def only(file: io.BytesIO) -> Sheet:
    (one,) = read_sheets(file)
    return one


def changed(file: io.BytesIO, parts: Mapping[str, bytes]) -> io.BytesIO:
    """The workbook with other parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.get(name, old.read(name)))
    return target


def page_of(rows: bytes) -> bytes:
    """The part of a sheet."""
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (space, rows)


class TestCells:
    @pytest.mark.parametrize(
        ("value", "shown", "text"),
        [
            (4.031000000000001, "General", "4.031000000000001"),
            (23128200000028, "General", "23128200000028"),
            (23128200000028, "0.00E+00", "23128200000028"),
            ("03128200000028", "@", "03128200000028"),
            (301234567890123500, "0", "3.01234567890124E+17"),
            (0.125, "0.0%", "12.5 %"),
            (date(2026, 9, 14), "dd/mm/yyyy", "2026-09-14"),
            (
                datetime(2026, 9, 14, 0, 30),  # noqa: DTZ001
                "dd/mm/yyyy hh:mm",
                "2026-09-14T00:30:00",
            ),
            (
                datetime(2026, 9, 14),  # noqa: DTZ001
                "dd/mm/yyyy hh:mm",
                "2026-09-14T00:00:00",
            ),
            (46279 + 47 / 48 - 1e-9, "dd/mm/yyyy hh:mm", "2026-09-14T23:30:00"),
            (46279 + 1 - 1e-9, "dd/mm/yyyy hh:mm", "2026-09-15T00:00:00"),
            (True, "General", "TRUE"),
            ("two\nlines", "General", "two lines"),
        ],
    )
    def test_are_what_they_hold(self, value: object, shown: str, text: str) -> None:
        assert only(sheet([["x"], [(value, shown)]])).rows[1] == (2, [text])

    def test_count_days_from_1904_where_the_workbook_does(self) -> None:
        file = sheet([[(date(2026, 9, 14), "dd/mm/yyyy")]], date_1904=True)

        assert only(file).rows[0][1] == ["2026-09-14"]

    def test_give_the_value_saved_with_a_formula_and_the_error_it_came_to(self) -> None:
        def write(book: Any) -> None:
            page = book.add_worksheet("Ma feuille")
            page.write_formula("B2", "=1+1", None, 2)
            page.write_formula("C7", "=NA()", None, "#N/A")
            page.set_row(6, None, None, {"hidden": True})

        found = only(made(write))

        assert found.rows == [(2, ["2", ""]), (7, ["", "#N/A"])]
        assert found.cell(7, 1) == "'Ma feuille'!C7"

    def test_merged_are_said_once_and_empty_sheets_not_at_all(self) -> None:
        def write(book: Any) -> None:
            book.add_worksheet("vide")
            book.add_worksheet("S").merge_range("A1:C1", "titre")

        assert [(one.name, one.rows) for one in read_sheets(made(write))] == [("S", [(1, ["titre"])])]


class TestLimits:
    def test_are_of_what_is_unpacked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MAX_BYTES", 100_000)
        bomb = changed(sheet([["x"]]), {"xl/worksheets/sheet1.xml": b" " * 500_000})

        with pytest.raises(UnusableFile, match="holds more than"):
            read_sheets(bomb)

    def test_are_of_cells_and_columns_wherever_they_lie(self) -> None:
        def write(book: Any) -> None:
            page = book.add_worksheet()
            page.write(0, 0, 1)
            page.write(0, 16_383, 1)

        with pytest.raises(UnusableFile, match="512 columns"):
            read_sheets(made(write))
        with pytest.raises(UnusableFile, match="10 cells"):
            read_sheets(sheet([["x"] * 4] * 4), most_cells=10)

    @pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"])
    @pytest.mark.parametrize(
        "content", [b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>", b"<cut", b""]
    )
    def test_refuse_entities_and_damage_in_any_part(self, part: str, content: bytes) -> None:
        with pytest.raises(UnusableFile, match="cannot be read"):
            read_sheets(changed(sheet([["x"]]), {part: content}))

    @pytest.mark.parametrize(
        "content",
        [
            (b" " * 5_000).join((b"<?xml version='1.0'?>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")),
            b" " * (2**20 - 30) + b"<!DOCTYPE x><x/>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>".encode("utf-16"),
            b"<?xml version='1.0' encoding='cp037'?>" + "<!DOCTYPE x><x/>".encode("cp037"),
        ],
    )
    @pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "docProps/core.xml"])
    def test_refuse_entities_wherever_and_however_they_are_written(self, part: str, content: bytes) -> None:
        with pytest.raises(UnusableFile, match=r"entities|encoding"):
            read_sheets(changed(sheet([["x"]]), {part: content}))

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            (b'<row r="20000000"><c><v>1</v></c></row>', "rows"),
            (b'<row r="1"/>' * 60, "50 cells"),
            (b"<row/>" * 60, "50 cells"),
            (b'<row r="1"><c r="ZZZ1"><v>1</v></c></row>', "columns"),
        ],
    )
    def test_are_of_rows_that_hold_nothing_and_of_their_numbers(self, rows: bytes, said: str) -> None:
        with pytest.raises(UnusableFile, match=said):
            read_sheets(
                changed(sheet([["x"]]), {"xl/worksheets/sheet1.xml": page_of(rows)}),
                most_cells=50,
            )

    @pytest.mark.parametrize("element", [b"<c/>", b"<x/>"])
    def test_act_before_the_end_of_a_row(self, element: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "WIDEST_SHEET", 100)
        monkeypatch.setattr(workbook, "WIDEST_SHEET", 100)
        monkeypatch.setattr(limits, "_TAGS_A_ROW", 6_400)
        monkeypatch.setattr(limits, "_CHUNK", 1_001)
        row = b"<row>" + element * 8_000 + b"</cut>"

        with pytest.raises(UnusableFile, match="512 columns"):
            read_sheets(changed(sheet([["x"]]), {"xl/worksheets/sheet1.xml": page_of(row)}))

    @pytest.mark.parametrize("text", [b"<si/>", b"<x:si />", b"<r><t>x</t></r>"])
    def test_are_of_shared_texts_before_any_is_read(
        self, text: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workbook, "_FEW_OBJECTS", 200)

        with pytest.raises(UnusableFile, match="200 shared texts"):
            read_sheets(
                changed(sheet([["x"]]), {"xl/sharedStrings.xml": b"<sst>" + text * 300}), most_cells=50
            )

    def test_are_of_characters_each_time_that_a_text_is_shared(self) -> None:
        assert read_sheets(sheet([["abc"] * 3] * 3), most_characters=27)
        with pytest.raises(UnusableFile, match="26 characters"):
            read_sheets(sheet([["abc"] * 3] * 3), most_characters=26)

    def test_are_of_what_a_cell_holds(self) -> None:
        cell = b'<row><c t="inlineStr"><is><t>%s</t></is></c></row>'

        def of(length: int) -> io.BytesIO:
            return changed(sheet([["x"]]), {"xl/worksheets/sheet1.xml": page_of(cell % (b"x" * length))})

        assert read_sheets(of(32_767))
        with pytest.raises(UnusableFile, match="32767 characters in a cell"):
            read_sheets(of(32_768))


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["[Content_Types].xml", "xl/workbook.xml"], "xlsx"),
        (["[Content_Types].xml", "xl/workbook.bin"], "is_xlsb"),
        (["[Content_Types].xml", "word/document.xml"], "is_office"),
        (["mimetype", "content.xml"], "is_ods"),
        (["a.csv"], ""),
    ],
)
def test_a_zip_archive_is_told_from_a_workbook(names: list[str], kind: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "application/vnd.oasis.opendocument.spreadsheet")

    assert kind_of(file) == kind


def test_of_what_says_its_kind_a_few_bytes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", "")
        archive.writestr("mimetype", "spreadsheet" + " " * 1_000_000)
    asked: list[int] = []
    read = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: asked.append(n) or read(self, n))

    assert kind_of(file) == "is_ods"
    assert asked == [200]
