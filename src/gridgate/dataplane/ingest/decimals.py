"""Numbers as files write them, kept exactly: an integer and a power of ten for the whole column."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

MAX_WHOLE_DIGITS: Final = 15
"""An index has at most 15 digits (Enedis XSD 0315, `Valeur`); longer is not a measure."""
MAX_DECIMALS: Final = 9
"""More than these come from binary floating point (0.30000000000000004) and are rounded."""
_PLAIN: Final = r"^([+-]?)([0-9]*)(?:[.,]([0-9]*))?$"
_EXPONENT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?0*[0-9]{1,3}")
"""Digits are 0 to 9: `\\d` takes those of all scripts, which no cast reads."""


@dataclass(slots=True)
class Numbers:
    """`values * 10**scale` where `readable`; `empty` where the file gives nothing at all."""

    values: NDArray[np.int64]
    scale: int
    readable: NDArray[np.bool_]
    empty: NDArray[np.bool_]


def parse_numbers(texts: pl.Series) -> Numbers:
    """Read a column of text: an optional sign, digits, a point or a comma, digits; or an exponent. What has more decimals
    than are kept is rounded half to even.

    >>> numbers = parse_numbers(pl.Series(["1,25", "-3", "", "NaN", "1e3"]))
    >>> numbers.values.tolist(), numbers.scale, numbers.readable.tolist()
    ([125, -300, 0, 0, 100000], -2, [True, True, False, False, True])
    """
    stripped = texts.fill_null("").str.strip_chars()
    empty = (stripped == "").to_numpy()
    parts = _parts(stripped)
    odd = np.flatnonzero((parts["whole"].is_null()).to_numpy() & ~empty)
    if len(odd):
        stripped = stripped.scatter(
            odd.tolist(), [_without_exponent(text) for text in stripped.gather(odd.tolist())]
        )
        parts = _parts(stripped)

    whole, fraction = parts["whole"].fill_null(""), parts["fraction"].fill_null("")
    digits = whole.str.len_chars()
    readable = (
        parts["whole"].is_not_null()
        & (digits <= MAX_WHOLE_DIGITS)
        & ((digits > 0) | (fraction.str.len_chars() > 0))
    ).to_numpy()
    decimals = _decimals(
        digits.to_numpy()[readable], fraction.str.strip_chars_end("0").str.len_chars().to_numpy()[readable]
    )
    padded = whole + fraction.str.pad_end(decimals + 1, "0").str.slice(0, decimals + 1)
    values = padded.cast(pl.Int64, strict=False).fill_null(0).to_numpy().copy()
    # One digit more than kept, and whether any comes after it, to round as decimal arithmetic does.
    values, rest = np.divmod(values, 10)
    more = (fraction.str.slice(decimals + 1).str.strip_chars("0") != "").to_numpy()
    values += (rest > 5) | ((rest == 5) & (more | (values % 2 == 1)))
    values[(parts["sign"] == "-").fill_null(False).to_numpy()] *= -1
    values[~readable] = 0
    return Numbers(values, -decimals, readable, empty)


def from_floats(numbers: NDArray[np.float64]) -> Numbers:
    """Read binary floating point as the shortest decimals that give it back, at most `MAX_DECIMALS`.

    >>> from_floats(np.array([0.1, 12.5, np.nan])).values.tolist()
    [1, 125, 0]
    """
    missing = np.isnan(numbers)
    readable = np.isfinite(numbers) & (np.abs(numbers) < 10.0**MAX_WHOLE_DIGITS)
    given = np.where(readable, numbers, 0.0)
    for decimals in range(MAX_DECIMALS + 1):
        scaled = np.rint(given * 10.0**decimals)
        if np.array_equal(scaled / 10.0**decimals, given) or np.abs(scaled).max(initial=0.0) > 10.0**16:
            break
    return Numbers(scaled.astype(np.int64), -decimals, readable, missing)


def _parts(texts: pl.Series) -> pl.DataFrame:
    groups = texts.str.extract_groups(_PLAIN).struct.unnest()
    groups.columns = ["sign", "whole", "fraction"]
    return groups


def _decimals(whole_digits: NDArray[np.uint32], fraction_digits: NDArray[np.uint32]) -> int:
    """As many as the column has, as long as everything, with one digit more, fits in 64 bits."""
    if not len(whole_digits):
        return 0
    return int(min(MAX_DECIMALS, fraction_digits.max(), 17 - int(whole_digits.max())))


def _without_exponent(text: str) -> str:
    if not _EXPONENT.fullmatch(text):
        return "?"
    number = Decimal(text)
    return f"{number:f}" if -40 < number.adjusted() < 40 else "?"
