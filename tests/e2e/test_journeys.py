"""What people do, by forms alone: no script runs on any of these pages."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenAs
from tests.e2e.going import go
from tests.e2e.visiting import Visitor
from tests.instance import Server
from tests.mailbox import newest_mail


def test_a_company_subscribes_accepts_opposes_and_ends(demo_server_of_file: Server, open_as: OpenAs) -> None:
    with open_as(demo_server_of_file, "alice", scripts=False) as page:
        _subscribe_and_end(page)
        _accept_a_request(page)
        _oppose_in_bulk(page)


def _subscribe_and_end(page: Page) -> None:
    page.goto("/services/tiers2-prevision-solaire/souscrire/")
    expect(page.locator("main :checked")).to_have_count(0)
    page.get_by_role("radio", name=re.compile("Seulement ceux-ci")).check()
    page.get_by_role("checkbox", name=re.compile("toiture solaire")).check()
    go(page.get_by_role("button", name="Vérifier avant d’autoriser"))
    go(page.get_by_role("button", name="Autoriser pour 1 compteur"))
    expect(page.get_by_role("status").first).to_be_visible()
    page.goto("/services/")
    row = page.get_by_role("row", name=re.compile("Prévision de production solaire"))
    go(row.get_by_role("link", name=re.compile("Résilier")))
    page.get_by_role("button", name=re.compile("Résilier")).click()
    page.wait_for_url(re.compile("/partage/recus/"))
    expect(page.locator("main")).to_contain_text("Prévision de production solaire")
    expect(page.locator("main")).not_to_contain_text("Pilotage de l’effacement")


def _accept_a_request(page: Page) -> None:
    page.goto("/partage/")
    go(page.get_by_role("link", name=re.compile("Examiner la demande")))
    go(page.get_by_role("button", name="Autoriser pour 5 compteurs"))
    page.goto("/partage/")
    tile = page.locator("article.tile", has=page.get_by_role("heading", name="Tiers 3"))
    expect(tile).to_contain_text("courbe de charge")
    expect(page.get_by_role("link", name=re.compile("Examiner la demande"))).to_have_count(0)


def _oppose_in_bulk(page: Page) -> None:
    page.goto("/collecte/")
    for name in ("poste de garde", "restaurant"):
        page.get_by_role("checkbox", name=re.compile(name)).check()
    page.get_by_role("button", name=re.compile("oppos", re.IGNORECASE)).click()
    expect(page.locator("main")).to_contain_text("Tiers 1")
    page.locator("button[name=confirme]").click()
    expect(page.get_by_role("status").first).to_be_visible()
    opposed = page.get_by_role("row", name=re.compile("poste de garde|restaurant"))
    expect(opposed.filter(has_text="Opposée")).to_have_count(2)


def test_the_operator_imports_points_after_a_dry_run(
    demo_server_of_file: Server, open_as: OpenAs, visitor: Visitor, tmp_path: Path
) -> None:
    points = tmp_path / "points.csv"
    points.write_text(
        "id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on\n"
        "30005890556601,C5,withdrawal,1 Quai du Port,13002,Marseille,36,2024-05-02\n"
        "3000589055660,C5,withdrawal,1 Quai du Port,13002,Marseille,36,2024-05-02\n",
        encoding="utf-8",
    )
    with open_as(demo_server_of_file, "operateur", scripts=False) as page:
        page.goto("/administration/import/")
        page.locator("input[type=file]").set_input_files(points)
        page.get_by_role("button", name="Vérifier le fichier").click()
        page.get_by_role("link", name="Ce que le fichier décrit").click()
        expect(page.get_by_role("radio", name="Des points de comptage")).to_be_focused()

        page.get_by_role("radio", name="Des points de comptage").check()
        page.locator("input[type=file]").set_input_files(points)
        page.get_by_role("button", name="Vérifier le fichier").click()
        expect(page.locator("main")).to_contain_text("13")
        page.locator("button[name=decision][value=import]").click()
        expect(page.get_by_role("status").first).to_be_visible()
    with open_as(demo_server_of_file, "operateur") as page:
        page.goto("/administration/")
        page.get_by_role("link", name=re.compile("points.csv")).first.click()
        page.wait_for_url(re.compile(r"/import/\d+/"))
        assert visitor.look(page) == []


def test_what_is_about_to_be_given_is_said_legibly(
    demo_server: Server, open_as: OpenAs, visitor: Visitor
) -> None:
    for language in ("fr", "en"):
        with open_as(demo_server, "alice", language=language) as page:
            page.goto("/services/tiers2-prevision-solaire/souscrire/")
            page.locator("input[type=checkbox]").first.check()
            go(page.locator("button[name=do][value=subscribe]"))
            assert visitor.look_in(page, language) == []
            page.goto("/partage/")
            go(page.locator("a[href*='/partage/demandes/']").first)
            page.locator("input[type=checkbox]").first.uncheck()
            go(page.locator("button[name=answer][value=accept]"))
            assert visitor.look_in(page, language) == []


def test_what_an_opposition_ends_is_said_legibly(
    demo_server: Server, open_as: OpenAs, visitor: Visitor
) -> None:
    for language in ("fr", "en"):
        with open_as(demo_server, "alice", language=language) as page:
            page.goto("/collecte/")
            page.locator("tbody input[type=checkbox]").first.check()
            page.locator("button[name=action][value=opposed]").click()
            page.wait_for_url(re.compile("/collecte/resume/"))
            assert visitor.look_in(page, language) == []


def test_a_forgotten_password_is_chosen_anew_through_the_mail(
    demo_server_of_file: Server, open_as: OpenAs
) -> None:
    server = demo_server_of_file
    address = server.world["users"]["charlie"]["email"]
    with open_as(server, None, scripts=False) as page:
        page.goto("/connexion/")
        go(page.get_by_role("link", name=re.compile("oublié")))
        page.locator("input[type=email]").fill(address)
        page.locator("main button").first.click()
        expect(page.locator("main")).to_contain_text("Consultez vos e-mails")
        link = re.search(
            r"/mot-de-passe/nouveau/\S+", newest_mail(server, address, holding="/mot-de-passe/nouveau/")
        )
        assert link
        page.goto(link[0])
        for password in page.locator("input[type=password]").all():
            password.fill("un nouveau mot de passe bien long")
        go(page.locator("main button").first)
        page.goto("/connexion/")
        page.locator("input[type=email]").fill(address)
        page.locator("input[type=password]").fill("un nouveau mot de passe bien long")
        page.locator("main button").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Charlie")
