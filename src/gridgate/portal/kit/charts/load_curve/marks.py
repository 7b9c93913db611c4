"""What is written beside a load curve: its limits, each with its line, and its highest value."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.limits import Limit, limit_at
from gridgate.portal.kit.charts.load_curve.slots import Slot
from gridgate.portal.kit.charts.scale import Scale, percent
from gridgate.portal.kit.charts.texts import Box, Place, beside_line


@dataclass(frozen=True, slots=True)
class LimitLine:
    limit: Limit
    x1: str
    x2: str
    y: str
    rise: str
    """From where it steps up or down at its start; empty when it does not."""
    text_x: str
    text_y: str
    anchor: str
    text: str

    @property
    def under(self) -> bool:
        """Whether the text stands under the line."""
        return float(self.text_y[:-1]) > float(self.y[:-1])


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest value: the first time it was reached."""

    value: float
    at: datetime
    over: bool
    place: Place
    text: str

    @property
    def x(self) -> str:
        return percent(self.place.x)

    @property
    def y(self) -> str:
        return percent(self.place.y)

    @property
    def anchor(self) -> str:
        return self.place.anchor


def limit_lines(
    limits: Sequence[Limit],
    scale: Scale,
    unit: str,
    across: Any,
    peak: "Peak | None",
    drawn: Sequence[Slot],
) -> Iterator[LimitLine]:
    taken = [] if peak is None else list(peak.place.boxes(peak.text))
    before: Limit | None = None
    for limit in limits:
        x1 = 0.0 if limit.start is None else 100 * across(limit.start.timestamp())
        x2 = 100.0 if limit.end is None else 100 * across(limit.end.timestamp())
        if x2 <= x1:
            continue
        y = scale.down(limit.value)
        decimals = 1 if limit.value % 1 else 0
        text = limit.label or _("Souscrite %(power)s") % {
            "power": formats.with_unit(limit.value, unit, decimals)
        }
        left = len(limits) > 1 or (peak is not None and peak.place.x > (x1 + x2) / 2)
        strokes = list(_strokes(drawn, limit.value, scale, across))
        place = beside_line(text, Box(x1, x2, y, y), strokes, taken, left=left)
        taken += place.boxes(text)
        yield LimitLine(
            limit,
            percent(x1),
            percent(x2),
            percent(y),
            percent(scale.down(before.value)) if before and before.end == limit.start else "",
            percent(place.x),
            percent(place.y),
            place.anchor,
            text,
        )
        before = limit


def _strokes(slots: Sequence[Slot], limit: float, scale: Scale, across: Any) -> Iterator[Box]:
    """What the line of the curve takes, slot by slot, with the step up or down that begins it; over the limit all that
    is over it.
    """
    before: Slot | None = None
    for slot in slots:
        low, high = slot.low, slot.high
        if before and slot.start <= before.end + 0.5:
            low, high = min(low, before.high), max(high, before.low)
        low = min(low, limit) if high > limit else low
        yield Box(100 * across(slot.start), 100 * across(slot.end), scale.down(high), scale.down(low))
        before = slot


def peak_of(
    slots: Sequence[Slot], limits: Sequence[Limit], scale: Scale, unit: str, across: Any
) -> Peak | None:
    if not slots:
        return None
    highest = max(slots, key=lambda slot: slot.high)  # the first of equals
    limit = limit_at(limits, highest.start)
    right = 100 * across(highest.end)
    # At the end, and where the text of a limit stands on the right, there is no room after it.
    crowded = right > 82 or (bool(limits) and 35 < right < 50)
    anchor, x = ("end", 100 * across(highest.start) - 0.6) if crowded else ("start", right + 0.6)
    y = scale.down(highest.high)
    above = y - 2
    for other in limits:  # a limit just over the peak would run through the text
        line = scale.down(other.value)
        above = line - 2 if y - 9 < line < y - 1 else above
    return Peak(
        value=highest.high,
        at=datetime.fromtimestamp(highest.start, tz=UTC),
        over=limit is not None and highest.high > limit,
        place=Place(x, max(5.0, above), anchor),
        text=formats.with_unit(
            highest.high, unit, formats.decimals([highest.high]) if highest.high < 100 else 0
        ),
    )
