"""A file, or a member of an archive, and the few looks at its beginning that tell its format."""

import hashlib
import io
import re
from codecs import getincrementaldecoder
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final, Self

from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.tables.text import not_utf8 as not_utf8_fault

HEAD: Final = 65_536
_PIECE: Final = 8 * 2**20
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_OTHER_MARKS: Final = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_ROOT: Final = re.compile(rb"<(?![?!])(?:[\w.-]+:)?([\w.-]+)")
_COMMENT_OR_PROLOG: Final = re.compile(
    rb"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL
)


class Content:
    """Bytes with a name, on disk or in memory. `progress` is called with the number of bytes read."""

    def __init__(
        self,
        name: str,
        source: Path | bytes,
        *,
        progress: Callable[[int], None] | None = None,
        made_of: "Content | None" = None,
        place: Callable[[str, str], str] | None = None,
        of_workbook: bool = False,
    ) -> None:
        """`made_of` is the file as it came, when `source` is a form of it that readers take; `place` then says where in
        the file something stands, of where it stands in `source` and what is written there.
        """
        self.name = name
        self._source = source
        self._progress = progress
        self._made_of = made_of
        self.of_workbook = of_workbook
        self.place = place or (lambda where, value: where)

    @cached_property
    def size(self) -> int:
        return len(self._source) if isinstance(self._source, bytes) else self._source.stat().st_size

    @cached_property
    def lines(self) -> int:
        """How many end in it. Counted: nothing else tells it of lines as short as they may be."""
        count = 0
        with self.open() as file:
            while data := file.read(_PIECE):
                count += data.count(b"\n")
        return count

    def open(self) -> BinaryIO:
        """A fresh, seekable handle at the beginning, whose reads are not counted. The caller closes it."""
        return io.BytesIO(self._source) if isinstance(self._source, bytes) else self._source.open("rb")

    def stream(self) -> "CountedReads":
        """A fresh handle, to be read forward only, whose reads move the progress. The caller closes it."""
        return CountedReads(self.open(), self._progress or (lambda count: None))

    def read(self) -> bytes:
        with self.stream() as file:
            return file.read()

    @cached_property
    def sha256(self) -> str:
        if self._made_of is not None:
            return self._made_of.sha256
        if isinstance(self._source, bytes):
            return hashlib.sha256(self._source).hexdigest()
        with self._source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB, without the mark of UTF-8."""
        if isinstance(self._source, bytes):
            start = self._source[:HEAD]
        else:
            with self._source.open("rb") as file:
                start = file.read(HEAD)
        return start.removeprefix(_UTF8_MARK)

    @cached_property
    def tail(self) -> bytes:
        """The last bytes, which tell whether the file is whole."""
        with self.open() as file:
            file.seek(max(0, self.size - 1024))
            return file.read()

    @cached_property
    def xml_root(self) -> str:
        """The local name of the first element, when the head looks like XML; else empty."""
        if not self.head.lstrip().startswith(b"<"):
            return ""
        found = _ROOT.search(_COMMENT_OR_PROLOG.sub(b"", self.head))
        return found[1].decode("ascii", "replace") if found else ""

    @cached_property
    def first_lines(self) -> list[str]:
        """The first lines of the head as text: for looking at column names."""
        return [_text(line) for line in self.head.splitlines()[:8]]

    @cached_property
    def foreign_encoding(self) -> str:
        """The name of the encoding when a byte order mark names one that no format here uses; else empty."""
        return next((name for mark, name in _OTHER_MARKS.items() if self.head.startswith(mark)), "")


def _text(line: bytes) -> str:
    """Each line by itself: a byte further on that is not UTF-8 must not spoil the header."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


class CountedReads:
    """The little of a binary file that parsers need."""

    def __init__(self, raw: BinaryIO, progress: Callable[[int], None]) -> None:
        self._raw = raw
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        self._progress(len(data))
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()


def is_utf8(content: Content) -> bool:
    """Whether all of the text is; that moves the progress."""
    return is_text_in(content, "utf-8", counted=True)


def is_text_in(content: Content, encoding: str, *, counted: bool = False) -> bool:
    """Whether all of the text is in that encoding; a piece at a time. `counted`: whether that moves the progress."""
    decoder = getincrementaldecoder(encoding)()
    try:
        with content.stream() if counted else content.open() as file:
            while data := file.read(_PIECE):
                if decoder.getstate()[0] or not data.isascii():
                    decoder.decode(data)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def decode_utf8(content: Content, data: bytes) -> str:
    """The text of a format that is UTF-8 by definition (a mark at the beginning is dropped).

    Raises `UnreadableFile` naming the first byte that is not UTF-8 and the line it is on.
    """
    if content.foreign_encoding:
        raise UnreadableFile(
            f"the file is {content.foreign_encoding}; UTF-8 is expected",
            remedy="Save it again as UTF-8 (in a spreadsheet: « CSV UTF-8 »).",
            where="byte 1",
        )
    data = data.removeprefix(_UTF8_MARK)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(data, error) from None


def not_utf8(data: bytes, error: UnicodeDecodeError) -> UnreadableFile:
    line = data.count(b"\n", 0, error.start) + 1
    column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
    fault = not_utf8_fault(data, error.start)
    return UnreadableFile(fault.message, remedy=fault.remedy, where=f"line {line}, byte {column}")
