"""Tables of text: CSV of any of the formats, kept line by line so that a bad one can be named."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.dataplane.ingest.content import Content, is_text_in
from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.dataplane.ingest.utf8 import in_utf8
from gridgate.tables.text import separator_of

__all__ = ["LINE", "cells", "distinct", "first_line", "groups", "read_table", "read_tables", "separator_of"]
LINE: Final = "#line"
PIECE: Final = 8 * 2**20
"""Bytes of a larger file that are read at a time."""
CELLS: Final = 2_000_000
"""Cells of a piece at most: a cell takes its room in memory though nothing is written in it."""
_MOST_HELD: Final = 8
"""Pieces that quotes may hold together: more lines in one cell are no cell."""
_LOOKED_AT: Final = 1000
"""Lines of a piece that the last line of the file is compared with, when it comes in a piece of its own."""
_LONGEST_HEADER: Final = 1_000_000
_LONGEST_LINE: Final = 65_536
"""Bytes of it that are looked at when it is the last."""
_UNCLOSED: Final = "Check for a quote that is not closed."
_CUT: Final = (
    "the file ends within this line, which lacks cells that the others have; compare its size with the sender's, and have"
    " it sent again"
)
_MAY_BE_CUT: Final = (
    "the file ends there without a line end: whether « {} » was cut cannot be told; compare its size with the"
    " sender's"
)
_NUMBER: Final = re.compile(r"[-+.,\d]+")
_BEYOND: Final = 3
"""Cells looked at after those that the header names: spreadsheets leave empty ones there."""
_GUARDED: Final = r"^'('*[=+\-@\t\r0-9])"
_FORMULA: Final = r'^="([^"]*)"$'


def first_line(content: Content) -> bytes:
    """That of the columns' names, as it is written."""
    with content.open() as file:
        return file.readline(_LONGEST_HEADER).removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n")


def cells(line: str, separator: str) -> list[str]:
    """The cells of a header line: no quotes, no spaces around."""
    return [cell.strip().strip('"').strip() for cell in line.rstrip("\r\n").split(separator)]


def distinct(names: Sequence[str]) -> list[str]:
    """The names of columns; one that is empty, comes again or bears our mark is called by its place instead, to
    stay a column."""
    different: dict[str, None] = {}
    for index, name in enumerate(names):
        different[name if name and "#" not in name and name not in different else f"#{index}"] = None
    return list(different)


def read_tables(
    content: Content,
    notes: Notes,
    *,
    separator: str,
    columns: Sequence[str],
    encodings: Sequence[str] = ("utf-8",),
    complete: bool = False,
) -> Iterator[pl.DataFrame]:
    """The same as `read_table` of the whole file, piece by piece when it is large; nothing is held of the pieces."""
    encoding = ""
    if content.size > PIECE and not content.foreign_encoding:
        encoding = next((one for one in encodings if is_text_in(content, one)), "")
    if encoding:
        reads = _reads(content)
    else:
        encoding = "utf-8"
        reads = _slices(in_utf8(content, content.read(), notes, encodings, header_line=1))
    line, above = 1, None
    for raw in _pieces(reads, lines=max(1, CELLS // (len(columns) + _BEYOND))):
        piece = raw if encoding == "utf-8" else raw.decode(encoding).encode()
        frame = _cut(piece, separator, len(columns), line + 1)
        line += frame.height
        end = _End(_unended(piece), above) if complete else None
        above = (frame if above is None else pl.concat([above, frame.tail(_LOOKED_AT)])).tail(_LOOKED_AT)
        yield _cleaned(frame, columns, separator, notes, end)


def _reads(content: Content) -> Iterator[bytes]:
    with content.stream() as file:
        while data := file.read(PIECE):
            yield data


def _slices(text: bytes) -> Iterator[bytes]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def _pieces(reads: Iterable[bytes], lines: int) -> Iterator[bytes]:
    """What follows the header, cut where lines end that no quotes hold together; of so many `lines` at most.

    Raises `UnreadableFile` where quotes hold many times as many together.
    """
    rest, header, taken = b"", True, 0
    for data in reads:
        rest += data
        taken += len(data)
        if header:
            header, rest = b"\n" not in rest, rest.partition(b"\n")[2] if b"\n" in rest else rest
            if header:
                continue
        start = 0
        for end in _cuts(rest, lines, all_ended=taken >= PIECE):
            yield rest[start:end]
            start = end
        rest = rest[start:]
        if rest.count(b"\n") > _MOST_HELD * lines:
            raise UnreadableFile(
                f"the table cannot be cut into columns (quotes hold more than {_MOST_HELD * lines} lines together)",
                remedy=_UNCLOSED,
            )
    if rest and not header:
        yield rest


def _cuts(text: bytes, lines: int, *, all_ended: bool) -> list[int]:
    """Where to cut it: behind each so many lines, and behind the last that ends when that is asked. A line end within
    quotes ends none."""
    written = np.frombuffer(text, np.uint8)
    ends: NDArray[np.int64] = np.flatnonzero(written == ord("\n")) + 1
    quotes = np.flatnonzero(written == ord('"'))
    if len(quotes):
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    cuts: list[int] = ends[lines - 1 :: lines].tolist()
    return cuts + ends[-1:].tolist() if all_ended and len(ends) % lines else cuts


def read_table(
    content: Content,
    data: bytes,
    notes: Notes,
    *,
    separator: str,
    columns: Sequence[str],
    header_line: int = 1,
    encodings: Sequence[str] = ("utf-8",),
    complete: bool = False,
) -> pl.DataFrame:
    """The lines below the header as text columns, with the column `LINE`: the number of each in the file.

    `columns`, which are `distinct`, replace the header's own names, so that a reader deals in one spelling.
    Lines that hold nothing are left out. A line whose bytes are of none of the `encodings` is rejected in
    `notes` and the others are kept; when the header is such a line, or there is none but such lines, the file
    is refused (`UnreadableFile`). Where lines are to be `complete`, a last one that has no line end and lacks cells that
    others have is rejected: the file was cut within it.
    """
    below = _below(in_utf8(content, data, notes, encodings, header_line), header_line)
    end = _End(_unended(below)) if complete else None
    return _cleaned(_cut(below, separator, len(columns), header_line + 1), columns, separator, notes, end)


def _cut(text: bytes, separator: str, width: int, line: int) -> pl.DataFrame:
    """The lines in cells; `line` is the number of the first."""
    # A header of our own making: its length is what ragged lines are cut or filled to.
    header = separator.join(f"c{index}" for index in range(width + _BEYOND)).encode()
    try:
        return pl.read_csv(
            io.BytesIO(header + b"\n" + text),
            separator=separator,
            truncate_ragged_lines=True,
            infer_schema=False,
            row_index_name=LINE,
            row_index_offset=line,
        )
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(
            f"the table cannot be cut into columns ({str(error).splitlines()[0]})",
            remedy=_UNCLOSED,
        ) from None


@dataclass(frozen=True, slots=True)
class _End:
    """The last line of a table, when it has no line end."""

    line: str
    """Empty when it has one."""
    above: pl.DataFrame | None = None
    """Lines before those it comes with."""


def _unended(text: bytes) -> str:
    """The last line, with those before it that quotes hold together with it; empty when it has its line end."""
    text = text[-_LONGEST_LINE:]
    if text.endswith((b"\n", b"\r")):
        return ""
    start = text.rfind(b"\n") + 1
    while start and text.count(b'"', start) % 2:
        start = text.rfind(b"\n", 0, start - 1) + 1
    return text[start:].decode(errors="replace").strip()


def _cleaned(
    frame: pl.DataFrame, columns: Sequence[str], separator: str, notes: Notes, end: _End | None
) -> pl.DataFrame:
    # All before they bear the file's names, some of which polars would take for patterns.
    frame = _without_empty(frame)
    if end and end.line and frame.height and not _is_whole(frame, len(columns), separator, end):
        notes.reject(f"line {frame[LINE][-1]}", _CUT, end.line[:80])
        frame = frame.head(-1)
    elif end and end.line and frame.height and (cell := _last_cell(frame, separator, end)):
        notes.notices.append((f"line {frame[LINE][-1]}", _MAY_BE_CUT.format(cell[:80])))
    frame = _as_wide_as_header(frame, len(columns), separator, notes)
    frame = _unguarded(frame)
    frame.columns = [LINE, *columns]
    return frame


def _is_whole(frame: pl.DataFrame, width: int, separator: str, end: _End) -> bool:
    """Whether the last line has all the cells that others have. Within its last cell nothing tells whether it was cut."""
    try:
        cell_count = len(next(csv.reader([end.line], delimiter=separator)))
    except csv.Error:
        return False
    above = _above(frame, end)
    return above is None or all(
        (above.to_series(1 + place).fill_null("") == "").all() for place in range(cell_count, width)
    )


def _last_cell(frame: pl.DataFrame, separator: str, end: _End) -> str:
    """What the last line ends with, where that may be a part of what was there: a number, or no word that others have.
    Empty where a quote or a separator closes it."""
    if end.line.endswith(('"', separator)):
        return ""
    cells = next(csv.reader([end.line], delimiter=separator))
    if len(cells) >= frame.width:
        return ""
    above = _above(frame, end)
    known = above is not None and cells[-1] in above.to_series(len(cells))
    return cells[-1] if _NUMBER.fullmatch(cells[-1].strip()) or not known else ""


def _above(frame: pl.DataFrame, end: _End) -> pl.DataFrame | None:
    """The lines that the last one is compared with."""
    if end.above is None:
        return frame.head(-1) if frame.height > 1 else None
    return pl.concat([end.above, frame.head(-1)])


def _without_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """The table without the lines that hold nothing; a whole column at a time, as long as there is such a line."""
    empty = pl.Series([True]).new_from_index(0, frame.height)
    for name in frame.columns:
        if name != LINE:
            some = frame[name].filter(empty)
            empty = empty.scatter(empty.arg_true(), some.is_null() | (some.str.strip_chars() == ""))
            if not empty.any():
                return frame
    return frame.filter(~empty)


def _as_wide_as_header(frame: pl.DataFrame, width: int, separator: str, notes: Notes) -> pl.DataFrame:
    """The lines cut to the header's columns. Where commas separate, one that says more is rejected: a decimal comma may
    have cut its value.
    """
    beyond = frame.columns[1 + width :]
    if separator != "," or all(frame[name].null_count() == frame.height for name in beyond):
        return frame.drop(beyond)
    wider = frame.select(pl.any_horizontal(pl.col(beyond).fill_null("").str.strip_chars() != "")).to_series()
    for row in frame.filter(wider).iter_rows():
        notes.reject(
            f"line {row[0]}",
            "the line has more cells than the first names; cells are separated by commas: put quotes around a cell "
            "that holds one, or write decimals with a point",
            separator.join(cell or "" for cell in row[1:])[:80].rstrip(separator),
        )
    return frame.filter(~wider).drop(beyond)


def _unguarded(frame: pl.DataFrame) -> pl.DataFrame:
    """The cells without the apostrophe, or the formula, that makes text of what a spreadsheet would compute."""
    names = [name for name in frame.columns if name != LINE]
    marked = frame.select(
        pl.any_horizontal(
            (pl.col(name).str.starts_with("'") | pl.col(name).str.starts_with("=")).any() for name in names
        )
    ).item()
    if not marked:
        return frame
    return frame.with_columns(
        frame[name].str.replace(_GUARDED, "$1").str.replace(_FORMULA, "$1").alias(name) for name in names
    )


def groups(frame: pl.DataFrame, by: Sequence[str]) -> Iterator[tuple[dict[str, str], pl.DataFrame]]:
    """Cut a table by the values of some columns (no value counts as empty), in order of first appearance."""
    if not frame.height:
        return
    keyed = frame.with_columns(pl.col(list(by)).fill_null("").str.strip_chars())
    for part in keyed.partition_by(list(by), maintain_order=True):
        yield {name: part[name][0] for name in by}, part


def _below(text: bytes, lines: int) -> bytes:
    """What follows the first lines."""
    start = 0
    for _ in range(lines):
        end = text.find(b"\n", start)
        if end < 0:
            return b""
        start = end + 1
    return text[start:]
