import numpy as np
import pytest

from gridgate.core.quantities import Quality
from gridgate.dataplane.store import packing


class TestPackValues:
    @pytest.mark.parametrize(
        ("values", "width"),
        [
            ([0, 2**15 - 1], 2),
            ([0, 2**15], 4),
            ([-(2**15)], 2),
            ([-(2**15) - 1], 4),
            ([2**31 - 1], 4),
            ([2**31], 8),
            ([-(2**31) - 1], 8),
        ],
    )
    def test_takes_the_narrowest_width_that_fits(self, values: list[int], width: int) -> None:
        array = np.array(values, np.int64)
        assert packing.pack_values(array)[0] == width
        assert packing.unpack_values(*packing.pack_values(array)).tolist() == values

    def test_is_little_endian_on_every_machine(self) -> None:
        assert packing.pack_values(np.array([1, 258], np.int64)) == (2, b"\x01\x00\x02\x01")


class TestPackQuality:
    def test_of_a_measured_day_is_nothing(self) -> None:
        assert packing.pack_quality(np.zeros(48, np.uint8)) is None
        measured = packing.unpack_quality(None, 48)
        assert measured is packing.unpack_quality(None, 48)
        assert not measured.flags.writeable

    def test_is_stored_as_runs(self) -> None:
        """The bytes are the law: a store written today is read for ever."""
        quality = np.array([0, 0, 1, 15, 15], np.uint8)
        packed = packing.pack_quality(quality)
        assert packed == b"\x00\x02\x00\x01\x01\x00\x0f\x02\x00"
        assert packing.unpack_quality(packed, 5).tolist() == quality.tolist()


class TestPackOffsets:
    def test_of_zeros_is_nothing(self) -> None:
        assert packing.pack_offsets(None) is None
        assert packing.pack_offsets(np.zeros(4, np.int32)) is None
        assert packing.unpack_offsets(None) is None

    def test_is_little_endian(self) -> None:
        packed = packing.pack_offsets(np.array([0, 68_520], np.int32))
        assert packed == b"\x00\x00\x00\x00\xa8\x0b\x01\x00"
        unpacked = packing.unpack_offsets(packed)
        assert unpacked is not None
        assert unpacked.tolist() == [0, 68_520]


class TestPackProvenance:
    def test_of_one_delivery_is_nothing(self) -> None:
        said = np.array([True, True, False])
        uniform = packing.Provenance.uniform(said, published=5, source=1, recorded=9)
        assert packing.pack_provenance(uniform, said) is None

    def test_tells_a_withdrawn_slot_from_one_never_said(self) -> None:
        said = np.array([True, True, False])
        spoken = packing.Provenance.uniform(np.ones(3, np.bool_), published=5, source=1, recorded=9)
        packed = packing.pack_provenance(spoken, said)
        assert packed is not None
        assert packing.unpack_provenance(packed).published.tolist() == [5, 5, 5]

    def test_is_stored_as_runs(self) -> None:
        mixed = packing.Provenance(np.array([5, 5, packing.NEVER]), np.array([1, 1, 0]), np.array([9, 9, 0]))
        packed = packing.pack_provenance(mixed, np.array([True, True, True]))
        assert packed is not None
        assert len(packed) == 2 * 22
        back = packing.unpack_provenance(packed)
        assert back.published.tolist() == [5, 5, packing.NEVER]
        assert (back.source.tolist(), back.recorded.tolist()) == ([1, 1, 0], [9, 9, 0])


def test_quality_codes_are_those_that_stores_hold() -> None:
    assert {q.name: int(q) for q in Quality} == {"MEASURED": 0, "ESTIMATED": 1, "CORRECTED": 2, "MISSING": 15}
