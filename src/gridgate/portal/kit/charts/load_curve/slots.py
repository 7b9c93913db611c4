"""The stretches of time that a load curve draws: what follows without a hole, and what is dense reduced to columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gridgate.portal.kit.charts.load_curve.series import ESTIMATED, MISSING, Curve, DaySpan

DENSE = 1500  # more slots than this are reduced
COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time with its lowest and highest value; the two are one unless values were reduced."""

    start: float
    end: float
    low: float
    high: float
    estimated: bool


def slots_of(curves: Sequence[Curve]) -> list[Slot]:
    slots = []
    for curve in curves:
        first = curve.start.timestamp()
        words = _words(curve)
        for index, value in enumerate(curve.values):
            word = next(words)
            if value is not None and word != MISSING:
                at = first + index * curve.step
                slots.append(Slot(at, at + curve.step, value, value, word == ESTIMATED))
    return sorted(slots, key=lambda slot: slot.start)


def slots_of_days(spans: Sequence[DaySpan]) -> list[Slot]:
    return [
        Slot(span.start.timestamp(), span.end.timestamp(), span.low, span.high, span.estimated)
        for span in spans
    ]


def _words(curve: Curve) -> Iterator[str]:
    for word, count in curve.quality:
        yield from (word for _index in range(count))
    while True:
        yield "measured"


def in_columns(slots: Sequence[Slot], began: float, span: float) -> list[Slot]:
    """One slot a column with its lowest and highest value: no peak is lost, no gap of a whole column is
    filled.
    """
    width = span / COLUMNS
    columns: dict[int, list[Slot]] = {}
    for slot in slots:
        columns.setdefault(max(0, int((slot.start - began) / width)), []).append(slot)
    reduced = []
    for index, inside in sorted(columns.items()):
        reduced.append(
            Slot(
                began + index * width,
                began + (index + 1) * width,
                min(slot.low for slot in inside),
                max(slot.high for slot in inside),
                all(slot.estimated for slot in inside),
            )
        )
    return reduced


def runs_of(slots: Sequence[Slot]) -> Iterator[list[Slot]]:
    """Slots that follow one another without a hole."""
    run: list[Slot] = []
    for slot in slots:
        if run and slot.start > run[-1].end + 0.5:
            yield run
            run = []
        run.append(slot)
    if run:
        yield run
