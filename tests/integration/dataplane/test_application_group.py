"""An application in a group of its company's users reads within the group's perimeter, from the next request on."""

from datetime import timedelta
from itertools import product

import pytest

from gridgate.core.roles import Given, ServiceRule, Term, decide_right
from gridgate.dataplane.registry.sqlite import SqliteRegistry
from tests.dataplane_plane import Plane
from tests.dataplane_world import ACME, CHARLIE, CONSO, NOW, SOLAR, TIERS1, Client, days_ago, sha256

ROOT = "/api/v1/metering-points"


@pytest.fixture
def acme(plane: Plane) -> Client:
    plane.world.point(CONSO, holder=ACME)
    plane.world.point(SOLAR, holder=ACME)
    plane.put_curve(CONSO, days_ago(10), 10)
    plane.put_curve(SOLAR, days_ago(10), 10)
    return plane.world.application("acme", ACME, "native")


def listed(plane: Plane, client: Client) -> list[str]:
    page = plane.get(ROOT, plane.token(client)).json()
    return [point["id"] for point in page["metering_points"]]


def status(plane: Plane, client: Client, point: str) -> int:
    query = f"kind=load_curve&direction=withdrawal&start={days_ago(7)}&end={days_ago(0)}"
    return plane.get(f"{ROOT}/{point}/measurements?{query}", plane.token(client)).status_code


def test_without_a_group_it_reads_all(plane: Plane, acme: Client) -> None:
    plane.world.group(ACME, None, [CONSO])
    assert sorted(listed(plane, acme)) == sorted([CONSO, SOLAR])
    assert (status(plane, acme, CONSO), status(plane, acme, SOLAR)) == (200, 200)


def test_in_a_restricted_group_it_reads_its_points_and_finds_no_other(plane: Plane, acme: Client) -> None:
    plane.world.group(ACME, acme, [CONSO])
    assert listed(plane, acme) == [CONSO]
    absent = plane.get(f"{ROOT}/99999999999999", plane.token(acme))
    outside = plane.get(f"{ROOT}/{SOLAR}", plane.token(acme))
    assert (status(plane, acme, CONSO), outside.status_code) == (200, absent.status_code)
    assert status(plane, acme, SOLAR) != 200


def test_in_a_group_that_has_all_points_it_reads_all(plane: Plane, acme: Client) -> None:
    plane.world.group(ACME, None, [CONSO])
    plane.world.group(ACME, acme, None)
    assert sorted(listed(plane, acme)) == sorted([CONSO, SOLAR])


def test_in_a_group_without_the_service_it_reads_nothing_once_another_has_it(
    plane: Plane, acme: Client
) -> None:
    plane.world.group(ACME, acme, None, code="meters")
    assert sorted(listed(plane, acme)) == sorted([CONSO, SOLAR])
    plane.world.group(ACME, None, None)
    acme_again = plane.world.application("acme-2", ACME, "native")
    plane.world.group(ACME, acme_again, None, code="meters")
    assert listed(plane, acme_again) == []


def test_a_group_of_another_company_changes_nothing(plane: Plane, acme: Client) -> None:
    plane.world.group(CHARLIE, None, [])
    plane.world.group(ACME, acme, None, code="meters")
    assert sorted(listed(plane, acme)) == sorted([CONSO, SOLAR])


def test_a_group_that_is_gone_leaves_nothing(plane: Plane, acme: Client) -> None:
    group = plane.world.group(ACME, acme, [CONSO])
    token = plane.token(acme)
    path = f"{ROOT}/{CONSO}"
    assert plane.get(path, token).status_code == 200
    plane.world.db.execute("DELETE FROM organisations_usergroup WHERE id = ?", (group,))
    assert plane.get(path, token).status_code != 200
    assert listed(plane, acme) == []


def test_what_others_share_is_within_the_perimeter_too(plane: Plane, acme: Client) -> None:
    party = plane.world.application("tiers1", TIERS1, "native")
    for point in (CONSO, SOLAR):
        plane.world.line(point, reader=TIERS1, holder=ACME)
    plane.world.group(TIERS1, party, [SOLAR])
    assert listed(plane, party) == [SOLAR]


JUST, HOUR = timedelta(microseconds=1), timedelta(hours=1)
TERMS = [
    None,
    Term(),
    *(Term(NOW + late, None) for late in (-HOUR, timedelta(0), JUST)),
    *(Term(None, NOW + late) for late in (HOUR, timedelta(0), -JUST)),
]
"""Of a service of a group, around the instant of the request; None: the group has it not."""


def test_dates_are_those_of_the_rule_at_the_instant_of_the_request(plane: Plane, acme: Client) -> None:
    """The token was issued before, and no one does anything when a term begins or ends."""
    token = plane.token(acme)
    registry = SqliteRegistry(plane.world.path, zone=plane.config.zone)
    for mine, other in product(TERMS, TERMS[:1] + TERMS[3:7]):
        plane.world.db.execute("DELETE FROM organisations_entitlement")
        for client, term in ((acme, mine), (None, other)):
            dates = term or Term()
            code = "measurements" if term else "meters"
            plane.world.group(ACME, client, [CONSO], code, valid_from=dates.begins, valid_until=dates.ends)
        given = [
            Given(name, mine=name == "mine", term=term)
            for name, term in (("mine", mine), ("other", other))
            if term
        ]
        rule = ServiceRule(open=True)
        said = decide_right(rule, present=True, administrator=False, roles=(), given=given, at=NOW)
        row = registry.token(sha256(token), api="native", metering_point=CONSO, at=NOW)
        assert row is not None
        assert bool(row.access.lines) is said.allowed, (mine, other)
        found = registry.points(row.application, after="", limit=9, at=NOW)
        assert (CONSO in [one.point.id for one in found if one.point]) is said.allowed, (mine, other)
    registry.close()
