"""The reader of R63 to R66 in JSON as it was: all of the file at once, one batch for each list of points. Others are held
against it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

import orjson

from gridgate.core.quantities import Kind, Quality
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.content import Content, decode_utf8
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.unreadable import UnreadableFile

_FLOWS: Final = {
    "R63": Kind.LOAD_CURVE,
    "R64": Kind.REGISTER_READING,
    "R65": Kind.DAILY_ENERGY,
    "R66": Kind.MAXIMUM_POWER,
}
_OTHER_FLOWS: Final = {"R67": "billed quantities", "C68": "technical and contractual data"}
_HEADER: Final = re.compile(rb'"codeFlux"\s*:\s*"')
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
            for prefix, document in _documents(content, notes):
                yield from _values(document, prefix, content.name, notes)
        except RecursionError:
            raise UnreadableFile(
                "lists and objects nest deeper than in any flow", remedy="Fetch the file again."
            ) from None


def _documents(content: Content, notes: Notes) -> list[tuple[str, Json]]:
    """The documents of the file with the beginning of their places: one, or a list of them.

    What of a list is no measurements is rejected; raises what is wrong with it when it is all there is.
    """
    text = decode_utf8(content, content.read())
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        truncated = error.pos >= len(text.rstrip()) - 1 or "end of data" in error.msg
        raise UnreadableFile(
            f"the JSON is {'truncated' if truncated else 'malformed'} ({error.msg})",
            remedy="Fetch the file again and compare its size with the sender's.",
            where=f"line {error.lineno}, column {error.colno}",
        ) from None
    listed = [(f"[{index}].", item) for index, item in enumerate(found)] if isinstance(found, list) else []
    documents: list[tuple[str, Json]] = []
    wrong: list[tuple[str, UnreadableFile]] = []
    for prefix, document in listed or [("", found)]:
        try:
            _check(document)
            documents.append((prefix, document))
        except UnreadableFile as error:
            wrong.append((prefix, error))
    if not documents:
        raise wrong[0][1]
    for prefix, defect in wrong:
        notes.reject(f"{prefix}{defect.where or 'mesures'}", f"{defect.message}. {defect.remedy}", "")
    return documents


def _check(document: Any) -> None:
    """Raises `UnreadableFile` for what is no document of measurements."""
    if isinstance(document, dict) and "donneesGenerales" in document:
        raise _not_measurements("C68")
    if not isinstance(document, dict) or not isinstance(document.get("mesures"), list):
        raise _shapeless()
    _flow(document)


def _values(document: Json, prefix: str, name: str, notes: Notes) -> Iterator[Observations]:
    announced = document.get("echeances")
    stated = announced.get("horodateDebutPublication") if isinstance(announced, dict) else None
    published = enedis.published_at(_text(stated), name)
    notes.published_at = min((at for at in (notes.published_at, published) if at is not None), default=None)
    kind = _FLOWS[_flow(document)]
    for place, measure in _items(document, "mesures", prefix.rstrip("."), notes):
        yield from _measure(measure, place, kind, notes)


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


def _measure(measure: Json, place: str, kind: Kind, notes: Notes) -> Iterator[Observations]:
    meter, stage = str(measure.get("idPrm") or ""), _stage(measure)
    if kind is Kind.REGISTER_READING:
        for where, context in _items(measure, "contexte", place, notes, meter=meter):
            for here, quantity in _items(context, "grandeur", where, notes, meter=meter):
                yield from _registers(meter, quantity, _stage(context), here, notes)
        return
    step = str(measure.get("pas") or "P1D")
    for here, quantity in _items(measure, "grandeur", place, notes, meter=meter):
        points = _points(quantity, "points", here, notes, meter)
        refusal = _refusal(quantity, kind, step)
        if refusal:
            _reject_all(points, f"{here}.points", refusal, notes, meter)
        elif (batch := _points_batch(meter, quantity, points, stage, here, kind, notes)) is not None:
            yield batch


def _points_batch(
    meter: str, quantity: Json, points: Sequence[Json], stage: str, place: str, kind: Kind, notes: Notes
) -> Observations | None:
    stamp = {Kind.LOAD_CURVE: Stamp.BY_SEGMENT, Kind.DAILY_ENERGY: Stamp.DAY}.get(kind, Stamp.MOMENT)
    curve = kind is Kind.LOAD_CURVE
    return observe(
        Columns(
            meter=meter,
            kind=kind,
            direction=enedis.direction_of(str(quantity.get("grandeurMetier") or "")),
            register=enedis.MAXIMA.get(str(quantity.get("grandeurPhysique")), ""),
            stamp=stamp,
            unit=str(quantity.get("unite") or ""),
            stamps=[_text(point.get("d")) for point in points],
            values=[_text(point.get("v")) for point in points],
            rows=range(len(points)),
            place=f"{place}.points[{{}}]",
            steps=_steps([point.get("p") for point in points]) if curve else None,
            quality=enedis.qualities_of_natures([point.get("n") for point in points], stage)
            if curve
            else Quality.MEASURED,
            variant=stage,
        ),
        notes,
    )


def _registers(meter: str, quantity: Json, stage: str, place: str, notes: Notes) -> Iterator[Observations]:
    """The classes of every calendar, and the total."""
    found: list[tuple[str, str, Sequence[Json], str]] = []
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
            continue
        batch = observe(
            Columns(
                meter=meter,
                kind=Kind.REGISTER_READING,
                direction=enedis.direction_of(str(quantity.get("grandeurMetier") or "")),
                register=register,
                stamp=Stamp.MOMENT,
                unit=str(quantity.get("unite") or ""),
                stamps=[_text(point.get("d")) for point in points],
                values=[_text(point.get("v")) for point in points],
                rows=range(len(points)),
                place=f"{where}[{{}}]",
                quality=enedis.qualities_of_likelihoods([point.get("iv") for point in points]),
                variant=counted,
            ),
            notes,
        )
        if batch is not None:
            yield batch


def _refusal(quantity: Json, kind: Kind, step: str) -> str:
    physical = str(quantity.get("grandeurPhysique") or "")
    if enedis.direction_of(str(quantity.get("grandeurMetier") or "")) is None:
        return f"grandeurMetier « {quantity.get('grandeurMetier')} » is neither CONS nor PROD"
    if physical not in (enedis.MAXIMA if kind is Kind.MAXIMUM_POWER else enedis.ACTIVE):
        return enedis.not_kept(physical)
    if kind in (Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER) and step != "P1D":
        return f"the values are of a step « {step} »; daily ones (P1D) are kept"
    return ""


def _steps(codes: Sequence[Any]) -> list[int]:
    """Seconds of each step; 0, to be deduced, where there is none."""
    texts = ["" if code is None else str(code) for code in codes]
    table = {text: seconds_of(text) if text else 0 for text in set(texts)}
    return [table[text] for text in texts]


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
    for index, item in enumerate(items):
        if isinstance(item, dict):
            yield f"{path}[{index}]", item
        else:
            reason = "not an object, which the schema of the flow requires"
            notes.reject(f"{path}[{index}]", reason, str(item), meter=named)


def _points(parent: Json, name: str, place: str, notes: Notes, meter: str) -> list[Json]:
    items = parent.get(name)
    if isinstance(items, list) and all(isinstance(item, dict) for item in items):
        return items
    return [item for _, item in _items(parent, name, place, notes, meter=meter)]


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
