"""Which of our columns a table has, by what its header says."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import combining, normalize

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest.frames import distinct

ALIASES: Final = {
    "metering_point_id": ("metering_point", "usage_point_id", "prm", "meter_id", "meter", "id"),
    "kind": (),
    "direction": ("flow_direction",),
    "start": ("timestamp", "datetime", "date", "horodate", "debut", "date_de_debut"),
    "end": ("fin", "date_de_fin"),
    "day": (),
    "resolution": ("step", "interval_length"),
    "value": ("valeur",),
    "unit": ("unite",),
    "quality": (),
    "register": (),
    "phase": (),
    "tariff": ("tarif", "tou", "cadran"),
    "observed_at": (),
}
_SLOT: Final = re.compile(r"v?0*([0-9]{1,3})")
_MAX_SLOTS: Final = 300
"""25 hours of 5 minutes."""
_NUMBERED: Final = re.compile(r"v\d+")
"""Named as slots are, though no day may have that many, or in digits of another script: `v301`, `v3000000000`, `v٢`."""
_SLOTS: Final = frozenset(f"v{number}" for number in range(1, _MAX_SLOTS + 1))
_MEASURE: Final = re.compile(
    rf"(\S+) ({'|'.join(kind.value for kind in Kind)}) ({'|'.join(d.value for d in FlowDirection)}) \((\w+)\)"
)
_IN_UNIT: Final = re.compile(r"(value|valeur)\s*[(\[]\s*(?:en\s+|in\s+)?(\w+)\s*[)\]]", re.IGNORECASE)
"""A column of values whose head says the unit: `Valeur (en kW)`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which of our columns a table has."""

    names: list[str]
    """The table's columns by our names, in the table's order."""
    slots: list[str]
    """Columns of a wide table, in its order; empty for a long one."""
    beyond: list[str]
    """Columns of a wide table whose numbers no day has: their values are rejected."""
    constants: dict[str, str]
    """What the header, and not a column, says of every value."""
    twice: tuple[str, str] | None = None
    """Two columns that say the same thing, as the file heads them."""

    @property
    def wide(self) -> bool:
        return bool(self.slots)

    @property
    def values(self) -> list[str]:
        """The columns that hold values."""
        return [*self.slots, *self.beyond] or ["value"]

    @property
    def stamp(self) -> str:
        return next(name for name in ("day", "start", "end") if name in self.names)


def layout_of(columns: Sequence[str], about: Mapping[str, str] | None = None) -> Layout | None:
    """Recognise the columns, in any order, capitals or not; None when they are not ours.

    `about` is what is known of every value beside the columns. The column that `gridgate export` heads with
    point, kind, direction and unit is a `value` that says these four.
    """
    names = []
    constants = dict(about or {})
    for column in columns:
        name = _name(column)
        if measure := _MEASURE.fullmatch(column.strip()):
            name = "value"
            constants |= dict(
                zip(("metering_point_id", "kind", "direction", "unit"), measure.groups(), strict=True)
            )
        elif in_unit := _IN_UNIT.fullmatch(_bare(column)):
            name = "value"
            constants["unit"] = in_unit[2]
        names.append(name)
    twice = _twice(names, columns)
    names = distinct(names)
    if not any(name in names for name in ("day", "start", "end")):
        return None
    if "value" in names:
        return Layout(names, [], [], constants, twice)
    numbered = [name for name in names if _NUMBERED.fullmatch(name)]
    slots = [name for name in numbered if name in _SLOTS]
    beyond = [name for name in numbered if name not in _SLOTS]
    return Layout(names, slots, beyond, constants, twice) if slots and len(numbered) > 1 else None


def _name(column: str) -> str:
    name = _without_accents(_bare(column).casefold()).replace(" ", "_")
    slot = _SLOT.fullmatch(name)
    if slot and 1 <= int(slot[1]) <= _MAX_SLOTS:
        return f"v{int(slot[1])}"
    return next((ours for ours, others in ALIASES.items() if name == ours or name in others), name)


def _bare(column: str) -> str:
    return column.strip().strip('"').strip()


def _without_accents(text: str) -> str:
    return "".join(char for char in normalize("NFD", text) if not combining(char))


def _twice(names: Sequence[str], columns: Sequence[str]) -> tuple[str, str] | None:
    """The first two columns that we would call by one name of ours."""
    seen: dict[str, str] = {}
    wide = "value" not in names
    for name, column in zip(names, columns, strict=True):
        if name in seen:
            return seen[name], column
        if name in ALIASES or (wide and _NUMBERED.fullmatch(name)):
            seen[name] = column
    return None


def required(columns: Collection[str]) -> str:
    """What is missing for the columns to be ours, for a message."""
    return f"columns are {', '.join(columns) or 'none'}; needed are start and value, or day and v1, v2, …"
