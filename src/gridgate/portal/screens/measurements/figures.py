"""The large figures over a chart, each with the sentence that puts it in proportion."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.dataplane.query.aggregate import Comparison, Earlier, Period, Total, totals
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.exceedances import Exceedance
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.selection import summed, within


def comparison(answer: Answer, shown: Shown, zone: ZoneInfo, until: datetime) -> Comparison | None:
    """The period beside the one before, cut to the same number of days when it is not over."""
    period = shown.interval(zone)
    assert period.end is not None
    before = Earlier.BEFORE.interval(period.start, period.end, zone=zone)
    assert before.end is not None
    elapsed = civil_day_of(until - timedelta(seconds=1), zone) + timedelta(days=1) - shown.first
    first = before.start.astimezone(zone).date()
    stop = min(before.end, civil_day_bounds(first + elapsed, zone).start)
    if not elapsed or answer.start > before.start:
        return None
    pair = [
        summed(found)
        for start, end in ((period.start, until), (before.start, stop))
        if (
            found := totals(
                within(answer, start, end, zone),
                Period.YEAR,
                kind=shown.kind,
                start=start,
                end=end,
                zone=zone,
            )
        )
    ]
    return Comparison(pair[0], pair[1]) if len(pair) == 2 else None


def energy_figure(whole: Total, comparison: Comparison | None, shown: Shown) -> Figure:
    label = _("Énergie injectée") if shown.injection else _("Énergie soutirée")
    note = ""
    if comparison and comparison.change is not None and comparison.fair:
        before = {
            "jour": _("la veille"),
            "semaine": _("la semaine précédente"),
            "mois": _("le mois précédent"),
            "annee": _("l’année précédente"),
        }.get(shown.view, _("la période précédente"))
        percent = formats.change(comparison.change)
        if not percent:
            much = _("sans changement depuis %(before)s")
        elif comparison.change > 0:
            much = _("%(percent)s de plus que %(before)s")
        else:
            much = _("%(percent)s de moins que %(before)s")
        note = much % {"percent": percent, "before": before}
    energy = (whole.energy_wh or 0) / 1000
    return Figure(
        label, formats.number(energy, 0 if energy >= 10 else formats.decimals([energy])), "kWh", note
    )


def peak_figure(whole: Total, limit: float | None) -> Figure:
    assert whole.maximum is not None
    power, note, tone = whole.maximum.value / 1000, formats.moment(whole.maximum.at), ""
    if limit and power > limit:
        tone = "bad"
        over = (whole.maximum.value - limit * 1000) / 1000
        note = _("%(when)s, dépassement de %(power)s") % {
            "when": note,
            "power": formats.with_unit(over, "kW", formats.decimals([over])),
        }
    return Figure(
        _("Puissance maximale"),
        formats.number(power, formats.decimals([power]) if power < 100 else 0),
        "kW",
        note,
        tone,
    )


def over_figure(found: Sequence[Exceedance]) -> Figure:
    seconds = sum(one.length.total_seconds() for one in found)
    times = len(found)
    note = (
        ngettext("%(times)s\u00a0fois", "%(times)s\u00a0fois", times) % {"times": formats.number(times)}
        if times
        else _("aucun vu en kW")
    )
    return Figure(_("Durée du dépassement"), formats.duration(seconds) if seconds else "0", "", note)


def received(whole: Total, answer: Answer, shown: Shown) -> Figure:
    """How much of what was to come is there; what came and was set aside was received, and is not."""
    expected = whole.values + whole.missing
    ratio = whole.values / expected if expected else 0
    note = ngettext(
        "%(values)s\u00a0valeur sur %(expected)s", "%(values)s\u00a0valeurs sur %(expected)s", whole.values
    ) % {"values": formats.number(whole.values), "expected": formats.number(expected)}
    if whole.estimated:
        note += ngettext(
            ", dont %(count)s\u00a0estimée", ", dont %(count)s\u00a0estimées", whole.estimated
        ) % {"count": formats.number(whole.estimated)}
    if whole.corrected:
        note += ngettext(
            ", dont %(count)s\u00a0corrigée", ", dont %(count)s\u00a0corrigées", whole.corrected
        ) % {"count": formats.number(whole.corrected)}
    share = min(max(ratio, 0.001), 0.999) if 0 < ratio < 1 else ratio  # neither all nor nothing
    figure = formats.number(100 * share, 1 if 0 < ratio < 1 else 0)
    aside = any(shown.first <= one.day <= shown.last for one in answer.set_aside)
    label = _("Données retenues") if aside else _("Données reçues")
    return Figure(label, figure, "%", note, "" if ratio == 1 else "warn")


def register_figure(register: str, segments: Sequence[Segment], returns: Sequence[datetime]) -> Figure:
    """The last reading, and what the register moved within the company's own times: what it moved between two of them,
    up to one of `returns`, is another's.
    """
    first: dict[int, int | float] = {}
    last: dict[int, int | float] = {}
    for segment in segments:
        for value in segment.values if segment.register == register else ():
            if value is not None:
                time = bisect_right(returns, segment.start)
                first.setdefault(time, value)
                last[time] = value
    moved = sum(last[time] - first[time] for time in first)
    return Figure(
        register or _("Index total"),
        formats.number(last[max(last)] / 1000),
        "kWh",
        _("%(energy)s de plus qu’au premier relevé") % {"energy": formats.with_unit(moved / 1000, "kWh")},
    )


def above_note(times: int, shown: Shown) -> str:
    if not times:
        return _("jamais dépassée")
    if shown.rows is Period.MONTH:
        return ngettext("dépassée %(times)s\u00a0mois", "dépassée %(times)s\u00a0mois", times) % {
            "times": times
        }
    return ngettext("dépassée %(times)s\u00a0jour", "dépassée %(times)s\u00a0jours", times) % {"times": times}
