"""*Groupes*: creating, renaming, choosing members, deleting."""

import pytest

from gridgate.applications.operations import create_application, set_group
from gridgate.organisations.models import UserGroup
from gridgate.organisations.operations.groups import set_members
from gridgate.organisations.operations.services import give
from tests.factories.organisations import make_group, make_member
from tests.functional.company.conftest import hidden, read_and_confirmed, text_of
from tests.handles import handle

GROUPS = "/administration/groupes/"


def at(group: UserGroup, rest: str = "") -> str:
    return f"{GROUPS}{handle(group)}/{rest}"


def members_of(group: UserGroup) -> set[str]:
    return set(group.members.values_list("membership__user__full_name", flat=True))


class TestGroups:
    def test_are_listed_with_members_and_services_and_found_without_accents(self, company):
        client = company.client("alice")
        page = text_of(client.get(GROUPS))
        services = "Gestion des services de données, Visualiser les mesures, Consulter les compteurs"
        assert f"Site de Lyon 1 {services}" in page
        found = text_of(client.get(f"{GROUPS}?q=siege"))
        assert "Siège" in found
        assert "1 sur 3" in found

    def test_are_created_empty_and_change_nobodys_rights(self, company):
        client = company.client("alice")
        answer = client.post(f"{GROUPS}nouveau/", {"name": "  Énergie  Sud "}, follow=True)
        made = UserGroup.objects.get(name="Énergie Sud")
        assert answer.redirect_chain == [(at(made), 302)]
        assert "Personne n’est dans ce groupe" in text_of(answer)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("", "Ce champ est obligatoire."),
            ("site de LYON", "Un autre groupe s’appelle « Site de Lyon »."),
            ("x" * 81, "au plus 80 caractères"),
        ],
    )
    def test_have_a_name_of_their_own(self, company, name, said):
        client = company.client("alice")
        for address in (f"{GROUPS}nouveau/", at(company.seat, "renommer/")):
            answer = client.post(address, {"name": name})
            assert answer.status_code == 422
            assert said in text_of(answer)
            assert f'value="{name}"' in answer.content.decode() or not name
        assert company.acme.groups.count() == 3

    def test_are_renamed(self, company):
        answer = company.client("alice").post(
            at(company.seat, "renommer/"), {"name": "Direction"}, follow=True
        )
        assert "Le groupe s’appelle « Direction »." in text_of(answer)

    def test_of_another_company_do_not_exist(self, company):
        client = company.client("charlie")
        for rest in ("", "renommer/", "membres/", "supprimer/", "perimetre/meters/"):
            assert client.get(at(company.lyon, rest)).status_code == 404
            if rest:
                assert client.post(at(company.lyon, rest), {"name": "x", "do": "save"}).status_code == 404
        assert "Site de Lyon" not in text_of(client.get(GROUPS))

    def test_are_looked_at_but_not_changed_by_a_user_manager(self, company):
        client = company.client("maud")
        page = client.get(at(company.lyon)).content.decode()
        assert "Choisir les membres" in page
        for rest in ("renommer/", "supprimer/", "perimetre/"):
            assert rest not in page
        for address in (f"{GROUPS}nouveau/", at(company.lyon, "renommer/"), at(company.lyon, "supprimer/")):
            assert client.get(address).status_code == 403
            assert client.post(address, {"name": "x"}).status_code == 403


class TestChoosingMembers:
    @pytest.fixture(autouse=True)
    def _many(self, company):
        company.many = [make_member(company.acme, f"Membre {number:03}") for number in range(120)]

    def state(self, page) -> dict[str, str]:
        """What the form carries from one search to the next."""
        return {name: hidden(page, name) for name in ("chosen", "shown", "view", "page")}

    def test_what_is_ticked_stays_from_one_search_to_the_next(self, company):
        client, address = company.client("alice"), at(company.lyon, "membres/")
        page = client.get(address)
        assert "1 choisi sur 124" in text_of(page)
        first = self.state(page)
        picked = [handle(company.bob), handle(company.many[3])]
        page = client.post(address, {**first, "pick": picked, "q": "membre.11", "do": "search"})
        assert "2 choisis sur 124 · 10 trouvés pour « membre.11 »" in text_of(page)
        page = client.post(
            address,
            {**self.state(page), "pick": [handle(company.many[115])], "q": "", "do": "save"},
            follow=True,
        )
        assert "Les membres de « Site de Lyon » sont enregistrés." in text_of(page)
        assert members_of(company.lyon) == {"Bob", "Membre 003", "Membre 115"}

    def test_pages_are_turned_without_losing_ticks(self, company):
        client, address = company.client("alice"), at(company.lyon, "membres/")
        page = client.get(address)
        page = client.post(address, {**self.state(page), "pick": [handle(company.bob)], "do": "page:2"})
        assert "51–100 sur 124" in text_of(page)
        assert hidden(page, "chosen") == handle(company.bob)

    def test_all_that_a_search_finds_are_ticked_or_unticked_at_once(self, company):
        client, address = company.client("alice"), at(company.lyon, "membres/")
        page = client.get(address)
        page = client.post(
            address, {**self.state(page), "pick": [handle(company.bob)], "q": "membre.0", "do": "pick_all"}
        )
        assert "101 choisis sur 124" in text_of(page)
        state = self.state(page) | {"pick": hidden(page, "shown").split()}
        page = client.post(address, state | {"q": "membre.00", "do": "drop_all"})
        assert "91 choisis sur 124" in text_of(page)

    def test_the_chosen_alone_can_be_looked_at(self, company):
        client, address = company.client("alice"), at(company.lyon, "membres/")
        page = client.get(address)
        page = client.post(address, {**self.state(page), "pick": [handle(company.bob)], "do": "chosen"})
        assert text_of(page).count("@111222337.example") == 0
        assert "bob@acme.example" in text_of(page)

    def test_somebody_of_another_company_is_never_taken(self, company):
        client, address = company.client("alice"), at(company.lyon, "membres/")
        forged = f"{handle(company.charlie)} {handle(company.bob)}"
        client.post(address, {"chosen": forged, "shown": "", "pick": [handle(company.charlie)], "do": "save"})
        assert members_of(company.lyon) == {"Bob"}

    def test_tells_who_loses_what(self, company):
        client, address = company.client("alice"), at(company.lyon, "membres/")
        page = client.get(address)
        form = {**self.state(page), "do": "save"}
        said = text_of(client.post(address, form))
        assert "Consulter les compteurs Bob perd « Consulter les compteurs » sur 2 points." in said
        assert "Lyon Gerland, usine (30001480112233)" in said
        assert members_of(company.lyon) == {"Bob"}, "it is read first"
        answer = read_and_confirmed(client, address, form, follow=True)
        assert "Bob perd « Consulter les compteurs » sur 2 points." in text_of(answer)
        assert members_of(company.lyon) == set()

    def test_a_user_manager_moves_neither_administrators_nor_themselves(self, company):
        set_members(group=company.lyon, members=[company.bob, company.alice], now=company.now)
        client, address = company.client("maud"), at(company.lyon, "membres/")
        page = client.get(address)
        assert "seul un administrateur change ses groupes" in text_of(page)
        assert "vous : demandez à un administrateur" in text_of(
            client.post(address, {"q": "maud", "do": "search"})
        )
        picked = [handle(company.maud), handle(company.acme_user)]
        form = {**self.state(page), "pick": picked, "do": "save"}
        said = text_of(client.post(address, form))
        assert "Bob perd « Visualiser les mesures » sur 2 points." in said
        assert "Lyon Gerland" not in said, "which points is for those who see them all"
        answer = read_and_confirmed(client, address, form)
        assert answer.status_code == 302
        assert members_of(company.lyon) == {"Alice", "Agathe"}


class TestDeleting:
    def test_says_what_opens_what_closes_and_who_loses(self, company):
        give(group=company.lyon, code="invoices", now=company.now)
        page = text_of(company.client("alice").get(at(company.lyon, "supprimer/")))
        for said in (
            "Supprimer le groupe « Site de Lyon » ?",
            "Il a 1 membre, qui reste utilisateur de votre entreprise.",
            "Consulter les compteurs Il reste réservé à 1 groupe. Bob perd « Consulter les compteurs » sur 2 points.",
            "Gestion des services de données Plus aucun groupe ne l’a : seuls vos administrateurs le gardent.",
            "Consulter les factures Plus aucun groupe ne l’a : il redevient ouvert à tous vos utilisateurs.",
            "Supprimer le groupe maintenant",
        ):
            assert said in page

    def test_of_nobody_counts_nobody(self, company):
        empty = make_group(company.acme, "Vide", [], {})
        page = text_of(company.client("alice").get(at(empty, "supprimer/")))
        assert "Supprimer le groupe « Vide » ?" in page
        assert "0 membre" not in page

    def test_says_which_programs_read_nothing_any_more(self, company):
        program = create_application(organisation=company.acme, name="Suivi", now=company.now).application
        set_group(application=program, group=company.lyon, actor=company.alice, now=company.now)
        page = text_of(company.client("alice").get(at(company.lyon, "supprimer/")))
        assert "Programmes Suivi ne lira plus rien par les API" in page
        assert "Programmes" not in text_of(company.client("alice").get(at(company.seat, "supprimer/")))

    def test_happens_once_it_was_read(self, company):
        client, address = company.client("alice"), at(company.lyon, "supprimer/")
        seen = hidden(client.get(address), "seen")
        answer = client.post(address, {"seen": seen}, follow=True)
        assert "Le groupe « Site de Lyon » est supprimé." in text_of(answer)
        assert not UserGroup.objects.filter(pk=company.lyon.pk).exists()

    def test_is_read_again_when_others_changed_it_meanwhile(self, company):
        client, address = company.client("alice"), at(company.lyon, "supprimer/")
        seen = hidden(client.get(address), "seen")
        make_group(company.acme, "Énergie", [company.bob], {"data_services": None})
        answer = client.post(address, {"seen": seen})
        assert answer.status_code == 409
        assert "Relisez avant de confirmer" in text_of(answer)
        assert UserGroup.objects.filter(pk=company.lyon.pk).exists()
        client.post(address, {"seen": hidden(answer, "seen")})
        assert not UserGroup.objects.filter(pk=company.lyon.pk).exists()
