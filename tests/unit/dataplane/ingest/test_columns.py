"""What readers share: units and steps."""

import numpy as np
import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.ingest.columns import Columns, deduced_steps, observe, unit_exponent
from gridgate.dataplane.ingest.port import Groups, Meter, Notes, Stamp


class TestDeducedSteps:
    def steps(self, *minutes: int, stamp: Stamp = Stamp.START) -> list[int]:
        return (deduced_steps(np.array(minutes) * 60, stamp) // 60).tolist()

    def test_is_the_distance_between_neighbours(self) -> None:
        assert self.steps(0, 30, 60, 90) == [30] * 4

    def test_does_not_take_a_hole_for_a_longer_step(self) -> None:
        assert self.steps(0, 30, 90, 120) == [30] * 4

    def test_follows_a_step_that_changes_within_the_day(self) -> None:
        # stamped at the start: 60-minute values from 0, 10-minute values from 120
        assert self.steps(0, 60, 120, 130, 140, 150) == [60, 60, 10, 10, 10, 10]
        # the same, stamped at the end
        assert self.steps(60, 120, 180, 190, 200, 210, stamp=Stamp.END) == [60, 60, 60, 10, 10, 10]

    def test_does_not_stretch_the_first_value_behind_a_hole(self) -> None:
        # hours, a hole, half hours: each value has the step of the neighbours it touches
        ends = self.steps(60, 120, 180, 750, 780, 810, stamp=Stamp.END)
        assert ends == [60, 60, 60, 30, 30, 30]
        assert self.steps(0, 60, 120, 720, 750, 780) == [60, 60, 60, 30, 30, 30]
        # half hours, a hole, hours
        assert self.steps(30, 60, 90, 720, 780, 840, stamp=Stamp.END) == [30, 30, 30, 60, 60, 60]

    def test_does_not_guess_between_two_steps(self) -> None:
        assert self.steps(0, 60, 120, 600, 900, 930, 960) == [60, 60, 60, 0, 30, 30, 30]

    def test_is_the_same_in_any_order(self) -> None:
        upwards = self.steps(60, 120, 180, 190, 200, 210, stamp=Stamp.END)

        assert self.steps(210, 200, 190, 180, 120, 60, stamp=Stamp.END) == upwards[::-1]
        assert self.steps(120, 60, 180, 210, 190, 200, stamp=Stamp.END) == [60, 60, 60, 10, 10, 10]

    def test_takes_two_values_at_their_word(self) -> None:
        assert self.steps(0, 30) == [30, 30]

    @pytest.mark.parametrize("minutes", [(0,), (0, 7), (0, 0)])
    def test_says_nothing_when_the_stamps_do_not_tell(self, minutes: tuple[int, ...]) -> None:
        assert self.steps(*minutes) == [0] * len(minutes)


class TestUnitExponent:
    @pytest.mark.parametrize(("unit", "found"), [("kW", ("kW", 3)), ("KWH", ("kWh", 3)), ("w", ("W", 0))])
    def test_forgives_capitals(self, unit: str, found: tuple[str, int]) -> None:
        assert unit_exponent(Kind.LOAD_CURVE, unit) == found

    @pytest.mark.parametrize("unit", ["VA", "mW", "", "A", "kVArh"])
    def test_refuses_other_quantities(self, unit: str) -> None:
        assert unit_exponent(Kind.LOAD_CURVE, unit) is None


class TestManyMetersAtOnce:
    """Rows of two meters that alternate: each is read as it would be alone."""

    @pytest.fixture
    def columns(self) -> Columns:
        return Columns(
            groups=Groups([Meter("a"), Meter("b")], np.array([0, 1, 0, 1, 0, 1])),
            kind=Kind.LOAD_CURVE,
            direction=FlowDirection.WITHDRAWAL,
            stamp=Stamp.START,
            unit="W",
            stamps=[f"2026-06-01T0{hour}:{minute}:00Z" for hour, minute in HALF_HOURS_AND_HOURS],
            values=["1.123456", "123456789012", "2", "NaN", "", "3.5"],
            rows=range(2, 8),
        )

    def test_have_their_own_steps_and_decimals(self, columns: Columns) -> None:
        notes = Notes()
        batch = observe(columns, notes)

        assert batch is not None
        of = {single.meter: single for single in batch.singles()}
        assert {name: (single.steps // 60).tolist() for name, single in of.items()} == {
            "a": [30, 30],
            "b": [60, 60],
        }
        assert [(v * 10.0**s) for v, s in zip(of["a"].values, of["a"].scales, strict=True)] == [1.123456, 2.0]
        assert of["b"].values.tolist() == [1234567890120, 35]
        assert of["b"].rows.tolist() == [3, 7]
        assert list(of["b"].raw) == ["123456789012", "3.5"]
        assert notes.holes == 1

    def test_say_of_which_what_cannot_be_read_is(self, columns: Columns) -> None:
        notes = Notes()
        observe(columns, notes)

        (refused,) = notes.refused
        assert [meter.name for meter in refused.rows.meters()] == ["b"]
        assert refused.rows.rows.tolist() == [5]


HALF_HOURS_AND_HOURS = [(0, "00"), (0, "00"), (0, "30"), (1, "00"), (1, "00"), (2, "00")]
