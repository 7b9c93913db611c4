"""*Services*: the table of services and groups, and the summary that is read before anybody loses anything."""

import re

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.organisations.operations.services import give, withdraw
from tests.factories.organisations import make_group, make_member
from tests.functional.company.conftest import hidden, text_of
from tests.handles import handle

SERVICES = "/administration/services/"


def ticked(page) -> set[str]:
    return set(re.findall(r'name="cell" value="([^"]+)"[^>]* checked', page.content.decode()))


def has(group) -> set[str]:
    return set(group.entitlements.values_list("code", flat=True))


def row_of(page, label: str) -> str:
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', page.content.decode(), flags=re.S)
    [row] = [one for one in rows if f">{label}<" in one]
    return re.sub(r"[\s\u00a0\u202f]+", " ", re.sub(r"<[^>]+>", " ", row))


class TestTheTable:
    def test_has_a_box_a_cell_and_says_who_has_access(self, company):
        page = company.client("alice").get(SERVICES)
        assert ticked(page) == {
            f"{handle(company.lyon)}:meters",
            f"{handle(company.lyon)}:measurements",
            f"{handle(company.lyon)}:data_services",
            f"{handle(company.seat)}:meters",
            f"{handle(company.seat)}:measurements",
            f"{handle(company.reception)}:users",
        }
        assert "2 groupes, exclusif" in row_of(page, "Visualiser les mesures")
        assert "2 points" in row_of(page, "Visualiser les mesures")
        assert "tous" in row_of(page, "Visualiser les mesures")
        assert "Tous les utilisateurs" in row_of(page, "Consulter les factures")
        assert "Les administrateurs et personne d’autre encore" in row_of(
            page, "Gestion des API et des applications"
        )
        assert "1 groupe, exclusif" in row_of(page, "Gestion des utilisateurs")
        assert f"/administration/groupes/{handle(company.lyon)}/perimetre/meters/" in page.content.decode()
        assert (
            f"/administration/groupes/{handle(company.reception)}/perimetre/users/"
            not in page.content.decode()
        )

    def test_says_the_rule_in_plain_words(self, company):
        page = text_of(company.client("alice").get(SERVICES))
        assert "Un service coché pour un groupe devient réservé aux groupes cochés." in page
        assert "Sans coche, tous vos utilisateurs y ont accès." in page
        assert "ne s’ouvrent qu’aux groupes cochés : Gestion des services de données" in page
        assert "4 utilisateurs, 3 groupes" in page

    def test_has_only_what_the_companys_roles_are_offered(self, company):
        client = company.client("alice")
        assert "Accès aux marchés" not in text_of(client.get(SERVICES))
        company.acme.roles = ["market_participant"]
        company.acme.save()
        assert "Accès aux marchés" in text_of(client.get(SERVICES))

    def test_turns_its_groups_in_pages_and_finds_them(self, company):
        for number in range(14):
            make_group(company.acme, f"Groupe {number:02}", [], {})
        client = company.client("alice")
        assert "1–12 sur 17" in text_of(client.get(SERVICES))
        assert client.get(SERVICES).content.decode().count('name="cell"') == 9 * 12
        found = client.get(f"{SERVICES}?q=LYON")
        assert found.content.decode().count('name="cell"') == 9

    def test_is_for_administrators(self, company):
        for name in ("maud", "bob"):
            assert company.client(name).get(SERVICES).status_code == 403
            assert company.client(name).post(SERVICES, {"give": "1:meters"}).status_code == 403

    def test_tells_a_company_without_groups_what_to_do(self, company):
        page = text_of(company.client("charlie").get(SERVICES))
        assert "Aucun groupe pour l’instant" in page
        assert "Créer un groupe" in page


class TestSaving:
    def form(self, page, *, tick=(), untick=()) -> dict[str, object]:
        return {"had": hidden(page, "had"), "cell": sorted((ticked(page) | set(tick)) - set(untick))}

    def test_a_gain_alone_is_saved_at_once(self, company):
        client = company.client("alice")
        form = self.form(client.get(SERVICES), tick=[f"{handle(company.seat)}:data_services"])
        answer = client.post(SERVICES, form, follow=True)
        assert "1 modification enregistrée." in text_of(answer)
        assert "data_services" in has(company.seat)

    def test_what_takes_a_service_from_somebody_is_summed_up_first(self, company):
        for number in range(5):
            make_member(company.acme, f"Membre {number}")
        client = company.client("alice")
        form = self.form(client.get(SERVICES), tick=[f"{handle(company.seat)}:invoices"])
        answer = client.post(SERVICES, form)
        said = text_of(answer)
        assert "Enregistrer 1 modification ?" in said
        assert "Bob et 6 autres perdent « Consulter les factures »." in said
        assert "il devient réservé à 1 groupe" in said
        assert "Membre 4" in said
        assert "invoices" not in has(company.seat)
        confirmed = {name: hidden(answer, name) for name in ("give", "take", "seen", "group")}
        done = client.post(SERVICES, confirmed, follow=True)
        assert "1 modification enregistrée. Bob et 6 autres perdent" in text_of(done)
        assert "invoices" in has(company.seat)

    def test_what_opens_a_service_to_all_is_summed_up_first(self, company):
        client = company.client("alice")
        both = [f"{handle(company.seat)}:meters", f"{handle(company.lyon)}:meters"]
        answer = client.post(SERVICES, self.form(client.get(SERVICES), untick=both))
        assert "il redevient ouvert à tous vos utilisateurs" in text_of(answer)
        assert "Site de Lyon, « Consulter les compteurs » : les 2 points choisis" in text_of(answer)
        assert "meters" in has(company.lyon)

    def test_going_back_keeps_what_was_ticked(self, company):
        client = company.client("alice")
        form = self.form(client.get(SERVICES), tick=[f"{handle(company.seat)}:invoices"])
        answer = client.post(SERVICES, form)
        again = client.post(
            SERVICES, {name: hidden(answer, name) for name in ("give", "take")} | {"do": "edit"}
        )
        assert f"{handle(company.seat)}:invoices" in ticked(again)
        assert "1 modification" in text_of(again)
        assert "Rien n’est encore enregistré." in text_of(again)
        assert "invoices" not in has(company.seat)

    def test_what_was_not_read_does_not_happen(self, company):
        client = company.client("alice")
        form = self.form(client.get(SERVICES), tick=[f"{handle(company.seat)}:invoices"])
        answer = client.post(SERVICES, form)
        confirmed = {name: hidden(answer, name) for name in ("give", "take", "seen", "group")}
        make_member(company.acme, "Nora")
        again = client.post(SERVICES, confirmed)
        assert again.status_code == 409
        assert "Relisez avant de confirmer" in text_of(again)
        assert "invoices" not in has(company.seat)
        client.post(SERVICES, confirmed | {"seen": hidden(again, "seen")})
        assert "invoices" in has(company.seat)

    def test_what_others_changed_meanwhile_stays(self, company):
        client = company.client("alice")
        page = client.get(SERVICES)
        withdraw(group=company.seat, code="measurements", now=company.now)
        give(group=company.lyon, code="applications", now=company.now)
        client.post(SERVICES, self.form(page, tick=[f"{handle(company.seat)}:data_services"]))
        assert "measurements" not in has(company.seat)
        assert "applications" in has(company.lyon)

    def test_perimeters_stay_with_what_is_not_touched(self, company):
        client = company.client("alice")
        client.post(SERVICES, self.form(client.get(SERVICES), tick=[f"{handle(company.lyon)}:users"]))
        assert company.lyon.entitlements.get(code="meters").restricted

    def test_a_service_that_is_offered_no_more_stays_as_it_was(self, company):
        company.acme.roles = ["market_participant"]
        company.acme.save()
        group = company.acme.groups.get(pk=company.seat.pk)
        give(group=group, code="markets", now=company.now)
        company.acme.roles = []
        company.acme.save()
        client = company.client("alice")
        client.post(SERVICES, self.form(client.get(SERVICES), tick=[f"{handle(company.seat)}:data_services"]))
        assert has(company.seat) >= {"markets", "data_services"}

    def test_nothing_changed_is_said(self, company):
        client = company.client("alice")
        before = AuditEvent.objects.count()
        answer = client.post(SERVICES, self.form(client.get(SERVICES)), follow=True)
        assert "Rien n’était à changer." in text_of(answer)
        assert AuditEvent.objects.count() == before

    @pytest.mark.parametrize(
        "cell", ["{lyon}:meters", "{lyon}:markets", "x:meters", "999999:meters", f"{'9' * 5000}:meters"]
    )
    def test_what_is_not_the_companys_own_does_not_exist(self, company, cell):
        asked = cell.format(lyon=handle(company.lyon))
        who = "charlie" if cell == "{lyon}:meters" else "alice"
        assert company.client(who).post(SERVICES, {"give": asked}).status_code == 404
        assert company.client(who).post(SERVICES, {"take": asked}).status_code == 404

    def test_one_service_is_given_and_taken_on_the_groups_own_page(self, company):
        client = company.client("alice")
        address = f"/administration/groupes/{handle(company.seat)}/"
        assert f'name="give" value="{handle(company.seat)}:users"' in client.get(address).content.decode()
        form = {"give": f"{handle(company.seat)}:users", "group": handle(company.seat)}
        assert client.post(SERVICES, form)["Location"] == address
        answer = client.post(
            SERVICES, {"take": f"{handle(company.seat)}:users", "group": handle(company.seat)}
        )
        assert "Agathe perd « Gestion des utilisateurs »." in text_of(answer)
        confirmed = {name: hidden(answer, name) for name in ("give", "take", "seen", "group")}
        assert client.post(SERVICES, confirmed)["Location"] == address
        assert "users" not in has(company.seat)
