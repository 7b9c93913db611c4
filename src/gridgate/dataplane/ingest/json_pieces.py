"""A long list in a JSON file, read a piece at a time: the parser makes objects of some megabytes of text at once.

The text stays where it is, on disk mostly. Where a piece ends is guessed, and proved: what stands before it must parse as
whole items. A guess that falls inside an item is told by the parser, which then finds the end of the text too soon, and
the next one is tried with twice as much.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from os import SEEK_END
from typing import Any, BinaryIO, Final

import orjson

PIECE: Final = 4 * 2**20
_WINDOW: Final = 65_536
_MARK: Final = b"\xef\xbb\xbf"
_FIRST_KEY: Final = re.compile(rb'\s*\{\s*"([^"\\]*)"')
_TAILS_TRIED: Final = 16
_LONGEST_TAIL: Final = 2**20
_MORE: Final = "after document"
"""What the parser says of text behind the end."""


class NotJson(Exception):
    """What is wrong, where, and whether the file just ends too soon."""

    def __init__(self, message: str, line: int, column: int, *, truncated: bool) -> None:
        super().__init__(message)
        self.message, self.line, self.column, self.truncated = message, line, column, truncated


class Text:
    """The text of a file in UTF-8, part by part; its places are numbered behind the mark."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._mark = len(_MARK) if file.read(len(_MARK)) == _MARK else 0
        self.size = file.seek(0, SEEK_END) - self._mark

    def part(self, start: int, end: int) -> bytes:
        self._file.seek(self._mark + start)
        return self._file.read(max(0, end - start))

    def end_of_list(self, start: int) -> int:
        """Where the bracket stands that the text ends with, but for blanks; the end of the text when it has none."""
        size = _WINDOW
        while True:
            begin = max(start, self.size - size)
            tail = self.part(begin, self.size).rstrip()
            if tail or begin == start:
                return begin + len(tail) - 1 if tail.endswith(b"]") else self.size
            size *= 4

    def find(self, pattern: "re.Pattern[bytes]", start: int, end: int) -> tuple[int, int] | None:
        """Where the first that is found there begins and ends; no more than is needed is read."""
        size = _WINDOW
        while True:
            found = pattern.search(self.part(start, min(start + size, end)))
            if found:
                return start + found.start(), start + found.end()
            if start + size >= end:
                return None
            size *= 4


@dataclass(frozen=True, slots=True)
class LongList:
    """A document with a long list: all of it but the items, and where in the text these are."""

    rest: dict[str, Any]
    start: int
    end: int


def long_list(data: Text, name: str) -> LongList | None:
    """The list that the document, an object, calls so; None when it is not as simple as that.

    Raises `NotJson` for a large file that ends too soon, or is none.
    """
    opening = data.find(re.compile(rb'"%s"\s*:\s*\[' % re.escape(name.encode())), 0, data.size)
    if opening is None:
        return None
    begins, start = opening
    head = data.part(0, begins) + b'"":['
    ends: LongList | None = None
    # An end within an item leaves more brackets closed than opened; of those that do not, the first is that of the list.
    least = max(start, data.size - _LONGEST_TAIL)
    tail = data.part(least, data.size)
    before = len(tail)
    tried = 0
    while tried < _TAILS_TRIED and (before := tail.rfind(b"]", 0, before)) >= 0:
        tried += 1
        with suppress(orjson.JSONDecodeError):
            ends, tried = LongList(orjson.loads(head + tail[before:]), start, least + before), 0
    # Under another name, so that it is this list, at this place, and the only one called so.
    if ends and isinstance(ends.rest, dict) and name not in ends.rest and ends.rest.pop("", None) == []:
        return ends
    if data.size > 4 * PIECE:
        _require_sound(data, start)
    return None


def _require_sound(data: Text, start: int) -> None:
    """Raises `NotJson` when the list that begins there, or the file before the list is over, is none."""
    try:
        for _ in items(data, start, data.size):
            pass
    except NotJson as error:
        if _MORE not in error.message:  # the list is over, and something else is odd
            raise


def items(data: Text, start: int, end: int) -> Iterator[list[Any]]:
    """What is listed between two places of the text, a piece at a time. Raises `NotJson`."""
    key = _FIRST_KEY.match(data.part(start, min(start + _WINDOW, end)))
    between = re.compile(rb'\}\s*,\s*(?=\{\s*"%s")' % re.escape(key[1] if key else b""))
    at = start
    while at < end:
        size = PIECE
        while True:
            boundary = data.find(between, at + size, end)
            stop, following = (boundary[0] + 1, boundary[1]) if boundary else (end, end)
            text = b"[" + data.part(at, stop) + b"]"
            try:
                piece = orjson.loads(text)
                break
            except orjson.JSONDecodeError as error:
                if boundary is None or not _ends_too_soon(error, text):
                    raise _fault(data, at, text, error) from None
                size = 2 * (stop - at)
        yield piece
        at = following


def whole(data: Text) -> Any:
    """All of it at once. Raises `NotJson`."""
    text = data.part(0, data.size)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _fault(data, -1, text, error) from None


def _ends_too_soon(error: orjson.JSONDecodeError, text: bytes) -> bool:
    """Whether the parser had nothing against what it read, but that the text ends there."""
    return "end of data" in error.msg or error.pos >= len(text.decode()) - 1


def _fault(of: Text, at: int, text: bytes, error: orjson.JSONDecodeError) -> NotJson:
    """As one of the whole file. `text` stands there from `at` on behind a character of ours; at -1 it is all."""
    data = of.part(0, of.size)
    ours = at >= 0
    place = max(at, 0) + len(text.decode()[ours : error.pos].encode())
    line = data.count(b"\n", 0, place) + 1
    column = len(data[data.rfind(b"\n", 0, place) + 1 : place].decode()) + 1
    left = data[place:].rstrip()
    truncated = "end of data" in error.msg or (len(left) <= 4 and len(left.decode()) <= 1)
    return NotJson(error.msg, line, column, truncated=truncated)
