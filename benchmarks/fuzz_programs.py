"""Cases for the data plane: its routes from the application, right requests from `tests/access` and the OpenAPI
document, and the application called without a socket.
"""

import asyncio
import base64
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from starlette.routing import Route

from benchmarks import fuzz_values as values
from benchmarks.fuzz_report import Case
from tests.dataplane_plane import Plane, daily
from tests.dataplane_world import ACME, BOTH_WAYS, CHARLIE, FOREIGN, SOLAR, TIERS1, days_ago

TABLE = Path(__file__).parent.parent / "tests" / "access" / "data_plane.toml"
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "FOO")
Pairs = list[tuple[str, str]]


class Programs:
    """The data plane of an empty folder, with a program that may read one point."""

    def __init__(self, folder: Path) -> None:
        self._plane = Plane(folder)
        world = self._plane.world
        world.point(SOLAR, holder=ACME, segment="C4", directions=BOTH_WAYS)
        world.point(FOREIGN, holder=CHARLIE)
        world.line(SOLAR, reader=TIERS1, holder=ACME)
        self._plane.put_curve(SOLAR, days_ago(10), 10)
        self._plane.put(*daily(SOLAR, days_ago(10), [1000] * 10))
        self._client = world.application("tiers1", TIERS1, "native", "enedis")
        self._token = world.token(self._client, at=self._plane.now)
        self._runner = asyncio.Runner()
        table: dict[str, Any] = tomllib.loads(TABLE.read_text(encoding="utf-8"))
        table.pop("roles")
        documented = _documented()
        self.routes: list[str] = []
        self._known: dict[str, tuple[set[str], str, Pairs, Pairs]] = {}
        for route in self._plane.app.routes:
            assert isinstance(route, Route)
            self.routes.append(route.path)
            line = table.get(route.path, {"path": route.path})
            path, _, query = line["path"].format(point=SOLAR).partition("?")
            right, form = parse_qsl(query), list(line.get("form", {}).items())
            names = {name for name, _ in right + form} | documented.get(_bare(route.path), set())
            if form:
                names |= {"client_id", "client_secret"}
            self._known[route.path] = names, path, right, form

    def close(self) -> None:
        self._runner.close()
        self._plane.close()

    @property
    def parameters(self) -> set[tuple[str, str]]:
        """Those that are known, by route, with the pieces of its path as one."""
        found = {(route, name) for route, (names, *_) in self._known.items() for name in names}
        return found | {(route, "path") for route in self.routes if "{" in route}

    def case(self, route: str, dice: Random) -> Case:
        """A request to the route that is right but for one thing, or for a few."""
        names, path, right, form = self._known[route]
        query, form = list(right), list(form)
        method = ("POST" if form else "GET") if dice.random() < 0.9 else dice.choice(METHODS)
        headers = {"host": "gridgate"}
        if form:
            credentials = [
                ("client_id", self._client.client_id),
                ("client_secret", self._client.client_secret),
            ]
            if dice.random() < 0.5:
                form += credentials
            else:
                pair = f"{self._client.client_id}:{self._client.client_secret}".encode()
                headers["authorization"] = "Basic " + base64.b64encode(pair).decode()
            headers["content-type"] = "application/x-www-form-urlencoded"
        else:
            headers["authorization"] = f"Bearer {self._token}"
        raw, body, cut, touched = quote(path), b"", False, []
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            match dice.randrange(10):
                case 0 if "{" in route:
                    raw = re.sub(r"\{[^}]+\}", lambda _: encoded(values.text(dice)), route)
                    touched.append("path")
                case 1 | 2:
                    name = dice.choice(values.HEADERS).lower()
                    headers[name] = values.header(dice)
                    touched.append(f"{name}:")
                case 3 if form:
                    body, cut = dice.choice(values.BODIES), dice.random() < 0.5
                    touched.append("body:")
                case 4:
                    pairs = form if form and dice.random() < 0.5 else query
                    pairs.append((values.text(dice), values.text(dice)))
                case _ if names:
                    name = dice.choice(sorted(names))
                    change(form if form and dice.random() < 0.7 else query, name, dice)
                    touched.append(name)
        return Case(
            route,
            method,
            raw,
            urlencoded(query),
            headers,
            body or (urlencoded(form).encode() if form else b""),
            cut=cut,
            touched=tuple(touched),
        )

    def send(self, case: Case) -> tuple[int, str]:
        """The status, and what happened if that is a failure."""
        return self._runner.run(self._send(case))

    async def _send(self, case: Case) -> tuple[int, str]:
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": case.method,
            "scheme": "http",
            "path": unquote(case.path),
            "raw_path": case.path.encode("latin-1", "replace"),
            "query_string": case.query.encode("latin-1", "replace"),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in case.headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("gridgate", 80),
        }
        # What a body that breaks off, or a chunk that is none, looks like from behind the server.
        incoming = iter(
            [
                {"type": "http.request", "body": case.body, "more_body": case.cut},
                {"type": "http.disconnect"},
            ]
        )
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return next(incoming, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        try:
            await self._plane.app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what is looked for
            return 500, repr(error)
        return (statuses[0] if statuses else 0), ""


def change(pairs: Pairs, name: str, dice: Random) -> None:
    """Give the parameter another value, none, an empty one, or two."""
    given = [value for known, value in pairs if known == name]
    match dice.randrange(8):
        case 0:
            pairs[:] = [pair for pair in pairs if pair[0] != name]
            return
        case 1:
            pairs.append((name, given[0] if given and dice.random() < 0.5 else values.text(dice)))
            return
    value = "" if dice.random() < 0.1 else values.text(dice)
    if not given:
        pairs.append((name, value))
    else:
        pairs[:] = [(known, value if known == name else kept) for known, kept in pairs]


def urlencoded(pairs: Pairs) -> str:
    return "&".join(
        f"{quote_plus(name, errors='surrogatepass')}={quote_plus(value, errors='surrogatepass')}"
        for name, value in pairs
    )


def encoded(piece: str) -> str:
    """A piece of a path."""
    return quote(piece, safe="", errors="surrogatepass")


def _documented() -> dict[str, set[str]]:
    """The parameters of each path of the OpenAPI document, those of forms among them."""
    document = json.loads(files("gridgate.facades.native").joinpath("openapi.json").read_bytes())
    return {
        _bare(path): {name for one in _objects(item, document) for name in _named(one)}
        for path, item in document["paths"].items()
    }


def _named(one: dict[str, Any]) -> set[str]:
    if one.get("in") == "query":
        return {one["name"]}
    form = one.get("application/x-www-form-urlencoded", {}).get("schema", {})
    return set(form.get("properties", {}))


def _objects(value: Any, document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from _objects(one, document)
    elif isinstance(value, dict):
        if str(value.get("$ref", "")).startswith("#/components/parameters/"):
            yield document["components"]["parameters"][value["$ref"].rpartition("/")[2]]
        yield value
        for one in value.values():
            yield from _objects(one, document)


def _bare(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path)
