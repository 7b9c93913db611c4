"""What the pages of one request and of one receipt are for."""

import re

from playwright.sync_api import expect

from tests.demo_days import half_hours_of_last_week
from tests.e2e.conftest import OpenAs
from tests.instance import Server


def test_a_receipt_prints_on_one_page(
    demo_server: Server, open_as: OpenAs, made_later: dict[str, str]
) -> None:
    for language in ("fr", "en"):
        with open_as(demo_server, "alice", language=language) as page:
            page.goto(f"/partage/recus/{made_later['receipt']}/")
            printed = page.pdf(format="A4", print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_a_request_shows_the_customers_own_last_week_at_the_step_asked_for(
    demo_server: Server, open_as: OpenAs, made_later: dict[str, str]
) -> None:
    with open_as(demo_server, "alice") as page:
        page.goto(f"/partage/demandes/{made_later['request']}/")
        expect(page.locator("main")).to_contain_text("Ce que Tiers 3 verrait")
        values = page.evaluate(
            "JSON.parse(document.getElementById('preview-data').textContent).segments"
            ".reduce((sum, one) => sum + one.values.length, 0)"
        )
    assert values == half_hours_of_last_week(demo_server)
