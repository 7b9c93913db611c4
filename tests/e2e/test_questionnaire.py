"""A company renews its questionnaire in a browser without scripts; the operator sees what changed, and accepts."""

import re
from datetime import timedelta

from playwright.sync_api import FilePayload, Locator, Page, expect

from gridgate.demo.questionnaires import ENDS_IN
from tests.demo_days import present_day, today_of
from tests.e2e.conftest import OpenAs
from tests.e2e.going import go
from tests.e2e.looking import axe
from tests.factories.documents import PNG, pdf
from tests.instance import Server


def test_a_company_renews_and_the_operator_accepts(own_demo_server: Server, open_as: OpenAs) -> None:
    with open_as(own_demo_server, "alice", scripts=False) as page:
        ends = today_of(own_demo_server) + timedelta(days=ENDS_IN)
        if (ends.month, ends.day) == (2, 29):  # two years after a 28 February
            ends -= timedelta(days=1)
        before = present_day()
        page.goto("/questionnaire/")
        left = "|".join(str((ends - day).days) for day in {before, present_day()})
        expect(page.locator("main")).to_contain_text(re.compile(f"Expire dans ({left}) jours"))
        page.get_by_role("button", name="Renouveler").click()

        page.get_by_label("Forme juridique").fill("SA")
        page.get_by_label("Forme juridique").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Structure du groupe")

        section = page.get_by_role("link", name="Bénéficiaires effectifs").get_attribute("href")
        assert section
        page.goto(section)
        second = add_a_beneficiary(page, share="400")
        expect(second).to_contain_text("100 % au plus.")
        expect(second.get_by_label("Nom et prénoms")).to_have_value("Bob")
        with open_as(own_demo_server, "alice") as with_scripts:  # which axe is
            with_scripts.goto(section)
            expect(add_a_beneficiary(with_scripts, share="400")).to_contain_text("100 % au plus.")
            assert axe(with_scripts) == []
        second.get_by_label("Part détenue").fill("40")
        go(page.get_by_role("button", name="Enregistrer et continuer"))

        number = replace_the_articles(page)
        page.get_by_role("button", name="Envoyer le questionnaire").click()
        expect(page.get_by_role("status")).to_contain_text(f"Le questionnaire {number} est envoyé.")

    with open_as(own_demo_server, "operateur") as desk:
        desk.goto(f"/administration/demandes/{number}/")
        expect(desk.locator("main")).to_contain_text("3 réponses ont changé\u202f; elles sont marquées.")
        assert axe(desk) == []
        with desk.expect_download() as download:
            desk.get_by_role("link", name="nouveaux statuts.pdf").click()
        assert download.value.suggested_filename == "nouveaux statuts.pdf"
        assert download.value.path().read_bytes() == pdf("2026")
        desk.get_by_label("Accepter").check()
        go(desk.get_by_role("button", name="Enregistrer la décision"))

    with open_as(own_demo_server, "alice") as page:
        page.goto("/questionnaire/")
        expect(page.locator("main")).to_contain_text("Valable jusqu’au")
        expect(page.get_by_role("button", name="Renouveler")).not_to_have_class(re.compile("primary"))


def add_a_beneficiary(page: Page, *, share: str) -> Locator:
    go(page.get_by_role("button", name="Ajouter : bénéficiaire"))
    second = page.get_by_role("group", name="Bénéficiaire 2")
    second.get_by_label("Nom et prénoms").fill("Bob")
    second.get_by_label("Date de naissance").fill("1968-07-21")
    second.get_by_label("Part détenue").fill(share)
    second.get_by_label("Pays de résidence").select_option(label="Belgique")
    go(page.get_by_role("button", name="Enregistrer et continuer"))
    return second


def replace_the_articles(page: Page) -> str:
    """On the page of documents: the old ones go, what is none is refused, the new ones are joined."""
    go(page.get_by_role("link", name="Documents"))
    go(page.get_by_role("button", name="Retirer statuts.pdf"))
    articles = page.get_by_label("Statuts en vigueur")
    articles.set_input_files(FilePayload(name="statuts.pdf", mimeType="application/pdf", buffer=PNG))
    page.get_by_role("button", name="Enregistrer et relire").click()
    expect(page.get_by_role("alert")).to_contain_text("le contenu est du type PNG")
    articles.set_input_files(
        FilePayload(name="nouveaux statuts.pdf", mimeType="application/pdf", buffer=pdf("2026"))
    )
    page.get_by_role("button", name="Enregistrer et relire").click()
    expect(page.locator("main")).to_contain_text("Tout est rempli")
    found = re.search(r"KYC-\d{4}-[0-9A-Z]{5}", page.url)
    assert found
    return found[0]
