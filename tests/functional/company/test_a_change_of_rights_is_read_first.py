"""Who loses and who gains what on which points, before it happens: each kind of change, and nobody left out."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.applications.operations import create_application, set_group
from gridgate.organisations.catalogue import offered_to
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.operations.services import give, withdraw
from tests.factories.organisations import make_group, make_member
from tests.functional.company.conftest import hidden, read_and_confirmed, text_of
from tests.functional.company.test_large_companies import enlarge
from tests.handles import handle

NOBODY = "Personne ne perd de service ni de point, et aucun service ne s’ouvre."
MEASURES = "Visualiser les mesures"


@pytest.fixture
def alice(company):
    return company.client("alice")


def group_page(group: UserGroup, rest: str) -> str:
    return f"/administration/groupes/{handle(group)}/{rest}"


def user_page(member: Membership, rest: str = "") -> str:
    return f"/administration/utilisateurs/{handle(member)}/{rest}"


class TestDeletingAGroup:
    def test_that_gave_points_names_who_loses_them_though_they_keep_the_service(self, company, alice):
        nantes = make_group(company.acme, "Nantes", [company.bob], {"measurements": [company.p4.pk]})
        page = alice.get(group_page(nantes, "supprimer/"))
        said = text_of(page)
        assert "Bob perd « Visualiser les mesures » sur 1 point." in said
        assert f"Nantes Beaulieu, bureaux ({company.p4.pk})" in said
        assert NOBODY not in said

    def test_that_gave_what_another_gives_too_takes_nothing(self, company, alice):
        twice = make_group(company.acme, "Encore", [company.bob], {"measurements": [company.p1.pk]})
        said = text_of(alice.get(group_page(twice, "supprimer/")))
        assert NOBODY in said
        assert "Sans effet pour : Visualiser les mesures." in said

    def test_that_gave_everything_names_the_points_and_those_to_come(self, company, alice):
        everywhere = make_group(company.acme, "Partout", [company.bob], {"measurements": None})
        said = text_of(alice.get(group_page(everywhere, "supprimer/")))
        assert "Bob perd « Visualiser les mesures » sur 2 points et sur ceux à venir." in said

    def test_that_alone_had_an_open_service_on_some_points_opens_it_to_all(self, company, alice):
        only = make_group(company.acme, "Contrats", [company.bob], {"contracts": [company.p1.pk]})
        said = text_of(alice.get(group_page(only, "supprimer/")))
        assert "Plus aucun groupe ne l’a : il redevient ouvert à tous vos utilisateurs." in said
        assert "Bob gagne « Consulter les contrats » sur 3 points et sur ceux à venir." in said
        assert "Agathe et 1 autre gagnent « Consulter les contrats »." in said
        assert NOBODY not in said

    def test_is_read_again_when_points_changed_meanwhile(self, company, alice):
        nantes = make_group(company.acme, "Nantes", [company.bob], {"measurements": [company.p4.pk]})
        seen = hidden(alice.get(group_page(nantes, "supprimer/")), "seen")
        give(group=nantes, code="measurements", points=[company.p3.pk, company.p4.pk], now=company.now)
        answer = alice.post(group_page(nantes, "supprimer/"), {"seen": seen})
        assert answer.status_code == 409
        assert "Bob perd « Visualiser les mesures » sur 2 points." in text_of(answer)

    def test_is_read_again_when_a_program_came_meanwhile(self, company, alice):
        empty = make_group(company.acme, "Vide", [], {})
        seen = hidden(alice.get(group_page(empty, "supprimer/")), "seen")
        program = create_application(organisation=company.acme, name="Suivi", now=company.now).application
        set_group(application=program, group=empty, now=company.now)
        answer = alice.post(group_page(empty, "supprimer/"), {"seen": seen})
        assert answer.status_code == 409
        assert "Suivi ne lira plus rien" in text_of(answer)


class TestAPerimeter:
    def narrowed(self, company, **more):
        return {"chosen": company.p1.pk, "shown": "", "scope": "some", "do": "save", **more}

    def test_narrowed_names_who_loses_which_points(self, company, alice):
        address = group_page(company.lyon, "perimetre/measurements/")
        said = text_of(alice.post(address, self.narrowed(company)))
        assert "Bob perd « Visualiser les mesures » sur 1 point." in said
        assert company.p2.pk in said
        assert company.lyon.entitlements.get(code="measurements").perimeter.count() == 2
        read_and_confirmed(alice, address, self.narrowed(company))
        assert company.lyon.entitlements.get(code="measurements").perimeter.count() == 1

    def test_narrowed_for_several_services_tells_each(self, company, alice):
        address = group_page(company.lyon, "perimetre/measurements/")
        said = text_of(alice.post(address, self.narrowed(company, everywhere="1")))
        for service in (MEASURES, "Consulter les compteurs", "Gestion des services de données"):
            assert f"Bob perd « {service} » sur 1 point." in said

    def test_narrowed_names_those_only_whom_no_other_group_keeps_there(self, company, alice):
        make_group(company.acme, "Encore", [company.bob], {"measurements": [company.p2.pk]})
        address = group_page(company.lyon, "perimetre/measurements/")
        assert alice.post(address, self.narrowed(company)).status_code == 302

    def test_widened_takes_nothing_and_is_saved(self, company, alice):
        form = {"chosen": "", "shown": "", "scope": "all", "do": "save"}
        answer = alice.post(group_page(company.lyon, "perimetre/measurements/"), form, follow=True)
        assert "perd" not in text_of(answer)
        assert not company.lyon.entitlements.get(code="measurements").restricted

    def test_of_an_open_service_takes_it_from_everybody_else(self, company, alice):
        """Exclusive once given: the group's own members keep the chosen points only."""
        address = group_page(company.lyon, "perimetre/contracts/")
        said = text_of(alice.post(address, self.narrowed(company)))
        assert "Il était ouvert à tous vos utilisateurs ; il devient réservé à 1 groupe." in said
        assert "Agathe et 1 autre perdent « Consulter les contrats »." in said
        assert "Bob perd « Consulter les contrats » sur 3 points et sur ceux à venir." in said

    def test_tells_of_programs_that_read_within_the_group(self, company, alice):
        program = create_application(organisation=company.acme, name="Suivi", now=company.now).application
        set_group(application=program, group=company.lyon, now=company.now)
        said = text_of(
            alice.post(group_page(company.lyon, "perimetre/measurements/"), self.narrowed(company))
        )
        assert "Suivi (programme) perd « Visualiser les mesures » sur 1 point." in said
        said = text_of(alice.post(group_page(company.lyon, "perimetre/meters/"), self.narrowed(company)))
        assert "programme" not in said.partition("Avant d’enregistrer")[2].partition("Périmètre")[0]

    def test_changed_by_others_between_reading_and_confirming_is_read_again(self, company, alice):
        address = group_page(company.lyon, "perimetre/measurements/")
        seen = hidden(alice.post(address, self.narrowed(company)), "seen")
        company.lyon.members.create(membership=company.maud)
        said = text_of(alice.post(address, self.narrowed(company, seen=seen)))
        assert "Bob et 1 autre perdent « Visualiser les mesures » sur 1 point." in said
        assert "Rien n’est encore enregistré." in said


class TestServices:
    def test_withdrawn_from_one_of_two_groups_takes_its_points(self, company, alice):
        nantes = make_group(company.acme, "Nantes", [company.bob], {"measurements": [company.p4.pk]})
        form = {"take": f"{handle(nantes)}:measurements"}
        answer = alice.post("/administration/services/", form)
        assert answer.status_code == 200
        assert "Bob perd « Visualiser les mesures » sur 1 point." in text_of(answer)
        assert nantes.entitlements.exists()
        alice.post("/administration/services/", form | {"seen": hidden(answer, "seen")})
        assert not nantes.entitlements.exists()

    def test_withdrawn_from_a_program_alone_is_read_first_too(self, company, alice):
        nobody = make_group(company.acme, "Programmes", [], {"measurements": None})
        program = create_application(organisation=company.acme, name="Suivi", now=company.now).application
        set_group(application=program, group=nobody, now=company.now)
        said = text_of(alice.post("/administration/services/", {"take": f"{handle(nobody)}:measurements"}))
        assert "Suivi (programme) perd « Visualiser les mesures »." in said

    def test_given_on_all_points_to_who_had_some_takes_nothing(self, company, alice):
        everywhere = make_group(company.acme, "Partout", [company.bob], {})
        answer = alice.post("/administration/services/", {"give": f"{handle(everywhere)}:measurements"})
        assert answer.status_code == 302


class TestAPerson:
    def test_made_an_administrator_loses_nothing_and_what_they_gain_is_read_first(self, company, alice):
        form = {"role": "administrator", "external": ""}
        said = text_of(alice.post(user_page(company.bob), form))
        assert "Bob devient administrateur" in said
        assert "Bob gagne « Gestion des utilisateurs »." in said
        assert Membership.objects.get(pk=company.bob.pk).role == "user"
        answer = read_and_confirmed(alice, user_page(company.bob), form, follow=True)
        said = text_of(answer)
        assert "Les droits de Bob sont enregistrés." in said
        assert "perd" not in said.partition("Les droits de Bob sont enregistrés.")[2][:200]

    def test_made_an_administrator_is_read_first_also_when_groups_give_them_all(self, company, alice):
        given = [entry.code for entry in offered_to(company.acme.beneficiary_roles) if not entry.rule.open]
        make_group(company.acme, "Tout", [company.bob], dict.fromkeys(given))
        form = {
            "role": "administrator",
            "external": "",
            "groups": [handle(UserGroup.objects.get(name="Tout"))],
        }
        assert read_and_confirmed(alice, user_page(company.bob), form).status_code == 302
        assert Membership.objects.get(pk=company.bob.pk).role == "administrator"

    def test_made_a_user_again_loses_what_no_group_gives(self, company, alice):
        make_member(company.acme, "Denise", role="administrator", email="denise@acme.example")
        denise = Membership.objects.get(user__email="denise@acme.example")
        said = text_of(alice.post(user_page(denise), {"role": "user", "external": ""}))
        assert "Denise perd « Gestion des utilisateurs »." in said
        assert "Denise perd « Visualiser les mesures »." in said
        assert "Denise perd « Consulter les contrats »" not in said, "open to all"

    def test_leaving_a_group_loses_its_points(self, company, alice):
        nantes = make_group(company.acme, "Nantes", [company.bob], {"measurements": [company.p4.pk]})
        form = {"role": "user", "external": "", "groups": [handle(company.lyon)]}
        said = text_of(alice.post(user_page(company.bob), form))
        assert "Bob perd « Visualiser les mesures » sur 1 point." in said
        assert nantes.members.exists()
        read_and_confirmed(alice, user_page(company.bob), form)
        assert not nantes.members.exists()

    def test_joining_a_group_gains_and_is_saved(self, company, alice):
        form = {"role": "user", "external": "", "groups": [handle(company.lyon), handle(company.reception)]}
        assert alice.post(user_page(company.bob), form).status_code == 302

    def test_detached_loses_all_they_have(self, company, alice):
        said = text_of(alice.get(user_page(company.bob, "detacher/")))
        assert "Bob perd « Visualiser les mesures » sur 2 points." in said
        assert "Bob perd « Consulter les contrats »." in said
        assert "Agathe" not in said

    def test_detached_from_no_group_has_none_to_leave(self, company, alice):
        alone = make_member(company.acme, "Seul")
        said = text_of(alice.get(user_page(alone, "detacher/")))
        assert "Ce qui prend fin" in said
        assert "groupe" not in said.partition("Ce qui prend fin")[2].partition("Ce qui ne change pas")[0]


class TestLongLists:
    def test_name_the_first_count_the_others_and_hold_all_names(self, company, alice):
        people = [make_member(company.acme, f"Membre {number:02}") for number in range(30)]
        crowd = make_group(company.acme, "Foule", people, {"measurements": [company.p4.pk]})
        page = alice.get(group_page(crowd, "supprimer/"))
        said = text_of(page)
        assert "Membre 00 et 29 autres perdent « Visualiser les mesures » sur 1 point." in said
        assert all(f"Membre {number:02}" in said for number in range(30))

    def test_of_as_many_perimeters_as_people_show_the_rest_on_a_click(self, company, alice):
        everyone = make_group(company.acme, "Foule", [], {"measurements": None})
        for number in range(8):
            one = make_member(company.acme, f"Membre {number}")
            points = [company.p1.pk, company.p2.pk, company.p4.pk][: number % 3 + 1] if number < 7 else []
            make_group(company.acme, f"Part {number}", [one], {"measurements": points})
            everyone.members.create(membership=one)
        said = text_of(alice.get(group_page(everyone, "supprimer/")))
        assert all(f"Membre {number}" in said for number in range(8))

    def test_ask_as_many_questions_whatever_the_companys_size(self, company, alice):
        other = make_group(company.acme, "Nantes", [company.bob], {"measurements": [company.p4.pk]})
        narrow = {"chosen": company.p1.pk, "shown": "", "scope": "some", "do": "save"}
        forms = {
            group_page(company.lyon, "perimetre/measurements/"): narrow,
            group_page(company.lyon, "membres/"): {"chosen": "", "shown": handle(company.bob), "do": "save"},
            group_page(other, "supprimer/"): {},
            "/administration/services/": {"take": f"{handle(other)}:measurements"},
            user_page(company.bob): {"role": "user", "external": ""},
        }

        def asked(address: str) -> int:
            with CaptureQueriesContext(connection) as seen:
                answer = alice.post(address, forms[address])
            assert "perd" in answer.content.decode()
            return len(seen)

        for address in forms:
            asked(address)  # what is worked out once and kept is not the page's
        few = {address: asked(address) for address in forms}
        enlarge(company)
        withdraw(group=company.seat, code="meters", now=company.now)
        assert {address: asked(address) for address in forms} == few
