"""Where the texts of a drawing stand, so that none leaves it and none lies on what it speaks of.

Only the drawing stretches: a text takes a larger share of a narrow one, so each is placed for both.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gridgate.portal.kit.charts.scale import percent

CHARACTER = (0.75, 2.5)
"""Per cent of the width that a character takes on a laptop, and at 360 px."""

ABOVE, BELOW = 5.0, 1.5
"""How far a text reaches over and under its foot, in per cent of the height."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text under the axis; a narrow screen leaves out the `minor` ones, and `lead`, the beginning of the
    others.
    """

    x: str
    text: str
    minor: bool
    lead: str = ""
    anchor: str = "middle"


def label(x: float, text: str, minor: bool = False, lead: str = "") -> Label:
    """Under the place `x` (per cent), or against the edge that it would otherwise cross."""
    half = len(text) * CHARACTER[1] / 2
    if x < half:
        return Label("0%", text, minor, lead, "start")
    if x > 100 - half:
        return Label("100%", text, minor, lead, "end")
    return Label(percent(x), text, minor, lead)


def thinned(labels: Sequence[Label]) -> list[Label]:
    """Every one of them, or every second, third… on a narrow screen: as many as stand a character apart there."""
    every = next((step for step in range(1, len(labels)) if _apart(labels[::step])), max(1, len(labels)))
    return [replace(one, minor=rank % every != 0) for rank, one in enumerate(labels)]


def _apart(labels: Sequence[Label]) -> bool:
    spans = [_narrow_span(one) for one in labels]
    return all(left[1] + CHARACTER[1] <= right[0] for left, right in pairwise(spans))


def _narrow_span(one: Label) -> tuple[float, float]:
    x, width = float(one.x.rstrip("%")), len(one.text) * CHARACTER[1]
    left = x - {"start": 0, "middle": width / 2, "end": width}[one.anchor]
    return left, left + width


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the drawing, in per cent from its left and from its top."""

    left: float
    right: float
    top: float
    bottom: float

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True)
class Place:
    """The foot of a text, and on which side of it the text stands."""

    x: float
    y: float
    anchor: str

    def boxes(self, text: str) -> Iterator[Box]:
        """What the text takes on a wide screen and on a narrow one."""
        for character in CHARACTER:
            width = len(text) * character
            left = self.x if self.anchor == "start" else self.x - width
            yield Box(left, left + width, self.y - ABOVE, self.y + BELOW)


def beside_line(
    text: str, line: Box, drawn: Sequence[Box], taken: Sequence[Box], *, left: bool, steps: int = 8
) -> Place:
    """Where the text of a level line meets the least of what is `drawn`, and nothing that is `taken`.

    The nearer to the line's end (`left`: to its start) the better, over it before under it, at the top of the drawing
    last.
    """
    room = max(0.0, line.right - line.left - len(text) * CHARACTER[1])
    starts = [(line.left + room * step / steps, "start") for step in range(steps + 1)]
    ends = [(line.right - room * step / steps, "end") for step in range(steps + 1)]
    best, least = Place(line.right, ABOVE + 1, "end"), math.inf
    for foot in (line.top - 2, line.top + 7, ABOVE + 1):
        if foot < ABOVE:
            continue
        band = Box(line.left, line.right, foot - ABOVE, foot + BELOW)
        near = [box for box in drawn if box.meets(band)]
        for x, anchor in starts + ends if left else ends + starts:
            place = Place(x, foot, anchor)
            boxes = list(place.boxes(text))
            met = sum(box.meets(one) for box in boxes for one in near)
            met += 1000 * sum(box.meets(one) for box in boxes for one in taken)
            if met < least:
                best, least = place, met
    return best
