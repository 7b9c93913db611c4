"""What the page says of a period: captions, names of rows, what is missing and why."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.core.time import civil_day_of
from gridgate.dataplane.query.aggregate import Period, Total
from gridgate.dataplane.query.answer import Missing
from gridgate.portal.kit import formats
from gridgate.portal.screens.measurements.period import Shown


def caption(whole: Total, period: str, limit: float | None) -> str:
    assert whole.maximum is not None
    power = whole.maximum.value / 1000
    sentence = _("%(period)s\u00a0: %(energy)s, au plus %(power)s le %(when)s") % {
        "period": period,
        "energy": energy_in_words(whole),
        "power": formats.with_unit(power, "kW", formats.decimals([power])),
        "when": formats.moment(whole.maximum.at),
    }
    if limit and power > limit:
        sentence += _(", au-dessus des %(power)s souscrits") % {"power": formats.with_unit(limit, "kVA")}
    return f"{sentence}."


def active_beside_apparent() -> str:
    """Why a curve in kW can be held against a power in kVA, and what that does not show."""
    return _(
        "La courbe est une puissance active (kW), la puissance souscrite une puissance apparente (kVA), qui n’est "
        "jamais plus petite\u00a0: tout dépassement montré ici en est un, d’autres peuvent ne pas s’y voir."
    )


def energy_in_words(whole: Total) -> str:
    energy = (whole.energy_wh or 0) / 1000
    return formats.with_unit(energy, "kWh", 0 if energy >= 10 else formats.decimals([energy]))


def from_to(shown: Shown, until: datetime, zone: ZoneInfo) -> str:
    """The days of which values are told: of a period that is not over, those up to `until`."""
    last = max(shown.first, min(shown.last, civil_day_of(until - timedelta(seconds=1), zone)))
    if shown.first == last:
        return _("Le %(day)s") % {"day": formats.long_day(last)}
    return _("Du %(first)s au %(last)s") % {
        "first": formats.long_day(shown.first),
        "last": formats.long_day(last),
    }


def gap_in_words(gap: Missing, zone: ZoneInfo) -> str:
    first, last = gap.start.astimezone(zone), gap.end.astimezone(zone)
    if first.date() == (last - timedelta(seconds=1)).date():
        when = _("%(day)s, de %(from)s à %(to)s") % {
            "day": formats.week_day(first),
            "from": formats.clock(gap.start),
            "to": "24:00" if last.date() != first.date() else formats.clock(gap.end),
        }
    else:
        when = _("du %(from)s au %(to)s") % {"from": formats.moment(gap.start), "to": formats.moment(gap.end)}
    return when[0].upper() + when[1:]


def labels(rows: Sequence[Total], shown: Shown) -> list[str]:
    if shown.rows is Period.MONTH:
        return [formats.month(row.first, short=True) for row in rows]
    if len(rows) <= 9:
        return [formats.day_in_week(row.first, short=True) for row in rows]
    return [
        formats.day_and_month(row.first, short=True) if index % 7 == 0 else ""
        for index, row in enumerate(rows)
    ]


def row_name(row: Total, shown: Shown) -> str:
    return formats.month(row.first) if shown.rows is Period.MONTH else formats.week_day(row.first)
