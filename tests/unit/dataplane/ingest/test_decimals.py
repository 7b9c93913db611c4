"""Numbers are read exactly, or not at all."""

from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgate.dataplane.ingest.decimals import Numbers, from_floats, parse_numbers


def exact(numbers: Numbers, index: int) -> Decimal:
    return Decimal(int(numbers.values[index])).scaleb(numbers.scale)


class TestParseNumbers:
    @given(st.lists(st.decimals(-(10**9), 10**9, places=6, allow_nan=False), min_size=1, max_size=20))
    def test_keeps_every_decimal_of_a_column(self, numbers: list[Decimal]) -> None:
        read = parse_numbers(pl.Series([f"{number:f}" for number in numbers]))

        assert read.readable.all()
        assert [exact(read, index) for index in range(len(numbers))] == numbers

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("12", "12"),
            (" 12 ", "12"),
            ("+3", "3"),
            ("-0", "0"),
            ("1,5", "1.5"),
            (".5", "0.5"),
            ("7.", "7"),
            ("1.500000", "1.5"),
            ("1e3", "1000"),
            ("2.5E-3", "0.0025"),
            ("0.30000000000000004", "0.3"),
            ("999999999999999", "999999999999999"),
            ("-5,720604154573", "-5.720604155"),
            ("5.7206041545", "5.720604154"),
        ],
    )
    def test_reads_what_files_write(self, text: str, value: str) -> None:
        read = parse_numbers(pl.Series([text]))

        assert read.readable[0]
        assert exact(read, 0) == Decimal(value)

    @pytest.mark.parametrize("text", ["1e99", "1e9999", "1" * 16, "9" * 5000, "-1e300"])
    def test_tells_a_number_beyond_any_meter_from_what_is_no_number(self, text: str) -> None:
        read = parse_numbers(pl.Series([text, "NaN", "1"]))

        assert read.readable.tolist() == [False, False, True]
        assert read.beyond is not None
        assert read.beyond.tolist() == [True, False, False]

    @pytest.mark.parametrize("text", ["NaN", "inf", "1 234", "1.2.3", "1,234.5", "abc", "-", ".", "0x10"])
    def test_refuses_what_is_no_measure(self, text: str) -> None:
        read = parse_numbers(pl.Series([text, "1"]))

        assert read.readable.tolist() == [False, True]
        assert not read.empty.any()

    @pytest.mark.parametrize(
        "text", ["\uff11\uff12", "\u0663", "1\u0663", "1.\u0663", "1_000", "1_0e3", "1e\u0663", "1e9999"]
    )
    def test_refuses_digits_that_are_not_0_to_9(self, text: str) -> None:
        read = parse_numbers(pl.Series([text, "1"]))

        assert read.readable.tolist() == [False, True]

    @given(
        st.lists(
            st.text(st.sampled_from("0123456789+-.,eE_ \uff11\u0663"), max_size=24), min_size=1, max_size=4
        )
    )
    def test_reads_no_number_but_the_one_that_is_written(self, texts: list[str]) -> None:
        read = parse_numbers(pl.Series(texts))

        for index, text in enumerate(texts):
            if read.readable[index]:
                assert text.isascii()
                written = Decimal(text.strip().replace(",", "."))
                assert exact(read, index) == written.quantize(Decimal(1).scaleb(read.scale))

    def test_knows_nothing_from_zero(self) -> None:
        read = parse_numbers(pl.Series(["", None, "  ", "0"]))

        assert read.empty.tolist() == [True, True, True, False]
        assert read.readable.tolist() == [False, False, False, True]

    def test_does_not_let_one_long_number_take_the_decimals_of_another(self) -> None:
        read = parse_numbers(pl.Series(["123456789012345", "0.25"]))

        assert exact(read, 1) == Decimal("0.25")

    def test_does_not_let_an_absurd_number_take_the_decimals_of_its_neighbours(self) -> None:
        read = parse_numbers(pl.Series(["123456789012345", "0.123456", "5.75"]))

        assert read.readable.tolist() == [False, True, True]
        assert [exact(read, index) for index in (1, 2)] == [Decimal("0.123456"), Decimal("5.75")]


class TestFromFloats:
    @given(
        st.lists(
            st.decimals(0, 10**6, places=3, allow_nan=False, allow_infinity=False), min_size=1, max_size=20
        )
    )
    def test_gives_back_the_decimals_that_were_meant(self, numbers: list[Decimal]) -> None:
        read = from_floats(np.array([float(number) for number in numbers]))

        assert [exact(read, index) for index in range(len(numbers))] == numbers

    def test_refuses_infinity(self) -> None:
        assert from_floats(np.array([np.inf, 1.0])).readable.tolist() == [False, True]

    def test_does_not_let_an_absurd_number_take_the_decimals_of_its_neighbours(self) -> None:
        read = from_floats(np.array([123456789012345.0, 0.123456]))

        assert read.readable.tolist() == [False, True]
        assert exact(read, 1) == Decimal("0.123456")
