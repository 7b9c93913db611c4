"""The façade enedis from token to answer: what is told to whom, and what the log says of it."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.http.metrics import DAY_TEXT_BYTES
from gridgate.dataplane.reading.window import Part
from tests.dataplane_plane import INJECTION, WITHDRAWAL, Plane, daily, day_block
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

NO_CONSENT = {
    "error": "ADAM-DC-0008",
    "error_description": "No consent can be found for this customer and this usage point.",
}
NO_DATA = {"error": "no_data_found", "error_description": "no measure found for this usage point"}

CLC = "metering_data_clc/v5/consumption_load_curve"
DC = "metering_data_dc/v5/daily_consumption"
DCMP = "metering_data_dcmp/v5/daily_consumption_max_power"
PLC = "metering_data_plc/v5/production_load_curve"
DP = "metering_data_dp/v5/daily_production"


def path(resource: str, point: str = CONSO, start: object = days_ago(7), end: object = days_ago(0)) -> str:
    return f"/enedis/{resource}?usage_point_id={point}&start={start}&end={end}"


def readings(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, str]] = answer.json()["meter_reading"]["interval_reading"]
    return found


@pytest.fixture
def tiers1(plane: Plane) -> Client:
    plane.world.point(CONSO, holder=ACME)
    plane.world.point(SOLAR, holder=ACME, segment="C4", directions=BOTH_WAYS)
    plane.world.point(FOREIGN, holder=CHARLIE)
    plane.put_curve(CONSO, days_ago(10), 10)
    return plane.world.application("tiers1", TIERS1, "enedis")


@pytest.fixture
def token(plane: Plane, tiers1: Client) -> str:
    return plane.token(tiers1)


@pytest.fixture
def line(plane: Plane, tiers1: Client) -> int:
    """Tiers 1 may read everything of CONSO since 2024."""
    return plane.world.line(CONSO, reader=TIERS1, holder=ACME, permission="ab" * 16)


class TestDaysThatNobodyCanMean:
    @pytest.mark.parametrize("resource", [CLC, DC, DCMP, PLC, DP])
    @pytest.mark.parametrize(
        ("start", "end", "says"),
        [
            ("0001-01-01", "0001-01-02", "The start date must be greater than the history deadline."),
            ("0001-01-01", "9999-12-31", "The start date must be greater than the history deadline."),
            ("9999-12-30", "9999-12-31", "start date parameter must be in the format yyyy-mm-dd."),
            ("2201-01-01", "2201-01-02", "start date parameter must be in the format yyyy-mm-dd."),
        ],
    )
    def test_are_refused(
        self, plane: Plane, token: str, line: int, resource: str, start: str, end: str, says: str
    ) -> None:
        answer = plane.get(path(resource, start=start, end=end), token)
        assert (answer.status_code, answer.json()["error_description"]) == (400, says)

    @pytest.mark.parametrize("end", ["2200-12-31", "9999-12-30", "9999-12-31"])
    def test_may_end_what_is_asked(self, plane: Plane, token: str, line: int, end: str) -> None:
        """As any day to come: clients write the last of the calendar for « and so on »."""
        assert len(readings(plane.get(path(CLC, end=end), token))) == 336
        future = plane.get(path(CLC, start="2200-12-30", end=end), token)
        assert (future.status_code, future.json()) == (404, NO_DATA)


class TestLoadCurve:
    def test_seven_days_are_336_values(self, plane: Plane, token: str, line: int) -> None:
        answer = plane.get(path(CLC), token)
        found = readings(answer)
        assert [int(r["value"]) for r in found] == list(range(1000 + 3 * 48, 1000 + 10 * 48))
        assert found[0]["date"] == f"{days_ago(7)} 00:30:00"
        assert found[-1]["date"] == f"{days_ago(0)} 00:00:00"
        meter_reading = answer.json()["meter_reading"]
        assert (meter_reading["start"], meter_reading["end"]) == (str(days_ago(7)), str(days_ago(0)))

    def test_the_very_next_request_after_the_permission_ends_is_refused(
        self, plane: Plane, token: str, line: int
    ) -> None:
        assert plane.get(path(CLC), token).status_code == 200
        plane.world.end(line)
        answer = plane.get(path(CLC), token)
        assert (answer.status_code, answer.json()) == (403, NO_CONSENT)

    def test_texts_of_what_was_erased_are_not_kept(self, plane: Plane, token: str, line: int) -> None:
        kept = [DAY_TEXT_BYTES.labels(were)._value for were in ("put_by", "let_go")]

        def held() -> float:
            put_by, let_go = (value.get() for value in kept)
            return float(put_by - let_go)

        before = held()
        assert plane.get(path(CLC), token).status_code == 200
        of_a_week = held() - before
        assert of_a_week > 7 * 48
        plane.put_curve(CONSO, days_ago(2), 1)
        assert plane.get(path(CLC), token).status_code == 200
        assert held() - before > of_a_week, "a correction takes nothing away"
        plane.store.erase(CONSO, before=days_ago(1))
        assert len(readings(plane.get(path(CLC), token))) == 48
        assert held() - before < of_a_week / 3

    def test_a_holder_who_came_back_shares_both_its_times(self, plane: Plane, token: str, line: int) -> None:
        plane.world.db.execute("UPDATE sharing_accessline SET data_to = ?", (midnight(days_ago(6)),))
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, permission="ab" * 16, data_from=days_ago(2))
        days = {reading["date"][:10] for reading in readings(plane.get(path(CLC), token))}
        assert str(days_ago(4)) not in days
        assert {str(days_ago(7)), str(days_ago(2)), str(days_ago(1))} <= days
        assert [entry["values"] for entry in plane.logged()] == [48, 96]

    def test_what_is_missing_is_left_out(self, plane: Plane, token: str, line: int) -> None:
        values = [None if index in (3, 4, 47) else index for index in range(48)]
        day = day_block(CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, days_ago(20), values)
        plane.put(day)
        found = readings(plane.get(path(CLC, start=days_ago(20), end=days_ago(19)), token))
        assert len(found) == 45
        assert [r["date"][11:] for r in found[2:4]] == ["01:30:00", "03:00:00"]

    def test_a_day_is_made_into_text_once_and_again_when_it_was_corrected(
        self, plane: Plane, token: str, line: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a day that the permission cuts, nothing is kept."""
        made: list[int] = []
        columns = Part.columns

        def counting(part: Part, days: Any) -> Any:
            made.append(len(days))
            return columns(part, days)

        monkeypatch.setattr(Part, "columns", counting)
        first = plane.get(path(CLC), token).content
        assert plane.get(path(CLC), token).content == first
        assert made == [7]
        corrected = day_block(
            CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, days_ago(3), [7] + [None] * 47
        )
        plane.put(corrected, recorded_at=NOW + timedelta(seconds=1))
        values = [r["value"] for r in readings(plane.get(path(CLC), token))]
        assert (values[4 * 48], made) == ("7", [7, 1])
        plane.world.db.execute(
            "UPDATE sharing_accessline SET data_from = ?", (midnight(days_ago(3)) + 6 * 3600,)
        )
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, permission="cd" * 16, data_to=days_ago(5))
        for _ in range(2):
            cut = readings(plane.get(path(CLC), token))
            assert len(cut) == 2 * 48 + 36 + 2 * 48
        assert made == [7, 1, 1, 1]

    def test_the_text_of_a_day_is_another_to_who_may_read_it_by_the_hour(
        self, plane: Plane, token: str, line: int
    ) -> None:
        assert len(readings(plane.get(path(CLC), token))) == 336
        plane.world.db.execute("UPDATE sharing_accessline SET finest_resolution = 3600")
        assert len(readings(plane.get(path(CLC), token))) == 168

    def test_a_step_that_changes_within_the_day(self, plane: Plane, token: str, line: int) -> None:
        day = days_ago(20)
        half_hours = [100 if index < 2 else None for index in range(48)]
        tens = [None if index < 6 else 200 for index in range(144)]
        plane.put(
            day_block(CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, day, half_hours),
            day_block(CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT10M, day, tens),
        )
        found = readings(plane.get(path(CLC, start=day, end=days_ago(19)), token))
        assert [(r["date"][11:16], r["interval_length"]) for r in found[:4]] == [
            ("00:30", "PT30M"),
            ("01:00", "PT30M"),
            ("01:10", "PT10M"),
            ("01:20", "PT10M"),
        ]
        assert len(found) == 2 + 138

    @pytest.mark.parametrize(("day", "values"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
    def test_days_on_which_the_clocks_change(
        self, plane: Plane, token: str, line: int, day: date, values: int
    ) -> None:
        plane.put_curve(CONSO, day, 1)
        found = readings(plane.get(path(CLC, start=day, end=day + timedelta(days=1)), token))
        assert len(found) == values
        assert found[-1]["date"] == f"{day + timedelta(days=1)} 00:00:00"

    def test_nothing_finer_than_the_permission_allows(self, plane: Plane, token: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, finest_resolution=3600)
        found = readings(plane.get(path(CLC, start=days_ago(10), end=days_ago(9)), token))
        assert len(found) == 24
        assert found[0] == {
            "value": "1000.5",
            "date": f"{days_ago(10)} 01:00:00",
            "interval_length": "PT60M",
            "measure_type": "B",
        }

    def test_a_permission_for_daily_values_covers_no_curve(self, plane: Plane, token: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, finest_resolution=86400)
        assert plane.get(path(CLC), token).json() == NO_CONSENT
        assert plane.get(path(DC), token).status_code == 200

    def test_points_above_36_kva_are_stamped_like_the_others(self, plane: Plane, token: str) -> None:
        plane.world.line(SOLAR, reader=TIERS1, holder=ACME)
        plane.put_curve(SOLAR, days_ago(2), 1, resolution=Resolution.PT10M, direction=INJECTION)
        found = readings(plane.get(path(PLC, SOLAR, days_ago(2), days_ago(1)), token))
        assert found[0]["date"] == f"{days_ago(2)} 00:10:00"

    @pytest.mark.parametrize("ahead", [0, 1, 400])
    def test_an_end_that_has_not_been_yet_is_clipped(
        self, plane: Plane, token: str, line: int, ahead: int
    ) -> None:
        answer = plane.get(path(CLC, start=days_ago(2), end=days_ago(-ahead)), token)
        assert len(readings(answer)) == 96
        assert answer.json()["meter_reading"]["end"] == str(days_ago(0))

    def test_today_is_not_told_yet(self, plane: Plane, token: str, line: int) -> None:
        plane.put_curve(CONSO, days_ago(0), 1)
        answer = plane.get(path(CLC, start=days_ago(0), end=days_ago(-1)), token)
        assert (answer.status_code, answer.json()) == (404, NO_DATA)


class TestDailyValues:
    def test_daily_energy_as_stored(self, plane: Plane, token: str, line: int) -> None:
        plane.put(*daily(CONSO, days_ago(40), [11776, 14401, 12820]))
        found = readings(plane.get(path(DC, start=days_ago(40), end=days_ago(37)), token))
        assert found == [
            {"value": str(value), "date": str(days_ago(40 - n))}
            for n, value in enumerate([11776, 14401, 12820])
        ]

    def test_days_that_only_a_complete_curve_tells_are_summed_from_it(
        self, plane: Plane, token: str, line: int
    ) -> None:
        holed = [None, *range(1, 48)]
        plane.put(
            *daily(CONSO, days_ago(13), [7]),
            day_block(CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, days_ago(12), holed),
            day_block(CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, days_ago(11), [100] * 48),
        )
        found = readings(plane.get(path(DC, start=days_ago(13), end=days_ago(9)), token))
        first_of_curve = sum(range(1000, 1048)) / 2
        assert [(r["date"], r["value"]) for r in found] == [
            (str(days_ago(13)), "7"),
            (str(days_ago(11)), "2400"),
            (str(days_ago(10)), f"{first_of_curve:.0f}"),
        ]

    def test_maximum_power_is_never_made_up(self, plane: Plane, token: str, line: int) -> None:
        assert plane.get(path(DCMP), token).json() == NO_DATA
        plane.put(
            day_block(
                CONSO, Kind.MAXIMUM_POWER, WITHDRAWAL, Resolution.P1D, days_ago(3), [4638], offsets=[43580]
            )
        )
        assert readings(plane.get(path(DCMP), token)) == [
            {"value": "4638", "date": f"{days_ago(3)} 12:06:20"}
        ]

    def test_production(self, plane: Plane, token: str) -> None:
        plane.world.line(SOLAR, reader=TIERS1, holder=ACME)
        plane.put(*daily(SOLAR, days_ago(3), [643, 6], INJECTION))
        assert [r["value"] for r in readings(plane.get(path(DP, SOLAR), token))] == ["643", "6"]


class TestRefusals:
    def test_an_unknown_point_and_one_that_is_not_shared_look_the_same(
        self, plane: Plane, token: str
    ) -> None:
        unknown, foreign = (plane.get(path(CLC, point), token) for point in (UNKNOWN, FOREIGN))
        assert (unknown.status_code, unknown.json()) == (403, NO_CONSENT)
        assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)
        assert set(foreign.headers) == set(unknown.headers)

    @pytest.mark.parametrize("resource", [CLC, DC, DCMP, PLC, DP])
    def test_facts_of_a_point_that_is_not_shared_show_nowhere(
        self, plane: Plane, token: str, resource: str
    ) -> None:
        plane.world.db.execute(
            "UPDATE metering_meteringpoint SET activated_on = ? WHERE id = ?", (str(days_ago(2)), FOREIGN)
        )
        plane.world.db.execute(
            "UPDATE metering_loadcurvecollection SET state = 'opposed' WHERE metering_point_id = ?",
            (FOREIGN,),
        )
        unknown, foreign = (plane.get(path(resource, point), token) for point in (UNKNOWN, FOREIGN))
        assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)

    def test_a_permission_that_expired_or_has_not_begun(self, plane: Plane, token: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, valid_until=days_ago(1))
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, valid_from=days_ago(-1))
        assert plane.get(path(CLC), token).json() == NO_CONSENT

    def test_a_kind_or_a_direction_that_the_permission_leaves_out(self, plane: Plane, token: str) -> None:
        plane.world.line(
            SOLAR,
            reader=TIERS1,
            holder=ACME,
            kinds=Kind.DAILY_ENERGY.bit,
            directions=FlowDirection.WITHDRAWAL.bit,
        )
        assert plane.get(path(CLC, SOLAR), token).json() == NO_CONSENT
        assert plane.get(path(DP, SOLAR), token).json() == NO_CONSENT
        assert plane.get(path(DC, SOLAR), token).json() == NO_DATA

    @pytest.mark.parametrize("resource", [PLC, DP])
    def test_a_direction_that_the_point_does_not_have(
        self, plane: Plane, token: str, line: int, resource: str
    ) -> None:
        answer = plane.get(path(resource), token)
        assert answer.status_code == 400
        assert answer.json() == {
            "error": "ADAM-ERR0069",
            "error_description": "Le sens de la mesure ne correspond pas pour le PRM demandé.",
        }

    def test_a_start_before_the_meters_activation(self, plane: Plane, token: str, line: int) -> None:
        plane.world.db.execute(
            "UPDATE metering_meteringpoint SET activated_on = ? WHERE id = ?", (str(days_ago(5)), CONSO)
        )
        answer = plane.get(path(CLC), token)
        assert answer.status_code == 400
        assert answer.json() == {
            "error": "ADAM-ERR0123",
            "error_description": "The requested period cannot be anterior to the meter's last"
            " activation date",
        }
        assert len(readings(plane.get(path(CLC, start=days_ago(5)), token))) == 240

    @pytest.mark.parametrize("last", [4, 0])
    def test_a_start_before_the_history_that_was_permitted(self, plane: Plane, token: str, last: int) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, data_from=days_ago(4))
        answer = plane.get(path(CLC, end=days_ago(last)), token)
        assert answer.status_code == 403
        assert answer.json() == {
            "error": "ADAM-DC-0009",
            "error_description": "The start date of the request must be greater than the consent start date.",
        }
        assert len(readings(plane.get(path(CLC, start=days_ago(4)), token))) == 192

    def test_a_holder_has_nothing_from_before_its_title(self, plane: Plane, tiers1: Client) -> None:
        plane.world.db.execute(
            "UPDATE sharing_accessline SET data_from = ? WHERE reader_id = ? AND metering_point_id = ?",
            (midnight(days_ago(4)), ACME, CONSO),
        )
        token = plane.token(plane.world.application("acme", ACME, "enedis"))
        assert plane.get(path(CLC), token).json()["error"] == "ADAM-ERR0061"
        assert len(readings(plane.get(path(CLC, start=days_ago(4)), token))) == 192

    def test_a_holder_who_came_back_has_nothing_from_between_its_titles(
        self, plane: Plane, tiers1: Client
    ) -> None:
        plane.world.db.execute(
            "UPDATE sharing_accessline SET data_to = ? WHERE reader_id = ? AND metering_point_id = ?",
            (midnight(days_ago(6)), ACME, CONSO),
        )
        plane.world.line(CONSO, reader=ACME, holder=ACME, basis="title", data_from=days_ago(2))
        token = plane.token(plane.world.application("acme", ACME, "enedis"))
        answer = plane.get(path(CLC, start=days_ago(5), end=days_ago(3)), token)
        assert answer.json()["error"] == "ADAM-ERR0061"
        assert plane.logged()[-1]["outcome"] == "between_titles"

    def test_a_period_after_the_customer_moved_out(self, plane: Plane, token: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, data_to=days_ago(5))
        answer = plane.get(path(CLC, start=days_ago(5)), token)
        assert (answer.status_code, answer.json()["error"]) == (403, "ADAM-DC-0007")
        assert len(readings(plane.get(path(CLC), token))) == 96

    def test_a_point_that_was_left_whatever_is_asked_for(self, plane: Plane, token: str) -> None:
        """Not even the days of the title: the consent is lost with the point."""
        left = days_ago(5)
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, data_to=left, valid_until=left)
        for resource, first in ((CLC, days_ago(7)), (CLC, days_ago(3)), (DC, days_ago(7))):
            answer = plane.get(path(resource, start=first), token)
            assert answer.status_code == 403
            assert answer.json() == {
                "error": "ADAM-DC-0007",
                "error_description": "The customer is not owner of this usage point.",
            }
        assert {entry["outcome"] for entry in plane.logged()} == {"holder_left"}

    def test_an_opposition_to_the_curves_collection(self, plane: Plane, token: str, line: int) -> None:
        plane.world.db.execute("UPDATE metering_loadcurvecollection SET state = 'opposed'")
        answer = plane.get(path(CLC), token)
        assert answer.status_code == 400
        assert answer.json() == {
            "error": "ADAM-ERR0075",
            "error_description": "The customer objected to the load curve recording",
        }
        assert plane.get(path(DC), token).status_code == 200

    def test_no_data(self, plane: Plane, token: str, line: int) -> None:
        answer = plane.get(path(CLC, start=days_ago(100), end=days_ago(99)), token)
        assert (answer.status_code, answer.json()) == (404, NO_DATA)

    def test_an_application_that_is_not_subscribed(self, plane: Plane, line: int) -> None:
        token = plane.token(plane.world.application("other", TIERS1, "native"))
        answer = plane.get(path(CLC), token)
        assert answer.status_code == 403
        assert answer.json()["fault"]["code"] == 900908
        assert plane.logged() == []


class TestToken:
    @pytest.mark.parametrize(
        ("header", "code"),
        [
            (None, 900902),
            ("Basic dGllcnMxOng=", 900902),
            ("Bearer unknown", 900901),
        ],
    )
    def test_without_a_valid_one_the_gateway_answers(
        self, plane: Plane, line: int, header: str | None, code: int
    ) -> None:
        for address in (path(CLC), path(CLC, "12")):  # whatever the parameters are worth
            answer = plane.get(address, headers={"Authorization": header} if header else {})
            assert answer.status_code == 401
            assert answer.json()["fault"]["code"] == code
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_one_that_expired_is_refused(self, plane: Plane, token: str, line: int) -> None:
        plane.now += timedelta(seconds=3599)
        assert plane.get(path(CLC), token).status_code == 200
        plane.now += timedelta(seconds=1)
        answer = plane.get(path(CLC), token)
        assert answer.status_code == 401
        assert answer.json()["fault"]["message"] == "Invalid Credentials"

    def test_with_a_valid_one_parameters_are_told_apart(self, plane: Plane, token: str) -> None:
        assert plane.get(path(CLC, "12"), token).status_code == 400


class TestAccessLog:
    def test_a_read_is_logged_with_everything_a_holder_asks(
        self, plane: Plane, token: str, line: int
    ) -> None:
        plane.get(path(CLC), token)
        (entry,) = plane.logged()
        assert {key: value for key, value in entry.items() if key != "prev"} == {
            "at": "2026-11-25T09:30:00Z",
            "channel": "api:enedis",
            "outcome": "granted",
            "reader": TIERS1,
            "reader_name": "Tiers 1",
            "user": None,
            "user_name": None,
            "application": "tiers1",
            "permission": "abababab-abab-abab-abab-abababababab",
            "basis": "permission",
            "metering_point": CONSO,
            "holder": ACME,
            "kind": "load_curve",
            "direction": "withdrawal",
            "start": "2026-11-17T23:00:00Z",
            "end": "2026-11-24T23:00:00Z",
            "as_of": None,
            "values": 336,
        }

    def test_the_holder_sees_who_tried(self, plane: Plane, token: str) -> None:
        for point in (FOREIGN, UNKNOWN):
            plane.get(path(CLC, point), token)
        foreign, unknown = plane.logged()
        assert (foreign["outcome"], foreign["holder"], foreign["permission"]) == (
            "no_permission",
            CHARLIE,
            None,
        )
        assert (unknown["outcome"], unknown["holder"]) == ("no_permission", None)

    @pytest.mark.parametrize(
        ("statement", "resource", "outcome"),
        [
            ("UPDATE metering_loadcurvecollection SET state = 'opposed'", CLC, "collection_opposed"),
            ("UPDATE metering_meteringpoint SET activated_on = '2026-11-24'", CLC, "before_activation"),
            ("UPDATE sharing_accessline SET data_from = 1795000000", CLC, "before_history"),
            (
                "UPDATE sharing_accessline SET data_to = 1700000000, data_from = 1600000000",
                CLC,
                "after_title",
            ),
            ("UPDATE sharing_accessline SET kinds = 2", CLC, "kind_not_covered"),
            ("UPDATE sharing_accessline SET finest_resolution = 86400", CLC, "resolution_too_fine"),
            ("UPDATE sharing_accessline SET valid_until = 1700000000", CLC, "expired"),
            ("UPDATE metering_pointasheld SET directions = 2", CLC, "direction_absent"),
        ],
    )
    def test_every_refusal_says_why(
        self, plane: Plane, token: str, line: int, statement: str, resource: str, outcome: str
    ) -> None:
        plane.world.db.execute(statement)
        assert plane.get(path(resource), token).status_code in (400, 403)
        (entry,) = plane.logged()
        assert (entry["outcome"], entry["holder"], entry["values"]) == (outcome, ACME, 0)

    def test_a_read_without_data_is_a_read(self, plane: Plane, token: str, line: int) -> None:
        plane.get(path(CLC, start=days_ago(100), end=days_ago(99)), token)
        (entry,) = plane.logged()
        assert (entry["outcome"], entry["values"]) == ("granted", 0)

    def test_parameters_that_make_no_read_are_not_logged(self, plane: Plane, token: str) -> None:
        plane.get(path(CLC, "12"), token)
        assert plane.logged() == []

    def test_without_a_log_nothing_is_answered(self, plane: Plane, token: str, line: int) -> None:
        (plane.folder / "accesslog").rmdir()
        answer = plane.get(path(CLC), token)
        assert answer.status_code == 503
        assert answer.json() == {"error": "Service Unavailable", "error_description": "Service Unavailable"}
        assert answer.headers["Retry-After"] == "5"
        assert plane.get(path(CLC, FOREIGN), token).status_code == 503


class TestFailingClosed:
    def test_without_a_projection_nothing_is_answered(self, plane: Plane, token: str, line: int) -> None:
        plane.world.db.execute("ALTER TABLE sharing_accessline RENAME TO gone")
        assert plane.get(path(CLC), token).status_code == 503
        plane.world.db.execute("ALTER TABLE gone RENAME TO sharing_accessline")
        assert plane.get(path(CLC), token).status_code == 200

    def test_without_measurements_nothing_is_answered(self, tmp_path: Path) -> None:
        (tmp_path / "x").mkdir()
        plane = Plane(tmp_path / "x")
        plane.world.point(CONSO, holder=ACME)
        token = plane.token(plane.world.application("acme", ACME, "enedis"))
        for file in (tmp_path / "x").glob("measurements*"):
            file.unlink()
        assert plane.get(path(CLC), token).status_code == 503
        plane.close()

    def test_a_defect_is_told_in_the_dialect_and_nothing_else(
        self, plane: Plane, token: str, line: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a secret of the inside")

        monkeypatch.setattr("gridgate.facades.enedis.wire.encode", broken)
        answer = plane.get(path(CLC), token)
        assert answer.status_code == 500
        assert answer.json() == {
            "error": "technical_error",
            "error_description": "Technical error. Please try later.",
        }
        assert len(answer.headers["X-Request-Id"]) == 16


class TestTokenEndpoint:
    TOKEN = "/enedis/oauth2/v3/token"

    def test_answers_as_the_service_does(self, plane: Plane, tiers1: Client) -> None:
        answer = plane.post(
            self.TOKEN,
            data={"grant_type": "client_credentials"},
            auth=(tiers1.client_id, tiers1.client_secret),
        )
        assert answer.status_code == 200
        body = answer.json()
        token = body.pop("access_token")
        assert body == {
            "scope": "am_application_scope default",
            "token_type": "Bearer",
            "expires_in": 12600,
        }
        assert answer.headers["Cache-Control"] == "no-store"
        assert plane.get(path(CLC, UNKNOWN), token).status_code == 403

    def test_takes_credentials_as_every_client_in_use_sends_them(self, plane: Plane, tiers1: Client) -> None:
        grant = {"grant_type": "client_credentials"}
        form = {"client_id": tiers1.client_id, "client_secret": tiers1.client_secret}
        basic = (tiers1.client_id, tiers1.client_secret)
        redirect = {"redirect_uri": "https://client.example/callback"}
        for arguments in (
            {"data": grant, "auth": basic},
            {"data": {**grant, **form}},
            {"data": {**grant, **form, **redirect}},
            {"data": {**grant, **form}, "auth": basic},
            {"params": {**grant, **form}},
            {"params": {**grant, **form}, "headers": {"Content-Type": "application/json"}},
            {"params": grant, "data": form},
        ):
            answer = plane.post(self.TOKEN, **arguments)
            assert answer.status_code == 200, arguments

    def test_refuses_in_the_services_words(self, plane: Plane, tiers1: Client) -> None:
        grant = {"grant_type": "client_credentials"}
        for auth, status, description in (
            ((tiers1.client_id, "wrong"), 401, "Client Authentication failed."),
            (
                ("nobody", "wrong"),
                401,
                "A valid OAuth client could not be found for client_id: nobody",
            ),
            (None, 400, "Client Authentication failed."),
        ):
            answer = plane.post(self.TOKEN, data=grant, auth=auth)
            assert answer.status_code == status
            assert answer.json() == {"error": "invalid_client", "error_description": description}
            assert ("WWW-Authenticate" in answer.headers) is (status == 401)

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            ({}, "invalid_request"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
            ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request"),
            ({"grant_type": "client_credentials", "client_id": "another"}, "invalid_request"),
        ],
    )
    def test_refuses_what_is_no_token_request(
        self, plane: Plane, tiers1: Client, data: dict[str, object], error: str
    ) -> None:
        answer = plane.post(self.TOKEN, data=data, auth=(tiers1.client_id, tiers1.client_secret))
        assert answer.status_code == 400
        assert answer.json()["error"] == error

    def test_refuses_a_body_of_another_type_and_credentials_that_cannot_be_read(
        self, plane: Plane, tiers1: Client
    ) -> None:
        assert plane.post(self.TOKEN, json={"grant_type": "client_credentials"}).status_code == 400
        for header in ("Basic !!!", "Basic bm9jb2xvbg==", "Basic é".encode("latin-1"), b"Basic \xff"):
            answer = plane.post(self.TOKEN, headers={"Authorization": header})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    def test_revokes(self, plane: Plane, tiers1: Client, token: str, line: int) -> None:
        auth = (tiers1.client_id, tiers1.client_secret)
        revoke = "/enedis/oauth2/v3/revoke"
        assert plane.post(revoke, data={}, auth=auth).json()["error"] == "invalid_request"
        hint = {"token": token, "token_type_hint": "refresh_token"}
        assert plane.post(revoke, data=hint, auth=auth).json()["error"] == "unsupported_token_type"
        assert plane.get(path(CLC), token).status_code == 200
        for _ in range(2):
            answer = plane.post(revoke, data={"token": token, "token_type_hint": "access_token"}, auth=auth)
            assert answer.status_code == 200
        assert plane.get(path(CLC), token).status_code == 401


class TestQuality:
    def test_every_value_goes_out_as_raw(self, plane: Plane, token: str, line: int) -> None:
        qualities = [Quality.ESTIMATED] * 10 + [Quality.CORRECTED] * 10 + [Quality.MEASURED] * 28
        plane.put(
            day_block(
                CONSO,
                Kind.LOAD_CURVE,
                WITHDRAWAL,
                Resolution.PT30M,
                days_ago(30),
                range(48),
                quality=qualities,
            )
        )
        found = readings(plane.get(path(CLC, start=days_ago(30), end=days_ago(29)), token))
        assert len(found) == 48
        assert {r["measure_type"] for r in found} == {"B"}


def test_the_world_is_told_in_utc(plane: Plane) -> None:
    assert plane.now == NOW == datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    assert isinstance(plane.world.db, sqlite3.Connection)
