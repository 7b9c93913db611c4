"""`/administration/`: the operator's registry, a company's users, or a refusal."""

import pytest

from gridgate.organisations.operations.services import give
from tests.factories.organisations import make_group
from tests.world import World


def test_the_operators_staff_find_the_registry(world: World) -> None:
    page = world.client("operateur").get("/administration/")
    assert page.status_code == 200
    assert "figures" in page.context


@pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
def test_a_companys_administrator_is_led_to_its_users(world: World, who: str) -> None:
    page = world.client(who).get("/administration/")
    assert (page.status_code, page["Location"]) == (302, "/administration/utilisateurs/")


def test_so_is_whoever_manages_its_users(world: World) -> None:
    group = make_group(world.acme, "Ressources humaines", [world.acme_user], {})
    assert world.client("acme_user").get("/administration/").status_code == 403
    give(group=group, code="users", now=world.now)
    page = world.client("acme_user").get("/administration/")
    assert (page.status_code, page["Location"]) == (302, "/administration/utilisateurs/")


@pytest.mark.parametrize("who", ["bob", "acme_user"])
def test_others_are_told_that_it_is_not_theirs(world: World, who: str) -> None:
    assert world.client(who).get("/administration/").status_code == 403
