"""Parquet with the same columns as plain CSV: instants, numbers and text as types, or all of it as text.

An instant with a time zone is that instant; one without is by the clock on the wall. `metering_point_id` must
be text, or a whole number: as one it has all the digits it was given.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import ClassVar, Final

import polars as pl

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import LINE
from gridgate.dataplane.ingest.parquet_process import Decoding, Undecodable, decoding
from gridgate.dataplane.ingest.plain.layout import layout_of, required
from gridgate.dataplane.ingest.plain.observing import observations
from gridgate.dataplane.ingest.port import Notes, Observations
from gridgate.dataplane.ingest.unreadable import UnreadableFile

_ABOUT: Final = {"metering_point": "metering_point_id"}
"""Metadata that `gridgate export` writes under other names than the columns have."""


class ParquetReader:
    """The documented columns, typed."""

    name: ClassVar[str] = "parquet"
    title: ClassVar[str] = "Parquet with the columns of plain CSV"

    def recognises(self, content: Content) -> bool:
        return content.head.startswith(b"PAR1")

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        with decoding(content) as decoder:
            tables = _tables(decoder)
            first = next(tables)
            about = {_ABOUT.get(name, name): text for name, text in decoder.about.items()}
            layout = layout_of(first.columns, about)
            if layout is None:
                raise UnreadableFile(required(first.columns), remedy="See docs/1-running/ingest.md.")
            named = _named(chain((first,), tables), layout.names)
            del first
            values = decoder.rows * len(layout.values)
            yield from observations(named, layout, notes, values=values, place="row {}")


def _tables(decoder: Decoding) -> Iterator[pl.DataFrame]:
    try:
        yield from decoder.tables()
    except Undecodable as error:
        raise UnreadableFile(
            f"the Parquet file is truncated or damaged ({error})",
            remedy="Fetch it again and compare its size with the sender's.",
        ) from None


def _named(tables: Iterable[pl.DataFrame], names: list[str]) -> Iterator[pl.DataFrame]:
    row = 1
    for table in tables:
        table.columns = names
        yield table.with_row_index(LINE, offset=row)
        row += table.height


READER: Final = ParquetReader()
