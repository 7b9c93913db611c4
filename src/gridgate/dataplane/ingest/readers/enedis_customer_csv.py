"""The CSV that a customer downloads from the Enedis account ("Télécharger mes données").

Line 1 names the columns of line 2 (point, type of data, period, quantity, unit, step), line 3 those of the
values that follow. Separator `;`, UTF-8 with a mark; older exports, and those that went through a
spreadsheet, are Windows-1252.

What is decided here, on a real export:

- The individual account is for C5 points: stamps are the END of the interval (the first of a period is 00:30,
  the period's own end the last). They bear their offset.
- `Pas en minutes` is often empty: the step is then deduced from the stamps, and may change within the file.
- A stamp without a value is a hole.
- An index file has one register for each dial (`EAS F1` is register `F1`, the supplier's; `EAS D1` is `D1`,
  the distributor's), and the total without a name (`EAS T`). `EAI` is injection.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import LINE, cells, distinct, read_table
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp, UnreadableFile, literal

_ENCODINGS: Final = ("utf-8", "cp1252")
_DIALS: Final = {"eas": FlowDirection.WITHDRAWAL, "eai": FlowDirection.INJECTION}
_KINDS: Final = (
    ("courbe", Kind.LOAD_CURVE),
    ("index", Kind.REGISTER_READING),
    ("puissance", Kind.MAXIMUM_POWER),
    ("consommation", Kind.DAILY_ENERGY),
    ("production", Kind.DAILY_ENERGY),
    ("energie", Kind.DAILY_ENERGY),
)
_STAMPS: Final = {Kind.LOAD_CURVE: Stamp.END, Kind.DAILY_ENERGY: Stamp.DAY}


class CustomerCsvReader:
    """The customer's own export."""

    name: ClassVar[str] = "enedis-customer-csv"
    title: ClassVar[str] = "Enedis export of a customer's account (CSV)"

    def recognises(self, content: Content) -> bool:
        names = (
            [enedis.plain(cell) for cell in cells(content.first_lines[0], ";")] if content.first_lines else []
        )
        return names[:2] == ["identifiant prm", "type de donnees"]

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        data = content.read()
        about = _about(data)
        frame = read_table(
            content, data, notes, separator=";", columns=about.columns, header_line=3, encodings=_ENCODINGS
        )
        for column, register, direction in about.series():
            batch = observe(
                Columns(
                    meter=about.meter,
                    kind=about.kind,
                    direction=direction,
                    register=register,
                    stamp=_STAMPS.get(about.kind, Stamp.MOMENT),
                    unit=about.unit,
                    stamps=frame[about.columns[0]],
                    values=frame[column],
                    rows=frame[LINE].cast(pl.Int64).to_numpy(),
                    steps=about.step or None,
                    place="line {}" if column == "valeur" else f"line {{}}, column {literal(column.upper())}",
                ),
                notes,
            )
            if batch is not None:
                yield batch


READER: Final = CustomerCsvReader()


@dataclass(frozen=True, slots=True)
class _About:
    """What the first three lines say."""

    meter: str
    kind: Kind
    direction: FlowDirection | None
    unit: str
    step: int
    columns: list[str]

    def series(self) -> Iterator[tuple[str, str, FlowDirection | None]]:
        """(column, register, direction) of each column of values."""
        if self.kind is not Kind.REGISTER_READING:
            yield "valeur", "", self.direction
            return
        for column in self.columns:
            family, _, dial = column.partition(" ")
            if family in _DIALS:
                yield column, "" if dial == "t" else dial.upper(), self.direction or _DIALS[family]


def _about(data: bytes) -> _About:
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()[:3]
    if len(lines) < 3:
        raise UnreadableFile(
            "the file is truncated: it ends before its values",
            remedy="Download it again.",
            where=f"line {len(lines)}",
        )
    texts = [line.decode("utf-8", "replace") for line in lines]
    header, values = ([enedis.plain(c) for c in cells(texts[0], ";")], cells(texts[1], ";"))
    said = dict(zip(header, values, strict=False))
    columns = distinct([enedis.plain(cell) for cell in cells(texts[2], ";")])
    kind = next(
        (k for word, k in _KINDS if enedis.plain(said.get("type de donnees", "")).startswith(word)), None
    )
    if kind is None:
        raise UnreadableFile(
            f"the type of data « {said.get('type de donnees', '')} » is not read here",
            remedy="Download the load curve, the index, the daily energy or the maximum power.",
            where="line 2",
        )
    if kind is not Kind.REGISTER_READING and "valeur" not in columns:
        raise UnreadableFile(
            "there is no column « Valeur »", remedy="Download the file again.", where="line 3"
        )
    minutes = said.get("pas en minutes", "")
    return _About(
        meter=said.get("identifiant prm", ""),
        kind=kind,
        direction=enedis.direction_of(said.get("grandeur metier", "")),
        unit=said.get("unite", ""),
        step=seconds_of(minutes) if minutes else 0,
        columns=columns,
    )
