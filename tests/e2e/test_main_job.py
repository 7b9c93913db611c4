"""The main job: a company sees who reads its meters, and ends it; the very next request is refused."""

import re
from datetime import timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.api_session import ENEDIS_TOKEN, calling
from tests.browser_session import signed_in
from tests.demo_days import half_hours_of_last_week, today_of
from tests.e2e.conftest import OpenAs
from tests.e2e.going import go
from tests.instance import Server, run_gridgate
from tests.waiting import until

SHARED, NOT_SHARED = "30001480112233", "30002590223345"
CURVE = "/enedis/metering_data_clc/v5/consumption_load_curve"
NO_CONSENT = "No consent can be found for this customer and this usage point."


def test_a_company_ends_a_third_party_and_its_next_call_is_refused(
    own_demo_server: Server, open_as: OpenAs, tmp_path: Path
) -> None:
    server = own_demo_server
    with (
        calling(server, "tiers1", token_path=ENEDIS_TOKEN) as first,
        calling(server, "tiers2", token_path=ENEDIS_TOKEN) as second,
        open_as(server, "alice") as page,
    ):
        answer = _week(first, server, SHARED)
        assert answer.status_code == 200
        readings = answer.json()["meter_reading"]["interval_reading"]
        assert len(readings) == half_hours_of_last_week(server)
        assert set(readings[0]) == {"value", "date", "interval_length", "measure_type"}
        refused = _week(first, server, NOT_SHARED)
        assert (refused.status_code, refused.json()["error_description"]) == (403, NO_CONSENT)

        page.goto("/partage/")
        tile = page.locator("article.tile", has=page.get_by_role("heading", name="Tiers 1"))
        expect(tile).to_contain_text("Suivi des consommations")
        tile.get_by_role("link", name=re.compile("Résilier")).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Tiers 1")
        assert _week(first, server, SHARED).status_code == 200, "looking at the confirmation ends nothing"
        page.get_by_role("button", name=re.compile("Résilier")).click()
        page.wait_for_url(re.compile(r"/partage/recus/"))

        after = _week(first, server, SHARED)
        assert (after.status_code, after.json()["error_description"]) == (403, NO_CONSENT)
        assert _week(second, server, SHARED).status_code == 200

        printed = page.pdf(format="A4", print_background=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        receipt = tmp_path / "receipt.jws"
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("Télécharger")).first.click()
        download.value.save_as(receipt)

        page.goto("/partage/")
        expect(page.locator("article.tile", has=page.get_by_role("heading", name="Tiers 1"))).to_have_count(0)
        expect(page.locator("article.tile", has=page.get_by_role("heading", name="Tiers 2"))).to_have_count(1)
        _in_the_journal(page, server.world["today"], response="Lus seulement", expected=2)
        _in_the_journal(page, server.world["today"], response="Refusés seulement", expected=1)

    verdict = run_gridgate("receipt", "verify", str(receipt), data=server.data)
    assert "Tiers 1" in verdict.stdout + verdict.stderr
    run_gridgate("audit", "verify", data=server.data)


def test_a_changed_receipt_does_not_verify(demo_server: Server, tmp_path: Path) -> None:
    with signed_in(demo_server, "alice") as alice:
        number = re.search(r"/partage/recus/(GG-[\w-]+)/", alice.get("/partage/recus/").text)
        assert number
        genuine = alice.get(f"/partage/recus/{number[1]}.jws").text.strip()
    header, payload, signature = genuine.split(".")
    file = tmp_path / "receipt.jws"
    file.write_text(genuine)
    run_gridgate("receipt", "verify", str(file), data=demo_server.data)
    file.write_text(".".join((header, payload[:-4] + "AAAA", signature)))
    assert run_gridgate("receipt", "verify", str(file), data=demo_server.data, check=False).returncode != 0


def _week(client: httpx.Client, server: Server, point: str) -> httpx.Response:
    end = today_of(server)
    return client.get(
        CURVE, params={"usage_point_id": point, "start": str(end - timedelta(days=7)), "end": str(end)}
    )


def _in_the_journal(page: Page, today: str, *, response: str, expected: int) -> None:
    """Today's answers of one sort to Tiers 1 about the shared point, once the worker has folded them in."""
    page.goto("/journal/")
    page.get_by_label("Qui").select_option("Tiers 1")
    page.get_by_label("Du", exact=True).fill(today)
    page.get_by_label("Compteur", exact=True).fill(SHARED)
    page.get_by_label("Réponse").select_option(response)
    go(page.get_by_role("button", name="Filtrer"))
    rows = page.locator("tbody tr")
    until(lambda: page.reload() and rows.count() >= expected, "the reads in the journal")
    expect(rows).to_have_count(expected)
