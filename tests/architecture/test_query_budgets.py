"""How many queries each page asks of the registry: exactly as many as written down, however many rows there are.

A page that asks more fails, and so does one that asks fewer: the file then wants its new, lower figure. To write it
again: `QUERY_COUNTS=write pytest tests/architecture/test_query_budgets.py -p no:xdist`, then read the difference.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gridgate.core.sharing import PermissionState
from gridgate.metering.imports.journal import check_file
from gridgate.organisations.models import EicCode, KycAttachment
from gridgate.organisations.operations import (
    EIC,
    deactivate_eic_code,
    reactivate_eic_code,
    record_contract,
)
from gridgate.organisations.operations.directory import create_token, revoke_token
from gridgate.organisations.operations.invitations import invite
from gridgate.organisations.operations.requests import return_request
from gridgate.sharing.models import PermissionPoint, PermissionRequest
from gridgate.sharing.operations import revoke_permission
from tests.access.objects import make_objects
from tests.access.test_portal import ROLES, TABLE, browser
from tests.factories.audit import make_reads
from tests.factories.eic import make_code, make_request
from tests.factories.kyc import make_more
from tests.factories.metering import make_held_point
from tests.factories.organisations import make_group, make_member, make_organisation
from tests.factories.sharing import make_permission, make_service

FILE = Path(__file__).with_name("query_counts.json")
COUNTS: dict[str, int] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
ALLOWED = ROLES.index("allowed")
PAGES = [name for name, line in TABLE.items() if line["GET"][ALLOWED] == 200]
WRITE = os.environ.get("QUERY_COUNTS") == "write"


@pytest.fixture(scope="module", autouse=True)
def _written() -> Iterator[None]:
    yield
    if WRITE:
        FILE.write_text(json.dumps(dict(sorted(COUNTS.items())), indent=1) + "\n", encoding="utf-8")


def test_every_page_has_its_budget_and_no_other_has():
    assert WRITE or set(COUNTS) == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_as_many_queries_as_written_and_no_more_for_twice_the_rows(world, measured, name):
    objects = make_objects(world)
    path = TABLE[name]["path"].format(**objects)
    grow(world, objects)
    few = queries(world, name, path)
    grow(world, objects)
    many = queries(world, name, path)
    assert len(many) == len(few), "the number of queries grows with the rows:\n" + difference(few, many)
    if WRITE:
        COUNTS[name] = len(few)
    assert len(few) == COUNTS[name], "\n".join(few)


def queries(world, name: str, path: str) -> list[str]:
    client = browser(world, name, ALLOWED)
    client.get(path)  # what is worked out once and kept is not the page's
    with CaptureQueriesContext(connection) as seen:
        response = client.get(path)
        if response.streaming:
            b"".join(response)
    assert response.status_code == 200
    return [re.sub(r"'[^']*'|\b\d+\b", "?", query["sql"]) for query in seen]


def difference(few: list[str], many: list[str]) -> str:
    return "\n".join(sql for sql in many if many.count(sql) > few.count(sql))


_numbers = count()


def grow(world, objects: dict[str, str]) -> None:
    """Six more, or three, of everything that pages list; called twice, it doubles them."""
    now = world.now
    points = [make_held_point(world.acme, label=f"Site {number}") for number in range(6)]
    PermissionPoint.objects.bulk_create(
        PermissionPoint(permission_id=objects["permission"], metering_point=point) for point in points
    )
    for number in range(3):
        party = make_organisation(f"Tiers de plus {number}")
        service = make_service(party, f"Service {number}")
        for state in (PermissionState.ACTIVE, PermissionState.EXPIRED):
            make_permission(service, world.acme, points=points, state=state, now=now)
        make_permission(make_service(world.third_party_1, f"Autre {number}"), world.acme, now=now)
        make_permission(make_service(party, f"Fini {number}"), world.client_b, now=now)
        make_permission(make_service(world.third_party_1), make_organisation(f"Client {number}"), now=now)
        gone = make_permission(make_service(world.third_party_3), world.acme, points=points, now=now)
        revoke_permission(actor=world.alice, permission_id=gone.pk, now=now)
        PermissionRequest.objects.create(
            service=service,
            holder=world.acme,
            eligible_party=party,
            all_points=True,
            valid_until=(now + timedelta(days=200)).date(),
            state=PermissionState.VALIDATED,
            requested_at=now,
        )
        for point in (world.p1, world.p3, *points):
            make_reads(party, point, world.acme, at=now - timedelta(hours=number + 1))
        member = make_member(world.acme, f"Membre {next(_numbers)}")
        people = [member, world.bob]
        group = make_group(world.acme, f"Groupe {next(_numbers)}", people, {"contracts": [world.p1.pk]})
        email = f"invite{next(_numbers)}@acme.example"
        invite(organisation=world.acme, email=email, full_name="Invité", groups=[group], now=now)
        for _ in "ab":
            name = f"Annuaire {next(_numbers)}"
            token, _secret = create_token(organisation=world.acme, name=name, actor=world.alice, now=now)
        revoke_token(token=token, actor=world.alice, now=now)
        make_code(f"ACME {next(_numbers)}", organisation=world.acme)
        make_request(world.alice, display_name=f"ACME-{next(_numbers)}", long_name="Atelier")
        asked = make_request(world.alice, display_name=f"ACME-{next(_numbers)}", long_name="Atelier")
        return_request(EIC, asked, reason="Où est-ce ?", actor=world.operateur, now=now)
        record_contract(
            organisation=world.acme,
            number=f"CART-{next(_numbers)}",
            valid_from=now.date(),
            actor=world.operateur,
            now=now,
        )
        code = EicCode.objects.get(pk=objects["eic_code"])
        deactivate_eic_code(code=code, reason="Doute", actor=None, now=now)
        reactivate_eic_code(code=code, reason="Erreur", actor=None, now=now)
        make_more(KycAttachment.objects.get(pk=objects["kyc_document"]), 3, now=now)
        check_file(
            kind="points", name="a.csv", content=b"id,segment\n1,C5\n", user=world.operateur.user, now=now
        )
