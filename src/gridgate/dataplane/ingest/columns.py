"""From the columns of a file to `Observations`: what every reader does alike.

A reader hands over text; stamps and numbers are read here, units brought to ours, and each value that cannot
be taken is rejected with where it stands, why, and its own text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.ingest.decimals import Numbers, parse_numbers
from gridgate.dataplane.ingest.port import Groups, Meter, Notes, Observations, Place, Stamp, literal
from gridgate.dataplane.ingest.stamps import Stamps, parse_stamps
from gridgate.dataplane.store.quarantine import Cause

_ENERGY: Final = {"Wh": 0, "kWh": 3, "MWh": 6}
_UNITS: Final[dict[Kind, dict[str, int]]] = {
    Kind.LOAD_CURVE: {"W": 0, "kW": 3, "MW": 6, **_ENERGY},
    Kind.DAILY_ENERGY: _ENERGY,
    Kind.MAXIMUM_POWER: {"VA": 0, "kVA": 3, "MVA": 6},
    Kind.REGISTER_READING: _ENERGY,
}
BEYOND: Final = "the value is beyond anything a meter counts; check the unit"
STEPS: Final = np.array([r.seconds for r in Resolution if r is not Resolution.P1D], np.int64)


@dataclass(slots=True, kw_only=True)
class Columns:
    """What a reader has in hand: one kind, one direction, one meter or many (`groups`), in the order of the file."""

    meter: str = ""
    groups: Groups | None = None
    kind: Kind
    direction: FlowDirection | None
    stamp: Stamp
    unit: str
    stamps: Sequence[str | None] | pl.Series | Stamps
    values: Sequence[str | None] | pl.Series | Numbers
    rows: Sequence[int] | NDArray[np.int64]
    raw: Sequence[str] | pl.Series | None = None
    """The values as text when `values` is not text; a column of another type stands for the text that it has."""
    steps: int | Sequence[int] | NDArray[np.int64] | None = None
    """Seconds each value covers; -1 where the file says something that is no step; 0 where it does not say, None when it
    says none: these are deduced from the stamps."""
    ends: Stamps | None = None
    """When each value ends, where `stamps` say when it begins: what lies between is a step that `steps` does not say."""
    quality: Quality | NDArray[np.uint8] = Quality.MEASURED
    register: str = ""
    place: Place = "line {}"
    also_known_as: tuple[str, ...] = ()
    variant: str = ""
    slots: NDArray[np.int32] | None = None
    faulty: tuple[NDArray[np.bool_], Cause, str] | None = None
    """Rows that cannot be taken for what stands beside stamp and value, and why."""
    exponent: int = 0
    """Power of ten that the file applies to every value beside the unit."""


def observe(columns: Columns, notes: Notes) -> Observations | None:
    """Read the columns; None when no value is left."""
    rows = np.asarray(columns.rows, np.int64)
    groups = columns.groups
    together = None if groups is None else groups.of
    values = (
        columns.values
        if isinstance(columns.values, Numbers)
        else parse_numbers(_text(columns.values), together)
    )
    raw = columns.raw if columns.raw is not None else _text(columns.values)  # type: ignore[arg-type]
    stamps = columns.stamps if isinstance(columns.stamps, Stamps) else parse_stamps(_text(columns.stamps))
    notes.holes += int((values.empty & stamps.readable).sum())
    here = ~values.empty
    refused: dict[int, tuple[Cause, str]] = {}

    def reject(mask: NDArray[np.bool_], reason: str, cause: Cause | None = None) -> None:
        for index in np.flatnonzero(mask & here).tolist():
            text = _written(raw, index)
            why = reason.format(value=text, stamp=_shown(columns.stamps, index))
            if cause and stamps.readable[index]:
                refused[index] = cause, why
            else:
                meter = (
                    Meter(columns.meter, columns.also_known_as)
                    if groups is None
                    else groups.meters[groups.of[index]]
                )
                notes.reject(columns.place.format(rows[index]), why, text, meter=meter.names)
        here[mask] = False

    conversion = unit_exponent(columns.kind, columns.unit)
    if conversion is None:
        reject(np.ones(len(rows), bool), _wrong_unit(columns.kind, columns.unit), Cause.UNIT)
    unit, exponent = conversion or ("", 0)
    if columns.faulty is not None:
        faulty, cause_of_fault, why = columns.faulty
        reject(faulty, why, cause_of_fault)
    reject(values.beyond, BEYOND, Cause.BEYOND)
    reject(
        ~values.readable,
        "« {value} » is not a number; correct the value, or leave it empty where there is none",
        Cause.UNREADABLE,
    )
    reject(
        ~stamps.readable,
        "« {stamp} » is no instant such as 2026-01-31T00:30:00+01:00 or 2026-01-31 00:30; correct it",
    )
    steps = _steps(columns, stamps, columns.stamp)
    steps_of_ends = None
    if columns.stamp is Stamp.BY_SEGMENT:
        steps_of_ends = _steps(columns, stamps, Stamp.END)

    def observed(here: NDArray[np.bool_]) -> Observations:
        return Observations(
            meter=columns.meter,
            also_known_as=columns.also_known_as,
            groups=None if groups is None else groups.kept(here),
            kind=columns.kind,
            direction=columns.direction,
            register=columns.register,
            variant=columns.variant,
            stamp=columns.stamp,
            times=stamps.seconds[here],
            wall=stamps.wall[here],
            offsets=None if stamps.offsets is None else stamps.offsets[here],
            slots=None if columns.slots is None else columns.slots[here],
            steps=steps[here],
            steps_of_ends=None if steps_of_ends is None else steps_of_ends[here],
            steps_shown=columns.ends is not None,
            values=values.values[here],
            scale=_of_each(values.scale, here) + exponent + columns.exponent,
            energy=columns.kind is Kind.LOAD_CURVE and unit in _ENERGY,
            quality=_quality(columns.quality, len(rows))[here],
            rows=rows[here],
            place=columns.place,
            raw=_kept(raw, here),
        )

    if refused:
        chosen = np.isin(np.arange(len(rows)), list(refused))
        notes.refuse(observed(chosen), [refused[index] for index in sorted(refused)])
    return observed(here) if here.any() else None


def unit_exponent(kind: Kind, unit: str) -> tuple[str, int] | None:
    """The unit as we spell it and its power of ten over ours; None when the kind is not given in it.

    Capitals are forgiven (`KWH`, `va`) where they leave no doubt: `mW` is not a megawatt.
    """
    units = _UNITS[kind]
    if unit in units:
        return unit, units[unit]
    alike = [known for known in units if known.casefold() == unit.casefold()]
    return (alike[0], units[alike[0]]) if alike and not unit.startswith("m") else None


def seconds_of(code: str) -> int:
    """Seconds of a step as files write it, in ISO 8601 or as a number of minutes; -1 for what is no step.

    >>> [seconds_of(code) for code in ("PT30M", "30", "pt1h", "soon")]
    [1800, 1800, 3600, -1]
    """
    try:
        return (
            int(code) * 60
            if code.isascii() and code.isdigit() and len(code) < 5
            else Resolution.parse(code.upper()).seconds
        )
    except GridgateError:
        return -1


def deduced_steps(
    times: NDArray[np.int64], stamp: Stamp, groups: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The step of each value from the distances between stamps, in whatever order; 0 where they do not tell.

    A distance counts when it is a step we know and comes at least twice in a row; another is a hole, beside which a
    value has the step of the neighbours that it still touches, and one that touches none that of both sides when
    they agree. A series may change its step, within a day or behind a hole. Neighbours are those of one of the `groups`.
    """
    if len(times) < 2:
        return np.zeros(len(times), np.int64)
    group = np.zeros(len(times), np.int64) if groups is None else groups
    order = np.lexsort((times, group))
    first = _differing(times[order]) | _differing(group[order])
    place = np.empty(len(times), np.int64)
    place[order] = np.cumsum(first) - 1
    told, group = times[order][first], group[order][first]
    begins = _differing(group)
    within = ~begins[1:]
    distances = np.diff(told)
    known = np.isin(distances, STEPS) & within
    same = np.concatenate(([False], (distances[1:] == distances[:-1]) & within[1:] & within[:-1], [False]))
    sure = known & (same[1:] | same[:-1])
    number = np.cumsum(begins) - 1
    surely = np.zeros(number[-1] + 1, bool)
    surely[number[1:][sure]] = True
    finest = np.full(number[-1] + 1, Resolution.P1D.seconds)
    np.minimum.at(finest, number[1:][known], distances[known])
    sure |= known & (distances == finest[number[1:]]) & ~surely[number[1:]]
    counted = np.where(sure, distances, 0)
    before, after = np.concatenate(([0], counted)), np.concatenate((counted, [0]))
    own, touched = (before, after) if stamp is Stamp.END else (after, before)
    steps = np.where(own > 0, own, touched)
    ends = np.concatenate((begins[1:], [True]))
    earlier, later = _last_told(steps, begins), _last_told(steps[::-1], ends[::-1])[::-1]
    either = np.where(earlier > 0, earlier, later)
    agreed = (earlier == later) | (earlier == 0) | (later == 0)
    steps = np.where(steps > 0, steps, np.where(agreed, either, 0))
    return steps[place]


def _differing(column: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a value is not that before it."""
    return np.concatenate(([True], column[1:] != column[:-1]))


def _last_told(steps: NDArray[np.int64], begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Each step, or else the last one before it that is told, since its group began."""
    places = np.maximum.accumulate(np.where((steps > 0) | begins, np.arange(len(steps)), 0))
    return steps[places]


def _steps(columns: Columns, stamps: Stamps, stamp: Stamp) -> NDArray[np.int64]:
    count = len(stamps.seconds)
    if columns.kind is not Kind.LOAD_CURVE:
        return np.full(count, Resolution.P1D.seconds, np.int64)
    said = np.zeros(count, np.int64) if columns.steps is None else np.asarray(columns.steps, np.int64)
    steps = np.broadcast_to(said, count).copy()
    unsaid = steps == 0
    if columns.ends is not None:
        told = unsaid & stamps.readable & columns.ends.readable & (stamps.wall == columns.ends.wall)
        steps[told] = (columns.ends.seconds - stamps.seconds)[told]
        unsaid &= ~told
    if unsaid.any():
        good = np.flatnonzero(stamps.readable)
        deduced = np.zeros(count, np.int64)
        together = None if columns.groups is None else columns.groups.of[good]
        deduced[good] = deduced_steps(stamps.seconds[good], stamp, together)
        steps[unsaid] = deduced[unsaid]
    return steps


def _quality(quality: Quality | NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    return np.full(count, quality, np.uint8) if isinstance(quality, Quality) else quality


def _of_each(scale: int | NDArray[np.int64], here: NDArray[np.bool_]) -> int | NDArray[np.int64]:
    return scale if isinstance(scale, int) else scale[here]


def _text(column: Sequence[str | None] | pl.Series) -> pl.Series:
    return column if isinstance(column, pl.Series) else pl.Series(column, dtype=pl.String, strict=False)


def _kept(raw: Sequence[str] | pl.Series, here: NDArray[np.bool_]) -> Sequence[str]:
    kept: Sequence[str] = _text(raw).filter(pl.Series(here))  # type: ignore[assignment]
    return kept


def _written(raw: Sequence[str] | pl.Series, index: int) -> str:
    return str(raw.gather([index]).cast(pl.String)[0] if isinstance(raw, pl.Series) else raw[index])


def _shown(stamps: Sequence[str | None] | pl.Series | Stamps, index: int) -> str:
    texts = stamps.texts if isinstance(stamps, Stamps) else stamps
    return str(texts[index] or "") if texts is not None else ""


def _wrong_unit(kind: Kind, unit: str) -> str:
    known = ", ".join(_UNITS[kind])
    named = f"the unit « {unit} »" if unit else "no unit"
    return literal(
        f"{named} for a value of kind {kind.value}, which is read in {known}; this quantity is not kept"
    )
