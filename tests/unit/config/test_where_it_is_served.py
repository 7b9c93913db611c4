"""`gridgate serve` says where it is, and where its links lead when that is elsewhere."""

import pytest

from gridgate.config.commands.serve import where_it_is


@pytest.mark.parametrize(
    ("host", "port", "base_url", "said"),
    [
        (
            "127.0.0.1",
            8000,
            "http://127.0.0.1:8000",
            "Gridgate is on http://127.0.0.1:8000 (stop with Ctrl-C)",
        ),
        (
            "127.0.0.1",
            8337,
            "http://127.0.0.1:8000",
            "Gridgate is on http://127.0.0.1:8337; links lead to http://127.0.0.1:8000, which is GRIDGATE_BASE_URL"
            " (stop with Ctrl-C)",
        ),
        (
            "::1",
            80,
            "https://portail.example",
            "Gridgate is on http://[::1]:80; links lead to https://portail.example, which is GRIDGATE_BASE_URL"
            " (stop with Ctrl-C)",
        ),
    ],
)
def test_it_is_said(host: str, port: int, base_url: str, said: str) -> None:
    assert where_it_is(host, port, base_url) == said
