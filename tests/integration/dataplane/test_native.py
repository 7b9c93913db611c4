"""The native API from token to answer."""

import csv
import io
from datetime import date, timedelta

import httpx
import pytest

from gridgate.core.quantities import Kind, Quality
from gridgate.core.time import Resolution
from tests.dataplane_plane import INJECTION, WITHDRAWAL, Plane, daily, day_block
from tests.dataplane_world import (
    ACME,
    BOTH_WAYS,
    CHARLIE,
    CONSO,
    FOREIGN,
    SOLAR,
    TIERS1,
    UNKNOWN,
    Client,
    days_ago,
    midnight,
)

ROOT = "/api/v1/metering-points"


def path(
    point: str = CONSO,
    kind: str = "load_curve",
    direction: str = "withdrawal",
    start: object = days_ago(7),
    end: object = days_ago(0),
    **more: str,
) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    return f"{ROOT}/{point}/measurements?kind={kind}&direction={direction}&start={start}&end={end}{extra}"


def problem(answer: httpx.Response, status: int, name: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["type"] == f"urn:gridgate:problem:{name}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize("end", ["2201-01-01", "9999-12-30", "9999-12-31", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("start", ["0001-01-01", "0001-01-01T00:00:00%2B14:00", "0001-01-01T00:00:00Z"])
def test_days_and_instants_that_nobody_can_mean_are_refused(
    plane: Plane, acme: Client, start: str, end: str
) -> None:
    token = plane.token(acme)
    for asked in (path(start=start), path(end=end), path(start=start, end=end)):
        assert "of the calendar" in str(problem(plane.get(asked, token), 400, "invalid-parameters"))


def test_a_state_of_knowledge_that_nobody_can_mean_is_refused(plane: Plane, acme: Client) -> None:
    for instant in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        answer = plane.get(path(as_of=instant), plane.token(acme))
        assert "of the calendar" in str(problem(answer, 400, "invalid-parameters"))


@pytest.fixture
def acme(plane: Plane) -> Client:
    plane.world.point(CONSO, holder=ACME)
    plane.world.point(SOLAR, holder=ACME, segment="C4", directions=BOTH_WAYS)
    plane.world.point(FOREIGN, holder=CHARLIE)
    plane.put_curve(CONSO, days_ago(10), 10)
    return plane.world.application("acme", ACME, "native")


@pytest.fixture
def token(plane: Plane, acme: Client) -> str:
    return plane.token(acme)


@pytest.fixture
def tiers1(plane: Plane, acme: Client) -> str:
    """A token of Tiers 1, which has no line yet."""
    return plane.token(plane.world.application("tiers1", TIERS1, "native", "enedis"))


class TestMeasurements:
    def test_come_in_columns(self, plane: Plane, token: str) -> None:
        answer = plane.get(path(), token)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {
            "metering_point": CONSO,
            "kind": "load_curve",
            "direction": "withdrawal",
            "unit": "W",
            "start": "2026-11-17T23:00:00Z",
            "end": "2026-11-24T23:00:00Z",
            "segments": [
                {
                    "start": "2026-11-17T23:00:00Z",
                    "resolution": "PT30M",
                    "values": list(range(1144, 1480)),
                    "quality": [["measured", 336]],
                }
            ],
            "coverage": {
                "requested": {"from": "2026-11-17T23:00:00Z", "to": "2026-11-24T23:00:00Z"},
                "available": {"from": "2026-11-17T23:00:00Z", "to": "2026-11-24T23:00:00Z"},
                "missing": [],
            },
        }

    def test_say_what_is_missing_and_why(self, plane: Plane, token: str) -> None:
        plane.world.db.execute("UPDATE metering_meteringpoint SET activated_on = '2026-11-12'")
        answer = plane.get(path(start=days_ago(20), end=days_ago(-2)), token)
        assert answer.json()["coverage"]["missing"] == [
            {"from": "2026-11-04T23:00:00Z", "to": "2026-11-11T23:00:00Z", "reason": "before_activation"},
            {"from": "2026-11-11T23:00:00Z", "to": "2026-11-14T23:00:00Z", "reason": "not_received"},
            {"from": "2026-11-24T23:00:00Z", "to": "2026-11-25T09:30:00Z", "reason": "not_received"},
            {"from": "2026-11-25T09:30:00Z", "to": "2026-11-26T23:00:00Z", "reason": "future"},
        ]

    def test_say_that_a_curve_is_not_collected(self, plane: Plane, token: str) -> None:
        plane.world.db.execute("DELETE FROM metering_loadcurvecollection")
        until = f"{days_ago(1)} 08:00:00"
        plane.world.collection(CONSO, ACME, "active", since=f"{days_ago(30)} 08:00:00", until=until)
        plane.world.collection(CONSO, ACME, "ended", since=until)
        missing = plane.get(path(end=days_ago(-2)), token).json()["coverage"]["missing"]
        assert {gap["reason"] for gap in missing} == {"collection_inactive"}
        missing = plane.get(path(SOLAR), token).json()["coverage"]["missing"]
        assert [gap["reason"] for gap in missing] == ["collection_inactive"]

    def test_a_day_without_a_collection_on_record_reads_alike_before_the_first_value_and_after_the_last(
        self, plane: Plane, token: str
    ) -> None:
        """Collected from the third day before the values to the last of them; asked for again then."""
        plane.world.db.execute(
            "DELETE FROM metering_loadcurvecollection WHERE metering_point_id = ?", (CONSO,)
        )
        since, until = f"{days_ago(13)} 15:00:00", f"{days_ago(1)} 08:00:00"
        plane.world.collection(CONSO, ACME, "active", since=since, until=until)
        plane.world.collection(CONSO, ACME, "requested", since=until)
        plane.world.collection(CONSO, CHARLIE, "active", since="2020-01-01 00:00:00", until=since)
        missing = plane.get(path(start=days_ago(20), end=days_ago(-1)), token).json()["coverage"]["missing"]
        assert [(gap["from"][:10], gap["to"][:10], gap["reason"]) for gap in missing] == [
            ("2026-11-04", "2026-11-11", "collection_inactive"),
            ("2026-11-11", "2026-11-14", "not_received"),
            ("2026-11-24", "2026-11-25", "collection_inactive"),
        ]

    def test_a_curve_that_comes_though_no_collection_was_ever_recorded_is_not_missing_for_that(
        self, plane: Plane, token: str
    ) -> None:
        """Nobody keeps these records here: whatever is asked, they are no reason."""
        plane.world.db.execute("DELETE FROM metering_loadcurvecollection")
        for start, end in ((20, 1), (20, 15), (5, -1)):
            answer = plane.get(path(start=days_ago(start), end=days_ago(end)), token).json()
            reasons = {gap["reason"] for gap in answer["coverage"]["missing"]}
            assert reasons <= {"not_received", "future"}, (start, end)
            assert "not_received" in reasons, (start, end)
        missing = plane.get(path(SOLAR), token).json()["coverage"]["missing"]
        assert [gap["reason"] for gap in missing] == ["collection_inactive"]

    def test_a_hole_reads_alike_whatever_was_asked_around_it(self, plane: Plane, token: str) -> None:
        """Curves came on both sides of it without a collection on record: that is not why it is one."""
        plane.put_curve(CONSO, days_ago(20), 5)
        plane.world.db.execute("UPDATE metering_loadcurvecollection SET state = 'requested'")
        for start, end in ((20, 5), (15, 5), (20, 10), (15, 10)):
            answer = plane.get(path(start=days_ago(start), end=days_ago(end)), token).json()
            (gap,) = answer["coverage"]["missing"]
            assert (gap["from"][:10], gap["to"][:10]) == ("2026-11-09", "2026-11-14")
            assert gap["reason"] == "not_received"

    def test_curves_of_before_the_collection_was_recorded_are_not_missing_for_that(
        self, plane: Plane, token: str
    ) -> None:
        plane.put_curve(CONSO, days_ago(20), 5)
        plane.world.db.execute("DELETE FROM metering_loadcurvecollection")
        plane.world.collection(CONSO, ACME, "active", since=f"{days_ago(5)} 08:00:00")
        missing = plane.get(path(start=days_ago(20), end=days_ago(1)), token).json()["coverage"]["missing"]
        assert [gap["reason"] for gap in missing] == ["not_received"]

    def test_a_direction_that_the_point_does_not_have(self, plane: Plane, token: str) -> None:
        missing = plane.get(path(direction="injection"), token).json()["coverage"]["missing"]
        assert [gap["reason"] for gap in missing] == ["direction_absent"]

    def test_take_instants_as_well_as_dates(self, plane: Plane, token: str) -> None:
        for start, end in (
            ("2026-11-18T10:00:00%2B01:00", "2026-11-18T11:00:00%2B01:00"),
            ("2026-11-18T10:00:00+01:00", "2026-11-18T11:00:00+01:00"),  # a plus that was not encoded
            ("2026-11-18T09:00:00Z", "2026-11-18t10:00:00.000z"),
        ):
            body = plane.get(path(start=start, end=end), token).json()
            assert body["segments"][0]["values"] == [1144 + 20, 1144 + 21]

    def test_keep_the_quality_of_each_value(self, plane: Plane, token: str) -> None:
        quality = (
            [Quality.MEASURED] * 30 + [Quality.ESTIMATED] * 2 + [Quality.CORRECTED] * 15 + [Quality.MISSING]
        )
        block = day_block(
            CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, days_ago(30), range(48), quality=quality
        )
        plane.put(block)
        (segment,) = plane.get(path(start=days_ago(30), end=days_ago(29)), token).json()["segments"]
        assert segment["quality"] == [["measured", 30], ["estimated", 2], ["corrected", 15]]

    def test_put_null_in_a_gap(self, plane: Plane, token: str) -> None:
        block = day_block(
            CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, days_ago(30), [1, None, *range(46)]
        )
        plane.put(block)
        body = plane.get(path(start=days_ago(30), end=days_ago(29)), token).json()
        assert body["segments"][0]["values"][:3] == [1, None, 0]
        assert body["coverage"]["missing"] == [
            {"from": "2026-10-25T23:30:00Z", "to": "2026-10-26T00:00:00Z", "reason": "not_received"}
        ]

    def test_at_a_coarser_step_when_asked(self, plane: Plane, token: str) -> None:
        body = plane.get(path(start=days_ago(10), end=days_ago(9), resolution="PT1H"), token).json()
        assert body["segments"][0]["resolution"] == "PT60M"
        assert body["segments"][0]["values"][:2] == [1000.5, 1002.5]
        body = plane.get(path(start=days_ago(10), end=days_ago(9), resolution="PT10M"), token).json()
        assert body["segments"][0]["resolution"] == "PT30M"

    def test_as_they_were_known_then(self, plane: Plane, token: str) -> None:
        old = plane.now - timedelta(days=2)
        day = days_ago(30)
        plane.put(*daily(CONSO, day, [1000]), recorded_at=old)
        plane.put(*daily(CONSO, day, [1200]), recorded_at=plane.now - timedelta(days=1))
        now = plane.get(path(kind="daily_energy", start=day, end=days_ago(29)), token).json()
        then = plane.get(
            path(kind="daily_energy", start=day, end=days_ago(29), as_of="2026-11-23T12:00:00Z"), token
        ).json()
        assert (now["segments"][0]["values"], then["segments"][0]["values"]) == ([1200], [1000])
        assert plane.logged()[-1]["as_of"] == "2026-11-23T12:00:00Z"

    def test_daily_energy_is_summed_from_a_complete_curve(self, plane: Plane, token: str) -> None:
        body = plane.get(path(kind="daily_energy", start=days_ago(11), end=days_ago(9)), token).json()
        assert body["unit"] == "Wh"
        assert body["segments"] == [
            {
                "start": "2026-11-14T23:00:00Z",
                "resolution": "P1D",
                "values": [sum(range(1000, 1048)) / 2],
                "quality": [["measured", 1]],
            }
        ]

    def test_maximum_power_says_when(self, plane: Plane, token: str) -> None:
        plane.put(
            day_block(
                CONSO, Kind.MAXIMUM_POWER, WITHDRAWAL, Resolution.P1D, days_ago(3), [4638], offsets=[43580]
            )
        )
        (segment,) = plane.get(path(kind="maximum_power"), token).json()["segments"]
        assert (segment["values"], segment["offsets"]) == ([4638], [43580])

    def test_register_readings_name_their_register(self, plane: Plane, token: str) -> None:
        plane.put(
            *(
                day_block(
                    CONSO,
                    Kind.REGISTER_READING,
                    WITHDRAWAL,
                    Resolution.P1D,
                    days_ago(3),
                    [value],
                    register=register,
                )
                for register, value in (("HP", 5_000_000), ("HC", 3_000_000))
            )
        )
        body = plane.get(path(kind="register_reading"), token).json()
        assert [(s["register"], s["values"]) for s in body["segments"]] == [
            ("HC", [3_000_000]),
            ("HP", [5_000_000]),
        ]

    def test_a_long_period_is_read_whole(self, plane: Plane, token: str) -> None:
        plane.put_curve(CONSO, days_ago(400), 365)
        body = plane.get(path(start=days_ago(400), end=days_ago(35)), token).json()
        assert sum(len(segment["values"]) for segment in body["segments"]) == 365 * 48
        assert plane.logged()[-1]["values"] == 365 * 48

    def test_as_csv(self, plane: Plane, token: str) -> None:
        day = date(2026, 10, 25)
        plane.put_curve(CONSO, day, 1)
        answer = plane.get(
            path(start=day, end=day + timedelta(days=1)), token, headers={"Accept": "text/csv"}
        )
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.headers["Vary"] == "Accept"
        rows = list(csv.reader(io.StringIO(answer.text)))
        assert rows[0] == ["start", "end", f"{CONSO} load_curve withdrawal (W)", "quality"]
        assert rows[1] == ["2026-10-25T00:00:00+02:00", "2026-10-25T00:30:00+02:00", "1000", "measured"]
        assert len(rows) == 51

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("*/*", "application/json"),
            ("text/*", "text/csv"),
            ("text/csv;q=0.5, application/json", "application/json"),
            ("application/json;q=0.2, text/csv", "text/csv"),
            ("text/html, */*;q=0.1", "application/json"),
            ("text/csv;q=0, */*", "application/json"),
        ],
    )
    def test_in_the_form_that_is_preferred(
        self, plane: Plane, token: str, accept: str, media_type: str
    ) -> None:
        answer = plane.get(path(), token, headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith(media_type)

    @pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "text/csv;q=nonsense"])
    def test_in_no_other_form(self, plane: Plane, token: str, accept: str) -> None:
        problem(plane.get(path(), token, headers={"Accept": accept}), 406, "not-acceptable")
        assert plane.logged() == []


class TestWhoMayRead:
    def test_an_unknown_point_and_an_unreadable_one_look_the_same(self, plane: Plane, token: str) -> None:
        for suffix in (
            "",
            "/measurements?kind=load_curve&direction=withdrawal&start=2026-11-18&end=2026-11-19",
        ):
            unknown, foreign = (plane.get(f"{ROOT}/{p}{suffix}", token) for p in (UNKNOWN, FOREIGN))
            problem(unknown, 404, "metering-point-not-found")
            assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content)

    def test_both_are_logged_for_whoever_holds_the_point(self, plane: Plane, token: str) -> None:
        plane.get(path(FOREIGN), token)
        plane.get(path(UNKNOWN), token)
        plane.get(path("x" * 200), token)
        assert [(e["metering_point"], e["holder"], e["outcome"]) for e in plane.logged()] == [
            (FOREIGN, CHARLIE, "no_permission"),
            (UNKNOWN, None, "no_permission"),
        ]

    def test_an_ended_permission_is_a_404_again(self, plane: Plane, tiers1: str) -> None:
        line = plane.world.line(CONSO, reader=TIERS1, holder=ACME)
        assert plane.get(path(), tiers1).status_code == 200
        plane.world.end(line)
        problem(plane.get(path(), tiers1), 404, "metering-point-not-found")

    def test_a_point_that_its_holder_left_is_said_to_whoever_had_it(
        self, plane: Plane, tiers1: str, token: str
    ) -> None:
        left = days_ago(5)
        empty = {"data_from": left, "data_to": left, "valid_from": left, "valid_until": left}
        plane.world.line(FOREIGN, reader=TIERS1, holder=ACME, **empty)
        for address in (path(FOREIGN), f"{ROOT}/{FOREIGN}"):
            problem(plane.get(address, tiers1), 403, "holder-left-metering-point")
            problem(plane.get(address, token), 404, "metering-point-not-found")
        told = [entry for entry in plane.logged() if entry["reader"] == TIERS1]
        assert [(entry["holder"] == ACME, entry["outcome"]) for entry in told] == [
            (False, "no_permission")
        ], "who holds the point now reads that the former holder had permitted it"
        assert plane.get(ROOT, tiers1).json()["metering_points"] == []

    def test_a_kind_that_is_not_covered_is_named(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(
            CONSO,
            reader=TIERS1,
            holder=ACME,
            kinds=Kind.DAILY_ENERGY.bit | Kind.MAXIMUM_POWER.bit,
            directions=WITHDRAWAL.bit,
        )
        body = problem(plane.get(path(), tiers1), 403, "kind-not-covered")
        assert body["covered"] == ["daily_energy", "maximum_power"]
        assert "Ask the holder" in str(body["detail"])
        body = problem(
            plane.get(path(kind="daily_energy", direction="injection"), tiers1), 403, "direction-not-covered"
        )
        assert body["covered"] == ["withdrawal"]
        assert [e["outcome"] for e in plane.logged()] == ["kind_not_covered", "direction_not_covered"]

    def test_nothing_finer_than_the_permission_allows(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, finest_resolution=3600)
        body = plane.get(path(), tiers1).json()
        assert {segment["resolution"] for segment in body["segments"]} == {"PT60M"}
        refusal = problem(plane.get(path(resolution="PT30M"), tiers1), 403, "resolution-too-fine")
        assert refusal["finest_resolution"] == "PT60M"

    def test_a_period_from_before_the_permission_is_cut_and_told(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, data_from=days_ago(3))
        body = plane.get(path(), tiers1).json()
        assert body["start"] == "2026-11-21T23:00:00Z"
        assert len(body["segments"][0]["values"]) == 144
        assert body["coverage"]["missing"] == [
            {
                "from": "2026-11-17T23:00:00Z",
                "to": "2026-11-21T23:00:00Z",
                "reason": "before_permission_history",
            }
        ]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ({"data_from": days_ago(1)}, "before_permission_history"),
            ({"data_to": days_ago(30)}, "after_title"),
        ],
    )
    def test_a_period_wholly_outside_the_permission_is_an_empty_answer(
        self, plane: Plane, tiers1: str, line: dict[str, date], reason: str
    ) -> None:
        plane.world.line(
            CONSO,
            reader=TIERS1,
            holder=ACME,
            data_from=line.get("data_from", date(2024, 1, 1)),
            data_to=line.get("data_to"),
        )
        body = plane.get(path(end=days_ago(3)), tiers1).json()
        assert body["segments"] == []
        assert body["coverage"]["available"] is None
        assert [gap["reason"] for gap in body["coverage"]["missing"]] == [reason]
        assert plane.logged()[-1]["outcome"] == ("after_title" if "data_to" in line else "before_history")

    def test_a_title_bounds_its_holder_too(self, plane: Plane, acme: Client, token: str) -> None:
        plane.world.db.execute("UPDATE sharing_accessline SET data_from = ?", (midnight(days_ago(1)),))
        body = plane.get(path(end=days_ago(3)), token).json()
        assert [gap["reason"] for gap in body["coverage"]["missing"]] == ["before_title"]

    def test_a_holder_who_came_back_reads_both_its_times(
        self, plane: Plane, acme: Client, token: str
    ) -> None:
        plane.world.db.execute("UPDATE sharing_accessline SET data_to = ?", (midnight(days_ago(6)),))
        plane.world.line(CONSO, reader=ACME, holder=ACME, basis="title", data_from=days_ago(2))
        body = plane.get(path(), token).json()
        assert [len(segment["values"]) for segment in body["segments"]] == [48, 96]
        assert [gap["reason"] for gap in body["coverage"]["missing"]] == ["between_titles"]

        page = plane.get(ROOT, token).json()["metering_points"]
        (listed,) = [one for one in page if one["id"] == CONSO]
        times = [(line["data_from"], line["data_to"]) for line in listed["access"]]
        assert times == [("2023-12-31T23:00:00Z", "2026-11-18T23:00:00Z"), ("2026-11-22T23:00:00Z", None)]

        between = plane.get(path(start=days_ago(5), end=days_ago(3)), token).json()
        assert [gap["reason"] for gap in between["coverage"]["missing"]] == ["between_titles"]
        assert plane.logged()[-1]["outcome"] == "between_titles"

    def test_an_application_that_is_not_subscribed(self, plane: Plane, acme: Client) -> None:
        token = plane.token(plane.world.application("other", ACME, "enedis"))
        for address in (path(), ROOT, f"{ROOT}/{CONSO}"):
            body = problem(plane.get(address, token), 403, "api-not-subscribed")
            assert "Subscribe it" in str(body["detail"])

    def test_nobody_without_a_token(self, plane: Plane, token: str) -> None:
        answer = plane.get(path())
        problem(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gridgate"'

    def test_nobody_with_an_expired_one(self, plane: Plane, token: str) -> None:
        plane.now += timedelta(hours=1)
        answer = plane.get(path(), token)
        body = problem(answer, 401, "unauthenticated")
        assert "expired" in str(body["detail"])
        assert answer.headers["WWW-Authenticate"] == (
            'Bearer realm="gridgate", error="invalid_token", error_description="the access token is expired"'
        )

    def test_a_token_works_on_every_api_its_application_is_subscribed_to(
        self, plane: Plane, tiers1: str
    ) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME)
        enedis = "/enedis/metering_data_clc/v5/consumption_load_curve"
        query = f"?usage_point_id={CONSO}&start={days_ago(7)}&end={days_ago(0)}"
        assert plane.get(path(), tiers1).status_code == plane.get(enedis + query, tiers1).status_code == 200


class TestParameters:
    @pytest.mark.parametrize(
        ("query", "parameters"),
        [
            ("", ["kind", "direction", "start", "end"]),
            ("kind=curve&direction=up&start=x&end=2026-13-01", ["kind", "direction", "start", "end"]),
            ("kind=load_curve&direction=withdrawal&start=2026-11-18T00:00:00&end=2026-11-19", ["start"]),
            ("kind=load_curve&direction=withdrawal&start=2026-11-18&end=2026-11-18", ["end"]),
            ("kind=load_curve&direction=withdrawal&start=2020-11-18&end=2026-11-18", ["end"]),
            ("kind=load_curve&direction=withdrawal&start=2026-11-18&end=2026-11-19&step=1", ["step"]),
            (
                "kind=load_curve&kind=load_curve&direction=withdrawal&start=2026-11-18&end=2026-11-19",
                ["kind"],
            ),
            (
                "kind=load_curve&direction=withdrawal&start=2026-11-18&end=2026-11-19&resolution=P1M&as_of=now",
                ["resolution", "as_of"],
            ),
            (
                "kind=load_curve&direction=withdrawal&start=0001-01-01&end=2026-02-30T00:00:00Z",
                ["start", "end"],
            ),
            (
                "kind=load_curve&direction=withdrawal&start=2026-11-18&end=2026-11-19&resolution=&as_of=",
                ["resolution", "as_of"],
            ),
            ("kind=&direction=&start=&end=", ["kind", "direction", "start", "end"]),
            ("&".join(f"kind{n}=1" for n in range(20)), ["query"]),
        ],
    )
    def test_are_all_named_when_wrong(
        self, plane: Plane, token: str, query: str, parameters: list[str]
    ) -> None:
        answer = plane.get(f"{ROOT}/{CONSO}/measurements?{query}", token)
        body = problem(answer, 400, "invalid-parameters")
        errors = body["errors"]
        assert isinstance(errors, list)
        assert [error["parameter"] for error in errors] == parameters
        assert all(error["detail"] for error in errors)


class TestMeteringPoints:
    def test_lists_what_the_caller_may_read_and_on_what_basis(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(
            CONSO,
            reader=TIERS1,
            holder=ACME,
            permission="ab" * 16,
            kinds=Kind.LOAD_CURVE.bit,
            directions=WITHDRAWAL.bit,
            finest_resolution=1800,
            valid_until=days_ago(-30),
        )
        plane.world.line(SOLAR, reader=TIERS1, holder=ACME, valid_until=days_ago(1))
        body = plane.get(ROOT, tiers1).json()
        assert body == {
            "metering_points": [
                {
                    "id": CONSO,
                    "segment": "C5",
                    "directions": ["withdrawal"],
                    "activated_on": "2020-01-15",
                    "subscribed_power_kva": 36,
                    "access": [
                        {
                            "basis": "permission",
                            "permission": "abababab-abab-abab-abab-abababababab",
                            "kinds": ["load_curve"],
                            "directions": ["withdrawal"],
                            "finest_resolution": "PT30M",
                            "data_from": "2023-12-31T23:00:00Z",
                            "data_to": None,
                            "valid_from": "2025-12-31T23:00:00Z",
                            "valid_until": "2026-12-24T23:00:00Z",
                        }
                    ],
                }
            ],
            "next": None,
        }

    def test_in_pages(self, plane: Plane, tiers1: str) -> None:
        ids = [f"{number:014d}" for number in range(1, 8)]
        for point in ids:
            plane.world.point(point, holder=ACME)
            plane.world.line(point, reader=TIERS1, holder=ACME)
        seen, address = [], f"{ROOT}?limit=3"
        while address:
            body = plane.get(address, tiers1).json()
            assert len(body["metering_points"]) <= 3
            seen += [point["id"] for point in body["metering_points"]]
            address = body["next"]
        assert seen == ids

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=501",
            "limit=x",
            "limit=",
            "limit=" + "9" * 400,
            "limit=000000001" + "9" * 391,
            "limit=5&limit=5",
            "limit=٣",
            "cursor=%21",
            "cursor=",
            "page=2",
        ],
    )
    def test_refuses_other_parameters(self, plane: Plane, token: str, query: str) -> None:
        problem(plane.get(f"{ROOT}?{query}", token), 400, "invalid-parameters")

    def test_is_empty_for_who_may_read_nothing(self, plane: Plane, tiers1: str) -> None:
        assert plane.get(ROOT, tiers1).json() == {"metering_points": [], "next": None}

    def test_one_point_says_which_series_can_be_read(self, plane: Plane, tiers1: str) -> None:
        plane.put(*daily(CONSO, days_ago(400), [1]), *daily(SOLAR, days_ago(3), [1], INJECTION))
        plane.world.line(
            CONSO,
            reader=TIERS1,
            holder=ACME,
            kinds=Kind.LOAD_CURVE.bit,
            finest_resolution=3600,
            data_from=days_ago(5),
        )
        body = plane.get(f"{ROOT}/{CONSO}", tiers1).json()
        assert body["id"] == CONSO
        assert body["series"] == [
            {
                "kind": "load_curve",
                "direction": "withdrawal",
                "resolution": "PT60M",
                "first": str(days_ago(5)),
                "last": str(days_ago(1)),
            }
        ]

    def test_a_series_that_no_line_reaches_is_not_told(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, data_from=days_ago(0))
        assert plane.get(f"{ROOT}/{CONSO}", tiers1).json()["series"] == []


class TestTokenEndpoint:
    def test_issues_for_an_hour(self, plane: Plane, acme: Client) -> None:
        for arguments in (
            {"auth": (acme.client_id, acme.client_secret), "data": {"grant_type": "client_credentials"}},
            {
                "data": {
                    "grant_type": "client_credentials",
                    "client_id": acme.client_id,
                    "client_secret": acme.client_secret,
                }
            },
        ):
            answer = plane.post("/oauth2/token", **arguments)
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "no-store"
            body = answer.json()
            assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
            assert plane.get(ROOT, body["access_token"]).status_code == 200

    def test_refuses_as_the_standard_says(self, plane: Plane, acme: Client) -> None:
        right = (acme.client_id, acme.client_secret)
        grant = {"grant_type": "client_credentials"}
        secret = {"client_id": acme.client_id, "client_secret": acme.client_secret}
        for arguments, status, error in (
            ({"data": grant}, 401, "invalid_client"),
            ({"data": grant, "auth": ("acme", "wrong")}, 401, "invalid_client"),
            ({"data": grant, "auth": ("nobody", "wrong")}, 401, "invalid_client"),
            ({"data": {}, "auth": right}, 400, "invalid_request"),
            ({"data": {"grant_type": "password"}, "auth": right}, 400, "unsupported_grant_type"),
            ({"params": {**grant, **secret}}, 400, "invalid_request"),
            ({"data": {**grant, **secret}, "auth": right}, 400, "invalid_request"),
            ({"json": grant, "auth": right}, 400, "invalid_request"),
        ):
            answer = plane.post("/oauth2/token", **arguments)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["error"]) == (status, error), arguments
            assert ("WWW-Authenticate" in answer.headers) is (status == 401)
            assert answer.headers["Cache-Control"] == "no-store"

    def test_an_unknown_client_and_a_wrong_secret_look_the_same(self, plane: Plane, acme: Client) -> None:
        wrong, unknown = (
            plane.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=(name, "wrong"))
            for name in ("acme", "nobody")
        )
        assert wrong.content == unknown.content

    def test_revokes(self, plane: Plane, acme: Client, token: str, tiers1: str) -> None:
        auth = (acme.client_id, acme.client_secret)
        assert plane.post("/oauth2/revoke", data={}, auth=auth).status_code == 400
        assert plane.post("/oauth2/revoke", data={"token": token}).status_code == 401
        for revoked in (token, token, tiers1, "unknown"):
            answer = plane.post("/oauth2/revoke", data={"token": revoked}, auth=auth)
            assert answer.status_code == 200
        problem(plane.get(ROOT, token), 401, "unauthenticated")
        assert plane.get(ROOT, tiers1).status_code == 200  # a client cannot revoke another's


class TestFailing:
    def test_closed_and_in_its_words(
        self, plane: Plane, token: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a secret of the inside")

        with monkeypatch.context() as patch:
            patch.setattr("gridgate.facades.native.wire.answers.encode_page", broken)
            answer = plane.get(ROOT, token)
        body = problem(answer, 500, "internal-error")
        assert body["reference"] == answer.headers["X-Request-Id"]
        assert "secret" not in answer.text
        plane.world.db.execute("DROP TABLE sharing_accessline")
        answer = plane.get(ROOT, token)
        problem(answer, 503, "unavailable")
        assert answer.headers["Retry-After"] == "5"


class TestAPointThatChangedHands:
    """ACME left CONSO to Charlie ten days ago; it became an injection of 4,321 kVA that day."""

    @pytest.fixture
    def handed_over(self, plane: Plane, acme: Client) -> date:
        on = days_ago(10)
        plane.world.hand_over(CONSO, to=CHARLIE, on=on, segment="P3", directions=2, kva=4321)
        return on

    def test_is_told_to_each_as_it_is_or_was_in_its_time(
        self, plane: Plane, token: str, handed_over: date
    ) -> None:
        theirs = plane.token(plane.world.application("charlie", CHARLIE, "native"))
        told = {}
        for name, bearer in (("former", token), ("present", theirs)):
            alone = plane.get(f"{ROOT}/{CONSO}", bearer).json()
            listed = plane.get(ROOT, bearer).json()["metering_points"]
            told[name] = tuple(alone[key] for key in ("segment", "directions", "subscribed_power_kva"))
            assert {key: alone[key] for key in listed[0]} in listed
        assert told == {"former": ("C5", ["withdrawal"], 36), "present": ("P3", ["injection"], 4321)}

    def test_is_told_to_who_reads_by_permission_as_its_holder_sees_it(
        self, plane: Plane, tiers1: str, handed_over: date
    ) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=CHARLIE, data_from=handed_over)
        assert plane.get(f"{ROOT}/{CONSO}", tiers1).json()["segment"] == "P3"

    def test_of_which_nothing_is_known_then_is_told_without(
        self, plane: Plane, token: str, handed_over: date
    ) -> None:
        plane.world.db.execute("UPDATE metering_pointasheld SET version_id = NULL, directions = 3")
        alone = plane.get(f"{ROOT}/{CONSO}", token).json()
        assert (alone["segment"], alone["subscribed_power_kva"], alone["directions"]) == (None, None, None)

    def test_does_not_say_how_the_next_holder_has_its_curve_collected(
        self, plane: Plane, token: str, handed_over: date
    ) -> None:
        left = f"{handed_over} 00:00:00"
        plane.world.db.execute("UPDATE metering_loadcurvecollection SET until = ?", (left,))
        plane.world.collection(CONSO, CHARLIE, "ended", since=left)
        answer = plane.get(path(start=days_ago(14), end=days_ago(10)), token)
        assert {gap["reason"] for gap in answer.json()["coverage"]["missing"]} == {"not_received"}

    def test_tells_refused_reads_of_who_held_it_to_nobody_else(
        self, plane: Plane, token: str, tiers1: str, handed_over: date
    ) -> None:
        assert plane.get(path(start=days_ago(3), end=days_ago(1)), token).status_code == 200
        plane.get(path(start=days_ago(3), end=days_ago(1)), tiers1)
        told = {
            (entry["reader"], entry["holder"]) for entry in plane.logged() if entry["outcome"] != "granted"
        }
        assert told == {(ACME, ACME), (TIERS1, CHARLIE)}
