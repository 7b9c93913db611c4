"""A long list in a JSON file, read a piece at a time: the parser makes objects of some megabytes of text at once.

Where a piece ends is guessed, and proved: what stands before it must parse as whole items. A guess that falls inside an
item is told by the parser, which then finds the end of the text too soon, and the next one is tried with twice as much.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson

PIECE: Final = 4 * 2**20
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


@dataclass(frozen=True, slots=True)
class LongList:
    """A document with a long list: all of it but the items, and where in the text these are."""

    rest: dict[str, Any]
    start: int
    end: int


def long_list(data: bytes, name: str) -> LongList | None:
    """The list that the document, an object, calls so; None when it is not as simple as that.

    Raises `NotJson` for a large file that ends too soon, or is none.
    """
    found = re.search(rb'"%s"\s*:\s*\[' % re.escape(name.encode()), data)
    if found is None:
        return None
    head = data[: found.start()] + b'"":['
    ends: LongList | None = None
    before = len(data)
    tried = 0
    # An end within an item leaves more brackets closed than opened; of those that do not, the first is that of the list.
    least = max(found.end(), len(data) - _LONGEST_TAIL)
    while tried < _TAILS_TRIED and (before := data.rfind(b"]", least, before)) >= 0:
        tried += 1
        with suppress(orjson.JSONDecodeError):
            ends, tried = LongList(orjson.loads(head + data[before:]), found.end(), before), 0
    # Under another name, so that it is this list, at this place, and the only one called so.
    if ends and isinstance(ends.rest, dict) and name not in ends.rest and ends.rest.pop("", None) == []:
        return ends
    if len(data) > 4 * PIECE:
        _require_sound(data, found.end())
    return None


def _require_sound(data: bytes, start: int) -> None:
    """Raises `NotJson` when the list that begins there, or the file before the list is over, is none."""
    try:
        for _ in items(data, start, len(data)):
            pass
    except NotJson as error:
        if _MORE not in error.message:  # the list is over, and something else is odd
            raise


def items(data: bytes, start: int, end: int) -> Iterator[list[Any]]:
    """What is listed between two places of the text, a piece at a time. Raises `NotJson`."""
    key = _FIRST_KEY.match(data, start)
    between = re.compile(rb'\}\s*,\s*(?=\{\s*"%s")' % re.escape(key[1] if key else b""))
    at = start
    while at < end:
        size = PIECE
        while True:
            found = between.search(data, at + size, end)
            stop, following = (found.start() + 1, found.end()) if found else (end, end)
            text = b"[" + data[at:stop] + b"]"
            try:
                piece = orjson.loads(text)
                break
            except orjson.JSONDecodeError as error:
                if found is None or not _ends_too_soon(error, text):
                    raise _fault(data, at, text, error) from None
                size = 2 * (stop - at)
        yield piece
        at = following


def whole(data: bytes) -> Any:
    """All of it at once. Raises `NotJson`."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _fault(data, -1, data, error) from None


def _ends_too_soon(error: orjson.JSONDecodeError, text: bytes) -> bool:
    """Whether the parser had nothing against what it read, but that the text ends there."""
    return "end of data" in error.msg or error.pos >= len(text.decode()) - 1


def _fault(data: bytes, at: int, text: bytes, error: orjson.JSONDecodeError) -> NotJson:
    """As one of the whole file. `text` stands there from `at` on behind a character of ours; at -1 it is all."""
    ours = at >= 0
    place = max(at, 0) + len(text.decode()[ours : error.pos].encode())
    line = data.count(b"\n", 0, place) + 1
    column = len(data[data.rfind(b"\n", 0, place) + 1 : place].decode()) + 1
    left = data[place:].rstrip()
    truncated = "end of data" in error.msg or (len(left) <= 4 and len(left.decode()) <= 1)
    return NotJson(error.msg, line, column, truncated=truncated)
