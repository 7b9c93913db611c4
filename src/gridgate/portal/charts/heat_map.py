"""The heat map of a year: days across, the hours of the clock down, six steps of intensity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gridgate.portal import formats
from gridgate.portal.charts.scale import percent

STEPS = 6
HOURS = 24


@dataclass(frozen=True, slots=True)
class Label:
    x: str
    text: str
    minor: bool


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


def heat_map(
    days: Sequence[date],
    hours: Sequence[Sequence[float | None]],
    *,
    maximum: float | None = None,
    unit: str = "kW",
    injection: bool = False,
) -> HeatMap:
    """`hours[i]` are the 24 hourly values of `days[i]`, None where missing; `maximum` is the top of the scale
    (default: the highest).

    On the day the clock goes forward its missing hour is not a gap: give None and `days[i]` shows one empty
    cell at most. Raises ValueError when a day has not 24 values.
    """
    if len(days) != len(hours) or any(len(row) != HOURS for row in hours):
        raise ValueError("one row of 24 values a day")
    highest = maximum or max((value for row in hours for value in row if value is not None), default=0) or 1
    cells = [[_step(value, highest) for value in row] for row in hours]
    paths = tuple((f"h{step}", path) for step in range(STEPS) if (path := _path(cells, step)))
    return HeatMap(
        max(1, len(days)),
        paths,
        _path(cells, None),
        tuple(_months(days)),
        _longest_gap(cells),
        formats.with_unit(highest, unit),
        injection,
    )


def _step(value: float | None, highest: float) -> int | None:
    return None if value is None else min(STEPS - 1, max(0, int(STEPS * value / highest)))


def _path(cells: Sequence[Sequence[int | None]], step: int | None) -> str:
    """The cells of one step, runs of days merged into one rectangle."""
    parts = []
    for hour in range(HOURS):
        start = None
        for index in range(len(cells) + 1):
            inside = index < len(cells) and cells[index][hour] == step
            if inside and start is None:
                start = index
            elif not inside and start is not None:
                parts.append(f"M{start} {hour}h{index - start}v1h{start - index}z")
                start = None
    return "".join(parts)


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
        labels.append(Label(percent(100 * middle / len(days)), text, len(months) > 6 and rank % 3 != 0))
    return labels


def _longest_gap(cells: Sequence[Sequence[int | None]]) -> str:
    """Where the longest run of days without any value is, from three days on; empty when there is none."""
    best, start = (0, 0), None
    for index in range(len(cells) + 1):
        if index < len(cells) and all(cell is None for cell in cells[index]):
            start = index if start is None else start
        elif start is not None:
            best, start = max(best, (index - start, start)), None
    length, first = best
    return percent(100 * (first + length / 2) / len(cells)) if length >= 3 else ""
