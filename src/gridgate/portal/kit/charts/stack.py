"""Bars of several layers, one on the other: what many have together, and how much of it each."""

from collections.abc import Sequence
from dataclasses import dataclass

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.scale import Tick, percent, scale_for
from gridgate.portal.kit.charts.texts import Label, label, thinned

MOST_LAYERS = 6
"""Shades of one colour that an eye tells apart, of a screen and of a print alike."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one layer has of one bar, in per cent."""

    x: str
    width: str
    y: str
    height: str
    layer: int
    """From 1."""
    title: str


@dataclass(frozen=True, slots=True)
class Stack:
    """What `components/stack.html` draws."""

    ticks: tuple[Tick, ...]
    pieces: tuple[Piece, ...]
    gaps: tuple[tuple[str, str], ...]
    """Place and width of the bars of which no layer has a value."""
    labels: tuple[Label, ...]
    layers: tuple[tuple[int, str], ...]
    """The number and the name of each, for the legend."""
    unit: str
    injection: bool


def stack(
    layers: Sequence[tuple[str, Sequence[float | None]]],
    *,
    labels: Sequence[str],
    names: Sequence[str],
    unit: str,
    injection: bool = False,
) -> Stack:
    """Bars of `layers` (name, values), the first at the bottom. `labels` stand under the bars (empty: none), `names` say
    each bar to a pointer. Raises ValueError for more layers than can be told apart, or lists of different lengths.
    """
    if len(layers) > MOST_LAYERS:
        raise ValueError(f"{len(layers)} layers, {MOST_LAYERS} at most")
    if any(len(values) != len(names) for _name, values in layers) or len(labels) != len(names):
        raise ValueError("lists of different lengths")
    totals = [sum(values[at] or 0 for _name, values in layers) for at in range(len(names))]
    scale = scale_for([float(total) for total in totals], lines=5)
    slot = 100 / max(1, len(names))
    pieces, gaps = [], []
    for at, name in enumerate(names):
        if all(values[at] is None for _name, values in layers):
            gaps.append((percent(slot * (at + 0.14)), percent(slot * 0.72)))
        below = 0.0
        for number, (layer, values) in enumerate(layers, 1):
            value = values[at]
            if not value:
                continue
            top, bottom = scale.down(below + value), scale.down(below)
            said = formats.with_unit(value, unit, formats.decimals([value]))
            title = formats.said(f"{name}, {layer}", said)
            pieces.append(
                Piece(
                    percent(slot * (at + 0.14)),
                    percent(slot * 0.72),
                    percent(top),
                    percent(bottom - top),
                    number,
                    title,
                )
            )
            below += value
    return Stack(
        tuple(scale.ticks()),
        tuple(pieces),
        tuple(gaps),
        tuple(thinned([label(slot * (at + 0.5), text) for at, text in enumerate(labels) if text])),
        tuple((number, layer) for number, (layer, _values) in enumerate(layers, 1)),
        unit,
        injection,
    )
