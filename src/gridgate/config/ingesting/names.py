"""Names of dropped files: which are of files still being written, and under which nothing is written over."""

import os
from collections.abc import Iterable
from typing import Final

_LONGEST_NAME: Final = 220
"""Bytes of a name that is kept whole: a file system has 255, and reports have longer ones."""
_IN_WRITING: Final = (
    ".part",
    ".partial",
    ".filepart",
    ".tmp",
    ".temp",
    ".crdownload",
    ".swp",
    ".writing",
    "~",
)
"""How names end that programs give to what they are writing."""


def is_in_writing(name: str) -> bool:
    """
    >>> [is_in_writing(name) for name in (".r63.json", "r63.json.PART", "r63.json")]
    [True, True, False]
    """
    return name.startswith(".") or name.lower().endswith(_IN_WRITING)


def shortened(name: str) -> str:
    """A name with room for what is put behind it; the end of a long one stays.

    >>> shortened("r63.json"), len(shortened("é" * 125 + ".json"))
    ('r63.json', 112)
    """
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST_NAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    end = f".{suffix}" if dot and stem and len(os.fsencode(suffix)) < 20 else ""
    return encoded[: _LONGEST_NAME - len(os.fsencode(end))].decode("utf-8", "ignore") + end


def free_name(folder: int, name: str, endings: Iterable[str]) -> str:
    """The name, or the first of NAME.2, NAME.3 (before the last ending) by which nothing there is called."""
    stem, dot, suffix = name.rpartition(".")
    candidate, number = name, 1
    there = set(os.listdir(folder))
    while any(f"{candidate}{ending}" in there for ending in ("", *endings)):
        number += 1
        candidate = f"{stem}.{number}.{suffix}" if dot and stem else f"{name}.{number}"
    return candidate
