import tracemalloc

import numpy as np
import orjson

from gridgate.dataplane.store.amounts import amounts_of

COUNT = 20_000
DAY = 20_000
HALF_HOUR = ((1800 * 256 + 128) * 16 + 2) * 2 * 1024
"""The form of whole, measured days of so many values of two bytes, less how many they are."""


def row(forms: list[int]) -> list[bytes | str | None]:
    """What the statement tells of days of one value each, one a point."""
    places = [point << 20 | DAY for point in range(COUNT)]
    blob = np.arange(COUNT).astype("<i2").tobytes()
    return [orjson.dumps(places).decode(), orjson.dumps(forms).decode(), None, blob, None, None]


def test_where_blocks_lie_is_read_without_an_object_for_each() -> None:
    told = row([HALF_HOUR + 1] * COUNT)
    tracemalloc.start()
    try:
        (found,) = amounts_of(told, first_point=7)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 140 * COUNT  # columns of eight bytes and the two texts
    assert found.points.tolist() == list(range(7, COUNT + 7))
    assert (set(found.days.tolist()), found.values.shape) == ({DAY}, (COUNT, 1))


def test_values_of_one_form_are_not_copied() -> None:
    told = row([HALF_HOUR + 1] * COUNT)
    (found,) = amounts_of(told, first_point=0)
    assert isinstance(told[3], bytes)
    assert np.shares_memory(found.values, np.frombuffer(told[3], "<i2"))
    assert found.points.flags.c_contiguous


def test_rows_of_several_forms_find_their_own() -> None:
    other = HALF_HOUR + 1 + (1 << 15)  # a power of ten more
    forms = [HALF_HOUR + 1 if point % 3 else other for point in range(COUNT)]
    found = {one.scale: one for one in amounts_of(row(forms), first_point=0)}
    assert found[1].points.tolist() == list(range(0, COUNT, 3))
    for one in found.values():
        assert one.values[:, 0].tolist() == one.points.tolist()
