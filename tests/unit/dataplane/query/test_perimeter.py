from datetime import timedelta

import numpy as np
import pytest

from gridgate.core.time import Resolution
from gridgate.dataplane.query.perimeter import PerimeterLoad, perimeter_load
from gridgate.dataplane.store.port import DayBlock
from tests.factories.measurements import AUTUMN, ELSEWHERE, PARIS, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import HOUR, at, bounds


def load(*blocks: DayBlock, resolution: Resolution = Resolution.PT30M) -> PerimeterLoad:
    start, end = bounds(min(b.day for b in blocks), max(b.day for b in blocks))
    return perimeter_load(blocks, start=start, end=end, resolution=resolution, zone=PARIS)


class TestPerimeterLoad:
    def test_adds_points_and_counts_them(self) -> None:
        found = load(
            block(values=[1] * 40 + [None] * 8),
            block(values=[2] * 44 + [None] * 4, of=key(metering_point=ELSEWHERE)),
        )
        assert found.start == bounds(SUMMER)[0]
        assert found.power[:44].tolist() == [3] * 40 + [2] * 4
        assert np.isnan(found.power[44:]).all()
        assert found.points.tolist() == [2] * 40 + [1] * 4 + [0] * 4
        assert found.energy_wh == (40 * 3 + 4 * 2) / 2

    @pytest.mark.parametrize("resolution", [r for r in Resolution if r is not Resolution.P1D])
    def test_brings_every_step_to_one(self, resolution: Resolution) -> None:
        points = [f"{n:014d}" for n in range(6)]
        blocks = [
            block(AUTUMN, 10**n, of=key(metering_point=point, resolution=step))
            for n, (point, step) in enumerate(zip(points, Resolution, strict=True))
        ]
        found = load(*blocks, resolution=resolution)
        assert set(found.power.tolist()) == {111_111}
        assert set(found.points.tolist()) == {6}
        assert len(found.power) == 25 * 3600 // resolution.seconds
        assert found.energy_wh == 111_111 * 25

    def test_counts_a_coarser_step_only_when_all_of_it_is_there(self) -> None:
        tens = key(resolution=Resolution.PT10M)
        found = load(block(values=[1, None, 1, 3, 3, 3, *[6] * 138], of=tens))
        assert np.isnan(found.power[0])
        assert found.power[1:3].tolist() == [3, 6]

    def test_counts_an_instant_once_when_a_point_has_two_steps(self) -> None:
        coarse = at(block(values=30), 1)
        fine = at(block(values=[None] * 72 + [10] * 72, of=key(resolution=Resolution.PT10M)), 2)
        found = load(coarse, fine, block(values=100, of=key(metering_point=ELSEWHERE)))
        assert found.power.tolist() == [130] * 24 + [110] * 24
        assert set(found.points.tolist()) == {2}

    def test_adds_decimals(self) -> None:
        found = load(block(values=15, scale=-1), block(values=2, of=key(metering_point=ELSEWHERE)))
        assert set(found.power.tolist()) == {3.5}

    def test_keeps_to_the_interval_and_to_steps_from_midnight(self) -> None:
        start = bounds(SUMMER)[0]
        blocks = [block(SUMMER + timedelta(days=n), list(range(48))) for n in range(2)]
        found = perimeter_load(
            blocks, start=start + HOUR / 4, end=start + 2.6 * HOUR, resolution=Resolution.PT30M, zone=PARIS
        )
        assert (found.start, found.power.tolist()) == (start + HOUR / 2, [1, 2, 3, 4])

    def test_of_nothing_is_not_zero(self) -> None:
        found = load(block(values={}), resolution=Resolution.PT60M)
        assert np.isnan(found.power).all()
        assert found.energy_wh == 0
