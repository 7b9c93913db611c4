"""What can be read back, whatever the adapter."""

from datetime import date, timedelta

import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.store.port import MeasurementStore
from tests.factories.measurements import AUTUMN, ELSEWHERE, POINT, SPRING, SUMMER, block, key, said, source
from tests.integration.store.conftest import Instance

CURVE, OUT = Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL
WEEK = [SUMMER + timedelta(days=n) for n in range(7)]


def fill(store: MeasurementStore, *points: str, resolution: Resolution = Resolution.PT30M) -> None:
    for number, point in enumerate(points):
        of = key(metering_point=point, resolution=resolution)
        blocks = [block(day, number * 100 + n, of=of) for n, day in enumerate(WEEK)]
        store.put(blocks, source=source(f"{point} {resolution}"), quarantined=[], recorded_at=1_000 + number)


class TestRead:
    def test_gives_the_days_asked_for_both_ends_included_in_order(self, store: MeasurementStore) -> None:
        fill(store, POINT, ELSEWHERE)
        found = store.read(POINT, CURVE, OUT, WEEK[1], WEEK[3])
        assert [(b.day, said(b)[0]) for b in found] == [(WEEK[1], 1), (WEEK[2], 2), (WEEK[3], 3)]
        assert store.read(POINT, CURVE, OUT, WEEK[3], WEEK[1]) == []
        assert store.read("unknown", CURVE, OUT, WEEK[0], WEEK[6]) == []

    def test_orders_several_steps_by_day_then_finest(self, store: MeasurementStore) -> None:
        for resolution in (Resolution.P1D, Resolution.PT60M, Resolution.PT5M, Resolution.PT30M):
            fill(store, POINT, resolution=resolution)
        found = store.read(POINT, CURVE, OUT, WEEK[0], WEEK[1])
        finest_first = [Resolution.PT5M, Resolution.PT30M, Resolution.PT60M, Resolution.P1D]
        assert [(b.day, b.key.resolution) for b in found] == [(d, r) for d in WEEK[:2] for r in finest_first]

    def test_gives_arrays_that_do_not_wrap_around_when_added(self, store: MeasurementStore) -> None:
        store.put([block(values=30_000)], source=source(), quarantined=[], recorded_at=1)
        (found,) = store.read(POINT, CURVE, OUT, SUMMER, SUMMER)
        assert int((found.values + found.values).max()) == 60_000

    def test_sees_what_was_just_acknowledged_to_another(
        self, instance: Instance, store: MeasurementStore
    ) -> None:
        reader = instance.open(read_only=True)
        for version in range(1, 4):
            store.put(
                [block(values=version)], source=source(str(version)), quarantined=[], recorded_at=version
            )
            assert said(reader.read(POINT, CURVE, OUT, SUMMER, SUMMER)[0])[0] == version

    def test_as_of_tells_each_state_in_turn(self, store: MeasurementStore) -> None:
        states = {}
        for at in (1_000, 2_000, 3_000):
            store.put(
                [block(SUMMER, {0: at, at // 1_000: at})],
                source=source(str(at)),
                quarantined=[],
                recorded_at=at,
            )
            states[at] = said(store.read(POINT, CURVE, OUT, SUMMER, SUMMER)[0])
        for at, state in states.items():
            assert said(store.read(POINT, CURVE, OUT, SUMMER, SUMMER, as_of=at)[0]) == state
            assert said(store.read(POINT, CURVE, OUT, SUMMER, SUMMER, as_of=at + 999)[0]) == state


class TestSeries:
    def test_tells_what_each_point_has_and_since_when(self, store: MeasurementStore) -> None:
        fill(store, POINT, ELSEWHERE)
        injection = key(direction=FlowDirection.INJECTION)
        energy = key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)
        store.put(
            [block(WEEK[6] + timedelta(days=30), of=injection), block(WEEK[2], of=energy)],
            source=source("more"),
            quarantined=[],
            recorded_at=5_000,
        )
        found = store.series([POINT, ELSEWHERE, "unknown"])
        assert [(i.key, i.first, i.last, i.recorded_at) for i in found] == [
            (key(), WEEK[0], WEEK[6], 1_000),
            (injection, WEEK[6] + timedelta(days=30), WEEK[6] + timedelta(days=30), 5_000),
            (energy, WEEK[2], WEEK[2], 5_000),
            (key(metering_point=ELSEWHERE), WEEK[0], WEEK[6], 1_001),
        ]

    def test_within_some_days_is_what_lies_there(self, store: MeasurementStore) -> None:
        fill(store, POINT, ELSEWHERE)
        late = WEEK[6] + timedelta(days=30)
        injection = key(direction=FlowDirection.INJECTION)
        store.put(
            [block(late), block(late, of=injection)], source=source("late"), quarantined=[], recorded_at=5_000
        )

        def within(first: date, last: date) -> list[tuple[object, ...]]:
            return [(i.key, i.first, i.last) for i in store.series_within(POINT, first, last)]

        assert within(WEEK[1], WEEK[3]) == [(key(), WEEK[1], WEEK[3])]
        assert within(WEEK[5], WEEK[6] + timedelta(days=9)) == [(key(), WEEK[5], WEEK[6])]
        assert within(WEEK[6] + timedelta(days=1), late - timedelta(days=1)) == []
        assert within(WEEK[6], date.max) == [(key(), WEEK[6], late), (injection, late, late)]

    def test_widens_as_days_come_before_and_after(self, store: MeasurementStore) -> None:
        for n, day in enumerate((date(2026, 5, 5), date(2026, 1, 1), date(2026, 9, 9))):
            store.put([block(day)], source=source(str(day)), quarantined=[], recorded_at=n)
        (info,) = store.series([POINT])
        assert (info.first, info.last, info.recorded_at) == (date(2026, 1, 1), date(2026, 9, 9), 2)


class TestErase:
    def test_takes_history_with_it_and_leaves_other_points(self, store: MeasurementStore) -> None:
        fill(store, POINT, ELSEWHERE)
        store.put([block(values=9)], source=source("correction"), quarantined=[], recorded_at=2_000)
        assert store.erase(POINT) == 8
        assert store.read(POINT, CURVE, OUT, WEEK[0], WEEK[6]) == []
        assert store.read(POINT, CURVE, OUT, WEEK[0], WEEK[6], as_of=1_500) == []
        assert store.versions(key(), SUMMER) == []
        assert [i.key.metering_point for i in store.series([POINT, ELSEWHERE])] == [ELSEWHERE]
        assert store.erase(POINT) == 0

    def test_before_a_day_keeps_that_day(self, store: MeasurementStore) -> None:
        fill(store, POINT)
        assert store.erase(POINT, before=WEEK[2]) == 2
        assert [b.day for b in store.read(POINT, CURVE, OUT, WEEK[0], WEEK[6])] == WEEK[2:]
        assert [(i.first, i.last) for i in store.series([POINT])] == [(WEEK[2], WEEK[6])]

    def test_is_followed_by_a_fresh_start(self, store: MeasurementStore) -> None:
        fill(store, POINT)
        store.erase(POINT)
        fill(store, POINT)
        assert len(store.read(POINT, CURVE, OUT, WEEK[0], WEEK[6])) == 7


class TestDayBlock:
    def test_says_where_there_is_a_value(self, store: MeasurementStore) -> None:
        store.put([block(values={2: 1})], source=source(), quarantined=[], recorded_at=1)
        (found,) = store.read(POINT, CURVE, OUT, SUMMER, SUMMER)
        assert found.said.nonzero()[0].tolist() == [2]
        assert str(found.key) == f"{POINT} load_curve withdrawal PT30M"


class TestLatest:
    def test_tells_a_point_with_all_its_series_in_one_row(
        self, store: MeasurementStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A page of a company of 50,000 points asks it of each."""
        energy = key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)
        of_another = block(SPRING, 1, of=key(metering_point=ELSEWHERE))
        for at, one in enumerate([block(SUMMER, 1), block(AUTUMN, [7], of=energy), of_another]):
            store.put([one], source=source(str(at)), quarantined=[], recorded_at=1_000 + at)
        told: list[int] = []
        rows_of = type(store)._rows  # type: ignore[attr-defined]

        def counting(self: object, statement: str, parameters: object, **options: object) -> object:
            found = rows_of(self, statement, parameters, **options)
            told.append(len(found))
            return found

        monkeypatch.setattr(type(store), "_rows", counting)
        found = store.latest([POINT, ELSEWHERE, POINT, "0"])
        assert found == [(POINT, AUTUMN, 1_001), (ELSEWHERE, SPRING, 1_002)]
        assert told == [2]
