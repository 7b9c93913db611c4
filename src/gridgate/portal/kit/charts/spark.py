"""The sparkline: one small bar a day, the unusual one in the colour of limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gridgate.portal.kit.charts.scale import compact

HEIGHT = 30
FLOOR = 1.2  # a day without anything still shows as a line


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: str
    height: str
    hot: bool


@dataclass(frozen=True, slots=True)
class Spark:
    """What `components/spark.html` draws; `label` says it in words."""

    bars: tuple[Bar, ...]
    width: int
    label: str


def sparkline(values: Sequence[float], *, label: str, hot: int | Literal["max"] | None = None) -> Spark:
    """One bar a value, oldest first; `hot` is the index of the unusual one, or "max"."""
    highest = max(values, default=0) or 1
    marked = values.index(max(values)) if hot == "max" and values else hot
    bars = []
    for index, value in enumerate(values):
        height = max(FLOOR, HEIGHT * value / highest)
        bars.append(Bar(4 * index, compact(HEIGHT - height), compact(height), index == marked))
    return Spark(tuple(bars), max(1, 4 * len(values) - 1), label)
