"""Axes: round numbers from zero up, and positions in per cent of the drawing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gridgate.portal.kit import formats


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: `at` per cent from the top, and the text beside it."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 at the bottom to `top`."""

    top: float
    step: float

    def down(self, value: float) -> float:
        """Per cent from the top of the drawing."""
        return 100 - 100 * value / self.top

    def ticks(self) -> list[Tick]:
        """From the top down, as they are drawn, with the decimals that the step needs: none is rounded."""
        written = Decimal(str(round(self.step, 10))).normalize()
        decimals = max(0, -int(written.as_tuple().exponent))
        count = round(self.top / self.step)
        values = [index * self.step for index in range(count, -1, -1)]
        return [Tick(percent(self.down(value)), formats.number(value, decimals)) for value in values]


def scale_for(values: Sequence[float | None], *, lines: int = 6, whole: bool = False) -> Scale:
    """A scale that holds every value with at most `lines` intervals of 1, 2, 2.5 or 5 × 10ⁿ; 0 to 1 when
    there is nothing. `whole` is for what is counted: no interval is a fraction.
    """
    highest = max((value for value in values if value is not None), default=0)
    if highest <= 0:
        return Scale(1, 1 if whole else 0.5)
    power = 10 ** math.floor(math.log10(highest / lines))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = factor * power
        if whole and step % 1:
            continue
        count = math.ceil(highest / step - 1e-9)
        if count <= lines:
            return Scale(round(count * step, 10), step)
    raise AssertionError("unreachable: 20 × 10ⁿ always holds")


def percent(value: float) -> str:
    """A position for an SVG attribute: `12.5%`."""
    return f"{compact(value)}%"


def compact(value: float) -> str:
    """At most two decimals, none for nothing."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"
