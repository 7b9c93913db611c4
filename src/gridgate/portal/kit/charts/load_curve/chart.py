"""The load curve: a stepped line at true positions in time, with what is missing, estimated or above the
subscribed power made visible.

The horizontal axis is absolute time, so the day on which clocks change is an hour shorter or longer, and the
repeated hour stands twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.limits import Limit
from gridgate.portal.kit.charts.load_curve.bands import Band, estimated_bands, gaps, nothing_expected
from gridgate.portal.kit.charts.load_curve.lines import (
    HEIGHT,
    WIDTH,
    path_over_limits,
    paths_of_days,
    stepped_paths,
)
from gridgate.portal.kit.charts.load_curve.marks import LimitLine, Peak, limit_lines, peak_of
from gridgate.portal.kit.charts.load_curve.series import SUM, Curve, DaySpan, series_data
from gridgate.portal.kit.charts.load_curve.slots import DENSE, in_columns, runs_of, slots_of, slots_of_days
from gridgate.portal.kit.charts.load_curve.time_axis import (
    days_between,
    midnights,
    seconds_between,
    time_labels,
)
from gridgate.portal.kit.charts.scale import Tick, percent, scale_for
from gridgate.portal.kit.charts.texts import Label

HEADROOM = 1.04  # room for the texts over the peak and the limit


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """What `components/load_curve.html` draws and `js/load-curve.js` reads."""

    id: str
    width: int
    height: int
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    marks: tuple[str, ...]
    line: str
    area: str
    over: str
    gaps: tuple[Band, ...]
    estimated: tuple[Band, ...]
    limits: tuple[LimitLine, ...]
    peak: Peak | None
    unit: str
    injection: bool
    count: int
    by_day: bool
    data_url: str
    data: dict[str, Any] = field(repr=False)

    @property
    def data_id(self) -> str:
        return f"{self.id}-data"


def load_curve(
    curves: Sequence[Curve],
    *,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    spans: Sequence[DaySpan] = (),
    limits: Sequence[Limit] = (),
    until: datetime | None = None,
    outside: Sequence[tuple[datetime, datetime]] = (),
    unit: str = "kW",
    name: str = "",
    injection: bool = False,
    id: str = "curve",  # noqa: A002
    data_url: str = "",
) -> LoadCurve:
    """Draw `curves`, or the days `spans` of a long one, from `start` to `end` (instants; `end` not included).

    `until` is the instant up to which values are expected: what lacks before it is a gap, what lacks after is not, nor
    what lies in `outside`. `name` goes into the image that a person saves, `id` tells two charts of a page apart,
    `data_url` is where the script fetches the values of a very dense series instead of finding them in the page. Raises
    ValueError when `end` is not after `start`.
    """
    if seconds_between(start, end) <= 0:
        raise ValueError("a chart needs an end after its start")
    began, span = start.timestamp(), seconds_between(start, end)

    def across(at: float) -> float:
        return min(1.0, max(0.0, (at - began) / span))

    found = slots_of_days(spans) if spans else slots_of(curves)
    slots = [slot for slot in found if slot.end > began and slot.start < began + span]
    highest = [*(slot.high for slot in slots), *(limit.value for limit in limits)]
    scale = scale_for([value * HEADROOM for value in highest])
    drawn = in_columns(slots, began, span) if len(slots) > DENSE else slots
    runs = list(runs_of(drawn))
    line, area = paths_of_days(runs, scale, across) if spans else stepped_paths(runs, scale, across)
    peak = peak_of(slots, limits, scale, unit, across)
    lines = tuple(limit_lines(limits, scale, unit, across, peak, drawn))
    return LoadCurve(
        id=id,
        width=WIDTH,
        height=HEIGHT,
        ticks=tuple(scale.ticks()),
        labels=tuple(time_labels(start, end, zone, across)),
        marks=tuple(
            percent(100 * across(at.timestamp()))
            for at in midnights(start, end, zone)
            if days_between(start, end) <= 9
        ),
        line=line,
        area=area,
        over=path_over_limits(drawn, limits, scale, across),
        gaps=tuple(
            gaps(
                sorted([*slots, *nothing_expected(outside)], key=lambda slot: slot.start),
                began,
                min(began + span, (until or end).timestamp()),
                across,
            )
        ),
        estimated=tuple(estimated_bands(drawn, scale, across)),
        limits=lines,
        peak=peak,
        unit=unit,
        injection=injection,
        count=len(slots),
        by_day=bool(spans),
        data_url=data_url,
        data=_data(curves, spans, began, span, zone, lines, unit, name, injection, inline=not data_url),
    )


def _data(
    curves: Sequence[Curve],
    spans: Sequence[DaySpan],
    began: float,
    span: float,
    zone: ZoneInfo,
    lines: Sequence[LimitLine],
    unit: str,
    name: str,
    injection: bool,
    *,
    inline: bool,
) -> dict[str, Any]:
    data: dict[str, Any] = {
        "start": int(began),
        "end": int(began + span),
        "zone": zone.key,
        "unit": unit,
        "name": name,
        "language": formats.current_language(),
        "injection": injection,
        "limits": [
            {
                "value": line.limit.value,
                "label": line.text,
                "start": line.limit.start and int(line.limit.start.timestamp()),
                "end": line.limit.end and int(line.limit.end.timestamp()),
                "across": float(line.text_x[:-1]) / 100,
                "anchor": line.anchor,
                "under": line.under,
            }
            for line in lines
        ],
        "words": {
            "measured": _("mesuré"),
            "estimated": _("estimé"),
            "corrected": _("corrigé"),
            SUM: _("somme"),
            "none": _("aucune valeur"),
            "from": _("de"),
            "to": _("à"),
        },
    }
    if spans:
        data["days"] = [
            [
                int(span.start.timestamp()),
                int(span.end.timestamp()),
                round(span.low, 3),
                round(span.high, 3),
                round(span.energy, 1),
            ]
            for span in spans
        ]
    elif inline:
        data["segments"] = series_data(curves)
    return data
