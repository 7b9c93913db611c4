"""The highest power of days or months, a bar for each, against what is subscribed."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.core.quantities import Kind
from gridgate.core.time import civil_day_of
from gridgate.dataplane.query.aggregate import Total
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import bars
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.exceedances import over_rows
from gridgate.portal.screens.measurements.figures import (
    above_note,
    received,
)
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.picture import Picture, rows_not_expected, totals_by_row
from gridgate.portal.screens.measurements.selection import summed
from gridgate.portal.screens.measurements.sentences import (
    from_to,
    labels,
    row_name,
)
from gridgate.portal.screens.measurements.subscribed_power import (
    Meter,
    exceedances,
    limits_drawn,
    said_powers,
)
from gridgate.portal.screens.measurements.table import total_rows


def draw_maximum_power(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    limits = () if shown.injection else meter.subscribed
    of_rows = totals_by_row(answer, current, shown, zone, until)
    values = [None if row.maximum is None else row.maximum.value / 1000 for row in of_rows]
    whole = summed(of_rows)
    episodes = exceedances(current, limits, zone, each=True)
    hot_days = {civil_day_of(one.maximum.at, zone) for one in episodes}
    hot = [
        index
        for index, row in enumerate(of_rows)
        if any(row.first <= day < shown.rows.after(row.first) for day in hot_days)
    ]
    drawn = Picture(Kind.MAXIMUM_POWER, count=whole.values)
    drawn.bars = bars(
        values,
        labels=labels(of_rows, shown),
        names=[row_name(row, shown) for row in of_rows],
        unit="kVA",
        absent=rows_not_expected(of_rows),
        hot=hot,
        levels=[
            (_place(limit.start, of_rows, zone), _place(limit.end, of_rows, zone), limit)
            for limit in limits_drawn(limits, whole)
        ],
        injection=shown.injection,
    )
    peak = max((row.maximum for row in of_rows if row.maximum), key=lambda found: found.value)
    limit = next((one.power for one in limits if one.start <= peak.at < one.end), None)
    drawn.over = over_rows(episodes, shown)
    drawn.figures = [
        Figure(
            _("Puissance maximale"),
            formats.number(peak.value / 1000, formats.decimals([peak.value / 1000])),
            "kVA",
            formats.moment(peak.at),
            "bad" if limit and peak.value > limit * 1000 else "",
        ),
        *(
            [
                Figure(
                    _("Puissance souscrite"),
                    said_powers(limits),
                    "kVA",
                    above_note(len(hot), shown),
                )
            ]
            if limits
            else []
        ),
        received(whole, answer, shown),
    ]
    drawn.caption = _("%(period)s\u00a0: au plus %(power)s, le %(when)s.") % {
        "period": from_to(shown, until, zone),
        "power": formats.with_unit(peak.value / 1000, "kVA", formats.decimals([peak.value / 1000])),
        "when": formats.moment(peak.at),
    }
    drawn.rows, drawn.foot = total_rows(of_rows, shown, whole)
    return drawn


def _place(at: datetime | None, rows: Sequence[Total], zone: ZoneInfo) -> float:
    """How far across the bars an instant lies, from 0 to 1."""
    if at is None:
        return 0.0
    for index, row in enumerate(rows):
        assert row.interval.end is not None
        if at < row.interval.end:
            into = (at - row.interval.start) / (row.interval.end - row.interval.start)
            return (index + max(0.0, into)) / len(rows)
    return 1.0
