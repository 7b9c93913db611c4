"""Bars: a quantity a day, a week or a month, with the same period before as a line over each bar."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.limits import Limit
from gridgate.portal.kit.charts.scale import Scale, Tick, percent, scale_for
from gridgate.portal.kit.charts.texts import Box, Label, beside_line, label, thinned


@dataclass(frozen=True, slots=True)
class Column:
    """One bar, in per cent; `missing` when there is no value, and then the whole height is a gap."""

    x: str
    width: str
    y: str
    height: str
    hot: bool
    missing: bool
    title: str


@dataclass(frozen=True, slots=True)
class Before:
    """The line that stands for the same period before."""

    x1: str
    x2: str
    y: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A text over the highest bar."""

    x: str
    y: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Level:
    """The line of a limit over the bars of its time, and its text; `rise` is from where it steps at its start."""

    x1: str
    x2: str
    y: str
    rise: str
    text_x: str
    text_y: str
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Bars:
    """What `components/bars.html` draws."""

    ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]
    previous: tuple[Before, ...]
    labels: tuple[Label, ...]
    mark: Mark | None
    levels: tuple[Level, ...]
    unit: str
    injection: bool


def bars(
    values: Sequence[float | None],
    *,
    labels: Sequence[str],
    unit: str,
    names: Sequence[str] = (),
    previous: Sequence[float | None] = (),
    hot: Collection[int] = (),
    absent: Collection[int] = (),
    mark: str = "",
    levels: Sequence[tuple[float, float, Limit]] = (),
    injection: bool = False,
    lines: int = 5,
    counted: Callable[[int], str] | None = None,
    highest: float | None = None,
) -> Bars:
    """Bars for `values` (None: no value), oldest first.

    `labels` stand under them (empty: none), `names` say each bar to a pointer ("lundi 9": the value and the unit are
    added), `previous` are the values of the period before, `hot` the indexes to show in the colour of limits, `absent`
    those of which nothing is drawn, not even a gap, `mark` a text over the highest bar. `levels` are limits, each drawn
    as a line over the bars from one fraction of them to another. `counted` says a number of things, such as
    `12 lectures`, when the values are one: then the axis has whole numbers only. `highest` is what the axis reaches at
    least, so that several charts have the same. Raises ValueError when a list has not
    the length of `values`.
    """
    for other in (labels, names or values, previous or values):
        if len(other) != len(values):
            raise ValueError(f"{len(other)} entries for {len(values)} values")
    scale = scale_for(
        [*values, *previous, highest, *(limit.value for _first, _last, limit in levels)],
        lines=lines,
        whole=counted is not None,
    )
    slot = 100 / max(1, len(values))
    columns = []
    for index, value in enumerate(values):
        if index in absent:
            continue
        name = "" if not names else formats.said(names[index], _amount(value, unit, counted))
        top = 0.0 if value is None else scale.down(value)
        columns.append(
            Column(
                percent(slot * (index + 0.14)),
                percent(slot * 0.72),
                percent(top),
                percent(100 - top),
                index in hot,
                value is None,
                name,
            )
        )
    before = [
        Before(percent(slot * (index + 0.12)), percent(slot * (index + 0.88)), percent(scale.down(value)))
        for index, value in enumerate(previous)
        if value is not None
    ]
    return Bars(
        tuple(scale.ticks()),
        tuple(columns),
        tuple(before),
        tuple(thinned([label(slot * (index + 0.5), text) for index, text in enumerate(labels) if text])),
        _mark(values, previous, mark, slot, scale),
        tuple(_levels(levels, scale, values, slot)),
        unit,
        injection,
    )


def _amount(value: float | None, unit: str, counted: Callable[[int], str] | None) -> str:
    if counted is None or value is None:
        return formats.with_unit(value, unit, formats.decimals([value]))
    return counted(int(value))


def _levels(
    levels: Sequence[tuple[float, float, Limit]], scale: Scale, values: Sequence[float | None], slot: float
) -> Iterator[Level]:
    drawn = [
        Box(slot * index, slot * (index + 1), scale.down(value), 100)
        for index, value in enumerate(values)
        if value is not None
    ]
    taken: list[Box] = []
    before = ""
    for first, last, limit in levels:
        y = scale.down(limit.value)
        line = Box(100 * first, 100 * last, y, y)
        place = beside_line(limit.label, line, drawn, taken, left=len(levels) > 1)
        taken += place.boxes(limit.label)
        yield Level(
            percent(line.left),
            percent(line.right),
            percent(y),
            before,
            percent(place.x),
            percent(place.y),
            place.anchor,
            limit.label,
        )
        before = percent(y)


def _mark(
    values: Sequence[float | None], previous: Sequence[float | None], text: str, slot: float, scale: Scale
) -> Mark | None:
    """Over the highest bar and its line of before; beside it when there is no room above."""
    known = [(value, -index) for index, value in enumerate(values) if value is not None]
    if not text or not known:
        return None
    value, index = max(known)[0], -max(known)[1]
    before = (previous[index] if previous else None) or 0
    top, middle = scale.down(max(value, before)), slot * (index + 0.5)
    if top < 9:
        anchor, x, y = ("end", slot * index, 7.0) if middle > 75 else ("start", slot * (index + 1), 7.0)
        return Mark(percent(x), percent(y), anchor, text)
    anchor = "start" if middle < 12 else "end" if middle > 88 else "middle"
    x = {"start": slot * index, "end": slot * (index + 1), "middle": middle}[anchor]
    return Mark(percent(x), percent(top - 3), anchor, text)
