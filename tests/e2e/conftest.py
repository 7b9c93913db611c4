"""A real browser (Debian's Chromium, ADR 0013) on real servers."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser_session import signed_in, submit
from tests.e2e.looking import HEIGHT, LAPTOP
from tests.e2e.visiting import Visitor
from tests.instance import Server, run_gridgate
from tests.mailbox import newest_mail
from tests.waiting import PATIENCE, until

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
    # One process draws what a person has open, and the browser's own paints it: starting others is a sixth of the cost.
    "--renderer-process-limit=1",
    "--in-process-gpu",
]
FORGETFUL = "oubli@acme-industries.example"

expect.set_options(timeout=PATIENCE * 1000)

OpenAs = Callable[..., AbstractContextManager[Page]]

LOOK_EVERYWHERE = os.environ.get("GRIDGATE_LOOK") == "everywhere"
"""Whether this is `make walk`: only tests that look at pages, and at each in every way."""

BROWSERS = ["chromium"] if LOOK_EVERYWHERE else ["chromium-headless-shell", "chromium"]
"""The first that is installed: the gate takes the same engine without a window's trimmings (ADR 0013)."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Pages are visited in the order of their list, whatever order other tests take: what one page shows decides whether
    axe is asked at the next.
    """
    visits = [place for place, item in enumerate(items) if item.path.stem == "test_every_page"]
    for place, item in zip(visits, sorted((items[place] for place in visits), key=_line), strict=True):
        items[place] = item
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
    if LOOK_EVERYWHERE:
        config.hook.pytest_deselected(items=[item for item in items if not _looks(item)])
        items[:] = [item for item in items if _looks(item)]


def _looks(item: pytest.Item) -> bool:
    return "visitor" in getattr(item, "fixturenames", ())


def _line(item: pytest.Item) -> int:
    chosen = getattr(item, "callspec", None)
    return chosen.indices["state"] if chosen else -1


@pytest.fixture(scope="module")
def visitor() -> Visitor:
    """Who looks at the pages of a file."""
    return Visitor(everywhere=LOOK_EVERYWHERE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert executable, f"A browser is missing: run tools/system-packages {BROWSERS[0]}"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=executable, args=FLAGS, env={**os.environ, "LANG": "fr_FR.UTF-8"}
        )
        yield running
        running.close()


def _no_scripts(*_: object) -> NoReturn:
    """Playwright waits without end for what a page without scripts never answers; axe asks so."""
    raise AssertionError("this page has no scripts: look at it with axe in one that has")


class Sessions:
    """Each person signs in once on each server; every browser that looks as them carries the same session."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[Path, str], list[Any]] = {}

    def give(self, context: BrowserContext, server: Server, user: str | None) -> None:
        """Let the browser's next pages be this person's."""
        context.clear_cookies()
        if user is not None:
            context.add_cookies(self._of(server, user))

    def _of(self, server: Server, user: str) -> list[Any]:
        key = (server.data, user)
        if key not in self._cookies:
            with signed_in(server, user) as client:
                self._cookies[key] = [
                    {"name": cookie.name, "value": cookie.value, "url": server.base_url}
                    for cookie in client.cookies.jar
                    if cookie.name != "django_language"
                ]
        return self._cookies[key]


@pytest.fixture(scope="session")
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture(scope="session")
def open_as(browser: Browser, sessions: Sessions) -> OpenAs:
    """`with open_as(server, "alice", language="en") as page:` — a page of someone who has signed in."""

    @contextmanager
    def opened(
        server: Server,
        user: str | None,
        *,
        language: str = "fr",
        scripts: bool = True,
    ) -> Iterator[Page]:
        context = browser.new_context(
            base_url=server.base_url,
            locale="fr-FR" if language == "fr" else "en-GB",
            timezone_id="Europe/Paris",
            viewport={"width": LAPTOP, "height": HEIGHT},
            java_script_enabled=scripts,
        )
        context.set_default_timeout(PATIENCE * 1000)
        try:
            page = context.new_page()
            if not scripts:
                page.evaluate = _no_scripts  # type: ignore[method-assign]
            sessions.give(context, server, user)
            if language != "fr":
                context.add_cookies([{"name": "django_language", "value": language, "url": server.base_url}])
            yield page
        finally:
            context.close()

    return opened


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
    with signed_in(demo_server, "charlie") as charlie:
        submit(charlie, "/rejoindre/", company="111222337")
        eic_returned = _first(r'"/eic/(EIC-[^/"]+)/"', charlie.get("/eic/").text)
        kyc_begun = _first(r'"/questionnaire/(KYC-[^/"]+)/"', charlie.get("/questionnaire/").text)
    with signed_in(demo_server, "alice") as alice:
        submit(alice, "/administration/annuaire/", name="Annuaire")
        token = _first(
            r'"/administration/annuaire/([0-9a-f-]{36})/revoquer/"',
            alice.get("/administration/annuaire/").text,
        )
        request = _first(r'"/partage/demandes/([^/"]+)/"', alice.get("/partage/").text)
        receipt = _first(r'"/partage/recus/(GG-[^/"]+)/"', alice.get("/partage/recus/").text)
        permission = _first(r'"/partage/autorisations/([^/"]+)/resilier/"', alice.get("/services/").text)
        submit(alice, "/mesures/fichiers/?tous=1&vue=mois", format="csv")
        until(
            lambda: "Télécharger" in alice.get("/mesures/fichiers/").text, "the file, which the worker makes"
        )
        eic_submitted = _first(r'"/eic/(EIC-[^/"]+)/"', alice.get("/eic/").text)
        kyc_accepted = _first(r'"/questionnaire/(KYC-[^/"]+)/"', alice.get("/questionnaire/").text)
        requests, one = "/administration/invitations/demandes/", r'invitations/demandes/([0-9a-f-]{36})/"'
        until(lambda: re.search(one, alice.get(requests).text), "the request, which the worker passes on")
        join_request = _first(one, alice.get(requests).text)
        users = alice.get("/administration/utilisateurs/?q=bob").text
        member = _first(r'"/administration/utilisateurs/([0-9a-f-]{36})/"', users)
        groups = alice.get("/administration/groupes/?q=lyon").text
        group = _first(r'"/administration/groupes/([0-9a-f-]{36})/"', groups)
    with signed_in(demo_server, "tiers1") as tiers1:
        received = _first(r'"/partage/recues/([^/"]+)/mettre-fin/"', tiers1.get("/partage/recues/").text)
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
        "join_request": join_request,
        "reset_link": _reset_link_of_someone_new(demo_server),
        "activation": _activation_of_someone_who_signs_up(demo_server),
    }


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
    with httpx.Client(base_url=server.base_url, follow_redirects=True, timeout=PATIENCE) as visitor:
        submit(visitor, "/mot-de-passe/oublie/", email=FORGETFUL)
    return _first(
        r"(/mot-de-passe/nouveau/\S+/)", newest_mail(server, FORGETFUL, holding="/mot-de-passe/nouveau/")
    )


def _activation_of_someone_who_signs_up(server: Server) -> str:
    """What stands in the address of a link that nobody uses."""
    address = "eva@ailleurs.example"
    with httpx.Client(base_url=server.base_url, follow_redirects=True, timeout=PATIENCE) as visitor:
        submit(visitor, "/inscription/", email=address, full_name="Eva", language="fr")
    return _first(r"/activation/(\S+)/", newest_mail(server, address, holding="/activation/"))


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, f"nothing like {pattern} in {text[:2000]}"
    return found.group(1)
