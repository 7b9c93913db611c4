"""Enedis R50: load curve of C5 points, by `Enedis.SGE.GUI.0316.Flux_R50_v1.1.0.xsd`.

The schema fixes `Libelle_Flux` to « Courbes de charge des PRM du segment C5 sur abonnement », hence every
stamp is the END of its interval: the first `H` of the day `Date_Releve` is 00:30, the last one 00:00 of the
day after. Values are mean power in W, stamps bear their offset, the step is `Pas_Publication` in minutes. `V`
is optional: a `PDC` without one is a hole. A C5 subscription is for withdrawal.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe, seconds_of
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.xml import elements, line_of

if TYPE_CHECKING:
    from lxml.etree import _Element


class R50Reader:
    """R50 in XML."""

    name: ClassVar[str] = "enedis-r50"
    title: ClassVar[str] = "Enedis R50, load curve of C5 points (XML)"

    def recognises(self, content: Content) -> bool:
        return content.xml_root == "R50"

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        meter, step = "", 0
        for element in elements(content, ["En_Tete_Flux", "Id_PRM", "Donnees_Releve"]):
            match element.tag:
                case "En_Tete_Flux":
                    notes.published_at = enedis.published_at(element.findtext("Date_Creation"), content.name)
                    minutes = (element.findtext("Pas_Publication") or "").strip()
                    step = seconds_of(minutes) if minutes else 0
                case "Id_PRM":
                    meter = (element.text or "").strip()
                case _:
                    batch = _day(element, meter, step, notes)
                    if batch is not None:
                        yield batch


READER: Final = R50Reader()


def _day(element: "_Element", meter: str, step: int, notes: Notes) -> Observations | None:
    points = element.findall("PDC")
    return observe(
        Columns(
            meter=meter,
            kind=Kind.LOAD_CURVE,
            direction=FlowDirection.WITHDRAWAL,
            stamp=Stamp.END,
            unit="W",
            stamps=[point.findtext("H") for point in points],
            values=[point.findtext("V") for point in points],
            rows=[line_of(point) for point in points],
            steps=step,
            quality=enedis.qualities_of_likelihoods([point.findtext("IV") for point in points]),
        ),
        notes,
    )
