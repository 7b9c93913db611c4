"""Points of many meters and documents, gathered until they are observed together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.port import Groups, Meter, Notes, Observations, Stamp
from gridgate.dataplane.ingest.readers.enedis_r6x_json.flows import said_of_all
from gridgate.dataplane.ingest.readers.enedis_r6x_json.lists import (
    Json,
    items_of,
    points_of,
    reject_all,
    text_of,
)


@dataclass(frozen=True, slots=True)
class _Alike:
    """What values have in common that are observed together."""

    kind: Kind
    direction: FlowDirection | None
    register: str
    unit: str
    variant: str
    stage: str


@dataclass(slots=True)
class _Columns:
    """Points that are alike, group by group: one of the file's lists of points each."""

    points: list[Json] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)


class Gathered:
    """Points of many meters, until they are observed together."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self._columns: dict[_Alike, _Columns] = {}
        self._seen = 0

    def observed(self) -> Iterator[Observations]:
        """What was gathered since the last time."""
        columns, self._columns = self._columns, {}
        for alike, of in columns.items():
            batch = observe(_columns(alike, of), self.notes)
            if batch is not None:
                yield batch

    def document(self, document: Json, prefix: str, name: str) -> None:
        kind = said_of_all(document, name, self.notes)
        for place, measure in items_of(document, "mesures", prefix.rstrip("."), self.notes):
            self.measure(measure, place, kind)

    def measure(self, measure: Json, place: str, kind: Kind) -> None:
        meter, stage = str(measure.get("idPrm") or ""), _stage(measure)
        if kind is Kind.REGISTER_READING:
            for where, context in items_of(measure, "contexte", place, self.notes, meter=meter):
                for here, quantity in items_of(context, "grandeur", where, self.notes, meter=meter):
                    self._registers(meter, quantity, _stage(context), here)
            return
        step = str(measure.get("pas") or "P1D")
        for here, quantity in items_of(measure, "grandeur", place, self.notes, meter=meter):
            points = points_of(quantity, "points", here, self.notes, meter)
            if refusal := _refusal(quantity, kind, step):
                reject_all(points, f"{here}.points", refusal, self.notes, meter)
            else:
                register = enedis.MAXIMA.get(str(quantity.get("grandeurPhysique")), "")
                self._add(meter, quantity, points, f"{here}.points", kind, register, stage, stage)

    def _registers(self, meter: str, quantity: Json, stage: str, place: str) -> None:
        """The classes of every calendar, and the total."""
        notes = self.notes
        registers: list[tuple[str, str, list[Json], str]] = []
        for where, calendar in items_of(quantity, "calendrier", place, notes, meter=meter, required=False):
            for here, temporal in items_of(calendar, "classeTemporelle", where, notes, meter=meter):
                register = enedis.register_of(
                    str(temporal.get("idClasseTemporelle") or ""),
                    grid=str(calendar.get("libelleGrille") or ""),
                    calendar=str(calendar.get("idCalendrier") or ""),
                    dial=str(temporal.get("codeCadran") or ""),
                )
                readings = points_of(temporal, "valeur", here, notes, meter)
                if not register:
                    reject_all(readings, f"{here}.valeur", enedis.NO_CLASS, notes, meter)
                    continue
                counted = f"{stage} {calendar.get('idCalendrier') or ''}".strip()
                registers.append((register, f"{here}.valeur", readings, counted))
        total = quantity.get("cadranTotalisateur")
        if isinstance(total, dict):
            here = f"{place}.cadranTotalisateur"
            registers.append(("", f"{here}.valeur", points_of(total, "valeur", here, notes, meter), stage))

        refusal = _refusal(quantity, Kind.REGISTER_READING, "P1D")
        for register, where, points, counted in registers:
            if refusal:
                reject_all(points, where, refusal, notes, meter)
            else:
                self._add(meter, quantity, points, where, Kind.REGISTER_READING, register, counted, stage)

    def _add(
        self,
        meter: str,
        quantity: Json,
        points: list[Json],
        place: str,
        kind: Kind,
        register: str,
        variant: str,
        stage: str,
    ) -> None:
        direction = enedis.direction_of(str(quantity.get("grandeurMetier") or ""))
        alike = _Alike(kind, direction, register, str(quantity.get("unite") or ""), variant, stage)
        of = self._columns.setdefault(alike, _Columns())
        of.points += points
        of.meters.append(Meter(meter))
        of.places.append(place)
        of.counts.append(len(points))
        of.seen.append(self._seen)
        self._seen += 1


@dataclass(frozen=True, slots=True)
class _Places:
    """Where rows stand that are numbered over many lists."""

    lists: list[str]
    ends: NDArray[np.int64]

    def format(self, row: int, /) -> str:
        number = int(np.searchsorted(self.ends, row, side="right"))
        return f"{self.lists[number]}[{row - (int(self.ends[number - 1]) if number else 0)}]"


_STAMPED: Final = {Kind.LOAD_CURVE: Stamp.BY_SEGMENT, Kind.DAILY_ENERGY: Stamp.DAY}


def _columns(alike: _Alike, of: _Columns) -> Columns:
    points, counts = of.points, np.array(of.counts, np.int64)
    curve, readings = alike.kind is Kind.LOAD_CURVE, alike.kind is Kind.REGISTER_READING
    quality: Quality | NDArray[np.uint8] = Quality.MEASURED
    if curve:
        quality = enedis.qualities_of_natures([point.get("n") for point in points], alike.stage)
    elif readings:
        quality = enedis.qualities_of_likelihoods([point.get("iv") for point in points])
    return Columns(
        groups=Groups(of.meters, np.repeat(np.arange(len(counts)), counts), np.array(of.seen, np.int64)),
        kind=alike.kind,
        direction=alike.direction,
        register=alike.register,
        stamp=_STAMPED.get(alike.kind, Stamp.MOMENT),
        unit=alike.unit,
        stamps=_texts(points, "d"),
        values=_texts(points, "v"),
        rows=np.arange(len(points)),
        place=_Places(of.places, np.cumsum(counts)),
        steps=_steps([point.get("p") for point in points]) if curve else None,
        quality=quality,
        variant=alike.variant,
    )


def _texts(points: Sequence[Json], key: str) -> pl.Series:
    values = [point.get(key) for point in points]
    if not set(map(type, values)) <= {str, NoneType}:
        values = [text_of(value) for value in values]
    return pl.Series(values, dtype=pl.String)


def _refusal(quantity: Json, kind: Kind, step: str) -> str:
    physical = str(quantity.get("grandeurPhysique") or "")
    if enedis.direction_of(str(quantity.get("grandeurMetier") or "")) is None:
        return f"grandeurMetier « {quantity.get('grandeurMetier')} » is neither CONS nor PROD"
    if physical not in (enedis.MAXIMA if kind is Kind.MAXIMUM_POWER else enedis.ACTIVE):
        return enedis.not_kept(physical)
    if kind in (Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER) and step != "P1D":
        return f"the values are of a step « {step} »; daily ones (P1D) are kept"
    return ""


def _steps(codes: Sequence[Any]) -> NDArray[np.int64]:
    """Seconds of each step; 0, to be deduced, where there is none."""
    return enedis.each(codes, lambda text: seconds_of(text) if text else 0, np.int64)


def _stage(parent: Json) -> str:
    """How the values came to be: one and the same may be told raw and corrected, from indexes and from curves."""
    return " ".join(str(parent[name]) for name in ("etapeMetier", "modeCalcul") if parent.get(name))
