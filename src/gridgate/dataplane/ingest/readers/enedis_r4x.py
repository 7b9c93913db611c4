"""Enedis R4Q, R4H, R4M: load curve of C1–C4 points, by `Enedis.SGE.XSD.0409.R4x_v1.1.1.xsd`.

C1–C4 are stamped at the START of the interval: a day's curve runs from 00:00 to 23:50 in steps of
`Granularite` minutes, between `Horodatage_Debut` and `Horodatage_Fin`. Values are mean power in the unit of
the curve (kW as a rule), their status a nature code; where
a value has none, `Nature_De_Courbe_Demandee` says it for the file. Curves of other quantities than active energy
(reactive, voltage) are rejected value by value.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.xml import elements, line_of

if TYPE_CHECKING:
    from lxml.etree import _Element


class R4xReader:
    """R4Q, R4H, R4M in XML."""

    name: ClassVar[str] = "enedis-r4x"
    title: ClassVar[str] = "Enedis R4Q, R4H, R4M, load curve of C1–C4 points (XML)"

    def recognises(self, content: Content) -> bool:
        return content.xml_root == "Courbe" and b"Identifiant_Flux" in content.head

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        meter, stage = "", ""
        for element in elements(content, ["Entete", "Identifiant_PRM", "Donnees_Courbe"]):
            match element.tag:
                case "Entete":
                    notes.published_at = enedis.published_at(element.findtext("Date_Creation"), content.name)
                    stage = (element.findtext("Nature_De_Courbe_Demandee") or "").strip()
                case "Identifiant_PRM":
                    meter = (element.text or "").strip()
                case _:
                    batch = _curve(element, meter, stage, notes)
                    if batch is not None:
                        yield batch


READER: Final = R4xReader()


def _curve(element: "_Element", meter: str, stage: str, notes: Notes) -> Observations | None:
    points = element.findall("Donnees_Point_Mesure")
    trade, physical = (
        element.findtext("Grandeur_Metier") or "",
        (element.findtext("Grandeur_Physique") or "").strip(),
    )
    direction = enedis.direction_of(trade)
    if direction is None or physical not in enedis.ACTIVE:
        reason = (
            enedis.not_kept(physical)
            if direction is not None
            else f"Grandeur_Metier « {trade} » is neither CONS nor PROD"
        )
        for point in points:
            if point.get("Valeur_Point"):
                notes.reject(f"line {line_of(point)}", reason, point.get("Valeur_Point", ""), meter=[meter])
        return None
    minutes = (element.findtext("Granularite") or "").strip()
    return observe(
        Columns(
            meter=meter,
            kind=Kind.LOAD_CURVE,
            direction=direction,
            stamp=Stamp.START,
            unit=(element.findtext("Unite_Mesure") or "").strip(),
            stamps=[point.get("Horodatage") for point in points],
            values=[point.get("Valeur_Point") for point in points],
            rows=[line_of(point) for point in points],
            steps=seconds_of(minutes) if minutes else None,
            quality=enedis.qualities_of_natures([point.get("Statut_Point") for point in points], stage),
            variant=physical,
        ),
        notes,
    )
