"""Somebody asks for a code: they search first, choose the type, describe, read again, send, and follow it."""

import re
from typing import Any

import pytest
from django.test import Client

from gridgate.accounts.models import SecurityPolicy
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.eic.operations.asking import change_eic_request
from gridgate.eic.operations.issuing import accept_eic_request
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.requests.operations.life import refuse_request, return_request, take
from tests.factories.eic import DETAILS, make_account, make_asked, make_code, make_draft, make_request
from tests.factories.organisations import make_group
from tests.functional.company.conftest import hidden
from tests.functional.confirming import save
from tests.functional.eic.reading import error_beside, send_as_read, text_of
from tests.world import World

NEW = "/eic/nouvelle/"
FILLED: dict[str, Any] = {
    "display_name": "acme-energie",
    "long_name": "ACME Énergie",
    "justification": "Vendre notre production.",
    **{f"d_{name}": answer for name, answer in DETAILS.items()},
}


def begin(client: Client, name: str = "ACME Énergie") -> str:
    """Search, find nothing that will do, and begin; returns the request's number."""
    response = client.post(NEW, {"nom": name})
    assert response.status_code == 302, response.content.decode()
    return re.fullmatch(r"/eic/(EIC-\d{4}-\d{5})/type/", response["Location"]).group(1)  # type: ignore[union-attr]


def describe(client: Client, number: str, do: str = "continue", **changed: Any) -> Any:
    return save(client, f"/eic/{number}/modifier/", {**FILLED, "do": do, **changed})


class TestTheSearchComesFirst:
    def test_shows_codes_of_close_names(self, world: World) -> None:
        make_code("ACMEENERGIE", long_name="ACME Energie SA", office="22")
        make_code("BOREAL", office="22")
        text = text_of(world.client("alice").get(NEW, {"nom": "Acme énergie"}))
        assert "Codes proches" in text
        assert "ACMEENERGIE ACME Energie SA X, acteur Actif" in text
        assert "BOREAL" not in text
        assert "Aucun ne convient : demander un code" in text

    def test_nothing_begins_without_a_name(self, world: World) -> None:
        alice = world.client("alice")
        assert "demander un code</button>" not in alice.get(NEW).content.decode()
        refused = alice.post(NEW, {"nom": " "})
        assert refused.status_code == 422
        assert "la recherche vient avant la demande" in error_beside(refused, "nom")
        assert not EicRequest.objects.exists()

    def test_a_name_too_long_is_told_in_numbers_and_kept(self, world: World) -> None:
        refused = world.client("alice").post(NEW, {"nom": "A" * 71})
        assert error_beside(refused, "nom") == "70 caractères au plus, 71 saisis."
        assert "A" * 71 in refused.content.decode()

    def test_begins_a_draft_with_a_display_name_that_is_free(self, world: World) -> None:
        number = begin(world.client("alice"))
        draft = EicRequest.objects.get(number=number)
        assert (draft.state, draft.long_name, draft.display_name, draft.type) == (
            "draft",
            "ACME Énergie",
            "ACME-ENERGIE",
            "",
        )
        make_code("BOREAL", office="22")
        other = EicRequest.objects.get(number=begin(world.client("alice"), "Boréal"))
        assert other.display_name == ""


class TestTheType:
    def test_each_is_explained(self, world: World) -> None:
        text = text_of(world.client("alice").get(f"/eic/{begin(world.client('alice'))}/type/"))
        for said in (
            "X, acteur Une entreprise présente sur les marchés",
            "Y, zone Un ensemble de points",
            "Z, point de mesure Un point",
            "W, ressource Un moyen de production",
            "T, ligne d’interconnexion Une liaison",
            "V, lieu Un lieu",
            "A, poste électrique Un poste",
        ):
            assert said in text

    def test_is_asked_before_the_rest_and_can_be_changed(self, world: World) -> None:
        alice = world.client("alice")
        number = begin(alice)
        assert alice.get(f"/eic/{number}/modifier/")["Location"] == f"/eic/{number}/type/"
        assert alice.post(f"/eic/{number}/type/", {}).status_code == 422
        assert alice.post(f"/eic/{number}/type/", {"type": "Q"}).status_code == 422
        done = alice.post(f"/eic/{number}/type/", {"type": "Z"})
        assert done["Location"] == f"/eic/{number}/modifier/"
        assert describe(alice, number, do="type")["Location"] == f"/eic/{number}/type/"

    @pytest.mark.parametrize(
        ("letter", "asked", "not_asked"),
        [
            ("X", ["d_functions", "d_vat_number", "d_address"], ["responsible_party"]),
            ("Z", ["responsible_party"], ["d_functions", "d_address"]),
            ("V", ["d_address"], ["responsible_party", "d_functions"]),
        ],
    )
    def test_decides_what_is_asked(
        self, world: World, letter: str, asked: list[str], not_asked: list[str]
    ) -> None:
        draft = make_draft(world.alice, type=letter)
        page = world.client("alice").get(f"/eic/{draft.number}/modifier/").content.decode()
        for name in asked:
            assert f'name="{name}"' in page
        for name in not_asked:
            assert f'name="{name}"' not in page

    def test_changed_back_loses_nothing(self, world: World) -> None:
        draft, alice = make_draft(world.alice), world.client("alice")
        alice.post(f"/eic/{draft.number}/type/", {"type": "Z"})
        save(alice, f"/eic/{draft.number}/modifier/", {"do": "draft", "display_name": "A", "long_name": "B"})
        alice.post(f"/eic/{draft.number}/type/", {"type": "X"})
        draft.refresh_from_db()
        assert draft.details["functions"] == ["producer"]


class TestTheDescription:
    def test_what_is_wrong_stands_beside_each_field_and_nothing_is_lost(self, world: World) -> None:
        draft, alice = make_draft(world.alice), world.client("alice")
        refused = describe(
            alice,
            draft.number,
            display_name="Acme énergie et fils",
            long_name="L" * 71,
            justification="",
            d_contact_email="alice",
            d_vat_number="FR 12",
        )
        assert refused.status_code == 422
        assert error_beside(refused, "display_name") == "16 caractères au plus, 20 saisis."
        assert error_beside(refused, "long_name") == "70 caractères au plus, 71 saisis."
        assert error_beside(refused, "justification") == "À remplir."
        assert error_beside(refused, "d_contact_email") == "Ce n’est pas une adresse e-mail."
        assert error_beside(refused, "d_vat_number").startswith("Deux lettres du pays")
        page = refused.content.decode()
        for typed in ("Acme énergie et fils", "L" * 71, "FR 12"):
            assert typed in page

    def test_a_display_name_that_is_taken_names_the_code(self, world: World) -> None:
        code = make_code("ACME-ENERGIE", long_name="ACME Énergie", office="22")
        refused = describe(world.client("alice"), make_draft(world.alice).number)
        said = error_beside(refused, "display_name")
        assert said == f"Le code {code.pk}, ACME Énergie, a déjà ce nom d’affichage. Choisissez-en un autre."

    def test_but_not_the_code_of_another_company_s_point(self, world: World) -> None:
        code = make_code("ACME-ENERGIE", type="Z", organisation=world.client_b)
        refused = describe(world.client("alice"), make_draft(world.alice).number)
        said = error_beside(refused, "display_name")
        assert said == "Un autre code a déjà ce nom d’affichage. Choisissez-en un autre."
        assert code.pk not in refused.content.decode()

    def test_a_responsible_party_with_a_wrong_last_character(self, world: World) -> None:
        draft, alice = make_draft(world.alice, type="Z"), world.client("alice")
        refused = describe(alice, draft.number, responsible_party="10XFR-RTE------R")
        assert error_beside(refused, "responsible_party") == "Le dernier caractère devrait être Q."
        refused = describe(alice, draft.number, responsible_party="10YFR-RTE------C")
        assert "type X" in error_beside(refused, "responsible_party")
        assert describe(alice, draft.number, responsible_party="10xfr-rte------q").status_code == 302

    def test_a_draft_is_kept_however_little_it_says(self, world: World) -> None:
        draft, alice = make_draft(world.alice), world.client("alice")
        done = save(
            alice, f"/eic/{draft.number}/modifier/", {"do": "draft", "long_name": "ACME"}, follow=True
        )
        assert "C’est gardé. Reprenez quand vous voulez." in text_of(done)
        assert f"ACME {draft.number}" in text_of(alice.get("/eic/"))
        assert "Il manque encore quelque chose" in text_of(alice.get(f"/eic/{draft.number}/"))
        page = text_of(alice.get(f"/eic/{draft.number}/"))
        assert "Nom d’affichage, Pourquoi ce code, Fonctions, Adresse" in page
        assert "Envoyer à" not in page

    def test_what_a_colleague_kept_meanwhile_is_read_before_it_is_replaced(self, world: World) -> None:
        draft, alice = make_draft(world.alice), world.client("alice")
        address = f"/eic/{draft.number}/modifier/"
        opened = hidden(alice.get(address), "seen")
        assert describe(alice, draft.number, "draft", long_name="ACME Nord", seen=opened).status_code == 302
        page = describe(alice, draft.number, "draft", long_name="ACME Sud", seen=opened)
        said = text_of(page, 409)
        assert "Autre chose a été enregistré depuis que vous avez ouvert cette page." in said
        assert "Nom complet ACME Nord" in said
        assert 'value="ACME Sud"' in page.content.decode()
        draft.refresh_from_db()
        assert draft.long_name == "ACME Nord"
        again = {"long_name": "ACME Sud", "seen": hidden(page, "seen")}
        assert describe(alice, draft.number, "draft", **again).status_code == 302
        draft.refresh_from_db()
        assert draft.long_name == "ACME Sud"

    def test_one_that_does_not_say_what_was_read_is_not_kept(self, world: World) -> None:
        draft = make_draft(world.alice, long_name="ACME Nord")
        posted = {**FILLED, "do": "draft", "long_name": "ACME Sud"}
        assert world.client("alice").post(f"/eic/{draft.number}/modifier/", posted).status_code == 409
        draft.refresh_from_db()
        assert draft.long_name == "ACME Nord"

    def test_a_display_name_is_put_in_capitals(self, world: World) -> None:
        draft = make_draft(world.alice, display_name="")
        assert describe(world.client("alice"), draft.number).status_code == 302
        draft.refresh_from_db()
        assert draft.display_name == "ACME-ENERGIE"


class TestSending:
    def test_from_the_search_to_the_desk(self, world: World) -> None:
        alice = world.client("alice")
        number = begin(alice)
        alice.post(f"/eic/{number}/type/", {"type": "X"})
        assert describe(alice, number)["Location"] == f"/eic/{number}/"
        assert "Envoyer à Réseau Démo" in text_of(alice.get(f"/eic/{number}/"))
        sent = text_of(send_as_read(alice, f"/eic/{number}/", follow=True))
        assert f"Demande {number} envoyée à Réseau Démo. Réponse attendue au plus tard le 30 novembre" in sent
        request = EicRequest.objects.get()
        assert (request.state, request.organisation, request.requester) == (
            "submitted",
            world.acme,
            world.alice.user,
        )
        assert list(EIC.for_desk(actor=world.operateur)) == [request]

    def test_close_codes_are_compared_first(self, world: World) -> None:
        close = make_code("ACMEENERGIE", long_name="ACME Energie SA", office="22")
        draft, alice = make_draft(world.alice), world.client("alice")
        here = f"/eic/{draft.number}/"
        page = alice.get(here)
        assert "Codes proches" in text_of(page)
        assert f'name="close" value="{close.pk}"' in page.content.decode()

        unticked = send_as_read(alice, here, close=close.pk)
        assert unticked.status_code == 422
        assert error_beside(unticked, "compared") == "Comparez d’abord ces codes, puis cochez."
        forged = text_of(send_as_read(alice, here, compared="on", follow=True))
        assert "Des codes de nom proche sont venus au registre entre-temps" in forged
        assert EicRequest.objects.get().state == "draft"

        send_as_read(alice, here, compared="on", close=close.pk)
        assert EicRequest.objects.get().state == "submitted"

    def test_an_incomplete_draft_is_not_sent_by_its_address(self, world: World) -> None:
        draft, alice = make_draft(world.alice, long_name=""), world.client("alice")
        seen = {"seen": EIC.fingerprint(draft)}
        page = text_of(alice.post(f"/eic/{draft.number}/envoyer/", seen, follow=True))
        assert "Il manque encore quelque chose avant d’envoyer." in page
        assert EicRequest.objects.get().state == "draft"

    def test_twice_sends_once_and_says_so(self, world: World) -> None:
        request, alice = make_request(world.alice), world.client("alice")
        page = text_of(alice.post(f"/eic/{request.number}/envoyer/", follow=True))
        assert "Cette demande a changé d’état entre-temps." in page

    def test_what_a_colleague_changed_since_it_was_read_is_not_sent(self, world: World) -> None:
        draft, alice = make_draft(world.alice), world.client("alice")
        read = alice.get(f"/eic/{draft.number}/")
        typed = make_asked(justification="Tout autre chose")
        change_eic_request(request=draft, asked=typed, user=world.alice.user, actor=world.alice)
        seen = re.search(r'name="seen" value="(\w+)"', read.content.decode())
        answer = alice.post(f"/eic/{draft.number}/envoyer/", {"seen": seen[1] if seen else ""})
        page = text_of(answer, 409)
        assert "Elle a changé depuis que vous l’avez lue" in page
        assert "Tout autre chose" in page
        assert EicRequest.objects.get().state == "draft"
        send_as_read(alice, f"/eic/{draft.number}/")
        assert EicRequest.objects.get().state == "submitted"

    def test_asks_for_a_code_by_email_when_the_operator_wants_one(self, world: World) -> None:
        SecurityPolicy.objects.update_or_create(pk=1, defaults={"step_up_acts": ["request"]})
        draft, alice = make_draft(world.alice), world.client("alice")
        answer = send_as_read(alice, f"/eic/{draft.number}/")
        assert answer["Location"] == "/confirmation/"
        assert EicRequest.objects.get().state == "draft"

    def test_is_for_the_company_whatever_the_member(self, world: World) -> None:
        make_group(world.acme, "Démarches", [world.acme_user], {EntitlementCode.REQUESTS: None})
        draft = make_draft(world.alice)
        send_as_read(world.client("acme_user"), f"/eic/{draft.number}/")
        assert EicRequest.objects.get().state == "submitted"

    def test_without_a_company_one_asks_for_oneself(self, world: World, client: Client) -> None:
        account = make_account()
        client.force_login(account)
        number = begin(client, "Bureau d’études du Rhône")
        client.post(f"/eic/{number}/type/", {"type": "X"})
        describe(client, number)
        send_as_read(client, f"/eic/{number}/")
        request = EicRequest.objects.get()
        assert (request.state, request.organisation, request.requester) == ("submitted", None, account)
        assert number in text_of(client.get("/eic/"))
        assert world.client("alice").get(f"/eic/{number}/").status_code == 404


class TestFollowing:
    def test_our_requests_with_their_states(self, world: World) -> None:
        one = make_request(world.alice)
        other = make_draft(world.alice, display_name="ACME-LYON")
        make_request(world.charlie, display_name="CLIENT-B")
        text = text_of(world.client("alice").get("/eic/"))
        assert f"ACME-ENERGIE {one.number} X, acteur Alice 25 nov. 2026 Envoyée" in text
        assert f"ACME-LYON {other.number} X, acteur Alice – Brouillon" in text
        assert "CLIENT-B" not in text

    def test_steps_so_far_and_the_next_one(self, world: World) -> None:
        request = make_request(world.alice)
        take(EIC, request, actor=world.operateur, now=world.now)
        text = text_of(world.client("alice").get(f"/eic/{request.number}/"))
        assert "Envoyée 25 novembre 2026 à 10:30, par Alice" in text
        assert "Prise en charge 25 novembre 2026 à 10:30, par Réseau Démo" in text
        assert "Décision réponse attendue au plus tard le 30 novembre 2026" in text
        assert "Olivier" not in text

    def test_returned_says_what_is_asked_of_us_then_goes_again(self, world: World) -> None:
        request, alice = make_request(world.alice), world.client("alice")
        return_request(EIC, request, reason="Quel marché visez-vous ?", actor=world.operateur, now=world.now)
        home = text_of(alice.get("/eic/"))
        assert f"{request.number} est à compléter" in home
        assert "Quel marché visez-vous ?" in home
        assert "Quel marché visez-vous ?" in text_of(alice.get(f"/eic/{request.number}/modifier/"))
        describe(alice, request.number, justification="Le marché spot.")
        send_as_read(alice, f"/eic/{request.number}/")
        request.refresh_from_db()
        assert (request.state, request.justification) == ("submitted", "Le marché spot.")
        text = text_of(alice.get(f"/eic/{request.number}/"))
        assert "Envoyée de nouveau" in text
        assert "est à compléter" not in text_of(alice.get("/eic/"))

    def test_refused_says_why(self, world: World) -> None:
        request = make_request(world.alice)
        refuse_request(EIC, request, reason="Ce point a déjà un PRM.", actor=world.operateur, now=world.now)
        text = text_of(world.client("alice").get(f"/eic/{request.number}/"))
        assert "Réseau Démo a refusé cette demande Ce point a déjà un PRM." in text

    def test_accepted_gives_the_code_and_the_company_its_own(self, world: World) -> None:
        request, alice = make_request(world.alice), world.client("alice")
        accept_eic_request(request=request, body="ACME-ENERGIE", actor=world.operateur, now=world.now)
        code = EicRequest.objects.get().code
        assert code is not None
        assert f"Code attribué {code.pk}" in text_of(alice.get(f"/eic/{request.number}/"))
        assert f"Les codes d’ACME Industries Code Type Nom Depuis État {code.pk}" in text_of(
            alice.get("/eic/")
        )
        assert code.pk in text_of(world.client("acme_user").get("/eic/"))

    def test_withdrawn_after_a_page_that_says_what_it_means(self, world: World) -> None:
        request, alice = make_request(world.alice), world.client("alice")
        address = f"/eic/{request.number}/retirer/"
        assert "cesse aussitôt de l’examiner" in text_of(alice.get(address))
        assert "est retirée" in text_of(alice.post(address, follow=True))
        request.refresh_from_db()
        assert request.state == "withdrawn"
        assert "Retirée" in text_of(alice.get("/eic/"))
        assert alice.get(address)["Location"] == f"/eic/{request.number}/"

    def test_a_dropped_draft_leaves_the_list(self, world: World) -> None:
        draft, alice = make_draft(world.alice), world.client("alice")
        said = alice.post(f"/eic/{draft.number}/retirer/", follow=True)
        assert f"Le brouillon {draft.number} est abandonné." in text_of(said)
        assert draft.number not in text_of(alice.get("/eic/"))

    def test_sent_is_not_changed_any_more(self, world: World) -> None:
        request, alice = make_request(world.alice), world.client("alice")
        for page in ("modifier", "type"):
            answer = alice.post(f"/eic/{request.number}/{page}/", {"type": "Y", "display_name": "AUTRE"})
            assert answer["Location"] == f"/eic/{request.number}/"
        request.refresh_from_db()
        assert (request.type, request.display_name) == ("X", "ACME-ENERGIE")


class TestWhoMayNot:
    def test_is_told_whom_to_ask_and_still_sees_codes(self, world: World) -> None:
        member = world.client("acme_user")
        home = member.get("/eic/")
        assert "Demandes au gestionnaire de réseau" in text_of(home)
        assert "mailto:alice@acme.example" in home.content.decode()
        assert "Demander un code</a>" not in home.content.decode()
        assert "Alice" in text_of(member.get(NEW), 403)

    def test_the_operators_staff_treat_requests_and_make_none(self, world: World) -> None:
        staff = world.client("operateur")
        assert staff.get("/eic/")["Location"] == "/administration/eic/"
        assert staff.get(NEW).status_code == 403
        assert staff.post(NEW, {"nom": "ACME"}).status_code == 403

    def test_another_company_finds_nothing(self, world: World) -> None:
        draft, charlie = make_draft(world.alice), world.client("charlie")
        for page in ("", "modifier/", "type/", "retirer/"):
            assert charlie.get(f"/eic/{draft.number}/{page}").status_code == 404
        for page in ("modifier/", "type/", "retirer/", "envoyer/"):
            assert charlie.post(f"/eic/{draft.number}/{page}").status_code == 404
        assert EicRequest.objects.get().state == "draft"


def test_all_of_it_speaks_english(world: World) -> None:
    alice = world.client("alice", language="en")
    assert "Search the register first" in text_of(alice.get(NEW))
    number = begin(alice)
    assert "A company that is present on the markets" in text_of(alice.get(f"/eic/{number}/type/"))
    alice.post(f"/eic/{number}/type/", {"type": "X"})
    page = alice.get(f"/eic/{number}/modifier/")
    assert "Balance responsible party" in text_of(page)
    refused = describe(alice, number, display_name="", d_vat_number="1")
    assert error_beside(refused, "display_name") == "To be filled in."
    assert error_beside(refused, "d_vat_number").startswith("Two letters for the country")
    describe(alice, number)
    assert "Send to Réseau Démo" in text_of(alice.get(f"/eic/{number}/"))
