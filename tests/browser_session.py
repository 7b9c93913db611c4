"""Signing in to a real server with an HTTP client, as the sign-in form does."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.instance import Server
from tests.waiting import PATIENCE


@contextmanager
def signed_in(server: Server, user: str, *, language: str = "fr") -> Iterator[httpx.Client]:
    """A client with the cookies of someone of the demo world who has signed in; closed at the end."""
    person = server.world["users"][user]
    with signed_in_as(server, person["email"], person["password"], language=language) as client:
        yield client


@contextmanager
def signed_in_as(
    server: Server, email: str, password: str, *, language: str = "fr"
) -> Iterator[httpx.Client]:
    """The same for anybody."""
    cookies = {"django_language": language}
    with httpx.Client(
        base_url=server.base_url, follow_redirects=True, cookies=cookies, timeout=PATIENCE
    ) as client:
        answer = submit(client, "/connexion/", login=email, password=password)
        if "/conditions/accepter/" in str(answer.url):  # of somebody added on the command line
            version = re.search(r'name="version" value="([^"]+)"', answer.text)
            assert version, answer.text[:2000]
            answer = submit(client, str(answer.url), terms="on", version=version[1])
        assert answer.status_code == 200, answer.text[:2000]
        assert "/connexion/" not in str(answer.url), answer.text[:2000]
        yield client


def submit(client: httpx.Client, page: str, **fields: str) -> httpx.Response:
    """Send fields to a page with what its form carries."""
    return client.post(
        page,
        data={**carried_by(client.get(page).text), **fields},
        headers={"Referer": f"{client.base_url}"},
    )


def carried_by(page: str) -> dict[str, str]:
    """What every form of a page carries: its token, and for which company it was opened."""
    company = re.search(r'name="acting_for" value="(\d*)"', page)
    return {"csrfmiddlewaretoken": token_of(page)} | ({"acting_for": company[1]} if company else {})


def token_of(page: str) -> str:
    """The token that the forms of a page carry."""
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, "the page has no form"
    return html.unescape(token.group(1))
