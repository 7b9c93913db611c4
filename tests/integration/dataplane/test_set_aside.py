"""Values that came and were set aside: told to whoever may read their day, kind and direction, and to nobody else."""

import json
import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import MissingReason
from gridgate.core.time import Resolution
from gridgate.dataplane.client import MeasurementClient, Reader
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.store.port import Source
from gridgate.dataplane.store.quarantine import Cause, Quarantined, Subject
from gridgate.dataplane.store.sqlite import SqliteStore
from gridgate.facades import native
from tests.dataplane_plane import WITHDRAWAL, Plane, day_block
from tests.dataplane_world import ACME, BOTH_WAYS, CHARLIE, CONSO, PARIS, TIERS1, days_ago, midnight
from tests.integration.dataplane.test_native import path

DAY = days_ago(30)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def acme(plane: Plane) -> str:
    plane.world.point(CONSO, holder=ACME)
    return plane.token(plane.world.application("acme", ACME, "native"))


@pytest.fixture
def tiers1(plane: Plane, acme: str) -> str:
    return plane.token(plane.world.application("tiers1", TIERS1, "native"))


def aside(
    plane: Plane,
    day: date = DAY,
    *,
    kind: Kind = Kind.LOAD_CURVE,
    direction: FlowDirection | None = WITHDRAWAL,
    slots: range | None = range(48),
    cause: Cause = Cause.NEGATIVE,
) -> None:
    """The values of a day come and are set aside; without `slots` one of no time."""
    begin = midnight(day)
    spans = [None] if slots is None else [(begin + n * 1800, begin + n * 1800 + 1800) for n in slots]
    items = [
        Quarantined(f"line {number}", "because", "-1", cause, Subject(CONSO, kind, direction, day, span))
        for number, span in enumerate(spans)
    ]
    source = Source(secrets.token_hex(4), secrets.token_hex(32), "test", None)
    plane.store.put([], source=source, quarantined=items, recorded_at=int(plane.now.timestamp() * 1000))


def half_of_it(plane: Plane, day: date) -> None:
    """The curve of the morning comes, and that of the afternoon does not."""
    values = [1 if slot < 24 else None for slot in range(48)]
    plane.put(day_block(CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, day, values))


def reasons(plane: Plane, token: str, start: object = DAY, end: object = NEXT, **more: Any) -> list[str]:
    answer = plane.get(path(start=start, end=end, **more), token)
    assert answer.status_code == 200, answer.text
    return [gap["reason"] for gap in answer.json()["coverage"]["missing"]]


def test_are_told_to_the_holder(plane: Plane, acme: str) -> None:
    assert reasons(plane, acme) == ["not_received"]
    aside(plane)
    assert reasons(plane, acme) == ["set_aside"]
    assert reasons(plane, acme, end=NEXT + timedelta(days=1)) == ["set_aside", "not_received"]


def test_are_no_reason_any_more_once_they_came_well(plane: Plane, acme: str) -> None:
    aside(plane)
    plane.put_curve(CONSO, DAY, 1)
    assert reasons(plane, acme) == []


def test_are_told_by_what_was_known_then(plane: Plane, acme: str) -> None:
    aside(plane)
    assert reasons(plane, acme, as_of="2026-11-24T00:00:00Z") == ["not_received"]


def test_are_told_though_no_collection_is_on_record(plane: Plane, acme: str) -> None:
    """After an opposition, say."""
    plane.world.db.execute("UPDATE metering_loadcurvecollection SET state = 'opposed'")
    aside(plane, cause=Cause.OPPOSITION)
    assert reasons(plane, acme, end=NEXT + timedelta(days=1)) == ["set_aside", "collection_inactive"]


class TestAThirdParty:
    @pytest.mark.parametrize(
        ("line", "told"),
        [
            ({}, "set_aside"),
            ({"finest_resolution": 3600}, "set_aside"),
            ({"data_from": DAY}, "set_aside"),
            ({"data_from": NEXT}, "before_permission_history"),
        ],
    )
    def test_is_told_of_what_it_may_read(
        self, plane: Plane, tiers1: str, line: dict[str, Any], told: str
    ) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, **line)
        aside(plane)
        assert reasons(plane, tiers1) == [told]

    def test_is_told_nothing_of_another_kind_or_direction(self, plane: Plane, tiers1: str) -> None:
        both = Kind.LOAD_CURVE.bit | Kind.DAILY_ENERGY.bit
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, kinds=both, directions=WITHDRAWAL.bit)
        aside(plane, kind=Kind.MAXIMUM_POWER, slots=None)
        aside(plane, direction=FlowDirection.INJECTION)
        aside(plane, direction=None, cause=Cause.DIRECTION_UNSAID)
        assert reasons(plane, tiers1) == ["not_received"]
        assert reasons(plane, tiers1, kind="daily_energy") == ["not_received"]

    def test_is_not_told_of_an_opposition(self, plane: Plane, tiers1: str) -> None:
        """It is between the holder and the operator: to whom the data is shared, none was collected."""
        plane.world.db.execute("UPDATE metering_loadcurvecollection SET state = 'opposed'")
        plane.world.line(CONSO, reader=TIERS1, holder=ACME)
        aside(plane, cause=Cause.OPPOSITION)
        assert reasons(plane, tiers1) == ["collection_inactive"]

    def test_that_may_read_both_directions_is_told_of_what_does_not_say_its_own(
        self, plane: Plane, tiers1: str
    ) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, directions=BOTH_WAYS)
        aside(plane, direction=None, cause=Cause.DIRECTION_UNSAID)
        assert reasons(plane, tiers1) == ["set_aside"]


class TestAPointThatChangesHands:
    """ACME leaves to Charlie; a day of each comes and is set aside."""

    @pytest.fixture
    def charlie(self, plane: Plane, acme: str) -> str:
        plane.world.hand_over(CONSO, to=CHARLIE, on=NEXT, segment="C5", directions=BOTH_WAYS, kva=36)
        return plane.token(plane.world.application("charlie", CHARLIE, "native"))

    @pytest.mark.parametrize("own", [True, False])
    def test_tells_each_holder_of_its_own_days(
        self, plane: Plane, acme: str, charlie: str, own: bool
    ) -> None:
        aside(plane, DAY if own else NEXT)
        both = {"start": DAY, "end": NEXT + timedelta(days=1)}
        assert reasons(plane, acme, **both) == ["set_aside" if own else "not_received", "after_title"]
        plane.world.db.execute("UPDATE metering_loadcurvecollection SET until = ?", (f"{NEXT} 00:00:00",))
        plane.world.collection(CONSO, CHARLIE, "active", since=f"{NEXT} 00:00:00")
        assert reasons(plane, charlie, **both) == ["before_title", "not_received" if own else "set_aside"]

    @pytest.mark.parametrize("from_then_on", [0, 1])
    def test_tells_an_opposition_to_whoever_opposes(
        self, plane: Plane, acme: str, charlie: str, from_then_on: int
    ) -> None:
        """The title was recorded late: what came of Charlie's days was set aside by the opposition of ACME."""
        last = NEXT + timedelta(days=1)
        plane.world.db.execute(
            "UPDATE metering_loadcurvecollection SET state = 'opposed', until = ?", (f"{NEXT} 00:00:00",)
        )
        for day in (DAY, NEXT, last):
            aside(plane, day, cause=Cause.OPPOSITION)
        both = {"start": DAY, "end": last + timedelta(days=1)}
        assert reasons(plane, acme, **both) == ["set_aside", "after_title"]
        assert reasons(plane, charlie, **both) == ["before_title", "collection_inactive"]

        since = NEXT + timedelta(days=from_then_on)
        plane.world.collection(CONSO, CHARLIE, "opposed", since=f"{since} 09:00:00")
        assert reasons(plane, charlie, **both) == [
            "before_title",
            *["collection_inactive"] * from_then_on,
            "set_aside",
        ]


class TestTheEnergyOfADay:
    """Summed from the curve, when that tells the whole day."""

    def test_is_missing_for_what_was_set_aside_of_its_curve(self, plane: Plane, acme: str) -> None:
        aside(plane, slots=range(40, 48))
        assert reasons(plane, acme, kind="daily_energy", end=NEXT + timedelta(days=1)) == [
            "set_aside",
            "not_received",
        ]

    def test_is_not_missing_for_what_came_well_afterwards(self, plane: Plane, acme: str) -> None:
        aside(plane, slots=range(3))
        plane.put_curve(CONSO, DAY, 1)
        assert reasons(plane, acme, kind="daily_energy") == []
        half_of_it(plane, NEXT)
        aside(plane, NEXT, slots=range(3))
        assert reasons(plane, acme, kind="daily_energy", start=NEXT, end=NEXT + timedelta(days=1)) == [
            "incomplete"
        ]

    def test_is_missing_for_a_curve_of_which_a_part_came(self, plane: Plane, acme: str) -> None:
        half_of_it(plane, DAY)
        half_of_it(plane, NEXT)
        period = {"start": DAY - timedelta(days=1), "end": NEXT + timedelta(days=2)}
        assert reasons(plane, acme, kind="daily_energy", **period) == [
            "not_received",
            "incomplete",
            "not_received",
        ]
        assert reasons(plane, acme, kind="load_curve") == ["not_received"]

    def test_of_today_is_not_said_to_be_incomplete(self, plane: Plane, acme: str) -> None:
        half_of_it(plane, days_ago(0))
        today = {"start": days_ago(0), "end": days_ago(-1)}
        assert reasons(plane, acme, kind="daily_energy", **today) == ["not_received", "future"]

    def test_reads_again_of_the_curve_the_days_of_which_something_was_set_aside_alone(
        self, plane: Plane, acme: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        aside(plane, NEXT, slots=range(40, 48))
        asked: list[tuple[date, date]] = []
        read_blocks = SqliteStore.read

        def read(store: SqliteStore, *about: Any, **more: Any) -> Any:
            asked.append(about[-2:])
            return read_blocks(store, *about, **more)

        monkeypatch.setattr(SqliteStore, "read", read)
        told = reasons(plane, acme, kind="daily_energy", start=days_ago(300), end=days_ago(1))
        assert "set_aside" in told
        assert asked[-1] == (NEXT, NEXT)

    def test_is_not_waited_for_after_an_opposition(self, plane: Plane, acme: str) -> None:
        aside(plane, cause=Cause.OPPOSITION)
        assert reasons(plane, acme, kind="daily_energy") == ["not_received"]

    def test_does_not_tell_of_a_curve_that_may_not_be_read(self, plane: Plane, tiers1: str) -> None:
        plane.world.line(CONSO, reader=TIERS1, holder=ACME, kinds=Kind.DAILY_ENERGY.bit)
        half_of_it(plane, DAY)
        aside(plane, slots=range(44, 48))
        assert reasons(plane, tiers1, kind="daily_energy") == ["not_received"]


@pytest.fixture
def client(plane: Plane, acme: str) -> Iterator[MeasurementClient]:
    opened = MeasurementClient(plane.config)
    yield opened
    opened.close()


def test_are_in_the_answer_with_their_causes(plane: Plane, client: MeasurementClient) -> None:
    """A part of the day was received: what is told are the values that are still missing."""
    plane.put_curve(CONSO, DAY, 1)
    aside(plane, slots=range(40, 48))
    aside(plane, NEXT, slots=range(3))
    aside(plane, NEXT, slots=None, cause=Cause.STEP)

    answer = read(plane, client)

    (gap,) = answer.missing
    assert (gap.reason, gap.start, gap.end) == ("set_aside", answer.start + timedelta(days=1), answer.end)
    assert [(one.day, one.cause, one.count) for one in answer.set_aside] == [
        (NEXT, Cause.NEGATIVE, 3),
        (NEXT, Cause.STEP, 1),
    ]


def test_of_the_curve_are_told_apart_from_energies_of_days(plane: Plane, client: MeasurementClient) -> None:
    aside(plane, slots=range(1))
    aside(plane, kind=Kind.DAILY_ENERGY, slots=None)
    answer = read(plane, client, days=1, kind=Kind.DAILY_ENERGY)
    assert [(one.count, one.of_curve) for one in answer.set_aside] == [(1, False), (1, True)]


def test_are_summed_up_by_cause_of_a_day_of_which_nothing_came(
    plane: Plane, client: MeasurementClient
) -> None:
    """Of an opposed year, its days; of a day of which a part came, what lies in its gaps."""
    plane.world.db.execute("UPDATE metering_loadcurvecollection SET state = 'opposed'")
    aside(plane, DAY, cause=Cause.OPPOSITION)
    aside(plane, NEXT)
    plane.put(day_block(CONSO, Kind.LOAD_CURVE, WITHDRAWAL, Resolution.PT30M, NEXT, [None, None, *[1] * 46]))
    assert [(one.day, one.cause, one.count) for one in read(plane, client).set_aside] == [
        (DAY, Cause.OPPOSITION, 48),
        (NEXT, Cause.NEGATIVE, 1),
        (NEXT, Cause.NEGATIVE, 1),
    ]


def test_cost_one_statement_and_only_where_something_was_not_received(
    plane: Plane, client: MeasurementClient
) -> None:
    plane.put_curve(CONSO, DAY, 1)
    read(plane, client)  # the file is opened
    seen: list[str] = []
    client._store._connection.set_trace_callback(seen.append)  # type: ignore[union-attr]

    read(plane, client, days=1)
    assert len(seen) == 1
    seen.clear()
    read(plane, client, days=2)
    assert len(seen) == 2


def read(plane: Plane, client: MeasurementClient, days: int = 2, kind: Kind = Kind.LOAD_CURVE) -> Answer:
    start, end = (datetime.fromtimestamp(midnight(day), PARIS) for day in (DAY, DAY + timedelta(days=days)))
    return client.read(Reader(ACME, "ACME Industries"), CONSO, kind, WITHDRAWAL, start, end, at=plane.now)


def test_every_reason_is_one_that_the_published_contract_names() -> None:
    contract = json.loads(Path(native.__file__).with_name("openapi.json").read_bytes())
    missing = contract["components"]["schemas"]["Measurements"]["properties"]["coverage"]["properties"][
        "missing"
    ]
    assert missing["items"]["properties"]["reason"]["enum"] == list(MissingReason)
