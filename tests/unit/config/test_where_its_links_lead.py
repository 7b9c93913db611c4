"""`gridgate serve --port` without GRIDGATE_BASE_URL: links lead to what is served."""

import os

import pytest

from gridgate.config.commands.serve import lead_links_here


@pytest.mark.parametrize(
    ("host", "port", "led"),
    [
        ("127.0.0.1", 9000, "http://127.0.0.1:9000"),
        ("::1", 9000, "http://[::1]:9000"),
        ("0.0.0.0", 80, "http://127.0.0.1:80"),
        ("127.0.0.1", 0, None),
    ],
)
def test_to_the_address_that_is_served(
    host: str, port: int, led: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {})
    lead_links_here(host, port)
    assert os.environ.get("GRIDGATE_BASE_URL") == led


@pytest.mark.parametrize("said", [{"GRIDGATE_BASE_URL": "https://a"}, {"GRIDGATE_BASE_URL_FILE": "/run/url"}])
def test_not_when_the_operator_said_where(said: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(said))
    lead_links_here("127.0.0.1", 9000)
    assert os.environ == said
