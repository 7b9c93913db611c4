"""Every page in a browser, one visit each. `README.md` says what a visit proves, and what `make walk` adds."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import OpenAs, Sessions
from tests.e2e.looking import LAPTOP, axe, lines_of, listening, loads_scripts
from tests.e2e.visiting import LOW, Visitor, speaking
from tests.instance import Server
from tests.pages.listed import STATES, State


@pytest.fixture(scope="module")
def with_scripts(demo_server: Server, open_as: OpenAs) -> Iterator[Page]:
    with open_as(demo_server, None) as page:
        page.set_viewport_size({"width": LAPTOP, "height": LOW})
        yield page


@pytest.fixture(scope="module")
def without(demo_server: Server, open_as: OpenAs) -> Iterator[Page]:
    with open_as(demo_server, None, scripts=False) as page:
        yield page


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.user} {state.path}")
def test_nothing_is_wrong(
    state: State,
    demo_server: Server,
    made_later: dict[str, str],
    sessions: Sessions,
    visitor: Visitor,
    with_scripts: Page,
    without: Page,
) -> None:
    path = state.path.format(**made_later)
    sessions.give(with_scripts.context, demo_server, state.user)
    with listening(with_scripts) as wrong:
        answer = with_scripts.goto(path)
        if loads_scripts(with_scripts):  # else the page without scripts is the same page
            sessions.give(without.context, demo_server, state.user)
            wrong += _lost_without_scripts(with_scripts, without, path, "fr")
            if visitor.everywhere:
                with speaking(with_scripts.context, "en", at=with_scripts.url):
                    with_scripts.goto(path)
                wrong += _lost_without_scripts(with_scripts, without, path, "en")
                with_scripts.goto(path)
        wrong += visitor.look(with_scripts, status=state.status, data=state.data)
    if answer is None or answer.status != state.status:
        wrong.append(f"not answered with {state.status}: {answer}")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def _lost_without_scripts(with_scripts: Page, without: Page, path: str, language: str) -> list[str]:
    """The lines that a reader sees on the page that is open, and not where scripts do not run."""
    lines = lines_of(with_scripts)
    with speaking(without.context, language, at=with_scripts.url):
        without.goto(path)
    assert without.locator("main h1").count() == 1
    left = lines_of(without)
    return [f"{language}, lost without scripts: {line}" for line in lines if line not in left]


def test_axe_is_refused_where_it_would_wait_without_end(without: Page) -> None:
    without.goto("/connexion/")
    with pytest.raises(AssertionError, match="no scripts"):
        axe(without)


def test_a_script_that_the_policy_refuses_is_heard(with_scripts: Page) -> None:
    with_scripts.goto("/connexion/")
    with listening(with_scripts) as said:
        with_scripts.evaluate(
            "document.head.appendChild(document.createElement('script')).textContent = 'window.ran = true'"
        )
        assert with_scripts.evaluate("window.ran") is None
    assert [one for one in said if "inline script" in one]
