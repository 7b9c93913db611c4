"""Each company sees its points as they are or were in its own time, on every channel; on a real server.

ACME leaves two points to Client B by the operator's files: the factory on the day, the workshop in a month. Both change
their name, address, power, segment and directions with it.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from gridgate.demo import cast
from tests.api_session import calling
from tests.browser_session import signed_in
from tests.demo_days import today_of
from tests.instance import Server, demo_copy, run_gridgate

FACTORY, WORKSHOP = "30001480112233", "30001480112244"
POINTS = "id,segment,directions,address,postcode,city,subscribed_power_kva,activated_on,label,valid_from"
HOLDERS = "metering_point_id,siren,legal_name,valid_from,valid_to"
AFTER = {
    FACTORY: "P3,injection,9 quai des Suivants,35000,Rennes,4321,2018-04-16,Halle nouvelle",
    WORKSHOP: "P2,injection,8 place du Lendemain,35700,Rennes,8765,2018-04-16,Atelier futur",
}
TRACES = {
    FACTORY: ("Halle nouvelle", "quai des Suivants", "4\u202f321"),
    WORKSHOP: ("Atelier futur", "place du Lendemain", "8\u202f765"),
}


@dataclass(frozen=True)
class Moved:
    server: Server
    today: date
    later: date
    before: dict[str, cast.Point]

    def names_of_today(self, point: str) -> tuple[str, ...]:
        """What the demo world says of a point, and nothing else does."""
        said = self.before[point]
        return said.label, said.street, f"{said.kva:g}"


@pytest.fixture(scope="module")
def moved(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    folder = tmp_path_factory.mktemp("moved")
    with demo_copy(demo_template, folder) as server:
        today = today_of(server)
        later = today + timedelta(days=30)
        points, holders = folder / "points.csv", folder / "holders.csv"
        points.write_text(
            "\n".join([POINTS, f"{FACTORY},{AFTER[FACTORY]},", f"{WORKSHOP},{AFTER[WORKSHOP]},{later}", ""])
        )
        holders.write_text(
            "\n".join(
                [
                    HOLDERS,
                    f"{FACTORY},{cast.CLIENT_B[1]},,{today},",
                    f"{WORKSHOP},{cast.CLIENT_B[1]},,{later},",
                    "",
                ]
            )
        )
        for kind, file in (("points", points), ("holders", holders)):
            run_gridgate("import", kind, str(file), data=server.data)
        yield Moved(server, today, later, {point.id: point for point in cast.POINTS})


@pytest.fixture(scope="module")
def alice(moved: Moved) -> Iterator[httpx.Client]:
    with signed_in(moved.server, "alice") as client:
        yield client


@pytest.fixture(scope="module")
def charlie(moved: Moved) -> Iterator[httpx.Client]:
    with signed_in(moved.server, "charlie") as client:
        yield client


PAGES = (
    "/compteurs/",
    "/compteurs/export.csv",
    "/compteurs/{point}/",
    "/mesures/{point}/",
    "/mesures/{point}/valeurs/",
    "/partage/",
    "/journal/",
    "/collecte/",
    "/",
)


class TestTheFormerHolder:
    @pytest.mark.parametrize("address", PAGES)
    def test_reads_nothing_of_what_the_point_became(
        self, moved: Moved, alice: httpx.Client, address: str
    ) -> None:
        for point in (FACTORY, WORKSHOP):
            page = alice.get(address.format(point=point))
            assert page.status_code == 200, address
            assert not [trace for trace in TRACES[point] if trace in page.text], (address, point)

    def test_still_reads_what_it_was(self, moved: Moved, alice: httpx.Client) -> None:
        label, street, kva = moved.names_of_today(FACTORY)
        page = alice.get(f"/compteurs/{FACTORY}/").text
        assert label in page
        assert street in page
        assert "Vous n’êtes plus titulaire" in page
        row = row_of(alice, FACTORY)
        assert (row["Nom du site"], row["Segment"], float(row["Puissance souscrite (kVA)"])) == (
            label,
            moved.before[FACTORY].segment,
            float(kva),
        )
        assert row["Courbe de charge"] == ""

    @pytest.mark.parametrize("query", ["q=Halle+nouvelle", "q=Suivants", "q=Rennes", "segment=P3"])
    def test_finds_nothing_by_the_new_values(self, alice: httpx.Client, query: str) -> None:
        assert f"/compteurs/{FACTORY}/" not in alice.get(f"/compteurs/?{query}").text

    def test_s_program_is_told_what_it_was(self, moved: Moved) -> None:
        before = moved.before[FACTORY]
        with calling(moved.server, "acme") as program:
            listed = program.get("/api/v1/metering-points?limit=200").json()["metering_points"]
            alone = program.get(f"/api/v1/metering-points/{FACTORY}").json()
        for told in (next(one for one in listed if one["id"] == FACTORY), alone):
            assert told["segment"] == before.segment
            assert told["subscribed_power_kva"] == before.kva
            assert told["directions"] == [direction.value for direction in before.directions]

    def test_does_not_write_its_people_into_the_next_holder_s_journal(
        self, moved: Moved, alice: httpx.Client, charlie: httpx.Client
    ) -> None:
        tomorrow = moved.today + timedelta(days=1)
        alice.get(f"/mesures/{FACTORY}/", params={"vue": "jour", "le": str(tomorrow)})
        with calling(moved.server, "acme") as program:
            refused = program.get(
                f"/api/v1/metering-points/{FACTORY}/measurements",
                params={
                    "kind": "load_curve",
                    "direction": "withdrawal",
                    "start": str(tomorrow),
                    "end": str(tomorrow + timedelta(days=1)),
                },
            )
            assert refused.status_code == 200
            assert not refused.json()["segments"]
        assert not lines_of("ACME", journal(charlie))


class TestTheNextHolder:
    def test_reads_what_the_point_is_now(self, charlie: httpx.Client) -> None:
        page = charlie.get(f"/compteurs/{FACTORY}/").text
        assert "Halle nouvelle" in page
        assert "4\u202f321" in page
        assert row_of(charlie, FACTORY)["Segment"] == "P3"

    @pytest.mark.parametrize("address", PAGES)
    def test_reads_nothing_of_what_it_was(self, moved: Moved, charlie: httpx.Client, address: str) -> None:
        page = charlie.get(address.format(point=FACTORY))
        assert page.status_code == 200, address
        label, street, _ = moved.names_of_today(FACTORY)
        assert label not in page.text
        assert street not in page.text

    def test_is_told_of_no_collection_decided_before(self, charlie: httpx.Client) -> None:
        row = row_of(charlie, FACTORY)
        assert (row["Courbe de charge"], row["Courbe de charge depuis"]) == ("Inactive", "")
        page = charlie.get(f"/compteurs/{FACTORY}/").text
        assert "États de la collecte" not in page
        assert "sans données" not in charlie.get("/").text, "held since today: nothing is late"

    def test_is_told_of_no_data_from_before(self, moved: Moved, charlie: httpx.Client) -> None:
        assert "Aucune mesure n’est encore arrivée" in charlie.get(f"/compteurs/{FACTORY}/").text
        row = next(
            row for row in charlie.get("/compteurs/").text.split("<tr ") if f"/compteurs/{FACTORY}/" in row
        )
        assert "Sans données" in row


class TestTheComingHolder:
    def test_knows_the_day_and_the_number_and_no_more(self, moved: Moved, charlie: httpx.Client) -> None:
        page = charlie.get(f"/compteurs/{WORKSHOP}/").text
        assert "Ce point n’est pas encore à vous" in page
        row = row_of(charlie, WORKSHOP)
        known = {name: value for name, value in row.items() if value}
        assert known == {"Point de comptage": WORKSHOP, "Titulaire depuis": str(moved.later)}
        listed = charlie.get("/compteurs/").text
        for told in (page, listed):
            assert not [
                trace for trace in (*TRACES[WORKSHOP], *moved.names_of_today(WORKSHOP)[:2]) if trace in told
            ]

    @pytest.mark.parametrize("page", ["", "valeurs/", "export.csv", "serie.json"])
    def test_has_no_measurements_yet(self, charlie: httpx.Client, page: str) -> None:
        assert charlie.get(f"/mesures/{WORKSHOP}/{page}").status_code == 404

    def test_leaves_no_trace_in_the_present_holder_s_journal(
        self, moved: Moved, alice: httpx.Client, charlie: httpx.Client
    ) -> None:
        for address in PAGES:
            charlie.get(address.format(point=WORKSHOP))
        assert not lines_of("Client B", journal(alice))


def row_of(client: httpx.Client, point: str) -> dict[str, str]:
    exported = client.get("/compteurs/export.csv")
    rows = csv.DictReader(
        io.StringIO(exported.text.lstrip("\ufeff")),
        delimiter=";" if ";" in exported.text.splitlines()[0] else ",",
    )
    return next(row for row in rows if point in row["Point de comptage"])


def journal(client: httpx.Client) -> str:
    return client.get("/journal/export.csv").text


def lines_of(reader: str, exported: str) -> list[str]:
    return [line for line in exported.splitlines()[1:] if reader in line]
