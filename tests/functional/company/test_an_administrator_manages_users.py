"""*Utilisateurs*: the list, one person's rights, detaching."""

import re
from datetime import timedelta

import pytest

from gridgate.accounts.models import SecurityPolicy
from gridgate.audit.models import AuditEvent
from gridgate.onboarding.operations.invitations import invite
from gridgate.organisations.models import SignIn
from gridgate.organisations.operations.members import add_member, update_member
from tests.factories.organisations import make_member
from tests.functional.company.conftest import read_and_confirmed, text_of
from tests.handles import handle

USERS = "/administration/utilisateurs/"


def names(response) -> list[str]:
    return re.findall(r'<th role="rowheader" scope="row"><a[^>]*>([^<]+)</a>', response.content.decode())


def page_of(member, rest: str = "") -> str:
    return f"{USERS}{handle(member)}/{rest}"


class TestTheList:
    @pytest.fixture(autouse=True)
    def _people(self, company):
        add_member(
            organisation=company.acme,
            email="elodie@prestataire.example",
            full_name="Élodie",
            external=True,
            now=company.now,
        )
        invite(
            organisation=company.acme,
            email="fanny@acme.example",
            full_name="Fanny",
            groups=[company.lyon],
            now=company.now,
        )
        invite(
            organisation=company.acme,
            email="gaston@acme.example",
            full_name="Gaston",
            role="administrator",
            now=company.now - timedelta(days=31),
        )

    def test_has_users_and_invited_people_in_alphabetical_order(self, company):
        page = company.client("alice").get(USERS)
        assert names(page) == ["Agathe", "Alice", "Bob", "Élodie", "Fanny", "Gaston", "Maud"]
        for said in ("Actif", "Invitation en attente", "Invitation expirée", "externe", "Site de Lyon"):
            assert said in text_of(page)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("q=elodie", ["Élodie"]),
            ("q=ACME.example+fan", ["Fanny"]),
            ("role=administrator", ["Alice", "Gaston"]),
            ("externe=oui", ["Élodie"]),
            ("externe=non&etat=active", ["Agathe", "Alice", "Bob", "Maud"]),
            ("etat=pending", ["Fanny"]),
            ("etat=expired", ["Gaston"]),
            ("tri=-nom&role=user&etat=active", ["Maud", "Élodie", "Bob", "Agathe"]),
            (
                "role=king&etat=lost&groupe=999",
                ["Agathe", "Alice", "Bob", "Élodie", "Fanny", "Gaston", "Maud"],
            ),
        ],
    )
    def test_is_searched_filtered_and_sorted(self, company, query, expected):
        assert names(company.client("alice").get(f"{USERS}?{query}")) == expected

    def test_is_narrowed_to_a_group_invited_people_included(self, company):
        page = company.client("alice").get(f"{USERS}?groupe={handle(company.lyon)}")
        assert names(page) == ["Bob", "Fanny"]
        assert "2 sur 7" in text_of(page)

    def test_has_pages(self, company):
        for number in range(12):
            make_member(company.acme, f"Zoe {number:02}")
        first = company.client("alice").get(USERS)
        assert "1–12 sur 19" in text_of(first)
        assert names(company.client("alice").get(f"{USERS}?page=2"))[-1] == "Zoe 11"

    def test_tells_the_last_sign_in_since_one_acts_for_the_company(self, company):
        began = company.membership("bob").created_at
        SignIn.objects.create(user=company.bob.user, at=began - timedelta(days=1), method="password")
        assert text_of(company.client("alice").get(f"{USERS}?q=bob")).count("jamais") == 1
        SignIn.objects.create(user=company.bob.user, at=company.now - timedelta(days=1), method="password")
        assert "hier à 10:30" in text_of(company.client("alice").get(f"{USERS}?q=bob"))

    def test_holds_nobody_of_another_company(self, company):
        page = company.client("charlie").get(USERS)
        assert names(page) == ["Charlie"]

    def test_reads_in_english(self, company):
        page = text_of(company.client("alice", language="en").get(USERS))
        assert "Users and entitlements" in page
        assert "Invitation expired" in page
        assert "Utilisateur" not in page

    def test_says_so_when_nobody_is_found(self, company):
        page = text_of(company.client("alice").get(f"{USERS}?q=nulle+part"))
        assert "Personne ne répond à ces filtres" in page
        assert "nulle part" in page

    def test_offers_only_what_one_may_open(self, company):
        sections = re.findall(
            r'href="(/administration/[a-z]+/)"', company.client("maud").get(USERS).content.decode()
        )
        assert "/administration/groupes/" in sections
        assert not {
            "/administration/services/",
            "/administration/verifier/",
            "/administration/historique/",
        } & set(sections)

    def test_works_for_the_operators_own_staff(self, company):
        page = company.client("operateur").get(USERS)
        assert names(page) == ["Olivier"]


class TestOnePerson:
    def test_shows_what_they_may_do_and_why(self, company):
        page = text_of(company.client("alice").get(page_of(company.bob)))
        assert "Ce que peut Bob" in page
        assert "par Site de Lyon" in page
        assert "ouvert à tous les utilisateurs" in page
        assert "réservé à Accueil" in page
        assert "bob@acme.example agit désormais pour l’entreprise" in page

    def test_role_affiliation_and_groups_change_together(self, company):
        client = company.client("alice")
        form = {
            "role": "user",
            "external": "externe",
            "groups": [handle(company.seat), handle(company.reception)],
        }
        answer = read_and_confirmed(client, page_of(company.bob), form, follow=True)
        bob = company.membership("bob")
        assert bob.external
        assert set(bob.groups.values_list("group__name", flat=True)) == {"Siège", "Accueil"}
        said = text_of(answer)
        assert "Les droits de Bob sont enregistrés." in said
        assert "Bob perd « Gestion des services de données » sur 2 points." in said

    def test_the_groups_they_are_in_are_ticked(self, company):
        """Or saving anything else would take them away."""
        page = company.client("alice").get(page_of(company.bob)).content.decode()
        boxes = re.findall(r'<input type="checkbox" name="groups"[^>]*>', page)
        ticked = [handle(group) in box for group in (company.lyon,) for box in boxes if " checked" in box]
        assert (len(boxes), ticked) == (3, [True])

    def test_what_was_typed_stays_when_something_is_wrong(self, company):
        answer = company.client("alice").post(
            page_of(company.bob), {"role": "king", "external": "externe", "groups": [handle(company.seat)]}
        )
        assert answer.status_code == 422
        page = answer.content.decode()
        assert re.search(r'value="externe"[^>]*checked', page)
        assert re.search(rf'value="{handle(company.seat)}"[^>]*checked', page)
        assert not company.membership("bob").external

    def test_the_last_administrator_stays_one_and_is_told_what_to_do(self, company):
        answer = company.client("alice").post(page_of(company.alice), {"role": "user", "external": "externe"})
        assert answer.status_code == 422
        assert "C’est le dernier administrateur" in text_of(answer)
        assert "Nommez d’abord un autre administrateur" in text_of(answer)
        page = answer.content.decode()
        assert re.search(r'name="role" value="user"[^>]*checked', page), "what was chosen is lost"
        alice = company.membership("alice")
        assert (alice.role, alice.external) == ("administrator", False)

    def test_naming_an_administrator_asks_for_a_code_first(self, company):
        SecurityPolicy.objects.filter(pk=1).update(step_up_acts=["rights"])
        client = company.client("alice")
        answer = read_and_confirmed(client, page_of(company.bob), {"role": "administrator", "external": ""})
        assert answer["Location"].startswith("/confirmation/")
        assert company.membership("bob").role == "user"

    def test_an_administrator_may_step_down_once_there_is_another(self, company):
        client = company.client("alice")
        read_and_confirmed(client, page_of(company.bob), {"role": "administrator", "external": ""})
        assert company.membership("bob").role == "administrator"
        answer = read_and_confirmed(client, page_of(company.alice), {"role": "user", "external": ""})
        assert answer["Location"] == "/"
        assert company.membership("alice").role == "user"
        assert client.get(USERS).status_code == 403

    def test_of_another_company_does_not_exist(self, company):
        for method in ("get", "post"):
            for rest in ("", "detacher/"):
                answer = getattr(company.client("charlie"), method)(
                    page_of(company.bob, rest), {"role": "user"}
                )
                assert answer.status_code == 404

    def test_who_left_is_found_no_more(self, company):
        client = company.client("alice")
        client.post(page_of(company.bob, "detacher/"))
        assert client.get(page_of(company.bob)).status_code == 404

    def test_their_history_tells_of_their_groups(self, company):
        client = company.client("alice")
        form = {"role": "user", "external": "", "groups": [handle(company.seat)]}
        read_and_confirmed(client, page_of(company.bob), form)
        page = text_of(client.get(page_of(company.bob)))
        assert "Membres entrés : bob@acme.example" in page
        assert "Membres sortis : bob@acme.example" in page


class TestAUserManager:
    def test_changes_users_but_not_their_role(self, company):
        client = company.client("maud")
        page = client.get(page_of(company.bob)).content.decode()
        assert 'name="role"' not in page
        form = {"role": "administrator", "external": "externe", "groups": []}
        read_and_confirmed(client, page_of(company.bob), form)
        bob = company.membership("bob")
        assert (bob.role, bob.external, bob.groups.count()) == ("user", True, 0)

    @pytest.mark.parametrize(
        ("who", "why"),
        [("alice", "seul un autre administrateur"), ("maud", "Personne ne change ses propres droits")],
    )
    def test_is_told_why_not_and_given_no_button_that_cannot_work(self, company, who, why):
        member = getattr(company, who)
        client = company.client("maud")
        answer = client.get(page_of(member))
        assert why in text_of(answer)
        assert "Détacher" not in text_of(answer)
        assert "Enregistrer" not in text_of(answer)
        assert client.post(page_of(member), {"external": "externe"}).status_code == 403
        assert client.get(page_of(member, "detacher/")).status_code == 403
        assert client.post(page_of(member, "detacher/")).status_code == 403
        member.refresh_from_db()
        assert (member.ended_at, member.external) == (None, False)

    def test_does_not_read_the_history(self, company):
        update_member(
            membership=company.bob,
            role="user",
            external=True,
            until=None,
            actor=company.alice,
            now=company.now,
        )
        assert "Ce qui est arrivé à Bob" not in text_of(company.client("maud").get(page_of(company.bob)))


class TestDetaching:
    def test_says_what_ends_and_what_stays(self, company):
        page = text_of(company.client("alice").get(page_of(company.bob, "detacher/")))
        for said in (
            "Détacher Bob d’ACME Industries ?",
            "sa prochaine page sera refusée",
            "L’appartenance aux groupes : Site de Lyon.",
            "Le compte bob@acme.example, qui peut servir pour d’autres entreprises.",
            "Détacher Bob maintenant",
            "Garder l’accès",
        ):
            assert said in page
        assert company.membership("bob").ended_at is None

    def test_ends_access_at_the_very_next_request_and_leaves_the_account(self, company):
        bob = company.client("bob")
        assert bob.get("/compteurs/").status_code == 200
        answer = company.client("alice").post(page_of(company.bob, "detacher/"), follow=True)
        assert "Bob n’agit plus pour ACME Industries." in text_of(answer)
        assert bob.get("/compteurs/")["Location"].startswith("/connexion/")
        assert company.membership("bob").user.is_active
        event = AuditEvent.objects.latest("pk")
        assert (event.action, event.user) == ("member.detached", company.alice.user_id)

    def test_of_the_last_administrator_is_explained_before_and_after(self, company):
        client = company.client("alice")
        page = client.get(page_of(company.alice, "detacher/"))
        assert "C’est le dernier administrateur" in text_of(page)
        assert "maintenant" not in text_of(page)
        assert client.post(page_of(company.alice, "detacher/")).status_code == 409
        assert company.membership("alice").ended_at is None

    def test_of_oneself_ends_ones_own_session(self, company):
        make_member(company.acme, "Denise", role="administrator")
        client = company.client("alice")
        assert "Ne plus agir pour ACME Industries ?" in text_of(
            client.get(page_of(company.alice, "detacher/"))
        )
        client.post(page_of(company.alice, "detacher/"))
        assert client.get(USERS)["Location"].startswith("/connexion/")
