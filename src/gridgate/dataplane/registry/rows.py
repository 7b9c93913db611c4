"""What the rows of the statements say."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import orjson

from gridgate.core.sharing import AccessLine, Basis
from gridgate.dataplane.registry.port import BOTH_WAYS, PointFacts, RegistryUnavailable
from gridgate.dataplane.registry.statements import LINE_AT, LINE_WIDTH, POINT_AT


def point_of(rows: Sequence[Sequence[Any]], at: datetime) -> PointFacts | None:
    """The facts as the line in force tells them, the one with the latest data when there are several."""
    row = max(rows, key=lambda row: _precedence(row, at.timestamp())) if len(rows) > 1 else rows[0]
    if row[0] is None:
        return None
    return PointFacts(
        id=row[0],
        segment=row[1],
        directions=BOTH_WAYS if row[2] is None else row[2],
        activated_on=date.fromisoformat(row[3]),
        journal_of=row[5],
        subscribed_power_kva=None if row[6] is None else float(row[6]),
        holder=row[LINE_AT - POINT_AT + 2],
        held=bool(row[4]),
        states=row[7],
    )


def _precedence(row: Sequence[Any], now: float) -> tuple[bool, int]:
    *_, data_from, _data_to, valid_from, valid_until = row
    return valid_from <= now and (valid_until is None or now < valid_until), data_from


def lines_of(rows: Iterable[Sequence[Any]], at: int) -> tuple[AccessLine, ...]:
    return tuple(_line(row[at:]) for row in rows if row[at] is not None)


def titles_first(numbered: tuple[int, AccessLine]) -> tuple[bool, int, int]:
    number, line = numbered
    return line.basis is not Basis.TITLE, line.data_from, number


def lines_of_each(
    rows: Iterable[Sequence[Any]], *, order: Callable[[tuple[int, AccessLine]], Any]
) -> dict[str, tuple[AccessLine, ...]]:
    """By point, from rows that end with the points whose line they tell, and the numbers of those lines; `order` is that
    of a point's several lines.
    """
    found: dict[str, tuple[AccessLine, ...]] = {}
    several: dict[str, list[tuple[int, AccessLine]]] = {}
    told = [(_line(row), orjson.loads(row[LINE_WIDTH]), orjson.loads(row[LINE_WIDTH + 1])) for row in rows]
    for line, points, _ in told:
        once = dict.fromkeys(points, (line,))
        several.update((point, []) for point in once.keys() & found.keys())
        if len(once) < len(points):
            several.update((point, []) for point, times in Counter(points).items() if times > 1)
        found |= once
    if several:
        for line, points, numbers in told:
            for point, number in zip(points, numbers, strict=True):
                if point in several:
                    several[point].append((number, line))
        made: dict[tuple[AccessLine, ...], tuple[AccessLine, ...]] = {}
        for point, numbered in several.items():
            lines = tuple(line for _, line in sorted(numbered, key=order))
            found[point] = made.setdefault(lines, lines)
    return found


_BASES: dict[str, Basis] = {basis.value: basis for basis in Basis}


def _line(row: Sequence[Any]) -> AccessLine:
    try:
        basis = _BASES[row[0]]
    except KeyError:
        raise RegistryUnavailable(
            f"an access line rests on {row[0]!r}, which this version does not know"
        ) from None
    return AccessLine(basis, _dashed(row[1]), *row[2:LINE_WIDTH])


def _dashed(uuid: str | None) -> str | None:
    """A permission's id as everyone writes it: SQLite keeps it as 32 digits."""
    if uuid is None or len(uuid) != 32:
        return uuid
    return f"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}"
