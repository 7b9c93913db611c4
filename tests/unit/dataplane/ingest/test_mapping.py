"""A foreign meter leads to a metering point, or the reason names the option that mends it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.dataplane.ingest.directory import PointInfo
from gridgate.dataplane.ingest.mapping import (
    MeterMapping,
    Unmapped,
    check_targets,
    read_mapping_file,
    resolve,
)
from gridgate.dataplane.ingest.port import Meter
from tests.unit.dataplane.ingest.conftest import C4, C5, Directory


class TestResolve:
    def test_takes_a_meter_that_bears_the_name_of_a_point(self, directory: Directory) -> None:
        points = resolve([Meter(C5), Meter(C4)], MeterMapping(), directory)

        assert {name: point.id for name, point in points.items() if isinstance(point, PointInfo)} == {
            C5: C5,
            C4: C4,
        }

    def test_reads_the_name_as_people_write_it(self, directory: Directory) -> None:
        spaced = f"{C5[:2]} {C5[2:8]} {C5[8:]}"

        assert isinstance(resolve([Meter(spaced)], MeterMapping(), directory)[spaced], PointInfo)

    def test_takes_the_one_foreign_meter_for_the_point_given(self, directory: Directory) -> None:
        (point,) = resolve([Meter("meter 7")], MeterMapping(single=C5), directory).values()

        assert isinstance(point, PointInfo)
        assert point.id == C5

    def test_does_not_let_one_point_stand_for_several_meters(self, directory: Directory) -> None:
        points = resolve([Meter("a"), Meter("b")], MeterMapping(single=C5), directory)

        assert all(isinstance(p, Unmapped) and "use --map" in p.reason for p in points.values())

    def test_does_not_book_one_point_on_another(self, directory: Directory) -> None:
        (point,) = resolve([Meter(C4)], MeterMapping(single=C5), directory).values()

        assert isinstance(point, Unmapped)
        assert "leave --metering-point out" in point.reason

    def test_finds_a_meter_in_the_table_by_any_of_its_names(self, directory: Directory) -> None:
        (point,) = resolve(
            [Meter("a/b/01", ("uuid", "01"))], MeterMapping(table={"uuid": C4}), directory
        ).values()

        assert isinstance(point, PointInfo)
        assert point.id == C4

    @pytest.mark.parametrize(("meters", "option"), [(("x",), "--metering-point"), (("x", "y"), "--map")])
    def test_names_the_option_that_mends(
        self, directory: Directory, meters: tuple[str, ...], option: str
    ) -> None:
        points = resolve([Meter(name) for name in meters], MeterMapping(), directory)

        assert all(isinstance(point, Unmapped) and option in point.reason for point in points.values())

    @pytest.mark.parametrize(
        ("name", "said"),
        [("x", "with --map"), ("3.00015E+13", "with --map"), ("", "with gridgate ingest --metering-point")],
    )
    def test_names_none_that_a_watched_folder_has_not(
        self, directory: Directory, name: str, said: str
    ) -> None:
        (point,) = resolve([Meter(name)], MeterMapping(names_one=False), directory).values()

        assert isinstance(point, Unmapped)
        assert point.reason.endswith(said)

    def test_asks_nobody_to_import_a_meter_without_a_name(self, directory: Directory) -> None:
        (point,) = resolve([Meter("")], MeterMapping(), directory).values()

        assert isinstance(point, Unmapped)
        assert point.reason == "the file names no meter; say which point it is with --metering-point"


class TestCheckTargets:
    def test_refuses_points_that_do_not_exist(self, directory: Directory) -> None:
        with pytest.raises(GridgateError, match="gridgate import points") as caught:
            check_targets(MeterMapping(table={"a": "99999999999999"}), directory)

        assert caught.value.kind is ErrorKind.NOT_FOUND


class TestReadMappingFile:
    @pytest.fixture
    def read(self, tmp_path: Path) -> Callable[[str], dict[str, str]]:
        def read(text: str) -> dict[str, str]:
            path = tmp_path / "map.csv"
            path.write_bytes(text.encode())
            return read_mapping_file(path)

        return read

    @pytest.mark.parametrize(
        "text",
        [f"foreign_id,metering_point_id\na,{C5}\n", f"a;{C5}\n\n", f"a,{C5}\na,{C5}\n", f"a,{C5}\ra,{C5}\r"],
    )
    def test_reads_both_separators_and_no_header(
        self, read: Callable[[str], dict[str, str]], text: str
    ) -> None:
        assert read(text) == {"a": C5}

    def test_reads_a_workbook_by_its_heads_or_its_only_sheet(self, tmp_path: Path) -> None:
        path = tmp_path / "map.xlsx"
        for header in ([], [["foreign_id", "metering_point_id"]]):
            with xlsxwriter.Workbook(path) as book:
                for row, cells in enumerate([*header, ["meter 7", C5], ["8", int(C4)], ["", ""]]):
                    book_sheet = book.worksheets()[0] if book.worksheets() else book.add_worksheet("map")
                    book_sheet.write_row(row, 0, cells)
                if header:
                    book.add_worksheet("notes").write_row(0, 0, ["a", "b"])

            assert read_mapping_file(path) == {"meter 7": C5, "8": C4}

        with xlsxwriter.Workbook(path) as book:
            book.add_worksheet("map").write_row(1, 1, ["meter 7", 2.31282e17])
        with pytest.raises(
            GridgateError, match=r"map.xlsx, sheet « map », line 2: a spreadsheet has rounded"
        ):
            read_mapping_file(path)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on\n",
                "metering points",
            ),
            ("metering_point_id,start,value\n", "a file of measurements"),
            (f"a,{C5}\na,{C4}\n", "line 2: « a » is mapped twice"),
            ("a,123\n", "line 1: a metering point has 14 digits"),
            ("a,b,c\n", "line 1: 3 columns"),
            ("", "maps nothing"),
            (f'a,{C5}\n"{"x" * 200_000}', "line 2: the mapping cannot be cut into columns .* quote"),
        ],
    )
    def test_names_the_line_at_fault(
        self, read: Callable[[str], dict[str, str]], text: str, message: str
    ) -> None:
        with pytest.raises(GridgateError, match=message):
            read(text)
