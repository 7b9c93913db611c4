"""The main job: a company sees who reads its meters, and ends it; the very next request is refused."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from playwright.sync_api import expect

from gridgate.core.time import Resolution, slots_in_day
from tests.instance import Server, run_gridgate

SHARED, NOT_SHARED = "30001480112233", "30002590223345"
CURVE = "/enedis/metering_data_clc/v5/consumption_load_curve"
NO_CONSENT = "No consent can be found for this customer and this usage point."


def test_a_company_ends_a_third_party_and_its_next_call_is_refused(
    own_demo_server: Server, open_as: Callable[..., Any], tmp_path: Path
) -> None:
    server = own_demo_server
    first, second = (_api(server, name) for name in ("tiers1", "tiers2"))

    answer = _week(first, server, SHARED)
    assert answer.status_code == 200
    readings = answer.json()["meter_reading"]["interval_reading"]
    assert len(readings) == _half_hours(server)
    assert set(readings[0]) == {"value", "date", "interval_length", "measure_type"}

    refused = _week(first, server, NOT_SHARED)
    assert (refused.status_code, refused.json()["error_description"]) == (403, NO_CONSENT)

    with open_as(server, "alice") as page:
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

        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("JWS|signé|Télécharger")).first.click()
        receipt = tmp_path / "receipt.jws"
        download.value.save_as(receipt)

        page.goto("/partage/")
        expect(page.locator("article.tile", has=page.get_by_role("heading", name="Tiers 1"))).to_have_count(0)
        expect(page.locator("article.tile", has=page.get_by_role("heading", name="Tiers 2"))).to_have_count(1)

        page.goto("/journal/")
        expect(page.locator("main")).to_contain_text("Tiers 1")

    verdict = run_gridgate("receipt", "verify", str(receipt), data=server.data)
    assert "Tiers 1" in verdict.stdout + verdict.stderr
    run_gridgate("audit", "verify", data=server.data)


def test_a_changed_receipt_does_not_verify(
    own_demo_server: Server, open_as: Callable[..., Any], tmp_path: Path
) -> None:
    server = own_demo_server
    with open_as(server, "alice") as page:
        page.goto("/partage/")
        page.locator("article.tile", has=page.get_by_role("heading", name="Tiers 2")).get_by_role(
            "link", name=re.compile("Résilier")
        ).click()
        page.get_by_role("button", name=re.compile("Résilier")).click()
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("JWS|signé|Télécharger")).first.click()
        receipt = tmp_path / "receipt.jws"
        download.value.save_as(receipt)
    header, payload, signature = receipt.read_text().strip().split(".")
    receipt.write_text(".".join((header, payload[:-4] + "AAAA", signature)))
    assert run_gridgate("receipt", "verify", str(receipt), data=server.data, check=False).returncode != 0


def _api(server: Server, name: str) -> httpx.Client:
    application = server.world["applications"][name]
    token = httpx.post(
        f"{server.base_url}/enedis/oauth2/v3/token",
        data={"grant_type": "client_credentials"},
        auth=(application["client_id"], application["client_secret"]),
    )
    assert token.status_code == 200, token.text
    assert isinstance(token.json()["expires_in"], int)
    return httpx.Client(
        base_url=server.base_url, headers={"Authorization": f"Bearer {token.json()['access_token']}"}
    )


def _week(client: httpx.Client, server: Server, point: str) -> httpx.Response:
    end = date.fromisoformat(server.world["today"])
    return client.get(
        CURVE, params={"usage_point_id": point, "start": str(end - timedelta(days=7)), "end": str(end)}
    )


def _half_hours(server: Server) -> int:
    end = date.fromisoformat(server.world["today"])
    paris = ZoneInfo("Europe/Paris")
    return sum(slots_in_day(end - timedelta(days=n), Resolution.PT30M, paris) for n in range(1, 8))
