"""Gridgate's own columns: one layout for CSV and Parquet, long (one value a line) or wide (one day a line).

Documented for people in `docs/1-running/ingest.md`; the names are public.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from unicodedata import combining, normalize

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest import spool
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.decimals import Numbers, from_floats
from gridgate.dataplane.ingest.frames import LINE, distinct
from gridgate.dataplane.ingest.port import Groups, Meter, Notes, Observations, Stamp
from gridgate.dataplane.ingest.stamps import Stamps, parse_stamps
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.dataplane.store.port import Cause

_ALIASES: Final = {
    "metering_point_id": ("metering_point", "usage_point_id", "prm", "meter_id", "meter", "id"),
    "kind": (),
    "direction": ("flow_direction",),
    "start": ("timestamp", "datetime", "date", "horodate", "debut", "date_de_debut"),
    "end": ("fin", "date_de_fin"),
    "day": (),
    "resolution": ("step", "interval_length"),
    "value": ("valeur",),
    "unit": ("unite",),
    "quality": (),
    "register": (),
    "phase": (),
    "tariff": ("tarif", "tou", "cadran"),
    "observed_at": (),
}
_SLOT: Final = re.compile(r"v?0*([0-9]{1,3})")
_MAX_SLOTS: Final = 300
"""25 hours of 5 minutes."""
_NUMBERED: Final = re.compile(r"v\d+")
"""Named as slots are, though no day may have that many, or in digits of another script: `v301`, `v3000000000`, `v٢`."""
_SLOTS: Final = frozenset(f"v{number}" for number in range(1, _MAX_SLOTS + 1))
_MOST_COLUMNS: Final = 2_000
_CELLS: Final = 1_000
"""A cell of a wide table is numbered by so many times its line, and its slot."""
_MOST_MINUTES: Final = 10_000
"""More are no step, and would not fit the arithmetic."""
_SERIES: Final = ("kind", "direction", "unit", "register")
_OF_A_PHASE: Final = re.compile(r"(?:l|phase ?)?([1-3a-c])", re.IGNORECASE)
_COUNTED: Final = (Kind.DAILY_ENERGY.value, Kind.REGISTER_READING.value)
_INSTANTS: Final = ("start", "end", "day", "observed_at")
_NO_TEXT: Final = (pl.Binary, pl.Duration, pl.Object)
_WORDS: Final = {quality.word: quality for quality in Quality if quality is not Quality.MISSING}
_MISSING: Final = Quality.MISSING.word
_NO_QUALITY: Final = f"no such quality; qualities are {', '.join([*_WORDS, _MISSING])}"
_METER: Final = "metering_point_id"
_MEASURE: Final = re.compile(
    rf"(\S+) ({'|'.join(kind.value for kind in Kind)}) ({'|'.join(d.value for d in FlowDirection)}) \((\w+)\)"
)

_IN_UNIT: Final = re.compile(r"(value|valeur)\s*[(\[]\s*(?:en\s+|in\s+)?(\w+)\s*[)\]]", re.IGNORECASE)
"""A column of values whose head says the unit: `Valeur (en kW)`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which of our columns a table has."""

    names: list[str]
    """The table's columns by our names, in the table's order."""
    slots: list[str]
    """Columns of a wide table, in its order; empty for a long one."""
    beyond: list[str]
    """Columns of a wide table whose numbers no day has: their values are rejected."""
    constants: dict[str, str]
    """What the header, and not a column, says of every value."""
    twice: tuple[str, str] | None = None
    """Two columns that say the same thing, as the file heads them."""

    @property
    def wide(self) -> bool:
        return bool(self.slots)

    @property
    def values(self) -> list[str]:
        """The columns that hold values."""
        return [*self.slots, *self.beyond] or ["value"]

    @property
    def stamp(self) -> str:
        return next(name for name in ("day", "start", "end") if name in self.names)


def layout_of(columns: Sequence[str], about: Mapping[str, str] | None = None) -> Layout | None:
    """Recognise the columns, in any order, capitals or not; None when they are not ours.

    `about` is what is known of every value beside the columns. The column that `gridgate export` heads with
    point, kind, direction and unit is a `value` that says these four.
    """
    names = []
    constants = dict(about or {})
    for column in columns:
        name = _name(column)
        if measure := _MEASURE.fullmatch(column.strip()):
            name = "value"
            constants |= dict(
                zip(("metering_point_id", "kind", "direction", "unit"), measure.groups(), strict=True)
            )
        elif in_unit := _IN_UNIT.fullmatch(_bare(column)):
            name = "value"
            constants["unit"] = in_unit[2]
        names.append(name)
    twice = _twice(names, columns)
    names = distinct(names)
    if not any(name in names for name in ("day", "start", "end")):
        return None
    if "value" in names:
        return Layout(names, [], [], constants, twice)
    numbered = [name for name in names if _NUMBERED.fullmatch(name)]
    slots = [name for name in numbered if name in _SLOTS]
    beyond = [name for name in numbered if name not in _SLOTS]
    return Layout(names, slots, beyond, constants, twice) if slots and len(numbered) > 1 else None


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
        _completed(_legible(piece, layout), layout)
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
    meters = _coded(frame[_METER])
    return meters.texts, meters.codes


def _without_undated(frame: pl.DataFrame, layout: Layout, notes: Notes, place: str) -> pl.DataFrame:
    """The rows that may come into a series. What cannot be dated is set aside, and not kept with the others of its meter:
    however much there is of it, nothing is deduced from it.
    """
    dated = _stamps(frame[layout.stamp]).readable
    if not dated.all():
        dated |= _stamps(frame["observed_at"]).readable
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
    frame = frame.with_columns(_names_of_meters(frame[_METER]))
    texts = pl.col("kind", "direction", "unit", "register", "phase", "tariff", "quality").cast(pl.String)
    return _by_tariff(frame.with_columns(texts))


def _batches(frame: pl.DataFrame, layout: Layout, notes: Notes, place: str) -> Iterator[Observations]:
    meters = _coded(frame[_METER])
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


@dataclass(frozen=True, slots=True)
class _Coded:
    """A column of text, by the different texts in it without the spaces around them, in the order in which they come."""

    texts: list[str]
    codes: NDArray[np.int64]
    """Of each row, the place of its text."""


def _coded(column: pl.Series) -> _Coded:
    """No value counts as empty."""
    column = column.cast(pl.String).fill_null("")
    if not len(column):
        return _Coded([], np.zeros(0, np.int64))
    runs = column.rle_id().to_numpy().astype(np.int64)
    begins = np.flatnonzero(np.diff(runs, prepend=-1))
    heads = column.gather(begins)
    distinct = heads.unique(maintain_order=True)
    texts: dict[str, int] = {}
    codes = [texts.setdefault(text, len(texts)) for text in distinct.str.strip_chars().to_list()]
    of_heads = heads.replace_strict(distinct, codes, return_dtype=pl.Int64).to_numpy()
    return _Coded(list(texts), of_heads[runs])


def _combinations(
    frame: pl.DataFrame, by: Sequence[str]
) -> Iterator[tuple[dict[str, str], NDArray[np.int64] | None]]:
    """The different values of some columns together, in the order in which they come, and the rows that have them; None
    where all have."""
    if not frame.height:
        return
    columns = {name: _coded(frame[name]) for name in by}
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
        meters: _Coded,
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


def _names_of_meters(column: pl.Series) -> pl.Series:
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


def _legible(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The table with text where a type says no more than text does, and no instants that polars fails on.

    Raises `UnreadableFile` for a column whose type can hold nothing that is looked for in it.
    """
    ours = [name for name in frame.columns if name in _ALIASES or name in layout.values]
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


def _long(part: _Part, kind: Kind, direction: FlowDirection | None, notes: Notes) -> Observations | None:
    quality, strange = _qualities(part, notes)
    rows, layout, groups = part.rows, part.layout, part.by_meter()
    stamps = _stamps(rows[layout.stamp])
    if kind in (Kind.MAXIMUM_POWER, Kind.REGISTER_READING):
        stamps = _observed(stamps, _stamps(rows["observed_at"]))
    return observe(
        Columns(
            groups=groups,
            kind=kind,
            direction=direction,
            register=part.key["register"],
            stamp=_stamp(kind, ends=layout.stamp == "end"),
            unit=part.key["unit"] or kind.unit,
            stamps=stamps,
            values=_numbers(rows["value"], groups.of),
            raw=rows["value"],
            rows=rows[LINE].cast(pl.Int64).to_numpy(),
            steps=_steps(rows) if kind is Kind.LOAD_CURVE else None,
            ends=_ends(rows) if kind is Kind.LOAD_CURVE else None,
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
    stamps = _stamps(part.rows[layout.stamp]).repeated(len(numbers))
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
            values=_numbers(values, groups.of),
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
    told = _coded(part.rows["quality"])
    words = pl.Series(told.texts, dtype=pl.String).str.to_lowercase().to_list()
    here = np.array([word != _MISSING for word in words], bool)[told.codes]
    known = {"": int(Quality.MEASURED), **{word: int(quality) for word, quality in _WORDS.items()}}
    notes.holes += int((~here).sum())
    part.some(here)
    codes = np.array([known.get(word, int(Quality.MEASURED)) for word in words], np.uint8)
    strange = np.array([word not in known for word in words], bool)
    return codes[told.codes[here]], strange[told.codes[here]]


def _stamps(column: pl.Series) -> Stamps:
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


def _observed(start: Stamps, observed: Stamps) -> Stamps:
    """When each value was observed: told apart from the day it is of, or else that."""
    told = observed.readable
    return replace(
        start,
        seconds=np.where(told, observed.seconds, start.seconds),
        wall=np.where(told, observed.wall, start.wall),
        readable=told | start.readable,
    )


def _numbers(column: pl.Series, groups: NDArray[np.int64]) -> Numbers | pl.Series:
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


def _steps(rows: pl.DataFrame) -> NDArray[np.int64] | None:
    """Seconds of each value as the file says them, 0 where it does not; None when it says none."""
    codes = rows["resolution"]
    if codes.dtype.is_integer():
        minutes = codes.fill_null(0).cast(pl.Int64, strict=False).fill_null(-1)
        return minutes.clip(-1, _MOST_MINUTES).to_numpy() * 60
    told = _coded(codes)
    if not any(told.texts):
        return None
    return np.array([seconds_of(code) if code else 0 for code in told.texts], np.int64)[told.codes]


def _ends(rows: pl.DataFrame) -> Stamps | None:
    """When the values end, of a table that says when they begin too."""
    return _stamps(rows["end"]) if "end" in rows.columns and "start" in rows.columns else None


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


def _name(column: str) -> str:
    name = _without_accents(_bare(column).casefold()).replace(" ", "_")
    slot = _SLOT.fullmatch(name)
    if slot and 1 <= int(slot[1]) <= _MAX_SLOTS:
        return f"v{int(slot[1])}"
    return next((ours for ours, others in _ALIASES.items() if name == ours or name in others), name)


def _bare(column: str) -> str:
    return column.strip().strip('"').strip()


def _without_accents(text: str) -> str:
    return "".join(char for char in normalize("NFD", text) if not combining(char))


def _twice(names: Sequence[str], columns: Sequence[str]) -> tuple[str, str] | None:
    """The first two columns that we would call by one name of ours."""
    seen: dict[str, str] = {}
    wide = "value" not in names
    for name, column in zip(names, columns, strict=True):
        if name in seen:
            return seen[name], column
        if name in _ALIASES or (wide and _NUMBERED.fullmatch(name)):
            seen[name] = column
    return None


def required(columns: Collection[str]) -> str:
    """What is missing for the columns to be ours, for a message."""
    return f"columns are {', '.join(columns) or 'none'}; needed are start and value, or day and v1, v2, …"
