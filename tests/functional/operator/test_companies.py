"""*Entreprises*: find one among thousands, register one, keep its record."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.audit.models import AuditEvent
from gridgate.core.text import folded
from gridgate.metering.operations.titles import close_holding
from gridgate.onboarding.operations.invitations import cancel_invitation, declare_first_administrator
from gridgate.organisations.models import Organisation
from gridgate.organisations.operations.companies import record_contract
from tests.factories.eic import make_code
from tests.factories.organisations import a_siren, make_member, make_organisation
from tests.functional.company.conftest import hidden
from tests.functional.confirming import save
from tests.functional.partage.test_who_reads_our_data import text_of
from tests.world import World

LIST = "/administration/entreprises/"


def names(page) -> list[str]:
    return [row["name"] for row in page.context["rows"]]


class TestTheList:
    def test_has_every_company_but_the_operator_with_the_points_it_holds_today(self, world: World) -> None:
        close_holding(holding=world.p5.holdings.get(), valid_to=date(2026, 11, 25), now=world.now)
        page = world.client("operateur").get(LIST)
        assert {row["name"]: row["points"] for row in page.context["rows"]} == {
            "ACME Industries": 4,
            "Client B": 0,
            "Tiers 1": 0,
            "Tiers 2": 0,
            "Tiers 3": 0,
        }

    def test_says_who_is_administered_and_who_has_a_contract(self, world: World) -> None:
        record_contract(organisation=world.acme, number="CART-1", valid_from=date(2025, 1, 1), now=world.now)
        rows = {row["name"]: row for row in world.client("operateur").get(LIST).context["rows"]}
        assert rows["ACME Industries"]["contracted"] is True
        assert rows["ACME Industries"]["administration"].text == "Administrée"
        assert rows["Tiers 2"]["administration"].text == "Personne pour l’instant"

    def test_says_what_to_do_when_nothing_is_found(self, world: World) -> None:
        text = text_of(world.client("operateur").get(f"{LIST}?q=nulle+part"))
        assert "Aucune entreprise ne répond à ces filtres" in text
        assert "Tout effacer" in text

    def test_asks_the_registry_as_often_for_thousands_as_for_five(self, world: World) -> None:
        client = world.client("operateur")

        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                page = client.get(f"{LIST}?par_page=200")
            assert page.status_code == 200
            return len(captured)

        statements()  # what is worked out once and kept is not the page's
        before = statements()
        Organisation.objects.bulk_create(
            Organisation(
                legal_name=(name := f"Société {number}"),
                search_text=folded(name),
                siren=f"{800_000_000 + number}",
                created_at=world.now,
            )
            for number in range(3_000)
        )
        assert statements() == before
        page = client.get(f"{LIST}?q=societe&par_page=200&page=15")
        assert page.context["page_obj"].paginator.count == 3_000
        assert len(page.context["rows"]) == 200

    def test_speaks_english(self, world: World) -> None:
        text = text_of(world.client("operateur", language="en").get(LIST))
        assert "5 companies registered." in text
        assert "Administered" in text


class TestSearching:
    @pytest.fixture(autouse=True)
    def _companies(self, world: World) -> None:
        energie = make_organisation("Énergie d’Écully", "732829320")
        make_code("ECULLY", organisation=energie)
        record_contract(
            organisation=energie, number="CART 2026-77", valid_from=date(2026, 1, 1), now=world.now
        )
        record_contract(
            organisation=world.client_b,
            number="CART-FINI",
            valid_from=date(2020, 1, 1),
            valid_to=date(2026, 11, 25),
            now=world.now,
        )

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=energie+ecully", ["Énergie d’Écully"]),
            ("q=ÉNERGIE", ["Énergie d’Écully"]),
            ("q=732+829", ["Énergie d’Écully"]),
            ("q=732829320", ["Énergie d’Écully"]),
            ("q=17xecully", ["Énergie d’Écully"]),
            ("q=cart+2026", ["Énergie d’Écully"]),
            ("q=tiers", ["Tiers 1", "Tiers 2", "Tiers 3"]),
            ("q=829", []),
            ("q=R%C3%A9seau", []),
            ("contrat=avec", ["Énergie d’Écully"]),
            ("contrat=avec&q=client", []),
            ("admin=avec", ["ACME Industries", "Client B", "Tiers 1"]),
            ("admin=sans&contrat=avec", ["Énergie d’Écully"]),
            ("role=producer", []),
            ("role=none&q=acme", ["ACME Industries"]),
            ("role=nonsense&q=acme", ["ACME Industries"]),
        ],
    )
    def test_finds_by_name_siren_code_and_contract(self, world: World, query: str, found: list[str]) -> None:
        assert names(world.client("operateur").get(f"{LIST}?{query}")) == found

    def test_finds_by_the_state_of_the_first_administrator(self, world: World) -> None:
        company = Organisation.objects.get(siren="732829320")
        client = world.client("operateur")
        sent = declare_first_administrator(
            organisation=company, email="anne@ecully.example", full_name="Anne", now=world.now
        )
        assert names(client.get(f"{LIST}?admin=attendu")) == ["Énergie d’Écully"]
        assert "Lien envoyé" in text_of(client.get(LIST))
        type(sent).objects.filter(pk=sent.pk).update(expires_at=world.now - timedelta(minutes=1))
        assert names(client.get(f"{LIST}?admin=attendu")) == []
        assert names(client.get(f"{LIST}?admin=expire")) == ["Énergie d’Écully"]
        sent.refresh_from_db()
        cancel_invitation(invitation=sent, now=world.now)
        assert names(client.get(f"{LIST}?admin=expire")) == []

    def test_an_administrator_who_left_administers_no_more(self, world: World) -> None:
        company = Organisation.objects.get(siren="732829320")
        member = make_member(company, "Anne", role="administrator")
        type(member).objects.filter(pk=member.pk).update(ended_at=world.now)
        assert names(world.client("operateur").get(f"{LIST}?admin=sans&contrat=avec")) == ["Énergie d’Écully"]


class TestRegistering:
    def post(self, world: World, **changed):
        posted = {"legal_name": "Papeteries du Lac", "siren": "732 829 320", "roles": ["consumer"]} | changed
        return world.client("operateur").post(f"{LIST}nouvelle/", posted, follow=True)

    def test_leads_to_the_companys_page_and_what_comes_next(self, world: World) -> None:
        page = self.post(world, contact_email="contact@papeteries.example")
        assert page.redirect_chain[-1][0] == f"{LIST}732829320/"
        assert "Enregistrez son contrat, puis déclarez son administrateur" in text_of(page)
        company = Organisation.objects.get(siren="732829320")
        assert (company.legal_name, company.roles, company.contact_email) == (
            "Papeteries du Lac",
            ["consumer"],
            "contact@papeteries.example",
        )
        event = AuditEvent.objects.get(action="company.registered", organisation=company.pk)
        assert (event.acting_for, event.user) == (world.operator.pk, world.operateur.user_id)

    @pytest.mark.parametrize(
        ("siren", "said"),
        [
            ("73282932", "8 chiffres saisis sur 9"),
            ("7", "1 chiffre saisi sur 9"),
            ("73282932A", "Un SIREN n’a que des chiffres"),
            ("732829321", "La clé de ce SIREN ne convient pas"),
            ("111222337", "Une entreprise a déjà ce SIREN"),
            ("100000009", "Une entreprise a déjà ce SIREN"),
            ("", "obligatoire"),
        ],
    )
    def test_tells_what_is_wrong_with_the_siren_and_keeps_the_rest(
        self, world: World, siren: str, said: str
    ) -> None:
        before = Organisation.objects.count()
        page = self.post(world, siren=siren)
        assert page.status_code == 422
        assert said in text_of(page)
        assert 'value="Papeteries du Lac"' in page.content.decode()
        assert Organisation.objects.count() == before

    @pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
    def test_is_for_the_operator(self, world: World, who: str) -> None:
        assert world.client(who).post(f"{LIST}nouvelle/", {"legal_name": "X"}).status_code == 403


class TestKeepingTheRecord:
    def test_changes_the_name_the_roles_and_the_contacts_and_tells_the_company(self, world: World) -> None:
        posted = {
            "legal_name": "ACME Énergie",
            "roles": ["consumer", "producer"],
            "contact_email": "elec@acme.example",
            "contact_url": "https://acme.example",
            "email_domains": "acme.example, @Acme-Energie.example",
        }
        address = f"{LIST}{world.acme.siren}/"
        page = save(world.client("operateur"), f"{address}modifier/", posted, follow=True)
        assert "La fiche d’ACME Énergie est à jour" in text_of(page)
        assert "Producteur, consommateur" in text_of(page)
        event = AuditEvent.objects.get(action="company.changed", organisation=world.acme.pk)
        assert event.acting_for == world.operator.pk
        assert event.before["legal_name"] == "ACME Industries"
        assert event.after["roles"] == ["producer", "consumer"]
        assert event.after["email_domains"] == ["acme-energie.example", "acme.example"]
        assert "acme-energie.example, acme.example" in text_of(page)
        assert names(world.client("operateur").get(f"{LIST}?q=acme+energie&role=producer")) == [
            "ACME Énergie"
        ]
        history = text_of(world.client("alice").get("/administration/historique/"))
        assert "Fiche de l’entreprise modifiée" in history
        assert "Réseau Démo, pour votre compte" in history
        assert "Domaines des adresses e-mail : acme-energie.example, acme.example" in history

    def test_what_a_colleague_recorded_meanwhile_is_read_before_it_is_replaced(self, world: World) -> None:
        client, address = world.client("operateur"), f"{LIST}{world.acme.siren}/modifier/"
        opened = hidden(client.get(address), "seen")
        theirs = {
            "legal_name": "ACME Industries",
            "roles": ["consumer"],
            "contact_url": "https://acme.example/",
        }
        assert client.post(address, theirs | {"seen": opened}).status_code == 302
        mine = {"legal_name": "ACME Énergie", "roles": ["producer"], "contact_url": "", "seen": opened}
        page = client.post(address, mine)
        assert page.status_code == 409
        assert "Olivier a enregistré autre chose depuis que vous avez ouvert cette page." in text_of(page)
        assert "Page de contact https://acme.example/ Rôles sur le réseau Consommateur" in text_of(page)
        assert 'value="ACME Énergie"' in page.content.decode()
        kept = Organisation.objects.get(pk=world.acme.pk)
        assert (kept.legal_name, kept.contact_url) == ("ACME Industries", "https://acme.example/")
        assert client.post(address, theirs | {"seen": opened}).status_code == 302, "it is so already"
        assert client.post(address, mine | {"seen": hidden(page, "seen")}).status_code == 302
        assert Organisation.objects.get(pk=world.acme.pk).legal_name == "ACME Énergie"

    def test_a_form_that_does_not_say_what_was_read_saves_nothing(self, world: World) -> None:
        client, address = world.client("operateur"), f"{LIST}{world.acme.siren}/modifier/"
        page = client.post(address, {"legal_name": "ACME Énergie"})
        assert page.status_code == 409
        assert Organisation.objects.get(pk=world.acme.pk).legal_name == "ACME Industries"

    def test_a_record_that_was_wrong_is_held_to_what_was_read_first(self, world: World) -> None:
        client, address = world.client("operateur"), f"{LIST}{world.acme.siren}/modifier/"
        opened = hidden(client.get(address), "seen")
        client.post(address, {"legal_name": "ACME", "seen": opened})
        page = client.post(address, {"legal_name": "", "seen": opened})
        assert page.status_code == 422
        assert hidden(page, "seen") == opened

    def test_a_wrong_address_is_told_beside_its_field(self, world: World) -> None:
        posted = {"legal_name": "ACME", "contact_email": "pas une adresse"}
        page = save(world.client("operateur"), f"{LIST}{world.acme.siren}/modifier/", posted)
        assert page.status_code == 422
        assert "contact_email_error" in page.content.decode()
        assert Organisation.objects.get(pk=world.acme.pk).legal_name == "ACME Industries"

    @pytest.mark.parametrize("typed", ["alice@acme.example", "acme", "acme.example evil"])
    def test_a_wrong_domain_is_told_beside_its_field_and_stays_as_typed(
        self, world: World, typed: str
    ) -> None:
        posted = {"legal_name": "ACME Industries", "email_domains": typed}
        page = save(world.client("operateur"), f"{LIST}{world.acme.siren}/modifier/", posted)
        assert page.status_code == 422
        assert f"« {typed.split()[-1]} » n’est pas un domaine" in text_of(page)
        assert typed in page.content.decode()
        assert Organisation.objects.get(pk=world.acme.pk).email_domains == []

    def test_a_domain_of_another_company_is_refused_and_named(self, world: World) -> None:
        """Its directory would add people of that company."""
        type(world.acme).objects.filter(pk=world.client_b.pk).update(email_domains=["client-b.example"])
        client, typed = world.client("operateur"), {"email_domains": "acme.example @Client-B.example"}
        page = client.post(
            f"{LIST}{world.acme.siren}/modifier/",
            {"legal_name": "ACME Industries", "roles": ["consumer"], **typed},
        )
        new = {"legal_name": "Papeteries du Lac", "siren": a_siren(), "roles": ["consumer"], **typed}
        for answer in (page, client.post(f"{LIST}nouvelle/", new)):
            assert answer.status_code == 422
            assert "client-b.example est un domaine de" in text_of(answer)
        assert Organisation.objects.get(pk=world.acme.pk).email_domains == []
        assert not Organisation.objects.filter(legal_name="Papeteries du Lac").exists()
        own = {"legal_name": "Client B", "roles": ["consumer"], "email_domains": "client-b.example"}
        assert save(client, f"{LIST}{world.client_b.siren}/modifier/", own).status_code == 302

    @pytest.mark.parametrize("siren", ["100000009", "732829320", "n-importe"])
    def test_is_not_found_for_the_operator_itself_and_for_nobody(self, world: World, siren: str) -> None:
        for page in (
            "",
            "modifier/",
            "points/",
            "historique/",
            "premier-administrateur/",
            "contrats/nouveau/",
        ):
            assert world.client("operateur").get(f"{LIST}{siren}/{page}").status_code == 404
