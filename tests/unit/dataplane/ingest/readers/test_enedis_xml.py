"""R50, R151, R171, R4x: the official XSDs' own words."""

from collections.abc import Callable
from datetime import date

import pytest

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution
from tests.ingest_samples import AUTUMN, PLAIN, SPRING, ends, naive, offset, r50
from tests.unit.dataplane.ingest.conftest import C4, C5, Taken

Take = Callable[..., Taken]

R151 = f"""<R151><En_Tete_Flux><Date_Creation>2026-06-03T03:00:00+02:00</Date_Creation>
<Unite_Mesure_Index>Wh</Unite_Mesure_Index><Unite_Mesure_Puissance>VA</Unite_Mesure_Puissance></En_Tete_Flux>
<PRM><Id_PRM>{C5}</Id_PRM><Donnees_Releve><Date_Releve>2026-06-01</Date_Releve>
<Classe_Temporelle_Distributeur><Id_Classe_Temporelle>BASE</Id_Classe_Temporelle><Valeur>100</Valeur>
<Indice_Vraisemblance>0</Indice_Vraisemblance></Classe_Temporelle_Distributeur>
<Classe_Temporelle><Id_Classe_Temporelle>BASE</Id_Classe_Temporelle><Valeur>90</Valeur>
<Indice_Vraisemblance>1</Indice_Vraisemblance></Classe_Temporelle>
<Puissance_Maximale><Valeur>3817</Valeur></Puissance_Maximale></Donnees_Releve></PRM></R151>"""


def r171(physical: str, unit: str) -> str:
    return f"""<n:R171 xmlns:n="http://www.enedis.fr/stm/R171"><entete>
<dateHeureCreation>2026-06-02T01:00:00</dateHeureCreation></entete>
<serieMesuresDateesListe><serieMesuresDatees><prmId>{C4}</prmId><type>INDEX</type><grandeurMetier>CONS</grandeurMetier>
<grandeurPhysique>{physical}</grandeurPhysique><typeCalendrier>D</typeCalendrier>
<codeClasseTemporelle>HPH</codeClasseTemporelle><unite>{unit}</unite><mesuresDateesListe>
<mesureDatee><dateFin>2026-06-01T02:37:56</dateFin><valeur>429229000</valeur></mesureDatee>
</mesuresDateesListe></serieMesuresDatees></serieMesuresDateesListe></n:R171>"""


def r4x(physical: str = "EA", status: str = "R") -> str:
    return f"""<Courbe><Entete><Identifiant_Flux>R4x</Identifiant_Flux></Entete>
<Corps><Identifiant_PRM>{C4}</Identifiant_PRM><Donnees_Courbe><Granularite>10</Granularite>
<Unite_Mesure>kW</Unite_Mesure><Grandeur_Metier>CONS</Grandeur_Metier>
<Grandeur_Physique>{physical}</Grandeur_Physique>
<Donnees_Point_Mesure Horodatage="2026-06-01T00:00:00+02:00" Valeur_Point="28" Statut_Point="{status}"/>
<Donnees_Point_Mesure Horodatage="2026-06-01T00:10:00+02:00"/>
</Donnees_Courbe></Corps></Courbe>"""


class TestR50:
    @pytest.mark.parametrize("day", [PLAIN, SPRING, AUTUMN])
    @pytest.mark.parametrize("write", [naive, offset])
    def test_is_stamped_at_the_end(self, take: Take, day: date, write: Callable[..., list[str]]) -> None:
        taken = take(r50(C5, write(ends(day)), range(len(ends(day)))))

        assert taken.block.day == day
        assert taken.block.values.tolist() == list(range(len(ends(day))))
        assert taken.store.source is not None
        assert taken.store.source.published_at == 1_793_066_441_000

    def test_has_holes(self, take: Take) -> None:
        taken = take(r50(C5, offset(ends(PLAIN)[:3]), [1, None, 3]))

        assert (taken.report.stored, taken.report.holes) == (2, 1)

    def test_has_the_step_of_its_stamps_where_the_head_has_none(self, take: Take) -> None:
        document = r50(C5, offset(ends(PLAIN)[:3]), [1, 2, 3]).replace(">30</Pas", "></Pas")

        assert take(document).report.stored == 3

    def test_doubts_what_is_unlikely(self, take: Take) -> None:
        block = take(r50(C5, offset(ends(PLAIN)[:1]), [1]).replace("<IV>0", "<IV>1")).block

        assert block.quality[0] == Quality.ESTIMATED


class TestR151:
    def test_dates_an_index_by_the_day_it_ends_and_a_maximum_by_its_own(self, take: Take) -> None:
        blocks = take(R151).blocks

        told = {
            (b.key.kind, b.key.register): (b.day, int(b.values[0]), Quality(b.quality[0])) for b in blocks
        }
        assert told == {
            (Kind.REGISTER_READING, "BASE"): (date(2026, 6, 2), 90, Quality.ESTIMATED),
            (Kind.REGISTER_READING, "D:BASE"): (date(2026, 6, 2), 100, Quality.MEASURED),
            (Kind.MAXIMUM_POWER, ""): (date(2026, 6, 1), 3817, Quality.MEASURED),
        }

    @pytest.mark.parametrize("grid", ["Classe_Temporelle", "Classe_Temporelle_Distributeur"])
    def test_takes_no_class_without_a_name_for_the_total(self, take: Take, grid: str) -> None:
        taken = take(R151.replace(f"<{grid}><Id_Classe_Temporelle>BASE", f"<{grid}><Id_Classe_Temporelle>"))

        assert taken.report.stored == 2
        assert "names no temporal class" in taken.reasons[0][1]


class TestR171:
    def test_takes_no_class_without_a_name_for_the_total(self, take: Take) -> None:
        assert "names no temporal class" in take(r171("EA", "Wh").replace("HPH", "")).reasons[0][1]

    def test_keeps_active_energy(self, take: Take) -> None:
        block = take(r171("EA", "Wh")).block

        assert (block.key.register, block.day, int(block.values[0])) == ("D:HPH", PLAIN, 429229000)
        assert block.offsets is not None
        assert block.offsets[0] == 2 * 3600 + 37 * 60 + 56

    @pytest.mark.parametrize(
        ("physical", "unit", "reason"),
        [("ERC", "VARh", "reactive energy"), ("PMA", "VA", "since the last reset")],
    )
    def test_refuses_the_rest(self, take: Take, physical: str, unit: str, reason: str) -> None:
        taken = take(r171(physical, unit))

        assert reason in taken.reasons[0][1]
        assert taken.report.quarantined[0].value == "429229000"


class TestR4x:
    def test_is_stamped_at_the_start_and_in_kilowatts(self, take: Take) -> None:
        taken = take(r4x())

        assert taken.block.key.resolution is Resolution.PT10M
        assert taken.block.values[0] * 10**taken.block.scale == 28000
        assert taken.report.holes == 1

    def test_marks_what_was_corrected(self, take: Take) -> None:
        assert take(r4x(status="C")).block.quality[0] == Quality.CORRECTED

    @pytest.mark.parametrize(
        ("nature", "quality"), [("Corrigée", Quality.CORRECTED), ("Brute", Quality.MEASURED)]
    )
    def test_has_the_quality_of_the_file_where_a_value_has_none(
        self, take: Take, nature: str, quality: Quality
    ) -> None:
        said = f"</Identifiant_Flux><Nature_De_Courbe_Demandee>{nature}</Nature_De_Courbe_Demandee>"

        block = take(r4x(status="").replace("</Identifiant_Flux>", said)).block

        assert block.quality[0] == quality

    def test_keeps_neither_of_two_curves_that_differ(self, take: Take) -> None:
        document = r4x()
        curve = document[document.index("<Donnees_Courbe>") : document.index("</Corps>")]
        other = curve.replace("<Grandeur_Physique>EA", "<Grandeur_Physique>PA").replace('"28"', '"29"')

        taken = take(document.replace("</Corps>", f"{other}</Corps>"))

        assert taken.report.stored == 0
        assert "here by EA" in taken.reasons[0][1]
        assert "by PA (29); neither is kept" in taken.reasons[0][1]

    def test_refuses_reactive_curves(self, take: Take) -> None:
        assert "reactive energy (ERI)" in take(r4x("ERI")).reasons[0][1]


@pytest.mark.parametrize("document", [R151, r171("EA", "Wh"), r4x(), r50(C5, offset(ends(PLAIN)), range(48))])
def test_a_truncated_flow_leaves_nothing_behind(take: Take, document: str) -> None:
    taken = take(document[:-30])

    assert taken.report.refused
    ((where, reason),) = taken.reasons
    assert "the XML is truncated" in reason
    assert where.startswith("line ")
