"""A real browser (Debian's Chromium) on real servers."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser_session import signed_in, submit
from tests.instance import Server, run_gridgate

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
FORGETFUL = "oubli@acme-industries.example"

OpenAs = Callable[..., AbstractContextManager[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each file stays on one worker, with its servers; the walks over all pages are shared out by language."""
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {_language_walked(item)}".strip()))


def _language_walked(item: pytest.Item) -> str:
    chosen = getattr(item, "callspec", None)
    return chosen.params.get("language", "") if chosen and item.path.stem == "test_every_page" else ""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = CHROMIUM if CHROMIUM.exists() else shutil.which("chromium")
    assert executable, "Chromium is missing: run tools/system-packages chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=executable, args=FLAGS, env={**os.environ, "LANG": "fr_FR.UTF-8"}
        )
        yield running
        running.close()


def _no_scripts(*_: object) -> NoReturn:
    """Playwright waits without end for what a page without scripts never answers; axe asks so."""
    raise AssertionError("this page has no scripts: look at it with axe in one that has")


@pytest.fixture(scope="session")
def open_as(browser: Browser) -> OpenAs:
    """`with open_as(server, "alice", language="en", width=360) as page:` — a page of someone who has signed in.

    Each person signs in once on each server; later pages carry the same session.
    """
    sessions: dict[tuple[int, str], Any] = {}

    @contextmanager
    def opened(
        server: Server,
        user: str | None,
        *,
        language: str = "fr",
        width: int = 1280,
        scripts: bool = True,
        dark: bool = False,
    ) -> Iterator[Page]:
        key = (server.port, user or "")
        context = browser.new_context(
            base_url=server.base_url,
            locale="fr-FR" if language == "fr" else "en-GB",
            timezone_id="Europe/Paris",
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            storage_state=sessions.get(key),
        )
        context.set_default_timeout(20_000)
        try:
            page = context.new_page()
            if not scripts:
                page.evaluate = _no_scripts  # type: ignore[method-assign]
            if user is not None and key not in sessions:
                sign_in(page, server, user)
                sessions[key] = context.storage_state()
            if language != "fr":
                context.add_cookies([{"name": "django_language", "value": language, "url": server.base_url}])
            yield page
        finally:
            context.close()

    return opened


def sign_in(page: Page, server: Server, user: str) -> None:
    person = server.world["users"][user]
    page.goto("/connexion/")
    page.locator("input[type=email]").fill(person["email"])
    page.locator("input[type=password]").fill(person["password"])
    page.locator("main button").first.click()
    page.wait_for_url(lambda url: "/connexion/" not in url)


@pytest.fixture(scope="session")
def made_later(demo_server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pages between braces stand on: the newest of each on the shared server."""
    points = tmp_path_factory.mktemp("import") / "points.csv"
    points.write_text(
        "id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on\n"
        "30001480119999,C5,withdrawal,1 rue du Port,69007,Lyon,9,2024-02-01\n"
        "123,C5,withdrawal,2 rue du Port,69007,Lyon,9,2024-02-30\n",
        encoding="utf-8",
    )
    run_gridgate("import", "points", str(points), data=demo_server.data, check=False)
    with signed_in(demo_server, "alice") as alice:
        submit(alice, "/administration/annuaire/", name="Annuaire")
        token = _first(
            r'"/administration/annuaire/(\d+)/revoquer/"', alice.get("/administration/annuaire/").text
        )
        request = _first(r'"/partage/demandes/([^/"]+)/"', alice.get("/partage/").text)
        receipt = _first(r'"/partage/recus/(GG-[^/"]+)/"', alice.get("/partage/recus/").text)
        permission = _first(r'"/partage/autorisations/([^/"]+)/resilier/"', alice.get("/services/").text)
        eic_submitted = _first(r'"/eic/(EIC-[^/"]+)/"', alice.get("/eic/").text)
        kyc_accepted = _first(r'"/questionnaire/(KYC-[^/"]+)/"', alice.get("/questionnaire/").text)
        users = alice.get("/administration/utilisateurs/?q=bob").text
        member = _first(r'"/administration/utilisateurs/(\d+)/"', users)
        groups = alice.get("/administration/groupes/?q=lyon").text
        group = _first(r'"/administration/groupes/(\d+)/"', groups)
    with signed_in(demo_server, "tiers1") as tiers1:
        received = _first(r'"/partage/recues/([^/"]+)/mettre-fin/"', tiers1.get("/partage/recues/").text)
    with signed_in(demo_server, "charlie") as charlie:
        eic_returned = _first(r'"/eic/(EIC-[^/"]+)/"', charlie.get("/eic/").text)
        kyc_begun = _first(r'"/questionnaire/(KYC-[^/"]+)/"', charlie.get("/questionnaire/").text)
    with signed_in(demo_server, "operateur") as operator:
        report = _first(r'"/administration/import/(\d+)/"', operator.get("/administration/import/").text)
    return {
        "request": request,
        "receipt": receipt,
        "permission": permission,
        "member": member,
        "group": group,
        "received": received,
        "eic_submitted": eic_submitted,
        "eic_returned": eic_returned,
        "kyc_accepted": kyc_accepted,
        "kyc_begun": kyc_begun,
        "import": report,
        "directory_token": token,
        "reset_link": _reset_link_of_someone_new(demo_server),
        "activation": _activation_of_someone_who_signs_up(demo_server),
    }


def newest_mail(server: Server, to: str, *, holding: str = "", seconds: float = 20) -> str:
    """The newest e-mail to an address that holds the text, waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        files = sorted((server.data / "mail").glob("*"), key=lambda file: file.stat().st_mtime, reverse=True)
        for file in files:
            text = file.read_text(encoding="utf-8")
            if f"To: {to}" in text and holding in text:
                return text
        time.sleep(0.1)
    raise AssertionError(f"no e-mail to {to} with {holding!r} within {seconds} s")


def code_sent_to(server: Server, email: str) -> str:
    """The one-time code in the newest e-mail that has one."""
    found = re.search(r"^(\d{8})$", newest_mail(server, email, holding="code"), re.M)
    assert found
    return found[1]


def _reset_link_of_someone_new(server: Server) -> str:
    """The link stays good as long as its owner does not sign in."""
    run_gridgate(
        "user",
        "add",
        FORGETFUL,
        "--siren",
        "111222337",
        "--role",
        "user",
        data=server.data,
        GRIDGATE_NEW_PASSWORD="a password nobody uses",
    )
    with httpx.Client(base_url=server.base_url, follow_redirects=True) as visitor:
        submit(visitor, "/mot-de-passe/oublie/", email=FORGETFUL)
    return _first(r"(/mot-de-passe/nouveau/\S+/)", newest_mail(server, FORGETFUL))


def _activation_of_someone_who_signs_up(server: Server) -> str:
    """What stands in the address of a link that nobody uses."""
    address = "eva@ailleurs.example"
    with httpx.Client(base_url=server.base_url, follow_redirects=True) as visitor:
        submit(visitor, "/inscription/", email=address, full_name="Eva", language="fr")
    return _first(r"/activation/(\S+)/", newest_mail(server, address))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, f"nothing like {pattern} in {text[:2000]}"
    return found.group(1)
