"""Every address of the data plane, every kind of program."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.handles import handle_of
from tests.dataplane_plane import INJECTION, SECRET, WITHDRAWAL, Plane, daily, day_block
from tests.dataplane_world import (
    ACME,
    BOTH_WAYS,
    CHARLIE,
    CONSO,
    FOREIGN,
    SOLAR,
    TIERS1,
    UNKNOWN,
    Client,
    days_ago,
)

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("data_plane.toml").read_text(encoding="utf-8"))
ROLES: list[str] = TABLE.pop("roles")
METHODS = ("GET", "POST")
NAMING = [route for route, line in TABLE.items() if "{point}" in line["path"]]


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    plane = Plane(tmp_path)
    yield plane
    plane.close()


@pytest.fixture
def clients(plane: Plane) -> dict[str, Client]:
    """ACME lets Tiers 1 read SOLAR through one application's company, and CONSO alone through another's."""
    world = plane.world
    world.point(CONSO, holder=ACME)
    world.point(SOLAR, holder=ACME, segment="C4", directions=BOTH_WAYS)
    world.point(FOREIGN, holder=CHARLIE)
    world.line(SOLAR, reader=TIERS1, holder=ACME)
    world.db.execute("INSERT INTO organisations_organisation VALUES (6, 'Tiers 6', '000000006')")
    world.line(CONSO, reader=6, holder=ACME)
    for direction in (WITHDRAWAL, INJECTION):
        plane.put_curve(SOLAR, days_ago(10), 10, direction=direction)
        plane.put(*daily(SOLAR, days_ago(10), [1000] * 10, direction))
    plane.put(
        *(
            day_block(
                SOLAR, Kind.MAXIMUM_POWER, WITHDRAWAL, Resolution.P1D, days_ago(back), [500], offsets=[3600]
            )
            for back in range(1, 11)
        )
    )
    return {
        "unsubscribed": world.application("unsubscribed", TIERS1),
        "charlie": world.application("charlie", CHARLIE, "native", "enedis"),
        "outside": world.application("outside", 6, "native", "enedis"),
        "allowed": world.application("allowed", TIERS1, "native", "enedis"),
    }


def call(
    plane: Plane, client: Client | None, method: str, line: dict[str, Any], point: str
) -> httpx.Response:
    path = line["path"].format(point=point)
    if method == "GET":
        return plane.get(path, plane.token(client) if client else None)
    credentials = {"client_id": client.client_id, "client_secret": client.client_secret} if client else {}
    return plane.post(path, data=line.get("form", {}) | credentials)


class TestTable:
    def test_has_every_route_and_method_and_no_other(self, plane: Plane) -> None:
        routed = {
            (route.path, method)
            for route in plane.app.routes
            if isinstance(route, Route)
            for method in route.methods or ()
            if method != "HEAD"
        }
        assert routed == {
            (path, method) for path, line in TABLE.items() for method in METHODS if method in line
        }


@pytest.mark.parametrize("route", TABLE)
def test_answers(plane: Plane, clients: dict[str, Client], route: str) -> None:
    line = TABLE[route]
    for method in METHODS:
        if method not in line:
            assert plane.request(method, line["path"].format(point=SOLAR)).status_code == 405
            continue
        got = [call(plane, clients.get(role), method, line, SOLAR).status_code for role in ROLES]
        assert got == line[method], method


@pytest.mark.parametrize("route", NAMING)
@pytest.mark.parametrize("role", ["charlie", "outside"])
def test_a_point_that_may_not_be_read_looks_like_one_that_does_not_exist(
    plane: Plane, clients: dict[str, Client], route: str, role: str
) -> None:
    theirs = call(plane, clients[role], "GET", TABLE[route], SOLAR)
    absent = call(plane, clients[role], "GET", TABLE[route], UNKNOWN)
    assert theirs.status_code == absent.status_code
    assert bare(theirs) == bare(absent)
    assert set(theirs.headers) == set(absent.headers)


def test_the_list_of_points_holds_those_that_may_be_read_only(
    plane: Plane, clients: dict[str, Client]
) -> None:
    line = TABLE["/api/v1/metering-points"]
    for role, mine, others in (
        ("charlie", FOREIGN, (CONSO, SOLAR)),
        ("outside", CONSO, (SOLAR, FOREIGN)),
        ("allowed", SOLAR, (CONSO, FOREIGN)),
    ):
        body = call(plane, clients[role], "GET", line, SOLAR).text
        assert mine in body
        assert not any(other in body for other in others)


def test_perimeters_of_others_are_told_to_nobody_and_named_by_nobody(
    plane: Plane, clients: dict[str, Client]
) -> None:
    """Not those of the holder whose points one reads, nor one's own by others."""
    group = {
        company: plane.world.group(company, None, [SOLAR], name=f"Groupe {company}")
        for company in (ACME, CHARLIE, TIERS1)
    }
    handle = {company: handle_of("group", number, secret=SECRET) for company, number in group.items()}
    asked = TABLE["/api/v1/aggregates"]["path"].partition("&metering_point")[0]
    for role, own in (("charlie", CHARLIE), ("outside", None), ("allowed", TIERS1)):
        token = plane.token(clients[role])
        listed = plane.get("/api/v1/perimeters", token).json()["perimeters"]
        assert [one["id"] for one in listed] == [handle[company] for company in handle if company == own]
        absent = plane.get(f"{asked}&perimeter={handle_of('group', 999, secret=SECRET)}", token)
        assert absent.status_code == 404
        for company in handle.keys() - {own}:
            theirs = plane.get(f"{asked}&perimeter={handle[company]}", token)
            assert (theirs.status_code, bare(theirs)) == (absent.status_code, bare(absent))


def test_a_token_that_is_expired_revoked_or_invented_is_refused_everywhere(
    plane: Plane, clients: dict[str, Client]
) -> None:
    client = clients["allowed"]
    tokens = [
        plane.world.token(client, lifetime=0),
        plane.world.token(client, revoked=True),
        "invented",
        plane.world.token(client)[:-1],
    ]
    for route in NAMING:
        for token in tokens:
            assert plane.get(TABLE[route]["path"].format(point=SOLAR), token).status_code == 401


def bare(response: httpx.Response) -> str:
    """The body without the point asked for and references that differ at each request."""
    body = re.sub(rf"{SOLAR}|{UNKNOWN}", "…", response.text)
    return re.sub(r'"(instance|reference)":\s*"[^"]*"', "", body)
