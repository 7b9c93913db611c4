"""`gridgate import points` and `gridgate import holders`, as an operator runs them."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.instance import run_gridgate

Run = Callable[..., CompletedProcess[str]]

POINTS = (
    "id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on\n"
    "30001480112233,C4,W,12 rue des Forges,69200,Vénissieux,120,2020-03-01\n"
    "3000148011224,C5,W,14 rue des Forges,69200,Vénissieux,36,2020-03-01\n"
)
HOLDERS = (
    "metering_point_id;siren;legal_name;valid_from;valid_to\n"
    "30001480112233;732829320;Fonderies du Lac;01/01/2024;\n"
)


@pytest.fixture(scope="module")
def run(empty_instance: Path) -> Run:
    """Runs `gridgate import` on an empty instance of its own."""
    return lambda *arguments: run_gridgate(
        "import", *map(str, arguments), data=empty_instance, check=False, COLUMNS="200", TERM="dumb"
    )


class TestImport:
    def test_reports_then_imports_then_finds_nothing_new(self, run: Run, tmp_path: Path) -> None:
        points, holders = tmp_path / "points.csv", tmp_path / "holders.csv"
        points.write_text(POINTS, encoding="utf-8")
        holders.write_text(HOLDERS, encoding="utf-8-sig")

        dry = run("points", points, "--dry-run", "--json")
        assert dry.returncode == 1
        report = json.loads(dry.stdout)
        assert (report["read"], report["created"], report["rejected"], report["dry_run"]) == (2, 1, 1, True)
        problem = report["problems"][0]
        assert (problem["line"], problem["column"], problem["value"]) == (3, "id", "3000148011224")
        assert problem["reason"] == "it has 13 digits, an identifier here has 14"
        assert "format the column as text" in problem["remedy"]

        real = run("points", points)
        assert real.returncode == 1
        assert "2 lines, 1 created, 0 changed, 0 unchanged, 1 left out." in real.stderr
        assert "it has 13 digits" in real.stderr

        assert json.loads(run("points", points, "--json").stdout)["unchanged"] == 1

        first = run("holders", holders)
        assert first.returncode == 0, first.stderr
        assert "1 line, 1 created" in first.stderr
        assert json.loads(run("holders", holders, "--json").stdout)["unchanged"] == 1

    def test_refuses_a_file_that_is_not_utf8(self, run: Run, tmp_path: Path) -> None:
        points = tmp_path / "points.csv"
        points.write_bytes(POINTS.encode("latin-1"))
        answer = run("points", points)
        assert answer.returncode == 2
        assert "byte 0xE9 is not UTF-8" in answer.stderr
        assert "CSV UTF-8" in answer.stderr

    def test_refuses_a_file_of_other_columns_in_two_lines(self, run: Run, tmp_path: Path) -> None:
        points = tmp_path / "points.csv"
        points.write_text("start;value\n2026-01-01;1\n")
        answer = run("points", points)
        assert answer.returncode == 2
        assert len(answer.stderr.strip().splitlines()) == 2

    def test_says_that_a_file_is_absent(self, run: Run, tmp_path: Path) -> None:
        answer = run("holders", tmp_path / "absent.csv")
        assert answer.returncode == 2
        assert "absent.csv cannot be read" in answer.stderr
