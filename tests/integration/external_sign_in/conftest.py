"""A provider that runs, and an instance that its operator has told of it. The clock is the real one: both have it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.oidc_provider import Provider, running_provider
from tests.world import Kept, World, make_world

_WORLD = Kept(make_world)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running_provider(tmp_path_factory.mktemp("provider") / "log") as running:
        yield running


@pytest.fixture
def people(db: None) -> Iterator[World]:
    from gridgate.portal.screens.account import mails

    yield _WORLD.bring()
    mails.wait()


def told_of(settings: Any, issuer: str) -> None:
    """Let the instance have a provider of this issuer."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(
        update={
            "oidc_issuer": issuer,
            "oidc_client_id": "gridgate",
            "oidc_client_secret": "a secret of the client",
            "oidc_name": "Identité Démo",
        }
    )


@pytest.fixture
def told(settings: Any, provider: Provider) -> None:
    told_of(settings, provider.issuer)


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def come_back(browser: Client, provider: Provider, subject: str, start: str = "/connexion/externe/") -> Any:
    """Press the button, agree at the provider, come back."""
    gone = browser.get(start)
    assert gone.status_code == 302, gone.content
    return browser.get(path_of(provider.agrees(gone["Location"], subject)))
