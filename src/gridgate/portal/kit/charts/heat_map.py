"""The heat map of a year: days across, the hours of the clock down, six steps of intensity."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.scale import percent
from gridgate.portal.kit.charts.texts import Label, label

STEPS = 6
HOURS = 24
GAP = -1
"""The step of an hour whose value was to come and did not; None is that of one with nothing to come."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """What `components/heat_map.html` draws: one path a step, in units of one day by one hour."""

    days: int
    paths: tuple[tuple[str, str], ...]
    gaps: str
    labels: tuple[Label, ...]
    gap_at: str
    maximum: str
    injection: bool
    data: dict[str, Any] = field(repr=False)
    """What `js/load-curve.js` reads."""


def heat_map(
    days: Sequence[date],
    hours: Sequence[Sequence[float | None]],
    *,
    maximum: float | None = None,
    unit: str = "kW",
    injection: bool = False,
    outside: Collection[date] = (),
    zone: ZoneInfo | None = None,
    until: datetime | None = None,
) -> HeatMap:
    """`hours[i]` are the 24 hourly values of `days[i]`, None where missing; `maximum` is the top of the scale
    (default: the highest). Nothing is drawn where nothing was to come: on days `outside`, in the hour that the clocks of
    `zone` skip, in hours that `until` does not reach. Raises ValueError when a day has not 24 values.
    """
    if len(days) != len(hours) or any(len(row) != HOURS for row in hours):
        raise ValueError("one row of 24 values a day")
    highest = maximum or max((value for row in hours for value in row if value is not None), default=0) or 1
    decimals = 1 if highest >= 10 else 3
    cells = [
        [
            _step(value, highest)
            if value is not None
            else GAP
            if day not in outside and _due(day, hour, zone, until)
            else None
            for hour, value in enumerate(row)
        ]
        for day, row in zip(days, hours, strict=True)
    ]
    paths = _paths(cells)
    return HeatMap(
        max(1, len(days)),
        tuple((f"h{step}", paths[step]) for step in range(STEPS) if step in paths),
        paths.get(GAP, ""),
        tuple(_months(days)),
        _longest_gap(cells),
        formats.with_unit(highest, unit),
        injection,
        {
            "days": [day.isoformat() for day in days],
            "values": [[None if value is None else round(value, decimals) for value in row] for row in hours],
            "unit": unit,
            "zone": "UTC",
            "language": formats.current_language(),
            "words": {"none": _("aucune valeur")},
        },
    )


def _step(value: float, highest: float) -> int:
    return min(STEPS - 1, max(0, int(STEPS * value / highest)))


def _due(day: date, hour: int, zone: ZoneInfo | None, until: datetime | None) -> bool:
    if zone is None:
        return True
    at = datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
    skipped = at.astimezone(zone).hour != hour
    return not skipped and (until is None or at + timedelta(hours=1) <= until)


def _paths(cells: Sequence[Sequence[int | None]]) -> dict[int | None, str]:
    """The cells of each step, runs of days merged into one rectangle."""
    parts: dict[int | None, list[str]] = {}
    for hour in range(HOURS):
        start = 0
        for step, same in groupby(day[hour] for day in cells):
            length = len(list(same))
            parts.setdefault(step, []).append(f"M{start} {hour}h{length}v1h{-length}z")
            start += length
    return {step: "".join(rectangles) for step, rectangles in parts.items()}


def _months(days: Sequence[date]) -> list[Label]:
    """The name of each month, at the middle of its days; months cut too short are left unnamed."""
    labels = []
    months = sorted({(day.year, day.month) for day in days})
    for rank, month in enumerate(months):
        inside = [index for index, day in enumerate(days) if (day.year, day.month) == month]
        if len(inside) < 15:
            continue
        middle = (inside[0] + inside[-1] + 1) / 2
        text = formats.month(days[inside[0]], short=True)
        labels.append(label(100 * middle / len(days), text, len(months) > 6 and rank % 3 != 0))
    return labels


def _longest_gap(cells: Sequence[Sequence[int | None]]) -> str:
    """Where the longest run of days that are all gap is, from three days on; empty when there is none."""
    best, start = (0, 0), None
    for index in range(len(cells) + 1):
        if index < len(cells) and GAP in cells[index] and set(cells[index]) <= {GAP, None}:
            start = index if start is None else start
        elif start is not None:
            best, start = max(best, (index - start, start)), None
    length, first = best
    return percent(100 * (first + length / 2) / len(cells)) if length >= 3 else ""
