"""Every page, in both languages, on a laptop and on a phone in the dark; and without scripts."""

import pytest
from playwright.sync_api import Page as BrowserPage

from tests.e2e.conftest import OpenAs
from tests.e2e.looking import axe, lines_of, listening, problems_of
from tests.e2e.pages import DATA, PAGES, Page
from tests.instance import Server

USERS = sorted({page.user for page in PAGES}, key=str)
LANGUAGES = ["fr", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_nothing_is_wrong(
    demo_server: Server,
    open_as: OpenAs,
    made_later: dict[str, str],
    width: int,
    dark: bool,
    language: str,
) -> None:
    """Axe finds nothing, nothing scrolls sideways, the console is silent, no word is in the other language."""
    wrong: dict[str, list[str]] = {}
    for user in USERS:
        with (
            open_as(demo_server, user, language=language, width=width, dark=dark) as page,
            listening(page) as said,
        ):
            for one in _pages_of(user):
                said.clear()
                status = _open(page, one, made_later)
                found = problems_of(page, width=width, language=language, data=DATA)
                if status != one.status:
                    found.append(f"status {status}")
                if found or said:
                    wrong[f"{user} {one.path}"] = [*found, *said]
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_complete_without_scripts(
    demo_server: Server, open_as: OpenAs, made_later: dict[str, str], language: str
) -> None:
    """Every line that a reader sees with scripts is there without."""
    lost: dict[str, list[str]] = {}
    for user in USERS:
        with (
            open_as(demo_server, user, language=language) as with_scripts,
            open_as(demo_server, user, language=language, scripts=False) as without,
        ):
            for one in _pages_of(user):
                _open(without, one, made_later)
                assert without.locator("main h1").count() == 1
                if not without.locator("script[src]").count():
                    continue
                _open(with_scripts, one, made_later)
                there = lines_of(without)
                if missing := [line for line in lines_of(with_scripts) if line not in there]:
                    lost[f"{user} {one.path}"] = missing
    assert not lost


def test_axe_is_refused_where_it_would_wait_without_end(demo_server: Server, open_as: OpenAs) -> None:
    with open_as(demo_server, None, scripts=False) as page:
        page.goto("/connexion/")
        with pytest.raises(AssertionError, match="no scripts"):
            axe(page)


def _open(page: BrowserPage, one: Page, made_later: dict[str, str]) -> int:
    answer = page.goto(one.path.format(**made_later))
    assert answer
    return answer.status


def _pages_of(user: str | None) -> list[Page]:
    return [page for page in PAGES if page.user == user]
