"""Every address of the portal, every method, every kind of person."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from tests.access.objects import ABSENT, make_objects
from tests.comparing import without_what_differs

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("portal.toml").read_text(encoding="utf-8"))
ROLES: list[str] = TABLE.pop("roles")
METHODS = ("GET", "POST")
NAMING = [name for name, line in TABLE.items() if "{" in line["path"] and 404 in line["GET"]]


def named_patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str | None, str]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name, prefix + str(entry.pattern)
        else:
            yield from named_patterns(entry, prefix + str(entry.pattern))


class TestTable:
    def test_has_every_address_and_no_other(self):
        patterns = list(named_patterns(get_resolver()))
        assert [pattern for name, pattern in patterns if not name] == [], "an address has no name"
        assert {name for name, _ in patterns} == set(TABLE)

    @pytest.mark.parametrize("name", TABLE)
    def test_names_the_address_its_path_leads_to(self, name):
        assert resolve(TABLE[name]["path"].format(**ABSENT)).url_name == name

    @pytest.mark.parametrize("name", TABLE)
    def test_has_an_answer_for_every_method_and_role(self, name):
        for method in METHODS:
            assert len(TABLE[name][method]) == len(ROLES)


@pytest.fixture
def acme(world, measured, tmp_path, monkeypatch):
    return world, make_objects(world)


def browser(world, name: str, role: int) -> Client:
    who = ROLES[role]
    if who == "visitor":
        return world.visitor()
    return world.client(TABLE[name].get("allowed", "alice") if who == "allowed" else who)


def request(client: Client, method: str, path: str, form: dict[str, str], objects: dict[str, str]) -> Any:
    if method == "POST":
        return client.post(path, {key: value.format(**objects) for key, value in form.items()})
    return client.get(path)


@pytest.mark.parametrize("name", TABLE)
def test_answers(acme, name):
    """Each method for each role, in the table's order: whoever may change something comes last."""
    world, objects = acme
    line = TABLE[name]
    path = line["path"].format(**objects)
    for method in METHODS:
        browsers = [browser(world, name, role) for role in range(len(ROLES))]
        got = [said(request(each, method, path, line.get("form", {}), objects), path) for each in browsers]
        assert got == line[method], method


def said(response: Any, path: str) -> int | str:
    """The answer in the table's words."""
    if response.status_code != 302:
        return int(response.status_code)
    if response["Location"] == f"/connexion/?next={path}":
        return "in"
    return f"→ {resolve(response['Location'].partition('?')[0]).url_name}"


@pytest.mark.parametrize("name", NAMING)
def test_an_object_that_is_not_ones_own_looks_like_one_that_does_not_exist(acme, name):
    """Of another company, or outside the perimeter: same status, same words, same headers."""
    world, objects = acme
    line = TABLE[name]
    for who in ("charlie", "bob"):
        for method in METHODS:
            client = world.client(who)
            theirs = request(client, method, line["path"].format(**objects), line.get("form", {}), objects)
            absent = request(client, method, line["path"].format(**ABSENT), line.get("form", {}), ABSENT)
            assert theirs.status_code == absent.status_code
            assert bare(theirs) == bare(absent)
            assert set(theirs.headers) == set(absent.headers)


def bare(response: Any) -> str:
    return without_what_differs(response.content.decode(), response.wsgi_request.path)


NO_FORM = ("in", 405, 401)
"""What needs no form's token: nobody is let in, the method is not taken, or a token of its own is asked for."""
POSTING = [name for name, line in TABLE.items() if any(answer not in NO_FORM for answer in line["POST"])]


@pytest.mark.parametrize("name", POSTING)
def test_a_form_from_elsewhere_is_refused(acme, name):
    """Without its token, a POST changes nothing, whoever is signed in."""
    world, objects = acme
    line = TABLE[name]
    signed_in = browser(world, name, ROLES.index("allowed"))
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    assert client.post(line["path"].format(**objects), line.get("form", {})).status_code == 403


@pytest.mark.parametrize("name", [name for name, line in TABLE.items() if line["GET"][0] == "in"])
def test_every_page_for_members_is_private(acme, name):
    """No shared cache keeps it."""
    world, objects = acme
    response = browser(world, name, ROLES.index("allowed")).get(TABLE[name]["path"].format(**objects))
    assert "no-store" in response.get("Cache-Control", "") or "private" in response.get("Cache-Control", "")
    assert "default-src 'self'" in response["Content-Security-Policy"]


def test_signing_in_is_asked_by_default(world):
    assert "django.contrib.auth.middleware.LoginRequiredMiddleware" in settings.MIDDLEWARE
    open_to_all = [name for name, line in TABLE.items() if line["GET"][0] != "in" or line["POST"][0] != "in"]
    for name in open_to_all:
        view = resolve(TABLE[name]["path"].format(**ABSENT)).func
        assert getattr(view, "login_required", True) is False, name


def test_reverse_finds_the_sign_in_page():
    assert reverse("sign_in") == "/connexion/"
