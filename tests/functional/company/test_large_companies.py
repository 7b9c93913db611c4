"""A thousand users and two hundred groups: each page asks as many questions as for a few."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.organisations.models import Entitlement, GroupMember, Membership, User, UserGroup
from tests.factories.organisations import make_group
from tests.handles import handle

USERS, GROUPS = 1000, 200


def enlarge(company) -> None:
    """Rows written at once: what is measured is the reading of them."""
    people = User.objects.bulk_create(
        User(email=f"membre{number}@acme.example", full_name=f"Membre {number:04}", created_at=company.now)
        for number in range(USERS)
    )
    members = Membership.objects.bulk_create(
        Membership(user=person, organisation=company.acme, created_at=company.now) for person in people
    )
    groups = UserGroup.objects.bulk_create(
        UserGroup(organisation=company.acme, name=f"Groupe {number:03}", created_at=company.now)
        for number in range(GROUPS)
    )
    GroupMember.objects.bulk_create(
        GroupMember(group=groups[(number + turn * 7) % GROUPS], membership=member)
        for number, member in enumerate(members)
        for turn in range(5)
    )
    Entitlement.objects.bulk_create(
        Entitlement(group=group, code=code) for group in groups for code in ("contracts", "requests")
    )


@pytest.fixture
def pages(company):
    group = make_group(company.acme, "Énergie", [company.bob], {"contracts": None})
    return [
        "/administration/utilisateurs/",
        f"/administration/utilisateurs/?groupe={handle(group)}&tri=-connexion",
        f"/administration/utilisateurs/{handle(company.bob)}/",
        f"/administration/utilisateurs/{handle(company.bob)}/detacher/",
        "/administration/inviter/",
        "/administration/groupes/",
        f"/administration/groupes/{handle(group)}/",
        f"/administration/groupes/{handle(group)}/membres/",
        f"/administration/groupes/{handle(group)}/supprimer/",
        f"/administration/groupes/{handle(group)}/perimetre/contracts/",
        "/administration/services/?q=energie",
        "/administration/services/?par_page=50",
        "/administration/verifier/?qui=bob@acme.example",
        "/administration/historique/",
    ]


def queries(client, page: str) -> list[str]:
    client.get(page)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(page).status_code == 200
    return [query["sql"] for query in seen]


def test_no_page_asks_more_for_many(company, pages):
    client = company.client("alice")
    few = {page: len(queries(client, page)) for page in pages}
    enlarge(company)
    many = {page: len(queries(client, page)) for page in pages}
    assert many == few
    assert max(few.values()) <= 32, few


def test_the_summary_of_a_change_asks_as_many_too(company, pages):
    client = company.client("alice")
    form = {
        "take": f"{handle(company.seat)}:meters {handle(company.lyon)}:meters",
        "give": f"{handle(company.seat)}:invoices",
    }

    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            answer = client.post("/administration/services/", form)
        assert "redevient ouvert à tous" in answer.content.decode()
        return len(seen)

    asked()  # what is worked out once and kept is not the page's
    few = asked()
    enlarge(company)
    assert asked() == few
