"""Signing in with the operator's provider: a real browser, a real server, and a provider that runs."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.looking import lines_of, listening
from tests.e2e.visiting import Visitor
from tests.instance import Server, serving
from tests.mailbox import code_sent_to
from tests.oidc_provider import Provider, running_provider
from tests.waiting import PATIENCE

NAMES = ("Identité Démo", "Nouvelle Employée", "zoe@example.org", "Annuaire du siège")
YANN = "yann@example.org"
REFUSALS = ("annulee", "adresse", "compte-ferme", "autre-compte", "indisponible", "echec")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running_provider(tmp_path_factory.mktemp("provider") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def server(
    demo_template: Path, provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("with-a-provider") / "instance"
    shutil.copytree(demo_template, data)
    with serving(data, **provider.environment) as running:
        yield running


@contextmanager
def browsing(
    browser: Browser, server: Server, *, language: str = "fr", scripts: bool = True
) -> Iterator[Page]:
    """A page of a new browser, which sees nothing but this machine."""
    context = browser.new_context(
        base_url=server.base_url,
        locale="fr-FR" if language == "fr" else "en-GB",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(PATIENCE * 1000)
    context.add_cookies([{"name": "django_language", "value": language, "url": server.base_url}])
    context.route(lambda url: not url.startswith(("http://127.0.0.1:", "data:")), lambda route: route.abort())
    try:
        yield context.new_page()
    finally:
        context.close()


def agree(page: Page, provider: Provider, subject: str) -> None:
    """What the person does at the provider."""
    page.wait_for_url(re.compile(re.escape(provider.issuer)))
    page.locator("input[name=sub]").fill(subject)
    page.get_by_role("button", name="Authorize").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_one_goes_to_the_provider_and_comes_back_to_the_page_asked_for(
    browser: Browser, server: Server, provider: Provider, scripts: bool
) -> None:
    alice = server.world["users"]["alice"]
    provider.knows("s-alice", email=alice["email"], email_verified=True, name="Alice")
    with browsing(browser, server, scripts=scripts) as page:
        page.goto("/compteurs/")
        page.get_by_role("link", name="Se connecter avec Identité Démo").click()
        agree(page, provider, "s-alice")
        page.wait_for_url(f"{server.base_url}/compteurs/")
        assert "ACME Industries" in page.locator("body").inner_text()


def test_somebody_new_opens_an_account_for_no_company(
    browser: Browser, server: Server, provider: Provider, visitor: Visitor
) -> None:
    provider.knows(
        "s-zoe", email="zoe@example.org", email_verified=True, name="Nouvelle Employée", locale="fr"
    )
    with browsing(browser, server) as page:
        page.goto("/connexion/externe/")
        agree(page, provider, "s-zoe")
        page.wait_for_url("**/connexion/externe/compte/")
        with listening(page) as said:
            page.reload()
            assert visitor.look(page, data=NAMES) == []
            assert said == []
        if page.locator("input[name=terms]").count():
            page.locator("input[name=terms]").check()
        page.get_by_role("button", name="Ouvrir le compte").click()
        page.wait_for_url(f"{server.base_url}/")
        page.goto("/compte/")
        assert "zoe@example.org" in page.locator("main").inner_text()


def test_one_ends_the_link_and_keeps_the_last_way_in(
    browser: Browser, server: Server, provider: Provider, visitor: Visitor
) -> None:
    """Bob has a password; Yann's account was opened by the provider, and has nothing else."""
    bob = server.world["users"]["bob"]
    provider.knows("s-bob", email=bob["email"], email_verified=True, name="Bob")
    provider.knows("s-yann", email=YANN, email_verified=True, name="Ancien Employé", locale="fr")
    for subject, email in (("s-bob", bob["email"]), ("s-yann", YANN)):
        with browsing(browser, server) as page, listening(page) as said:
            page.goto("/connexion/externe/?next=/compte/securite/")
            agree(page, provider, subject)
            if subject == "s-yann":
                page.wait_for_url("**/connexion/externe/compte/")
                if page.locator("input[name=terms]").count():
                    page.locator("input[name=terms]").check()
                page.get_by_role("button", name="Ouvrir le compte").click()
            page.wait_for_url("**/compte/securite/")
            said.clear()  # what the provider's own page lacks is not ours
            data = (*NAMES, email, "Ancien Employé")
            assert visitor.look(page, data=data) == []
            page.get_by_role("link", name="Ne plus se connecter par Identité Démo").click()
            page.locator("input[name=step_up_code]").fill(code_sent_to(server, email))
            page.locator("main form button").first.click()
            page.wait_for_url("**/compte/securite/externe/*/")
            assert visitor.look(page, data=data) == []
            if subject == "s-bob":
                page.get_by_role("button", name="Ne plus se connecter par Identité Démo").click()
                page.wait_for_url("**/compte/securite/")
                assert "n’est plus relié à Identité Démo" in page.locator("main").inner_text()
            else:
                page.locator("main").get_by_role("link", name="Mot de passe oublié").click()
                page.wait_for_url("**/mot-de-passe/oublie/")
            assert said == []


def test_an_unverified_address_is_told_and_nobody_is_signed_in(
    browser: Browser, server: Server, provider: Provider
) -> None:
    alice = server.world["users"]["alice"]
    provider.knows("s-mallory", email=alice["email"], email_verified=False)
    with browsing(browser, server) as page:
        page.goto("/connexion/externe/?next=/compteurs/")
        agree(page, provider, "s-mallory")
        page.wait_for_url("**/refus/adresse/**")
        assert "ne garantit pas" in page.locator("main").inner_text()
        page.goto("/compteurs/")
        assert "/connexion/" in page.url


def test_nothing_is_wrong_with_its_pages(browser: Browser, server: Server, visitor: Visitor) -> None:
    """And no script is needed."""
    wrong: dict[str, list[str]] = {}
    paths = ["/connexion/?next=/compteurs/", *(f"/connexion/externe/refus/{which}/" for which in REFUSALS)]
    with (
        browsing(browser, server) as page,
        browsing(browser, server, scripts=False) as without,
        listening(page) as said,
    ):
        for path in paths:
            said.clear()
            page.goto(path)
            without.goto(path)
            found = visitor.look(page, data=NAMES)
            if "refus" in path and lines_of(page) != lines_of(without):
                found.append("something is lost without scripts")
            if found or said:
                wrong[path] = [*found, *said]
    assert wrong == {}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_nothing_is_wrong_with_the_page_that_shows_a_token(
    browser: Browser, server: Server, visitor: Visitor, language: str
) -> None:
    alice = server.world["users"]["alice"]
    with browsing(browser, server, language=language) as page, listening(page) as said:
        page.goto("/connexion/?next=/administration/annuaire/")
        page.locator("input[type=email]").fill(alice["email"])
        page.locator("input[type=password]").fill(alice["password"])
        page.locator("main form button").first.click()
        page.locator("input[name=name]").fill(f"Annuaire du siège {language}")
        page.locator("main form button").first.click()
        expect(page.locator("main")).to_contain_text(re.compile(r"ggd_[\w-]{43}"))
        page.wait_for_load_state()
        assert visitor.look_in(page, language, data=NAMES) == []
        assert said == []
