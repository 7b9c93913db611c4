"""encode∘decode = identity."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridgate.core.quantities import Quality
from gridgate.dataplane.store import packing

INT64 = st.integers(-(2**63), 2**63 - 1)
DAYS = st.integers(1, 300)


@given(st.lists(INT64, min_size=1, max_size=300))
def test_values_come_back(values: list[int]) -> None:
    array = np.array(values, np.int64)
    width, packed = packing.pack_values(array)
    assert len(packed) == width * len(values)
    assert packing.unpack_values(width, packed).tolist() == values


@given(st.lists(st.sampled_from(list(Quality)), min_size=1, max_size=300))
def test_qualities_come_back(codes: list[Quality]) -> None:
    quality = np.array(codes, np.uint8)
    assert packing.unpack_quality(packing.pack_quality(quality), len(codes)).tolist() == codes


@given(st.lists(st.integers(0, 90_000), min_size=1, max_size=300))
def test_offsets_come_back(offsets: list[int]) -> None:
    back = packing.unpack_offsets(packing.pack_offsets(np.array(offsets, np.int32)))
    assert (offsets if any(offsets) else None) == (None if back is None else back.tolist())


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 3), st.integers(1, 3), st.integers(0, 3)),
        min_size=1,
        max_size=300,
    )
)
def test_provenance_comes_back(slots: list[tuple[bool, int, int, int]]) -> None:
    said = np.array([spoken for spoken, *_ in slots])
    provenance = packing.Provenance(
        np.where(said, [p for _, p, _, _ in slots], packing.NEVER).astype(np.int64),
        np.where(said, [s for _, _, s, _ in slots], 0).astype(np.int64),
        np.where(said, [r for _, _, _, r in slots], 0).astype(np.int64),
    )
    packed = packing.pack_provenance(provenance, said)
    if packed is None:
        ((published, source, recorded),) = {slot[1:] for slot in slots if slot[0]} or {(0, 0, 0)}
        back = packing.Provenance.uniform(said, published=published, source=source, recorded=recorded)
    else:
        back = packing.unpack_provenance(packed)
    for name in ("published", "source", "recorded"):
        assert getattr(back, name).tolist() == getattr(provenance, name).tolist()
