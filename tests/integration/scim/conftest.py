"""A directory that holds a token of ACME's."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from gridgate.directory.models import DirectoryToken
from gridgate.directory.operations.tokens import create_token
from tests.world import World

USER, GROUP = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Directory:
    """Speaks to the endpoints as a company's directory does, without cookies. A body of bytes is sent as it is."""

    token: DirectoryToken
    secret: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        from django.test import Client

        sent = {
            "Authorization": f"Bearer {self.secret}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        data = body if isinstance(body, bytes) else json.dumps(body)
        more = {} if body is None else {"data": data, "content_type": "application/scim+json"}
        return Client(enforce_csrf_checks=True).generic(method, f"/scim/v2{path}", headers=sent, **more)

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def found(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.content
        return answer.json()["Resources"]

    def add(self, email: str, **more: Any) -> dict[str, Any]:
        answer = self.call("POST", "/Users", {"schemas": [USER], "userName": email, **more})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def add_group(self, name: str, *members: str, **more: Any) -> dict[str, Any]:
        named = [{"value": member} for member in members]
        answer = self.call(
            "POST", "/Groups", {"schemas": [GROUP], "displayName": name, "members": named, **more}
        )
        assert answer.status_code == 201, answer.content
        return answer.json()

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        return self.call("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def id_of(self, email: str) -> str:
        (one,) = self.found(f'/Users?filter=userName eq "{email}"')
        return str(one["id"])


def directory_of_acme(world: World) -> Directory:
    """It shares the domains of other companies, as those of one group do."""
    world.acme.email_domains = ["acme.example", "client-b.example", "client-c.example"]
    world.acme.save(update_fields=["email_domains"])
    return Directory(
        *create_token(organisation=world.acme, name="Entra ID", actor=world.alice, now=world.now)
    )


@pytest.fixture
def directory(world: World) -> Directory:
    return directory_of_acme(world)


@pytest.fixture
def other_directory(world: World) -> Directory:
    """Client B's."""
    world.client_b.email_domains = ["client-b.example"]
    world.client_b.save(update_fields=["email_domains"])
    return Directory(
        *create_token(organisation=world.client_b, name="Okta", actor=world.charlie, now=world.now)
    )
