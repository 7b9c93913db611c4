"""A company runs its own access: invite, group, restrict; the user sees only its points, everywhere; detach.

By forms alone, in a real browser, on a real server. Only the clock is helped: a link that has expired is one whose
date was set back in the registry.
"""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Page, expect

from gridgate.core.identifiers import eic_check_character
from tests.e2e.conftest import OpenAs
from tests.e2e.going import go
from tests.instance import Server
from tests.mailbox import newest_mail
from tests.real_registry import Registry
from tests.waiting import PATIENCE, until

RECRUIT, PASSWORD = "recrue@acme-industries.example", "une phrase assez longue"
NANTES, LYON, SOLAR = "30002590223301", "30001480112233", "30001480112266"
GROUP = "Site de Nantes"


def test_invite_group_restrict_and_detach(demo_server_of_file: Server, open_as: OpenAs) -> None:
    server = demo_server_of_file
    with open_as(server, "alice", scripts=False) as alice, open_as(server, None, scripts=False) as recruit:
        _make_group(alice)
        _restrict(alice)
        _put_the_program_in(alice)
        _invite(alice)
        _let_it_expire_and_renew(server, alice, recruit)
        _join(server, recruit)
        _sees_only_nantes(recruit)
        _the_program_reads_only_nantes(server)
        _others_lose_what_is_exclusive(server, open_as)
        _detach(alice)
        recruit.goto("/compteurs/")
        recruit.wait_for_url(re.compile("/connexion/"))
        _sign_in(recruit)
        expect(recruit.locator("main")).to_contain_text("n’agit pour aucune entreprise")
        assert recruit.goto(f"/mesures/{NANTES}/").status == 403  # type: ignore[union-attr]
        _history(alice)


def _make_group(alice: Page) -> None:
    alice.goto("/administration/groupes/nouveau/")
    alice.get_by_label("Nom du groupe").fill(GROUP)
    alice.get_by_role("button", name="Créer le groupe").click()
    alice.wait_for_url(re.compile(r"/groupes/[0-9a-f-]{36}/"))


def _restrict(alice: Page) -> None:
    """Meters and measurements, on one point only."""
    for service in ("Consulter les compteurs", "Visualiser les mesures"):
        alice.goto("/administration/groupes/")
        go(alice.get_by_role("link", name=GROUP).first)
        alice.get_by_role("link", name=re.compile(f"Donner {service}")).click()
        alice.get_by_role("radio", name=re.compile("Certains points")).check()
        alice.get_by_label("Identifiants des points").fill(NANTES)
        alice.get_by_role("button", name="Ajouter la liste").click()
        expect(alice.locator("main")).to_contain_text("1 point de la liste est choisi")
        alice.get_by_role("button", name=re.compile("Donner le service|Enregistrer le périmètre")).click()
        alice.wait_for_url(re.compile(r"/groupes/[0-9a-f-]{36}/$"))


def _put_the_program_in(alice: Page) -> None:
    go(alice.get_by_role("link", name="Programmes"))
    alice.get_by_role("checkbox").first.check()
    alice.get_by_role("button", name="Enregistrer").click()
    expect(alice.get_by_role("alert")).to_contain_text("perd « Visualiser les mesures »")
    alice.get_by_role("button", name="Confirmer et enregistrer").click()
    alice.wait_for_url(re.compile(r"/groupes/[0-9a-f-]{36}/$"))


def _invite(alice: Page) -> None:
    alice.goto("/administration/inviter/")
    alice.get_by_label("Adresse e-mail").fill(RECRUIT)
    alice.get_by_label("Prénom et nom").fill("Nouvelle recrue")
    alice.get_by_role("checkbox", name=re.compile(GROUP)).check()
    alice.get_by_role("button", name="Envoyer l’invitation").click()
    expect(alice.get_by_role("status").first).to_be_visible()


def _let_it_expire_and_renew(server: Server, alice: Page, recruit: Page) -> None:
    first = _link(server)
    past = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    Registry(server.data).rows(
        "UPDATE onboarding_invitation SET expires_at = ? WHERE email = ?", past, RECRUIT
    )
    recruit.goto(first)
    expect(recruit.get_by_role("heading", level=1)).to_contain_text("expiré")
    alice.goto("/administration/invitations/")
    row = alice.get_by_role("row", name=re.compile(RECRUIT))
    expect(row).to_contain_text(re.compile("expirée", re.IGNORECASE))
    row.get_by_role("button", name=re.compile("Renouveler|Renvoyer")).click()
    expect(alice.get_by_role("status").first).to_be_visible()
    renewed = _link(server, other_than=first)
    recruit.goto(first)
    expect(recruit.get_by_role("button", name="Ouvrir le compte")).to_have_count(0)
    assert renewed != first


def _link(server: Server, *, other_than: str = "") -> str:
    """The newest link sent to the recruit, once there is another than the one known."""
    until(lambda: _newest_link(server) != other_than, "another link")
    return _newest_link(server)


def _newest_link(server: Server) -> str:
    found = re.search(r"(/activation/\S+/)", newest_mail(server, RECRUIT, holding="/activation/"))
    assert found
    return found[1]


def _join(server: Server, recruit: Page) -> None:
    recruit.goto(_link(server))
    recruit.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    recruit.get_by_label("Le même, une seconde fois").fill(PASSWORD)
    recruit.get_by_role("checkbox").check()
    recruit.get_by_role("button", name="Ouvrir le compte").click()
    expect(recruit.locator("body")).to_contain_text("ACME Industries")


def _sees_only_nantes(recruit: Page) -> None:
    """Screens, counts, search, charts, exports: one point, and nothing of the others."""
    recruit.goto("/compteurs/")
    expect(recruit.locator(".lead")).to_contain_text("1 point de comptage")
    for other in (LYON, SOLAR):
        assert other not in recruit.content()
        assert recruit.goto(f"/compteurs/{other}/").status == 404  # type: ignore[union-attr]
        assert recruit.goto(f"/mesures/{other}/").status == 404  # type: ignore[union-attr]
        for data in ("export.csv", "serie.json", "valeurs/"):
            assert recruit.request.get(f"/mesures/{other}/{data}").status == 404
    recruit.goto("/compteurs/?q=Lyon")
    assert LYON not in recruit.content()
    text = recruit.request.get("/compteurs/export.csv").text()
    assert NANTES in text
    assert LYON not in text
    assert recruit.request.get(f"/mesures/{NANTES}/export.csv").ok
    recruit.goto(f"/mesures/{NANTES}/")
    expect(recruit.locator("figure svg").first).to_be_visible()
    recruit.goto("/")
    expect(recruit.locator("main")).to_contain_text(re.compile("1 compteur sur 1|0 compteur sur 1"))
    for closed in ("/partage/", "/collecte/", "/journal/", "/administration/services/"):
        assert recruit.goto(closed).status == 403  # type: ignore[union-attr]


def _the_program_reads_only_nantes(server: Server) -> None:
    program = server.world["applications"]["acme"]
    with httpx.Client(base_url=server.base_url, timeout=PATIENCE) as client:
        answer = client.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(program["client_id"], program["client_secret"]),
        )
        header = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        page = client.get("/api/v1/metering-points", headers=header).json()
        assert [point["id"] for point in page["metering_points"]] == [NANTES]
        assert client.get(f"/api/v1/metering-points/{LYON}", headers=header).status_code == 404


def _others_lose_what_is_exclusive(server: Server, open_as: OpenAs) -> None:
    """Bob's own group still has his two points; he does not gain the one of Nantes."""
    with open_as(server, "bob", scripts=False) as bob:
        bob.goto("/compteurs/")
        expect(bob.locator(".lead")).to_contain_text("2 points de comptage")
        assert NANTES not in bob.content()


def _detach(alice: Page) -> None:
    alice.goto("/administration/utilisateurs/")
    go(alice.get_by_role("link", name="Nouvelle recrue"))
    go(alice.get_by_role("link", name=re.compile("Détacher")))
    alice.get_by_role("button", name=re.compile("Détacher")).click()
    expect(alice.get_by_role("status").first).to_be_visible()


def _sign_in(page: Page) -> None:
    page.goto("/connexion/")
    page.locator("input[type=email]").fill(RECRUIT)
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("main button").first.click()
    page.wait_for_url(lambda url: "/connexion/" not in url)


def _history(alice: Page) -> None:
    alice.goto("/administration/historique/")
    for sentence in ("n’agit plus pour l’entreprise", "Périmètre du programme", "Service donné au groupe"):
        expect(alice.locator("main")).to_contain_text(re.compile(sentence, re.IGNORECASE))


COMPANIES = {"fr": ("732829320", "DOSSIER-FR"), "en": ("404833048", "DOSSIER-EN")}


@pytest.mark.parametrize("language", COMPANIES)
def test_what_the_operator_declares_comes_aboard(
    demo_server_of_file: Server, open_as: OpenAs, language: str
) -> None:
    """Company, contract, code and first administrator by screens; the person opens the account from the e-mail."""
    siren, contract = COMPANIES[language]
    name, address = f"Client D {language}", f"premier.{language}@client-d.example"
    with open_as(demo_server_of_file, "operateur", language=language, scripts=False) as page:
        page.goto("/administration/entreprises/nouvelle/")
        _send(page, legal_name=name, siren=siren)
        page.wait_for_url(re.compile(f"/entreprises/{siren}/"))
        page.goto(f"/administration/entreprises/{siren}/premier-administrateur/")
        expect(page.locator("[name=email]")).to_have_count(0)  # neither contract nor code
        page.goto(f"/administration/entreprises/{siren}/contrats/nouveau/")
        _send(page, number=contract, valid_from="2024-01-01")
        page.wait_for_url(re.compile(f"/entreprises/{siren}/$"))
        page.goto("/administration/eic/ajouter/")
        body = f"17X{siren}--{language[0].upper()}"
        code = body + eic_check_character(body)
        _send(page, code=code, display_name="CLIENT-D", long_name=name, company=siren)
        page.wait_for_url(re.compile(re.escape(code)))
        page.goto(f"/administration/entreprises/{siren}/premier-administrateur/")
        _send(page, full_name="Premier administrateur", email=address, language=language)
        page.wait_for_url(re.compile(f"/entreprises/{siren}/$"))
        expect(page.get_by_role("status").first).to_contain_text(address)
    found = re.search(
        r"(/activation/\S+/)", newest_mail(demo_server_of_file, address, holding="/activation/")
    )
    assert found
    with open_as(demo_server_of_file, None, language=language, scripts=False) as page:
        page.goto(found[1])
        for number in range(2):
            page.locator("input[type=password]").nth(number).fill(PASSWORD)
        page.get_by_role("checkbox").check()
        page.locator("main form button.primary").click()
        expect(page.locator("body")).to_contain_text(name)
        assert page.goto("/administration/utilisateurs/").status == 200  # type: ignore[union-attr]
        page.goto("/administration/historique/")
        expect(page.locator("main")).to_contain_text(contract)


def _send(page: Page, **typed: str) -> None:
    """Fill the fields of the page's form by their names and press its first button."""
    for name, value in typed.items():
        field = page.locator(f"main [name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    go(page.locator("main form .btn.primary"))
