"""A company is found by its name however both are punctuated."""

import re
from datetime import UTC, datetime

import pytest

from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import Organisation
from gridgate.organisations.operations.companies import create_organisation
from gridgate.portal.paths import PACKAGE
from tests.world import World

SPELLINGS = ("EDF", "E.D.F.", "edf", "E D F")
NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.mark.parametrize("name", SPELLINGS)
def test_each_spelling_finds_each_other(db: None, name: str) -> None:
    made = create_organisation(legal_name=f"{name} Énergie", siren="732829320", now=NOW)
    create_organisation(legal_name="Led Fabrik", siren="123456782", now=NOW)
    for text in (*SPELLINGS, "e.d.f. énergie", "ENERGIE"):
        assert list(Organisation.objects.filter(company_named_like(text))) == [made], text
    assert not Organisation.objects.filter(company_named_like("…"))


def test_every_list_of_companies_is_searched_so() -> None:
    said = re.compile(r"legal_name__i?contains|named_like\([^)]*legal_name")
    sources = [path for path in PACKAGE.parent.rglob("*.py") if "migrations" not in path.parts]
    assert [path.name for path in sources if said.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/administration/entreprises/?q={}", "E.D.F. Industries"),
        ("/administration/points/?titulaire={}", "30001480112233"),
    ],
)
def test_the_operator_finds_it_on_its_pages(world: World, address: str, found: str) -> None:
    world.acme.legal_name = "E.D.F. Industries"
    world.acme.save()
    point = world.p1.pk if found.isdigit() else found
    client = world.client("operateur")
    for text in ("edf", "E D F", "e.d.f. industries"):
        assert point in client.get(address.format(text)).content.decode(), text
    assert point not in client.get(address.format("efd")).content.decode()
