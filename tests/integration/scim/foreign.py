"""scim2-tester, told what it cannot know. It takes seconds to load: whoever runs a test of it loads this."""

import uuid
from typing import Any

import httpx
import pytest
from scim2_client import BaseSyncSCIMClient
from scim2_tester import CheckResult, check_server, filling
from scim2_tester.utils import ResourceManager


class Client(BaseSyncSCIMClient):
    """The tester's client over the network, by the HTTP library that this project has."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self.client.request(method, url, **more)


def results_of(client: httpx.Client) -> list[CheckResult]:
    """What each of its checks found of the service."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(filling, "get_random_example_value", _a_user_name_is_an_address)
        patched.setattr(ResourceManager, "cleanup", _cleaned_up_once)
        return list(check_server(Client(client)))


_made_up, _clean_up = filling.get_random_example_value, ResourceManager.cleanup


def _a_user_name_is_an_address(path: Any) -> Any:
    """No schema can say so."""
    if str(path).endswith("userName"):
        return f"{uuid.uuid4()}@acme-industries.example"
    return _made_up(path)


def _cleaned_up_once(manager: ResourceManager) -> None:
    """After each check the tester deletes what it made, and again all that it had deleted before."""
    _clean_up(manager)
    manager.resources.clear()
