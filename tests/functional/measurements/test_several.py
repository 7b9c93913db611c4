"""Several meters at once: which are read, what is drawn, what stands in the address."""

import re
from datetime import date

import numpy as np
import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gridgate.core.quantities import FlowDirection
from gridgate.dataplane.client import DailyTotals
from gridgate.portal.charts import stack
from gridgate.portal.screens.measurements import several
from tests.factories.metering import make_held_point
from tests.factories.organisations import restrict
from tests.functional.home.test_the_home_page import text_of
from tests.measured import Measured
from tests.world import World

PAGE = "/mesures/ensemble/"


@pytest.fixture
def alice(world: World) -> Client:
    return world.client("alice")


def test_nothing_is_read_before_something_is_chosen(alice: Client, measured: Measured) -> None:
    text = text_of(alice.get(PAGE))
    assert "Tous vos compteurs" in text
    assert measured.asked == []


def test_all_are_summed_day_by_day_each_told_apart(alice: Client, world: World, measured: Measured) -> None:
    answer = alice.get(PAGE + "?tous=1&le=2026-11-01")
    text = text_of(answer)
    (asked,) = measured.asked
    count = len(asked) - 2
    assert asked[:2] == (world.acme.legal_name, FlowDirection.WITHDRAWAL)
    assert {world.p1.pk, world.p2.pk, world.p3.pk} <= set(asked[2:])
    assert f"lundi 2 {count * 10},0" in text
    assert answer.content.decode().count('class="c-layer l1"') == 31  # thirty days, and the legend


@pytest.mark.parametrize("look", several.LOOKS)
def test_the_choice_stands_in_every_link(alice: Client, world: World, measured: Measured, look: str) -> None:
    query = f"?compteur={world.p1.pk}&compteur={world.p2.pk}&montrer={look}&vue=mois&le=2026-10-01"
    page = alice.get(PAGE + query).content.decode()
    (asked,) = measured.asked
    assert set(asked[2:]) == {world.p1.pk, world.p2.pk}
    links = re.findall(r'<nav class="seg[^>]*>(.*?)</nav>', page, re.DOTALL)
    addresses = [link for nav in links for link in re.findall(r'href="([^"]+)"', nav)]
    assert len(addresses) >= 9
    for address in addresses:
        assert f"compteur={world.p1.pk}&amp;compteur={world.p2.pk}&amp;montrer=" in address
    assert page.count(" checked>") == 2


def test_the_power_of_all_is_a_curve(alice: Client, world: World, measured: Measured) -> None:
    query = f"?compteur={world.p1.pk}&compteur={world.p2.pk}&grandeur=puissance&vue=jour&le=2026-11-20"
    text = text_of(alice.get(PAGE + query))
    assert "0,8 kW" in text
    assert "Puissance moyenne de tous" in text
    text = text_of(alice.get(PAGE + "?tous=1&grandeur=puissance&vue=annee"))
    assert "deux mois au plus" in text
    assert len(measured.asked) == 1


def test_of_others_nothing_is_read_nor_told(world: World, alice: Client, measured: Measured) -> None:
    theirs = make_held_point(holder=world.charlie.organisation).pk
    for other in (theirs, "99999999999999"):
        measured.asked.clear()
        text = text_of(alice.get(f"{PAGE}?compteur={world.p1.pk}&compteur={other}"))
        assert "Un des compteurs demandés n’est pas parmi ceux que vous voyez." in text
        assert other not in text
        assert [set(asked[2:]) for asked in measured.asked] == [{world.p1.pk}]


def test_all_are_those_of_ones_perimeter(world: World, measured: Measured) -> None:
    restrict(world.bob, [world.p1.pk])
    world.client("bob").get(PAGE + "?tous=1")
    assert [set(asked[2:]) for asked in measured.asked] == [{world.p1.pk}]


def test_too_many_are_said_before_anything_is_read(
    alice: Client, measured: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "&".join(f"compteur={number:014d}" for number in range(51))
    assert "51 compteurs sont choisis un par un, 50 au plus" in text_of(alice.get(f"{PAGE}?{asked}"))
    monkeypatch.setattr(several, "MOST_DAYS", 30)
    assert "sont trop pour une page" in text_of(alice.get(PAGE + "?tous=1"))
    assert measured.asked == []


def test_many_are_asked_for_in_as_many_queries_as_one(
    alice: Client, world: World, measured: Measured
) -> None:
    alice.get(PAGE)  # what a session asks for once
    asked = []
    for query in (f"?compteur={world.p1.pk}", "?tous=1"):
        with CaptureQueriesContext(connection) as queries:
            alice.get(PAGE + query)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_measurements_that_do_not_answer_are_said_so(alice: Client, measured: Measured) -> None:
    measured.broken = True
    assert "ne répondent pas" in text_of(alice.get(PAGE + "?tous=1"))


def test_the_search_finds_what_may_be_ticked_and_keeps_what_is(
    alice: Client, world: World, measured: Measured
) -> None:
    page = alice.get(f"{PAGE}?compteur={world.p1.pk}&q={world.p2.pk}").content.decode()
    ticked = re.findall(r'"checkbox" name="compteur" value="(\d+)"( checked)?', page)
    assert ticked == [(world.p1.pk, " checked"), (world.p2.pk, "")]


def test_by_site_those_of_one_address_are_one() -> None:
    query = QueryDict("vue=jour&le=2026-11-20&grandeur=energie&montrer=sites&tous=1")
    chosen = several.read_chosen(query)
    shown = several.read_shown(
        query, chosen, directions=1, span=lambda _kind, _flow: (date(2026, 1, 1), date(2026, 11, 24))
    )
    totals = DailyTotals(["a", "b", "c"], [date(2026, 11, 20)], np.array([[1_000.0], [2_000.0], [np.nan]]))
    names = {"a": "Usine", "b": "Bureaux", "c": "Quai"}
    found = several.energy_together(
        totals, names, {"a": "1 rue X", "b": "1 rue X"}, shown, chosen, today=date(2026, 11, 24)
    )
    assert [(one.name, one.point, one.count, one.energy, one.lacking) for one in found.members] == [
        ("1 rue X", "", 2, "3,0", ""),
        ("Quai", "c", 1, "", "1"),
    ]


def test_layers_stand_on_each_other_and_none_is_lost() -> None:
    drawn = stack([("a", [1, None]), ("b", [3, None])], labels=["", ""], names=["x", "y"], unit="kWh")
    low, high = drawn.pieces
    assert (low.y, low.height, high.y, high.height) == ("75%", "25%", "0%", "75%")
    assert len(drawn.gaps) == 1
    with pytest.raises(ValueError, match="7 layers"):
        stack([("a", [1])] * 7, labels=[""], names=["x"], unit="kWh")


def test_beyond_six_the_lowest_are_together() -> None:
    groups = [several._Group(str(n), str(n), 1, [float(10 - n), None], 0) for n in range(9)]
    layers = several._layers(groups)
    assert [name for name, _values in layers] == ["0", "1", "2", "3", "4", "4 autres"]
    assert layers[-1][1] == [5.0 + 4 + 3 + 2, None]
