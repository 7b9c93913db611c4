"""The CSV that a customer downloads from the Enedis account ("Télécharger mes données").

A file is one section or several, each of its own type of data. Line 1 of a section names the columns of line 2
(point, type of data, period, quantity, unit, step), line 3 those of the values that follow. Separator `;`, UTF-8
with a mark; older exports, and those that went through a spreadsheet, are Windows-1252.

What is decided here, on real exports:

- Stamps are meant BY_SEGMENT: ends for C5 and P4 (the first of a period is 00:30, the period's own end the last),
  starts for C1–C4. They bear their offset.
- `Pas en minutes` is often empty: the step is then deduced from the stamps, and may change within the file.
- A stamp without a value is a hole.
- A curve without a unit is in W, a maximum in VA.
- An index file has one register for each dial (`EAS F1` is register `F1`, the supplier's; `EAS D1` is `D1`,
  the distributor's), and the total without a name (`EAS T`). `EAI` is injection.
- The table that begins with `Periode` after the values of an index tells which calendar was in force: no values.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Final

import polars as pl

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import LINE, cells, distinct, read_table
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp, literal
from gridgate.dataplane.ingest.unreadable import UnreadableFile

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
_STAMPS: Final = {Kind.LOAD_CURVE: Stamp.BY_SEGMENT, Kind.DAILY_ENERGY: Stamp.DAY}
_UNITS: Final = {Kind.LOAD_CURVE: "W", Kind.MAXIMUM_POWER: "VA"}
"""Where the file leaves them out. Energies come in Wh and kWh, and have to say which."""
_MARKER: Final = re.compile(
    rb'^[ \t"]*(?:(?P<section>identifiant prm)|p(?:e|\xe9|\xc3\xa9)riode)[ \t"]*;',
    re.IGNORECASE | re.MULTILINE,
)
_METER: Final = "identifiant prm"
_NOT_KEPT: Final = {"reactive": "ER", "tension": "E"}
_PHASE: Final = re.compile(r"(?:phase|pma) ?([123])\b")


class CustomerCsvReader:
    """The customer's own export."""

    name: ClassVar[str] = "enedis-customer-csv"
    title: ClassVar[str] = "Enedis export of a customer's account (CSV)"

    def recognises(self, content: Content) -> bool:
        names = (
            [enedis.plain(cell) for cell in cells(content.first_lines[0], ";")] if content.first_lines else []
        )
        return names[:2] == [_METER, "type de donnees"]

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        data = content.read()
        sections = _readable(_sections(data.removeprefix(b"\xef\xbb\xbf")), notes)
        names = [f"c{number}" for number in range(max(len(section.columns) for section in sections))]
        frame = read_table(
            content, data, notes, separator=";", columns=names, header_line=3, encodings=_ENCODINGS
        )
        lines = frame[LINE].cast(pl.Int64)
        for section in sections:
            first, end = (int(lines.search_sorted(line)) for line in (section.first, section.end))
            rows = frame.slice(first, end - first).select(LINE, *names[: len(section.columns)])
            rows.columns = [LINE, *section.columns]
            yield from _values(section, rows, notes)


READER: Final = CustomerCsvReader()


@dataclass(frozen=True, slots=True)
class _Section:
    """What the first three lines of a section say, and the lines of its values."""

    meter: str
    kind: Kind
    direction: FlowDirection | None
    physical: str
    stage: str
    unit: str
    step: int
    columns: list[str]
    first: int
    end: int

    def series(self) -> Iterator[tuple[str, str, FlowDirection | None]]:
        """(column, register, direction) of each column of values."""
        if self.kind is not Kind.REGISTER_READING:
            phase = _PHASE.search(self.physical) if self.kind is Kind.MAXIMUM_POWER else None
            yield "valeur", f"PMA{phase[1]}" if phase else "", self.direction
            return
        for column in self.columns:
            family, _, dial = column.partition(" ")
            if family in _DIALS:
                yield column, "" if dial == "t" else dial.upper(), self.direction or _DIALS[family]

    @property
    def refusal(self) -> str:
        """Why the values of the section are not kept; empty when they are."""
        if code := next((code for word, code in _NOT_KEPT.items() if word in self.physical), ""):
            return literal(enedis.not_kept(code))
        if self.kind is not Kind.MAXIMUM_POWER and (phase := _PHASE.search(self.physical)):
            return f"the values are of phase {phase[1]} alone; those of the whole supply are kept"
        return ""


@dataclass(frozen=True, slots=True)
class _Unread:
    """What is wrong with the head of a section, and the name that it gives to its meter, if any."""

    error: UnreadableFile
    meter: list[str]


def _values(section: _Section, rows: pl.DataFrame, notes: Notes) -> Iterator[Observations]:
    for column, register, direction in section.series():
        place = "line {}" if column == "valeur" else f"line {{}}, column {literal(column.upper())}"
        if section.refusal:
            for line, value in rows.select(LINE, column).iter_rows():
                if value and value.strip():
                    notes.reject(place.format(line), section.refusal, value, meter=[section.meter])
            continue
        batch = observe(
            Columns(
                meter=section.meter,
                kind=section.kind,
                direction=direction,
                register=register,
                stamp=_STAMPS.get(section.kind, Stamp.MOMENT),
                unit=section.unit or _UNITS.get(section.kind, ""),
                stamps=rows[section.columns[0]],
                values=rows[column],
                rows=rows[LINE].cast(pl.Int64).to_numpy(),
                steps=section.step or None,
                variant=section.stage,
                place=place,
            ),
            notes,
        )
        if batch is not None:
            yield batch


def _readable(sections: Iterable[_Section | _Unread], notes: Notes) -> list[_Section]:
    """The sections whose head holds. The others are rejected; raises what is wrong with the first when none holds."""
    wrong: list[_Unread] = []
    readable: list[_Section] = []
    for section in sections:
        if isinstance(section, _Unread):
            wrong.append(section)
        else:
            readable.append(section)
    if not readable:
        raise (
            wrong[0].error
            if wrong
            else UnreadableFile(
                "no line begins with « Identifiant PRM », as the head of an export does",
                remedy="Download it again.",
            )
        )
    for unread in wrong:
        error = unread.error
        notes.reject(error.where, f"{error.message}. {error.remedy}", "", meter=unread.meter)
    return readable


def _sections(data: bytes) -> Iterator[_Section | _Unread]:
    """The sections in the order of the file. Each ends where the next, or a table of periods, begins."""
    lines, marked = 1, 0
    starts: list[tuple[int, int, bool]] = []
    for marker in _MARKER.finditer(data):
        lines += data.count(b"\n", marked, marker.start())
        marked = marker.start()
        starts.append((lines, marked, marker["section"] is not None))
    last = lines + data.count(b"\n", marked) + 2
    for (line, at, is_section), (end, *_) in pairwise([*starts, (last, 0, False)]):
        if is_section:
            texts = [_text(row) for row in _head(data, at)]
            heading = _heading(texts)
            try:
                yield _section(texts, heading, line, end)
            except UnreadableFile as error:
                yield _Unread(error, [name] if (name := heading.get(_METER)) else [])


def _heading(head: list[str]) -> dict[str, str]:
    """What the first two lines of a section say, by the names of the first."""
    header, values = (cells(text, ";") for text in (*head, "", "")[:2])
    return dict(zip(map(enedis.plain, header), values, strict=False))


def _section(texts: list[str], heading: dict[str, str], line: int, end: int) -> _Section:
    """The section that begins at a line. Raises `UnreadableFile` where its head does not hold."""
    if len(texts) < 3:
        raise UnreadableFile(
            "the file is truncated: it ends before its values",
            remedy="Download it again.",
            where=f"line {line + len(texts) - 1}",
        )
    columns = distinct([enedis.plain(cell) for cell in cells(texts[2], ";")])
    kind = next(
        (k for word, k in _KINDS if enedis.plain(heading.get("type de donnees", "")).startswith(word)), None
    )
    if kind is None:
        raise UnreadableFile(
            f"the type of data « {heading.get('type de donnees', '')} » is not read here",
            remedy="Download the load curve, the index, the daily energy or the maximum power.",
            where=f"line {line + 1}",
        )
    if kind is not Kind.REGISTER_READING and "valeur" not in columns:
        raise UnreadableFile(
            "there is no column « Valeur »", remedy="Download the file again.", where=f"line {line + 2}"
        )
    minutes = heading.get("pas en minutes", "")
    return _Section(
        meter=heading.get(_METER, ""),
        kind=kind,
        direction=enedis.direction_of(heading.get("grandeur metier", "")),
        physical=enedis.plain(heading.get("grandeur physique", "")),
        stage=heading.get("etape metier", ""),
        unit=heading.get("unite", ""),
        step=seconds_of(minutes) if minutes else 0,
        columns=columns,
        first=line + 3,
        end=end,
    )


def _head(data: bytes, at: int) -> list[bytes]:
    """The first three lines from a byte on."""
    rows: list[bytes] = []
    while len(rows) < 3 and at < len(data):
        end = data.find(b"\n", at)
        end = end if end >= 0 else len(data)
        rows.append(data[at:end].rstrip(b"\r"))
        at = end + 1
    return rows


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")
