"""Lines of the access log added up as they come, by who read which point when.

Lines come as plain values, so that this app knows nothing of files; whoever reads the segments passes them in.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from gridgate.audit.lines import GRANTED, micros_of, number_of_point
from gridgate.audit.models import LogFacet
from gridgate.core.time import civil_day_bounds, civil_day_of, may_be_asked


class LogLine(NamedTuple):
    """One line of a segment: its number, the entry it holds, None for one that holds none, and where it begins."""

    number: int
    entry: dict[str, Any] | None
    offset: int = 0


class Facet(NamedTuple):
    """What a `LogFacet` says."""

    holder: int | None
    reader: int | None
    reader_name: str
    user: int | None
    user_name: str
    application: str
    kind: str
    direction: str
    channel: str
    outcome: str

    @property
    def digest(self) -> str:
        return blake2b(orjson.dumps([*self]), digest_size=16).hexdigest()


@dataclass(slots=True)
class Sums:
    entries: int
    values: int
    first: int
    last: int

    def add(self, other: "Sums") -> None:
        self.entries += other.entries
        self.values += other.values
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


_facet_of = itemgetter(*Facet._fields)
DayKey = tuple[int, str]
PointDayKey = tuple[int, str, str]
PointKey = tuple[int, str, str]


@dataclass(slots=True)
class RollUp:
    """Lines added up as they come, before the registry is asked anything. Facets are named by their place in `facets`,
    days as `2026-11-25`.
    """

    zone: ZoneInfo
    facets: list[Facet] = field(default_factory=list)
    sums: dict[tuple[int, str, str, str], Sums] = field(default_factory=dict)
    """By facet, civil day, point and permission."""
    lines: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Offset, instant, facet and point."""
    _places: dict[Facet, int] = field(default_factory=dict)
    _said: dict[tuple[object, ...], int] = field(default_factory=dict)
    """The place of a facet as lines say it, with nothing where there may be an empty text."""
    _minutes: dict[str, tuple[str, int]] = field(default_factory=dict)
    _numbers: dict[str | None, int] = field(default_factory=dict)
    _permissions: dict[str | None, str] = field(default_factory=lambda: {None: "", "": ""})

    def add(self, entry: dict[str, Any], offset: int) -> None:
        """Raises `ValueError`, `KeyError` or `TypeError` when it is not an entry, having added nothing."""
        stamp = entry["at"]
        known = self._minutes.get(stamp[:16])
        if known is not None and len(stamp) == 27 and stamp[16] == ":" and stamp[26] == "Z":
            day, minute = known
            at = minute + int(stamp[17:19]) * 1_000_000 + int(stamp[20:26])
        else:
            day, at = self._instant(stamp)
        try:
            said = _facet_of(entry)
            facet = self._said[said]
        except KeyError:
            facet = self._place(entry)
        point, permission = entry.get("metering_point"), entry.get("permission")
        number = self._numbers.get(point)
        if number is None:
            number = self._numbers[point] = number_of_point(_text(point or "", 18))
        if permission not in self._permissions:
            self._permissions[permission] = str(UUID(_text(permission, 36)))
        values = entry.get("values") or 0
        if type(values) is not int or not 0 <= values < 2**31:
            raise ValueError(f"values is {values!r}")
        place = (facet, day, point or "", self._permissions[permission])
        sums = self.sums.get(place)
        if sums is None:
            self.sums[place] = Sums(1, values, at, at)
        else:
            sums.entries += 1
            sums.values += values
            if at > sums.last:
                sums.last = at
            elif at < sums.first:
                sums.first = at
        self.lines.append((offset, at, facet, number))

    def _place(self, entry: dict[str, Any]) -> int:
        said: dict[str, Any] = {name: entry.get(name) for name in Facet._fields}
        said |= {name: said[name] or "" for name in _MAY_LACK}
        facet = _checked(Facet(**said))
        if facet not in self._places:
            self._places[facet] = len(self.facets)
            self.facets.append(facet)
        self._said[tuple(entry.get(name) for name in Facet._fields)] = self._places[facet]
        return self._places[facet]

    def _instant(self, stamp: str) -> tuple[str, int]:
        at = datetime.fromisoformat(stamp)
        if at.tzinfo is None:
            raise ValueError("at names no time zone")
        if not may_be_asked(at.date()):
            raise ValueError(f"at is {stamp!r}")
        day, micros = civil_day_of(at, self.zone).isoformat(), micros_of(at)
        if stamp.endswith("Z"):  # of one minute in UTC, all is on one civil day
            self._minutes[stamp[:16]] = day, micros_of(at.replace(second=0, microsecond=0))
        return day, micros

    def drop_before(self, day: date) -> None:
        """Forget what a retention has erased."""
        first, start = day.isoformat(), micros_of(civil_day_bounds(day, self.zone).start)
        self.sums = {place: sums for place, sums in self.sums.items() if place[1] >= first}
        self.lines = [line for line in self.lines if line[1] >= start]

    def point_days(self) -> dict[PointDayKey, Sums]:
        totals: dict[PointDayKey, Sums] = {}
        for (facet, day, point, _), sums in self.sums.items():
            _into(totals, (facet, day, point), sums)
        return totals

    def days(self) -> dict[DayKey, Sums]:
        totals: dict[DayKey, Sums] = {}
        for (facet, day, _, _), sums in self.sums.items():
            _into(totals, (facet, day), sums)
        return totals

    def points(self) -> dict[PointKey, Sums]:
        """Of what was granted."""
        granted = [facet.outcome == GRANTED for facet in self.facets]
        totals: dict[PointKey, Sums] = {}
        for (facet, _, point, permission), sums in self.sums.items():
            if granted[facet]:
                _into(totals, (facet, point, permission), sums)
        return totals


_Key = TypeVar("_Key")


def _into(totals: dict[_Key, Sums], key: _Key, sums: Sums) -> None:
    there = totals.get(key)
    if there is None:
        totals[key] = Sums(sums.entries, sums.values, sums.first, sums.last)
    else:
        there.add(sums)


def _checked(facet: Facet) -> Facet:
    for number in (facet.holder, facet.reader, facet.user):
        if number is not None and type(number) is not int:
            raise ValueError(f"{number!r} is not the number of a company or a person")
    for name, most in _LENGTHS.items():
        _text(getattr(facet, name), most)
    return facet


_MAY_LACK = ("reader_name", "user_name", "application", "kind", "direction")
_LENGTHS = {
    field.name: field.max_length or 0
    for field in LogFacet._meta.concrete_fields
    if field.name in Facet._fields and field.name not in ("holder", "reader", "user")
}


def _text(value: object, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f"{value!r} is not a text of at most {most} characters")
    return value
