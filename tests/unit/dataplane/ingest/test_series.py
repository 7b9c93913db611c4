"""The checks that need the whole series, through the plainest of formats."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from gridgate.dataplane.ingest.directory import PointInfo
from tests.ingest_samples import AUTUMN, PLAIN, SPRING, naive, offset, plain_csv, starts
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING, Directory, Taken

Take = Callable[..., Taken]


def curve(*rows: tuple[str, Any], point: str = C5, step: str = "PT30M", unit: str = "W") -> bytes:
    return plain_csv(f"{point},load_curve,withdrawal,{stamp},{step},{value},{unit}," for stamp, value in rows)


class TestDayBlocks:
    @pytest.mark.parametrize(("day", "slots"), [(PLAIN, 48), (SPRING, 46), (AUTUMN, 50)])
    @pytest.mark.parametrize("write", [naive, offset])
    def test_hold_the_civil_day_whatever_its_length(
        self, take: Take, day: date, slots: int, write: Callable[..., list[str]]
    ) -> None:
        block = take(curve(*((stamp, n) for n, stamp in enumerate(write(starts(day)))))).block

        assert block.day == day
        assert block.values.tolist() == list(range(slots))
        assert not block.quality.any()

    def test_are_cut_at_local_midnight(self, take: Take) -> None:
        taken = take(curve(("2026-06-01T21:30:00Z", 1), ("2026-06-01T22:00:00Z", 2)))

        assert [(block.day, block.values[block.said].tolist()) for block in taken.blocks] == [
            (date(2026, 6, 1), [1]),
            (date(2026, 6, 2), [2]),
        ]

    def test_turn_the_energy_of_a_step_into_its_mean_power_exactly(self, take: Take) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", "0.1"), unit="kWh", step="PT10M"))

        block = taken.block
        assert block.values[block.said].tolist() == [600 * 10**-block.scale]

    def test_take_a_step_that_changes_within_the_day(self, take: Take) -> None:
        rows = [
            f"{C5},load_curve,withdrawal,2026-06-01T0{hour}:00:00+02:00,PT60M,{hour},W," for hour in range(3)
        ]
        rows += [
            f"{C5},load_curve,withdrawal,2026-06-01T03:{minute}0:00+02:00,PT10M,5,W," for minute in range(6)
        ]

        blocks = {block.key.resolution: block for block in take(plain_csv(rows)).blocks}

        assert blocks[Resolution.PT60M].values[:4].tolist() == [0, 1, 2, 0]
        assert blocks[Resolution.PT60M].said.sum() == 3
        assert blocks[Resolution.PT10M].said.tolist() == [18 <= n < 24 for n in range(144)]

    def test_keep_the_time_of_a_maximum(self, take: Take) -> None:
        row = f"{C5},maximum_power,withdrawal,2026-10-25T12:06:20+01:00,,4.638,kVA,"

        block = take(plain_csv([row])).block

        assert (block.key.kind, block.key.resolution) == (Kind.MAXIMUM_POWER, Resolution.P1D)
        assert block.values[0] * 10**block.scale == 4638
        assert block.offsets is not None
        assert block.offsets[0] == 13 * 3600 + 6 * 60 + 20  # the day began an hour earlier by the sun

    def test_keep_a_maximum_of_the_doubled_hour(self, take: Take) -> None:
        assert take(plain_csv([f"{C5},maximum_power,withdrawal,2026-10-25 02:30:00,,1,VA,"])).report.complete

    def test_leave_the_direction_to_a_point_that_has_only_one(self, take: Take) -> None:
        row = "load_curve,,2026-06-01T00:00:00Z,PT30M,1,W,"

        assert take(plain_csv([f"{C5},{row}"])).block.key.direction is FlowDirection.WITHDRAWAL
        assert "say it with --direction" in take(plain_csv([f"{INJECTING},{row}"])).reasons[0][1]


class TestTheRepeatedHour:
    """Both passes of it in Paris, by `+02:00` and `+01:00`; here, as files of careless senders have them."""

    def night(self, offset: str, *hours: str) -> bytes:
        stamps = ["2026-10-25T01:30:00+02:00", *(f"2026-10-25T{hour}{offset}" for hour in hours)]
        return curve(*zip([*stamps, "2026-10-25T03:00:00+01:00"], range(10, 20), strict=False))

    @pytest.mark.parametrize("offset", ["+01:00", "+02:00"])
    @pytest.mark.parametrize(
        ("hours", "values"),
        [
            (("02:00:00", "02:30:00", "02:00:00", "02:30:00"), [11, 12, 13, 14]),
            (("02:00:00", "02:00:00", "02:30:00", "02:30:00"), [11, 13, 12, 14]),
        ],
    )
    def test_is_paired_by_order_where_both_passes_bear_one_offset(
        self, take: Take, offset: str, hours: tuple[str, ...], values: list[int]
    ) -> None:
        taken = take(self.night(offset, *hours))

        assert taken.report.complete
        assert taken.block.values[3:9].tolist() == [10, *values, 15]

    @pytest.mark.parametrize("offset", ["+01:00", "+02:00"])
    @pytest.mark.parametrize(
        "hours", [("02:00:00", "02:30:00", "02:30:00"), ("02:30:00", "02:30:00", "02:30:00")]
    )
    def test_is_set_aside_where_the_order_does_not_pair_it(
        self, take: Take, offset: str, hours: tuple[str, ...]
    ) -> None:
        taken = take(self.night(offset, *hours))

        assert taken.report.stored == 2
        assert len(taken.reasons) == len(hours)
        assert all("give each pass its own offset" in reason for _, reason in taken.reasons)

    @pytest.mark.parametrize("offset", ["+01:00", "+02:00", "Z"])
    def test_shows_that_an_offset_says_nothing_where_all_bear_it(self, take: Take, offset: str) -> None:
        stamps = [f"{stamp}{offset}" for day in (date(2026, 10, 24), AUTUMN) for stamp in naive(starts(day))]

        taken = take(curve(*((stamp, n) for n, stamp in enumerate(stamps))))

        assert taken.report.complete
        assert [block.values.tolist() for block in taken.blocks] == [list(range(48)), list(range(48, 98))]

    def test_does_not_show_it_where_lines_are_merely_written_twice(self, take: Take) -> None:
        hours = [(f"2026-10-25T0{hour}:00:00+01:00", 10 + hour) for hour in range(5)]

        taken = take(curve(*hours[:3], hours[2], *hours[3:], step="PT60M"))

        assert taken.block.values[:6].tolist() == [0, 10, 11, 12, 13, 14]
        assert taken.reasons[0][0] == "line 5"
        assert "(the same value)" in taken.reasons[0][1]

    def test_is_set_aside_where_the_summer_goes_on_until_midnight(self, take: Take) -> None:
        taken = take(
            self.night("+02:00", "02:00:00", "02:30:00", "02:00:00", "02:30:00", "03:00:00", "03:30:00")
        )

        assert [where for where, _ in taken.reasons] == [f"line {line}" for line in range(3, 9)]

    def test_is_left_as_it_is_where_each_pass_has_its_offset(self, take: Take) -> None:
        stamps = [
            f"2026-10-25T02:{half}:00{offset}" for offset in ("+02:00", "+01:00") for half in ("00", "30")
        ]

        taken = take(curve(*zip([*stamps, *stamps], range(8), strict=True)))

        assert taken.block.values[taken.block.said].tolist() == [0, 1, 2, 3]
        assert all("already told" in reason for _, reason in taken.reasons)


class TestDaysOfOneOffset:
    @pytest.mark.parametrize("offset", ["+01:00", "Z"])
    def test_are_cut_at_local_midnight(self, take: Take, offset: str) -> None:
        columns = "metering_point_id,day,resolution," + ",".join(f"v{slot}" for slot in range(1, 25))
        days = [f"{month}T00:00:00{offset}" for month in ("2026-03-28", "2026-03-29", "2026-03-30")]
        hours = [",".join(str(100 * number + hour) for hour in range(24)) for number in range(3)]

        taken = take(
            plain_csv([f"{C5},{day},PT60M,{row}" for day, row in zip(days, hours, strict=True)], columns)
        )

        assert taken.report.complete
        said = {block.day.day: block.values[block.said].tolist() for block in taken.blocks}
        before = 0 if offset == "+01:00" else 1  # hours of local time before the first day begins
        assert said[28] == list(range(24 - before))
        assert len(said[29]) == 23
        assert said[29][-2:] == ([121, 122] if offset == "+01:00" else [120, 121])
        assert len(said[30]) == 24
        assert sum(map(len, said.values())) == 72

    def test_of_a_daily_value_are_told_from_those_of_the_clock(self, take: Take) -> None:
        rows = [f"{C5},daily_energy,withdrawal,2026-0{month}-01T00:00:00+01:00,,5,Wh," for month in (1, 7)]

        taken = take(plain_csv(rows))

        assert taken.block.day == date(2026, 1, 1)
        assert (
            "dated 2026-07-01 01:00:00, not midnight; if it is of a day by the clock here"
            in taken.reasons[0][1]
        )


class TestQuarantine:
    @pytest.mark.parametrize(
        ("row", "reason", "value"),
        [
            (("2026-06-01T00:00:00Z", "-5"), "negative", "-5"),
            (("2026-06-01T00:00:00Z", "5e10"), "", ""),
            (("2026-06-01T00:00:00Z", "99999999999"), "", ""),
            (("2026-06-01T00:10:00Z", "5"), "off the grid of 30 min steps", "5"),
            (("2026-06-01T00:00:01Z", "5"), "off the grid", "5"),
            (("", "5"), "is no instant", "5"),
            (("2026-02-30T00:00:00Z", "5"), "is no instant", "5"),
            (("1969-01-01T00:00:00Z", "5"), "not between 1970 and 2099", "5"),
            (("3026-01-01T00:00:00Z", "5"), "not between 1970 and 2099", "5"),
            (("2026-03-29 02:30", "5"), "does not exist: the clocks went forward", "5"),
            (("2026-10-25 02:30", "5"), "comes twice that day", "5"),
            (("2026-06-01T00:00:00Z", "NaN"), "is not a number", "NaN"),
            (("2026-06-01T00:00:00Z", "12 kW"), "is not a number", "12 kW"),
        ],
    )
    def test_names_the_line_the_reason_and_the_value(
        self, take: Take, row: tuple[str, str], reason: str, value: str
    ) -> None:
        taken = take(curve(("2026-05-01T00:00:00Z", "1"), row))

        assert taken.report.stored == (1 if reason else 2)
        if reason:
            ((where, why),) = taken.reasons
            assert where == "line 3"
            assert reason in why
            assert taken.report.quarantined[0].value == value

    @pytest.mark.parametrize("unit", ["kW", "MWh"])
    def test_takes_what_is_beyond_any_meter_for_a_defect(self, take: Take, unit: str) -> None:
        taken = take(
            curve(("2026-06-01T00:00:00Z", "999999999999999"), ("2026-06-01T00:30:00Z", "1.5"), unit=unit)
        )

        assert [where for where, _ in taken.reasons] == ["line 2"]
        assert "check the unit" in taken.reasons[0][1]

    @pytest.mark.parametrize("value", ["1e99", "9" * 5000, "-" + "9" * 5000])
    def test_says_of_a_number_beyond_any_meter_that_it_is(self, take: Take, value: str) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", value), ("2026-06-01T00:30:00Z", "1.5")))

        assert [reason for _, reason in taken.reasons] == [
            "the value is beyond anything a meter counts; check the unit"
        ]
        assert taken.block.values[taken.block.said].tolist() == [15]

    @pytest.mark.parametrize("text", ["x" * 5000, "x\ny\n" * 5])
    def test_shows_a_few_words_of_a_long_text(self, take: Take, text: str) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", f'"{text}"')))

        (item,) = taken.report.quarantined
        assert "is not a number; correct the value" in item.reason
        assert len(item.reason) < 500 > len(item.value)
        assert "\n" not in item.reason + item.value

    def test_lets_no_decimals_of_one_value_make_another_absurd(self, take: Take) -> None:
        rows = [
            f"{C5},daily_energy,withdrawal,2026-06-01,,0.123456789,Wh,",
            f"{C5},daily_energy,withdrawal,2026-06-02,,48,GWh,",
            f"{C5},daily_energy,withdrawal,2026-06-03,,48000,MWh,",
        ]

        blocks = {b.day.day: (int(b.values[0]), b.scale) for b in take(plain_csv(rows)).blocks}

        assert blocks == {1: (123456789, -9), 3: (48_000_000_000, 0)}

    def test_refuses_a_negative_value_beyond_all_arithmetic(self, take: Take) -> None:
        """At the scale of the other value this one would, in 64 bits, come out positive."""
        rows = [
            f"{C5},daily_energy,withdrawal,2026-06-01,,-50000,MWh,",
            f"{C5},daily_energy,withdrawal,2026-06-02,,0.123456789,Wh,",
        ]

        taken = take(plain_csv(rows))

        assert taken.report.stored == 1
        assert "the value is negative" in taken.reasons[0][1]

    @pytest.mark.parametrize("step", ["PT20M", "PT2H", "soon"])
    def test_refuses_a_step_that_is_none_of_ours(self, take: Take, step: str) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", "1"), step=step))

        assert "none of the steps 5, 10, 15, 30, 60 minutes" in taken.reasons[0][1]

    def test_keeps_the_first_of_two_values_for_one_time(self, take: Take) -> None:
        taken = take(
            curve(("2026-06-01T00:00:00Z", 7), ("2026-06-01T02:00:00+02:00", 8), ("2026-06-01T00:00:00Z", 7))
        )

        assert taken.block.values[taken.block.said].tolist() == [7]
        assert taken.reasons == [
            ("line 3", "this time is already told by line 2 (7), which is kept; remove one of the two"),
            (
                "line 4",
                "this time is already told by line 2 (the same value), which is kept; remove one of the two",
            ),
        ]

    def test_keeps_the_first_of_two_steps_for_one_time(self, take: Take) -> None:
        rows = [
            f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT60M,7,W,",
            f"{C5},load_curve,withdrawal,2026-06-01T00:30:00Z,PT30M,8,W,",
            f"{C5},load_curve,withdrawal,2026-06-01T01:00:00Z,PT30M,9,W,",
        ]

        assert [where for where, _ in take(plain_csv(rows)).reasons] == ["line 3"]

    def test_holds_back_the_load_curve_after_an_opposition(self, take: Take, directory: Directory) -> None:
        opposed = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
        directory.points[C5] = PointInfo(C5, "C5", frozenset(FlowDirection), opposed)

        taken = take(curve(("2026-06-01T00:00:00Z", 1), ("2026-06-01T00:30:00Z", 2)))

        assert taken.report.stored == 1
        assert taken.reasons[0][0] == "line 3"
        assert "opposes the collection of its load curve since 2026-06-01" in taken.reasons[0][1]

    def test_does_not_hold_back_other_kinds_after_an_opposition(
        self, take: Take, directory: Directory
    ) -> None:
        directory.points[C5] = PointInfo(C5, "C5", frozenset(FlowDirection), datetime(2020, 1, 1, tzinfo=UTC))

        assert take(plain_csv([f"{C5},daily_energy,withdrawal,2026-06-01,,1,Wh,"])).report.complete

    def test_refuses_a_direction_that_the_point_does_not_have(self, take: Take) -> None:
        taken = take(plain_csv([f"{C4},load_curve,injection,2026-06-01T00:00:00Z,PT30M,1,W,"]))

        assert "has no injection in the registry" in taken.reasons[0][1]

    def test_refuses_a_daily_value_that_is_not_of_a_day(self, take: Take) -> None:
        taken = take(plain_csv([f"{C5},daily_energy,withdrawal,2026-06-01T05:00:00+02:00,,1,Wh,"]))

        assert "dated 2026-06-01 05:00:00, not midnight" in taken.reasons[0][1]

    def test_counts_every_value_of_an_unknown_point(self, take: Take) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", 1), ("2026-06-01T00:30:00Z", 2), point="12345678901234"))

        assert taken.report.read == 2
        assert {where for where, _ in taken.reasons} == {"line 2", "line 3"}
        assert all("import points" in reason and "--metering-point" in reason for _, reason in taken.reasons)

    def test_is_in_the_order_of_the_file(self, take: Take) -> None:
        taken = take(curve(*((f"2026-06-01T00:{n:02}:01Z", -(n % 2)) for n in range(30))))

        assert [where for where, _ in taken.reasons] == [f"line {n}" for n in range(2, 32)]

    def test_is_given_to_the_store_with_the_source(self, take: Take) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", -1), ("2026-06-01T00:30:00Z", 1)), name="march.csv")

        assert list(taken.store.quarantined) == list(taken.report.quarantined)
        assert taken.store.source is not None
        assert taken.store.source.name.endswith("march.csv")
        assert taken.store.source.format == "csv"
        assert len(taken.store.source.sha256) == 64


class TestHoles:
    def test_are_neither_values_nor_faults(self, take: Take) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", 1), ("2026-06-01T00:30:00Z", "")))

        assert (taken.report.read, taken.report.holes, taken.report.complete) == (1, 1, True)
        assert taken.block.quality[taken.block.said].tolist() == [Quality.MEASURED]

    def test_alone_make_no_file(self, take: Take) -> None:
        taken = take(curve(("2026-06-01T00:00:00Z", "")))

        assert taken.report.refused
        assert "holds no value (1 stamp without one)" in taken.reasons[0][1]
