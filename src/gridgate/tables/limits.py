"""How much a workbook may hold, counted in its parts before anything reads it."""

import io
import re
import zipfile
import zlib
from typing import BinaryIO, Final

from gridgate.tables.diagnosis import UnusableFile

MAX_BYTES: Final = 512 * 2**20
"""Of all that a workbook unpacks to, counted and not believed."""
MAX_RATIO: Final = 200
"""Unpacked over packed, beyond the first 64 MiB."""
MAX_COLUMNS: Final = 512
MAX_PARTS: Final = 2_000
MAX_ROWS: Final = 2**20
"""What a sheet has in a spreadsheet; a row may name any number."""
WIDEST_SHEET: Final = 16_384
_TAGS_A_ROW: Final = 64 * WIDEST_SHEET
"""A cell has four to six, more where its text has formats of its own."""
_RATIO_FREE: Final = 64 * 2**20
_CHUNK: Final = 2**20
FAULTS: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
_DECLARATION: Final = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)")
_OBJECT: Final = re.compile(
    rb"<(?:[\w.-]+:)?"
    rb"(?:si|r|rPh|xf|dxf|font|fill|border|numFmt|cellStyle|sheet|definedName|Relationship|Override|Default)[\s/>]"
)
_ROW: Final = re.compile(rb"<(?:[\w.-]+:)?row[\s/>]")
_CELL: Final = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_MARK: Final = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")
_PROLOG: Final = re.compile(rb"<\?xml\s[^>]{0,500}?\?>")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_ENCODINGS: Final = frozenset(
    (b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252")
)
"""In which letters of ASCII are themselves; an XML parser takes others too."""
_OVERLAP: Final = 64


class Counted:
    def __init__(self, most: int, what: str) -> None:
        self._most = self._left = most
        self._what = what

    def take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise UnusableFile("large_workbook", most=f"{self._most} {self._what}")


def require_limits(file: BinaryIO, *, most_objects: int) -> None:
    """Unpack everything once and keep nothing: sizes are counted. Raises `UnusableFile`."""
    file.seek(0, io.SEEK_END)
    size = file.tell()
    most = min(MAX_BYTES, max(_RATIO_FREE, size * MAX_RATIO))
    file.seek(0)
    total = 0
    objects = Counted(most_objects, "shared texts and formats")
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise UnusableFile("large_workbook", most=f"{MAX_PARTS} parts")
            for part in parts:
                markup = _Markup(objects)
                with archive.open(part) as packed:
                    while piece := packed.read(_CHUNK):
                        total += len(piece)
                        if total > most:
                            raise UnusableFile("large_workbook", most=f"{most // 2**20} MiB")
                        markup.look(piece)
    except FAULTS as error:
        raise UnusableFile("damaged_workbook", why=brief(error)) from None


class _Markup:
    """One part, looked at before any parser is. What it is called is not believed: relations name any part a sheet."""

    def __init__(self, objects: Counted) -> None:
        self._objects = objects
        self._before: bytes | None = None
        self._is_xml = True
        self._cut_tag = b""
        self._in_row = False
        self._cells = self._tags = 0

    def look(self, piece: bytes) -> None:
        if not self._is_xml:
            return
        letters = _MARK.sub(b"", piece, count=1) if self._before is None else piece
        letters = letters.replace(b"\0", b"")  # of UTF-16
        if self._before is None:
            self._is_xml = letters.lstrip().startswith(b"<")
            self._begin(letters)
        seen = (self._before or b"") + letters
        if _DECLARATION.search(seen):
            raise UnusableFile("damaged_workbook", why="it declares entities")
        self._objects.take(sum(1 for _ in _OBJECT.finditer(seen)))
        self._before = seen[-_OVERLAP:]
        self._count_cells(letters)

    def _count_cells(self, letters: bytes) -> None:
        """A row is parsed as a whole, more than once: what no sheet has in one is refused before."""
        letters = self._cut_tag + letters
        last = letters.rfind(b"<")
        whole = last if last >= 0 and len(letters) - last < _OVERLAP else len(letters)
        self._cut_tag = letters[whole:]
        for number, between in enumerate(_ROW.split(letters[:whole])):
            if number:
                self._in_row = True
                self._cells = self._tags = 0
            if self._in_row:
                self._tags += between.count(b"<")
                self._cells += len(_CELL.findall(between))
                if self._cells > WIDEST_SHEET or self._tags > _TAGS_A_ROW:
                    raise UnusableFile("large_workbook", most=f"{MAX_COLUMNS} columns")

    def _begin(self, letters: bytes) -> None:
        if not letters.startswith(b"<?xml"):
            return
        prolog = _PROLOG.match(letters)
        encoding = _ENCODING.search(prolog[0]) if prolog else None
        if prolog is None or (encoding and encoding[1].lower() not in _ENCODINGS):
            raise UnusableFile("damaged_workbook", why="its encoding is not known")


def brief(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
