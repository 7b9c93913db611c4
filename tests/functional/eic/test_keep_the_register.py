"""The operator's staff keep the register: find, record, deactivate, link; and see what was done to a code."""

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.eic.models import EicCode
from gridgate.eic.operations.issuing import accept_eic_request
from gridgate.eic.queries import organisation_eic_code
from tests.factories.eic import make_code, make_request
from tests.functional.eic.reading import error_beside, text_of
from tests.world import World

HOME = "/administration/eic/"
RTE = {"code": "10xfr-rte------q", "display_name": "RTE", "long_name": "RTE"}


def page_of(code: EicCode) -> str:
    return f"{HOME}{code.pk}/"


class TestTheRegister:
    def test_says_whose_each_code_is_and_where_it_comes_from(self, world: World) -> None:
        make_code("ACME", organisation=world.acme, office="10")
        accept_eic_request(
            request=make_request(world.charlie, display_name="CLIENT-B", long_name="Client B"),
            body="CLIENT-B----",
            actor=world.operateur,
            now=world.now,
        )
        text = text_of(world.client("operateur").get(HOME))
        assert "X, acteur ACME Industries SIREN 111 222 337 Registre d’un autre bureau Actif" in text
        assert "X, acteur Client B SIREN 123 456 782 Attribué ici Actif" in text

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"entreprise": "acme"}, {"ACME"}),
            ({"entreprise": "123 456"}, {"CLIENT-B"}),
            ({"origine": "issued"}, {"CLIENT-B"}),
            ({"type": "Y"}, {"ZONE"}),
            ({"q": "client"}, {"CLIENT-B"}),
        ],
    )
    def test_is_narrowed(self, world: World, query: dict[str, str], found: set[str]) -> None:
        make_code("ACME", organisation=world.acme, office="10")
        make_code("CLIENT-B", organisation=world.client_b)
        make_code("ZONE", type="Y", office="10")
        staff = world.client("operateur")
        page = text_of(staff.get(HOME, query))
        exported = b"".join(staff.get(f"{HOME}export.csv", query)).decode()
        for name in ("ACME", "CLIENT-B", "ZONE"):
            assert (f";{name};" in exported) == (name in found)
        assert f"{len(found)} sur 3" in page

    def test_as_a_file_names_the_companies(self, world: World) -> None:
        code = make_code("ACME", organisation=world.acme, office="10")
        lines = b"".join(world.client("operateur").get(f"{HOME}export.csv")).decode("utf-8-sig").splitlines()
        assert (
            lines[1] == f"{code.pk};X;ACME;ACME;;;Actif;registre d’un autre bureau;111222337;ACME Industries"
        )


class TestRecordingACode:
    def test_of_another_office_gives_the_company_its_code(self, world: World) -> None:
        done = world.client("operateur").post(
            f"{HOME}ajouter/", {**RTE, "company": "111 222 337"}, follow=True
        )
        assert "Le code 10XFR-RTE------Q est inscrit au registre." in text_of(done)
        code = EicCode.objects.get()
        assert organisation_eic_code(world.acme) == code
        event = AuditEvent.objects.get(action="eic.recorded")
        assert (event.organisation, event.user_name) == (world.acme.pk, "Olivier")

    def test_whose_check_character_fails_is_recorded_with_a_warning(self, world: World) -> None:
        form = {**RTE, "code": "10XFR-RTE------A"}
        done = text_of(world.client("operateur").post(f"{HOME}ajouter/", form, follow=True))
        assert "Sa clé ne convient pas : Le dernier caractère devrait être Q." in done
        assert "Un autre bureau l’a attribué ainsi : le code est gardé tel quel." in done
        assert EicCode.objects.get().valid is False

    @pytest.mark.parametrize(
        ("changed", "field", "said"),
        [
            ({"code": "10XFR-RTE"}, "code", "9 caractères saisis, un code EIC en a 16."),
            ({"code": "10BFR-RTE------Q"}, "code", "Le troisième caractère dit le type"),
            ({"code": "10XFR_RTE------Q"}, "code", "pas _."),
            ({"company": "111222338"}, "company", "Ce n’est pas un SIREN"),
            ({"company": "732829320"}, "company", "Aucune entreprise n’a ce SIREN ici."),
            ({"responsible_party": "10XFR"}, "responsible_party", "5 caractères saisis"),
            ({"code": "17X100A157F0022N"}, "code", "Le dernier caractère devrait être V."),
            ({"parent": "17X100A157F0022N"}, "parent", "Le dernier caractère devrait être V."),
            (
                {"responsible_party": "17X100A157F0022N"},
                "responsible_party",
                "Le dernier caractère devrait être V.",
            ),
        ],
    )
    def test_that_will_not_do_says_why_beside_it_and_keeps_the_rest(
        self, world: World, changed: dict[str, str], field: str, said: str
    ) -> None:
        refused = world.client("operateur").post(f"{HOME}ajouter/", {**RTE, **changed})
        assert refused.status_code == 422
        assert said in error_beside(refused, field)
        assert 'value="RTE"' in refused.content.decode()
        assert not EicCode.objects.exists()

    def test_twice_is_refused(self, world: World) -> None:
        staff = world.client("operateur")
        staff.post(f"{HOME}ajouter/", RTE)
        assert "Le registre a déjà ce code." in error_beside(staff.post(f"{HOME}ajouter/", RTE), "code")


class TestOneCode:
    def test_is_deactivated_and_reactivated_with_a_reason(self, world: World) -> None:
        code, staff = make_code("ACME", organisation=world.acme), world.client("operateur")
        lacking = staff.post(page_of(code), {"do": "deactivate", "etat-reason": " "})
        assert lacking.status_code == 422
        assert error_beside(lacking, "etat-reason")
        done = text_of(
            staff.post(page_of(code), {"do": "deactivate", "etat-reason": "Cessation"}, follow=True)
        )
        assert f"Le code {code.pk} est désactivé." in done
        assert "Désactivé motif : Cessation" in done
        assert organisation_eic_code(world.acme) is None
        back = text_of(staff.post(page_of(code), {"do": "reactivate", "etat-reason": "Erreur"}, follow=True))
        assert "Réactivé motif : Erreur" in back
        assert organisation_eic_code(world.acme) == code

    def test_is_linked_to_a_company_and_to_none(self, world: World) -> None:
        code, staff = make_code("ACME"), world.client("operateur")
        done = staff.post(page_of(code), {"do": "link", "lien-company": "111 222 337"}, follow=True)
        assert "Le code est rattaché à ACME Industries." in text_of(done)
        assert organisation_eic_code(world.acme) == code
        staff.post(page_of(code), {"do": "link", "lien-company": ""})
        code.refresh_from_db()
        assert code.organisation is None
        refused = staff.post(page_of(code), {"do": "link", "lien-company": "12"})
        assert "Ce n’est pas un SIREN" in error_beside(refused, "lien-company")

    def test_tells_what_was_done_by_whom_and_when(self, world: World) -> None:
        accept_eic_request(
            request=(request := make_request(world.alice)),
            body="ACME-ENERGIE",
            actor=world.operateur,
            now=world.now,
        )
        code = EicCode.objects.get()
        text = text_of(world.client("operateur").get(page_of(code)))
        assert (
            f"Attribué nom d’affichage : ACME-ENERGIE nom complet : ACME Énergie demande : {request.number}"
            in text
        )
        assert "25 nov. 2026 10:30 Olivier" in text
        assert "Fonctions Producteur" in text
        assert f"/administration/demandes/{request.number}/" in (
            world.client("operateur").get(page_of(code)).content.decode()
        )

    def test_is_told_to_the_company_but_not_the_company_before(self, world: World) -> None:
        code, staff = make_code("ACME", organisation=world.acme), world.client("operateur")
        staff.post(page_of(code), {"do": "link", "lien-company": "123456782"})
        acme, client_b = AuditEvent.objects.filter(subject=code.pk).order_by("-pk")[:2][::-1]
        assert (acme.organisation, acme.action) == (world.acme.pk, "eic.unlinked")
        assert (client_b.organisation, client_b.action) == (world.client_b.pk, "eic.linked")

    def test_absent_is_not_found(self, world: World) -> None:
        assert world.client("operateur").get(f"{HOME}10XFR-RTE------Q/").status_code == 404


@pytest.mark.parametrize("who", ["alice", "charlie", "acme_user"])
def test_nobody_else_keeps_it(world: World, who: str) -> None:
    code, client = make_code("ACME", organisation=world.acme), world.client(who)
    for address in (HOME, f"{HOME}export.csv", f"{HOME}ajouter/", page_of(code)):
        assert client.get(address).status_code == 403
    assert client.post(page_of(code), {"do": "deactivate", "etat-reason": "Non"}).status_code == 403
    assert client.post(f"{HOME}ajouter/", RTE).status_code == 403
    code.refresh_from_db()
    assert code.active
