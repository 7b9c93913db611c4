"""What the operator decides for everyone: services by role, second factors, codes, general terms."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from gridgate.accounts.models import SecurityPolicy
from gridgate.audit.models import AuditEvent
from gridgate.core.sharing import LegalBasis
from gridgate.onboarding.models import GeneralTerms
from gridgate.onboarding.operations.terms import publish_terms
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.companies import update_organisation
from tests.factories.organisations import make_member
from tests.factories.sharing import make_permission, make_service
from tests.functional.company.conftest import hidden
from tests.functional.confirming import save
from tests.functional.partage.test_who_reads_our_data import text_of
from tests.functional.security.conftest import ask_for, kept_form, newest_code
from tests.integration.external_sign_in.conftest import told_of
from tests.world import World

SERVICES = "/administration/services-de-donnees/"
POLICY = "/administration/securite/"
TERMS = "/administration/securite/conditions/"
EMAIL = "olivier@reseau-demo.example"


@pytest.fixture
def agent(world: World) -> Membership:
    """Of the operator's staff, and no administrator."""
    member = make_member(world.operator, "Odile", email="odile@reseau-demo.example")
    object.__setattr__(world, "odile", member)
    return member


class TestServices:
    def test_each_says_to_whom_it_is_offered_and_how_many_use_it(self, world: World) -> None:
        service = make_service(world.third_party_1, "Suivi", code="suivi")
        make_permission(service, world.acme, now=world.now)
        make_service(world.operator, "Relève", legal_basis=LegalBasis.PUBLIC_TASK, offered=False)
        text = text_of(world.client("operateur").get(SERVICES))
        assert "Suivi Tiers 1 Toutes les entreprises 1 Au catalogue" in text
        assert "Relève Réseau Démo toutes, sans leur choix 0 Repose sur la loi" in text

    def test_one_is_offered_to_some_roles_and_from_then_on_only_they_see_it(self, world: World) -> None:
        make_service(world.third_party_1, "Suivi", code="suivi")
        assert world.client("alice").get("/services/suivi/").status_code == 200
        page = world.client("operateur").post(f"{SERVICES}suivi/", {"roles": ["producer"]}, follow=True)
        assert "« Suivi » est proposé : producteur." in text_of(page)
        assert world.client("alice").get("/services/suivi/").status_code == 404
        update_organisation(
            organisation=world.acme,
            legal_name="ACME Industries",
            contact_email="",
            contact_url="",
            roles=["producer"],
            email_domains=(),
            actor=None,
            now=world.now,
        )
        assert world.client("alice").get("/services/suivi/").status_code == 200
        event = AuditEvent.objects.get(action="service.offered")
        assert (event.organisation, event.acting_for) == (world.third_party_1.pk, world.operator.pk)
        history = text_of(world.client("tiers1").get("/administration/historique/"))
        assert "Service de données « Suivi » proposé à d’autres rôles" in history

    def test_what_rests_on_the_law_is_not_changed(self, world: World) -> None:
        service = make_service(
            world.operator, "Relève", code="releve", legal_basis=LegalBasis.PUBLIC_TASK, offered=False
        )
        page = world.client("operateur").post(f"{SERVICES}releve/", {"roles": ["producer"]})
        assert "Ce service repose sur la loi" in text_of(page)
        service.refresh_from_db()
        assert service.roles == []

    def test_one_can_be_searched_for(self, world: World) -> None:
        make_service(world.third_party_1, "Suivi")
        make_service(world.third_party_2, "Pilotage")
        client = world.client("operateur")
        assert [row["name"] for row in client.get(f"{SERVICES}?q=tiers+2").context["rows"]] == ["Pilotage"]
        assert "Aucun service pour « rien »" in text_of(client.get(f"{SERVICES}?q=rien"))

    def test_an_absent_one_is_not_found(self, world: World) -> None:
        assert world.client("operateur").get(f"{SERVICES}absent/").status_code == 404

    @pytest.mark.parametrize("who", ["alice", "tiers1"])
    def test_are_the_operators_to_change(self, world: World, who: str) -> None:
        make_service(world.third_party_1, "Suivi", code="suivi")
        assert world.client(who).post(f"{SERVICES}suivi/", {"roles": ["producer"]}).status_code == 403


class TestThePolicy:
    def test_says_how_many_people_each_rule_concerns(self, world: World) -> None:
        Authenticator.objects.create(user=world.alice.user, type="totp", data={})
        make_member(world.client_b, "Bob", email=world.bob.user.email)
        roles = world.client("operateur").get(POLICY).context["roles"]
        assert [one["note"] for one in roles] == [
            "1 personne, dont 1 qui n’a pas encore de second facteur",
            "3 personnes, dont 2 qui n’ont pas encore de second facteur",
            "2 personnes, dont 2 qui n’ont pas encore de second facteur",
        ]

    def test_warns_while_the_operators_own_staff_may_use_a_password_alone(self, world: World) -> None:
        client = world.client("operateur")
        assert "Votre personnel peut se connecter avec un mot de passe seul" in text_of(client.get(POLICY))
        Authenticator.objects.create(user=world.operateur.user, type="totp", data={})
        page = save(client, POLICY, {"roles": ["strong_for_operator"]}, follow=True)
        assert "Les règles sont en vigueur" in text_of(page)
        assert "mot de passe seul" not in text_of(page)

    def test_what_a_colleague_set_meanwhile_is_read_before_it_is_replaced(self, world: World) -> None:
        client = world.client("operateur")
        opened = hidden(client.get(POLICY), "seen")
        theirs = {"roles": ["strong_for_users"], "acts": ["rights"], "seen": opened}
        assert save(client, POLICY, theirs).status_code == 302
        mine = {"roles": [], "acts": ["rights"], "seen": opened}
        page = save(client, POLICY, mine)
        assert page.status_code == 409
        assert "Olivier a enregistré autre chose" in text_of(page)
        assert (
            "La double authentification est obligatoire pour Les autres utilisateurs des entreprises"
            in text_of(page)
        )
        assert SecurityPolicy.objects.get().strong_for_users
        assert save(client, POLICY, mine | {"seen": hidden(page, "seen")}).status_code == 302
        assert not SecurityPolicy.objects.get().strong_for_users

    def test_rules_that_do_not_say_what_was_read_are_not_set(self, world: World) -> None:
        ask_for(strong_for_users=True)
        assert world.client("operateur").post(POLICY, {"roles": []}).status_code == 409
        assert SecurityPolicy.objects.get().strong_for_users

    def test_what_is_ticked_is_what_holds(self, world: World) -> None:
        posted = {"roles": ["strong_for_administrators"], "acts": ["rights", "revoke_all"]}
        save(world.client("operateur"), POLICY, posted)
        row = SecurityPolicy.objects.get()
        assert (row.strong_for_operator, row.strong_for_administrators, row.strong_for_users) == (
            False,
            True,
            False,
        )
        assert row.step_up_acts == ["revoke_all", "rights"]
        event = AuditEvent.objects.get(action="policy.changed")
        assert (event.user, event.organisation) == (world.operateur.user_id, world.operator.pk)
        page = world.client("operateur").get(POLICY).content.decode()
        assert page.count(" checked") == 3

    def test_a_code_is_asked_first_where_the_rules_before_the_change_want_it(self, world: World) -> None:
        ask_for(step_up_acts=["rights", "policy"])
        client = world.client("operateur")
        posted = {"roles": ["strong_for_operator", "strong_for_users"], "acts": ["rights"]}
        assert save(client, POLICY, posted)["Location"] == "/confirmation/"
        assert SecurityPolicy.objects.get().step_up_acts == ["rights", "policy"]
        assert not AuditEvent.objects.filter(action="policy.changed").exists()
        page = client.get("/confirmation/")
        assert "Changer les règles de sécurité ou publier des conditions générales" in text_of(page)
        address, kept = kept_form(page)
        assert address == POLICY
        assert kept == posted | {"seen": kept["seen"]}
        client.post(address, kept | {"step_up_code": newest_code(EMAIL)})
        row = SecurityPolicy.objects.get()
        assert (row.strong_for_operator, row.strong_for_administrators, row.strong_for_users) == (
            True,
            False,
            True,
        )
        assert row.step_up_acts == ["rights"]

    def test_no_code_is_asked_where_the_rules_do_not_want_it_yet(self, world: World) -> None:
        ask_for(step_up_acts=["rights"])
        assert save(world.client("operateur"), POLICY, {"acts": ["policy"]})["Location"] == POLICY
        assert SecurityPolicy.objects.get().step_up_acts == ["policy"]

    def test_says_by_what_a_second_factor_of_the_provider_counts(self, world: World, settings: Any) -> None:
        told_of(settings, "https://login.example")
        client = world.client("operateur")
        page = client.get(POLICY).content.decode()
        assert "Second facteur vérifié par Identité Démo" in page
        posted = {"provider_amr": "mfa, otp  mfa", "provider_acr": "gold", "provider_minutes": "60"}
        save(client, POLICY, posted)
        row = SecurityPolicy.objects.get()
        assert (row.provider_issuer, row.provider_amr, row.provider_acr, row.provider_minutes) == (
            "https://login.example",
            ["mfa", "otp"],
            ["gold"],
            60,
        )
        event = AuditEvent.objects.get(action="policy.changed")
        assert event.after == {
            "provider_issuer": "https://login.example",
            "provider_acr": ["gold"],
            "provider_amr": ["mfa", "otp"],
            "provider_minutes": 60,
        }
        history = text_of(client.get("/administration/historique/"))
        assert "Second facteur du fournisseur : valeurs de amr" in history
        assert 'value="mfa otp"' in client.get(POLICY).content.decode()
        save(client, POLICY, {})
        assert SecurityPolicy.objects.get().provider_amr == []

    @pytest.mark.parametrize(
        ("posted", "said"),
        [
            ({"provider_amr": "mfa pwd"}, "« pwd » ne dit pas qu’un second facteur a été vérifié"),
            ({"provider_acr": "0"}, "« 0 » ne dit pas qu’un second facteur a été vérifié"),
            ({"provider_amr": "clé"}, "« clé » ne dit pas"),
            ({"provider_minutes": "60"}, "Dites d’abord par quelle valeur"),
        ],
    )
    def test_takes_nothing_that_says_no_second_factor(
        self, world: World, settings: Any, posted: dict[str, str], said: str
    ) -> None:
        told_of(settings, "https://login.example")
        ask_for(step_up_acts=["policy"])
        page = save(world.client("operateur"), POLICY, posted)
        assert page.status_code == 422
        assert said in text_of(page)
        assert SecurityPolicy.objects.get().provider_issuer == ""

    def test_asks_a_code_before_a_second_factor_of_the_provider_counts(
        self, world: World, settings: Any
    ) -> None:
        told_of(settings, "https://login.example")
        ask_for(step_up_acts=["policy"])
        assert (
            save(world.client("operateur"), POLICY, {"provider_amr": "mfa"})["Location"] == "/confirmation/"
        )
        assert SecurityPolicy.objects.get().provider_amr == []

    def test_keeps_what_counts_of_the_provider_while_there_is_none(self, world: World) -> None:
        ask_for(provider_issuer="https://login.example", provider_amr=["mfa"])
        client = world.client("operateur")
        assert "provider_amr" not in client.get(POLICY).content.decode()
        save(client, POLICY, {"roles": ["strong_for_users"], "provider_amr": "otp"})
        row = SecurityPolicy.objects.get()
        assert (row.strong_for_users, row.provider_amr) == (True, ["mfa"])

    def test_a_new_instance_asks_a_code(self, world: World) -> None:
        SecurityPolicy.objects.all().delete()
        assert save(world.client("operateur"), POLICY, {})["Location"] == "/confirmation/"
        assert not SecurityPolicy.objects.exists()

    def test_a_forged_value_is_refused(self, world: World) -> None:
        page = save(world.client("operateur"), POLICY, {"roles": ["step_up_acts"]})
        assert page.status_code == 422
        assert not AuditEvent.objects.filter(action="policy.changed").exists()

    def test_is_for_the_operators_administrators(self, world: World, agent: Membership) -> None:
        for who in ("odile", "alice", "charlie"):
            for address in (POLICY, TERMS):
                assert world.client(who).get(address).status_code == 403
                assert world.client(who).post(address, {"roles": []}).status_code == 403
        assert "Sécurité et conditions" not in text_of(world.client("odile").get("/administration/"))
        assert not AuditEvent.objects.filter(action="policy.changed").exists()

    def test_speaks_english(self, world: World) -> None:
        text = text_of(world.client("operateur", language="en").get(POLICY))
        for said in ("Your staff can sign in with a password alone", "3 people", "Save the rules"):
            assert said in text


class TestGeneralTerms:
    posted = {
        "version": "2027-01",
        "text_fr": "## Objet\r\n\r\nCe portail.\r\n\r\n- un\r\n- deux",
        "text_en": "",
    }

    def post(self, world: World, do: str, **changed: str):
        return world.client("operateur").post(TERMS, self.posted | {"do": do} | changed, follow=True)

    def test_are_shown_as_they_will_be_read_before_anything_is_published(self, world: World) -> None:
        page = self.post(world, "check")
        html = page.content.decode()
        assert "<h3>Objet</h3>" in html
        assert "<li>deux</li>" in html
        text = text_of(page)
        assert "Publier la version 2027-01" in text
        assert "5 personnes devront l’accepter à leur prochaine visite" in text
        assert "le texte français est montré à tous" in text
        assert not GeneralTerms.objects.filter(version="2027-01").exists()

    def test_are_published_from_there(self, world: World) -> None:
        page = self.post(world, "publish")
        assert page.redirect_chain[-1][0] == POLICY
        assert "La version 2027-01 est en vigueur" in text_of(page)
        assert "2027-01" in text_of(world.client("alice").get("/conditions/"))
        event = AuditEvent.objects.get(action="terms.published", subject_label="2027-01")
        assert (event.user, event.acting_for) == (world.operateur.user_id, world.operator.pk)

    @pytest.mark.parametrize("paragraphs", [1, 2_000])
    def test_ask_a_code_first_where_the_rules_want_it_and_lose_no_word(
        self, world: World, paragraphs: int
    ) -> None:
        ask_for(step_up_acts=["policy"])
        client = world.client("operateur")
        text = "## L’été\r\n\r\n" + "- « d’accord » & <b>\r\n" * paragraphs + "fin"
        posted = self.posted | {"text_fr": text, "text_en": "The end."}
        assert "Publier la version" in text_of(client.post(TERMS, posted | {"do": "check"}))
        assert client.post(TERMS, posted | {"do": "publish"})["Location"] == "/confirmation/"
        assert not GeneralTerms.objects.filter(version="2027-01").exists()
        address, kept = kept_form(client.get("/confirmation/"))
        assert address == TERMS
        assert client.post(address, kept | {"step_up_code": newest_code(EMAIL)})["Location"] == POLICY
        found = GeneralTerms.objects.get(version="2027-01")
        assert found.text_fr.split() == text.split()
        assert found.text_en == "The end."

    def test_can_be_corrected_before(self, world: World) -> None:
        page = self.post(world, "edit")
        assert page.status_code == 200
        assert "Ce portail." in page.content.decode()
        assert not GeneralTerms.objects.filter(version="2027-01").exists()

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"version": "2026-01"}, "Cette version est déjà publiée"),
            ({"version": "a/b"}, "Des lettres, des chiffres, des points et des tirets"),
            ({"version": ""}, "obligatoire"),
            ({"text_fr": " "}, "obligatoire"),
        ],
    )
    def test_what_will_not_do_is_told(self, world: World, changed: dict[str, str], said: str) -> None:
        publish_terms(version="2026-01", text_fr="Objet", now=world.now)
        before = GeneralTerms.objects.count()
        for do in ("check", "publish"):
            page = self.post(world, do, **changed)
            assert page.status_code == 422
            assert said in text_of(page)
        assert GeneralTerms.objects.count() == before

    @pytest.mark.parametrize(
        ("changed", "left"),
        [({"text_en": "Purpose"}, "en"), ({"text_fr": "Objet", "text_en": "Another purpose"}, "fr")],
    )
    def test_of_which_one_language_stays_are_published_once_that_is_said_to_be_meant(
        self, world: World, changed: dict[str, str], left: str
    ) -> None:
        """The form begins from both texts in force: one who changes the first may not have seen the second."""
        publish_terms(version="2026-01", text_fr="Objet", text_en="Purpose", now=world.now)
        told = {"en": "Le texte anglais", "fr": "Le texte français"}[left]
        page = self.post(world, "check", **changed)
        assert f"{told} est encore celui de la version 2026-01" in text_of(page)
        page = self.post(world, "publish", **changed)
        assert page.status_code == 422
        assert "Cochez si c’est voulu" in text_of(page)
        assert not GeneralTerms.objects.filter(version="2027-01").exists()
        self.post(world, "publish", **changed, meant=left)
        assert GeneralTerms.objects.filter(version="2027-01").exists()

    def test_of_which_both_languages_changed_ask_nothing_more(self, world: World) -> None:
        publish_terms(version="2026-01", text_fr="Objet", text_en="Purpose", now=world.now)
        page = self.post(world, "check", text_en="Another purpose")
        assert "est encore celui de la version" not in text_of(page)
        self.post(world, "publish", text_en="Another purpose")
        assert GeneralTerms.objects.filter(version="2027-01").exists()

    def test_begin_from_the_text_in_force(self, world: World) -> None:
        publish_terms(version="2026-01", text_fr="Le texte d’avant", now=world.now)
        page = world.client("operateur").get(TERMS)
        assert "Le texte d’avant" in page.content.decode()
        assert "La version 2026-01 est en vigueur" in text_of(page)

    def test_versions_are_listed_with_who_accepted_them(self, world: World) -> None:
        publish_terms(version="2026-01", text_fr="Objet", now=world.now)
        text = text_of(world.client("operateur").get(POLICY))
        assert "2026-01" in text
        assert "En vigueur" in text
