"""What charts draw: true positions on clock-change days, gaps that stay gaps, peaks that are never lost."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from hypothesis import example, given
from hypothesis import strategies as st

from gridgate.portal.kit.charts.bars import bars
from gridgate.portal.kit.charts.heat_map import heat_map
from gridgate.portal.kit.charts.limits import Limit
from gridgate.portal.kit.charts.load_curve.chart import load_curve
from gridgate.portal.kit.charts.load_curve.series import Curve
from gridgate.portal.kit.charts.scale import scale_for
from gridgate.portal.kit.charts.spark import sparkline
from gridgate.portal.kit.charts.texts import Box, Place

PARIS = ZoneInfo("Europe/Paris")


def midnight(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=PARIS)


def day_chart(day: date, values: list[float | None], **options):
    start, after = midnight(day.year, day.month, day.day), day + timedelta(days=1)
    end = midnight(after.year, after.month, after.day)
    return load_curve(
        [Curve(start, 1800, values, options.pop("quality", ()))], start=start, end=end, zone=PARIS, **options
    )


def horizontal_stops(path: str) -> list[int]:
    return [int(stop) for stop in re.findall(r"H(\d+)", path)]


@pytest.mark.parametrize(
    ("day", "slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50), (date(2026, 11, 10), 48)]
)
def test_every_half_hour_of_a_civil_day_has_the_same_width(day, slots) -> None:
    chart = day_chart(day, [100.0 + index for index in range(slots)])
    stops = horizontal_stops(chart.line)
    assert len(stops) == slots
    assert stops == [round(chart.width * (index + 1) / slots) for index in range(slots)]
    assert chart.gaps == ()


def test_the_hour_that_comes_back_is_labelled_once_and_noon_stands_where_it_is() -> None:
    chart = day_chart(date(2026, 10, 25), [1.0] * 50)
    assert [label.text.replace("\u00a0", " ") for label in chart.labels] == [
        f"{hour} h" for hour in (0, 3, 6, 9, 12, 15, 18, 21, 0)
    ]
    noon = next(label for label in chart.labels if label.text.startswith("12"))
    assert noon.x == "52%"  # thirteen of twenty-five hours have passed


def test_a_week_with_a_clock_change_lasts_169_hours() -> None:
    chart = load_curve(
        [Curve(midnight(2026, 10, 19), 1800, [50.0] * 338)],
        start=midnight(2026, 10, 19),
        end=midnight(2026, 10, 26),
        zone=PARIS,
    )
    assert len(horizontal_stops(chart.line)) == 338
    assert chart.gaps == ()
    assert [label.text for label in chart.labels] == ["19", "20", "21", "22", "23", "24", "25"]


def test_a_missing_value_breaks_the_line_and_shows_as_a_gap() -> None:
    values: list[float | None] = [100.0] * 48
    values[4:19] = [None] * 15
    chart = day_chart(date(2026, 11, 12), values)
    assert chart.line.count("M") == 2
    (gap,) = chart.gaps
    assert (gap.x, gap.width, gap.end) == ("8.33%", "31.25%", "39.58%")


def test_slots_marked_missing_are_gaps_whatever_their_number() -> None:
    chart = day_chart(
        date(2026, 11, 12),
        [100.0, 0.0, 100.0] + [100.0] * 45,
        quality=[("measured", 1), ("missing", 1), ("measured", 46)],
    )
    assert len(chart.gaps) == 1
    assert chart.peak is not None
    assert chart.count == 47


def test_what_is_not_expected_yet_is_no_gap() -> None:
    start = midnight(2026, 11, 9)
    until = midnight(2026, 11, 11)
    chart = load_curve(
        [Curve(start, 1800, [5.0] * 96)], start=start, end=midnight(2026, 11, 16), zone=PARIS, until=until
    )
    assert chart.gaps == ()


def test_nothing_at_all_is_one_gap_and_no_peak() -> None:
    chart = day_chart(date(2026, 11, 12), [None] * 48)
    assert [gap.width for gap in chart.gaps] == ["100%"]
    assert chart.peak is None
    assert chart.line == chart.area == ""


def test_a_step_that_changes_within_the_day_keeps_true_widths() -> None:
    start = midnight(2026, 11, 10)
    noon = start + timedelta(hours=12)
    chart = load_curve(
        [Curve(start, 1800, [10.0] * 24), Curve(noon, 600, [20.0] * 72)],
        start=start,
        end=midnight(2026, 11, 11),
        zone=PARIS,
    )
    stops = horizontal_stops(chart.line)
    assert stops[23] == chart.width // 2
    assert len(stops) == 24 + 72
    assert chart.gaps == ()


def test_the_peak_is_the_first_highest_and_knows_it_is_over_the_limit() -> None:
    values: list[float | None] = [60.0] * 48
    values[20] = values[30] = 262.0
    chart = day_chart(date(2026, 11, 10), values, limits=[Limit(250.0)])
    assert chart.peak is not None
    assert chart.peak.at == datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
    assert chart.peak.over
    assert chart.over.count("M") == 2
    assert chart.limits[0].text.replace("\u00a0", " ") == "Souscrite 250 kW"


def test_a_limit_holds_only_in_its_period() -> None:
    noon = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
    chart = day_chart(
        date(2026, 11, 10), [100.0] * 48, limits=[Limit(90.0, end=noon), Limit(120.0, start=noon)]
    )
    assert [(line.x1, line.x2) for line in chart.limits] == [("0%", "50%"), ("50%", "100%")]
    assert max(horizontal_stops(chart.over)) == chart.width // 2


def boxes(x: str, y: str, anchor: str, text: str) -> list[Box]:
    return list(Place(float(x[:-1]), float(y[:-1]), anchor).boxes(text))


@pytest.mark.parametrize("over", [range(20), range(28, 48), [*range(8), *range(40, 48)], range(4, 44)])
def test_the_text_of_a_limit_lies_on_nothing_that_is_above_it(over) -> None:
    """Neither on a laptop nor at 360 px, where the text takes nearly half of the width."""
    values: list[float | None] = [60.0] * 48
    for slot in over:
        values[slot] = 290.0 + slot
    chart = day_chart(date(2026, 11, 10), values, limits=[Limit(250.0, label="Souscrite 250 kVA")])
    scale = scale_for([max(values) * 1.04])
    (limit,) = chart.limits
    texts = boxes(limit.text_x, limit.text_y, limit.anchor, limit.text)
    red = [
        Box(slot / 48 * 100, (slot + 1) / 48 * 100, scale.down(values[slot]), scale.down(250))
        for slot in over
    ]
    assert not [text for text in texts for one in red if text.meets(one)]
    assert chart.peak
    other = boxes(chart.peak.x, chart.peak.y, chart.peak.anchor, chart.peak.text)
    assert not [text for text, one in zip(texts, other, strict=True) if text.meets(one)]
    assert all(text.left >= -0.01 and text.right <= 100.01 for text in texts)


@pytest.mark.parametrize("days", [30, 7])
def test_texts_under_the_axis_stay_within_the_drawing(days) -> None:
    labels = [f"{day} nov." if day in (1, 30) or days == 7 else "" for day in range(1, days + 1)]
    chart = bars([1.0] * days, labels=labels, unit="kWh")
    whole_day = day_chart(date(2026, 11, 10), [1.0] * 48)
    for label in [*chart.labels, *whole_day.labels]:
        _wide, narrow = (
            boxes(label.x, "50%", label.anchor, label.text)
            if label.anchor != "middle"
            else (
                Box(0, 0, 0, 0),
                Box(
                    float(label.x[:-1]) - len(label.text) * 1.25,
                    float(label.x[:-1]) + len(label.text) * 1.25,
                    0,
                    0,
                ),
            )
        )
        assert narrow.left >= 0
        assert narrow.right <= 100


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        (["Mon 23", "Tue 24", "Wed 25", "Thu 26", "Fri 27", "Sat 28", "Sun 29"], 4),
        (["lun. 23", "mar. 24", "mer. 25", "jeu. 26", "ven. 27", "sam. 28", "dim. 29", "lun. 30"], 4),
        ([f"{day} nov." if day % 7 == 1 else "" for day in range(1, 30)], 3),
        (["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 4),
        (["26", "27", "28"], 3),
    ],
)
def test_texts_under_bars_do_not_touch_on_a_narrow_screen(labels: list[str], kept: int) -> None:
    """At 360 px a character takes 2.5 per cent; a wide screen shows them all."""
    shown = bars([1.0] * len(labels), labels=labels, unit="kWh").labels
    assert [label.text for label in shown] == [text for text in labels if text]
    narrow = [label for label in shown if not label.minor]
    assert len(narrow) >= kept
    lefts = [
        float(label.x[:-1]) - len(label.text) * {"start": 0, "middle": 1.25, "end": 2.5}[label.anchor]
        for label in narrow
    ]
    ends = [left + len(label.text) * 2.5 for left, label in zip(lefts, narrow, strict=True)]
    assert all(left - end >= 2 for end, left in zip(ends, lefts[1:], strict=False))


@pytest.mark.parametrize("place", [6, 20, 30, 46])
def test_the_text_of_a_peak_just_over_the_limit_does_not_lie_on_that_of_the_limit(place: int) -> None:
    values: list[float | None] = [60.0] * 48
    values[place] = 256.0
    chart = day_chart(date(2026, 11, 10), values, limits=[Limit(250.0)])
    (limit,), peak = chart.limits, chart.peak
    assert peak is not None
    x, wide, narrow = float(peak.x[:-1]), 46, 17  # per cent that the two texts take at 360 px
    peak_text = (x, x + narrow) if peak.anchor == "start" else (x - narrow, x)
    limit_text = (0, wide) if limit.anchor == "start" else (100 - wide, 100)
    assert peak_text[1] <= limit_text[0] or limit_text[1] <= peak_text[0]


def test_estimates_are_hatched_under_their_own_outline() -> None:
    chart = day_chart(date(2026, 11, 14), [80.0] * 48, quality=[("measured", 24), ("estimated", 24)])
    (band,) = chart.estimated
    assert (band.x, band.width) == ("50%", "50%")
    assert band.clip.startswith("M0 1V0.2H")
    assert band.clip.endswith("V1z")


@given(st.integers(), st.integers(0, 1100), st.integers(1200, 2300))
def test_reducing_a_dense_series_loses_neither_maximum_nor_gap(seed, spike, hole) -> None:
    chance = Random(seed)
    series: list[float | None] = [chance.uniform(0, 1000) for _slot in range(2400)]
    series[spike] = 2000.0
    series[hole : hole + 24] = [None] * 24
    start = midnight(2026, 1, 1)
    end = datetime.fromtimestamp(start.timestamp() + 600 * 2400, tz=UTC)
    chart = load_curve([Curve(start, 600, series)], start=start, end=end, zone=PARIS)
    assert chart.peak is not None
    assert chart.peak.value == 2000.0
    assert "V200" in chart.line  # 2000 on a scale that ends at 2500
    assert len(horizontal_stops(chart.line)) <= 1000
    assert any(float(gap.width.rstrip("%")) >= 0.9 for gap in chart.gaps)


def test_an_end_before_its_start_is_refused() -> None:
    with pytest.raises(ValueError, match="after its start"):
        load_curve([], start=midnight(2026, 1, 2), end=midnight(2026, 1, 1), zone=PARIS)


@given(st.floats(min_value=0.001, max_value=1e9))
@example(1.248)  # an interval of 0.25
def test_a_scale_holds_its_values_with_round_steps(highest) -> None:
    scale = scale_for([highest, None, 0])
    assert scale.top >= highest * (1 - 1e-6)
    assert scale.top <= highest * 2.5
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 7
    # What stands beside a line is where the line is: an axis of quarters is no axis of "0,8  0,5  0,3".
    told = [float(tick.text.replace("\u202f", "").replace(",", ".")) for tick in ticks]
    assert told == pytest.approx([index * scale.step for index in range(len(ticks) - 1, -1, -1)], rel=1e-9)


def test_the_drawing_has_the_series_for_the_script_and_no_style() -> None:
    chart = day_chart(
        date(2026, 11, 10),
        [1.0, None, *[2.5] * 46],
        quality=[("measured", 1), ("missing", 1), ("estimated", 46)],
    )
    html = render_to_string("components/load_curve.html", {"chart": chart, "caption": "Le 10 <novembre>"})
    data = json.loads(re.search(r'<script id="curve-data" type="application/json">(.*?)</script>', html)[1])
    assert data["segments"][0]["values"][:3] == [1.0, None, 2.5]
    assert data["segments"][0]["quality"] == [["measured", 1], ["missing", 1], ["estimated", 46]]
    assert data["end"] - data["start"] == 86400
    assert " style=" not in html
    assert "Le 10 &lt;novembre&gt;" in html


def test_bars_show_a_missing_day_as_a_gap_and_the_year_before_as_a_line() -> None:
    chart = bars(
        [40.0, None, 20.0],
        labels=["19 oct.", "", ""],
        unit="MWh",
        previous=[42.0, 41.0, None],
        hot=[2],
        mark="40 MWh",
    )
    assert [column.missing for column in chart.columns] == [False, True, False]
    assert [column.hot for column in chart.columns] == [False, False, True]
    assert len(chart.previous) == 2
    assert chart.mark is not None
    assert [label.text for label in chart.labels] == ["19 oct."]
    with pytest.raises(ValueError, match="2 entries for 3 values"):
        bars([1, 2, 3], labels=["", ""], unit="kWh")


def test_the_heat_map_draws_each_cell_once() -> None:
    days = [date(2026, 3, 27) + timedelta(days=index) for index in range(4)]
    hours: list[list[float | None]] = [[float(hour) for hour in range(24)] for _day in days]
    hours[2][2] = None  # the hour that clocks skip
    chart = heat_map(days, hours, maximum=23, zone=PARIS)
    drawn = sum(int(width) for _name, path in chart.paths for width in re.findall(r"h(\d+)v1", path))
    assert drawn == 4 * 24 - 1
    assert chart.gaps == ""
    with pytest.raises(ValueError, match="24 values"):
        heat_map(days, [[1.0] * 23] * 4)


def test_the_heat_map_shades_what_was_to_come_and_nothing_else() -> None:
    days = [date(2026, 3, 1) + timedelta(days=index) for index in range(6)]
    empty: list[float | None] = [None] * 24
    last: list[float | None] = [*[1.0] * 9, *[None] * 15]
    hours = [empty, empty, [1.0] * 24, empty, [1.0] * 24, last]
    chart = heat_map(
        days, hours, outside=days[:2], zone=PARIS, until=datetime(2026, 3, 6, 9, 30, tzinfo=PARIS)
    )
    assert {(x, width) for x, _hour, width in re.findall(r"M(\d+) (\d+)h(\d+)", chart.gaps)} == {("3", "1")}
    legend = render_to_string("components/heat_scale.html", {"chart": chart})
    assert "Lacune" in legend
    nothing = heat_map(days, hours[:3] * 2, outside=[day for day in days if day != days[2]])
    assert nothing.gaps == ""
    assert "Lacune" not in render_to_string("components/heat_scale.html", {"chart": nothing})


def test_the_sparkline_marks_the_unusual_day_and_keeps_quiet_days_visible() -> None:
    chart = sparkline([40, 0, 505], label="Lectures", hot="max")
    assert [bar.hot for bar in chart.bars] == [False, False, True]
    assert chart.bars[2].height == "30"
    assert float(chart.bars[1].height) > 0
    assert sparkline([], label="").bars == ()


@pytest.mark.parametrize(("highest", "broad"), [(99_000.0, True), (9_000.0, False)])
def test_an_axis_has_room_for_its_longest_figure(highest: float, broad: bool) -> None:
    """A figure of six digits, as a year of energy has, is wider than the column of those of narrow screens."""
    chart = day_chart(date(2026, 11, 10), [highest] * 48)
    assert ('class="y broad"' in render_to_string("components/axis_y.html", {"chart": chart})) is broad
