"""Everyone who is signed in looks up a code, before asking for one or to use it."""

import pytest

from gridgate.eic.models import EicCode
from gridgate.eic.operations.importing import import_eic_codes
from gridgate.eic.operations.register import deactivate_eic_code
from tests.factories.eic import make_account, make_code
from tests.functional.eic.reading import text_of
from tests.world import World

REGISTER = "/eic/registre/"


@pytest.fixture
def codes(world: World) -> dict[str, EicCode]:
    return {
        "rhone": make_code("ENERGIE-RHONE", long_name="Énergie du Rhône", office="10"),
        "zone": make_code("ZONE-SUD", type="Y", long_name="Zone du Sud", office="10"),
        "point": make_code("CB-POINT", type="Z", long_name="Client B, arrivée", organisation=world.client_b),
    }


class TestEveryoneSignedIn:
    @pytest.mark.parametrize("who", ["alice", "acme_user", "bob", "charlie", "operateur"])
    def test_sees_code_type_names_and_status(self, world: World, codes: dict[str, EicCode], who: str) -> None:
        text = text_of(world.client(who).get(REGISTER))
        assert f"{codes['rhone'].pk} ENERGIE-RHONE Énergie du Rhône X, acteur – Actif" in text

    def test_is_also_who_acts_for_no_company(self, world: World, codes: dict[str, EicCode], client) -> None:
        client.force_login(make_account())
        assert codes["zone"].pk in text_of(client.get(REGISTER))
        assert codes["zone"].pk in b"".join(client.get(f"{REGISTER}export.csv")).decode()

    def test_and_nobody_else(self, world: World) -> None:
        assert world.visitor().get(REGISTER)["Location"] == f"/connexion/?next={REGISTER}"

    def test_sees_nothing_of_the_portal_s_companies(self, world: World, codes: dict[str, EicCode]) -> None:
        """The register says whose a code is by its names, never which company of the portal is linked to it."""
        make_code("ANONYME", organisation=world.client_b, office="10")
        for page in (text_of(world.client("alice").get(REGISTER)), export(world, "alice")):
            assert "ANONYME" in page
            assert "Client B" not in page
            assert world.client_b.siren not in page

    def test_sees_the_measurement_points_of_their_own_company_only(
        self, world: World, codes: dict[str, EicCode]
    ) -> None:
        code = codes["point"].pk
        assert code in text_of(world.client("charlie").get(REGISTER))
        alice = world.client("alice")
        assert "Aucun code ne répond à cette recherche" in text_of(alice.get(f"{REGISTER}?q={code}"))
        assert "CB-POINT" not in export(world, "alice")
        counted = text_of(alice.get(REGISTER))
        assert "2 sur 2" in counted  # not even in the count


class TestASearch:
    @pytest.mark.parametrize("q", ["rhone", "ÉNERGIE", "energie du rhône", "10xenergie"])
    def test_finds_by_code_and_names_without_case_or_accents(
        self, world: World, codes: dict[str, EicCode], q: str
    ) -> None:
        text = text_of(world.client("alice").get(REGISTER, {"q": q}))
        assert "1 sur 2" in text
        assert "ENERGIE-RHONE" in text

    def test_narrows_by_type_and_state(self, world: World, codes: dict[str, EicCode]) -> None:
        deactivate_eic_code(code=codes["zone"], reason="Cessation", actor=None, now=world.now)
        alice = world.client("alice")
        text = text_of(alice.get(REGISTER, {"etat": "desactive"}))
        assert "ZONE-SUD" in text
        assert "Désactivé" in text
        assert "ENERGIE-RHONE" not in text
        assert "ZONE-SUD" not in text_of(alice.get(REGISTER, {"type": "X"}))
        assert "2 sur 2" in text_of(alice.get(REGISTER, {"type": "?", "etat": "?"}))

    def test_of_a_code_that_is_mistyped_says_the_last_character(self, world: World) -> None:
        text = text_of(world.client("alice").get(REGISTER, {"q": "10XFR-RTE------R"}))
        assert "Le dernier caractère devrait être Q." in text

    def test_finds_a_code_that_was_published_with_a_wrong_one(self, world: World) -> None:
        published = {"code": "17X100A157F0022N", "display_name": "A157F", "long_name": "A157F"}
        import_eic_codes([(2, published)], name="X_eicCodes.csv", now=world.now)
        text = text_of(world.client("alice").get(REGISTER, {"q": "17x100a157f0022n"}))
        assert "1 sur 1" in text
        assert text.count("Le dernier caractère devrait être V.") == 2  # above, and beside the code

    def test_without_a_result_repeats_it_and_offers_to_ask(self, world: World) -> None:
        make_code("ACME", office="10")
        response = world.client("alice").get(REGISTER, {"q": "Boréal <b>"})
        assert "Rien pour « Boréal &lt;b&gt; »." in text_of(response)
        assert 'href="/eic/nouvelle/?nom=Bor%C3%A9al%20%3Cb%3E"' in response.content.decode()

    def test_pages_and_sorts(self, world: World) -> None:
        for number in range(14):
            make_code(f"ACME-{number:02}", office="10")
        alice = world.client("alice")
        first, second = text_of(alice.get(REGISTER)), text_of(alice.get(REGISTER, {"page": "2"}))
        assert "1–12 sur 14" in first
        assert "ACME-13" in second
        assert "ACME-13" in text_of(alice.get(REGISTER, {"tri": "-nom"}))

    def test_speaks_english(self, world: World, codes: dict[str, EicCode]) -> None:
        text = text_of(world.client("alice", language="en").get(REGISTER, {"q": "10XFR-RTE------R"}))
        assert "The last character should be Q." in text
        assert "Register" in text


def export(world: World, who: str, query: str = "") -> str:
    return b"".join(world.client(who).get(f"{REGISTER}export.csv{query}")).decode("utf-8-sig")


def test_a_file_holds_what_the_search_lets_through(world: World, codes: dict[str, EicCode]) -> None:
    lines = export(world, "alice", "?type=Y").splitlines()
    assert lines == [
        "Code EIC;Type;Nom d’affichage;Nom complet;Acteur responsable;Code parent;État",
        f"{codes['zone'].pk};Y;ZONE-SUD;Zone du Sud;;;Actif",
    ]
