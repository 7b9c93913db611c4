"""The pages about one permission, request or receipt, which are reached by following links."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.instance import Server

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def link(page: Page, start: str, pattern: str) -> str:
    """The first address on the page that looks like this."""
    page.goto(start)
    found = re.search(rf'href="({pattern})"', page.content())
    assert found, f"no link like {pattern} on {start}"
    return found[1]


def addresses(page: Page) -> list[str]:
    """Pages of Alice that name an object."""
    return [
        link(page, "/partage/", r"/partage/demandes/[0-9a-f-]+/"),
        link(page, "/services/", r"/partage/autorisations/[0-9a-f-]+/resilier/"),
        link(page, "/partage/", r"/partage/recus/GG-[0-9-]+/"),
        "/partage/100000009/resilier/",
        "/partage/444555668/",
    ]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    demo_server: Server, open_as: Callable[..., Any], language: str, width: int
) -> None:
    found = {}
    with open_as(demo_server, "alice", language=language, width=width) as page:
        for address in addresses(page):
            found |= problems(page, address, width)
    with open_as(demo_server, "tiers1", language=language, width=width) as page:
        for address in (
            "/partage/recues/",
            link(page, "/partage/recues/", r"/partage/recues/[0-9a-f-]+/mettre-fin/"),
        ):
            found |= problems(page, address, width)
    assert found == {}


def problems(page: Page, address: str, width: int) -> dict[str, list[str]]:
    page.goto(address)
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    said = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in results.response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth") > width:
        said.append("scrolls sideways")
    return {address: said} if said else {}


def test_a_receipt_prints_on_one_page(
    demo_server: Server, open_as: Callable[..., Any], tmp_path: Path
) -> None:
    with open_as(demo_server, "alice") as page:
        page.goto(link(page, "/partage/", r"/partage/recus/GG-[0-9-]+/"))
        printed = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_a_request_shows_the_customers_own_last_week_at_the_step_asked_for(
    demo_server: Server, open_as: Callable[..., Any]
) -> None:
    with open_as(demo_server, "alice") as page:
        page.goto(link(page, "/partage/", r"/partage/demandes/[0-9a-f-]+/"))
        expect(page.locator("main")).to_contain_text("Ce que Tiers 3 verrait")
        values = page.evaluate(
            "JSON.parse(document.getElementById('preview-data').textContent).segments"
            ".reduce((sum, one) => sum + one.values.length, 0)"
        )
    assert values == 7 * 48
