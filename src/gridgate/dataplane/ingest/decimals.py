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
_PLAUSIBLE_DIGITS: Final = 12
"""A column has as many decimals as numbers of this many whole digits leave room for. A longer one is taken where it
leaves them room, as an index in Wh may be; else it is beyond any meter, and its neighbours keep their decimals."""
_ROOM: Final = 17
"""Digits of a 64-bit integer, less the one that rounding needs."""
_PLAIN: Final = r"^([+-]?)([0-9]*)(?:[.,]([0-9]*))?$"
_EXPONENT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?0*[0-9]{1,6}")
_WRITTEN_OUT: Final = 40
"""Powers of ten beyond which a number is not written out."""
"""Digits are 0 to 9: `\\d` takes those of all scripts, which no cast reads."""


@dataclass(slots=True)
class Numbers:
    """`values * 10**scale` where `readable`; `empty` where the file gives nothing at all; `beyond` where it gives a
    number that is larger than any meter counts, which is not readable.
    """

    values: NDArray[np.int64]
    scale: int
    readable: NDArray[np.bool_]
    empty: NDArray[np.bool_]
    beyond: NDArray[np.bool_] | None = None


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

    whole, fraction = parts["whole"].fill_null("").str.strip_chars_start("0"), parts["fraction"].fill_null("")
    numbers = (
        parts["whole"].is_not_null()
        & ((parts["whole"].str.len_chars() > 0) | (fraction.str.len_chars() > 0)).fill_null(False)
    ).to_numpy()
    digits = whole.str.len_chars().to_numpy().astype(np.int64)
    decimals = _decimals(
        digits[numbers], fraction.str.strip_chars_end("0").str.len_chars().to_numpy()[numbers]
    )
    beyond = numbers & ((digits > MAX_WHOLE_DIGITS) | (digits + decimals > _ROOM))
    readable = numbers & ~beyond
    padded = whole + fraction.str.pad_end(decimals + 1, "0").str.slice(0, decimals + 1)
    values = padded.cast(pl.Int64, strict=False).fill_null(0).to_numpy().copy()
    # One digit more than kept, and whether any comes after it, to round as decimal arithmetic does.
    values, rest = np.divmod(values, 10)
    more = (fraction.str.slice(decimals + 1).str.strip_chars("0") != "").to_numpy()
    values += (rest > 5) | ((rest == 5) & (more | (values % 2 == 1)))
    values[(parts["sign"] == "-").fill_null(False).to_numpy()] *= -1
    values[~readable] = 0
    return Numbers(values, -decimals, readable, empty, beyond)


def from_floats(numbers: NDArray[np.float64]) -> Numbers:
    """Read binary floating point as the shortest decimals that give it back, at most `MAX_DECIMALS`.

    >>> from_floats(np.array([0.1, 12.5, np.nan])).values.tolist()
    [1, 125, 0]
    """
    missing = np.isnan(numbers)
    finite = np.isfinite(numbers)
    size = np.where(finite, np.abs(numbers), 0.0)
    plausible = finite & (size < 10.0**_PLAUSIBLE_DIGITS)
    given = np.where(plausible, numbers, 0.0)
    for decimals in range(MAX_DECIMALS + 1):
        scaled = np.rint(given * 10.0**decimals)
        if np.array_equal(scaled / 10.0**decimals, given) or np.abs(scaled).max(initial=0.0) > 10.0**16:
            break
    beyond = finite & (size >= 10.0 ** min(MAX_WHOLE_DIGITS, _ROOM - decimals))
    readable = finite & ~beyond
    scaled = np.rint(np.where(readable, numbers, 0.0) * 10.0**decimals)
    return Numbers(scaled.astype(np.int64), -decimals, readable, missing, beyond)


def _parts(texts: pl.Series) -> pl.DataFrame:
    groups = texts.str.extract_groups(_PLAIN).struct.unnest()
    groups.columns = ["sign", "whole", "fraction"]
    return groups


def _decimals(whole_digits: NDArray[np.int64], fraction_digits: NDArray[np.uint32]) -> int:
    """As many as the column has, as long as every plausible number, with one digit more, fits in 64 bits."""
    plausible = whole_digits[whole_digits <= _PLAUSIBLE_DIGITS].max(initial=0)
    wanted = fraction_digits[whole_digits <= MAX_WHOLE_DIGITS].max(initial=0)
    return int(min(MAX_DECIMALS, wanted, _ROOM - plausible))


def _without_exponent(text: str) -> str:
    """The number written out; one that is too large to be, as the number that is beyond any meter."""
    if not _EXPONENT.fullmatch(text):
        return "?"
    number = Decimal(text)
    if number.adjusted() >= _WRITTEN_OUT:
        return f"{'-' if number.is_signed() else ''}{10**_WRITTEN_OUT}"
    return f"{number:f}" if number.adjusted() > -_WRITTEN_OUT else "0"
