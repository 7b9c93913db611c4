"""The values of a table whose columns bear our names, as observations."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest import spool
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.frames import LINE
from gridgate.dataplane.ingest.plain.cells import (
    Coded,
    coded,
    ends_of,
    legible,
    names_of_meters,
    numbers_of,
    observed_at,
    stamps_of,
    steps_of,
)
from gridgate.dataplane.ingest.plain.layout import Layout
from gridgate.dataplane.ingest.port import Groups, Meter, Notes, Observations, Stamp
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.dataplane.store.quarantine import Cause

_MOST_COLUMNS: Final = 2_000
_CELLS: Final = 1_000
"""A cell of a wide table is numbered by so many times its line, and its slot."""
_SERIES: Final = ("kind", "direction", "unit", "register")
_OF_A_PHASE: Final = re.compile(r"(?:l|phase ?)?([1-3a-c])", re.IGNORECASE)
_COUNTED: Final = (Kind.DAILY_ENERGY.value, Kind.REGISTER_READING.value)
_WORDS: Final = {quality.word: quality for quality in Quality if quality is not Quality.MISSING}
_MISSING: Final = Quality.MISSING.word
_NO_QUALITY: Final = f"no such quality; qualities are {', '.join([*_WORDS, _MISSING])}"
_METER: Final = "metering_point_id"


def observations(
    tables: Iterator[pl.DataFrame],
    layout: Layout,
    notes: Notes,
    *,
    values: int,
    place: str,
    heading: str = "",
) -> Iterator[Observations]:
    """Read a table that comes in one piece or in several, of about so many `values`, whose columns bear our names and
    that has the column `LINE`.

    Text is read as text is; a table that knows types (Parquet) may give instants and numbers as such.
    Raises `UnreadableFile` for a table that says one thing in two columns: which is meant cannot be told.
    """
    if len(layout.names) > _MOST_COLUMNS:
        raise UnreadableFile(
            f"the table has {len(layout.names)} columns, {_MOST_COLUMNS} at most",
            remedy="Give one value a line, or one day a line.",
            where=heading,
        )
    if layout.twice:
        raise UnreadableFile(
            "the columns « {} » and « {} » say the same thing".format(*layout.twice),
            remedy="Keep one of them.",
            where=heading,
        )
    lines = max(1, spool.VALUES // len(layout.values))
    pieces = (
        _completed(legible(piece, layout), layout)
        for table in tables
        for piece in (table.iter_slices(lines) if table.height else (table,))
    )
    yield from spool.in_parts(
        pieces,
        notes,
        values=values,
        dated=lambda piece: _without_undated(piece, layout, notes, place),
        meters=_meters,
        batches=lambda part: _batches(part, layout, notes, place),
    )


def _meters(frame: pl.DataFrame) -> tuple[list[str], NDArray[np.int64]]:
    meters = coded(frame[_METER])
    return meters.texts, meters.codes


def _without_undated(frame: pl.DataFrame, layout: Layout, notes: Notes, place: str) -> pl.DataFrame:
    """The rows that may come into a series. What cannot be dated is set aside, and not kept with the others of its meter:
    however much there is of it, nothing is deduced from it.
    """
    dated = stamps_of(frame[layout.stamp]).readable
    if not dated.all():
        dated |= stamps_of(frame["observed_at"]).readable
    if dated.all():
        return frame
    # The first of each series stays, which comes in the file where it stands.
    first = frame.select(pl.struct(_METER, *_SERIES, "phase").is_first_distinct()).to_series().to_numpy()
    kept = pl.Series(dated | first)
    for _ in _batches(frame.filter(~kept), layout, notes, place):
        pass
    return frame.filter(kept)


def _completed(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The table with all of our columns that say of what a value is."""
    absent = [
        pl.lit(layout.constants.get(name), pl.String).alias(name)
        for name in (_METER, *_SERIES, "phase", "tariff", "quality", "resolution", "observed_at")
        if name not in frame.columns
    ]
    frame = frame.with_columns(absent)
    frame = frame.with_columns(names_of_meters(frame[_METER]))
    texts = pl.col("kind", "direction", "unit", "register", "phase", "tariff", "quality").cast(pl.String)
    return _by_tariff(frame.with_columns(texts))


def _batches(frame: pl.DataFrame, layout: Layout, notes: Notes, place: str) -> Iterator[Observations]:
    meters = coded(frame[_METER])
    by = [*_SERIES, "phase", *(("resolution", "quality") if layout.wide else ())]
    for key, rows in _combinations(frame, by):
        part = _Part(key, frame if rows is None else frame[rows], meters, rows, layout, place)
        kind, direction, reason = _key(key)
        if reason or kind is None:
            _reject_all(part, layout.values, reason, notes)
            continue
        batch = (_wide if layout.wide else _long)(part, kind, direction, notes)
        if batch is not None:
            yield batch


def _combinations(
    frame: pl.DataFrame, by: Sequence[str]
) -> Iterator[tuple[dict[str, str], NDArray[np.int64] | None]]:
    """The different values of some columns together, in the order in which they come, and the rows that have them; None
    where all have."""
    if not frame.height:
        return
    columns = {name: coded(frame[name]) for name in by}
    code = np.zeros(frame.height, np.int64)
    for column in columns.values():
        if len(column.texts) > 1:
            code = np.unique(code * len(column.texts) + column.codes, return_inverse=True)[1]
    order = np.argsort(code, kind="stable") if code.any() else None
    if order is None:
        yield {name: column.texts[0] for name, column in columns.items()}, None
        return
    parts = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    for rows in sorted(parts, key=lambda rows: int(rows[0])):
        yield {name: column.texts[column.codes[rows[0]]] for name, column in columns.items()}, rows


class _Part:
    """The rows of a table that are of one kind, direction, unit, register and phase."""

    def __init__(
        self,
        key: dict[str, str],
        rows: pl.DataFrame,
        meters: Coded,
        places: NDArray[np.int64] | None,
        layout: Layout,
        place: str,
    ) -> None:
        self.key, self.rows, self.layout, self.place = key, rows, layout, place
        self.names = meters.texts
        self.meter = meters.codes if places is None else meters.codes[places]
        """Of each row, by its place in `names`."""
        self._first = np.zeros(len(meters.texts), np.int64)
        self._first[self.meter[::-1]] = (np.arange(rows.height) if places is None else places)[::-1]

    def some(self, told: NDArray[np.bool_]) -> None:
        """Go on with some of the rows."""
        if not told.all():
            self.rows, self.meter = self.rows.filter(pl.Series(told)), self.meter[told]

    def by_meter(self) -> Groups:
        return Groups([Meter(name) for name in self.names], self.meter, self._first)

    def by_line(self, slots: int) -> Groups:
        """Each line by itself, of as many slots."""
        lines = np.arange(self.rows.height)
        meters = [Meter(name) for name in self.names]
        seen = self._first[self.meter] * 2**32 + lines
        return Groups([meters[code] for code in self.meter.tolist()], np.repeat(lines, slots), seen)


def _by_tariff(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with the tariff as the register of what is counted by tariff. Of a curve it says when it held."""
    if frame["tariff"].null_count() == frame.height:
        return frame
    counted = pl.col("kind").str.strip_chars().str.to_lowercase().is_in(_COUNTED)
    unnamed = pl.col("register").fill_null("").str.strip_chars() == ""
    return frame.with_columns(
        pl.when(counted & unnamed).then(pl.col("tariff")).otherwise(pl.col("register")).alias("register")
    )


def _long(part: _Part, kind: Kind, direction: FlowDirection | None, notes: Notes) -> Observations | None:
    quality, strange = _qualities(part, notes)
    rows, layout, groups = part.rows, part.layout, part.by_meter()
    stamps = stamps_of(rows[layout.stamp])
    if kind in (Kind.MAXIMUM_POWER, Kind.REGISTER_READING):
        stamps = observed_at(stamps, stamps_of(rows["observed_at"]))
    return observe(
        Columns(
            groups=groups,
            kind=kind,
            direction=direction,
            register=part.key["register"],
            stamp=_stamp(kind, ends=layout.stamp == "end"),
            unit=part.key["unit"] or kind.unit,
            stamps=stamps,
            values=numbers_of(rows["value"], groups.of),
            raw=rows["value"],
            rows=rows[LINE].cast(pl.Int64).to_numpy(),
            steps=steps_of(rows) if kind is Kind.LOAD_CURVE else None,
            ends=ends_of(rows) if kind is Kind.LOAD_CURVE else None,
            quality=quality,
            faulty=(strange, Cause.QUALITY, _NO_QUALITY),
            place=part.place,
        ),
        notes,
    )


def _wide(part: _Part, kind: Kind, direction: FlowDirection | None, notes: Notes) -> Observations | None:
    """One day a line: `v1` is the step that begins at midnight. The day that has 46 of them leaves the last
    ones empty."""
    layout, key = part.layout, part.key
    if kind is not Kind.LOAD_CURVE:
        _reject_all(part, layout.values, f"one day a line is for load_curve, not for {kind.value}", notes)
        return None
    if not key["resolution"]:
        _reject_all(part, layout.values, "a day a line needs its step; give a resolution", notes)
        return None
    _, strange = _qualities(part, notes)
    _reject_all(part, layout.beyond, "no day has such a slot; leave it empty", notes)
    if not part.rows.height:
        return None
    numbers = np.array([int(slot[1:]) for slot in layout.slots])
    order = np.argsort(numbers, kind="stable")
    numbers, lines = numbers[order], part.rows.height
    across = part.rows.unpivot([layout.slots[place] for place in order.tolist()])["value"]
    values = across.gather(np.arange(len(across)).reshape(-1, lines).T.ravel())
    stamps = stamps_of(part.rows[layout.stamp]).repeated(len(numbers))
    groups = part.by_line(len(numbers))
    line = part.rows[LINE].cast(pl.Int64).to_numpy()
    return observe(
        Columns(
            groups=groups,
            kind=kind,
            direction=direction,
            register=key["register"],
            stamp=Stamp.SLOT,
            unit=key["unit"] or kind.unit,
            stamps=stamps,
            slots=np.tile(numbers - 1, lines).astype(np.int32),
            values=numbers_of(values, groups.of),
            raw=values,
            rows=np.repeat(line, len(numbers)) * _CELLS + np.tile(numbers, lines),
            steps=seconds_of(key["resolution"]),
            quality=_WORDS.get(key["quality"].casefold(), Quality.MEASURED),
            faulty=(np.full(len(values), strange.any()), Cause.QUALITY, _NO_QUALITY),
            place=_Cell(part.place),
        ),
        notes,
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell of a wide table: « line 3, column v17 »."""

    line: str

    def format(self, row: int, /) -> str:
        line, slot = divmod(int(row), _CELLS)
        return f"{self.line.format(line)}, column v{slot}"


def _key(key: dict[str, str]) -> tuple[Kind | None, FlowDirection | None, str]:
    kinds = {kind.value: kind for kind in Kind}
    directions = {direction.value: direction for direction in FlowDirection}
    kind = kinds.get(key["kind"].casefold() or Kind.LOAD_CURVE.value)
    if kind is None:
        return None, None, f"« {key['kind']} » is no kind; kinds are {', '.join(kinds)}"
    if key["direction"] and key["direction"].casefold() not in directions:
        return None, None, f"« {key['direction']} » is no direction; directions are {', '.join(directions)}"
    if phase := _OF_A_PHASE.fullmatch(key["phase"]):
        return (
            None,
            None,
            f"the values are of phase {phase[1].upper()} alone; those of the whole supply are kept",
        )
    return kind, directions.get(key["direction"].casefold()), ""


def _stamp(kind: Kind, *, ends: bool) -> Stamp:
    match kind:
        case Kind.LOAD_CURVE:
            return Stamp.END if ends else Stamp.START
        case Kind.DAILY_ENERGY:
            return Stamp.DAY
        case _:
            return Stamp.MOMENT


def _qualities(part: _Part, notes: Notes) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The codes of the rows that stay, and which have a quality that we do not know. « missing » makes a row a hole,
    whatever its value."""
    told = coded(part.rows["quality"])
    words = pl.Series(told.texts, dtype=pl.String).str.to_lowercase().to_list()
    here = np.array([word != _MISSING for word in words], bool)[told.codes]
    known = {"": int(Quality.MEASURED), **{word: int(quality) for word, quality in _WORDS.items()}}
    notes.holes += int((~here).sum())
    part.some(here)
    codes = np.array([known.get(word, int(Quality.MEASURED)) for word in words], np.uint8)
    strange = np.array([word not in known for word in words], bool)
    return codes[told.codes[here]], strange[told.codes[here]]


def _reject_all(part: _Part, columns: Sequence[str], reason: str, notes: Notes) -> None:
    """Reject every value of those columns; a row without one is a hole."""
    lines = part.rows[LINE].to_list()
    for column in columns:
        where = part.place if column == "value" else f"{part.place}, column {column}"
        values = part.rows[column].cast(pl.String).to_list()
        for line, meter, value in zip(lines, part.meter.tolist(), values, strict=True):
            if value is not None and value.strip():
                notes.reject(where.format(line), reason, value, meter=[part.names[meter]])
            else:
                notes.holes += 1
