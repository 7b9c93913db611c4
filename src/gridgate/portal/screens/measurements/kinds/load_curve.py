"""The power of each step: its curve, or the days of a long one with the heat map of their hours."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution, days_between
from gridgate.dataplane.query.aggregate import Period, totals
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.dataplane.query.heatmap import heat_map as hours_of
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.heat_map import heat_map
from gridgate.portal.kit.charts.load_curve.chart import load_curve
from gridgate.portal.kit.charts.load_curve.series import Curve, DaySpan
from gridgate.portal.screens.measurements.absences import (
    not_expected,
)
from gridgate.portal.screens.measurements.exceedances import over_rows
from gridgate.portal.screens.measurements.figures import (
    comparison,
    energy_figure,
    over_figure,
    peak_figure,
    received,
)
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.picture import Picture, totals_by_row
from gridgate.portal.screens.measurements.selection import summed
from gridgate.portal.screens.measurements.sentences import (
    active_beside_apparent,
    caption,
    from_to,
)
from gridgate.portal.screens.measurements.subscribed_power import Meter, exceedances, limits_drawn
from gridgate.portal.screens.measurements.table import total_rows

FETCHED_FROM = 6000
"""A chart with more values than this fetches them by script instead of carrying them in the page."""


def curves_of(segments: Sequence[Segment]) -> list[Curve]:
    """The segments in kW, as the chart takes them."""
    return [
        Curve(
            segment.start,
            segment.resolution.seconds,
            [None if value is None else value / 1000 for value in segment.values],
            segment.quality,
        )
        for segment in segments
    ]


def day_spans(segments: Sequence[Segment], start: datetime, end: datetime, zone: ZoneInfo) -> list[DaySpan]:
    """Each day of a long curve from its lowest to its highest value in kW, with its energy in kWh."""
    days = totals(segments, Period.DAY, kind=Kind.LOAD_CURVE, start=start, end=end, zone=zone)
    return [
        DaySpan(
            day.interval.start,
            day.interval.end,
            day.minimum.value / 1000,
            day.maximum.value / 1000,
            (day.energy_wh or 0) / 1000,
            day.estimated == day.values,
        )
        for day in days
        if day.maximum and day.minimum and day.interval.end
    ]


def draw_load_curve(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    period = shown.interval(zone)
    assert period.end is not None
    of_rows = totals_by_row(answer, current, shown, zone, until)
    whole = summed(of_rows)
    assert whole.maximum is not None
    limits = () if shown.injection else meter.subscribed
    episodes = exceedances(current, limits, zone)
    count = sum(len(segment) for segment in current)
    limit = next((one.power for one in limits if one.start <= whole.maximum.at < one.end), None)
    drawn = Picture(Kind.LOAD_CURVE, count=count, step=_step(current))
    drawn.curve = load_curve(
        [] if shown.by_day else curves_of(current),
        spans=day_spans(current, period.start, until, zone) if shown.by_day else (),
        start=period.start,
        end=period.end,
        zone=zone,
        limits=limits_drawn(limits, whole),
        until=until,
        outside=[(one.start, one.end or period.end) for one in not_expected(answer)],
        name=meter.name,
        injection=shown.injection,
        data_url=f"serie.json{shown.query()}" if count > FETCHED_FROM and not shown.by_day else "",
    )
    drawn.figures = [
        energy_figure(whole, comparison(answer, shown, zone, until), shown),
        peak_figure(whole, limit),
        *([over_figure(episodes)] if limits else []),
        received(whole, answer, shown),
    ]
    drawn.over = over_rows(episodes, shown)
    drawn.caption = caption(whole, from_to(shown, until, zone), limit)
    if drawn.curve.limits:
        drawn.caption += " " + active_beside_apparent()
    drawn.rows, drawn.foot = total_rows(of_rows, shown, whole)
    if shown.by_day:
        hours = hours_of(current, start=period.start, end=until, zone=zone)
        kilowatts = [[None if value is None else value / 1000 for value in day] for day in hours.values]
        outside = {
            day
            for time in not_expected(answer)
            for day in days_between(time.start, time.end or period.end, zone)
        }
        drawn.heat = heat_map(
            hours.days,
            kilowatts,
            maximum=hours.top / 1000,
            injection=shown.injection,
            outside=outside,
            zone=zone,
            until=until,
        )
        drawn.heat_caption = _("Du %(first)s au %(last)s, puissance moyenne de chaque heure.") % {
            "first": formats.long_day(hours.days[0]),
            "last": formats.long_day(hours.days[-1]),
        }
    return drawn


def _step(segments: Sequence[Segment]) -> str:
    steps = sorted({segment.resolution for segment in segments}, key=lambda step: step.seconds)
    minutes = [str(step.seconds // 60) for step in steps if step is not Resolution.P1D]
    return _(" et ").join(minutes)
