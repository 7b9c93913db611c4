"""A day that nobody can mean is told, on every page whose address takes one, and breaks none. Forms: `test_access`."""

import re

import pytest
from django.test import Client

from gridgate.portal.pages import Page
from tests.pages.conftest import Stage
from tests.pages.listed import PAGES
from tests.pages.test_access import browser

DAYS = ("0001-01-01", "0001-01-02", "1900-01-01", "2200-12-31", "9999-12-30", "9999-12-31")
"""The first and the last that a calendar has, and that may be asked for."""

OF_AN_ADDRESS = [
    "access_journal",
    "access_journal_export",
    "company_history",
    "company_history_export",
    "measurements_point",
    "measurements_values",
    "measurements_export",
    "measurements_series",
]
"""Pages whose days stand in their address."""


@pytest.mark.parametrize("name", OF_AN_ADDRESS)
def test_an_address_may_say_any_day(stage: Stage, name: str) -> None:
    world, objects = stage
    page = PAGES[name]
    client = browser(world, page, "allowed")
    for day in DAYS:
        spans = [{"du": day, "au": day}, {"du": day}, {"au": day}]
        views = [{"le": day, "vue": view} for view in ("jour", "semaine", "annee")]
        for asked in [*spans, *(views if name.startswith("measurements") else [])]:
            opened(client, page, objects, asked)


@pytest.mark.parametrize("name", ["access_journal", "company_history", "measurements_point"])
@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_a_page_says_so_and_keeps_what_was_typed(stage: Stage, name: str, day: str) -> None:
    world, objects = stage
    page = opened(browser(world, PAGES[name], "allowed"), PAGES[name], objects, {"du": day, "au": day})
    assert page.count(f'value="{day}"') >= 2
    assert re.search(r"1(er|ᵉʳ)?.janvier 1900 au 31.décembre 2200|de 1900 à 2200", page)


def opened(client: Client, page: Page, objects: dict[str, str], asked: dict[str, str]) -> str:
    response = client.get(page.path.format(**objects), asked, follow=True)  # a file may lead to the page
    assert response.status_code == 200, asked
    return (b"".join(response) if response.streaming else response.content).decode()
