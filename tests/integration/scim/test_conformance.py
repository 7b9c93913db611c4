"""scim2-tester, a client from outside this project, against a real server of two processes.

It discovers what the service publishes, then creates, reads, searches, replaces, patches and deletes every attribute
of every resource, and holds each answer to RFC 7643 and RFC 7644.
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from tests.browser_session import signed_in, submit
from tests.instance import Server

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
EXPLAINED = {
    ("check_remove_attribute", "active"): "a person acts for the company or does not: to take the word away "
    "would leave open which, so it is refused with `mutability`, and nothing changes",
}
"""What the tester finds fault with, and why it stays so."""


@contextmanager
def directory(server: Server, name: str) -> Iterator[httpx.Client]:
    """A client with a token that an administrator made, on the page."""
    with signed_in(server, "alice") as alice:
        page = submit(alice, "/administration/annuaire/", name=name).text
    found = re.search(r"ggd_[\w-]{43}", page)
    assert found, page
    headers = {"Authorization": f"Bearer {found.group()}"}
    with httpx.Client(base_url=f"{server.base_url}/scim/v2", headers=headers, timeout=120) as client:
        yield client


def named(result: Any) -> tuple[str | None, Any]:
    about = result.data.get("urn") if isinstance(result.data, dict) else None
    return result.title, about


def test_a_foreign_client_finds_no_fault(demo_server_of_file: Server) -> None:
    from tests.integration.scim import foreign

    with directory(demo_server_of_file, "scim2-tester") as client:
        results = foreign.results_of(client)
    faults = {named(result): result for result in results if result.status.name != "SUCCESS"}
    assert set(faults) == set(EXPLAINED), list(faults.values())
    passed = [result for result in results if result.status.name == "SUCCESS"]
    assert len(passed) > 60
    assert {"User", "Group"} <= {result.resource_type for result in passed}


def test_of_many_requests_for_one_person_at_once_one_adds_them(demo_server_of_file: Server) -> None:
    with directory(demo_server_of_file, "Course") as client, ThreadPoolExecutor(8) as pool:
        body = {"userName": "course@acme-industries.example", "displayName": "Course"}
        answers = list(pool.map(lambda _: client.post("/Users", json=body), range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
        assert client.get("/Users", params={"filter": 'userName sw "course@"'}).json()["totalResults"] == 1


def test_of_many_changes_of_one_version_one_is_made(demo_server_of_file: Server) -> None:
    with directory(demo_server_of_file, "Versions") as client, ThreadPoolExecutor(8) as pool:
        made = client.post("/Users", json={"userName": "versions@acme-industries.example"})
        path, tag = f"/Users/{made.json()['id']}", made.headers["ETag"]

        def rename(number: int) -> int:
            operation = {"op": "replace", "path": "displayName", "value": f"Nom {number}"}
            body = {"schemas": [PATCH], "Operations": [operation]}
            return client.patch(path, json=body, headers={"If-Match": tag}).status_code

        assert sorted(pool.map(rename, range(8))) == [200] + [412] * 7


def test_revoked_no_process_takes_it_any_more(demo_server_of_file: Server) -> None:
    with (
        directory(demo_server_of_file, "Révoqué") as client,
        signed_in(demo_server_of_file, "alice") as alice,
    ):
        assert {client.get("/Users").status_code for _ in range(8)} == {200}
        page = alice.get("/administration/annuaire/").text
        found = re.search(
            r"Révoqué</th>.*?/administration/annuaire/([0-9a-f-]{36})/revoquer/", page, re.DOTALL
        )
        assert found, page
        submit(alice, f"/administration/annuaire/{found.group(1)}/revoquer/")
        assert {client.get("/Users").status_code for _ in range(8)} == {401}
