"""The line of a load curve, the area under it, and what of it is above the limit."""

from collections.abc import Sequence
from typing import Any

from gridgate.portal.kit.charts.limits import Limit, limit_at
from gridgate.portal.kit.charts.load_curve.slots import Slot
from gridgate.portal.kit.charts.scale import Scale

WIDTH, HEIGHT = 4000, 1000  # of the drawing that stretches; whole numbers keep the page small


def stepped_paths(runs: Sequence[Sequence[Slot]], scale: Scale, across: Any) -> tuple[str, str]:
    line, area = [], []
    for run in runs:
        first = round(WIDTH * across(run[0].start))
        drawing: list[str] = []
        outline = [f"M{first} {HEIGHT}"]
        previous: int | None = None
        for slot in run:
            low, high, right = _y(slot.low, scale), _y(slot.high, scale), round(WIDTH * across(slot.end))
            if previous is None:
                drawing.append(f"M{first} {low}")
            elif low != previous:
                drawing.append(f"V{low}")
            if high != low:
                drawing.append(f"V{high}V{low}")
            drawing.append(f"H{right}")
            outline.append(f"V{high}H{right}")
            previous = low
        line.append("".join(drawing))
        area.append("".join(outline) + f"V{HEIGHT}z")
    return "".join(line), "".join(area)


def paths_of_days(runs: Sequence[Sequence[Slot]], scale: Scale, across: Any) -> tuple[str, str]:
    """Two stepped lines, the highest and the lowest value of each day, and what lies between them."""
    line, area = [], []
    for run in runs:
        first = round(WIDTH * across(run[0].start))
        rights = [round(WIDTH * across(slot.end)) for slot in run]
        high = "".join(f"V{_y(slot.high, scale)}H{right}" for slot, right in zip(run, rights, strict=True))
        low = "".join(f"V{_y(slot.low, scale)}H{right}" for slot, right in zip(run, rights, strict=True))
        lefts = [first, *rights[:-1]]
        back = "".join(
            f"V{_y(slot.low, scale)}H{left}" for slot, left in zip(run[::-1], lefts[::-1], strict=True)
        )
        line.append(f"M{first} {_y(run[0].high, scale)}{high}M{first} {_y(run[0].low, scale)}{low}")
        area.append(f"M{first} {_y(run[0].low, scale)}{high}{back}z")
    return "".join(line), "".join(area)


def _y(value: float, scale: Scale) -> int:
    return round(HEIGHT * scale.down(value) / 100)


def path_over_limits(slots: Sequence[Slot], limits: Sequence[Limit], scale: Scale, across: Any) -> str:
    """The part of the curve above the limit in force, from the limit up."""
    if not limits:
        return ""
    parts: list[str] = []
    open_until = None
    for slot in slots:
        limit = limit_at(limits, slot.start)
        if limit is None or slot.high <= limit:
            open_until = None
            continue
        left, right, high = (
            round(WIDTH * across(slot.start)),
            round(WIDTH * across(slot.end)),
            _y(slot.high, scale),
        )
        if open_until != slot.start:
            parts.append(f"M{left} {_y(limit, scale)}")
        parts.append(f"V{high}H{right}")
        open_until = slot.end
    return "".join(parts)
