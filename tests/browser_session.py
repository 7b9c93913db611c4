"""Signing in to a real server with an HTTP client, as the sign-in form does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.instance import Server


@contextmanager
def signed_in(server: Server, user: str, *, language: str = "fr") -> Iterator[httpx.Client]:
    """A client with the cookies of someone who has signed in."""
    person = server.world["users"][user]
    cookies = {"django_language": language}
    with httpx.Client(base_url=server.base_url, follow_redirects=True, cookies=cookies, timeout=30) as client:
        form = client.get("/connexion/").text
        answer = client.post(
            "/connexion/",
            data={
                "csrfmiddlewaretoken": token_of(form),
                "login": person["email"],
                "password": person["password"],
            },
            headers={"Referer": f"{server.base_url}/connexion/"},
        )
        assert answer.status_code == 200
        assert "/connexion/" not in str(answer.url), answer.text[:2000]
        yield client


def token_of(page: str) -> str:
    """The token of the first form on a page."""
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, "the page has no form"
    return found.group(1)
