"""Text in one of several encodings brought to UTF-8, line by line where a line is in none."""

import io
from collections.abc import Sequence

from gridgate.dataplane.ingest.content import Content, decode_utf8, not_utf8
from gridgate.dataplane.ingest.port import Notes
from gridgate.tables.text import not_utf8 as not_utf8_fault


def in_utf8(content: Content, data: bytes, notes: Notes, encodings: Sequence[str], header_line: int) -> bytes:
    if content.foreign_encoding:
        decode_utf8(content, data)  # raises, saying which encoding it is
    return _decoded(data.removeprefix(b"\xef\xbb\xbf"), notes, encodings, header_line)


def _decoded(data: bytes, notes: Notes, encodings: Sequence[str], header_line: int) -> bytes:
    """The data in UTF-8. Lines in a wrong encoding are emptied, so that the numbers of the others do not
    change."""
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            last = error
        else:
            return data if encoding == "utf-8" else text.encode()
    # Line by line: a list of them would take many times the room of the file.
    first, bad = 0, 0
    for number, line in enumerate(io.BytesIO(data), start=1):
        if _first_bad_byte(line) >= 0:
            first, bad = first or number, bad + 1
    if first <= header_line or bad >= data.count(b"\n") + 1 - header_line:
        raise not_utf8(data, last)
    kept = io.BytesIO()
    for number, line in enumerate(io.BytesIO(data), start=1):
        column = _first_bad_byte(line)
        if column < 0:
            kept.write(line)
            continue
        bare = line.removesuffix(b"\n")
        fault = not_utf8_fault(bare, column)
        notes.reject(
            f"line {number}, byte {column + 1}",
            f"{fault.message}. {fault.remedy}",
            bare.decode("latin-1").strip(),
        )
        kept.write(line[len(bare) :])
    return kept.getvalue()


def _first_bad_byte(line: bytes) -> int:
    """Where the line stops being UTF-8; -1 when it is."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return -1
