"""`/api/v1/aggregates`: what is summed, of which points, and what is logged of it."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.handles import handle_of
from gridgate.dataplane.registry.sqlite import SqliteRegistry
from gridgate.dataplane.store import sqlite
from gridgate.dataplane.store.port import DayBlock, SeriesKey
from gridgate.facades.native import aggregates
from tests.dataplane_plane import INJECTION, SECRET, WITHDRAWAL, Plane, daily
from tests.dataplane_world import (
    ACME,
    BOTH_WAYS,
    CHARLIE,
    CONSO,
    FOREIGN,
    NOW,
    SOLAR,
    TIERS1,
    UNKNOWN,
    Client,
    days_ago,
    midnight,
)
from tests.integration.dataplane.test_native import problem

ROOT = "/api/v1/aggregates"
PERIMETERS = "/api/v1/perimeters"


def path(
    *points: str,
    kind: str = "load_curve",
    step: str = "PT30M",
    direction: str = "withdrawal",
    start: object = days_ago(7),
    end: object = days_ago(0),
    **more: str,
) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    named = "".join(f"&metering_point={point}" for point in points)
    return f"{ROOT}?kind={kind}&step={step}&direction={direction}&start={start}&end={end}{extra}{named}"


def missing_key() -> str:
    raise GridgateError(ErrorKind.UNAVAILABLE, "the secret key is missing")


def energy(*points: str, step: str = "P1D", **more: Any) -> str:
    return path(*points, kind="daily_energy", step=step, **more)


def corrected(point: str) -> DayBlock:
    """Other values of the day a week ago."""
    key = SeriesKey(point, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M)
    return DayBlock(key, days_ago(7), np.full(48, 5, np.int64), np.zeros(48, np.uint8))


@pytest.fixture
def acme(plane: Plane) -> Client:
    """Three points, of which ACME holds two: a curve of half hours, one of ten minutes both ways, a neighbour's."""
    plane.world.point(CONSO, holder=ACME)
    plane.world.point(SOLAR, holder=ACME, segment="C4", directions=BOTH_WAYS)
    plane.world.point(FOREIGN, holder=CHARLIE)
    plane.put_curve(CONSO, days_ago(10), 10)
    plane.put_curve(SOLAR, days_ago(10), 10, resolution=Resolution.PT10M)
    plane.put_curve(FOREIGN, days_ago(10), 10)
    return plane.world.application("acme", ACME, "native")


@pytest.fixture
def token(plane: Plane, acme: Client) -> str:
    return plane.token(acme)


@pytest.fixture
def tiers1(plane: Plane, acme: Client) -> str:
    """A token of Tiers 1, which has no line yet."""
    return plane.token(plane.world.application("tiers1", TIERS1, "native"))


class TestSums:
    def test_of_all_points_come_in_columns(self, plane: Plane, token: str) -> None:
        body = plane.get(path(end=days_ago(6)), token).json()
        conso = [1144 + n for n in range(48)]
        solar = [1432 + 3 * n + 1 for n in range(48)]
        assert body == {
            "kind": "load_curve",
            "direction": "withdrawal",
            "unit": "W",
            "start": "2026-11-17T23:00:00Z",
            "end": "2026-11-18T23:00:00Z",
            "step": "PT30M",
            "points": 2,
            "values": [one + other for one, other in zip(conso, solar, strict=True)],
            "counted": [2] * 48,
            "coverage": {
                "requested": {"from": "2026-11-17T23:00:00Z", "to": "2026-11-18T23:00:00Z"},
                "incomplete": 0,
                "missing": [],
                "left_out": [],
            },
        }

    def test_of_energy_by_months_are_what_the_days_add_up_to(self, plane: Plane, token: str) -> None:
        plane.put(*daily(CONSO, days_ago(40), [100] * 30))
        days = plane.get(energy(CONSO, start=days_ago(45)), token).json()
        months = plane.get(energy(CONSO, step="P1M", start=days_ago(45)), token).json()
        by_day = dict(zip(range(45, 0, -1), days["values"], strict=True))
        october = [value for back, value in by_day.items() if days_ago(back).month == 10]
        assert (len(months["values"]), months["unit"], months["step"]) == (2, "Wh", "P1M")
        assert months["values"][0] == sum(value for value in october if value is not None)
        assert sum(months["values"]) == sum(value for value in by_day.values() if value is not None)
        assert months["counted"] == [1, 1]

    def test_by_point_are_each_of_its_own(self, plane: Plane, token: str) -> None:
        body = plane.get(path(SOLAR, CONSO, by="metering_point"), token).json()
        each = {one["metering_point"]: one["values"] for one in body["metering_points"]}
        assert list(each) == [SOLAR, CONSO]
        assert each[CONSO] == list(range(1144, 1480))
        alone = plane.get(path(SOLAR), token).json()["values"]
        assert each[SOLAR] == alone
        assert "values" not in body

    def test_say_what_is_missing_and_of_which_point(self, plane: Plane, token: str) -> None:
        body = plane.get(path(start=days_ago(11), end=days_ago(-2)), token).json()
        assert body["coverage"]["incomplete"] == 2
        of_conso = [gap for gap in body["coverage"]["missing"] if gap["metering_point"] == CONSO]
        assert of_conso == [
            {
                "metering_point": CONSO,
                "from": "2026-11-13T23:00:00Z",
                "to": "2026-11-14T23:00:00Z",
                "steps": 48,
            },
            {
                "metering_point": CONSO,
                "from": "2026-11-24T23:00:00Z",
                "to": "2026-11-25T23:00:00Z",
                "steps": 21,  # up to now: half past ten
            },
        ]
        assert body["values"][:48] == [None] * 48
        assert body["counted"][:49] == [*[0] * 48, 2]

    def test_say_of_what_is_missing_only_what_was_asked_for(self, plane: Plane, token: str) -> None:
        """Two civil days are touched by a day of UTC; as of one point, no more than was asked is missing."""
        period = {"start": "2026-11-02T00:00:00Z", "end": "2026-11-03T00:00:00Z"}
        of_sum = plane.get(path(CONSO, **period), token).json()["coverage"]
        alone = plane.get(
            f"/api/v1/metering-points/{CONSO}/measurements?kind=load_curve&direction=withdrawal"
            f"&start={period['start']}&end={period['end']}&resolution=PT30M",
            token,
        ).json()["coverage"]
        assert of_sum["requested"] == alone["requested"] == {"from": period["start"], "to": period["end"]}
        assert of_sum["missing"] == [{"metering_point": CONSO, **of_sum["requested"], "steps": 48}]
        assert alone["missing"] == [{**of_sum["requested"], "reason": "not_received"}]

    def test_as_csv(self, plane: Plane, token: str) -> None:
        answer = plane.get(path(end=days_ago(6)), token, headers={"Accept": "text/csv"})
        assert answer.headers["Content-Type"].startswith("text/csv")
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert rows[:2] == [
            ["start", "end", "load_curve withdrawal (W)", "points"],
            ["2026-11-18T00:00:00+01:00", "2026-11-18T00:30:00+01:00", str(1144 + 1433), "2"],
        ]
        assert len(rows) == 49
        by = plane.get(energy(by="metering_point"), token, headers={"Accept": "text/csv"})
        named = list(csv.reader(io.StringIO(by.text)))
        assert named[0] == ["metering_point", "start", "end", "daily_energy withdrawal (Wh)"]
        assert [row[0] for row in named[1:]] == [SOLAR] * 7 + [CONSO] * 7


class TestAnInstant:
    def test_as_of_sums_what_was_known_then(self, plane: Plane, token: str) -> None:
        before = plane.get(path(end=days_ago(6)), token).json()
        plane.now += timedelta(minutes=10)
        plane.put(corrected(CONSO), recorded_at=plane.now)
        plane.put(*daily(SOLAR, days_ago(7), [777]), recorded_at=plane.now)
        now = plane.get(path(end=days_ago(6)), token).json()
        assert now["values"] != before["values"]
        then = {"as_of": NOW.isoformat().replace("+00:00", "Z")}
        assert plane.get(path(end=days_ago(6), **then), token).json() == before
        assert plane.get(energy(SOLAR, end=days_ago(6)), token).json()["values"] == [777]
        assert plane.get(energy(SOLAR, end=days_ago(6), **then), token).json()["values"] != [777]
        assert plane.get(path(as_of="2026-01-01T00:00:00Z"), token).json()["counted"] == [0] * 336
        assert [line["as_of"] for line in plane.logged()][-3:] == [
            then["as_of"],
            *["2026-01-01T00:00:00Z"] * 2,
        ]

    def test_all_points_of_a_sum_are_of_one_though_they_are_read_in_lots(
        self, plane: Plane, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = plane.get(path(end=days_ago(6)), token).json()
        monkeypatch.setattr(sqlite, "BLOCKS_AT_ONCE", 1)
        lots: list[int] = []
        amounts_of = sqlite.amounts_of

        def meanwhile(row: Any, *, first_point: int) -> Any:
            if not lots:
                plane.put(corrected(SOLAR), corrected(CONSO))
            lots.append(first_point)
            return amounts_of(row, first_point=first_point)

        monkeypatch.setattr(sqlite, "amounts_of", meanwhile)
        assert plane.get(path(end=days_ago(6)), token).json() == before
        assert lots == [0, 1]
        assert plane.get(path(end=days_ago(6)), token).json() != before, "it ends with the sum"


class TestASite:
    GERLAND, PRES = "12 Rue de Gerland, 69007 Lyon", "1 Chemin des Prés, 69007 Lyon"

    @pytest.fixture
    def farm(self, plane: Plane, acme: Client) -> str:
        """A point of ACME's at another address."""
        plane.world.point("30004790445501", holder=ACME, street="1 Chemin des Prés")
        plane.put_curve("30004790445501", days_ago(10), 10)
        return "30004790445501"

    def test_is_of_the_points_there(self, plane: Plane, token: str, farm: str) -> None:
        at = plane.get(path(site=quote(self.PRES)), token).json()
        assert at == plane.get(path(farm), token).json()
        assert plane.get(path(site=quote(self.GERLAND)), token).json()["points"] == 2
        assert {line["metering_point"] for line in plane.logged()[-2:]} == {CONSO, SOLAR}

    def test_keeps_to_what_the_application_may_read(
        self, plane: Plane, acme: Client, token: str, farm: str
    ) -> None:
        plane.world.group(ACME, acme, [SOLAR])
        assert plane.get(path(site=quote(self.GERLAND)), token).json()["points"] == 1
        logged = len(plane.logged())
        problem(plane.get(path(site=quote(self.PRES)), token), 404, "site-not-found")
        assert len(plane.logged()) == logged

    def test_is_known_to_its_holder_alone(self, plane: Plane, tiers1: str, farm: str) -> None:
        """By a permission one reads a point, and does not learn where it is."""
        plane.world.line(farm, reader=TIERS1, holder=ACME)
        assert plane.get(path(farm), tiers1).json()["points"] == 1
        answers = [plane.get(path(site=quote(name)), tiers1) for name in (self.PRES, "1 Rue d'Ailleurs")]
        said = [(answer.status_code, answer.content) for answer in answers]
        assert said[0] == said[1]
        problem(answers[0], 404, "site-not-found")

    def test_is_the_one_that_the_holder_is_shown(self, plane: Plane, token: str, farm: str) -> None:
        """Whoever left a point is told nothing of what it became."""
        plane.world.hand_over(
            farm, to=CHARLIE, on=days_ago(3), segment="C5", directions=BOTH_WAYS, kva=36, street="2 Impasse"
        )
        assert plane.get(path(site=quote(self.PRES)), token).json()["points"] == 1
        problem(plane.get(path(site=quote("2 Impasse, 69007 Lyon")), token), 404, "site-not-found")


class TestAPerimeter:
    @pytest.fixture
    def factories(self, plane: Plane, acme: Client) -> str:
        """What a group of ACME's is called that has the measurements of SOLAR, and of a point that ACME cannot read."""
        return handle_of(
            "group", plane.world.group(ACME, None, [SOLAR, FOREIGN], name="Usines"), secret=SECRET
        )

    def test_is_of_its_points_that_may_be_read(self, plane: Plane, token: str, factories: str) -> None:
        within = plane.get(path(perimeter=factories), token).json()
        assert within == plane.get(path(SOLAR), token).json()
        assert [line["metering_point"] for line in plane.logged()] == [SOLAR, SOLAR]
        everything = plane.world.group(ACME, None, None, name="Tous")
        whole = plane.get(path(perimeter=handle_of("group", everything, secret=SECRET)), token).json()
        assert whole == plane.get(path(), token).json()

    def test_is_listed_where_it_may_be_asked_for(
        self, plane: Plane, acme: Client, token: str, tiers1: str, factories: str
    ) -> None:
        plane.world.group(ACME, None, [CONSO], code="meters", name="Ne lit rien")
        agencies = plane.world.group(ACME, None, [CONSO], name="Agences")
        named = [(one["id"], one["name"]) for one in plane.get(PERIMETERS, token).json()["perimeters"]]
        assert named == [(handle_of("group", agencies, secret=SECRET), "Agences"), (factories, "Usines")]
        assert plane.get(PERIMETERS, tiers1).json() == {"perimeters": []}
        plane.world.db.execute("UPDATE applications_application SET group_id = ?", (agencies,))
        (own,) = plane.get(PERIMETERS, token).json()["perimeters"]
        assert own["name"] == "Agences", "an application in a group is told of that one"
        assert plane.logged() == []

    def test_of_another_group_is_none_for_an_application_in_one(
        self, plane: Plane, acme: Client, token: str, factories: str
    ) -> None:
        """Not even what the two have in common: it would tell what the other one has."""
        own = handle_of("group", plane.world.group(ACME, acme, [SOLAR, CONSO]), secret=SECRET)
        assert plane.get(path(perimeter=own), token).json()["points"] == 2
        problem(plane.get(path(perimeter=factories), token), 404, "perimeter-not-found")

    def test_of_others_looks_like_none(self, plane: Plane, tiers1: str, factories: str) -> None:
        """Whoever reads a point by a permission may not ask for what its holder made of it."""
        plane.world.line(SOLAR, reader=TIERS1, holder=ACME)
        names = [
            factories,
            handle_of("group", 999, secret=SECRET),
            handle_of("user", 1, secret=SECRET),
            "1",
            "x",
        ]
        answers = [plane.get(path(perimeter=name), tiers1) for name in names]
        assert len({(answer.status_code, answer.content) for answer in answers}) == 1
        problem(answers[0], 404, "perimeter-not-found")
        assert plane.logged() == []

    def test_of_a_third_party_is_of_what_it_was_given(self, plane: Plane, tiers1: str) -> None:
        own = handle_of("group", plane.world.group(TIERS1, None, [SOLAR, CONSO]), secret=SECRET)
        problem(plane.get(path(perimeter=own), tiers1), 404, "perimeter-not-found")
        line = plane.world.line(SOLAR, reader=TIERS1, holder=ACME)
        assert plane.get(path(perimeter=own), tiers1).json()["points"] == 1
        plane.world.end(line)
        problem(plane.get(path(perimeter=own), tiers1), 404, "perimeter-not-found")

    @pytest.mark.parametrize(
        "term",
        [{"valid_from": NOW + timedelta(seconds=1)}, {"valid_until": NOW}],
    )
    def test_is_one_while_the_group_has_the_measurements(
        self, plane: Plane, token: str, term: dict[str, datetime]
    ) -> None:
        group = plane.world.group(ACME, None, [SOLAR], **term)
        assert plane.get(PERIMETERS, token).json() == {"perimeters": []}
        problem(
            plane.get(path(perimeter=handle_of("group", group, secret=SECRET)), token),
            404,
            "perimeter-not-found",
        )

    def test_is_unavailable_without_the_key_by_which_it_is_named(self, plane: Plane, token: str) -> None:
        plane.app.state.plane.config = replace(plane.config, secret_key=missing_key)
        problem(plane.get(path(perimeter="x"), token), 503, "unavailable")
        problem(plane.get(PERIMETERS, token), 503, "unavailable")
        assert plane.get(path(), token).status_code == 200


class TestWhoIsRead:
    def test_unreadable_and_absent_look_the_same_and_nothing_of_them_is_in_the_sum(
        self, plane: Plane, token: str
    ) -> None:
        alone = plane.get(path(CONSO), token).json()
        body = plane.get(path(CONSO, FOREIGN, UNKNOWN), token).json()
        assert body["coverage"].pop("left_out") == [
            {"metering_point": FOREIGN, "reason": "not_found"},
            {"metering_point": UNKNOWN, "reason": "not_found"},
        ]
        assert alone["coverage"].pop("left_out") == []
        assert body == alone

    def test_each_is_a_line_of_the_log_as_if_it_were_read_alone(self, plane: Plane, token: str) -> None:
        plane.get(path(CONSO, FOREIGN, UNKNOWN, "x" * 200), token)
        for point in (CONSO, FOREIGN, UNKNOWN):
            plane.get(
                f"/api/v1/metering-points/{point}/measurements?kind=load_curve&direction=withdrawal"
                f"&start={days_ago(7)}&end={days_ago(0)}&resolution=PT30M",
                token,
            )
        lines = [{**line, "prev": ""} for line in plane.logged()]
        assert [line["outcome"] for line in lines[:3]] == ["granted", "no_permission", "no_permission"]
        assert lines[:3] == lines[3:]

    def test_all_are_logged_before_anything_is_answered(
        self, plane: Plane, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = plane.get(path(), token).json()
        assert body["points"] == 2
        assert [(e["metering_point"], e["values"]) for e in plane.logged()] == [(SOLAR, 336), (CONSO, 336)]
        for segment in (plane.folder / "accesslog").iterdir():
            segment.unlink()
        (plane.folder / "accesslog").rmdir()
        problem(plane.get(path(), token), 503, "unavailable")

    def test_all_means_what_the_application_may_read_now_and_no_more(
        self, plane: Plane, acme: Client, token: str, tiers1: str
    ) -> None:
        assert plane.get(path(), tiers1).json()["points"] == 0
        line = plane.world.line(CONSO, reader=TIERS1, holder=ACME, kinds=Kind.LOAD_CURVE.bit)
        assert plane.get(path(), tiers1).json()["points"] == 1
        assert plane.get(energy(), tiers1).json()["points"] == 0, "a kind that is not covered"
        plane.world.end(line)
        assert plane.get(path(), tiers1).json()["points"] == 0
        plane.world.group(ACME, acme, [SOLAR])
        assert plane.get(path(), token).json()["points"] == 1
        left = plane.get(path(CONSO), token).json()["coverage"]["left_out"]
        assert left == [{"metering_point": CONSO, "reason": "not_found"}], "its group sees SOLAR alone"

    def test_what_a_line_does_not_cover_is_told_to_who_has_it(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, kinds=Kind.LOAD_CURVE.bit, finest_resolution=3600)
        plane.world.line(SOLAR, reader=TIERS1, holder=ACME, directions=INJECTION.bit)
        plane.world.line(
            FOREIGN,
            reader=TIERS1,
            holder=CHARLIE,
            data_from=days_ago(2),
            permission="0f8fad5bd9cb469fa16570867728950e",
        )
        asked = path(CONSO, SOLAR, FOREIGN, end=days_ago(3))
        assert plane.get(asked, tiers1).json()["coverage"]["left_out"] == [
            {"metering_point": CONSO, "reason": "resolution_too_fine"},
            {"metering_point": SOLAR, "reason": "direction_not_covered"},
            {"metering_point": FOREIGN, "reason": "before_permission_history"},
        ]
        assert plane.get(path(CONSO, step="PT60M"), tiers1).json()["points"] == 1

    def test_a_permission_bounds_what_enters_the_sum(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, data_from=days_ago(2))
        plane.world.line(SOLAR, reader=TIERS1, holder=ACME)
        body = plane.get(path(), tiers1).json()
        assert body["counted"] == [1] * 48 * 5 + [2] * 48 * 2

    def test_both_times_of_a_holder_who_came_back_count_as_one_point(self, plane: Plane, token: str) -> None:
        plane.world.db.execute(
            "UPDATE sharing_accessline SET data_to = ? WHERE metering_point_id = ?",
            (midnight(days_ago(6)), CONSO),
        )
        plane.world.line(CONSO, reader=ACME, holder=ACME, basis="title", data_from=days_ago(2))
        body = plane.get(energy(CONSO, step="P1M"), token).json()
        assert (body["points"], body["counted"]) == (1, [1])
        assert [gap["steps"] for gap in body["coverage"]["missing"]] == [4]
        assert [line["values"] for line in plane.logged()] == [1, 2]

    def test_many_are_decided_in_one_statement(
        self, plane: Plane, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(1, 1_200):
            plane.world.line(f"{number:014d}", reader=ACME, holder=ACME, basis="title")
        asked: list[str] = []
        every = SqliteRegistry._all

        def counting(self: SqliteRegistry, statement: str, parameters: Any) -> Any:
            asked.append(statement)
            return every(self, statement, parameters)

        monkeypatch.setattr(SqliteRegistry, "_all", counting)
        assert plane.get(path(), token).json()["points"] == 1_201
        assert len(asked) == 3, "the token, before its turn and in it, and the lines of all points"
        assert len(plane.logged()) == 1_201


class TestWhatMayBeAsked:
    @pytest.mark.parametrize(
        ("asked", "parameter"),
        [
            (path(kind="maximum_power"), "kind"),
            (path(step="P1D"), "step"),
            (energy(step="PT30M"), "step"),
            (path(step="PT7M"), "step"),
            (path(by="site"), "by"),
            (path(""), "metering_point"),
            (path(end=days_ago(7)), "end"),
            (path(start=days_ago(1831)), "end"),
            (path(as_of="yesterday"), "as_of"),
            (path(site=""), "site"),
            (path(CONSO, site="1%20Rue"), "site"),
            (path(perimeter=""), "perimeter"),
            (path(CONSO, perimeter="x"), "perimeter"),
            (path(site="1%20Rue", perimeter="x"), "perimeter"),
            (path() + "&kind=load_curve", "kind"),
        ],
    )
    def test_is_checked(self, plane: Plane, token: str, asked: str, parameter: str) -> None:
        body: Any = problem(plane.get(asked, token), 400, "invalid-parameters")
        assert [fault["parameter"] for fault in body["errors"]] == [parameter]
        assert plane.logged() == []

    def test_a_day_is_not_said_to_do_where_an_instant_is_asked(self, plane: Plane, token: str) -> None:
        body: Any = problem(plane.get(path(as_of="2026-11-25"), token), 400, "invalid-parameters")
        [fault] = body["errors"]
        assert fault["detail"] == "is an instant with its offset, 2026-11-25T00:00:00+01:00."

    def test_is_refused_when_it_is_too_much(
        self, plane: Plane, token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert plane.get(path(step="PT5M", start=days_ago(1800)), token).status_code == 200
        too_much: Any = plane.get(path(step="PT5M", start=days_ago(1800), by="metering_point"), token)
        assert problem(too_much, 400, "too-much-at-once")["most"] == aggregates.MOST_VALUES
        monkeypatch.setattr(aggregates, "MOST_DAYS", 13)
        logged = len(plane.logged())
        assert "2 points over 7 days" in str(problem(plane.get(path(), token), 400, "too-much-at-once"))
        assert len(plane.logged()) == logged

    def test_as_many_points_as_a_query_has_room_for(self, plane: Plane, token: str) -> None:
        body = plane.get(path(*[f"{n:014d}" for n in range(60)]), token).json()
        assert len(body["coverage"]["left_out"]) == 60
