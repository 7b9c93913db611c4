"""Enedis R171: daily register readings of C2–C4 points, by `ENEDIS.SGE.XSD.0315.Flux_R171_v1.2.0.xsd`.

Each series is one physical quantity of one temporal class of the distributor's grid (`typeCalendrier` D);
`dateFin`, by the clock on the wall, is the instant of the reading. Only active energy (EA) is kept: its unit
is the series' own. The rest (reactive energy, durations, and maxima since the last reset, which are no daily
maxima) is rejected value by value.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.xml import elements, line_of

if TYPE_CHECKING:
    from lxml.etree import _Element


class R171Reader:
    """R171 in XML."""

    name: ClassVar[str] = "enedis-r171"
    title: ClassVar[str] = "Enedis R171, readings of C2–C4 points (XML)"

    def recognises(self, content: Content) -> bool:
        return content.xml_root == "R171"

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        for element in elements(content, ["entete", "serieMesuresDatees"]):
            if element.tag == "entete":
                notes.published_at = enedis.published_at(element.findtext("dateHeureCreation"), content.name)
            elif (batch := _series(element, notes)) is not None:
                yield batch


READER: Final = R171Reader()


def _series(element: "_Element", notes: Notes) -> Observations | None:
    def header(name: str) -> str:
        return (element.findtext(name) or "").strip()

    readings = element.findall("mesuresDateesListe/mesureDatee")
    direction = enedis.direction_of(header("grandeurMetier"))
    physical = header("grandeurPhysique")
    if direction is None or physical != "EA":
        reason = (
            enedis.not_kept(physical)
            if physical not in enedis.MAXIMA
            else "the maximum is since the last reset of the meter; only daily maxima are kept"
        )
        for reading in readings:
            value = (reading.findtext("valeur") or "").strip()
            notes.reject(f"line {line_of(reading)}", reason, value, meter=[header("prmId")])
        return None
    if not header("codeClasseTemporelle"):
        for reading in readings:
            value = (reading.findtext("valeur") or "").strip()
            notes.reject(f"line {line_of(reading)}", enedis.NO_CLASS, value, meter=[header("prmId")])
        return None
    return observe(
        Columns(
            meter=header("prmId"),
            kind=Kind.REGISTER_READING,
            direction=direction,
            register=enedis.register_of(
                header("codeClasseTemporelle"), grid="distributeur" if header("typeCalendrier") == "D" else ""
            ),
            stamp=Stamp.MOMENT,
            unit=header("unite"),
            stamps=[reading.findtext("dateFin") for reading in readings],
            values=[reading.findtext("valeur") for reading in readings],
            rows=[line_of(reading) for reading in readings],
        ),
        notes,
    )
