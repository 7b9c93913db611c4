"""Points from CSV: what is understood, what is refused and how it is told."""

import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from gridgate.metering.imports.findings import Code, Level
from gridgate.metering.imports.points import import_points
from gridgate.metering.models import MeteringPoint, PointVersion
from gridgate.metering.queries.points import Points, as_they_are

from .conftest import NOW
from .files import POINT_HEADER, point_line, points_file

pytestmark = pytest.mark.django_db


def points() -> Points:
    return as_they_are(MeteringPoint.objects.all(), today=NOW.date())


class TestImportPoints:
    def test_creates_a_point_with_all_its_columns(self) -> None:
        report = import_points(points_file(point_line(id="30 001 480 112 233")), now=NOW)

        assert (report.read, report.created, report.rejected, report.findings) == (1, 1, 0, [])
        point = points().get()
        assert point.pk == "30001480112233"
        assert (point.segment, point.directions, point.meter_type) == ("C4", 1, "PMEI")
        assert (point.address, point.postcode, point.city) == ("12 rue des Forges", "69200", "Vénissieux")
        assert (point.subscribed_power_kva, point.activated_on) == (Decimal(120), date(2020, 3, 1))
        assert point.search_text == "12 rue des forges 69200 venissieux"

    def test_reads_a_french_spreadsheet(self) -> None:
        content = (
            "\ufeffCity;ID;segment;directions;address;postcode;subscribed_power_kva;activated_on\r\n"
            '"Saint-Étienne";30001480112233;c5;Soutirage;"12; rue du Bac";42000;1 036,5;01/03/2020\r\n'
            ";;;;;;;\r\n"
        ).encode()
        report = import_points(content, now=NOW)
        assert (report.read, report.created) == (1, 1)
        point = points().get()
        assert (point.city, point.address, point.segment) == ("Saint-Étienne", "12; rue du Bac", "C5")
        assert (point.subscribed_power_kva, point.activated_on) == (Decimal("1036.5"), date(2020, 3, 1))

    @pytest.mark.parametrize(
        ("written", "bits"),
        [
            ("withdrawal", 1),
            ("injection", 2),
            ("withdrawal+injection", 3),
            ("Injection + Withdrawal", 3),
            ("W", 1),
            ("I", 2),
            ("w+i", 3),
            ("soutirage", 1),
            ("soutirage+injection", 3),
        ],
    )
    def test_understands_directions(self, written: str, bits: int) -> None:
        import_points(points_file(point_line(directions=written)), now=NOW)
        assert points().get().directions == bits

    @pytest.mark.parametrize("point_id", ["571313174200000002", "10ZRESEAUDEMO01Y"])
    def test_understands_identifiers_of_other_families(self, point_id: str) -> None:
        assert import_points(points_file(point_line(id=point_id)), now=NOW).created == 1

    def test_takes_a_missing_power_for_unknown(self) -> None:
        import_points(points_file(point_line(subscribed_power_kva="")), now=NOW)
        assert points().get().subscribed_power_kva is None

    def test_takes_the_name_and_the_meter_when_the_file_has_them(self) -> None:
        content = points_file(point_line() + ",Usine,OTHER", header=POINT_HEADER + ",label,meter_type")
        import_points(content, now=NOW)
        assert points().values_list("label", "meter_type").get() == ("Usine", "OTHER")

    def test_changes_nothing_the_second_time(self) -> None:
        content = points_file(point_line(), point_line(id="30001480112244"))
        import_points(content, now=NOW)
        again = import_points(content, now=NOW)
        assert (again.read, again.created, again.changed, again.unchanged) == (2, 0, 0, 2)

    def test_a_line_that_says_nothing_is_passed_over_for_a_point_that_is_here_and_no_other(self) -> None:
        import_points(points_file(point_line()), now=NOW)
        header = POINT_HEADER.split(",")

        def bare(**cells: str) -> str:
            return ",".join(cells.get(column, "") for column in header)

        here = bare(id="30001480112233", activated_on="2020-03-01")
        report = import_points(
            points_file(
                here,
                bare(id="30001480112233"),
                bare(id="30001480112244"),
                bare(id="30001480112233", activated_on="2020-03-02"),
            ),
            now=NOW,
        )
        assert (report.read, report.unchanged, report.rejected) == (4, 2, 2)
        assert {finding.line for finding in report.problems} == {4, 5}
        assert points().values_list("subscribed_power_kva", flat=True).get() == 120

    def test_updates_what_differs_and_says_what_it_was(self) -> None:
        import_points(points_file(point_line()), now=NOW)
        report = import_points(points_file(point_line(subscribed_power_kva="150", directions="I")), now=NOW)
        assert (report.changed, report.rejected) == (1, 0)
        said = [(note.column, note.value, note.details["before"]) for note in report.notes]
        assert said == [("directions", "I", "withdrawal"), ("subscribed_power_kva", "150", "120")]
        assert points().values_list("subscribed_power_kva", "directions").get() == (150, 2)

    def test_leaves_the_name_given_here_when_the_file_has_none(self) -> None:
        import_points(points_file(point_line()), now=NOW)
        PointVersion.objects.update(label="Usine")
        assert import_points(points_file(point_line()), now=NOW).unchanged == 1
        assert points().get().label == "Usine"

    def test_reports_the_same_in_a_dry_run_and_changes_nothing(self) -> None:
        content = points_file(point_line(), point_line(id="3000148011224"), point_line(segment="C9"))
        dry = import_points(content, now=NOW, dry_run=True)
        assert not MeteringPoint.objects.exists()
        real = import_points(content, now=NOW)
        assert dry.as_json() | {"dry_run": False} == real.as_json()

    def test_imports_the_good_lines_and_names_the_bad_ones(self) -> None:
        report = import_points(
            points_file(point_line(), "", point_line(id="123"), point_line(id="30001480112244", segment="")),
            now=NOW,
        )
        assert (report.read, report.created, report.rejected) == (3, 1, 2)
        assert [(found.line, found.column) for found in report.problems] == [(4, "id"), (5, "segment")]

    @pytest.mark.parametrize(
        ("cells", "code", "column"),
        [
            ({"id": "3000148011223"}, Code.LOST_ZERO, "id"),
            ({"id": "57131317420000002"}, Code.LOST_ZERO, "id"),
            ({"id": "300014801122"}, Code.ID_LENGTH, "id"),
            ({"id": "571313174200000003"}, Code.CHECK_CHARACTER, "id"),
            ({"id": "3.00015E+13"}, Code.SPREADSHEET_NUMBER, "id"),
            ({"id": "10XFR-RTE------Q"}, Code.ID_TYPE, "id"),
            ({"id": "compteur 4"}, Code.ID_LENGTH, "id"),
            ({"id": "n° 4"}, Code.ID_CHARACTERS, "id"),
            ({"id": ""}, Code.MISSING_VALUE, "id"),
            ({"segment": "C6"}, Code.BAD_CHOICE, "segment"),
            ({"directions": "both"}, Code.BAD_DIRECTIONS, "directions"),
            ({"subscribed_power_kva": "-3"}, Code.BAD_POWER, "subscribed_power_kva"),
            ({"subscribed_power_kva": "0"}, Code.BAD_POWER, "subscribed_power_kva"),
            ({"subscribed_power_kva": "36 kVA"}, Code.BAD_POWER, "subscribed_power_kva"),
            ({"subscribed_power_kva": "36.123"}, Code.BAD_POWER, "subscribed_power_kva"),
            ({"subscribed_power_kva": '"36,5"'}, Code.BAD_POWER, "subscribed_power_kva"),
            ({"activated_on": "2026-02-30"}, Code.BAD_DATE, "activated_on"),
            ({"activated_on": "30.11.2026"}, Code.BAD_DATE, "activated_on"),
            ({"city": "x" * 81}, Code.TOO_LONG, "city"),
        ],
    )
    def test_refuses_a_value_and_says_why(self, cells: dict[str, str], code: Code, column: str) -> None:
        report = import_points(points_file(point_line(**cells)), now=NOW)
        assert [(found.code, found.line, found.column) for found in report.problems] == [(code, 2, column)]
        found = report.problems[0]
        assert found.value == cells[column].strip('"')
        assert found.reason
        assert found.remedy
        assert not MeteringPoint.objects.exists()

    def test_names_the_check_digit_that_is_right(self) -> None:
        report = import_points(points_file(point_line(id="571313174200000003")), now=NOW)
        assert report.problems[0].reason == "the last character should be 2"

    def test_keeps_the_first_of_two_lines_for_one_point(self) -> None:
        report = import_points(points_file(point_line(), point_line(city="Lyon")), now=NOW)
        assert points().get().city == "Vénissieux"
        assert report.problems[0].as_json() | {"value": "…"} == {
            "line": 3,
            "column": "id",
            "value": "…",
            "level": "error",
            "code": "duplicate",
            "reason": "already on line 2",
            "remedy": "Keep one of the two lines, or give each its own first day (valid_from).",
            "details": {"first": "2"},
        }

    def test_notes_a_postcode_that_may_have_lost_its_zero(self) -> None:
        report = import_points(points_file(point_line(postcode="1000")), now=NOW)
        assert (report.created, [note.code for note in report.notes]) == (1, [Code.POSTCODE_ZERO])

    @pytest.mark.large
    def test_imports_ten_thousand_lines_in_few_statements(self, django_assert_max_num_queries: Any) -> None:
        content = points_file(*(point_line(id=f"30001{number:09d}") for number in range(10_000)))
        with django_assert_max_num_queries(200):
            report = import_points(content, now=NOW)
        assert report.created == 10_000
        with django_assert_max_num_queries(25):
            assert import_points(content, now=NOW).unchanged == 10_000


class TestAFileAtFault:
    @pytest.mark.parametrize(
        ("content", "code", "line"),
        [
            (b"", Code.EMPTY_FILE, 1),
            (b"\xef\xbb\xbf\r\n \r\n", Code.EMPTY_FILE, 1),
            (points_file(point_line()).decode().encode("latin-1"), Code.OTHER_ENCODING, 2),
            (points_file("\x00" + point_line()), Code.NOT_TEXT, 2),
            (b"PK\x03\x04rest of a spreadsheet", Code.IS_PACKED, 1),
            (b"%PDF-1.7", Code.IS_PDF, 1),
            (b"<!DOCTYPE html><html></html>", Code.IS_HTML, 1),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Code.IS_XLS, 1),
            (b"start;value", Code.IS_MEASUREMENTS, 1),
            (b"a;b", Code.OTHER_COLUMNS, 1),
            (points_file(point_line(), header=POINT_HEADER.replace("city,", "")), Code.MISSING_COLUMN, 1),
            (points_file(point_line(), header=POINT_HEADER + ",city"), Code.REPEATED_COLUMN, 1),
        ],
    )
    def test_is_refused_whole(self, content: bytes, code: Code, line: int) -> None:
        report = import_points(content, now=NOW)
        assert report.refused
        assert [(found.code, found.line, found.level) for found in report.problems] == [
            (code, line, Level.REFUSED)
        ]
        assert not MeteringPoint.objects.exists()

    def test_names_the_column_that_is_missing(self) -> None:
        report = import_points(
            points_file(point_line(), header=POINT_HEADER.replace("city", "town")), now=NOW
        )
        assert (report.problems[0].column, report.notes[0].column) == ("city", "town")
        assert "subscribed_power_kva" in report.problems[0].remedy

    def test_with_an_unknown_column_is_imported_without_it(self) -> None:
        report = import_points(points_file(point_line() + ",x", header=POINT_HEADER + ",zone"), now=NOW)
        assert (report.created, report.refused) == (1, False)
        assert [(note.code, note.column) for note in report.notes] == [(Code.UNKNOWN_COLUMN, "zone")]

    def test_shows_the_byte_that_is_not_utf8_and_what_stands_before(self) -> None:
        content = points_file(point_line()).decode().encode("latin-1")
        found = import_points(content, now=NOW).problems[0]
        assert found.reason == "byte 0xE9 is not UTF-8: the text seems to be Windows-1252"
        assert "69200,V" in found.value

    def test_with_too_many_cells_on_a_line_keeps_the_others(self) -> None:
        report = import_points(points_file(point_line() + ",extra", point_line()), now=NOW)
        assert (report.created, [found.code for found in report.problems]) == (1, [Code.WRONG_WIDTH])

    def test_with_an_open_quote_keeps_the_lines_before(self) -> None:
        report = import_points(points_file(point_line(), '"' + point_line(id="30001480112244")), now=NOW)
        assert report.created == 1
        assert [(found.code, found.line) for found in report.problems] == [(Code.BAD_QUOTES, 3)]


class TestFromWhichDay:
    HEADER = POINT_HEADER + ",label,valid_from"

    def test_a_line_holds_from_the_day_of_the_import(self) -> None:
        import_points(points_file(point_line()), now=NOW - timedelta(days=400))
        import_points(points_file(point_line(subscribed_power_kva="150")), now=NOW)
        assert versions() == [("2025-10-21", "2026-11-25", 120), ("2026-11-25", "", 150)]

    def test_or_from_its_valid_from(self) -> None:
        import_points(points_file(point_line()), now=NOW)
        line = point_line(subscribed_power_kva="150") + ",Usine,2027-01-01"
        assert import_points(points_file(line, header=self.HEADER), now=NOW).changed == 1
        assert versions() == [("2026-11-25", "2027-01-01", 120), ("2027-01-01", "", 150)]
        assert points().get().label == ""

    def test_a_file_can_tell_a_whole_history(self) -> None:
        lines = [
            point_line(subscribed_power_kva=power) + f",Usine,{day}"
            for power, day in (("150", "2025-06-01"), ("90", "2020-03-01"), ("120", "2024-01-01"))
        ]
        report = import_points(points_file(*lines, header=self.HEADER), now=NOW)
        assert (report.read, report.created, report.changed, report.problems) == (3, 1, 2, [])
        assert versions() == [
            ("2020-03-01", "2024-01-01", 90),
            ("2024-01-01", "2025-06-01", 120),
            ("2025-06-01", "", 150),
        ]
        assert import_points(points_file(*lines, header=self.HEADER), now=NOW).unchanged == 3

    def test_what_is_told_of_the_past_leaves_later_versions_as_they_are(self) -> None:
        import_points(points_file(point_line() + ",Usine,2026-01-01", header=self.HEADER), now=NOW)
        earlier = point_line(subscribed_power_kva="60") + ",,2024-01-01"
        import_points(points_file(earlier, header=self.HEADER), now=NOW)
        assert versions() == [("2024-01-01", "2026-01-01", 60), ("2026-01-01", "", 120)]
        assert [one.label for one in PointVersion.objects.order_by("valid_from")] == ["", "Usine"]

    def test_two_lines_of_one_day_are_one_too_many(self) -> None:
        lines = [point_line() + ",Usine,2026-01-01", point_line() + ",Atelier,01/01/2026"]
        report = import_points(points_file(*lines, header=self.HEADER), now=NOW)
        assert [(found.code, found.line) for found in report.problems] == [(Code.DUPLICATE, 3)]

    def test_a_day_that_is_none_is_refused(self) -> None:
        report = import_points(points_file(point_line() + ",,2026-02-30", header=self.HEADER), now=NOW)
        assert [(found.code, found.column) for found in report.problems] == [(Code.BAD_DATE, "valid_from")]


def versions() -> list[tuple[str, str, int]]:
    return [
        (str(one.valid_from), str(one.valid_to or ""), int(one.subscribed_power_kva or 0))
        for one in PointVersion.objects.order_by("valid_from")
    ]


class TestFilesAsTheyCome:
    """What spreadsheets make of a file; the files themselves are the cases of `shared/cases`, where that is beside."""

    IDS = ("23128200000051", "23128200000062", "23128200000073", "23128200000084")

    @pytest.mark.parametrize("name", ["pts_sep.csv", "pts_cr.csv"])
    def test_with_guarded_identifiers_and_other_line_ends(self, name: str) -> None:
        report = import_points(_case(name), now=NOW)

        assert sorted(MeteringPoint.objects.values_list("pk", flat=True)) == sorted(self.IDS)
        assert [found.code for found in report.problems] == [Code.SPREADSHEET_NUMBER]

    def test_with_padding_cells(self) -> None:
        assert import_points(_case("h2.csv"), now=NOW).created == 1

    def test_as_a_workbook(self) -> None:
        report = import_points(_case("points.xlsx"), now=NOW)

        assert (report.created, report.problems) == (1, [])
        assert MeteringPoint.objects.get().activated_on == date(2020, 1, 1)

    def test_in_utf_16(self) -> None:
        content = points_file(point_line()).decode().encode("utf-16")

        assert import_points(content, now=NOW).created == 1

    def test_names_the_cell_of_an_error_and_keeps_the_other_rows(self) -> None:
        header, first, second = (
            line.split(",") for line in (POINT_HEADER, point_line(), point_line(id=self.IDS[0]))
        )
        first[header.index("city")] = "#N/A"
        content = _workbook({"Notes": [["read me"]], "Points": [header, first, second]})

        report = import_points(content, now=NOW)

        assert report.created == 1
        (found,) = report.problems
        assert (found.code, found.reason) == (Code.CELL_ERROR, "the cell Points!F2 holds an error")

    def test_names_the_sheets_when_none_has_the_columns(self) -> None:
        report = import_points(_workbook({"A": [["x"]], "B": [["y"]]}), now=NOW)

        assert report.problems[0].reason == "none of the sheets A, B has the columns"


def _case(name: str) -> bytes:
    path = Path(__file__).parents[4] / "shared/cases/files" / name
    if not path.exists():
        pytest.skip("the case files are not beside this checkout")
    return path.read_bytes()


def _workbook(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in enumerate(rows):
                page.write_row(number, 0, row)
    return target.getvalue()
