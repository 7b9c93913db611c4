"""The mean power of several meters together, step by step."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.time import Resolution, civil_day_of
from gridgate.dataplane.client import Sums
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.load_curve.chart import load_curve
from gridgate.portal.kit.charts.load_curve.series import SUM, Curve
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.several import Row, Together, energy_text

LONGEST_CURVE = 62
"""Days of which the power of all is drawn step by step."""
STEP = Resolution.PT30M


def power_together(sums: Sums, shown: Shown, count: int, *, zone: ZoneInfo, now: datetime) -> Together:
    """The mean power of all together, step by step."""
    values, points = sums.values[0], sums.points[0]
    known = [(value, at) for at, value in enumerate(values) if value is not None]
    if not known:
        return Together(empty=_("Aucune courbe de ces compteurs n’est venue pour ces jours."))
    period = shown.interval(zone)
    assert period.end is not None
    curve = load_curve(
        [_curve_of(sums)],
        start=period.start,
        end=period.end,
        zone=zone,
        until=min(period.end, now),
        name=_("Somme de compteurs"),
        injection=shown.injection,
    )
    most, at = max(known)
    least = min(value for value, _at in known)
    figures = [
        Figure(
            _("Puissance la plus haute"), formats.number(most / 1000, 1), "kW", formats.moment(sums.edges[at])
        ),
        Figure(_("Puissance la plus basse"), formats.number(least / 1000, 1), "kW"),
        Figure(_("Compteurs"), formats.number(count), "", _at_most(max(points), count)),
    ]
    fewer = sum(1 for of_step in points if 0 < of_step < max(points))
    note = ""
    if fewer:
        note = ngettext(
            "Un pas est la somme de moins de compteurs que les autres.",
            "%(count)s pas sont la somme de moins de compteurs que les autres.",
            fewer,
        ) % {"count": formats.number(fewer)}
    return Together(
        figures=figures,
        curve=curve,
        caption=_("Puissance moyenne de tous les compteurs choisis, par demi-heure, en kW."),
        note=note,
        rows=_days_of(sums, zone),
    )


def _at_most(told: int, count: int) -> str:
    """Of how many of them a step is, when none is of all."""
    if told == count:
        return ""
    return _("%(count)s au plus ont des valeurs en même temps") % {"count": formats.number(told)}


def _curve_of(sums: Sums) -> Curve:
    """From the first value to the last, with what lacks between them."""
    values = sums.values[0]
    known = [at for at, value in enumerate(values) if value is not None]
    low, high = known[0], known[-1] + 1
    words: list[tuple[str, int]] = []
    for value in values[low:high]:
        word = "missing" if value is None else SUM
        if words and words[-1][0] == word:
            words[-1] = word, words[-1][1] + 1
        else:
            words.append((word, 1))
    kilowatts = [None if value is None else value / 1000 for value in values[low:high]]
    return Curve(sums.edges[low], STEP.seconds, kilowatts, words)


def _days_of(sums: Sums, zone: ZoneInfo) -> list[Row]:
    """The energy of each day that the steps make, and how many meters it is of at most."""
    days: dict[date, list[tuple[float | None, int]]] = {}
    steps = zip(sums.edges, sums.values[0], sums.points[0], strict=False)
    for start, value, points in steps:
        days.setdefault(civil_day_of(start, zone), []).append((value, points))
    rows = []
    for day, of_day in days.items():
        known = [value for value, _points in of_day if value is not None]
        energy = sum(known) * STEP.seconds / 3600 / 1000 if known else None
        most = max(points for _value, points in of_day)
        rows.append(Row(formats.day_in_week(day), energy_text(energy), formats.number(most)))
    return rows
