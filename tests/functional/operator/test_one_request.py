"""One request on the desk: read it, follow it, return it, refuse it, accept it; and come too late."""

import re
from datetime import timedelta

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.operations.asking import change_eic_request
from gridgate.portal import request_kinds
from gridgate.portal.kit.shapes import Step
from gridgate.portal.request_kinds import DeskKind
from gridgate.requests.operations.life import (
    refuse_request,
    return_request,
    sending_of,
    take,
    withdraw_request,
)
from tests.factories.eic import make_account, make_asked, make_code, make_request, send
from tests.factories.organisations import make_member
from tests.functional.partage.test_who_reads_our_data import text_of
from tests.world import World


@pytest.fixture
def asked(world: World) -> EicRequest:
    return make_request(world.alice, display_name="ACME-ATELIER", now=world.now - timedelta(days=1))


def address(request: EicRequest) -> str:
    return f"/administration/demandes/{request.number}/"


def decide(world: World, request: EicRequest, decision: str, **more: str):
    """By somebody whose page says what `request` does."""
    posted = {"do": "decide", "decision": decision, "seen": sending_of(request), **more}
    return world.client("operateur").post(address(request), posted, follow=True)


class TestThePage:
    def test_says_what_is_asked_by_whom_and_what_became_of_it(self, world: World, asked: EicRequest) -> None:
        make_code("ACME", organisation=world.acme)
        take(EIC, asked, actor=world.operateur, now=world.now)
        text = text_of(world.client("operateur").get(address(asked)))
        for said in (
            f"Demande {asked.number} d’ACME Industries",
            "Suivie par Olivier",
            "ACME-ATELIER",
            "17XACME",
            "Administrateurs Alice",
            "Demande envoyée 24 novembre 2026 à 10:30, Alice",
            "Prise en charge 25 novembre 2026 à 10:30, Olivier",
            "Décision avant le 29 novembre 2026 à 10:30",
        ):
            assert said in text

    def test_says_what_was_last_sent_and_not_what_is_typed_since(
        self, world: World, asked: EicRequest
    ) -> None:
        return_request(EIC, asked, reason="Quel nom ?", actor=world.operateur, now=world.now)
        typed = make_asked(display_name="ACME-VAPEUR", long_name="Pas encore dit")
        change_eic_request(request=asked, asked=typed, user=world.alice.user, actor=world.alice)
        staff = world.client("operateur")
        before = text_of(staff.get(address(asked)))
        assert "ACME-ATELIER" in before
        assert "ACME-VAPEUR" not in before
        assert "Pas encore dit" not in before
        send(asked, world.alice, now=world.now)
        assert "ACME-VAPEUR" in text_of(staff.get(address(asked)))

    def test_of_one_taken_back_says_what_was_last_sent(self, world: World, asked: EicRequest) -> None:
        return_request(EIC, asked, reason="Quel nom ?", actor=world.operateur, now=world.now)
        typed = make_asked(display_name="ACME-VAPEUR")
        change_eic_request(request=asked, asked=typed, user=world.alice.user, actor=world.alice)
        withdraw_request(EIC, asked, user=world.alice.user, actor=world.alice, now=world.now)
        text = text_of(world.client("operateur").get(address(asked)))
        assert "ACME-ATELIER" in text
        assert "ACME-VAPEUR" not in text

    def test_leads_to_the_companys_record(self, world: World, asked: EicRequest) -> None:
        page = world.client("operateur").get(address(asked)).content.decode()
        assert 'href="/administration/entreprises/111222337/"' in page

    def test_names_whoever_asks_for_no_company(self, world: World) -> None:
        request = make_request(None, user=make_account("Paul"), now=world.now)
        text = text_of(world.client("operateur").get(address(request)))
        assert "de Paul, qui n’agit pour aucune entreprise d’ici" in text
        assert "Fiche complète" not in text

    @pytest.mark.parametrize("number", ["EIC-2026-99999", "XYZ-2026-00001", "n-importe"])
    def test_is_not_found_for_what_does_not_exist(self, world: World, number: str) -> None:
        assert world.client("operateur").get(f"/administration/demandes/{number}/").status_code == 404

    def test_offers_no_decision_on_what_is_over(self, world: World, asked: EicRequest) -> None:
        refuse_request(EIC, asked, reason="Un code existe déjà.", actor=world.operateur, now=world.now)
        page = world.client("operateur").get(address(asked))
        assert "Enregistrer la décision" not in text_of(page)
        assert "Le motif Un code existe déjà." in text_of(page)

    def test_speaks_english(self, world: World, asked: EicRequest) -> None:
        text = text_of(world.client("operateur", language="en").get(address(asked)))
        for said in ("Take it on", "Save the decision", "Message to the person who asked", "Full record"):
            assert said in text


class TestDeciding:
    def test_following_it(self, world: World, asked: EicRequest) -> None:
        page = world.client("operateur").post(address(asked), {"do": "take"}, follow=True)
        assert "Vous suivez désormais cette demande" in text_of(page)
        assert "Prendre en charge" not in text_of(page)
        assert EicRequest.objects.get(pk=asked.pk).followed_by == world.operateur

    def test_accepting_it_makes_what_its_kind_makes(self, world: World, asked: EicRequest) -> None:
        page = decide(world, asked, "accept", body="ACME-ATELIER")
        assert f"La demande {asked.number} est acceptée" in text_of(page)
        code = EicCode.objects.get(organisation=world.acme)
        assert code.pk.startswith("17XACME-ATELIER")
        assert EicRequest.objects.get(pk=asked.pk).code == code

    def test_what_the_kind_will_not_do_is_told_and_what_was_typed_kept(
        self, world: World, asked: EicRequest
    ) -> None:
        page = decide(world, asked, "accept", body="trop court", reason="Un mot gardé")
        assert page.status_code == 422
        assert "trop court" in page.content.decode()
        assert "Un mot gardé" in text_of(page)
        assert "Rien n’est encore enregistré" in text_of(page)
        assert EicRequest.objects.get(pk=asked.pk).state == "submitted"

    def test_asking_for_more_and_refusing_say_why(self, world: World, asked: EicRequest) -> None:
        for decision in ("return", "refuse"):
            page = decide(world, asked, decision, reason="  ")
            assert page.status_code == 422
            assert "Dites pourquoi : la personne qui a demandé le lira" in text_of(page)
        assert EicRequest.objects.get(pk=asked.pk).state == "submitted"
        page = decide(world, asked, "return", reason="Précisez l’adresse.")
        assert "Le délai est suspendu jusqu’à la réponse" in text_of(page)
        row = EicRequest.objects.get(pk=asked.pk)
        assert (row.state, row.reason, row.followed_by) == (
            "returned",
            "Précisez l’adresse.",
            world.operateur,
        )

    def test_refusing_closes_it(self, world: World, asked: EicRequest) -> None:
        page = decide(world, asked, "refuse", reason="Un code existe déjà.")
        assert f"La demande {asked.number} est refusée" in text_of(page)
        row = EicRequest.objects.get(pk=asked.pk)
        assert (row.state, row.decided_by) == ("refused", world.operateur)

    def test_choosing_nothing_is_told(self, world: World, asked: EicRequest) -> None:
        page = world.client("operateur").post(address(asked), {"do": "decide", "seen": sending_of(asked)})
        assert page.status_code == 422
        assert "Choisissez l’une des trois" in text_of(page)

    @pytest.mark.parametrize("decision", ["accept", "return", "refuse"])
    def test_a_decision_that_comes_after_a_colleagues_changes_nothing_and_says_whose(
        self, world: World, asked: EicRequest, decision: str
    ) -> None:
        odile = make_member(world.operator, "Odile", email="odile@reseau-demo.example")
        refuse_request(EIC, asked, reason="Non.", actor=odile, now=world.now)
        page = decide(world, asked, decision, reason="Autre chose", body="ACME-ATELIER")
        assert page.status_code == 409
        assert "Odile a traité cette demande entre-temps (refusée)" in text_of(page)
        assert "Ce que vous aviez écrit : Autre chose" in text_of(page)
        row = EicRequest.objects.get(pk=asked.pk)
        assert (row.state, row.reason, row.code) == ("refused", "Non.", None)

    def test_a_request_withdrawn_meanwhile_is_told(self, world: World, asked: EicRequest) -> None:
        withdraw_request(EIC, asked, user=world.alice.user, actor=world.alice, now=world.now)
        page = decide(world, asked, "refuse", reason="Non.")
        assert "Alice a traité cette demande entre-temps (retirée)" in text_of(page)

    def test_what_was_returned_waits_for_the_company(self, world: World, asked: EicRequest) -> None:
        return_request(EIC, asked, reason="Précisez l’adresse.", actor=world.operateur, now=world.now)
        page = decide(world, asked, "accept", body="ACME-ATELIER")
        assert "Votre décision n’a rien changé" in text_of(page)
        assert "Complément attendu" in text_of(page)
        assert "Le complément demandé Précisez l’adresse." in text_of(page)

    @pytest.mark.parametrize("decision", ["accept", "return", "refuse"])
    def test_what_was_sent_again_since_it_was_read_is_read_again(
        self, world: World, asked: EicRequest, decision: str
    ) -> None:
        """A colleague asked for more, the company answered: the page of whoever reads the first sending is open still."""
        return_request(EIC, asked, reason="Quel nom ?", actor=world.operateur, now=world.now)
        typed = make_asked(display_name="ACME-VAPEUR")
        change_eic_request(request=asked, asked=typed, user=world.alice.user, actor=world.alice)
        send(asked, world.alice, now=world.now + timedelta(minutes=1))
        page = decide(world, asked, decision, reason="Un mot gardé", body="ACME-ATELIER")
        assert page.status_code == 409
        text = text_of(page)
        assert "Alice a envoyé cette demande de nouveau. Relisez-la" in text
        assert "ACME-VAPEUR" in text
        assert "Un mot gardé" in text
        assert 'value="ACME-ATELIER"' in page.content.decode()
        assert not re.search(r'name="decision"[^>]* checked', page.content.decode())
        row = EicRequest.objects.get(pk=asked.pk)
        assert (row.state, row.code) == ("submitted", None)
        decided = decide(world, row, decision, reason="Un mot gardé", body="ACME-ATELIER")
        assert decided.status_code == 200
        assert EicRequest.objects.get(pk=asked.pk).state != "submitted"

    @pytest.mark.parametrize(
        ("posted", "actions"),
        [
            ({"do": "take"}, ["eic.taken"]),
            ({"do": "decide", "decision": "return", "reason": "Où ?"}, ["eic.returned"]),
            ({"do": "decide", "decision": "refuse", "reason": "Non."}, ["eic.refused"]),
            ({"do": "decide", "decision": "accept", "body": "ACME-ATELIER"}, ["eic.issued", "eic.accepted"]),
        ],
    )
    def test_each_act_is_told_to_the_company_as_the_operators(
        self, world: World, asked: EicRequest, posted: dict[str, str], actions: list[str]
    ) -> None:
        world.client("operateur").post(address(asked), {**posted, "seen": sending_of(asked)})
        told = AuditEvent.objects.filter(organisation=world.acme.pk, acting_for=world.operator.pk)
        assert [event.action for event in told.order_by("pk")] == actions
        history = text_of(world.client("alice").get("/administration/historique/"))
        assert "Olivier Réseau Démo, pour votre compte" in history

    @pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
    def test_is_for_the_operator(self, world: World, asked: EicRequest, who: str) -> None:
        posted = {"do": "decide", "decision": "accept", "body": "ACME-ATELIER"}
        assert world.client(who).post(address(asked), posted).status_code == 403
        assert EicRequest.objects.get(pk=asked.pk).state == "submitted"


def test_a_kinds_names_do_not_meet_the_desks(world: World, asked: EicRequest, monkeypatch) -> None:
    """A kind's template may call its values as it likes: they are drawn apart from the page's own."""
    kind = DeskKind(
        kind=EIC,
        label="Une demande",
        template="components/steps.html",
        accept=lambda *_: None,
        context=lambda item, posted: {"steps": [Step("Une étape à elle")], "form": None, "company": None},
    )
    monkeypatch.setattr(request_kinds, "DESK", [kind])
    text = text_of(world.client("operateur").get(address(asked)))
    assert "Une demande" in text
    assert "Une étape à elle" in text
    assert "Demande envoyée" in text
    assert "Administrateurs Alice" in text
    assert "Enregistrer la décision" in text
