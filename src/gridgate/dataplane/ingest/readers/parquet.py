"""Parquet with the same columns as plain CSV: instants, numbers and text as types, or all of it as text.

An instant with a time zone is that instant; one without is by the clock on the wall. `metering_point_id` must
be text, or a whole number: as one it has all the digits it was given.
"""

from collections.abc import Iterator
from typing import ClassVar, Final

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.frames import LINE
from gridgate.dataplane.ingest.parquet_process import Undecodable, decoded
from gridgate.dataplane.ingest.plain import layout_of, observations, required
from gridgate.dataplane.ingest.port import Notes, Observations, UnreadableFile

_ABOUT: Final = {"metering_point": "metering_point_id"}
"""Metadata that `gridgate export` writes under other names than the columns have."""


class ParquetReader:
    """The documented columns, typed."""

    name: ClassVar[str] = "parquet"
    title: ClassVar[str] = "Parquet with the columns of plain CSV"

    def recognises(self, content: Content) -> bool:
        return content.head.startswith(b"PAR1")

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        try:
            frame, about = decoded(content)
        except Undecodable as error:
            raise UnreadableFile(
                f"the Parquet file is truncated or damaged ({error})",
                remedy="Fetch it again and compare its size with the sender's.",
            ) from None
        layout = layout_of(frame.columns, {_ABOUT.get(name, name): text for name, text in about.items()})
        if layout is None:
            raise UnreadableFile(required(frame.columns), remedy="See docs/1-running/ingest.md.")
        frame.columns = layout.names
        yield from observations(frame.with_row_index(LINE, offset=1), layout, notes, place="row {}")


READER: Final = ParquetReader()
