"""Signing in to a real server with an HTTP client, as the sign-in form does."""

import re

import httpx

from tests.instance import Server


def signed_in(server: Server, user: str, *, language: str = "fr") -> httpx.Client:
    """A client with the cookies of someone who has signed in. The caller closes it."""
    person = server.world["users"][user]
    client = httpx.Client(
        base_url=server.base_url, follow_redirects=True, cookies={"django_language": language}, timeout=30
    )
    form = client.get("/connexion/").text
    names = re.findall(r'<input[^>]*name="([^"]+)"', form)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token, "the sign-in form has no token"
    email = next(name for name in names if name in ("login", "email", "username"))
    answer = client.post(
        "/connexion/",
        data={"csrfmiddlewaretoken": token.group(1), email: person["email"], "password": person["password"]},
        headers={"Referer": f"{server.base_url}/connexion/"},
    )
    assert answer.status_code == 200
    assert "/connexion/" not in str(answer.url), answer.text[:2000]
    return client
