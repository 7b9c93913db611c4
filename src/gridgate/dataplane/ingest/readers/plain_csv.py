"""Gridgate's own CSV: `metering_point_id,kind,direction,start,resolution,value,unit,quality,register`, or a
day a line.

UTF-8, or Windows-1252 when the heads of the columns are, separated by comma, semicolon or tab; a decimal comma is
read when it is not the separator. The heads may be in French, and say the unit: `Début;Fin;Valeur (en kW)`. Only
`start` (or `end`, or `day`) and `value` are needed. See `docs/1-running/ingest.md`.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import cells, first_line, read_tables, separator_of
from gridgate.dataplane.ingest.plain.layout import Layout, layout_of, required
from gridgate.dataplane.ingest.plain.observing import observations
from gridgate.dataplane.ingest.port import Notes, Observations
from gridgate.dataplane.ingest.unreadable import UnreadableFile


class PlainCsvReader:
    """The documented columns, as text."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "plain CSV with the documented columns"

    def recognises(self, content: Content) -> bool:
        return (
            bool(content.first_lines)
            and _layout(content.first_lines[0]) is not None
            and not _is_enedis(content)
        )

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        header, encodings = _header(first_line(content))
        layout = _layout(header)
        if layout is None:
            names = cells(header, separator_of(header))
            raise UnreadableFile(required(names), remedy="See docs/1-running/ingest.md.", where="line 1")
        tables = read_tables(
            content,
            notes,
            separator=separator_of(header),
            columns=layout.names,
            encodings=encodings,
            complete=True,
        )
        values = content.lines * len(layout.values)
        yield from observations(tables, layout, notes, values=values, place="line {}", heading="line 1")


READER: Final = PlainCsvReader()


def _header(line: bytes) -> tuple[str, Sequence[str]]:
    """The heads of the columns, and the encodings of the file: one with « Début » not in UTF-8 is Windows-1252."""
    try:
        return line.decode("utf-8"), ("utf-8",)
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace"), ("utf-8", "cp1252")


def _layout(header: str) -> Layout | None:
    return layout_of(cells(header, separator_of(header)))


def _is_enedis(content: Content) -> bool:
    """Enedis' files have « Horodate » and « Valeur » too, after columns of their own."""
    return content.first_lines[0].casefold().startswith(("identifiant prm", '"identifiant prm'))
