"""What is measured, which way it flows, and how sure the value is.

The bit positions are stored (access lines keep sets as integers): never renumber, append only.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """The kinds of measurement, by their names on the native API."""

    bit: int

    LOAD_CURVE = "load_curve"
    """Mean power over each step, in W."""
    DAILY_ENERGY = "daily_energy"
    """Energy of each civil day, in Wh."""
    MAXIMUM_POWER = "maximum_power"
    """Highest power reached on each civil day, in VA, and when."""
    REGISTER_READING = "register_reading"
    """What a register of the meter shows, in Wh."""

    @property
    def unit(self) -> str:
        return _UNITS[self]


class FlowDirection(StrEnum):
    """Seen from the network: what leaves it is a withdrawal, what enters it an injection."""

    bit: int

    WITHDRAWAL = "withdrawal"
    INJECTION = "injection"


for _position, _kind in enumerate(Kind):
    _kind.bit = 1 << _position
for _position, _direction in enumerate(FlowDirection):
    _direction.bit = 1 << _position


class Quality(IntEnum):
    """How a value came to be; the number is what day blocks store."""

    MEASURED = 0
    ESTIMATED = 1
    CORRECTED = 2
    MISSING = 15

    @property
    def word(self) -> str:
        return self.name.lower()


_UNITS = {
    Kind.LOAD_CURVE: "W",
    Kind.DAILY_ENERGY: "Wh",
    Kind.MAXIMUM_POWER: "VA",
    Kind.REGISTER_READING: "Wh",
}


def bits(items: Iterable[Kind | FlowDirection]) -> int:
    """Pack a set into an integer.

    >>> bits([Kind.LOAD_CURVE, Kind.MAXIMUM_POWER]), bits(FlowDirection)
    (5, 3)
    """
    mask = 0
    for item in items:
        mask |= item.bit
    return mask


def kinds_of(mask: int) -> frozenset[Kind]:
    return frozenset(kind for kind in Kind if mask & kind.bit)


def directions_of(mask: int) -> frozenset[FlowDirection]:
    return frozenset(direction for direction in FlowDirection if mask & direction.bit)
