"""Several meters at once: which are read, what is drawn, what stands in the address."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars
import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gridgate.core.quantities import FlowDirection
from gridgate.core.sharing import Granted, RefusalReason, Refused
from gridgate.core.time import Interval, civil_day_bounds
from gridgate.dataplane.client import DailyTotals, Decided
from gridgate.portal.kit.charts.stack import stack
from gridgate.portal.screens.measurements import (
    choosing,
    energy_of_several,
    export_of_several,
    several,
    together,
    uncounted,
)
from gridgate.portal.screens.measurements.several import Together
from tests.dataplane_world import PARIS
from tests.factories.metering import make_held_point
from tests.factories.organisations import restrict
from tests.functional.home.test_the_home_page import text_of
from tests.measured import TITLE, Measured
from tests.world import World

PAGE = "/mesures/ensemble/"


def start_of(day: date) -> datetime:
    return civil_day_bounds(day, PARIS).start


ALWAYS = Granted(TITLE, Interval(start_of(date(2020, 1, 1)), None))


@pytest.fixture
def alice(world: World) -> Client:
    return world.client("alice")


def test_nothing_is_read_before_something_is_chosen(alice: Client, measured: Measured) -> None:
    text = text_of(alice.get(PAGE))
    assert "Tous vos compteurs" in text
    assert measured.asked == []


def test_meters_that_are_not_listed_are_told(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 61, thirty stand there, and nothing said that there are more."""
    more = "D’autres compteurs ne sont pas listés ici"
    page = alice.get(PAGE).content.decode()
    count = page.count('name="compteur"')
    assert more not in page
    monkeypatch.setattr(together, "OFFERED", count)
    assert more not in alice.get(PAGE).content.decode()
    monkeypatch.setattr(together, "OFFERED", count - 1)
    page = alice.get(PAGE).content.decode()
    assert more in page
    assert page.count('name="compteur"') == count - 1


def test_all_are_summed_day_by_day_each_told_apart(alice: Client, world: World, measured: Measured) -> None:
    answer = alice.get(PAGE + "?tous=1&le=2026-11-01")
    text = text_of(answer)
    (asked,) = measured.asked
    count = len(asked) - 2
    assert asked[:2] == (world.acme.legal_name, FlowDirection.WITHDRAWAL)
    assert {world.p1.pk, world.p2.pk, world.p3.pk} <= set(asked[2:])
    assert f"lundi 2 {count * 10},0" in text
    assert answer.content.decode().count('class="c-layer l1"') == 31  # thirty days, and the legend


@pytest.mark.parametrize("look", choosing.LOOKS)
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


def test_power_says_how_many_have_a_curve(alice: Client, world: World, measured: Measured) -> None:
    """Two were chosen: the sum is of one, whose days the table tells."""
    measured.silent.add(world.p2.pk)
    query = f"?compteur={world.p1.pk}&compteur={world.p2.pk}&grandeur=puissance&vue=jour&le=2026-11-20"
    assert "Compteurs 2 1 au plus ont des valeurs en même temps" in text_of(alice.get(PAGE + query))


@pytest.mark.parametrize("quantity", ["energie", "puissance"])
def test_which_of_those_chosen_are_not_counted_is_said(
    alice: Client, world: World, measured: Measured, quantity: str
) -> None:
    """Two stood above a sum of one, and nothing told which."""
    query = f"{PAGE}?compteur={world.p1.pk}&compteur={world.p2.pk}&grandeur={quantity}&vue=jour&le=2026-11-20"
    assert "est compté." not in text_of(alice.get(query))
    measured.unreadable.add(world.p2.pk)
    text = text_of(alice.get(query))
    assert "2 compteurs choisis" in text
    assert "1 des 2 compteurs choisis est compté." in text
    assert "Pas ouverts à la lecture pour ces jours : Lyon Gerland, atelier sud." in text
    measured.unreadable.add(world.p1.pk)
    assert "Aucun des 2 compteurs choisis n’est compté." in text_of(alice.get(query))


def test_those_not_counted_are_told_by_reason_a_few_by_name() -> None:
    granted = Granted(TITLE, Interval(datetime(2026, 11, 1, tzinfo=UTC), None))
    refused = {
        "early": RefusalReason.BEFORE_HISTORY,
        "left": RefusalReason.AFTER_TITLE,
        "sold": RefusalReason.HOLDER_LEFT,
        "back": RefusalReason.BETWEEN_TITLES,
    }
    decided = Decided({"a": granted, "b": granted}, {point: Refused(why) for point, why in refused.items()})
    chosen = [*"ab", *refused, *(f"solar {n}" for n in range(7))]
    found = several.Together()
    uncounted.say_uncounted(found, {point: point.upper() for point in chosen}, decided)
    assert found.counted == "2 des 13 compteurs choisis sont comptés."
    assert found.uncounted == [
        "Pas encore à votre entreprise ces jours-là\u202f: EARLY.",
        "Plus à votre entreprise ces jours-là\u202f: LEFT\u00a0· SOLD.",
        "À votre entreprise avant et après, pas ces jours-là\u202f: BACK.",
        "Sans mesure dans ce sens\u202f: "
        + "\u00a0· ".join(["SOLAR 0", "SOLAR 1", "SOLAR 2", "SOLAR 3", "SOLAR 4", "2 autres."]),
    ]


def test_without_meters_there_is_no_choice(world: World, alice: Client) -> None:
    """It offered one, and said that none answers a search that nobody made."""
    page = world.client("operateur").get(PAGE).content.decode()
    assert "Vous n’avez aucun compteur à choisir." in page
    assert "Votre compteur" not in page
    assert "recherche" not in page[page.index("<main") : page.index("</main>")]
    assert 'name="tous"' not in page
    assert "ne répond à cette recherche" in text_of(alice.get(PAGE + "?q=nulle+part"))


def test_days_that_are_none_are_said_to_be_that(alice: Client, world: World, measured: Measured) -> None:
    text = text_of(alice.get(f"{PAGE}?compteur={world.p1.pk}&vue=dates&du=2026-02-01&au=2026-01-01"))
    assert "précède la date de début" in text
    assert "n’a ce sens" not in text
    assert measured.asked == []


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


def _energy_of(query: str, totals: DailyTotals, names: dict[str, str], sites: dict[str, str]) -> Together:
    asked = QueryDict(query)
    chosen = choosing.read_chosen(asked)
    shown = choosing.read_shown(
        asked, chosen, directions=1, span=lambda _kind, _flow: (date(2026, 1, 1), date(2026, 11, 24))
    )
    today = date(2026, 11, 24)
    return energy_of_several.energy_together(totals, names, sites, shown, chosen, today=today, zone=PARIS)


def test_by_site_those_of_one_address_are_one() -> None:
    names = {"a": "Usine", "b": "Bureaux", "c": "Quai"}
    values = np.array([[1_000.0], [2_000.0], [np.nan]])
    totals = DailyTotals(list(names), [date(2026, 11, 20)], values, Decided(dict.fromkeys(names, ALWAYS)))
    found = _energy_of(
        "vue=jour&le=2026-11-20&grandeur=energie&montrer=sites&tous=1",
        totals,
        names,
        {"a": "1 rue X", "b": "1 rue X"},
    )
    assert [(one.name, one.point, one.count, one.energy, one.lacking) for one in found.members] == [
        ("1 rue X", "", 2, "3,0", ""),
        ("Quai", "c", 1, "", "1"),
    ]


def test_no_value_is_lacking_on_days_on_which_another_held_the_meter() -> None:
    days = [date(2026, 11, day) for day in range(16, 26)]
    values = np.full((3, len(days)), np.nan)
    values[:, 5] = 1_000.0
    there = {
        "always": ALWAYS,
        "come": Granted(TITLE, Interval(start_of(date(2026, 11, 19)), None)),
        "left and back": Granted(
            TITLE,
            Interval(start_of(date(2026, 11, 21)), start_of(date(2026, 11, 23))),
            (Granted(TITLE, Interval(start_of(date(2026, 11, 1)), start_of(date(2026, 11, 18)))),),
        ),
    }
    totals = DailyTotals(list(there), days, values, Decided(there))
    found = _energy_of(
        "vue=dates&du=2026-11-16&au=2026-11-25&grandeur=energie&tous=1", totals, dict.fromkeys(there, ""), {}
    )
    assert {one.point: one.lacking for one in found.members} == {
        "always": "7",
        "come": "4",
        "left and back": "3",
    }


def test_layers_stand_on_each_other_and_none_is_lost() -> None:
    drawn = stack([("a", [1, None]), ("b", [3, None])], labels=["", ""], names=["x", "y"], unit="kWh")
    low, high = drawn.pieces
    assert (low.y, low.height, high.y, high.height) == ("75%", "25%", "0%", "75%")
    assert len(drawn.gaps) == 1
    with pytest.raises(ValueError, match="7 layers"):
        stack([("a", [1])] * 7, labels=[""], names=["x"], unit="kWh")


def test_beyond_six_the_lowest_are_together() -> None:
    groups = [energy_of_several._Group(str(n), str(n), 1, [float(10 - n), None], 0) for n in range(9)]
    layers = energy_of_several._layers(groups)
    assert [name for name, _values in layers] == ["0", "1", "2", "3", "4", "4 autres"]
    assert layers[-1][1] == [5.0 + 4 + 3 + 2, None]


def test_beyond_what_a_table_holds_the_lowest_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [energy_of_several._Group(str(n), str(n), 1, [float(100 - n)], 0) for n in range(9)]
    monkeypatch.setattr(energy_of_several, "MOST_LISTED", 7)
    assert [member.name for member in energy_of_several._members(groups)] == [str(n) for n in range(7)]
    assert "2 autres, plus bas, ont ensemble 185 kWh" in energy_of_several._unlisted(groups)
    assert energy_of_several._unlisted(groups[:7]) == ""


class TestExport:
    def test_is_a_row_for_each_value_of_the_meters_chosen(
        self, alice: Client, world: World, measured: Measured
    ) -> None:
        query = f"?compteur={world.p1.pk}&compteur={world.p2.pk}&vue=jour&le=2026-11-20"
        answer = alice.get(f"{PAGE}export{query}&format=csv")
        rows = list(csv.reader(io.StringIO(body(answer).decode())))
        assert rows[0] == list(export_of_several.COLUMNS)
        day = "2026-11-20T00:00:00+01:00", "2026-11-21T00:00:00+01:00"
        assert {(row[0], *row[2:]) for row in rows[1:]} == {
            (point.pk, "daily_energy", "withdrawal", *day, "10000", "Wh", "measured")
            for point in (world.p1, world.p2)
        }
        assert len(measured.asked) == 1

    def test_comes_some_meters_at_a_time_each_read_before_its_rows(
        self, alice: Client, world: World, measured: Measured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(export_of_several, "ROWS_AT_ONCE", 30)
        answer = alice.get(PAGE + "export?tous=1&le=2026-11-01&format=excel")
        text = body(answer).decode("utf-8-sig")
        assert [len(asked) - 2 for asked in measured.asked] == [1] * len(measured.asked)
        assert text.count("\r\n") == 1 + 30 * len(measured.asked)

    @pytest.mark.parametrize("form", ["xlsx", "parquet"])
    def test_as_other_files(self, alice: Client, world: World, measured: Measured, form: str) -> None:
        answer = alice.get(
            f"{PAGE}export?compteur={world.p1.pk}&grandeur=puissance&vue=jour&le=2026-11-20&format={form}"
        )
        content = io.BytesIO(body(answer))
        if form == "parquet":
            frame = polars.read_parquet(content)
            assert (frame.height, frame["value"].unique().to_list()) == (48, [417.0])
            assert frame["metering_point"].unique().to_list() == [world.p1.pk]
        else:
            assert content.getvalue()[:2] == b"PK"

    @pytest.mark.parametrize(
        "query", ["", "?tous=1&format=doc", "?tous=1&du=x&au=y", "?compteur=99999999999999"]
    )
    def test_of_nothing_is_no_file(self, alice: Client, measured: Measured, query: str) -> None:
        assert alice.get(f"{PAGE}export{query}").status_code == 404
        assert measured.asked == []

    def test_of_others_is_no_file(self, world: World, alice: Client, measured: Measured) -> None:
        theirs = make_held_point(holder=world.charlie.organisation).pk
        assert alice.get(f"{PAGE}export?compteur={theirs}").status_code == 404
        restrict(world.bob, [world.p1.pk])
        assert world.client("bob").get(f"{PAGE}export?compteur={world.p2.pk}").status_code == 404
        assert measured.asked == []

    def test_of_too_much_is_offered_to_nobody(
        self, alice: Client, measured: Measured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "format=parquet" in alice.get(PAGE + "?tous=1").content.decode()
        allow(monkeypatch, most=10)
        page = alice.get(PAGE + "?tous=1")
        assert "Trop de valeurs pour un fichier" in text_of(page)
        assert "format=parquet" not in page.content.decode()
        assert alice.get(PAGE + "export?tous=1").status_code == 404

    def test_that_cannot_be_read_is_a_page_and_no_file_that_breaks_off(
        self, alice: Client, measured: Measured
    ) -> None:
        measured.broken = True
        assert alice.get(PAGE + "export?tous=1&grandeur=puissance").status_code == 503
        page = text_of(alice.get(PAGE + "?tous=1&grandeur=puissance"))
        assert "Les mesures ne répondent pas" in page
        assert "Trop de valeurs" not in page

    def test_is_offered_by_the_steps_in_which_it_is_kept(
        self, alice: Client, measured: Measured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ten-minute curves have three times as many values as half hours."""
        page = PAGE + "?tous=1&grandeur=puissance&vue=jour&le=2026-11-20"
        half_hours = measured.steps_within
        allow(monkeypatch, most=250)
        assert "format=parquet" in alice.get(page).content.decode()
        monkeypatch.setattr(measured, "steps_within", lambda *asked: 3 * half_hours(*asked))
        assert "Trop de valeurs pour un fichier" in text_of(alice.get(page))

    def test_that_takes_long_is_offered_as_one_that_is_prepared(
        self, alice: Client, measured: Measured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        allow(monkeypatch, at_once=10, forms=("xlsx",))
        page = alice.get(PAGE + "?tous=1&le=2026-11-01").content.decode()
        assert "format=xlsx" not in page
        assert '<button class="btn wide" name="format" value="xlsx">' in page
        assert "format=csv" in page
        measured.asked.clear()
        led = alice.get(PAGE + "export?tous=1&le=2026-11-01&format=xlsx")
        assert led["Location"].startswith(f"{PAGE}?tous=1&montrer=somme&vue=mois")
        assert measured.asked == []


def allow(
    monkeypatch: pytest.MonkeyPatch, forms: Iterable[str] = export_of_several.FORMATS, **limits: int
) -> None:
    """Other numbers of rows of a file."""
    for form in forms:
        monkeypatch.setitem(
            export_of_several.FORMATS, form, replace(export_of_several.FORMATS[form], **limits)
        )


def body(answer: Any) -> bytes:
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    found = b"".join(answer.streaming_content)
    answer.close()
    return found
