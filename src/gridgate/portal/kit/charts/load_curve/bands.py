"""Stretches of time of a load curve: without a value, or with estimated ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridgate.portal.kit.charts.load_curve.slots import Slot, runs_of
from gridgate.portal.kit.charts.scale import Scale, percent


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time, in per cent; `clip` is its outline under the curve, in fractions of the band."""

    x: str
    width: str
    end: str
    middle: str
    wide: bool
    clip: str = ""


def _band(first: float, last: float, across: Any, clip: str = "") -> Band:
    left, right = 100 * across(first), 100 * across(last)
    return Band(
        percent(left),
        percent(right - left),
        percent(right),
        percent((left + right) / 2),
        right - left >= 5,
        clip,
    )


def nothing_expected(outside: Sequence[tuple[datetime, datetime]]) -> list[Slot]:
    return [Slot(first.timestamp(), last.timestamp(), 0, 0, False) for first, last in outside]


def gaps(slots: Sequence[Slot], began: float, until: float, across: Any) -> Iterator[Band]:
    """Stretches without a value that should have one, from the first instant to `until`."""
    at = began
    for slot in slots:
        if slot.start > at + 0.5:
            yield _band(at, min(slot.start, until), across)
        at = max(at, slot.end)
        if at >= until:
            return
    if until > at + 0.5:
        yield _band(at, until, across)


def estimated_bands(slots: Sequence[Slot], scale: Scale, across: Any) -> Iterator[Band]:
    """Stretches of estimated values, each with its outline for the hatch."""
    for run in runs_of([slot for slot in slots if slot.estimated]):
        first, last = max(run[0].start, 0), run[-1].end
        left, width = across(first), across(last) - across(first)
        if width <= 0:
            continue
        outline = "".join(
            f"V{_fraction(scale.down(slot.high) / 100)}H{_fraction((across(slot.end) - left) / width)}"
            for slot in run
        )
        yield _band(first, last, across, f"M0 1{outline}V1z")


def _fraction(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
