"""The portal's door: decided and logged like every other."""

import math
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from gridgate.core.errors import ErrorKind
from gridgate.core.quantities import Kind
from gridgate.core.sharing import RefusalReason
from gridgate.core.time import Interval, Resolution, civil_day_bounds
from gridgate.dataplane.accesslog import AccessLogUnavailable
from gridgate.dataplane.client import (
    DailyTotals,
    Latest,
    MeasurementClient,
    Period,
    Reader,
    ReadRefused,
    SumAsked,
)
from tests.dataplane_plane import INJECTION, WITHDRAWAL, Plane, daily
from tests.dataplane_world import (
    ACME,
    CHARLIE,
    CONSO,
    FOREIGN,
    NOW,
    PARIS,
    SOLAR,
    TIERS1,
    UNKNOWN,
    days_ago,
    midnight,
)

ALICE = Reader(ACME, "ACME Industries", user=7, user_name="Alice")
THIRD = Reader(TIERS1, "Tiers 1", user=9, user_name="Tiers")


def week() -> tuple[datetime, datetime]:
    start, end = civil_day_bounds(days_ago(7), PARIS).start, civil_day_bounds(days_ago(1), PARIS).end
    assert end is not None
    return start, end


@pytest.fixture
def client(plane: Plane) -> Iterator[MeasurementClient]:
    plane.world.point(CONSO, holder=ACME)
    plane.world.point(SOLAR, holder=ACME)
    plane.world.point(FOREIGN, holder=CHARLIE)
    plane.put_curve(CONSO, days_ago(10), 10)
    client = MeasurementClient(plane.config)
    yield client
    client.close()


class TestReadable:
    def test_says_what_a_read_would_be_granted_and_logs_nothing(
        self, plane: Plane, client: MeasurementClient
    ) -> None:
        plane.world.db.execute(
            "UPDATE sharing_accessline SET data_from = ? WHERE metering_point_id = ?",
            (midnight(days_ago(3)), CONSO),
        )
        asked = SumAsked(WITHDRAWAL, Interval(*week()), Period.DAY)
        readable = client.readable(ALICE, asked, [CONSO, SOLAR, FOREIGN, UNKNOWN], at=NOW)
        assert {point: verdict.readable for point, verdict in readable.granted.items()} == {
            CONSO: Interval(civil_day_bounds(days_ago(3), PARIS).start, week()[1]),
            SOLAR: Interval(*week()),
        }
        assert set(readable.refused) == {FOREIGN, UNKNOWN}
        assert plane.logged() == []
        totals = client.daily_totals(ALICE, [CONSO, FOREIGN], WITHDRAWAL, days_ago(7), days_ago(1), at=NOW)
        assert totals.decided.granted == {CONSO: readable.granted[CONSO]}


class TestRead:
    def test_answers_the_holder_and_logs_the_person(self, plane: Plane, client: MeasurementClient) -> None:
        answer = client.read(ALICE, CONSO, Kind.LOAD_CURVE, WITHDRAWAL, *week(), at=NOW)
        assert answer.count == 336
        assert answer.available == Interval(*week())
        (entry,) = plane.logged()
        assert (entry["channel"], entry["user"], entry["user_name"]) == ("screen", 7, "Alice")
        assert (entry["basis"], entry["permission"], entry["application"]) == ("title", None, None)
        assert (entry["reader"], entry["holder"], entry["values"]) == (ACME, ACME, 336)

    def test_takes_a_step_an_instant_of_knowledge_and_a_channel(
        self, plane: Plane, client: MeasurementClient
    ) -> None:
        answer = client.read(
            ALICE,
            CONSO,
            Kind.LOAD_CURVE,
            WITHDRAWAL,
            *week(),
            at=NOW,
            resolution=Resolution.PT60M,
            as_of=NOW,
            channel="export",
        )
        assert answer.count == 168
        assert (plane.logged()[0]["channel"], plane.logged()[0]["as_of"]) == (
            "export",
            "2026-11-25T09:30:00Z",
        )

    @pytest.mark.parametrize("point", [FOREIGN, UNKNOWN])
    def test_an_unreadable_point_is_absent_and_the_attempt_is_logged(
        self, plane: Plane, client: MeasurementClient, point: str
    ) -> None:
        with pytest.raises(ReadRefused) as refused:
            client.read(ALICE, point, Kind.LOAD_CURVE, WITHDRAWAL, *week(), at=NOW)
        assert refused.value.kind is ErrorKind.NOT_FOUND
        assert refused.value.reason is RefusalReason.NO_PERMISSION
        (entry,) = plane.logged()
        assert (entry["outcome"], entry["holder"]) == (
            "no_permission",
            CHARLIE if point == FOREIGN else None,
        )

    def test_what_a_line_does_not_cover_is_forbidden(self, plane: Plane, client: MeasurementClient) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, kinds=Kind.DAILY_ENERGY.bit)
        with pytest.raises(ReadRefused) as refused:
            client.read(THIRD, CONSO, Kind.LOAD_CURVE, WITHDRAWAL, *week(), at=NOW)
        assert (refused.value.kind, refused.value.reason) == (
            ErrorKind.FORBIDDEN,
            RefusalReason.KIND_NOT_COVERED,
        )

    def test_a_holder_who_came_back_reads_both_times_and_never_the_one_between(
        self, plane: Plane, client: MeasurementClient
    ) -> None:
        plane.world.db.execute("UPDATE sharing_accessline SET data_to = ?", (midnight(days_ago(6)),))
        plane.world.line(CONSO, reader=ACME, holder=ACME, basis="title", data_from=days_ago(2))
        answer = client.read(ALICE, CONSO, Kind.LOAD_CURVE, WITHDRAWAL, *week(), at=NOW)
        assert answer.count == 48 + 96
        assert [(gap.start, gap.end, gap.reason) for gap in answer.missing] == [
            (
                civil_day_bounds(days_ago(6), PARIS).start,
                civil_day_bounds(days_ago(2), PARIS).start,
                "between_titles",
            )
        ]
        assert [entry["values"] for entry in plane.logged()] == [48, 96]
        totals = client.daily_totals(ALICE, [CONSO], WITHDRAWAL, days_ago(7), days_ago(1), at=NOW)
        assert sorted(told(totals)[CONSO]) == [days_ago(7), days_ago(2), days_ago(1)]

    def test_without_a_log_nothing_is_answered(self, plane: Plane, client: MeasurementClient) -> None:
        (plane.folder / "accesslog").rmdir()
        with pytest.raises(AccessLogUnavailable):
            client.read(ALICE, CONSO, Kind.LOAD_CURVE, WITHDRAWAL, *week(), at=NOW)

    def test_serves_threads_side_by_side(self, plane: Plane, client: MeasurementClient) -> None:
        counts: list[int] = []

        def read() -> None:
            for _ in range(10):
                answer = client.read(ALICE, CONSO, Kind.LOAD_CURVE, WITHDRAWAL, *week(), at=NOW)
                counts.append(answer.count)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == [336] * 80
        assert len(plane.logged()) == 80


def told(totals: DailyTotals) -> dict[str, dict[date, float]]:
    """The days that have a value, by point."""
    return {
        point: {
            day: value for day, value in zip(totals.days, row.tolist(), strict=True) if not math.isnan(value)
        }
        for point, row in zip(totals.points, totals.values, strict=True)
    }


class TestDailyTotals:
    def test_of_many_points_with_one_line_of_the_log_each(
        self, plane: Plane, client: MeasurementClient
    ) -> None:
        plane.put(*daily(SOLAR, days_ago(3), [100, 200]), *daily(CONSO, days_ago(2), [5]))
        plane.put(*daily(FOREIGN, days_ago(2), [7]))
        totals = client.daily_totals(
            ALICE, [CONSO, SOLAR, FOREIGN], WITHDRAWAL, days_ago(3), days_ago(1), at=NOW
        )
        first = 1000 + 7 * 48
        assert told(totals) == {
            CONSO: {
                days_ago(3): sum(range(first, first + 48)) / 2,  # from the curve
                days_ago(2): 5,  # as stored
                days_ago(1): sum(range(first + 96, first + 144)) / 2,
            },
            SOLAR: {days_ago(3): 100, days_ago(2): 200},
        }
        assert [(e["metering_point"], e["outcome"], e["values"]) for e in plane.logged()] == [
            (CONSO, "granted", 3),
            (SOLAR, "granted", 2),
            (FOREIGN, "no_permission", 0),
        ]

    def test_stop_where_the_permission_stops(self, plane: Plane, client: MeasurementClient) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, data_from=days_ago(2))
        totals = client.daily_totals(THIRD, [CONSO], WITHDRAWAL, days_ago(5), days_ago(1), at=NOW)
        assert list(told(totals)[CONSO]) == [days_ago(2), days_ago(1)]

    def test_of_no_points(self, plane: Plane, client: MeasurementClient) -> None:
        assert told(client.daily_totals(ALICE, [], WITHDRAWAL, days_ago(5), days_ago(1), at=NOW)) == {}
        assert plane.logged() == []


class TestLatest:
    def test_of_many_points_at_once_and_unlogged(self, plane: Plane, client: MeasurementClient) -> None:
        later = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
        plane.put(*daily(CONSO, days_ago(40), [1], INJECTION), recorded_at=later)
        assert client.latest([CONSO, SOLAR, FOREIGN]) == {CONSO: Latest(date(2026, 11, 24), later)}
        assert plane.logged() == []

    def test_counts_no_day_to_come(self, plane: Plane, client: MeasurementClient) -> None:
        """As a store may hold them that was made before they were set aside."""
        plane.put(*daily(SOLAR, date(2099, 1, 1), [1]))
        plane.put_curve(CONSO, date(2099, 1, 1), 1)
        found = client.latest([CONSO, SOLAR])
        assert {point: one.day for point, one in found.items()} == {CONSO: date(2026, 11, 24)}

    def test_says_which_series_there_are(self, plane: Plane, client: MeasurementClient) -> None:
        (info,) = client.series([CONSO])
        assert (info.key.kind, info.first, info.last) == (Kind.LOAD_CURVE, days_ago(10), days_ago(1))
