"""Which flow a document is of, and whether it is one of measurements."""

from typing import Any, Final

from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.readers.enedis_r6x_json.lists import Json, text_of
from gridgate.dataplane.ingest.unreadable import UnreadableFile

_FLOWS: Final = {
    "R63": Kind.LOAD_CURVE,
    "R64": Kind.REGISTER_READING,
    "R65": Kind.DAILY_ENERGY,
    "R66": Kind.MAXIMUM_POWER,
}
_OTHER_FLOWS: Final = {"R67": "billed quantities", "C68": "technical and contractual data"}


def check(document: Any) -> None:
    """Raises `UnreadableFile` for what is no document of measurements."""
    if isinstance(document, dict) and "donneesGenerales" in document:
        raise _not_measurements("C68")
    if not isinstance(document, dict) or not isinstance(document.get("mesures"), list):
        raise shapeless()
    _flow(document)


def said_of_all(document: Json, name: str, notes: Notes) -> Kind:
    """What the flow is of; when it was published is noted."""
    announced = document.get("echeances")
    stated = announced.get("horodateDebutPublication") if isinstance(announced, dict) else None
    published = enedis.published_at(text_of(stated), name)
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


def _not_measurements(code: str) -> UnreadableFile:
    return UnreadableFile(
        f"the flow {code} is of {_OTHER_FLOWS[code]}, not of measurements",
        remedy=f"Flows read are {', '.join(_FLOWS)}.",
        where="header",
    )


def shapeless() -> UnreadableFile:
    return UnreadableFile(
        "the JSON has no list « mesures »", remedy="Check that it is a file of R63, R64, R65 or R66."
    )
