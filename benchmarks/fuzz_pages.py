"""Cases for the portal: its routes from Django's resolver, right requests from the forms that its pages hold and from
their list, parameters also from what views look up; sent by Django's test client as several people.

Each case is undone: all of them find the same world.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlsplit

from django.core import mail
from django.core.signals import got_request_exception
from django.db import transaction
from django.http import QueryDict
from django.test import Client, TestCase
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils.datastructures import MultiValueDict

from benchmarks import fuzz_values as values
from benchmarks.fuzz_programs import Pairs, change, encoded, urlencoded
from benchmarks.fuzz_report import Case, place
from gridgate.directory.operations.tokens import create_token
from gridgate.portal.pages import every_page
from gridgate.portal.screens.account import mails
from tests.world import World

PEOPLE = ("alice", "operateur", "bob", "acme_user", "charlie", "tiers1", "visitor")
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "FOO")
PLACEHOLDER = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
USER, GROUP = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@dataclass(frozen=True, slots=True)
class Sample:
    """A right request to a route."""

    role: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    """Names of fields that take a file."""
    json: Any = None


class Pages:
    """The portal in a world that stands, with the objects that its addresses name."""

    def __init__(self, world: World, objects: dict[str, str], *, looking: bool = True) -> None:
        """`looking`: open the pages first, for their forms; without, only what their list says is known of them."""
        self._objects = objects
        password = world.give_password("alice")
        self._client = Client(raise_request_exception=False)
        self._cookies = {name: world.client(name).cookies for name in PEOPLE if name != "visitor"}
        self._cookies["visitor"] = world.visitor().cookies
        self._secret = create_token(organisation=world.acme, name="fuzz", actor=world.alice, now=world.now)[1]
        self._patterns = dict(_named_patterns(get_resolver()))
        self.routes = sorted(self._patterns)
        self._names: dict[str, dict[str, set[str]]] = {
            route: {"query": set(), "form": set()} for route in self.routes
        }
        self._samples: dict[str, list[Sample]] = {route: [] for route in self.routes}
        self._looked: set[Sample] = set()
        self._read_list()
        if looking:
            self._look_around()
        for sample in self._scim():
            self._keep(sample)
        signing_in = {"login": world.alice.user.email, "password": password, "next": "/compte/"}
        self._keep(Sample("visitor", "POST", "/connexion/", form=tuple(signing_in.items())))

    @property
    def parameters(self) -> set[tuple[str, str]]:
        """Those that are known, by route, with the pieces of its path as one."""
        named = {
            (route, name) for route, kinds in self._names.items() for name in kinds["query"] | kinds["form"]
        }
        paths = {(route, "path") for route, pattern in self._patterns.items() if "<" in pattern}
        members = {
            (route, name)
            for route, samples in self._samples.items()
            for sample in samples
            for name in _members(sample.json)
        }
        return named | paths | members

    # --- what a right request is ---------------------------------------------------------------------------

    def _read_list(self) -> None:
        for page in every_page():
            path = page.path.format(**self._objects)
            if (_match(path) or "scim_").startswith("scim_"):
                continue
            self._keep(Sample(page.allowed, "GET", path))
            if page.form:
                form = tuple((name, value.format(**self._objects)) for name, value in page.form.items())
                self._keep(Sample(page.allowed, "POST", path, form=form))
            for state in page.states:
                if state.path.startswith("?"):
                    self._keep(Sample(page.allowed, "GET", path, query=tuple(parse_qsl(state.path[1:]))))

    def _look_around(self) -> None:
        """Open every page as several people, then send every form that was seen, and the forms of the answers."""
        for page in every_page():
            for role in dict.fromkeys((page.allowed, "alice", "operateur", "tiers1", "visitor")):
                self._look(Sample(role, "GET", page.path.format(**self._objects)))
        for _ in range(2):
            for sample in [one for kept in self._samples.values() for one in kept if one.method == "POST"]:
                self._look(sample)

    def _keep(self, sample: Sample) -> None:
        route = _match(sample.path)
        if route is None or route not in self._samples:
            return
        self._names[route]["query"] |= {name for name, _ in sample.query}
        self._names[route]["form"] |= {name for name, _ in sample.form}
        if sample not in self._samples[route] and len(self._samples[route]) < 60:
            self._samples[route].append(sample)

    def _look(self, sample: Sample) -> None:
        """Send a right request, learn what the view looks up and which forms its page holds."""
        route = _match(sample.path)
        if route is None or sample in self._looked:
            return
        self._looked.add(sample)
        kind = "form" if sample.method == "POST" else "query"
        with spying(self._names[route][kind].add), undone():
            response = self._ask(_case(route, sample, self._headers(route)))
        if "text/html" not in response.get("Content-Type", "") or response.streaming:
            return
        reader = _Forms()
        reader.feed(response.content.decode())
        for form in reader.forms:
            path, _, query = (form.action or sample.path).partition("?")
            if not path.startswith("/"):
                continue
            pairs = tuple(pair for pair in form.pairs if pair[0] != "csrfmiddlewaretoken")
            asked = tuple(parse_qsl(query))
            found = (
                Sample(sample.role, "POST", path, query=asked, form=pairs, files=tuple(form.files))
                if form.posts
                else Sample(sample.role, "GET", path, query=pairs)
            )
            self._keep(found)
            target = _match(path)
            if target is not None and target in self._names:
                self._names[target]["form" if form.posts else "query"] |= form.buttons.keys() | form.names
            for name, value in form.buttons.items():
                if form.posts:
                    self._keep(replace(found, form=(*pairs, (name, value))))
        for link in reader.links:
            parts = urlsplit(link)
            if parts.query and not parts.netloc:
                self._keep(
                    Sample(sample.role, "GET", parts.path or sample.path, tuple(parse_qsl(parts.query)))
                )

    def _scim(self) -> Iterator[Sample]:
        """Right requests of a company's directory, on a person and a group that it has made."""
        person = {
            "schemas": [USER],
            "userName": "bob@acme.example",
            "externalId": "b",
            "displayName": "Bob",
            "name": {"givenName": "Bob", "familyName": "B", "formatted": "Bob B"},
            "emails": [{"value": "bob@acme.example", "primary": True, "type": "work"}],
            "preferredLanguage": "fr",
            "active": True,
        }
        listed = self._json("GET", "/scim/v2/Users", None)["Resources"]
        pk = next(one["id"] for one in listed if one["userName"] == "bob@acme.example")
        team = {"schemas": [GROUP], "displayName": "Annuaire", "externalId": "g", "members": [{"value": pk}]}
        group = self._json("POST", "/scim/v2/Groups", team)["id"]
        operations = [
            {"op": "replace", "path": "displayName", "value": "Bob"},
            {"op": "add", "path": 'emails[type eq "work"].value', "value": "bob@acme.example"},
            {"op": "replace", "value": {"active": True, "name.givenName": "B"}},
        ]
        members = [
            {"op": "add", "path": "members", "value": [{"value": pk}]},
            {"op": "remove", "path": f'members[value eq "{pk}"]'},
            {"op": "replace", "value": {"displayName": "Annuaire"}},
        ]
        search = {
            "schemas": [SEARCH],
            "filter": 'userName eq "bob@acme.example"',
            "startIndex": 1,
            "count": 10,
            "sortBy": "userName",
            "sortOrder": "ascending",
            "attributes": ["userName"],
            "excludedAttributes": ["name"],
        }
        query = (
            ("filter", 'displayName co "a" and not (externalId pr)'),
            ("sortBy", "displayName"),
            ("sortOrder", "descending"),
            ("startIndex", "1"),
            ("count", "5"),
            ("attributes", "displayName"),
            ("excludedAttributes", "meta"),
        )
        root = "/scim/v2"
        for path in ("Users", "Groups", f"Users/{pk}", f"Groups/{group}"):
            yield Sample("visitor", "GET", f"{root}/{path}", query)
        for path in ("ServiceProviderConfig", "ResourceTypes", "ResourceTypes/User", "Schemas", "Me", "x/y"):
            yield Sample("visitor", "GET", f"{root}/{path}")
        yield Sample("visitor", "GET", f"{root}/Schemas/{USER}")
        yield Sample("visitor", "POST", f"{root}/Users", json=person | {"userName": "new@acme.example"})
        yield Sample("visitor", "POST", f"{root}/Groups", json=team | {"displayName": "Autre"})
        yield Sample("visitor", "PUT", f"{root}/Users/{pk}", json=person)
        yield Sample("visitor", "PUT", f"{root}/Groups/{group}", json=team)
        yield Sample(
            "visitor", "PATCH", f"{root}/Users/{pk}", json={"schemas": [PATCH], "Operations": operations}
        )
        yield Sample(
            "visitor", "PATCH", f"{root}/Groups/{group}", json={"schemas": [PATCH], "Operations": members}
        )
        for path in (f"Users/{pk}", f"Groups/{group}"):
            yield Sample("visitor", "DELETE", f"{root}/{path}")
        for path in (".search", "Users/.search", "Groups/.search"):
            yield Sample("visitor", "POST", f"{root}/{path}", json=search)
        yield Sample("visitor", "POST", f"{root}/Bulk", json={"schemas": [], "Operations": []})

    def _json(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._secret}"}
        return getattr(self._client, method.lower())(
            path, data=None if body is None else json.dumps(body), content_type="application/json",
            headers=headers,
        ).json()  # fmt: skip

    # --- cases ----------------------------------------------------------------------------------------------

    def case(self, route: str, dice: Random) -> Case:
        """A request to the route that is right but for one thing, or for a few."""
        samples = self._samples[route]
        sample = dice.choice(samples) if samples else Sample("alice", "GET", self._odd_path(route, dice))
        if dice.random() < 0.05:
            sample = replace(sample, role=dice.choice(PEOPLE))
        if dice.random() < 0.05:
            sample = replace(sample, method=dice.choice(METHODS))
        path, query, form = quote(sample.path), list(sample.query), list(sample.form)
        asked, names = deepcopy(sample.json), self._names[route]
        headers, body, files, touched = self._headers(route), b"", {}, []
        for name in sample.files:
            files[name] = _file(dice)
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            match dice.randrange(12):
                case 0 | 1 if "<" in self._patterns[route]:
                    path = self._odd_path(route, dice)
                    touched.append("path")
                case 2:
                    name = dice.choice(values.HEADERS)
                    headers[name] = values.header(dice)
                    touched.append(f"{name}:")
                case 3 if sample.method not in ("GET", "HEAD") and dice.random() < 0.5:
                    body = dice.choice(values.BODIES)
                    touched.append("body:")
                case 4 if sample.method == "POST" and dice.random() < 0.3:
                    name = dice.choice(sorted(names["form"]) or ["file"])
                    files[name] = _file(dice)
                    touched.append(name)
                case _ if asked is not None and (dice.random() < 0.8):
                    asked, name = _spoilt(asked, dice)
                    touched.append(name)
                case _:
                    in_form = sample.method == "POST" and dice.random() < 0.85
                    known = names["form" if in_form else "query"] or names["query"] or {"x"}
                    name = dice.choice(sorted(known))
                    change(form if in_form else query, name, dice)
                    touched.append(name)
        if not body:
            if asked is not None:
                body = json.dumps(asked).encode()
                headers.setdefault("Content-Type", "application/scim+json")
            elif sample.method not in ("GET", "HEAD"):
                kind, body = _encoded(form, files)
                headers.setdefault("Content-Type", kind)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return Case(
            route,
            sample.method,
            path,
            urlencoded(query),
            headers,
            body,
            role=sample.role,
            touched=tuple(touched),
        )

    def _headers(self, route: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._secret}"} if route.startswith("scim_") else {}

    def _odd_path(self, route: str, dice: Random) -> str:
        return "/" + PLACEHOLDER.sub(lambda _: encoded(values.text(dice)[:3000]), self._patterns[route])

    def send(self, case: Case) -> tuple[int, str]:
        """The status, and what happened if that is a failure."""
        why: list[str] = []

        def failed(**_: Any) -> None:
            if (error := sys.exception()) is not None:
                why.append(place(error))

        got_request_exception.connect(failed)
        try:
            with undone():
                response = self._ask(case)
                if response.streaming:
                    b"".join(response.streaming_content)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what is looked for
            return 500, place(error)
        finally:
            got_request_exception.disconnect(failed)
        return response.status_code, (why[-1] if why else "")

    def _ask(self, case: Case) -> Any:
        self._client.cookies = SimpleCookie(self._cookies[case.role].output(header="", sep=";"))
        extra: dict[str, Any] = {
            "HTTP_" + name.upper().replace("-", "_"): value
            for name, value in case.headers.items()
            if name != "Content-Type"
        }
        kind = case.headers.get("Content-Type", "")
        return self._client.request(
            PATH_INFO=unquote_to_bytes(case.path).decode("latin-1"),
            REQUEST_METHOD=case.method,
            QUERY_STRING=case.query,
            CONTENT_TYPE=kind,
            CONTENT_LENGTH=str(len(case.body)),
            **{"wsgi.input": BytesIO(case.body), **extra},
        )


def _case(route: str, sample: Sample, headers: dict[str, str]) -> Case:
    kind, body = _encoded(list(sample.form), dict.fromkeys(sample.files, ("a.csv", b"id,segment\n")))
    if sample.method == "GET":
        body = b""
    return Case(
        route,
        sample.method,
        quote(sample.path),
        urlencoded(list(sample.query)),
        headers | {"Content-Type": kind},
        body,
        role=sample.role,
    )


def _match(path: str) -> str | None:
    try:
        return resolve(path).url_name
    except (Resolver404, ValueError):
        return None


def _named_patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name or "", prefix + str(entry.pattern)
        else:
            yield from _named_patterns(entry, prefix + str(entry.pattern))


def _members(asked: Any) -> set[str]:
    """The names of all members of JSON."""
    if isinstance(asked, list):
        return {name for one in asked for name in _members(one)}
    if isinstance(asked, dict):
        return asked.keys() | {name for one in asked.values() for name in _members(one)}
    return set()


def _spoilt(asked: Any, dice: Random) -> tuple[Any, str]:
    """JSON with one member replaced, left out or added."""
    where, parent, key, name = asked, None, None, ""
    while isinstance(where, dict | list) and where and (parent is None or dice.random() < 0.7):
        parent = where
        key = dice.choice(sorted(where)) if isinstance(where, dict) else dice.randrange(len(where))
        name, where = (str(key) if isinstance(key, str) else name), parent[key]
    if parent is None or dice.random() < 0.03:
        return values.member(dice), "body:"
    match dice.randrange(6):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[values.text(dice)[:200]] = values.member(dice)
        case 2 if isinstance(parent, list):
            parent.append(values.member(dice))
        case _:
            parent[key] = values.member(dice)
    return asked, name


def _file(dice: Random) -> tuple[str, bytes]:
    return dice.choice(values.NAMES), dice.choice(values.FILES)


def _encoded(form: Pairs, files: dict[str, tuple[str, bytes]]) -> tuple[str, bytes]:
    """The form's kind and its bytes."""
    if not files:
        return "application/x-www-form-urlencoded", urlencoded(form).encode()

    def quoted(text: str) -> bytes:
        return text.encode("utf-8", "surrogateescape" if "\udcff" in text else "surrogatepass").replace(
            b'"', b"%22"
        )

    parts = [b'form-data; name="%b"\r\n\r\n%b' % (quoted(name), quoted(value)) for name, value in form]
    parts += [
        b'form-data; name="%b"; filename="%b"\r\nContent-Type: text/csv\r\n\r\n%b'
        % (quoted(name), quoted(called), content)
        for name, (called, content) in files.items()
    ]
    body = b"".join(b"--gg\r\nContent-Disposition: %b\r\n" % part for part in parts) + b"--gg--\r\n"
    return "multipart/form-data; boundary=gg", body


@contextmanager
def undone() -> Iterator[None]:
    """What is done within is done whole, with what follows a commit, and then never was."""
    try:
        with transaction.atomic():
            try:
                with TestCase.captureOnCommitCallbacks(execute=True):
                    yield
            finally:
                with suppress(Exception):
                    mails.wait()
                transaction.set_rollback(True)
    finally:
        mail.outbox = []


@contextmanager
def spying(learn: Callable[[str], None]) -> Iterator[None]:
    """Tells each name that is looked up in what was sent."""

    def watched(method: str) -> Callable[..., Any]:
        plain = getattr(MultiValueDict, method)

        def looked_up(self: Any, key: Any = "", *args: Any, **more: Any) -> Any:
            if isinstance(key, str) and isinstance(self, QueryDict):
                learn(key)
            return plain(self, key, *args, **more)

        return looked_up

    kept = {name: getattr(MultiValueDict, name) for name in ("__getitem__", "get", "getlist", "__contains__")}
    own = {name: MultiValueDict.__dict__.get(name) for name in kept}
    try:
        for name in kept:
            setattr(MultiValueDict, name, watched(name))
        yield
    finally:
        for name, plain in own.items():
            if plain is None:
                delattr(MultiValueDict, name)
            else:
                setattr(MultiValueDict, name, plain)


class _Form:
    def __init__(self, action: str, posts: bool) -> None:
        self.action, self.posts = action, posts
        self.pairs: Pairs = []
        self.names: set[str] = set()
        self.buttons: dict[str, str] = {}
        self.files: list[str] = []


class _Forms(HTMLParser):
    """The forms of a page with what they would send, and its links."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.links: list[str] = []
        self._open: _Form | None = None
        self._by_id: dict[str, _Form] = {}
        self._select = self._area = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "?" in given.get("href", ""):
            self.links.append(given["href"])
        if tag == "form":
            self._open = _Form(given.get("action", ""), given.get("method", "").lower() == "post")
            self.forms.append(self._open)
            self._by_id[given.get("id", "")] = self._open
        form = self._by_id.get(given["form"]) if "form" in given else self._open
        if form is None:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "option" and self._select:
            chosen = "selected" in given or self._select not in form.names
            form.names.add(self._select)
            if chosen:
                form.pairs = [pair for pair in form.pairs if pair[0] != self._select]
                form.pairs.append((self._select, value))
        if not name:
            return
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "button":
            form.buttons[name] = value
        elif tag == "input" and given.get("type") == "file":
            form.files.append(name)
        elif tag == "input":
            ticks = given.get("type") in ("radio", "checkbox")
            first = name not in form.names
            form.names.add(name)
            if not ticks or "checked" in given or first:
                form.pairs.append((name, value or ("on" if ticks else "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea" and self._area and self._open is not None:
            self._open.names.add(self._area)
            self._open.pairs.append((self._area, self._text.strip()))
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text += data
