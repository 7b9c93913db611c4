"""A company comes aboard: declared on the command line, opened from a real e-mail, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenAs
from tests.e2e.visiting import Visitor
from tests.instance import Server, run_gridgate
from tests.mailbox import newest_mail
from tests.real_registry import Registry

SIREN, PASSWORD = "732829320", "une phrase assez longue"

COMPANY = f"""
from datetime import UTC, datetime
from gridgate.eic.models import EicCode
from gridgate.organisations.operations.companies import create_organisation, record_contract
now = datetime.now(UTC)
company = create_organisation(legal_name="Fonderie du Rhône", siren="{SIREN}", now=now)
record_contract(organisation=company, number="CARD-FONDERIE", valid_from=now.date(), now=now)
EicCode.objects.create(
    code="17XFONDERIE----V", type="X", display_name="FONDERIE", long_name="Fonderie du Rhône",
    organisation=company, source="imported", issued_at=now,
)
"""


def test_a_first_administrator_opens_the_account_and_accepts_the_next_terms_too(
    own_demo_server: Server, open_as: OpenAs, visitor: Visitor, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server, address = own_demo_server, "direction@fonderie.example"
    refused = _declare(server, address, check=False)
    assert "no company has the SIREN" in refused
    Registry(server.data).run(COMPANY)
    assert "first administrator of Fonderie du Rhône" in _declare(server, address)
    found = re.search(r"(/activation/\S+/)", newest_mail(server, address, holding="/activation/"))
    assert found
    with open_as(server, None) as page:
        page.goto(found[1])
        _looks_right(visitor, page, at="/activation/")
        expect(page.locator("main")).to_contain_text("Premier administrateur")
        page.get_by_role("button", name="Ouvrir le compte").click()
        expect(page.get_by_text("Cochez la case pour continuer.")).to_be_visible()
        _looks_right(visitor, page, at="/activation/")
        page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
        page.get_by_label("Le même, une seconde fois").fill(PASSWORD)
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Ouvrir le compte").click()
        expect(page.get_by_role("status").first).to_contain_text("Votre compte est ouvert.")
        expect(page.locator("body")).to_contain_text("Fonderie du Rhône")
    with open_as(server, None) as page:
        page.goto(found[1])
        expect(page.get_by_role("heading", level=1)).to_have_text("Ce lien a déjà servi")
        _looks_right(visitor, page, at="/activation/")
        terms = tmp_path_factory.mktemp("terms") / "fr.txt"
        terms.write_text("## Objet\n\nLa seconde version.\n", encoding="utf-8")
        run_gridgate("terms", "publish", str(terms), "--version", "2", data=server.data)
        page.goto("/connexion/?next=/compte/")
        page.locator("input[type=email]").fill(address)
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("main button").first.click()
        page.wait_for_url(re.compile("/conditions/accepter/"))
        expect(page.locator("main")).to_contain_text("La seconde version.")
        _looks_right(visitor, page, at="/conditions/accepter/")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Accepter et continuer").click()
        page.wait_for_url(re.compile("/compte/$"))


def _declare(server: Server, address: str, *, check: bool = True) -> str:
    arguments = ("declare", address, "--siren", SIREN, "--name", "Premier administrateur")
    return run_gridgate("first-administrator", *arguments, data=server.data, check=check).stderr


def _looks_right(visitor: Visitor, page: Page, *, at: str) -> None:
    assert at in page.url
    assert visitor.look_in(page, "fr") == []
