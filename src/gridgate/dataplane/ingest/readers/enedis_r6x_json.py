"""Enedis R63, R64, R65, R66 as JSON, punctual (M023) and recurring (R63A/B, R64A/B, R66B), by the draft-04
schemas `Enedis.SGE.JSON.0510` to `0513` and `0532` to `0534`.

What is decided here:

- R63 is the load curve (`v`, `d`, `p` step, `n` nature). Its stamps are meant BY_SEGMENT: Enedis stamps C5
  and P4 at the end of the interval and C1–C4, P1–P3 at its start.
- R64 is register readings, one register for each temporal class of each grid, and the total
  (`cadranTotalisateur`); `d` is the instant of the reading (an index of day D is that of D at 00:00).
- R65 is the daily energy of the civil day `d`; R66 the daily maximum power, `d` being the instant it was
  reached.
- Flows of other things (R67 billed quantities, C68 contracts) are refused as a whole, other quantities value
  by value.
- The header has no time of publication but `echeances.horodateDebutPublication`; else the name of the file
  has one.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.content import HEAD, Content, decode_utf8, is_utf8
from gridgate.dataplane.ingest.json_pieces import NotJson, Text, items, long_list, whole
from gridgate.dataplane.ingest.port import Groups, Meter, Notes, Observations, Stamp
from gridgate.dataplane.ingest.unreadable import UnreadableFile

_FLOWS: Final = {
    "R63": Kind.LOAD_CURVE,
    "R64": Kind.REGISTER_READING,
    "R65": Kind.DAILY_ENERGY,
    "R66": Kind.MAXIMUM_POWER,
}
_OTHER_FLOWS: Final = {"R67": "billed quantities", "C68": "technical and contractual data"}
_HEADER: Final = re.compile(rb'"codeFlux"\s*:\s*"')
_LIST: Final = re.compile(rb"\s*\[")
_CONTRACTS: Final = re.compile(rb'"idPrm"\s*:.*"donneesGenerales"\s*:', re.DOTALL)

Json = dict[str, Any]


class R6xJsonReader:
    """R63, R64, R65, R66 in JSON."""

    name: ClassVar[str] = "enedis-r6x-json"
    title: ClassVar[str] = "Enedis R63, R64, R65, R66 (JSON)"

    def recognises(self, content: Content) -> bool:
        start = content.head.lstrip()
        if not start.startswith((b"{", b"[")):
            return False
        return bool(_HEADER.search(start) or _CONTRACTS.search(start)) or (
            b'"mesures"' in start and b'"idPrm"' in start
        )

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        try:
            yield from _observations(content, notes)
        except NotJson as error:
            raise UnreadableFile(
                f"the JSON is {'truncated' if error.truncated else 'malformed'} ({error.message})",
                remedy="Fetch the file again and compare its size with the sender's.",
                where=f"line {error.line}, column {error.column}",
            ) from None
        except RecursionError:
            raise UnreadableFile(
                "lists and objects nest deeper than in any flow", remedy="Fetch the file again."
            ) from None


READER: Final = R6xJsonReader()


def _observations(content: Content, notes: Notes) -> Iterator[Observations]:
    """The values of the document, or of a list of them.

    What of a list is no measurements is rejected; raises what is wrong with it when it is all there is.
    """
    if not is_utf8(content):
        decode_utf8(content, content.read())
    with content.open() as file:
        yield from _of_text(Text(file), content, _Gathered(notes), notes)


def _of_text(data: Text, content: Content, gathered: "_Gathered", notes: Notes) -> Iterator[Observations]:
    if _LIST.match(data.part(0, HEAD)):
        yield from _of_a_list(data, content.name, gathered)
    elif (found := long_list(data, "mesures")) is not None:
        document = {**found.rest, "mesures": []}
        _check(document)
        kind = _said_of_all(document, content.name, notes)
        place = 0
        for measures in items(data, found.start, found.end):
            for number, measure in _objects(measures, "mesures", notes, first=place):
                gathered.measure(measure, number, kind)
            place += len(measures)
            yield from gathered.observed()
    else:
        document = whole(data)
        _check(document)
        gathered.document(document, "", content.name)
    yield from gathered.observed()


def _of_a_list(data: Text, name: str, gathered: "_Gathered") -> Iterator[Observations]:
    """Of a list of documents; what is wrong with some is told when there are others."""
    start = data.part(0, HEAD).index(b"[") + 1
    end = data.end_of_list(start)
    wrong: dict[tuple[str, str], array[int]] = {}
    first_wrong = _shapeless()
    place, sound = 0, False
    for documents in items(data, start, end):
        for number, document in enumerate(documents, place):
            try:
                _check(document)
            except UnreadableFile as error:
                if not wrong:
                    first_wrong = error
                told = f"{error.message}. {error.remedy}"
                wrong.setdefault((error.where or "mesures", told), array("q")).append(number)
            else:
                sound = True
                gathered.document(document, f"[{number}].", name)
        place += len(documents)
        yield from gathered.observed()
    if not sound:
        raise first_wrong
    for (where, told), numbers in wrong.items():
        for number in numbers:
            gathered.notes.reject(f"[{number}].{where}", told, "")


def _check(document: Any) -> None:
    """Raises `UnreadableFile` for what is no document of measurements."""
    if isinstance(document, dict) and "donneesGenerales" in document:
        raise _not_measurements("C68")
    if not isinstance(document, dict) or not isinstance(document.get("mesures"), list):
        raise _shapeless()
    _flow(document)


def _said_of_all(document: Json, name: str, notes: Notes) -> Kind:
    """What the flow is of; when it was published is noted."""
    announced = document.get("echeances")
    stated = announced.get("horodateDebutPublication") if isinstance(announced, dict) else None
    published = enedis.published_at(_text(stated), name)
    notes.published_at = min((at for at in (notes.published_at, published) if at is not None), default=None)
    return _FLOWS[_flow(document)]


def _flow(document: Json) -> str:
    header = document.get("header")
    code = str(header.get("codeFlux", "")) if isinstance(header, dict) else ""
    if code[:3] in _FLOWS:
        return code[:3]
    if code[:3] in _OTHER_FLOWS:
        raise _not_measurements(code[:3])
    raise UnreadableFile(
        f"the header says codeFlux « {code} »",
        remedy=f"Flows read are {', '.join(_FLOWS)} and their A and B.",
        where="header",
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


class _Gathered:
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
        kind = _said_of_all(document, name, self.notes)
        for place, measure in _items(document, "mesures", prefix.rstrip("."), self.notes):
            self.measure(measure, place, kind)

    def measure(self, measure: Json, place: str, kind: Kind) -> None:
        meter, stage = str(measure.get("idPrm") or ""), _stage(measure)
        if kind is Kind.REGISTER_READING:
            for where, context in _items(measure, "contexte", place, self.notes, meter=meter):
                for here, quantity in _items(context, "grandeur", where, self.notes, meter=meter):
                    self._registers(meter, quantity, _stage(context), here)
            return
        step = str(measure.get("pas") or "P1D")
        for here, quantity in _items(measure, "grandeur", place, self.notes, meter=meter):
            points = _points(quantity, "points", here, self.notes, meter)
            if refusal := _refusal(quantity, kind, step):
                _reject_all(points, f"{here}.points", refusal, self.notes, meter)
            else:
                register = enedis.MAXIMA.get(str(quantity.get("grandeurPhysique")), "")
                self._add(meter, quantity, points, f"{here}.points", kind, register, stage, stage)

    def _registers(self, meter: str, quantity: Json, stage: str, place: str) -> None:
        """The classes of every calendar, and the total."""
        notes = self.notes
        found: list[tuple[str, str, list[Json], str]] = []
        for where, calendar in _items(quantity, "calendrier", place, notes, meter=meter, required=False):
            for here, temporal in _items(calendar, "classeTemporelle", where, notes, meter=meter):
                register = enedis.register_of(
                    str(temporal.get("idClasseTemporelle") or ""),
                    grid=str(calendar.get("libelleGrille") or ""),
                    calendar=str(calendar.get("idCalendrier") or ""),
                    dial=str(temporal.get("codeCadran") or ""),
                )
                readings = _points(temporal, "valeur", here, notes, meter)
                if not register:
                    _reject_all(readings, f"{here}.valeur", enedis.NO_CLASS, notes, meter)
                    continue
                counted = f"{stage} {calendar.get('idCalendrier') or ''}".strip()
                found.append((register, f"{here}.valeur", readings, counted))
        total = quantity.get("cadranTotalisateur")
        if isinstance(total, dict):
            here = f"{place}.cadranTotalisateur"
            found.append(("", f"{here}.valeur", _points(total, "valeur", here, notes, meter), stage))

        refusal = _refusal(quantity, Kind.REGISTER_READING, "P1D")
        for register, where, points, counted in found:
            if refusal:
                _reject_all(points, where, refusal, notes, meter)
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
    found = [point.get(key) for point in points]
    if not set(map(type, found)) <= {str, NoneType}:
        found = [_text(value) for value in found]
    return pl.Series(found, dtype=pl.String)


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


def _items(
    parent: Json, name: str, place: str, notes: Notes, *, meter: str = "", required: bool = True
) -> Iterator[tuple[str, Json]]:
    """The objects of a list with their places. What is no object is rejected; so is a list that is absent."""
    path = f"{place}.{name}" if place else name
    items = parent.get(name)
    named = [meter] if meter else []
    if not isinstance(items, list):
        if required or items is not None:
            reason = f"« {name} » is not the list that the schema of the flow requires"
            notes.reject(path, reason, str(items or ""), meter=named)
        return
    yield from _objects(items, path, notes, meter=meter)


def _objects(
    items: Sequence[Any], path: str, notes: Notes, *, meter: str = "", first: int = 0
) -> Iterator[tuple[str, Json]]:
    """Those of a list, or of a piece of it, whose first item is the one of that number."""
    for index, item in enumerate(items, first):
        if isinstance(item, dict):
            yield f"{path}[{index}]", item
        else:
            reason = "not an object, which the schema of the flow requires"
            notes.reject(f"{path}[{index}]", reason, str(item), meter=[meter] if meter else [])


def _points(parent: Json, name: str, place: str, notes: Notes, meter: str) -> list[Json]:
    """Those of a list. In the place of what is no object stands one without a value: the others keep theirs."""
    items = parent.get(name)
    if isinstance(items, list) and set(map(type, items)) <= {dict}:
        return items
    for _object in _items(parent, name, place, notes, meter=meter):
        pass  # the others are told
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []


def _reject_all(points: Sequence[Json], place: str, reason: str, notes: Notes, meter: str) -> None:
    for index, point in enumerate(points):
        if _text(point.get("v")):
            notes.reject(f"{place}[{index}]", reason, _text(point.get("v")) or "", meter=[meter])


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _not_measurements(code: str) -> UnreadableFile:
    return UnreadableFile(
        f"the flow {code} is of {_OTHER_FLOWS[code]}, not of measurements",
        remedy=f"Flows read are {', '.join(_FLOWS)}.",
        where="header",
    )


def _shapeless() -> UnreadableFile:
    return UnreadableFile(
        "the JSON has no list « mesures »", remedy="Check that it is a file of R63, R64, R65 or R66."
    )
