"""Visualiser vos mesures, on a real server and the demo world."""

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from gridgate.core.time import Resolution, slot_start
from gridgate.demo import cast
from tests.api_session import calling
from tests.browser_session import signed_in
from tests.comparing import without_what_differs
from tests.demo_days import PARIS, slots, today_of
from tests.instance import Server

FACTORY, SOLAR, OF_CLIENT_B = "30001480112233", "30001480112266", "30003690334401"
NOBODYS = "30009999999999"


@pytest.fixture(scope="module")
def alice(demo_server: Server) -> Iterator[httpx.Client]:
    with signed_in(demo_server, "alice") as client:
        yield client


def test_the_screen_the_export_and_the_api_say_the_same_energy(
    demo_server: Server, alice: httpx.Client
) -> None:
    last = today_of(demo_server) - timedelta(days=1)
    start = last - timedelta(days=last.weekday())
    end = start + timedelta(days=7)
    page = _text(alice.get(f"/mesures/{FACTORY}/").text)
    shown = re.search(r"Énergie soutirée ([\d ]+) kWh", page)
    assert shown

    exported = alice.get(f"/mesures/{FACTORY}/export.csv", params={"vue": "semaine", "le": str(start)})
    rows = list(csv.reader(io.StringIO(exported.text)))[1:]
    column = max(range(len(rows[0])), key=lambda at: rows[0][at].isdigit())
    from_csv = sum(int(row[column]) for row in rows) * 600 / 3600

    with calling(demo_server, "acme") as acme:
        answer = acme.get(
            f"/api/v1/metering-points/{FACTORY}/measurements",
            params={"kind": "load_curve", "direction": "withdrawal", "start": str(start), "end": str(end)},
        )
    from_api = sum(sum(segment["values"]) for segment in answer.json()["segments"]) * 600 / 3600
    assert from_api == from_csv
    assert int(shown.group(1).replace(" ", "")) == round(from_api / 1000)


@pytest.mark.parametrize("values", [138, 150, 144])
def test_the_days_of_the_clock_change_are_whole(
    demo_server: Server, alice: httpx.Client, values: int
) -> None:
    # From one of them to that of the next year it is 371 days at most.
    days = (today_of(demo_server) - timedelta(days=n) for n in range(1, 372))
    day = next(day for day in days if slots(day, Resolution.PT10M) == values)
    page = _text(alice.get(f"/mesures/{FACTORY}/", params={"vue": "jour", "le": str(day)}).text)
    assert f"{values} valeurs sur {values}" in page


def test_a_gap_an_estimate_and_a_correction_show(alice: httpx.Client, demo_server: Server) -> None:
    today = today_of(demo_server)
    days = {"du": str(today - timedelta(days=26)), "au": str(today - timedelta(days=14))}
    page = _text(alice.get("/mesures/30001480112244/", params=days).text)
    gap, estimated, corrected = (
        today - timedelta(days=ago)
        for ago in (cast.GAP_DAYS_AGO, cast.ESTIMATED_DAYS_AGO, cast.CORRECTED_DAYS_AGO)
    )
    begin, end = (slot_start(gap, slot, Resolution.PT10M, PARIS).astimezone(PARIS) for slot in (12, 42))
    assert f"de {begin:%H:%M} à {end:%H:%M}" in page
    assert "30 valeurs manquent" in page
    assert f"dont {slots(estimated, Resolution.PT10M)} estimées" in page
    assert f"dont {slots(corrected, Resolution.PT10M)} corrigées" in page


def test_injection_has_its_own_figures(alice: httpx.Client) -> None:
    page = _text(alice.get(f"/mesures/{SOLAR}/", params={"sens": "injection", "vue": "mois"}).text)
    assert "Énergie injectée" in page
    assert "Souscrite" not in page


@pytest.mark.parametrize("quantity", ["puissance", "energie", "maximum", "index"])
@pytest.mark.parametrize("view", ["jour", "semaine", "mois", "annee"])
def test_every_quantity_has_every_view(
    demo_server: Server, alice: httpx.Client, quantity: str, view: str
) -> None:
    day = today_of(demo_server) - timedelta(days=90)
    answer = alice.get(f"/mesures/{FACTORY}/", params={"grandeur": quantity, "vue": view, "le": str(day)})
    assert answer.status_code == 200
    assert "Rien à montrer" not in answer.text


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ({"du": "2026-02-30", "au": "2026-03-02"}, "Donnez les deux dates"),
        ({"du": "2026-03-10", "au": "2026-03-02"}, "précède la date de début"),
        ({"du": "2020-01-01", "au": "2026-03-02"}, "Trois ans au plus"),
    ],
)
def test_dates_that_make_no_sense_are_said_and_kept(
    alice: httpx.Client, dates: dict[str, str], says: str
) -> None:
    page = html.unescape(alice.get(f"/mesures/{FACTORY}/", params=dates).text)
    assert says in page
    assert f'value="{dates["du"]}"' in page


def test_the_list_of_values_is_exported_in_both_forms(alice: httpx.Client) -> None:
    page = alice.get(f"/mesures/{FACTORY}/valeurs/").text
    assert "format=excel" in page
    assert "format=xlsx" in page


def test_another_company_s_point_looks_absent(alice: httpx.Client) -> None:
    theirs, none = (alice.get(f"/mesures/{point}/") for point in (OF_CLIENT_B, NOBODYS))
    assert theirs.status_code == none.status_code == 404
    assert without_what_differs(theirs.text, OF_CLIENT_B) == without_what_differs(none.text, NOBODYS)
    for address in ("valeurs/", "export.csv", "serie.json"):
        assert alice.get(f"/mesures/{OF_CLIENT_B}/{address}").status_code == 404


def test_a_colleague_sees_the_points_of_the_perimeter_only(demo_server: Server) -> None:
    with signed_in(demo_server, "bob") as bob:
        assert bob.get(f"/mesures/{FACTORY}/").status_code == 200
        assert bob.get("/mesures/30001480112255/").status_code == 404


def test_english_is_complete(demo_server: Server) -> None:
    with signed_in(demo_server, "alice", language="en") as alice:
        page = _text(alice.get(f"/mesures/{FACTORY}/").text)
    assert "Energy withdrawn" in page
    assert not re.search(r"Énergie|Puissance|Qualité|Données", page)


def _text(page: str) -> str:
    body = re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"[\s\u00a0\u202f]+", " ", html.unescape(body)).strip()
