"""How the projection's statements are carried out: from the few to the many, whatever the sizes.

What they write is checked against an oracle in `tests/property/test_access_projection.py`.
"""

import pytest
from django.db import connection

from gridgate.sharing import projection
from gridgate.sharing.models import AccessLine
from gridgate.sharing.projection import project_permissions, project_titles, rebuild
from tests.world import World


def plan(tables: str, scope: str, *parameters: str) -> list[str]:
    statement = projection._PERMISSIONS.format(tables=tables, scope=scope)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [step[3] for step in cursor.fetchall() if " USING " in step[3]]


@pytest.mark.django_db
def test_the_lines_of_points_are_found_from_the_points() -> None:
    steps = plan(projection._TITLES_FIRST, "h.metering_point_id IN (%s, %s)", "a", "b")
    assert steps[0].startswith("SEARCH h USING INDEX metering_titleholding_metering_point_id")
    assert steps[1].startswith("SEARCH p ")
    assert "(holder_id=? AND state=?)" in steps[1]


@pytest.mark.django_db
@pytest.mark.parametrize(("scope", "parameters"), [("p.id IN (%s)", ["x"]), ("1 = 1", [])])
def test_the_lines_of_permissions_are_found_from_the_permissions(scope: str, parameters: list[str]) -> None:
    steps = plan(projection._PERMISSIONS_FIRST, scope, *parameters)
    assert steps[0].split()[1] == "p"
    assert steps[1].startswith("SEARCH h ")
    assert "(holder_id=?" in steps[1]
    # A holder of fifty thousand points has as many titles: each is looked up by its point.
    assert next(step for step in steps if step.startswith("SEARCH t ")).endswith("(metering_point_id=?)")


def test_nothing_to_project_is_nothing_to_do(world: World) -> None:
    before = AccessLine.objects.count()
    project_permissions([])
    project_titles([])
    assert AccessLine.objects.count() == before == rebuild()


def test_more_points_than_a_statement_takes_are_taken_in_turns(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(AccessLine.objects.values_list("reader", "metering_point"))
    monkeypatch.setattr(projection, "_CHUNK", 2)
    AccessLine.objects.all().delete()
    project_titles([world.p1.pk, world.p2.pk, world.p3.pk, world.p4.pk, world.p5.pk])
    assert set(AccessLine.objects.values_list("reader", "metering_point")) == before
