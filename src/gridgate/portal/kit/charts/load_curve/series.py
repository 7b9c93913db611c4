"""What a load curve is given: values a step apart, or days with their lowest and highest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ESTIMATED = "estimated"
MISSING = "missing"
SUM = "sum"
"""The quality of a value that was added up of several, of which each has its own."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values one `step` (seconds) apart from `start`; None is no value. `quality` are runs: `[("measured",
    335), ("missing", 1)]`.
    """

    start: datetime
    step: int
    values: Sequence[float | None]
    quality: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class DaySpan:
    """A day of a long curve: its lowest and highest value, and its energy."""

    start: datetime
    end: datetime
    low: float
    high: float
    energy: float
    estimated: bool = False


def series_data(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """The values as `js/load-curve.js` reads them, in the page or from `data_url`: `{"segments":
    series_data(curves)}`.
    """
    return [
        {
            "start": int(curve.start.timestamp()),
            "step": curve.step,
            "values": [None if value is None else round(value, 3) for value in curve.values],
            "quality": [[word, count] for word, count in curve.quality],
        }
        for curve in curves
    ]
