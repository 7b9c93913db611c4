"""The workbook that a customer downloads from the Enedis account: one line about the point, then dates and values.

    Point Référence Mesure (PRM) : | 30009900000016 | Type de comptage : | Consommation Quotidienne
    Date                           | Valeur (en kWh)
    01/01/2026                     | 6,329

What is counted stands on the first line, the unit in the header of the values. Stamps of curves are those of the point's
segment, as in the other downloads; those of daily energy are days.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Final

import polars as pl

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, unit_exponent
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import LINE, cells, distinct, read_table, separator_of
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.unreadable import UnreadableFile

_VALUE: Final = re.compile(r"valeur \(en (\w+)\)")
_STAMPS: Final = {Kind.LOAD_CURVE: Stamp.BY_SEGMENT, Kind.DAILY_ENERGY: Stamp.DAY}


class CustomerSheetReader:
    """One point, one quantity."""

    name: ClassVar[str] = "enedis-customer-sheet"
    title: ClassVar[str] = "Enedis export of a customer's account (workbook)"

    def recognises(self, content: Content) -> bool:
        return bool(content.first_lines) and enedis.plain(content.first_lines[0].strip('"')).startswith(
            "point reference mesure (prm)"
        )

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        data = content.read()
        lines = [
            line.decode("utf-8", "replace") for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()[:2]
        ]
        if len(lines) < 2:
            raise UnreadableFile(
                "the file is truncated: it ends before its values",
                remedy="Download it again.",
                where="line 1",
            )
        separator = separator_of(lines[1])
        about = cells(lines[0], separator)
        heading = {enedis.plain(name).rstrip(" :"): value for name, value in pairwise(about)}
        columns = [enedis.plain(cell) for cell in cells(lines[1], separator)]
        column, unit = _values(columns)
        kind, direction = _counted(heading.get("type de comptage", ""), unit)
        names = distinct(columns)
        frame = read_table(
            content,
            data,
            notes,
            separator=separator,
            columns=names,
            header_line=2,
            encodings=("utf-8", "cp1252"),
        )
        batch = observe(
            Columns(
                meter=heading.get("point reference mesure (prm)", ""),
                kind=kind,
                direction=direction,
                stamp=_STAMPS.get(kind, Stamp.MOMENT),
                unit=unit,
                stamps=frame[names[0]],
                values=frame[names[column]],
                rows=frame[LINE].cast(pl.Int64).to_numpy(),
            ),
            notes,
        )
        if batch is not None:
            yield batch


READER: Final = CustomerSheetReader()


def _values(columns: list[str]) -> tuple[int, str]:
    """Where the values stand, and in which unit."""
    of_values = [(index, match[1]) for index, name in enumerate(columns) if (match := _VALUE.fullmatch(name))]
    if len(of_values) != 1 or of_values[0][0] == 0:
        raise UnreadableFile(
            f"columns are {', '.join(filter(None, columns))}; needed are the dates and one « Valeur (en …) »",
            remedy="Download the file again.",
            where="line 2",
        )
    index, unit = of_values[0]
    known = next(
        (ours for ours in ("W", "kW", "MW", "Wh", "kWh", "MWh", "VA", "kVA") if ours.casefold() == unit), unit
    )
    return index, known


def _counted(counting: str, unit: str) -> tuple[Kind, FlowDirection | None]:
    words = enedis.plain(counting)
    kind = next(
        (
            kind
            for word, kind in (
                ("quotidienne", Kind.DAILY_ENERGY),
                ("journaliere", Kind.DAILY_ENERGY),
                ("horaire", Kind.LOAD_CURVE),
                ("courbe", Kind.LOAD_CURVE),
                ("puissance", Kind.MAXIMUM_POWER),
            )
            if word in words
        ),
        None,
    )
    if kind is None or unit_exponent(kind, unit) is None:
        raise UnreadableFile(
            f"what is counted, « {counting[:80]} » in {unit}, is not read here",
            remedy="Download the load curve, the daily energy or the maximum power.",
            where="line 1",
        )
    if "production" in words:
        return kind, FlowDirection.INJECTION
    return kind, FlowDirection.WITHDRAWAL if "consommation" in words else None
