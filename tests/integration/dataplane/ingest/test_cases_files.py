"""Files as they come, of `shared/cases`: containers, text, identifiers and workbooks, with the right answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest.directory import PointInfo
from tests.unit.dataplane.ingest.conftest import Directory, Taken, take, take_all

CASES = Path(__file__).parents[5] / "shared/cases/files"
Take = Callable[..., Taken]

__all__ = ["take", "take_all"]

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the case files are not beside this checkout")


@pytest.fixture
def directory() -> Directory:
    ids = ["23128200000017", "23128200000028", "30009900000016"]
    return Directory({one: PointInfo(one, "C5", frozenset({FlowDirection.WITHDRAWAL})) for one in ids})


@pytest.fixture
def given(take: Take) -> Callable[[str], Taken]:
    return lambda name: take((CASES / name).read_bytes(), name=name)


Given = Callable[[str], Taken]


@pytest.mark.parametrize("name", ["t01_prm_exponent.csv", "t01b_prm_exponent_padded.csv", "t09_exp.csv"])
def test_a_rounded_identifier(given: Given, name: str) -> None:
    taken = given(name)

    assert (taken.report.stored, len(taken.reasons)) == (0, 48)
    assert all(
        "a spreadsheet has rounded the identifier to a number" in reason for _, reason in taken.reasons
    )


def test_an_identifier_of_thirteen_digits(given: Given) -> None:
    (_, reason), *_ = given("t12_lost_zero.csv").reasons

    assert "it has 13 digits, an identifier here has 14" in reason


def test_identifiers_that_are_numbers(given: Given) -> None:
    taken = given("p4_int_id_nan_cat.parquet")

    assert taken.report.stored > 0
    assert taken.report.complete


def test_another_separator_is_named(given: Given) -> None:
    ((where, reason),) = given("t08_commas.csv").reasons

    assert where == "line 1"
    assert "separated by commas" in reason
    assert "semicolons" in reason


@pytest.mark.parametrize("name", ["t09_sep.csv", "t09_cr.csv"])
def test_text_as_spreadsheets_save_it(given: Given, name: str) -> None:
    taken = given(name)

    assert (taken.report.stored, taken.report.complete) == (48, True)


def test_a_workbook_of_daily_energy(given: Given) -> None:
    taken = given("r16_workbook.xlsx")

    assert (taken.report.format, taken.report.stored) == ("enedis-customer-sheet", 2)
    assert {block.key.kind for block in taken.blocks} == {Kind.DAILY_ENERGY}
    assert [_values(block) for block in taken.blocks] == [[6329], [3217]]


def test_a_workbook_of_points_is_no_measurement(given: Given) -> None:
    ((where, reason),) = given("points.xlsx").reasons

    assert where == "sheet « Sheet »"
    assert "gridgate import points" in reason


def _values(block: Any) -> list[int]:
    return [int(value) for value in np.asarray(block.values)[block.said]]
