"""scim2-tester, a client from outside this project, against a real server of two processes.

It discovers what the service publishes, then creates, reads, searches, replaces, patches and deletes every attribute
of every resource, and holds each answer to RFC 7643 and RFC 7644.
"""

import re
import uuid
from typing import Any

import httpx
import pytest
from scim2_client import BaseSyncSCIMClient
from scim2_tester import CheckResult, Status, check_server, filling

from tests.browser_session import signed_in, submit
from tests.instance import Server, demo_template, own_demo_server

__all__ = ["demo_template", "own_demo_server"]

EXPLAINED = {
    ("check_remove_attribute", "active"): "a person acts for the company or does not: to take the word away "
    "would leave open which, so it is refused with `mutability`, and nothing changes",
}
"""What the tester finds fault with, and why it stays so."""


class Client(BaseSyncSCIMClient):
    """The tester's client over the network, by the HTTP library that this project has."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self.client.request(method, url, **more)


@pytest.fixture
def _a_user_name_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """No schema can say so: the tester is told."""
    made_up = filling.get_random_example_value

    def example(path: Any) -> Any:
        if str(path).endswith("userName"):
            return f"{uuid.uuid4()}@acme.example"
        return made_up(path)

    monkeypatch.setattr(filling, "get_random_example_value", example)


def token_of_a_directory(server: Server) -> str:
    """Made by an administrator, on the page."""
    with signed_in(server, "alice") as alice:
        page = submit(alice, "/administration/annuaire/", name="scim2-tester").text
    found = re.search(r"ggd_[\w-]{43}", page)
    assert found, page
    return found.group()


def named(result: CheckResult) -> tuple[str | None, Any]:
    about = result.data.get("urn") if isinstance(result.data, dict) else None
    return result.title, about


@pytest.mark.usefixtures("_a_user_name_is_an_address")
def test_a_foreign_client_finds_no_fault(own_demo_server: Server) -> None:
    headers = {"Authorization": f"Bearer {token_of_a_directory(own_demo_server)}"}
    base_url = f"{own_demo_server.base_url}/scim/v2"
    with httpx.Client(base_url=base_url, headers=headers, timeout=120) as client:
        results = check_server(Client(client))
    faults = {named(result): result for result in results if result.status is not Status.SUCCESS}
    assert set(faults) == set(EXPLAINED), list(faults.values())
    passed = [result for result in results if result.status is Status.SUCCESS]
    assert len(passed) > 60
    assert {"User", "Group"} <= {result.resource_type for result in passed}
