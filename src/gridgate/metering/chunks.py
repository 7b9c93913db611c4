"""Long lists in pieces that one statement can name."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

CHUNK = 2_000

T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
