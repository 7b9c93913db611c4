"""Calling a real server's APIs as an application does."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.instance import Server
from tests.waiting import PATIENCE

ENEDIS_TOKEN = "/enedis/oauth2/v3/token"
NATIVE_TOKEN = "/oauth2/token"


@contextmanager
def calling(server: Server, name: str, *, token_path: str = NATIVE_TOKEN) -> Iterator[httpx.Client]:
    """A client with a token of an application of the demo world; closed at the end."""
    application = server.world["applications"][name]
    with calling_as(
        server, application["client_id"], application["client_secret"], token_path=token_path
    ) as client:
        yield client


@contextmanager
def calling_as(
    server: Server, client_id: str, client_secret: str, *, token_path: str = NATIVE_TOKEN
) -> Iterator[httpx.Client]:
    """The same for any application."""
    with httpx.Client(base_url=server.base_url, timeout=PATIENCE) as client:
        answer = client.post(
            token_path, data={"grant_type": "client_credentials"}, auth=(client_id, client_secret)
        )
        assert answer.status_code == 200, answer.text
        token = answer.json()
        assert isinstance(token["expires_in"], int)
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield client
