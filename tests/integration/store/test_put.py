"""What a delivery does, whatever the adapter."""

from datetime import date, timedelta

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.store.port import (
    DayBlock,
    InvalidBlock,
    MeasurementStore,
    PutResult,
    Source,
    StoreUnavailable,
)
from gridgate.dataplane.store.quarantine import Quarantined
from tests.factories.measurements import AUTUMN, POINT, SPRING, SUMMER, block, key, said, source
from tests.integration.store.conftest import Instance

HALF_HOURS = 48


def put(store: MeasurementStore, *blocks: DayBlock, by: Source | None = None, at: int = 1_000) -> PutResult:
    return store.put(blocks, source=by or source(), quarantined=[], recorded_at=at)


def read(store: MeasurementStore, *, as_of: int | None = None, day: date = SUMMER) -> list[DayBlock]:
    return store.read(POINT, Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, day, day, as_of=as_of)


def values(store: MeasurementStore, *, as_of: int | None = None) -> list[int | None]:
    (found,) = read(store, as_of=as_of)
    return said(found)


class TestPut:
    @pytest.mark.parametrize(("day", "slots"), [(SPRING, 46), (SUMMER, 48), (AUTUMN, 50)])
    def test_keeps_the_whole_civil_day(self, store: MeasurementStore, day: date, slots: int) -> None:
        assert put(store, block(day, list(range(slots)))) == PutResult(stored=slots, unchanged=0)
        (found,) = read(store, day=day)
        assert said(found) == list(range(slots))
        assert found.day == day
        assert found.key == key()
        assert found.recorded_at == 1_000
        assert set(found.quality.tolist()) == {Quality.MEASURED}

    @pytest.mark.parametrize("kind", Kind)
    @pytest.mark.parametrize("direction", FlowDirection)
    @pytest.mark.parametrize("resolution", Resolution)
    def test_keeps_every_kind_direction_and_step(
        self, store: MeasurementStore, kind: Kind, direction: FlowDirection, resolution: Resolution
    ) -> None:
        of = key(kind=kind, direction=direction, resolution=resolution)
        put(store, block(AUTUMN, 7, of=of))
        (found,) = store.read(POINT, kind, direction, AUTUMN, AUTUMN)
        assert found.key == of
        assert set(said(found)) == {7}
        other = next(d for d in FlowDirection if d is not direction)
        assert store.read(POINT, kind, other, AUTUMN, AUTUMN) == []

    @pytest.mark.parametrize("highest", [0, 1, 2**15 - 1, 2**15, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1])
    def test_keeps_integers_of_any_width(self, store: MeasurementStore, highest: int) -> None:
        put(store, block(values=[highest, *range(47)]))
        assert values(store) == [highest, *range(47)]

    def test_keeps_decimals_exactly(self, store: MeasurementStore) -> None:
        put(store, block(values=[7305, *[10] * 47], scale=-1))
        (found,) = read(store)
        assert (found.values[0], found.scale) == (7305, -1)

    def test_takes_the_same_measure_with_other_decimals_as_unchanged(self, store: MeasurementStore) -> None:
        put(store, block(values=730))
        assert put(store, block(values=7300, scale=-1), by=source("b")) == PutResult(0, HALF_HOURS)
        assert put(store, block(values=73, scale=1), by=source("c")) == PutResult(0, HALF_HOURS)
        assert put(store, block(values={3: 73005}, scale=-2), by=source("d")) == PutResult(1, 0)
        (found,) = read(store)
        assert found.scale == -2
        assert said(found)[2:5] == [73000, 73005, 73000]

    def test_keeps_the_instant_of_a_maximum(self, store: MeasurementStore) -> None:
        of = key(kind=Kind.MAXIMUM_POWER, resolution=Resolution.P1D)
        put(store, block(values=6_200, of=of, offsets=[68_520]))
        (found,) = store.read(POINT, of.kind, of.direction, SUMMER, SUMMER)
        assert found.offsets is not None
        assert found.offsets.tolist() == [68_520]
        changed = put(store, block(values=6_200, of=of, offsets=[70_000]), by=source("later"), at=2_000)
        assert changed == PutResult(stored=1, unchanged=0)

    def test_keeps_qualities(self, store: MeasurementStore) -> None:
        given = (
            [Quality.MEASURED] * 20 + [Quality.ESTIMATED] * 8 + [Quality.CORRECTED] + [Quality.MEASURED] * 19
        )
        put(store, block(quality=given))
        (found,) = read(store)
        assert found.quality.tolist() == given

    def test_counts_a_change_of_quality_alone_as_stored(self, store: MeasurementStore) -> None:
        put(store, block(quality=Quality.ESTIMATED))
        assert put(store, block(), by=source("b"), at=2_000) == PutResult(stored=HALF_HOURS, unchanged=0)

    def test_leaves_what_a_delivery_does_not_speak_of(self, store: MeasurementStore) -> None:
        put(store, block(values={0: 1, 1: 2, 2: 3}))
        result = put(store, block(values={1: 20, 2: 3, 3: 4}), by=source("b"), at=2_000)
        assert result == PutResult(stored=2, unchanged=1)
        assert values(store) == [1, 20, 3, 4, *[None] * 44]

    def test_keeps_nothing_of_a_day_of_which_nothing_is_said(self, store: MeasurementStore) -> None:
        assert put(store, block(values={})) == PutResult(0, 0)
        assert read(store) == []
        assert store.series([POINT]) == []

    def test_keeps_registers_apart(self, store: MeasurementStore) -> None:
        of = [
            key(kind=Kind.REGISTER_READING, resolution=Resolution.P1D, register=r) for r in ("HC", "HP", "")
        ]
        put(store, *[block(values=n, of=k) for n, k in enumerate(of)])
        found = store.read(POINT, Kind.REGISTER_READING, FlowDirection.WITHDRAWAL, SUMMER, SUMMER)
        assert [(b.key.register, b.values[0]) for b in found] == [("", 2), ("HC", 0), ("HP", 1)]
        (only,) = store.read(
            POINT, Kind.REGISTER_READING, FlowDirection.WITHDRAWAL, SUMMER, SUMMER, register="HP"
        )
        assert only.key.register == "HP"

    def test_lets_the_last_of_several_blocks_of_one_day_speak(self, store: MeasurementStore) -> None:
        twice = (
            block(values={0: 5, 1: 5}),
            block(values={0: 6, 2: 65}, scale=0),
            block(values={3: 15}, scale=-1),
        )
        assert put(store, *twice) == PutResult(stored=4, unchanged=1)
        assert values(store)[:5] == [60, 50, 650, 15, None]
        assert read(store)[0].scale == -1
        assert len(store.versions(key(), SUMMER)) == 1
        assert put(store, *twice, at=2_000) == PutResult(stored=0, unchanged=5)

    def test_refuses_to_write_when_opened_for_reading(
        self, instance: Instance, store: MeasurementStore
    ) -> None:
        with pytest.raises(StoreUnavailable, match="reading only"):
            put(instance.open(read_only=True), block())
        assert read(store) == []


class TestPutAgain:
    def test_changes_nothing(self, store: MeasurementStore) -> None:
        days = [SUMMER + timedelta(days=n) for n in range(30)]
        given = [block(day, [n * 10 for n in range(HALF_HOURS)]) for day in days]
        assert put(store, *given).stored == 30 * HALF_HOURS
        before = store.series([POINT]), [store.versions(key(), day)[0].recorded_at for day in days]
        assert put(store, *given, at=9_000) == PutResult(stored=0, unchanged=30 * HALF_HOURS)
        assert (store.series([POINT]), [store.versions(key(), day)[0].recorded_at for day in days]) == before
        assert len(store.versions(key(), SUMMER)) == 1

    def test_changes_nothing_after_others_have_spoken(self, store: MeasurementStore) -> None:
        first, second = block(values={0: 1, 1: 1}), block(values={0: 2, 2: 2})
        put(store, first, by=source("a"), at=1_000)
        put(store, second, by=source("b"), at=2_000)
        states = len(store.versions(key(), SUMMER))
        for at, given, by in ((3_000, first, "a"), (4_000, second, "b"), (5_000, first, "a")):
            assert put(store, given, by=source(by), at=at).stored == 0
        assert values(store)[:3] == [2, 1, 2]
        assert len(store.versions(key(), SUMMER)) == states

    def test_takes_what_a_better_reader_finds_in_the_same_file(self, store: MeasurementStore) -> None:
        put(store, block(values=1))
        assert put(store, block(values=2), at=2_000).stored == HALF_HOURS
        assert set(values(store)) == {2}

    def test_records_source_and_quarantine_once(self, store: MeasurementStore) -> None:
        rows = [Quarantined("line 3", "negative value", "-4"), Quarantined("line 9", "no such hour", "02:30")]
        for at in (1_000, 2_000):
            store.put([block()], source=source("a.csv", 500), quarantined=rows, recorded_at=at)
        kept = store.quarantine()
        assert [(q.where, q.reason, q.value, q.source, q.recorded_at) for q in kept] == [
            ("line 9", "no such hour", "02:30", "a.csv", 1_000),
            ("line 3", "negative value", "-4", "a.csv", 1_000),
        ]
        (info,) = store.sources()
        assert info.source == source("a.csv", 500)
        assert (info.recorded_at, info.quarantined) == (1_000, 2)
        assert len(store.quarantine(limit=1)) == 1

    def test_knows_a_file_by_its_content(self, store: MeasurementStore) -> None:
        put(store, block(), by=source("a.csv"))
        put(store, block(), by=Source("copy of a.csv", source("a.csv").sha256, "csv", None), at=2_000)
        assert [info.source.name for info in store.sources()] == ["a.csv"]


class TestCorrection:
    def test_replaces_and_keeps_what_was_known(self, store: MeasurementStore) -> None:
        put(store, block(values=1), by=source("first", 100), at=1_000)
        put(store, block(values=2), by=source("second", 200), at=2_000)
        assert set(values(store)) == {2}
        assert set(values(store, as_of=1_999)) == {1}
        assert set(values(store, as_of=2_000)) == {2}
        assert read(store, as_of=999) == []
        old, new = store.versions(key(), SUMMER)
        assert (old.recorded_at, old.superseded_at, old.published_at, old.source) == (
            1_000,
            2_000,
            100,
            "first",
        )
        assert (new.recorded_at, new.superseded_at, new.published_at, new.source) == (
            2_000,
            None,
            200,
            "second",
        )
        assert (set(said(old.block)), set(said(new.block))) == ({1}, {2})
        assert not old.arrived_too_late

    def test_of_a_few_slots_leaves_the_instant_at_which_the_others_were_recorded(
        self, store: MeasurementStore
    ) -> None:
        put(store, block(values=1), at=1_000)
        put(store, block(values={5: 2}), by=source("b"), at=2_000)
        (found,) = read(store)
        assert found.slot_recorded_at is not None
        assert found.slot_recorded_at.tolist() == [1_000] * 5 + [2_000] + [1_000] * 42
        assert found.recorded_at == 2_000

    def test_of_an_older_publication_never_replaces(self, store: MeasurementStore) -> None:
        put(store, block(values={0: 2}), by=source("new", 200), at=1_000)
        result = put(store, block(values={0: 1, 1: 1}), by=source("old", 100), at=2_000)
        assert result == PutResult(stored=1, unchanged=1, older=1)
        assert values(store)[:3] == [2, 1, None]
        late = [v for v in store.versions(key(), SUMMER) if v.arrived_too_late]
        assert [said(v.block)[:2] for v in late] == [[1, None]]
        assert late[0].source == "old"

    def test_of_an_older_publication_is_kept_once(self, store: MeasurementStore) -> None:
        put(store, block(values=2), by=source("new", 200), at=1_000)
        for at in (2_000, 3_000):
            assert put(store, block(values=1), by=source("old", 100), at=at) == PutResult(0, 48, older=48)
        assert [v.arrived_too_late for v in store.versions(key(), SUMMER)] == [True, False]

    def test_that_came_too_late_was_never_known_as_the_truth(self, store: MeasurementStore) -> None:
        put(store, block(values=2), by=source("new", 200), at=1_000)
        put(store, block(values=1), by=source("old", 100), at=2_000)
        for at in (1_000, 1_999, 2_000, 2_001):
            assert set(values(store, as_of=at)) == {2}

    def test_is_ranked_slot_by_slot(self, store: MeasurementStore) -> None:
        """A publication may be older than one part of the day and newer than another."""
        put(store, block(values={0: 1, 1: 1}), by=source("morning", 100), at=1_000)
        put(store, block(values={2: 3, 3: 3}), by=source("evening", 300), at=2_000)
        result = put(store, block(values={0: 2, 1: 1, 2: 2}), by=source("between", 200), at=3_000)
        assert result == PutResult(stored=1, unchanged=2, older=1)
        assert values(store)[:4] == [2, 1, 3, 3]

    def test_does_not_pass_a_newer_publication_that_said_the_same(self, store: MeasurementStore) -> None:
        """Published at 100 and again at 300: what was published in between is no longer the truth."""
        put(store, block(values=1), by=source("first", 100), at=1_000)
        assert put(store, block(values=1), by=source("again", 300), at=2_000) == PutResult(0, 48)
        assert put(store, block(values=9), by=source("between", 200), at=3_000) == PutResult(0, 48, older=48)
        assert set(values(store)) == {1}
        assert read(store)[0].recorded_at == 1_000

    def test_published_together_with_another_yields_to_the_one_received_later(
        self, store: MeasurementStore
    ) -> None:
        put(store, block(values=1), by=source("a", 100), at=1_000)
        put(store, block(values=2), by=source("b", 100), at=2_000)
        assert set(values(store)) == {2}
        put(store, block(values=1), by=source("a", 100), at=3_000)
        assert set(values(store)) == {2}

    def test_without_a_publication_ranks_by_its_first_reception(self, store: MeasurementStore) -> None:
        put(store, block(values=1), by=source("a"), at=1_000)
        put(store, block(values=2), by=source("b"), at=2_000)
        put(store, block(values=1), by=source("a"), at=3_000)
        assert set(values(store)) == {2}
        put(store, block(values=3), by=source("published before b came", 1_500), at=4_000)
        assert set(values(store)) == {2}

    def test_published_in_the_future_does_not_silence_the_next(self, store: MeasurementStore) -> None:
        put(store, block(values=1), by=source("clock ahead", 999_999), at=1_000)
        put(store, block(values=2), by=source("next", 1_500), at=2_000)
        assert set(values(store)) == {2}

    def test_recorded_by_a_clock_set_back_does_not_overlap(self, store: MeasurementStore) -> None:
        put(store, block(values=1), by=source("a", 10), at=2_000)
        put(store, block(values=2), by=source("b", 20), at=1_000)
        assert set(values(store)) == {2}
        for at in (1_000, 2_000, 3_000):
            assert len(read(store, as_of=at)) in (0, 1)
        assert set(values(store, as_of=2_000)) == {2}

    def test_recorded_in_the_same_millisecond_is_the_truth(self, store: MeasurementStore) -> None:
        put(store, block(values=1), by=source("a"), at=1_000)
        put(store, block(values=2), by=source("b"), at=1_000)
        assert set(values(store)) == set(values(store, as_of=1_000)) == {2}
        assert [v.arrived_too_late for v in store.versions(key(), SUMMER)] == [False, False]

    def test_of_a_slot_forgets_the_instant_of_what_it_replaces(self, store: MeasurementStore) -> None:
        put(store, block(offsets=[60] * HALF_HOURS), by=source("a"), at=1_000)
        put(store, block(offsets=[0] * HALF_HOURS), by=source("b"), at=2_000)
        (found,) = read(store)
        assert found.offsets is None
        (then,) = read(store, as_of=1_000)
        assert then.offsets is not None
        assert then.offsets.tolist() == [60] * HALF_HOURS


class TestCancellation:
    def test_leaves_a_hole_that_an_older_delivery_cannot_fill(self, store: MeasurementStore) -> None:
        """Rank first, then filter: a cancelled latest value does not bring the one before it back."""
        put(store, block(values=1), by=source("a", 100), at=1_000)
        put(store, block(values={}, cancelled=[4]), by=source("cancels", 300), at=2_000)
        put(store, block(values=5), by=source("late", 200), at=3_000)
        assert values(store)[3:6] == [5, None, 5]
        assert values(store, as_of=2_999)[3:6] == [1, None, 1]
        put(store, block(values={4: 7}), by=source("new", 400), at=4_000)
        assert values(store)[3:6] == [5, 7, 5]

    def test_counts_as_one_value(self, store: MeasurementStore) -> None:
        put(store, block(values=1), at=1_000)
        withdrawal = block(values={}, cancelled=[4, 5])
        assert put(store, withdrawal, by=source("b"), at=2_000) == PutResult(stored=2, unchanged=0)
        assert put(store, withdrawal, by=source("b"), at=3_000) == PutResult(stored=0, unchanged=2)

    def test_of_what_was_never_said_holds_too(self, store: MeasurementStore) -> None:
        put(store, block(values={0: 1}), by=source("a", 100), at=1_000)
        put(store, block(values={}, cancelled=[4]), by=source("cancels", 300), at=2_000)
        put(store, block(values={4: 5}), by=source("late", 200), at=3_000)
        assert values(store)[:5] == [1, None, None, None, None]

    def test_of_an_unknown_day_holds_too(self, store: MeasurementStore) -> None:
        put(store, block(values={}, cancelled=[4]), by=source("cancels", 300), at=2_000)
        put(store, block(values={3: 5, 4: 5}), by=source("late", 200), at=3_000)
        assert values(store)[3:5] == [5, None]


class TestInvalidBlock:
    @pytest.mark.parametrize(
        ("bad", "says"),
        [
            (lambda b: setattr(b, "values", b.values[:47]), "47 slots, the day has 48"),
            (lambda b: setattr(b, "quality", b.quality[:47]), "47 slots"),
            (lambda b: setattr(b, "offsets", np.zeros(3, np.int32)), "3 slots"),
            (lambda b: setattr(b, "offsets", np.full(48, -1)), "before its slot"),
            (lambda b: setattr(b, "offsets", np.full(48, 2**40)), "beyond the day"),
            (lambda b: setattr(b, "cancelled", np.ones(3, np.bool_)), "3 slots"),
            (lambda b: setattr(b, "values", b.values - 101), "negative"),
            (lambda b: setattr(b, "values", b.values / 2), "not integers"),
            (lambda b: setattr(b, "quality", b.quality + 7), "unknown quality"),
            (lambda b: setattr(b, "quality", b.quality.astype(np.int16) + 256), "unknown quality"),
            (lambda b: setattr(b, "quality", b.quality.astype(np.int16) - 1), "unknown quality"),
            (lambda b: setattr(b, "key", key(metering_point="")), "no metering point"),
            (lambda b: setattr(b, "scale", 30), "beyond 12 decimals"),
            (lambda b: (setattr(b, "scale", 12), setattr(b, "values", b.values + 2**40)), "does not fit"),
        ],
    )
    def test_is_refused_and_nothing_of_its_delivery_is_kept(
        self, store: MeasurementStore, bad: object, says: str
    ) -> None:
        wrong = block(SUMMER + timedelta(days=1))
        bad(wrong)  # type: ignore[operator]
        with pytest.raises(InvalidBlock, match=says):
            store.put(
                [block(), wrong], source=source(), quarantined=[Quarantined("x", "y", "z")], recorded_at=1
            )
        assert (read(store), store.quarantine(), store.sources()) == ([], [], [])

    def test_found_while_merging_undoes_the_whole_delivery(self, store: MeasurementStore) -> None:
        put(store, block(values=2**62))
        finer = block(values={0: 1}, scale=-12)
        with pytest.raises(InvalidBlock, match="does not fit"):
            put(store, block(SUMMER - timedelta(days=1)), finer, by=source("b"), at=2_000)
        assert len(store.sources()) == 1
        assert read(store, day=SUMMER - timedelta(days=1)) == []
        assert put(store, block(values=3), by=source("c"), at=3_000).stored == 48
