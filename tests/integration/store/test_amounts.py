"""The columns that sums are made of say what `read` says, whatever the adapter."""

from datetime import date, timedelta

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution
from gridgate.dataplane.store.port import Amounts, DayBlock, MeasurementStore
from tests.factories.measurements import AUTUMN, ELSEWHERE, POINT, SPRING, SUMMER, block, key, said, source

CURVE, OUT = Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL
DAYS = [SUMMER + timedelta(days=n) for n in range(7)]

Row = tuple[int, date, Resolution, int, list[int | None]]


def put(store: MeasurementStore, *blocks: DayBlock, name: str = "a", at: int = 1_000) -> None:
    store.put(blocks, source=source(name), quarantined=[], recorded_at=at)


def rows(chunk: list[Amounts]) -> list[Row]:
    found: list[Row] = []
    for amounts in chunk:
        for index, (point, day) in enumerate(
            zip(amounts.points.tolist(), amounts.days.tolist(), strict=True)
        ):
            there = [True] * amounts.values.shape[1] if amounts.said is None else amounts.said[index].tolist()
            pairs = zip(amounts.values[index].tolist(), there, strict=True)
            values = [value if told else None for value, told in pairs]
            on = date(1970, 1, 1) + timedelta(days=day)
            found.append((point, on, amounts.resolution, amounts.scale, values))
    return sorted(found, key=lambda row: (row[0], row[1], row[2].seconds))


def read(store: MeasurementStore, points: list[str], first: date, last: date) -> list[Row]:
    return [
        (place, b.day, b.key.resolution, b.scale, said(b))
        for place, point in enumerate(points)
        for b in store.read(point, CURVE, OUT, first, last)
    ]


def test_say_what_read_says_of_every_form(store: MeasurementStore) -> None:
    store.put(
        [
            block(SPRING, list(range(46))),
            block(AUTUMN, list(range(50))),
            block(SUMMER, 70_000),
            block(SUMMER, [2**40, *[None] * 46, 1], of=key(metering_point=ELSEWHERE)),
            block(SUMMER, 7, of=key(resolution=Resolution.PT10M)),
            block(SUMMER, 12, of=key(resolution=Resolution.P1D)),
            block(DAYS[1], 125, scale=-1),
            block(DAYS[2], {3: 4}),
        ],
        source=source("all"),
        quarantined=[],
        recorded_at=1_000,
    )
    points = [ELSEWHERE, "unknown", POINT]
    (chunk,) = store.amounts(points, CURVE, OUT, SPRING, AUTUMN)
    assert rows(chunk) == read(store, points, SPRING, AUTUMN)
    assert len(rows(chunk)) == 8


def test_keep_every_byte_there_is(store: MeasurementStore) -> None:
    """The engine joins blobs as if they were text: no byte of them may be read as a letter."""
    values = np.arange(2**15).reshape(-1, 16)
    for place in range(0, 2048, 256):
        at = [f"{n:014d}" for n in range(place, place + 256)]
        put(
            store,
            *(block(values=[*values[int(p)].tolist(), *[0] * 32], of=key(metering_point=p)) for p in at),
            name=str(place),
        )
    points = [f"{n:014d}" for n in range(2048)]
    (chunk,) = store.amounts(points, CURVE, OUT, SUMMER, SUMMER)
    assert np.concatenate([a.values[:, :16] for a in chunk]).ravel().tolist() == list(range(2**15))


def test_hold_what_is_true_now(store: MeasurementStore) -> None:
    put(store, block(values=1), name="first", at=1_000)
    put(store, block(SUMMER, {0: 9}, cancelled=[1]), name="second", at=2_000)
    (chunk,) = store.amounts([POINT], CURVE, OUT, SUMMER, SUMMER)
    assert rows(chunk) == [(0, SUMMER, Resolution.PT30M, 0, [9, None, *[1] * 46])]


def test_are_of_the_total_and_of_what_is_asked_for_alone(store: MeasurementStore) -> None:
    put(
        store,
        block(values=1),
        block(values=2, of=key(register="HP")),
        block(values=3, of=key(direction=FlowDirection.INJECTION)),
        block(SUMMER - timedelta(days=1), 4),
        block(values=5, of=key(kind=Kind.DAILY_ENERGY, resolution=Resolution.P1D)),
    )
    (chunk,) = store.amounts([POINT], CURVE, OUT, SUMMER, SUMMER)
    assert [row[4] for row in rows(chunk)] == [[1] * 48]
    assert list(store.amounts([], CURVE, OUT, SUMMER, SUMMER)) == []


def test_come_some_points_at_a_time(store: MeasurementStore, monkeypatch: pytest.MonkeyPatch) -> None:
    points = [f"{n:014d}" for n in range(7)]
    put(store, *(block(day, int(p), of=key(metering_point=p)) for p in points for day in DAYS))
    monkeypatch.setattr("gridgate.dataplane.store.sqlite.BLOCKS_AT_ONCE", 15)
    chunks = [rows(chunk) for chunk in store.amounts(points, CURVE, OUT, DAYS[0], DAYS[6])]
    assert [len(chunk) for chunk in chunks] == [14, 14, 14, 7]
    assert [row for chunk in chunks for row in chunk] == read(store, points, DAYS[0], DAYS[6])


def test_take_one_row_of_one_statement_for_many_blocks(
    store: MeasurementStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = [f"{n:014d}" for n in range(50)]
    put(store, *(block(day, int(p), of=key(metering_point=p)) for p in points for day in DAYS))
    answered: list[int] = []
    rows_of = type(store)._rows  # type: ignore[attr-defined]

    def counting(self: object, statement: str, parameters: object, **options: object) -> object:
        found = rows_of(self, statement, parameters, **options)
        answered.append(len(found))
        return found

    monkeypatch.setattr(type(store), "_rows", counting)
    (chunk,) = store.amounts(points, CURVE, OUT, DAYS[0], DAYS[6])
    assert (len(rows(chunk)), answered) == (350, [1])


def test_steps_are_counted_as_they_are_kept(store: MeasurementStore) -> None:
    """A day in two steps counts in both, days of nobody in none."""
    tens = key(metering_point=ELSEWHERE, resolution=Resolution.PT10M)
    put(store, *(block(day, 1) for day in DAYS), *(block(day, 1, of=tens) for day in DAYS[2:4]))
    both = [POINT, ELSEWHERE]
    assert store.steps_within(both, CURVE, OUT, DAYS[0], DAYS[-1]) == 50 * len(DAYS) + 150 * 2
    assert store.steps_within(both, CURVE, OUT, DAYS[3], DAYS[3]) == 50 + 150
    assert store.steps_within([ELSEWHERE], CURVE, OUT, DAYS[0], DAYS[1]) == 0
    assert store.steps_within([], CURVE, OUT, DAYS[0], DAYS[-1]) == 0
