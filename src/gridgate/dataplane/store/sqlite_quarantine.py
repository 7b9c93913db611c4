"""Writing what was set aside: a small row for each, and once what many have in common.

Places and reasons differ in numbers mostly: what stands before the first and after the last is kept by its number.
"""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from gridgate.dataplane.store.days import day_number
from gridgate.dataplane.store.quarantine import Quarantined

Row = tuple[Any, ...]

_ITEM: Final = """insert into quarantine_item
    (source, place, why, said, value, subject, span_start, seconds, later) values (?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (source, place, why, said, value) do update set
    subject = excluded.subject, span_start = excluded.span_start, seconds = excluded.seconds
  where not exists (select 1 from quarantine_of o where o.id = subject and o.metering_point is not null)
    and exists (select 1 from quarantine_of o where o.id = excluded.subject and o.metering_point is not null)"""
_WHY: Final = "place", "place_end", "reason", "reason_end"
_OF: Final = "metering_point", "day", "cause", "kind", "direction"
_NUMBERS: Final = re.compile(r"([^0-9]*)([0-9](?:.*[0-9])?)([^0-9]*)", re.DOTALL)
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_OF_A_METER: Final = re.compile(r"meter « |the holder of ")
"""Reasons that are the same for all values of a meter, which they name: kept whole. In others a number may be another
each time, a stamp or the place of another value."""


def record_quarantine(
    connection: sqlite3.Connection, source: int, quarantined: Sequence[Quarantined], recorded_at: int
) -> None:
    record_items(connection, source, map(_columns, quarantined), recorded_at)


def record_items(
    connection: sqlite3.Connection, source: int, items: Iterable[Sequence[Any]], recorded_at: int
) -> None:
    """Of each item its place, reason, value, cause, point, kind, direction, day, and the ends of its span.

    What was recorded before it was known what such a value is of learns it when its file comes again.
    """
    (received_at,) = connection.execute("select recorded_at from source where id = ?", (source,)).fetchone()
    later = recorded_at - received_at
    whys, subjects = (
        _Numbered(connection, "quarantine_why", _WHY),
        _Numbered(connection, "quarantine_of", _OF),
    )
    rows = []
    for where, reason, value, cause, point, kind, direction, day, start, end in items:
        before, place, after = _apart(where)
        reason_parts: Row = (reason, "", "") if _OF_A_METER.match(reason) else _apart(reason)
        why = whys.number(before, after, reason_parts[0], reason_parts[2])
        unknown = cause is None and point is None
        subject = None if unknown else subjects.number(point, day, cause, kind, direction)
        at = int(place) if _NUMBER.fullmatch(place) else place
        seconds = None if start is None else end - start
        rows.append((source, at, why, reason_parts[1], value, subject, start, seconds, later))
    connection.executemany(_ITEM, rows)


def erase_quarantine(connection: sqlite3.Connection, metering_point: str, before: int) -> None:
    """Of a point, of the days before `before`; what came without a day, when it came before."""
    about = metering_point, before
    connection.execute(
        """delete from quarantine_item where (source, place, why, said, value) in (
            select i.source, i.place, i.why, i.said, i.value from quarantine_of o
            join quarantine_item i on i.subject = o.id join source s on s.id = i.source
            where o.metering_point = ? and coalesce(o.day, (s.recorded_at + i.later) / 86400000) < ?)""",
        about,
    )
    connection.execute(
        """delete from quarantine_of where metering_point = ?
          and not exists (select 1 from quarantine_item i where i.subject = quarantine_of.id)""",
        (metering_point,),
    )
    # The words of a reason may be of what was erased.
    connection.execute("delete from quarantine_why where id not in (select why from quarantine_item)")


class _Numbered:
    """The numbers of rows that are there once."""

    def __init__(self, connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> None:
        same = " and ".join(f"{column} is ?" for column in columns)
        marks = ", ".join("?" * len(columns))
        self._find = f"select id from {table} where {same}"  # noqa: S608 -- names of ours
        self._make = f"insert into {table} ({', '.join(columns)}) values ({marks})"  # noqa: S608
        self._connection = connection
        self._known: dict[Row, int] = {}

    def number(self, *row: Any) -> int:
        number = self._known.get(row)
        if number is None:
            found = self._connection.execute(self._find, row).fetchone()
            made = None if found else self._connection.execute(self._make, row).lastrowid
            number = self._known[row] = int(found[0] if found else made or 0)
        return number


def _apart(text: str) -> tuple[str, str, str]:
    """What stands before the first digit, from there to the last, and after it.

    >>> _apart("line 12, reading 3"), _apart("file")
    (('line ', '12, reading 3', ''), ('file', '', ''))
    """
    found = _NUMBERS.fullmatch(text)
    return (found[1], found[2], found[3]) if found else (text, "", "")


def _columns(item: Quarantined) -> Row:
    about = item.where, item.reason, item.value, item.cause
    subject = item.subject
    if subject is None:
        return (*about, *(None,) * 6)
    start, end = subject.span or (None, None)
    day = None if subject.day is None else day_number(subject.day)
    return *about, subject.metering_point, subject.kind, subject.direction, day, start, end
