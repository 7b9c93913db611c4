"""Every page, in both languages: axe finds nothing, nothing scrolls sideways at 360 px, scripts are not needed."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.instance import Server

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
POINT = "30001480112233"

PUBLIC = [
    "/connexion/",
    "/mot-de-passe/",
    "/accessibilite/",
    "/donnees-personnelles/",
    "/aide/",
    "/partage/recus/verifier/",
]
HOLDER = [
    "/",
    "/compte/",
    "/compteurs/",
    f"/compteurs/{POINT}/",
    f"/mesures/{POINT}/",
    f"/mesures/{POINT}/?vue=jour",
    f"/mesures/{POINT}/?vue=mois",
    f"/mesures/{POINT}/?vue=annee",
    f"/mesures/{POINT}/?grandeur=energie&vue=mois",
    f"/mesures/{POINT}/?grandeur=maximum&vue=mois",
    f"/mesures/{POINT}/?grandeur=index",
    f"/mesures/{POINT}/valeurs/",
    f"/mesures/{POINT}/?du=2026-02-30&au=x",
    "/services/",
    "/services/tiers2-prevision-solaire/",
    "/services/tiers2-prevision-solaire/souscrire/",
    "/collecte/",
    "/partage/",
    "/partage/222333445/",
    "/partage/222333445/resilier/",
    "/partage/recus/",
    "/journal/",
    "/nulle-part/",
]
OPERATOR = ["/administration/", "/administration/import/", "/composants/"]
PAGES = (
    [(None, path) for path in PUBLIC]
    + [("alice", path) for path in HOLDER]
    + [("operateur", path) for path in OPERATOR]
)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("user", [None, "alice", "operateur"])
def test_axe_finds_nothing(
    demo_server: Server, open_as: Callable[..., Any], user: str | None, language: str
) -> None:
    found = {}
    for width, dark in ((1280, False), (360, True)):
        with open_as(demo_server, user, language=language, width=width, dark=dark) as page:
            for path in _paths(user):
                page.goto(path)
                if problems := _axe(page):
                    found[f"{path} at {width}"] = problems
    assert not found


@pytest.mark.parametrize("user", [None, "alice", "operateur"])
def test_nothing_scrolls_sideways_on_a_phone(
    demo_server: Server, open_as: Callable[..., Any], user: str | None
) -> None:
    too_wide = {}
    with open_as(demo_server, user, width=360) as page:
        for path in _paths(user):
            page.goto(path)
            if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
                too_wide[path] = width
    assert not too_wide


@pytest.mark.parametrize("user", [None, "alice", "operateur"])
def test_pages_are_complete_without_scripts(
    demo_server: Server, open_as: Callable[..., Any], user: str | None
) -> None:
    with open_as(demo_server, user, scripts=False) as page:
        for path in _paths(user):
            page.goto(path)
            assert page.locator("main h1").count() == 1, path
            assert page.locator("main").inner_text().strip(), path


@pytest.mark.parametrize("user", [None, "alice", "operateur"])
def test_the_policy_stops_nothing(demo_server: Server, open_as: Callable[..., Any], user: str | None) -> None:
    """No console error: neither of the content security policy nor of a script."""
    said: list[str] = []
    with open_as(demo_server, user) as page:
        page.on(
            "console",
            lambda message: said.append(f"{page.url}: {message.text}") if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
        for path in _paths(user):
            page.goto(path, wait_until="networkidle")
    assert not [text for text in said if "404 (Not Found)" not in text]


def test_the_keyboard_alone_ends_a_sharing(own_demo_server: Server, open_as: Callable[..., Any]) -> None:
    with open_as(own_demo_server, "alice") as page:
        page.goto("/partage/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#contenu"
        _tab_to(page, "Résilier Tiers 1")
        page.keyboard.press("Enter")
        page.wait_for_url("**/resilier/")
        _tab_to(page, "Résilier Tiers 1 maintenant")
        page.keyboard.press("Enter")
        page.wait_for_url("**/partage/recus/**")


def _tab_to(page: Page, text: str) -> None:
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent.trim().replace(/\\s+/g, ' ')")
        visible = page.evaluate("document.activeElement.matches(':focus-visible')")
        if focused == text and visible:
            return
    raise AssertionError(f"the keyboard never reaches {text!r}")


def _paths(user: str | None) -> list[str]:
    return [path for who, path in PAGES if who == user]


def _axe(page: Page) -> list[str]:
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:160]}"
        for violation in results.response["violations"]
    ]
