"""Enedis R151: daily register readings and maximum power of C5 points, by
`Enedis.SGE.XSD.0315.Flux_R151_v1.2.0.xsd`.

`Date_Releve` is the day that was measured, and R151 alone among the flows dates an index by the day that it
*ends*: the index of the 2nd is what R64 gives for the 3rd at 00:00. It is stored there, so that both flows
tell one story. The maximum (`Puissance_Maximale`) is that of `Date_Releve` itself; its time is not given.

`Classe_Temporelle` is the supplier's grid, `Classe_Temporelle_Distributeur` the distributor's (registers
`D:…`). Units are those of the header (`Unite_Mesure_Index`, `Unite_Mesure_Puissance`). A C5 subscription is
for withdrawal.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest import enedis
from gridgate.dataplane.ingest.columns import Columns, observe
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.local_time import DAY
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.stamps import parse_stamps
from gridgate.dataplane.ingest.xml import elements, line_of

if TYPE_CHECKING:
    from lxml.etree import _Element


class R151Reader:
    """R151 in XML."""

    name: ClassVar[str] = "enedis-r151"
    title: ClassVar[str] = "Enedis R151, readings and maximum power of C5 points (XML)"

    def recognises(self, content: Content) -> bool:
        return content.xml_root == "R151"

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        meter, energy, power = "", "", ""
        for element in elements(content, ["En_Tete_Flux", "Id_PRM", "Donnees_Releve"]):
            match element.tag:
                case "En_Tete_Flux":
                    notes.published_at = enedis.published_at(element.findtext("Date_Creation"), content.name)
                    energy = (element.findtext("Unite_Mesure_Index") or "").strip()
                    power = (element.findtext("Unite_Mesure_Puissance") or "").strip()
                case "Id_PRM":
                    meter = (element.text or "").strip()
                case _:
                    yield from _day(element, meter, energy, power, notes)


READER: Final = R151Reader()


def _day(element: "_Element", meter: str, energy: str, power: str, notes: Notes) -> Iterator[Observations]:
    day = element.findtext("Date_Releve")
    for grid, name in (
        ("fournisseur", "Classe_Temporelle"),
        ("distributeur", "Classe_Temporelle_Distributeur"),
    ):
        for temporal in element.findall(name):
            code = (temporal.findtext("Id_Classe_Temporelle") or "").strip()
            if not code:
                value = (temporal.findtext("Valeur") or "").strip()
                notes.reject(f"line {line_of(temporal)}", enedis.NO_CLASS, value, meter=[meter])
                continue
            at_end = parse_stamps(pl.Series([day], dtype=pl.String))
            at_end.seconds = at_end.seconds + DAY
            batch = observe(
                Columns(
                    meter=meter,
                    kind=Kind.REGISTER_READING,
                    direction=FlowDirection.WITHDRAWAL,
                    register=enedis.register_of(code, grid=grid),
                    stamp=Stamp.DAY,
                    unit=energy,
                    stamps=at_end,
                    values=[temporal.findtext("Valeur")],
                    rows=[line_of(temporal)],
                    quality=enedis.quality_of_likelihood(temporal.findtext("Indice_Vraisemblance")),
                ),
                notes,
            )
            if batch is not None:
                yield batch
    for maximum in element.findall("Puissance_Maximale"):
        batch = observe(
            Columns(
                meter=meter,
                kind=Kind.MAXIMUM_POWER,
                direction=FlowDirection.WITHDRAWAL,
                stamp=Stamp.DAY,
                unit=power,
                stamps=[day],
                values=[maximum.findtext("Valeur")],
                rows=[line_of(maximum)],
            ),
            notes,
        )
        if batch is not None:
            yield batch
