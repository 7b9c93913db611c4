"""Enedis R63, R64, R65, R66 as CSV, and their recurring A and B: the columns of the R6X guide (v2.0),
separated by `;`.

Column names come with and without accents, and some deliveries leave the last ones out; the flow is told by
the columns that only it has. What the values mean is decided as in `enedis_r6x_json`. One line is one value;
a file may hold any number of points, quantities and steps.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import Kind, Quality
from gridgate.dataplane.ingest import enedis, spool
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import LINE, cells, distinct, first_line, groups, read_tables
from gridgate.dataplane.ingest.port import Groups, Meter, Notes, Observations, Stamp
from gridgate.dataplane.ingest.stamps import parse_stamps

_METER: Final = "identifiant prm"
_BASE: Final = (_METER, "grandeur physique", "grandeur metier", "unite", "valeur")
_ALIKE: Final = ("grandeur physique", "grandeur metier", "unite", "pas d'agregation")
_STAGE: Final = ("etape metier", "mode de calcul")
_REGISTER: Final = ("grille", "identifiant calendrier", "identifiant classe temporelle", "cadran")

_ROOM_OF_ONE: Final = 2
"""A line has twice the columns of others, and takes as much more room."""


class R6xCsvReader:
    """R63, R64, R65, R66 in CSV."""

    name: ClassVar[str] = "enedis-r6x-csv"
    title: ClassVar[str] = "Enedis R63, R64, R65, R66 (CSV)"

    def recognises(self, content: Content) -> bool:
        return bool(content.first_lines) and _flow(_names(content.first_lines[0])) is not None

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        names = _names(first_line(content).decode("utf-8", "replace"))
        kind = _flow(names)
        if kind is None:  # only when --format names this reader
            kind = Kind.LOAD_CURVE
        notes.published_at = enedis.published_at(None, content.name)
        tables = read_tables(content, notes, separator=";", columns=names, complete=True)
        pieces = (
            _with_columns(piece, kind)
            for table in tables
            for piece in (table.iter_slices(spool.VALUES) if table.height else (table,))
        )
        yield from spool.in_parts(
            pieces,
            notes,
            values=_ROOM_OF_ONE * content.lines,
            dated=lambda piece: _without_undated(piece, kind, notes),
            meters=_meters,
            batches=lambda part: _batches(part, kind, notes),
        )


READER: Final = R6xCsvReader()


def _names(header: str) -> list[str]:
    """Column names without accents."""
    return distinct([enedis.plain(cell) for cell in cells(header, ";")])


def _flow(names: Sequence[str]) -> Kind | None:
    have = set(names)
    if not have.issuperset(_BASE):
        return None
    if "horodate" not in have:
        return Kind.DAILY_ENERGY if "date" in have else None
    if have & {"cadran", "identifiant classe temporelle", "type de releve"}:
        return Kind.REGISTER_READING
    if "nature" in have or "indice de vraisemblance" in have:
        return Kind.LOAD_CURVE
    return Kind.MAXIMUM_POWER if "pas" in have else Kind.LOAD_CURVE


def _with_columns(frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """The columns that are looked at, absent ones included, and the step as a key where a whole series has one."""
    daily = kind in (Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER)
    wanted = (*_BASE, *_STAGE, *_REGISTER, "horodate", "date", "nature", "indice de vraisemblance", "pas")
    absent = [pl.lit(None, pl.String).alias(name) for name in wanted if name not in frame.columns]
    frame = frame.with_columns(absent).select(LINE, *wanted)
    return frame.with_columns((pl.col("pas") if daily else pl.lit("")).alias("pas d'agregation"))


def _without_undated(frame: pl.DataFrame, kind: Kind, notes: Notes) -> pl.DataFrame:
    """The rows that may come into a series. Of the others nothing is deduced: however many there are, they are not kept
    with those of their meter."""
    dated = parse_stamps(frame[_stamp(kind)]).readable
    if dated.all():
        return frame
    # The first of each series stays, which comes in the file where it stands.
    first = frame.select(pl.struct(_METER, *_by(kind)).is_first_distinct()).to_series().to_numpy()
    kept = pl.Series(dated | first)
    for _ in _batches(frame.filter(~kept), kind, notes):
        pass
    return frame.filter(kept)


def _batches(frame: pl.DataFrame, kind: Kind, notes: Notes) -> Iterator[Observations]:
    for key, rows in groups(frame, _by(kind)):
        batch = _series(key, rows, kind, notes)
        if batch is not None:
            yield batch


def _by(kind: Kind) -> list[str]:
    return [*_ALIKE, *_STAGE, *(_REGISTER if kind is Kind.REGISTER_READING else ())]


def _stamp(kind: Kind) -> str:
    return "date" if kind is Kind.DAILY_ENERGY else "horodate"


def _series(key: dict[str, str], rows: pl.DataFrame, kind: Kind, notes: Notes) -> Observations | None:
    physical, direction = key["grandeur physique"], enedis.direction_of(key["grandeur metier"])
    refusal = _refusal(key, kind)
    if refusal:
        meters = rows[_METER].fill_null("").str.strip_chars()
        for line, value, meter in zip(rows[LINE], rows["valeur"], meters, strict=True):
            if value:
                notes.reject(f"line {line}", refusal, value, meter=[meter])
        return None
    lines = rows[LINE].cast(pl.Int64).to_numpy()
    curve = kind is Kind.LOAD_CURVE
    natures = rows["nature"].to_list()
    stage = " ".join(key[name] for name in _STAGE if key[name])
    calendar = key.get("identifiant calendrier", "")
    return observe(
        Columns(
            groups=_by_meter(rows, lines),
            kind=kind,
            direction=direction,
            register=_register(key, kind, physical),
            stamp={Kind.LOAD_CURVE: Stamp.BY_SEGMENT, Kind.DAILY_ENERGY: Stamp.DAY}.get(kind, Stamp.MOMENT),
            unit=key["unite"],
            stamps=rows[_stamp(kind)],
            values=rows["valeur"],
            rows=lines,
            steps=_steps(rows["pas"]) if curve else None,
            quality=enedis.qualities_of_natures(natures, stage)
            if curve
            else enedis.qualities_of_likelihoods(rows["indice de vraisemblance"].to_list())
            if kind is Kind.REGISTER_READING
            else Quality.MEASURED,
            variant=f"{stage} {calendar}".strip(),
        ),
        notes,
    )


def _by_meter(rows: pl.DataFrame, lines: NDArray[np.int64]) -> Groups:
    """Each meter of the rows, as the file has them first."""
    names, of = _meters(rows)
    first = np.zeros(len(names), np.int64)
    first[of[::-1]] = lines[::-1]
    return Groups([Meter(name) for name in names], of, first)


def _meters(rows: pl.DataFrame) -> tuple[list[str], NDArray[np.int64]]:
    """The different names of meters, and of each row the place of its own among them."""
    meters = rows[_METER].fill_null("").str.strip_chars()
    distinct = meters.unique(maintain_order=True)
    of = meters.replace_strict(distinct, np.arange(len(distinct)), return_dtype=pl.Int64)
    return distinct.to_list(), of.to_numpy().astype(np.int64)


def _register(key: dict[str, str], kind: Kind, physical: str) -> str:
    if kind is Kind.MAXIMUM_POWER:
        return enedis.MAXIMA[physical]
    if kind is not Kind.REGISTER_READING:
        return ""
    code, dial = key["identifiant classe temporelle"], key["cadran"]
    is_total = dial.endswith("_T") or not (code or dial)
    grid, calendar = key["grille"], key["identifiant calendrier"]
    return "" if is_total else enedis.register_of(code, grid=grid, calendar=calendar, dial=dial)


def _refusal(key: dict[str, str], kind: Kind) -> str:
    physical, step = key["grandeur physique"], key["pas d'agregation"]
    if enedis.direction_of(key["grandeur metier"]) is None:
        return f"grandeur métier « {key['grandeur metier']} » is neither CONS nor PROD"
    if physical not in (enedis.MAXIMA if kind is Kind.MAXIMUM_POWER else enedis.ACTIVE):
        return enedis.not_kept(physical)
    if kind is Kind.REGISTER_READING and _names_no_class(key):
        return enedis.NO_CLASS
    return (
        f"the values are of a step « {step} »; daily ones (P1D) are kept" if step not in ("", "P1D") else ""
    )


def _names_no_class(key: dict[str, str]) -> bool:
    told = key["identifiant classe temporelle"] or key["cadran"]
    return not told and bool(key["grille"] or key["identifiant calendrier"])


def _steps(codes: pl.Series) -> Sequence[int]:
    """Seconds of each `Pas`; 0, to be deduced from the stamps, where there is none."""
    stripped = codes.fill_null("").str.strip_chars()
    table = {code: seconds_of(code) if code else 0 for code in stripped.unique().to_list()}
    return [table[code] for code in stripped.to_list()]
