"""One company's page: contracts, first administrator, points, requests, and what was done on its behalf."""

from datetime import date, timedelta

import pytest
import time_machine

from gridgate.accounts.models import SecurityPolicy
from gridgate.audit.models import AuditEvent
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitations import declare_first_administrator, follow_up
from gridgate.onboarding.operations.joining import accept_invitation
from gridgate.onboarding.terms import terms_in_force
from gridgate.organisations.models import Contract, Organisation
from gridgate.organisations.operations.companies import record_contract
from gridgate.organisations.operations.members import add_member
from tests.factories.eic import make_code, make_request
from tests.factories.metering import make_held_point
from tests.factories.organisations import make_group, make_organisation
from tests.factories.sharing import make_permission, make_service
from tests.functional.partage.test_who_reads_our_data import text_of
from tests.world import World

ACME = "/administration/entreprises/111222337/"
NEW = "/administration/entreprises/732829320/"


@pytest.fixture
def company(world: World) -> Organisation:
    """Registered, and nothing more."""
    return make_organisation("Coopérative Vallée Verte", "732829320")


@pytest.fixture
def ready(world: World, company: Organisation) -> Organisation:
    """With a contract in force and a code."""
    record_contract(organisation=company, number="CART-9", valid_from=date(2026, 1, 1), now=world.now)
    make_code("VALLEE-VERTE", organisation=company)
    return company


class TestThePage:
    def test_tells_what_the_operator_has_recorded(self, world: World) -> None:
        record_contract(
            organisation=world.acme,
            number="CART-1",
            label="Accès HTA",
            valid_from=date(2025, 1, 1),
            now=world.now,
        )
        make_code("ACME", organisation=world.acme)
        make_permission(make_service(world.third_party_1), world.acme, now=world.now)
        asked = make_request(world.alice, display_name="ACME-ATELIER")
        text = text_of(world.client("operateur").get(ACME))
        for said in (
            "SIREN 111 222 337",
            "CART-1 Accès HTA",
            "17XACME",
            "Alice alice@acme.example",
            "Points, aujourd’hui 4",
            "Personnes 3 dont 1 administrateur",
            "Autorisations données 1",
            "Lyon Gerland, usine",
            f"Attribuer un code EIC {asked.number}",
        ):
            assert said in text, said

    def test_tells_what_was_done_at_the_command_line_as_the_company_reads_it(self, world: World) -> None:
        record_contract(organisation=world.acme, number="CART-1", valid_from=date(2025, 1, 1), now=world.now)
        make_held_point(world.acme)
        add_member(
            organisation=world.acme, email="zoe@acme.example", full_name="Zoé", role="user", now=world.now
        )
        make_group(world.acme, "À elle", [], {})
        client = world.client("operateur")
        for page in (text_of(client.get(ACME)), text_of(client.get(f"{ACME}historique/"))):
            assert "zoe@acme.example agit désormais pour l’entreprise" in page
            assert "Contrat CART-1 enregistré" in page
            assert "À elle" not in page

    def test_says_that_it_shows_the_first_of_its_points_only(self, world: World) -> None:
        client = world.client("operateur")
        said = "Les 5 premiers ; les autres sont à la page de tous ses points."
        assert said not in text_of(client.get(ACME))
        for _ in range(2):
            make_held_point(world.acme)
        assert said in text_of(client.get(ACME))

    def test_offers_to_declare_an_administrator_only_where_there_is_none(
        self, world: World, company: Organisation
    ) -> None:
        client = world.client("operateur")
        assert "Déclarer un premier administrateur" not in text_of(client.get(ACME))
        assert "Déclarer un premier administrateur" in text_of(client.get(NEW))

    def test_says_what_will_be_there_when_nothing_is(self, world: World, company: Organisation) -> None:
        text = text_of(world.client("operateur").get(NEW))
        for said in (
            "Aucun contrat enregistré",
            "Aucun point",
            "Aucune demande pour l’instant",
            "Personne n’administre encore cette entreprise",
            "Entreprise enregistrée",
        ):
            assert said in text

    def test_lists_its_points_present_and_past_over_pages(self, world: World) -> None:
        for number in range(12):
            make_held_point(world.acme, label=f"Site {number:02}")
        client = world.client("operateur")
        first = client.get(f"{ACME}points/")
        assert first.context["page_obj"].paginator.count == 16
        assert len(first.context["holdings"]) == 12
        assert len(client.get(f"{ACME}points/?titres=presents").context["holdings"]) == 12
        assert client.get(f"{ACME}points/?titres=passes").context["holdings"] == []
        assert f"/administration/points/{world.p1.pk}/" in first.content.decode()

    def test_speaks_english(self, world: World, ready: Organisation) -> None:
        text = text_of(world.client("operateur", language="en").get(NEW))
        for said in ("Contracts", "In force", "Declare a first administrator", "What was done on its behalf"):
            assert said in text


class TestContracts:
    def test_one_is_recorded_with_its_last_day_included(self, world: World, company: Organisation) -> None:
        posted = {
            "number": " CART  7 ",
            "label": "Accès HTA",
            "valid_from": "2026-01-01",
            "last_day": "2026-12-31",
        }
        page = world.client("operateur").post(f"{NEW}contrats/nouveau/", posted, follow=True)
        assert "Le contrat CART 7 est enregistré" in text_of(page)
        assert "1ᵉʳ janv. 2026 Dernier jour 31 déc. 2026".replace("Dernier jour ", "") in text_of(page)
        contract = Contract.objects.get(organisation=company)
        assert (contract.valid_from, contract.valid_to) == (date(2026, 1, 1), date(2027, 1, 1))

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"number": "CART-9"}, "Un contrat a déjà ce numéro"),
            ({"number": "cart-9"}, "Un contrat a déjà ce numéro"),
            ({"last_day": "2025-12-31"}, "Le dernier jour vient après le premier"),
            ({"valid_from": "n’importe"}, "date"),
        ],
    )
    def test_what_will_not_do_is_told(
        self, world: World, ready: Organisation, changed: dict[str, str], said: str
    ) -> None:
        posted = {"number": "CART-10", "valid_from": "2026-01-01"} | changed
        page = world.client("operateur").post(f"{NEW}contrats/nouveau/", posted)
        assert page.status_code == 422
        assert said in text_of(page)
        assert Contract.objects.filter(organisation=ready).count() == 1

    def test_one_is_ended_and_opened_again_and_the_company_told(
        self, world: World, ready: Organisation
    ) -> None:
        contract, client = Contract.objects.get(organisation=ready), world.client("operateur")
        address = f"{NEW}contrats/{contract.pk}/"
        assert "C’est le seul contrat en vigueur" in text_of(client.get(address))
        page = client.post(address, {"do": "end", "last_day": "2026-11-30"}, follow=True)
        assert "prend fin le 30 novembre 2026 au soir" in text_of(page)
        contract.refresh_from_db()
        assert contract.valid_to == date(2026, 12, 1)
        page = client.post(address, {"do": "reopen"}, follow=True)
        assert "n’a plus de terme" in text_of(page)
        contract.refresh_from_db()
        assert contract.valid_to is None
        told = AuditEvent.objects.filter(organisation=ready.pk, acting_for=world.operator.pk)
        assert [(event.action, event.after) for event in told.order_by("pk")] == [
            ("contract.ended", {"valid_to": "2026-12-01"}),
            ("contract.ended", {"valid_to": None}),
        ]

    def test_an_end_before_the_beginning_is_told(self, world: World, ready: Organisation) -> None:
        contract = Contract.objects.get(organisation=ready)
        posted = {"do": "end", "last_day": "2025-12-31"}
        page = world.client("operateur").post(f"{NEW}contrats/{contract.pk}/", posted)
        assert page.status_code == 422
        assert "Le contrat commence le 1ᵉʳ janvier 2026" in text_of(page)

    def test_another_companys_is_not_found(self, world: World, ready: Organisation) -> None:
        contract = Contract.objects.get(organisation=ready)
        assert world.client("operateur").get(f"{ACME}contrats/{contract.pk}/").status_code == 404


class TestTheFirstAdministrator:
    address = f"{NEW}premier-administrateur/"
    posted = {"full_name": "Première administratrice", "email": "Anne@Vallee.example", "language": "en"}

    def declare(self, world: World):
        return world.client("operateur").post(self.address, self.posted, follow=True)

    def test_both_conditions_are_shown_before_with_how_to_meet_them(
        self, world: World, company: Organisation
    ) -> None:
        page = world.client("operateur").get(self.address)
        text = text_of(page)
        assert text.count("Manque") == 2
        assert "Déclarer et envoyer le lien" not in text
        assert f"{NEW}contrats/nouveau/" in page.content.decode()
        assert 'href="/administration/eic/"' in page.content.decode()

    def test_each_is_met_on_its_own(self, world: World, company: Organisation) -> None:
        client = world.client("operateur")
        record_contract(organisation=company, number="CART-9", valid_from=date(2026, 1, 1), now=world.now)
        text = text_of(client.get(self.address))
        assert "Un contrat en vigueur CART-9 Remplie" in text
        assert text.count("Manque") == 1
        make_code("ZONE", type="Y", organisation=company)
        assert text_of(client.get(self.address)).count("Manque") == 1, "a code of type Y names no party"
        make_code("VALLEE-VERTE", organisation=company)
        assert "Déclarer et envoyer le lien" in text_of(client.get(self.address))

    def test_without_them_a_declaration_is_refused_all_the_same(
        self, world: World, company: Organisation
    ) -> None:
        page = self.declare(world)
        assert page.status_code == 422
        assert "Aucun contrat n’est en vigueur" in text_of(page)
        assert not Invitation.objects.filter(organisation=company).exists()

    def test_declaring_sends_the_link_and_is_told_to_the_company(
        self, world: World, ready: Organisation
    ) -> None:
        page = self.declare(world)
        assert "Un lien d’activation est envoyé à anne@vallee.example" in text_of(page)
        assert "Première administratrice Lien envoyé" in text_of(page)
        sent = Invitation.objects.get(organisation=ready)
        assert (sent.kind, sent.role, sent.language, sent.invited_by) == (
            "first_administrator",
            "administrator",
            "en",
            world.operateur,
        )
        told = AuditEvent.objects.filter(organisation=ready.pk, acting_for=world.operator.pk)
        assert set(told.values_list("action", flat=True)) == {
            "first_administrator.declared",
            "invitation.sent",
        }

    def test_a_second_one_waits_until_no_link_is_on_its_way(self, world: World, ready: Organisation) -> None:
        self.declare(world)
        text = text_of(world.client("operateur").get(self.address))
        assert "Renvoyer un lien" in text
        assert "Déclarer et envoyer le lien" not in text
        offered = "Déclarer un premier administrateur"
        assert offered not in text_of(world.client("operateur").get(NEW))
        with time_machine.travel(world.now + timedelta(days=30)):
            assert offered in text_of(world.client("operateur").get(NEW))

    def test_the_activation_is_seen_at_each_step(self, world: World, ready: Organisation) -> None:
        sent = declare_first_administrator(
            organisation=ready,
            email="anne@vallee.example",
            full_name="Anne",
            actor=world.operateur,
            now=world.now,
        )

        def seen() -> str:
            return text_of(world.client("operateur").get(NEW))

        assert "Lien envoyé" in seen()
        assert "valable jusqu’au 28 novembre 2026 à 10:30" in seen()
        after = world.now + timedelta(days=3, minutes=1)
        with time_machine.travel(after):
            assert "Lien expiré" in seen()
            assert "Un nouveau lien part de lui-même" in seen()
            assert follow_up(invitation=sent, now=after)
            assert "Lien renvoyé (nº 2)" in seen()
        end = after + timedelta(days=3, minutes=1)
        with time_machine.travel(end):
            follow_up(invitation=Invitation.objects.get(), now=end)
            assert "Plus aucun lien ne part de lui-même" in seen()
            text = text_of(world.client("operateur").get(self.address))
            assert "Renvoyer un lien" in text
            assert "Déclarer une autre personne" in text

    def test_once_accepted_the_company_is_administered(self, world: World, ready: Organisation) -> None:
        sent = declare_first_administrator(
            organisation=ready,
            email="anne@vallee.example",
            full_name="Anne",
            actor=world.operateur,
            now=world.now,
        )
        accept_invitation(
            invitation=sent,
            password="un mot de passe assez long",
            accepted_terms=terms_in_force(now=world.now),
            now=world.now,
        )
        client = world.client("operateur")
        assert "Anne anne@vallee.example" in text_of(client.get(NEW))
        assert "Compte activé" in text_of(client.get(NEW))
        assert "Déclarer et envoyer" not in text_of(client.get(self.address))
        page = client.post(self.address, self.posted)
        assert page.status_code == 422
        assert "ses administrateurs invitent les autres personnes" in text_of(page)

    def test_the_link_is_sent_again_and_cancelled_by_hand(self, world: World, ready: Organisation) -> None:
        self.declare(world)
        sent, client = Invitation.objects.get(organisation=ready), world.client("operateur")
        page = client.post(f"{self.address}{sent.pk}/", {"do": "renew"}, follow=True)
        assert "le précédent ne fonctionne plus" in text_of(page)
        assert Invitation.objects.get(pk=sent.pk).round == 2
        page = client.post(f"{self.address}{sent.pk}/", {"do": "cancel"}, follow=True)
        assert "La déclaration d’anne@vallee.example est annulée" in text_of(page)
        assert Invitation.objects.get(pk=sent.pk).cancelled_at is not None
        page = client.post(f"{self.address}{sent.pk}/", {"do": "renew"}, follow=True)
        assert "Cette déclaration a déjà été acceptée ou annulée" in text_of(page)
        told = AuditEvent.objects.filter(organisation=ready.pk, acting_for=world.operator.pk)
        assert list(told.order_by("pk").values_list("action", flat=True))[-2:] == [
            "invitation.resent",
            "invitation.cancelled",
        ]

    def test_another_companys_declaration_is_not_found(self, world: World, ready: Organisation) -> None:
        self.declare(world)
        sent = Invitation.objects.get(organisation=ready)
        posted = {"do": "cancel"}
        client = world.client("operateur")
        assert client.post(f"{ACME}premier-administrateur/{sent.pk}/", posted).status_code == 404

    def test_a_code_is_asked_first_where_the_policy_wants_it(self, world: World, ready: Organisation) -> None:
        SecurityPolicy.objects.update(step_up_acts=["rights"])
        page = world.client("operateur").post(self.address, self.posted)
        assert page.status_code == 302
        assert page["Location"] == "/confirmation/"
        assert not Invitation.objects.filter(organisation=ready).exists()


class TestItsHistory:
    def test_has_what_the_operator_did_and_not_what_the_company_did_itself(
        self, world: World, company: Organisation
    ) -> None:
        from gridgate.organisations.operations.groups import create_group

        create_group(organisation=world.acme, name="Groupe secret", actor=world.alice, now=world.now)
        record_contract(
            organisation=world.acme,
            number="CART-1",
            valid_from=date(2025, 1, 1),
            actor=world.operateur,
            now=world.now,
        )
        for address in (ACME, f"{ACME}historique/"):
            text = text_of(world.client("operateur").get(address))
            assert "Contrat CART-1 enregistré" in text
            assert "Groupe secret" not in text
            assert "pour votre compte" not in text
        assert "Contrat CART-1 enregistré" in text_of(
            world.client("alice").get("/administration/historique/")
        )
