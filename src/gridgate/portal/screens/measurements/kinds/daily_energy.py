"""The energy of days or months, a bar for each."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.core.quantities import Kind
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import bars
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.figures import (
    comparison,
    energy_figure,
    received,
)
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.picture import Picture, rows_not_expected, totals_by_row
from gridgate.portal.screens.measurements.selection import summed
from gridgate.portal.screens.measurements.sentences import (
    energy_in_words,
    from_to,
    labels,
    row_name,
)
from gridgate.portal.screens.measurements.subscribed_power import Meter
from gridgate.portal.screens.measurements.table import total_rows


def draw_daily_energy(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    of_rows = totals_by_row(answer, current, shown, zone, until)
    whole = summed(of_rows)
    drawn = Picture(Kind.DAILY_ENERGY, count=whole.values)
    drawn.bars = bars(
        [None if not row.values else (row.energy_wh or 0) / 1000 for row in of_rows],
        labels=labels(of_rows, shown),
        names=[row_name(row, shown) for row in of_rows],
        unit="kWh",
        absent=rows_not_expected(of_rows),
        injection=shown.injection,
    )
    best = max((row for row in of_rows if row.energy_wh), key=lambda row: row.energy_wh or 0, default=None)
    drawn.figures = [
        energy_figure(whole, comparison(answer, shown, zone, until), shown),
        *(
            [
                Figure(
                    _("Jour le plus fort") if shown.rows is Period.DAY else _("Mois le plus fort"),
                    formats.number((best.energy_wh or 0) / 1000),
                    "kWh",
                    row_name(best, shown),
                )
            ]
            if best
            else []
        ),
        received(whole, answer, shown),
    ]
    drawn.caption = _("%(period)s\u00a0: %(energy)s.") % {
        "period": from_to(shown, until, zone),
        "energy": energy_in_words(whole),
    }
    drawn.rows, drawn.foot = total_rows(of_rows, shown, whole)
    return drawn
