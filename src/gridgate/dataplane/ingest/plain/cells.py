"""What the cells of a column say, whether it holds text or is of a type that knows instants and numbers."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.dataplane.ingest.columns import seconds_of
from gridgate.dataplane.ingest.decimals import Numbers, from_floats
from gridgate.dataplane.ingest.plain.layout import ALIASES, Layout
from gridgate.dataplane.ingest.stamps import Stamps, parse_stamps
from gridgate.dataplane.ingest.unreadable import UnreadableFile

_MOST_MINUTES: Final = 10_000
"""More are no step, and would not fit the arithmetic."""
_INSTANTS: Final = ("start", "end", "day", "observed_at")
_NO_TEXT: Final = (pl.Binary, pl.Duration, pl.Object)


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of text, by the different texts in it without the spaces around them, in the order in which they come."""

    texts: list[str]
    codes: NDArray[np.int64]
    """Of each row, the place of its text."""


def coded(column: pl.Series) -> Coded:
    """No value counts as empty."""
    column = column.cast(pl.String).fill_null("")
    if not len(column):
        return Coded([], np.zeros(0, np.int64))
    runs = column.rle_id().to_numpy().astype(np.int64)
    begins = np.flatnonzero(np.diff(runs, prepend=-1))
    heads = column.gather(begins)
    distinct = heads.unique(maintain_order=True)
    texts: dict[str, int] = {}
    codes = [texts.setdefault(text, len(texts)) for text in distinct.str.strip_chars().to_list()]
    of_heads = heads.replace_strict(distinct, codes, return_dtype=pl.Int64).to_numpy()
    return Coded(list(texts), of_heads[runs])


def names_of_meters(column: pl.Series) -> pl.Series:
    """The identifiers as text. A whole number has all the digits it was given, as long as its type holds them."""
    if (
        column.dtype.is_float()
        and (column.is_null() | ((column.abs() < 2**53) & (column == column.floor()))).all()
    ):
        column = column.cast(pl.Int64)
    if column.dtype != pl.String and not column.dtype.is_integer():
        raise UnreadableFile(
            f"metering_point_id is of type {column.dtype}, which does not hold an identifier's digits",
            remedy="Write it as text.",
        )
    return column.cast(pl.String)


def legible(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The table with text where a type says no more than text does, and no instants that polars fails on.

    Raises `UnreadableFile` for a column whose type can hold nothing that is looked for in it.
    """
    ours = [name for name in frame.columns if name in ALIASES or name in layout.values]
    for name in ours:
        dtype = frame.schema[name]
        if dtype.is_nested() or dtype in _NO_TEXT or (dtype.is_temporal() and name not in _INSTANTS):
            raise UnreadableFile(f"the column {name} is of type {dtype}", remedy="Write it as text.")
    texts = [name for name in ours if frame.schema[name] in (pl.Categorical, pl.Enum, pl.Null)]
    if layout.wide and not all(_is_plain_number(frame.schema[name]) for name in layout.values):
        texts += layout.values  # one column of values is made of them
    instants = [name for name in ours if frame.schema[name] in (pl.Date, pl.Datetime)]
    return frame.with_columns(
        pl.col(texts).cast(pl.String), *(_within_reach(name, frame.schema[name]) for name in instants)
    )


def _within_reach(name: str, dtype: pl.DataType) -> pl.Expr:
    """The instants of some thousand years; null, which is no instant, for what lies beyond."""
    reach = 10**6  # days
    if isinstance(dtype, pl.Datetime):
        reach = {"ms": 10**14, "us": 10**17, "ns": 2**63 - 1}[dtype.time_unit]
    return pl.when(pl.col(name).to_physical().is_between(-reach, reach)).then(pl.col(name)).alias(name)


def _is_plain_number(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or dtype.is_float()


def stamps_of(column: pl.Series) -> Stamps:
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("us"))
    if not isinstance(column.dtype, pl.Datetime):
        texts = column.cast(pl.String).fill_null("")
        return replace(parse_stamps(texts), texts=texts)
    wall = column.dtype.time_zone is None
    micros = column.cast(pl.Datetime("us", column.dtype.time_zone)).dt.epoch("us")
    seconds, fraction = np.divmod(micros.fill_null(0).to_numpy(), 1_000_000)
    readable = column.is_not_null().to_numpy() & (fraction == 0)
    return Stamps(seconds, np.full(len(column), wall), readable, column.cast(pl.String).fill_null(""))


def observed_at(start: Stamps, observed: Stamps) -> Stamps:
    """When each value was observed: told apart from the day it is of, or else that."""
    told = observed.readable
    return replace(
        start,
        seconds=np.where(told, observed.seconds, start.seconds),
        wall=np.where(told, observed.wall, start.wall),
        readable=told | start.readable,
    )


def numbers_of(column: pl.Series, groups: NDArray[np.int64]) -> Numbers | pl.Series:
    if column.dtype == pl.String:
        return column
    if column.dtype.is_integer():
        empty = column.is_null().to_numpy()
        signed = column.cast(pl.Int64, strict=False)
        readable = signed.is_between(-(10**15), 10**15, closed="none").fill_null(False).to_numpy()
        values = np.where(readable, signed.fill_null(0).to_numpy(), 0)
        return Numbers(values, 0, readable, empty, beyond=~readable & ~empty)
    if column.dtype.is_float():
        numbers = from_floats(column.fill_null(float("nan")).cast(pl.Float64).to_numpy(), groups)
        numbers.empty = column.is_null().to_numpy()
        return numbers
    return column.cast(pl.String)


def steps_of(rows: pl.DataFrame) -> NDArray[np.int64] | None:
    """Seconds of each value as the file says them, 0 where it does not; None when it says none."""
    codes = rows["resolution"]
    if codes.dtype.is_integer():
        minutes = codes.fill_null(0).cast(pl.Int64, strict=False).fill_null(-1)
        return minutes.clip(-1, _MOST_MINUTES).to_numpy() * 60
    told = coded(codes)
    if not any(told.texts):
        return None
    return np.array([seconds_of(code) if code else 0 for code in told.texts], np.int64)[told.codes]


def ends_of(rows: pl.DataFrame) -> Stamps | None:
    """When the values end, of a table that says when they begin too."""
    return stamps_of(rows["end"]) if "end" in rows.columns and "start" in rows.columns else None
