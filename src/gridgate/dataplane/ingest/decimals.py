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
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)")
_EXPONENT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?0*[0-9]{1,6}")
_WRITTEN_OUT: Final = 40
"""Powers of ten beyond which a number is not written out."""
"""Digits are 0 to 9: `\\d` takes those of all scripts, which no cast reads."""


_POWERS: Final = 10 ** np.arange(19, dtype=np.int64)
_FLOAT_POWERS: Final = np.array([10.0**power for power in range(MAX_DECIMALS + 1)])


@dataclass(slots=True)
class Numbers:
    """`values * 10**scale` where `readable`; `empty` where the file gives nothing at all; `beyond` where it gives a
    number that is larger than any meter counts, which is not readable.
    """

    values: NDArray[np.int64]
    scale: int | NDArray[np.int64]
    """Of all, or of each."""
    readable: NDArray[np.bool_]
    empty: NDArray[np.bool_]
    beyond: NDArray[np.bool_]


def parse_numbers(texts: pl.Series, groups: NDArray[np.int64] | None = None) -> Numbers:
    """Read a column of text: an optional sign, digits, a point or a comma, digits; or an exponent. What has more decimals
    than are kept is rounded half to even. How many are kept is for each of the `groups` of rows to say.

    >>> numbers = parse_numbers(pl.Series(["1,25", "-3", "", "NaN", "1e3"]))
    >>> numbers.values.tolist(), numbers.scale, numbers.readable.tolist()
    ([125, -300, 0, 0, 100000], -2, [True, True, False, False, True])
    """
    stripped = texts.fill_null("").str.strip_chars()
    empty = (stripped == "").to_numpy()
    values, points, plain = _plain(stripped)
    together = np.zeros(len(texts), np.int64) if groups is None else groups
    sizes = np.abs(values)
    digits = np.searchsorted(_POWERS, sizes // _POWERS[points], side="right")
    kept = _decimals(digits, points, plain, together)
    decimals = kept[together]
    readable = plain & (digits <= MAX_WHOLE_DIGITS) & (digits + decimals <= _ROOM)
    if points.any():
        more = np.clip(decimals - points, 0, 18)
        unit = _POWERS[np.clip(points - decimals, 0, 18)]
        whole, rest = np.divmod(np.where(readable, sizes, 0), unit)
        whole += (2 * rest > unit) | ((2 * rest == unit) & (whole % 2 == 1))
        values = np.sign(values) * whole * _POWERS[more]
    values, scales, beyond = np.where(readable, values, 0), -decimals, plain & ~readable
    odd = np.flatnonzero(~plain & ~empty)
    if len(odd):
        written = odd[[_is_number(text) for text in stripped.gather(odd.tolist())]]
        for group in np.unique(together[written]).tolist():
            rows = np.flatnonzero(together == group)
            exact = _parse_exactly(stripped.gather(rows.tolist()))
            values[rows], scales[rows], readable[rows] = exact.values, exact.scale, exact.readable
            beyond[rows] = exact.beyond
    alike = groups is None or not scales.any()
    scale = int(scales.max(initial=-MAX_DECIMALS)) if alike and len(scales) else 0 if alike else scales
    return Numbers(values, scale, readable, empty, beyond)


def _plain(texts: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """The digits of numbers as most are written, how many stand behind the point (none of them a last zero), and which
    are written so."""
    whole = texts.cast(pl.Int64, strict=False)
    plain = whole.is_not_null().to_numpy().copy()
    values = whole.fill_null(0).to_numpy().copy()
    points = np.zeros(len(texts), np.int64)
    rest = np.flatnonzero(~plain)
    if len(rest):
        text = texts.gather(rest).str.replace(",", ".", literal=True)
        at = text.str.find(".", literal=True)
        digits = text.str.replace(".", "", literal=True).cast(pl.Int64, strict=False)
        behind = text.str.len_bytes().cast(pl.Int64) - at.cast(pl.Int64) - 1
        # A sign, or nothing, before the point would let pass what is no number.
        headed = (at > 1) | ((at == 1) & text.str.contains(r"^[0-9]"))
        sound = (digits.is_not_null() & headed.fill_null(False)).to_numpy().copy()
        mantissa, fraction = digits.fill_null(0).to_numpy().copy(), behind.fill_null(0).to_numpy().copy()
        while (zero := sound & (fraction > 0) & (mantissa % 10 == 0)).any():
            mantissa[zero] //= 10
            fraction[zero] -= 1
        sound &= fraction < len(_POWERS)
        values[rest], points[rest], plain[rest] = (
            np.where(sound, mantissa, 0),
            np.where(sound, fraction, 0),
            sound,
        )
    lowest = values == np.iinfo(np.int64).min
    plain[lowest] = False
    values[lowest] = 0
    return values, points, plain


def _decimals(
    digits: NDArray[np.int64],
    points: NDArray[np.int64],
    numbers: NDArray[np.bool_],
    groups: NDArray[np.int64],
) -> NDArray[np.int64]:
    """For each group as many as it has, as long as every plausible number, with one digit more, fits in 64 bits."""
    count = int(groups.max(initial=0)) + 1
    if not points.any():
        return np.zeros(count, np.int64)
    plausible, wanted = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for most, limit, of in ((plausible, _PLAUSIBLE_DIGITS, digits), (wanted, MAX_WHOLE_DIGITS, points)):
        counted = numbers & (digits <= limit)
        np.maximum.at(most, groups[counted], of[counted])
    return np.minimum(np.minimum(MAX_DECIMALS, wanted), _ROOM - plausible)


def _is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text) or _EXPONENT.fullmatch(text))


def _parse_exactly(stripped: pl.Series) -> Numbers:
    """Numbers of one group of which some have exponents, or more digits than arithmetic does."""
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
    points = fraction.str.strip_chars_end("0").str.len_chars().to_numpy().astype(np.int64)
    decimals = int(_decimals(digits, points, numbers, np.zeros(len(digits), np.int64))[0])
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


def from_floats(numbers: NDArray[np.float64], groups: NDArray[np.int64] | None = None) -> Numbers:
    """Read binary floating point as the shortest decimals that give it back, at most `MAX_DECIMALS`, of each group.

    >>> from_floats(np.array([0.1, 12.5, np.nan])).values.tolist()
    [1, 125, 0]
    """
    missing = np.isnan(numbers)
    finite = np.isfinite(numbers)
    size = np.where(finite, np.abs(numbers), 0.0)
    plausible = finite & (size < 10.0**_PLAUSIBLE_DIGITS)
    given = np.where(plausible, numbers, 0.0)
    together = np.zeros(len(numbers), np.int64) if groups is None else groups
    kept = np.full(int(together.max(initial=0)) + 1, MAX_DECIMALS)
    open_rows, open_groups = np.arange(len(numbers)), np.ones(len(kept), bool)
    for decimals, power in enumerate(_FLOAT_POWERS):
        some, of = given[open_rows], together[open_rows]
        scaled = np.rint(some * power)
        differs, beyond = np.zeros(len(kept), bool), np.zeros(len(kept), bool)
        differs[of[scaled / power != some]] = True
        beyond[of[np.abs(scaled) > 10.0**16]] = True
        done = open_groups & (~differs | beyond)
        kept[done] = decimals
        open_groups &= ~done
        if not open_groups.any():
            break
        open_rows = open_rows[open_groups[of]]
    decimals_of = kept[together]
    power_of = _FLOAT_POWERS[decimals_of]
    beyond = finite & (size >= 10.0 ** np.minimum(MAX_WHOLE_DIGITS, _ROOM - decimals_of))
    readable = finite & ~beyond
    scaled = np.rint(np.where(readable, numbers, 0.0) * power_of)
    scale = -decimals_of if groups is not None and decimals_of.any() else -int(kept[0])
    return Numbers(scaled.astype(np.int64), scale, readable, missing, beyond)


def _parts(texts: pl.Series) -> pl.DataFrame:
    groups = texts.str.extract_groups(_PLAIN).struct.unnest()
    groups.columns = ["sign", "whole", "fraction"]
    return groups


def _without_exponent(text: str) -> str:
    """The number written out; one that is too large to be, as the number that is beyond any meter."""
    if not _EXPONENT.fullmatch(text):
        return "?"
    number = Decimal(text)
    if number.adjusted() >= _WRITTEN_OUT:
        return f"{'-' if number.is_signed() else ''}{10**_WRITTEN_OUT}"
    return f"{number:f}" if number.adjusted() > -_WRITTEN_OUT else "0"
