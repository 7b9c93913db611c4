"""*Vérifier*: what a user may do, and why."""

import re
from datetime import date

import pytest

from tests.factories.metering import make_holding, make_point
from tests.factories.organisations import make_group, make_member
from tests.functional.company.conftest import text_of

CHECK = "/administration/verifier/"


def answers(page) -> dict[str, str]:
    """By service, the rest of its line."""
    rows = re.findall(r'<tr role="row"><th role="rowheader".*?</tr>', page.content.decode(), flags=re.S)
    found = {}
    for row in rows:
        label = re.search(r'scope="row">([^<]+)<', row).group(1)
        cells = re.findall(r'<td role="cell".*?</td>', row, flags=re.S)
        said = [re.sub(r"[\s\u00a0\u202f]+", " ", re.sub(r"<[^>]+>", " ", cell)).strip() for cell in cells]
        found[label] = " | ".join(said)
    return found


def test_each_service_has_its_answer_its_reason_and_its_points(company):
    page = company.client("alice").get(f"{CHECK}?qui=bob@acme.example")
    assert answers(page) == {
        "Consulter les compteurs": "Oui | par Site de Lyon | 2",
        "Visualiser les mesures": "Oui | par Site de Lyon | 2",
        "Gestion des services de données": "Oui | par Site de Lyon | 2",
        "Alertes de dépassement de puissance": "Oui | ouvert à tous les utilisateurs | 4",
        "Consulter les contrats": "Oui | ouvert à tous les utilisateurs | 4",
        "Consulter les factures": "Oui | ouvert à tous les utilisateurs | –",
        "Demandes au gestionnaire de réseau": "Non | aucun groupe ne l’a | –",
        "Gestion des API et des applications": "Non | aucun groupe ne l’a | –",
        "Gestion des utilisateurs": "Non | réservé à Accueil | –",
    }


def test_an_administrator_has_everything(company):
    said = answers(company.client("alice").get(f"{CHECK}?qui=Alice"))
    assert set(said.values()) == {"Oui | administrateur | 4", "Oui | administrateur | –"}


def test_on_one_point(company):
    client = company.client("alice")
    on_p1 = answers(client.get(f"{CHECK}?qui=bob&point=30 001 480 112 233"))
    assert on_p1["Visualiser les mesures"] == "Oui | par Site de Lyon"
    on_p3 = answers(client.get(f"{CHECK}?qui=bob&point={company.p3.pk}"))
    assert on_p3["Visualiser les mesures"] == "Non | hors du périmètre de Site de Lyon"
    assert on_p3["Consulter les factures"].startswith("Oui | ouvert à tous les utilisateurs vaut pour toute")


def test_a_point_never_held_answers_as_one_that_does_not_exist(company):
    client = company.client("alice")
    theirs = text_of(client.get(f"{CHECK}?qui=bob&point={company.p5.pk}"))
    absent = text_of(client.get(f"{CHECK}?qui=bob&point=30003690334499"))
    bare = [
        re.sub(r"30 ?003 ?690 ?334 ?(401|499)|30 003 690 334 (401|499)", "…", page)
        for page in (theirs, absent)
    ]
    assert bare[0] == bare[1]
    assert "votre entreprise n’est pas titulaire de ce point, et ne l’a pas été" in theirs


def test_a_point_held_once_is_still_answered_for(company):
    former = make_point(label="Bron")
    make_holding(former, company.acme, since=date(2024, 1, 1), until=date(2025, 1, 1))
    said = answers(company.client("alice").get(f"{CHECK}?qui=agathe&point={former.pk}"))
    assert said["Visualiser les mesures"] == "Oui | par Siège"


def test_what_is_no_identifier_is_told_beside_the_field(company):
    page = company.client("alice").get(f"{CHECK}?qui=bob&point=3000148011223")
    assert "Un PRM a 14 chiffres, 13 saisis." in text_of(page)
    assert 'value="3000148011223"' in page.content.decode()
    assert answers(page) == {}


def test_several_people_of_a_name_are_offered(company):
    make_member(company.acme, "Bob", email="bob.nantes@acme.example")
    page = company.client("alice").get(f"{CHECK}?qui=bob&point={company.p1.pk}")
    assert "Plusieurs utilisateurs répondent à « bob » : lequel ?" in text_of(page)
    links = re.findall(r'href="(\?qui=[^"]+)"', page.content.decode())
    assert len(links) == 2
    chosen = company.client("alice").get(CHECK + links[0].replace("&amp;", "&"))
    assert len(answers(chosen)) == 9


@pytest.mark.parametrize("who", ["charlie", "charlie@client-b.example", "personne"])
def test_nobody_of_another_company_is_found(company, who):
    page = company.client("alice").get(f"{CHECK}?qui={who}")
    assert "Aucun utilisateur de ce nom" in text_of(page)


def test_is_for_administrators(company):
    assert company.client("maud").get(CHECK).status_code == 403
    assert "Choisissez un utilisateur" in text_of(company.client("alice").get(CHECK))


def test_many_groups_are_named_first_and_counted_after(company):
    for number in range(6):
        make_group(company.acme, f"Groupe {number}", [], {"invoices": None})
    said = answers(company.client("alice").get(f"{CHECK}?qui=bob"))
    assert said["Consulter les factures"] == "Non | réservé à Groupe 0, Groupe 1, Groupe 2 et 3 autres | –"
