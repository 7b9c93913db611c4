"""The tables that the data plane reads by SQL are those that the portal plane's migrations make."""

import re
import sqlite3

import pytest
from django.db import connection

from gridgate.dataplane.registry import statements
from tests.dataplane_world import SCHEMA

pytestmark = pytest.mark.django_db

STATEMENTS = {
    "token": statements.TOKEN,
    "access": statements.ACCESS,
    "points": statements.POINTS,
    "reach": statements.REACH,
    "reach of a site": statements.REACH_AT,
    "reach within a perimeter": statements.REACH_WITHIN,
    "perimeters": statements.PERIMETERS,
    "credential": statements.CREDENTIAL,
}
PARAMETERS = dict.fromkeys(
    (
        "token",
        "api",
        "point",
        "today",
        "instant",
        "reader",
        "application",
        "after",
        "limit",
        "now",
        "client_id",
        "site",
        "perimeter",
    ),
    "",
)


def migrated() -> sqlite3.Connection:
    connection.ensure_connection()
    found = connection.connection
    assert isinstance(found, sqlite3.Connection)
    return found


def test_the_small_schema_of_the_tests_is_a_part_of_the_real_one() -> None:
    small = sqlite3.connect(":memory:")
    small.executescript(SCHEMA)
    for table in re.findall(r"CREATE TABLE (\w+)", SCHEMA):
        ours, theirs = (
            {row[1] for row in db.execute(f"PRAGMA table_info({table})").fetchall()}
            for db in (small, migrated())
        )
        assert ours
        assert ours <= theirs, table
    small.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_finds_its_rows_by_an_index(name: str) -> None:
    plan = migrated().execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", PARAMETERS).fetchall()
    scans = [row[3] for row in plan if row[3].startswith("SCAN") and "page" not in row[3]]
    assert scans == [], plan


@pytest.mark.parametrize("name", ["token", "credential"])
def test_the_small_schema_finds_rows_by_an_index_where_the_real_one_does(name: str) -> None:
    """What every request asks: benchmarks serve a registry of the small schema, which has no groups of users."""
    small = sqlite3.connect(":memory:")
    small.executescript(SCHEMA)
    plan = small.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", PARAMETERS).fetchall()
    small.close()
    scans = {row[3] for row in plan if row[3].startswith("SCAN")}
    assert scans <= {"SCAN any_e", "SCAN e", "SCAN pp"}, plan


@pytest.mark.parametrize("name", ["token", "access", "points"])
def test_states_of_a_collection_are_looked_for_among_those_of_the_point(name: str) -> None:
    """A holder may have a hundred thousand points."""
    plan = migrated().execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name]}", PARAMETERS).fetchall()
    (found,) = [row[3] for row in plan if row[3].startswith("SEARCH c ")]
    assert found.endswith("(metering_point_id=?)")
