"""Data Connect on the wire: parameters, stamps, change days, steps that change."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Resolution, civil_day_bounds, slot_start, slots_in_day
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.columns import Columns
from gridgate.facades.enedis import wire
from gridgate.facades.enedis.catalogue import EnedisError
from gridgate.facades.enedis.wire import PARIS, RESOURCES, Stamp

TODAY = date(2026, 11, 25)
CURVE, DAILY, MAXIMUM, PRODUCTION_CURVE, PRODUCTION_DAILY = RESOURCES
PRM = "22516914714270"


def query(text: str, resource: wire.Resource = CURVE) -> wire.Query:
    return wire.decode_query(text.encode(), resource, today=TODAY)


def refusal(text: str, resource: wire.Resource = CURVE) -> tuple[int, str, str]:
    with pytest.raises(EnedisError) as caught:
        query(text, resource)
    return caught.value.status, caught.value.code, caught.value.description


def body(readings: list[bytes], resource: wire.Resource = CURVE) -> bytes:
    return wire.encode(
        resource,
        usage_point_id=PRM,
        start=date(2026, 10, 1),
        end=date(2026, 10, 2),
        readings=readings,
    )


class TestParameters:
    @pytest.mark.parametrize(
        ("text", "code", "sentence"),
        [
            ("", "Invalid_request", "usage_point_id parameter is required."),
            ("usage_point_id=", "Invalid_request", "usage_point_id parameter is required."),
            ("usage_point_id=123", "Invalid_request", "usage_point_id parameter must be 14 digits long."),
            (
                "usage_point_id=2251691471427O",
                "Invalid_request",
                "usage_point_id parameter must be 14 digits long.",
            ),
            (
                "usage_point_id=%D9%A1%D9%A12516914714270",
                "Invalid_request",
                "usage_point_id parameter must be 14 digits long.",
            ),
            (f"usage_point_id={PRM}", "invalid_request", "Start date parameter is required."),
            (
                f"usage_point_id={PRM}&start=18/11/2026",
                "invalid_request",
                "start date parameter must be in the format yyyy-mm-dd.",
            ),
            (
                f"usage_point_id={PRM}&start=2026-02-30",
                "invalid_request",
                "start date parameter must be in the format yyyy-mm-dd.",
            ),
            (
                f"usage_point_id={PRM}&start=2026-11-18",
                "invalid_request",
                "End date parameter is required.",
            ),
            (
                f"usage_point_id={PRM}&start=2026-11-18&end=20261125",
                "invalid_request",
                "end date parameter must be in the format yyyy-mm-dd.",
            ),
            (
                f"usage_point_id={PRM}&start=2026-11-18&end=2026-11-17",
                "Invalid_request",
                "Start date should be before end date.",
            ),
            (
                f"usage_point_id={PRM}&start=2026-11-18&end=2026-11-18",
                "Invalid_request",
                "Start date should be before end date.",
            ),
            (
                f"usage_point_id={PRM}&start=2026-11-10&end=2026-11-18",
                "ADAM-ERR0126",
                "The requested period must be less than 7 days for an access to the load curve.",
            ),
            (
                f"usage_point_id={PRM}&start=2024-11-09&end=2024-11-12",
                "ADAM-ERR0125",
                "The start date must be greater than the history deadline.",
            ),
            (
                f"usage_point_id={PRM}&usage_point_id={PRM}&start=2026-11-18&end=2026-11-19",
                "Invalid_request",
                "Empty header, bad request format, partial or incorrect data",
            ),
            (
                "usage_point_id=é",
                "Invalid_request",
                "Empty header, bad request format, partial or incorrect data",
            ),
            (
                "&".join(f"a{n}=1" for n in range(20)),
                "Invalid_request",
                "Empty header, bad request format, partial or incorrect data",
            ),
        ],
    )
    def test_are_refused_in_the_words_of_the_catalogue(self, text: str, code: str, sentence: str) -> None:
        assert refusal(text) == (400, code, sentence)

    def test_are_checked_in_the_order_of_the_catalogue(self) -> None:
        everything_wrong = ["usage_point_id=1", "start=x", "end=y"]
        order = []
        for mended in ([], [f"usage_point_id={PRM}"], [f"usage_point_id={PRM}", "start=2020-01-01"]):
            text = "&".join([*mended, *everything_wrong[len(mended) :]])
            order.append(refusal(text)[2])
        assert [sentence.split()[0] for sentence in order] == ["usage_point_id", "start", "end"]
        assert refusal(f"usage_point_id={PRM}&start=2020-01-05&end=2020-01-01")[2].startswith(
            "Start date should"
        )
        assert refusal(f"usage_point_id={PRM}&start=2020-01-05&end=2020-03-01")[1] == "ADAM-ERR0125"

    @pytest.mark.parametrize(
        ("end", "clipped"),
        [
            ("2026-11-24", date(2026, 11, 24)),
            ("2026-11-25", TODAY),
            ("2026-11-26", TODAY),
            ("2031-01-01", TODAY),
        ],
    )
    def test_clip_an_end_that_has_not_been_yet(self, end: str, clipped: date) -> None:
        assert query(f"usage_point_id={PRM}&start=2026-11-18&end={end}").end == clipped

    def test_accept_seven_days_and_a_start_at_the_deadline(self) -> None:
        query(f"usage_point_id={PRM}&start=2026-11-11&end=2026-11-18")
        query(f"usage_point_id={PRM}&start=2024-11-10&end=2024-11-12")
        query(f"usage_point_id={PRM}&start=2023-11-10&end=2026-11-12", DAILY)
        assert refusal(f"usage_point_id={PRM}&start=2023-11-09&end=2026-11-12", DAILY)[1] == "ADAM-ERR0125"

    def test_ignore_what_the_interface_does_not_know(self) -> None:
        query(f"usage_point_id={PRM}&start=2026-11-11&end=2026-11-18&person_id=1234567890&x=y")

    @pytest.mark.parametrize(
        ("today", "months", "first"),
        [
            (date(2026, 11, 25), 24, date(2024, 11, 10)),
            (date(2026, 2, 28), 24, date(2024, 2, 13)),
            (date(2028, 2, 29), 36, date(2025, 2, 13)),
            (date(2026, 12, 31), 36, date(2023, 12, 16)),
            (date(2026, 1, 1), 24, date(2023, 12, 17)),
        ],
    )
    def test_count_history_in_months_and_days(self, today: date, months: int, first: date) -> None:
        resource = wire.Resource("/", Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, months)
        assert wire.history_starts(today, resource) == first


class TestStamps:
    def test_name_an_interval_by_its_end_in_paris_time(self) -> None:
        day = json.loads(body([a_day(date(2026, 6, 1), Resolution.PT30M)]))
        readings = day["meter_reading"]["interval_reading"]
        assert readings[0] == {
            "value": "0",
            "date": "2026-06-01 00:30:00",
            "interval_length": "PT30M",
            "measure_type": "B",
        }
        assert readings[-1]["date"] == "2026-06-02 00:00:00"

    def test_name_an_interval_by_its_start_where_a_flow_does(self) -> None:
        text = a_day(date(2026, 6, 1), Resolution.PT10M, stamp=Stamp.START)
        readings = json.loads(body([text]))["meter_reading"]["interval_reading"]
        assert (readings[0]["date"], readings[-1]["date"]) == ("2026-06-01 00:00:00", "2026-06-01 23:50:00")

    def test_skip_the_hour_that_spring_skips(self) -> None:
        text = a_day(date(2026, 3, 29), Resolution.PT30M)
        dates = [r["date"][11:] for r in json.loads(body([text]))["meter_reading"]["interval_reading"]]
        assert dates[2:6] == ["01:30:00", "03:00:00", "03:30:00", "04:00:00"]
        assert len(dates) == 46

    def test_repeat_the_hour_that_autumn_repeats(self) -> None:
        text = a_day(date(2026, 10, 25), Resolution.PT30M)
        dates = [r["date"][11:] for r in json.loads(body([text]))["meter_reading"]["interval_reading"]]
        assert dates[3:9] == ["02:00:00", "02:30:00", "02:00:00", "02:30:00", "03:00:00", "03:30:00"]
        assert len(dates) == 50

    @pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 6, 1), date(2026, 10, 25)])
    @pytest.mark.parametrize("resolution", list(Resolution))
    @pytest.mark.parametrize("stamp", list(Stamp))
    def test_name_each_reading_as_one_by_one(self, day: date, resolution: Resolution, stamp: Stamp) -> None:
        """A whole day and parts of one, with values missing and without."""
        slots = slots_in_day(day, resolution, PARIS)
        for low, high, holes in ((0, slots, ()), (0, slots, (1, 2)), (1, slots, ()), (0, slots - 1, (3,))):
            values: list[int | float | None] = [None if n in holes else n for n in range(slots)][low:high]
            if not values or values[0] is None or values[-1] is None:
                continue
            given = columns(slot_start(day, low, resolution, PARIS), resolution, values)
            expected = [
                {
                    "value": str(step.value),
                    "date": (step.end if stamp is Stamp.END else step.start)
                    .astimezone(PARIS)
                    .strftime("%Y-%m-%d %H:%M:%S"),
                    "interval_length": resolution.iso,
                    "measure_type": "B",
                }
                for step in given.segment().steps(PARIS)
                if step.value is not None
            ]
            ((_, text, count),) = wire.curve_readings([given], stamp=stamp)
            assert json.loads(b"[" + text + b"]") == expected
            assert count == len(expected)


def a_day(day: date, resolution: Resolution, stamp: Stamp = Stamp.END) -> bytes:
    values: list[int | float | None] = list(range(slots_in_day(day, resolution, PARIS)))
    given = columns(civil_day_bounds(day, PARIS).start, resolution, values)
    ((_, text, count),) = wire.curve_readings([given], stamp=stamp)
    assert count == len(values)
    return text


def columns(start: datetime, resolution: Resolution, values: Sequence[int | float | None]) -> Columns:
    """Of millionths."""
    return Columns(
        int(start.timestamp()),
        resolution,
        np.array([round((value or 0) * 10**6) for value in values], np.int64),
        10**6,
        np.array([15 if value is None else 0 for value in values], np.uint8),
    )


def columns_from(start: datetime, plan: list[tuple[Resolution, list[int | float | None]]]) -> list[Columns]:
    """One after the other, each on the grid of its own step."""
    given = []
    midnight = start
    for resolution, values in plan:
        step = timedelta(seconds=resolution.seconds)
        start = midnight + -((midnight - start) // step) * step
        given.append(columns(start, resolution, values))
        start += step * len(values)
    return given


class TestRoundTrip:
    @given(
        st.sampled_from(
            [date(2026, 3, 28), date(2026, 3, 29), date(2026, 6, 1), date(2026, 10, 24), date(2026, 10, 25)]
        ),
        st.lists(
            st.tuples(
                st.sampled_from([r for r in Resolution if r is not Resolution.P1D]),
                st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=40),
            ),
            max_size=4,
        ),
        st.sampled_from(Stamp),
    )
    def test_decode_gives_back_what_was_encoded(
        self, day: date, plan: list[tuple[Resolution, list[int | float | None]]], stamp: Stamp
    ) -> None:
        given = columns_from(civil_day_bounds(day, PARIS).start, plan)
        if stamp is Stamp.START or not plan:
            given = given[:1]  # stamped by start, a step that grows is ambiguous in autumn
        segments = [one.segment() for one in given]
        encoded = body([text for _, text, _ in wire.curve_readings(given, stamp=stamp)])
        expected = [
            (step.start, step.value, segment.resolution)
            for segment in segments
            for step in segment.steps(PARIS)
            if step.value is not None
        ]
        decoded = [(r.at, r.value, r.resolution) for r in wire.decode(encoded, stamp=stamp)]
        gaps = any(None in segment.values for segment in segments)
        gaps = gaps or any(one.end(PARIS) != other.start for one, other in pairwise(segments))
        if day in (date(2026, 10, 24), date(2026, 10, 25)) and gaps:
            # With a gap in it, the repeated hour is ambiguous on this interface: values and order are all it
            # tells.
            assert [v for _, v, _ in decoded] == [v for _, v, _ in expected]
        else:
            assert decoded == expected

    def test_values_are_strings_and_keep_their_decimals(self) -> None:
        given = columns(datetime(2026, 6, 1, tzinfo=UTC), Resolution.PT30M, [730.5, 0.000001, 12])
        ((_, text, _),) = wire.curve_readings([given])
        readings = json.loads(body([text]))["meter_reading"]["interval_reading"]
        assert [r["value"] for r in readings] == ["730.5", "0.000001", "12"]

    def test_daily_energy_is_dated_and_whole(self) -> None:
        start = civil_day_bounds(date(2026, 3, 28), PARIS).start
        segment = Segment(start, Resolution.P1D, [11776, None, 10.5, 11.5], [("measured", 4)])
        encoded = body(list(wire.daily_readings([segment])), DAILY)
        assert [(r.at, r.value) for r in wire.decode(encoded)] == [
            (date(2026, 3, 28), Decimal(11776)),
            (date(2026, 3, 30), Decimal(10)),
            (date(2026, 3, 31), Decimal(12)),
        ]

    def test_maximum_power_is_dated_to_the_second(self) -> None:
        start = civil_day_bounds(date(2023, 4, 1), PARIS).start
        segment = Segment(start, Resolution.P1D, [4638, None], [("measured", 2)], offsets=[43580, 0])
        (reading,) = json.loads(body(list(wire.maximum_readings([segment])), MAXIMUM))["meter_reading"][
            "interval_reading"
        ]
        assert reading == {"value": "4638", "date": "2023-04-01 12:06:20"}


@pytest.mark.parametrize(
    ("resource", "reading_type"),
    [
        (CURVE, {"unit": "W", "measurement_kind": "power", "aggregate": "average"}),
        (
            DAILY,
            {"unit": "Wh", "measurement_kind": "energy", "aggregate": "sum", "measuring_period": "P1D"},
        ),
        (
            MAXIMUM,
            {"unit": "VA", "measurement_kind": "power", "aggregate": "maximum", "measuring_period": "P1D"},
        ),
    ],
)
def test_the_frame_says_what_is_read(resource: wire.Resource, reading_type: dict[str, str]) -> None:
    assert json.loads(body([], resource)) == {
        "meter_reading": {
            "usage_point_id": PRM,
            "start": "2026-10-01",
            "end": "2026-10-02",
            "quality": "BRUT",
            "reading_type": reading_type,
            "interval_reading": [],
        }
    }


def test_the_directions_of_the_five_paths() -> None:
    paths: Callable[[FlowDirection], list[str]] = lambda d: [  # noqa: E731
        r.path.split("/")[1] for r in RESOURCES if r.direction is d
    ]
    assert paths(FlowDirection.WITHDRAWAL) == ["metering_data_clc", "metering_data_dc", "metering_data_dcmp"]
    assert paths(FlowDirection.INJECTION) == ["metering_data_plc", "metering_data_dp"]
