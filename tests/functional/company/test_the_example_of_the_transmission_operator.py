"""RTE Services Portal, "Managing user groups": the worked example of the company ACME, done on screen.

ACME has two entities: ACME1 with the points P1 and P2, ACME2 with P3. G1 is restricted to P1 and P2 for the service
"Contract Power Exceedance Notification"; G2 has it with no scope, and sees all points.
"""

import re
from types import SimpleNamespace

import pytest

from gridgate.organisations.models import UserGroup
from tests.factories.metering import make_held_point
from tests.factories.organisations import make_member, make_organisation
from tests.functional.company.conftest import hidden, read_and_confirmed, text_of
from tests.functional.company.test_an_administrator_checks_an_access import answers
from tests.handles import handle

SERVICE = "Alertes de dépassement de puissance"


@pytest.fixture
def acme(world):
    company = make_organisation("ACME")
    people = {
        "administrator": make_member(company, "Camille", role="administrator"),
        "one": make_member(company, "Un", email="un@acme1.example"),
        "two": make_member(company, "Deux", email="deux@acme2.example"),
        "other": make_member(company, "Autre", email="autre@acme.example"),
    }
    points = {name: make_held_point(company, label=name).pk for name in ("P1", "P2", "P3")}
    here = SimpleNamespace(company=company, **people, **points)
    here.client = lambda name: type(world).client(here, name)
    return here


def create(client, name: str, member) -> UserGroup:
    """Step 1: a group, and who is in it."""
    client.post("/administration/groupes/nouveau/", {"name": name})
    group = UserGroup.objects.get(name=name)
    page = client.get(f"/administration/groupes/{handle(group)}/membres/")
    form = {"chosen": "", "shown": hidden(page, "shown"), "pick": [handle(member)], "do": "save"}
    client.post(f"/administration/groupes/{handle(group)}/membres/", form)
    return group


def said_of(acme, email: str, point: str = "") -> str:
    page = acme.client("administrator").get(f"/administration/verifier/?qui={email}&point={point}")
    return answers(page)[SERVICE]


def listed(client, path: str = "/compteurs/") -> set[str]:
    return set(re.findall(r">(P\d)</a>", client.get(path).content.decode()))


@pytest.mark.parametrize("code", ["alerts", "meters"])
def test_passes_as_written(acme, code):
    client = acme.client("administrator")
    assert said_of(acme, "autre@acme.example") == "Oui | ouvert à tous les utilisateurs | 3"

    g1, g2 = create(client, "G1", acme.one), create(client, "G2", acme.two)
    # Step 2, with step 3 for G1: the service, on P1 and P2.
    address = f"/administration/groupes/{handle(g1)}/perimetre/{code}/"
    page = client.get(address)
    assert "perd" not in text_of(page), "no point is chosen yet"
    form = {"chosen": "", "shown": hidden(page, "shown"), "scope": "some", "pick": [acme.P1, acme.P2]}
    said = text_of(client.post(address, form | {"do": "save"}))
    assert "Un perd " in said, "the member of G1 keeps two points"
    read_and_confirmed(client, address, form | {"do": "save"})
    # Step 2 for G2: the service, without a perimeter, on the table.
    page = client.get("/administration/services/")
    cells = {"had": hidden(page, "had"), "cell": [f"{handle(g1)}:{code}", f"{handle(g2)}:{code}"]}
    assert client.post("/administration/services/", cells).status_code == 302

    label = SERVICE if code == "alerts" else "Consulter les compteurs"

    def asked(email: str, point: str = "") -> str:
        page = client.get(f"/administration/verifier/?qui={email}&point={point}")
        return answers(page)[label]

    assert asked("un@acme1.example") == "Oui | par G1 | 2"
    assert asked("un@acme1.example", acme.P2) == "Oui | par G1"
    assert asked("un@acme1.example", acme.P3) == "Non | hors du périmètre de G1"
    assert asked("deux@acme2.example") == "Oui | par G2 | 3"
    assert asked("deux@acme2.example", acme.P3) == "Oui | par G2"
    assert asked("autre@acme.example") == "Non | réservé à G1, G2 | –"
    if code == "meters":
        assert listed(acme.client("one")) == {"P1", "P2"}
        assert acme.client("one").get(f"/compteurs/{acme.P3}/").status_code == 404
        assert listed(acme.client("two")) == {"P1", "P2", "P3"}
        assert acme.client("other").get("/compteurs/").status_code == 403
    # A point that ACME2 gets later is G2's at once, and not G1's.
    make_held_point(acme.company, label="P4")
    assert asked("un@acme1.example") == "Oui | par G1 | 2"
    assert asked("deux@acme2.example") == "Oui | par G2 | 4"
