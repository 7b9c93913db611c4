"""A real browser (Debian's Chromium) on real servers."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.instance import Server, demo_server, demo_template, own_demo_server

__all__ = ["demo_server", "demo_template", "own_demo_server"]

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = CHROMIUM if os.path.exists(CHROMIUM) else shutil.which("chromium")  # noqa: PTH110
    assert executable, "Chromium is missing: run tools/system-packages chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=executable, args=FLAGS, env={**os.environ, "LANG": "fr_FR.UTF-8"}
        )
        yield running
        running.close()


@pytest.fixture
def open_as(browser: Browser) -> Iterator[Callable[..., Any]]:
    """`with open_as(server, "alice", language="en", width=360) as page:` — a page of someone who has signed in."""
    contexts: list[BrowserContext] = []

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
        context = browser.new_context(
            base_url=server.base_url,
            locale="fr-FR" if language == "fr" else "en-GB",
            timezone_id="Europe/Paris",
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        page = context.new_page()
        if user is not None:
            sign_in(page, server, user)
        if language != "fr":
            context.add_cookies([{"name": "django_language", "value": language, "url": server.base_url}])
        yield page
        context.close()
        contexts.remove(context)

    yield opened
    for context in contexts:
        context.close()


def sign_in(page: Page, server: Server, user: str) -> None:
    person = server.world["users"][user]
    page.goto("/connexion/")
    page.locator("input[type=email]").fill(person["email"])
    page.locator("input[type=password]").fill(person["password"])
    page.locator("main button[type=submit], main button:not([type])").first.click()
    page.wait_for_url(lambda url: "/connexion/" not in url)
