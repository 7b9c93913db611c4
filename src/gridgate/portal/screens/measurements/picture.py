"""What the page draws and says of the values read: figures, chart, caption, table, what is missing and who acts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution, civil_day_bounds, civil_day_of
from gridgate.dataplane.query.aggregate import Comparison, Earlier, Period, Total, totals
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.dataplane.query.heatmap import heat_map as hours_of
from gridgate.dataplane.query.threshold import Above, above
from gridgate.metering.models import MeteringPoint
from gridgate.portal import formats
from gridgate.portal.charts import Bars, Curve, HeatMap, Limit, LoadCurve, bars, heat_map, load_curve
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.table import Row, reading_rows, total_rows
from gridgate.portal.shapes import Figure

FETCHED_FROM = 6000
"""A chart with more values than this fetches them by script instead of carrying them in the page."""


VISIBLE_UNDER = 4
"""A limit so many times the highest value is left out of the drawing."""


class Reading(Protocol):
    def __call__(
        self, kind: Kind, shown: Shown, channel: str, *, since: date | None = None
    ) -> Answer | None: ...


@dataclass(slots=True)
class Picture:
    """Everything the template shows; `kind` chooses which of the charts there is."""

    kind: Kind
    figures: list[Figure] = field(default_factory=list)
    curve: LoadCurve | None = None
    bars: Bars | None = None
    caption: str = ""
    rows: list[Row] = field(default_factory=list)
    foot: Row | None = None
    gaps: list[str] = field(default_factory=list)
    heat: HeatMap | None = None
    heat_caption: str = ""
    empty: str = ""
    step: str = ""
    count: int = 0


def picture(read: Reading, shown: Shown, point: MeteringPoint, now: datetime) -> Picture:
    """Read what the page needs, at most twice, and draw it."""
    zone = ZoneInfo(settings.TIME_ZONE)
    period = shown.interval(zone)
    assert period.end is not None
    before = Earlier.BEFORE.interval(period.start, period.end, zone=zone)
    answer = read(
        shown.kind, shown, "screen", since=_compared_from(shown, before.start.astimezone(zone).date())
    )
    if answer is None:
        return Picture(shown.kind, empty=_("Ces jours ne font pas partie de votre titularité."))
    current = _within(answer, period.start, period.end, zone)
    if not any(current):
        return Picture(shown.kind, empty=_why_nothing(answer, shown, point, now))
    draw: dict[Kind, Callable[..., Picture]] = {
        Kind.LOAD_CURVE: _power,
        Kind.DAILY_ENERGY: _energy,
        Kind.MAXIMUM_POWER: _maximum,
        Kind.REGISTER_READING: _index,
    }
    until = _expected_until(current, period.end, zone, now)
    drawn = draw[shown.kind](answer, current, shown, point, zone, until)
    drawn.gaps = [_gap(missing, zone) for missing in _gaps(answer, period.start, until)]
    return drawn


def curves_of(answer: Answer) -> list[Curve]:
    """The segments in kW, as the chart takes them."""
    return [
        Curve(
            segment.start,
            segment.resolution.seconds,
            [None if value is None else value / 1000 for value in segment.values],
            segment.quality,
        )
        for segment in answer.segments
    ]


def _power(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    point: MeteringPoint,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    period = shown.interval(zone)
    assert period.end is not None
    limit = _limit(shown, point)
    whole = _whole(current, shown, zone, until)
    over = above(current, limit * 1000, zone=zone) if limit else None
    count = sum(len(segment) for segment in current)
    drawn = Picture(Kind.LOAD_CURVE, count=count, step=_step(current))
    drawn.curve = load_curve(
        curves_of(_with(answer, current)),
        start=period.start,
        end=period.end,
        zone=zone,
        limits=_limit_line(limit, whole),
        until=until,
        name=str(point),
        injection=shown.injection,
        data_url=f"serie.json{shown.query()}" if count > FETCHED_FROM else "",
    )
    drawn.figures = [
        _energy_figure(whole, _comparison(answer, shown, zone, until), shown),
        _peak_figure(whole, limit),
        *([_over_figure(over)] if over else []),
        _received(whole),
    ]
    drawn.caption = _caption(whole, shown, limit)
    drawn.rows, drawn.foot = total_rows(_by_row(current, shown, zone, until, Kind.LOAD_CURVE), shown, whole)
    if shown.days > 62:
        hours = hours_of(current, start=period.start, end=until, zone=zone)
        kilowatts = [[None if value is None else value / 1000 for value in day] for day in hours.values]
        drawn.heat = heat_map(hours.days, kilowatts, maximum=hours.top / 1000, injection=shown.injection)
        drawn.heat_caption = _("Du %(first)s au %(last)s, puissance moyenne de chaque heure.") % {
            "first": formats.long_day(hours.days[0]),
            "last": formats.long_day(hours.days[-1]),
        }
    return drawn


def _energy(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    point: MeteringPoint,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    period = shown.interval(zone)
    assert period.end is not None
    whole = totals(current, Period.YEAR, kind=Kind.DAILY_ENERGY, start=period.start, end=until, zone=zone)
    of_rows = _by_row(current, shown, zone, until, Kind.DAILY_ENERGY)
    summed = _sum(of_rows, whole)
    drawn = Picture(Kind.DAILY_ENERGY, count=summed.values)
    drawn.bars = bars(
        [None if not row.values else (row.energy_wh or 0) / 1000 for row in of_rows],
        labels=_labels(of_rows, shown),
        names=[_row_name(row, shown) for row in of_rows],
        unit="kWh",
        injection=shown.injection,
    )
    best = max((row for row in of_rows if row.energy_wh), key=lambda row: row.energy_wh or 0, default=None)
    drawn.figures = [
        _energy_figure(summed, _comparison(answer, shown, zone, until), shown),
        *(
            [
                Figure(
                    _("Jour le plus fort") if shown.rows is Period.DAY else _("Mois le plus fort"),
                    formats.number((best.energy_wh or 0) / 1000),
                    "kWh",
                    _row_name(best, shown),
                )
            ]
            if best
            else []
        ),
        _received(summed),
    ]
    drawn.caption = _("%(period)s\u00a0: %(energy)s.") % {
        "period": _from_to(shown),
        "energy": formats.with_unit((summed.energy_wh or 0) / 1000, "kWh"),
    }
    drawn.rows, drawn.foot = total_rows(of_rows, shown, summed)
    return drawn


def _maximum(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    point: MeteringPoint,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    period = shown.interval(zone)
    assert period.end is not None
    limit = _limit(shown, point)
    of_rows = _by_row(current, shown, zone, until, Kind.MAXIMUM_POWER)
    values = [None if row.maximum is None else row.maximum.value / 1000 for row in of_rows]
    whole = _sum(of_rows, of_rows)
    hot = [index for index, value in enumerate(values) if limit and value is not None and value > limit]
    drawn = Picture(Kind.MAXIMUM_POWER, count=whole.values)
    drawn.bars = bars(
        values,
        labels=_labels(of_rows, shown),
        names=[_row_name(row, shown) for row in of_rows],
        unit="kVA",
        hot=hot,
        injection=shown.injection,
    )
    peak = max((row.maximum for row in of_rows if row.maximum), key=lambda found: found.value)
    drawn.figures = [
        Figure(
            _("Puissance maximale"),
            formats.number(peak.value / 1000, 1),
            "kVA",
            formats.moment(peak.at),
            "bad" if limit and peak.value > limit * 1000 else "",
        ),
        *(
            [Figure(_("Puissance souscrite"), formats.number(limit), "kVA", _above_note(len(hot), shown))]
            if limit
            else []
        ),
        _received(whole),
    ]
    drawn.caption = _("%(period)s\u00a0: au plus %(power)s, le %(when)s.") % {
        "period": _from_to(shown),
        "power": formats.with_unit(peak.value / 1000, "kVA", 1),
        "when": formats.moment(peak.at),
    }
    drawn.rows, drawn.foot = total_rows(of_rows, shown, whole)
    return drawn


def _index(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    point: MeteringPoint,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    drawn = Picture(Kind.REGISTER_READING, count=sum(len(segment) for segment in current))
    drawn.rows = reading_rows(current, zone)
    registers = sorted({segment.register for segment in current})
    drawn.figures = [_register_figure(register, current) for register in registers][:4]
    drawn.caption = _("%(period)s\u00a0: %(count)s relevés.") % {
        "period": _from_to(shown),
        "count": formats.number(drawn.count),
    }
    return drawn


def _compared_from(shown: Shown, before: date) -> date | None:
    """From where to read so that one read serves the period and the one it is compared with."""
    compares = shown.kind in (Kind.LOAD_CURVE, Kind.DAILY_ENERGY) and shown.days <= 62
    return before if compares or (shown.kind is Kind.DAILY_ENERGY and shown.days <= 366) else None


def _comparison(answer: Answer, shown: Shown, zone: ZoneInfo, until: datetime) -> Comparison | None:
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
        _sum(found, found)
        for start, end in ((period.start, until), (before.start, stop))
        if (
            found := totals(
                _within(answer, start, end, zone),
                Period.YEAR,
                kind=shown.kind,
                start=start,
                end=end,
                zone=zone,
            )
        )
    ]
    return Comparison(pair[0], pair[1]) if len(pair) == 2 else None


def _energy_figure(whole: Total, comparison: Comparison | None, shown: Shown) -> Figure:
    label = _("Énergie injectée") if shown.injection else _("Énergie soutirée")
    note = ""
    if comparison and comparison.change is not None and comparison.fair:
        percent = formats.percent(abs(comparison.change), 1)
        before = {
            "jour": _("que la veille"),
            "semaine": _("que les sept jours précédents"),
            "mois": _("que le mois précédent"),
            "annee": _("que l’année précédente"),
        }.get(shown.view, _("que la période précédente"))
        much = (
            _("%(percent)s de plus %(before)s")
            if comparison.change > 0
            else _("%(percent)s de moins %(before)s")
        )
        note = much % {"percent": percent, "before": before}
    return Figure(label, formats.number((whole.energy_wh or 0) / 1000), "kWh", note)


def _peak_figure(whole: Total, limit: float | None) -> Figure:
    assert whole.maximum is not None
    power, note, tone = whole.maximum.value / 1000, formats.moment(whole.maximum.at), ""
    if limit and power > limit:
        tone = "bad"
        note = _("%(when)s, dépassement de %(power)s") % {
            "when": note,
            "power": formats.with_unit(power - limit, "kW", 1),
        }
    return Figure(_("Puissance maximale"), formats.number(power, 1 if power < 100 else 0), "kW", note, tone)


def _over_figure(over: Above) -> Figure:
    seconds = over.duration.total_seconds()
    times = len(over.episodes)
    note = (
        ngettext("%(times)s fois", "%(times)s fois", times) % {"times": formats.number(times)}
        if times
        else _("jamais")
    )
    return Figure(_("Durée du dépassement"), formats.duration(seconds) if seconds else "0", "", note)


def _received(whole: Total) -> Figure:
    expected = whole.values + whole.missing
    ratio = whole.values / expected if expected else 0
    note = _("%(values)s valeurs sur %(expected)s") % {
        "values": formats.number(whole.values),
        "expected": formats.number(expected),
    }
    if whole.estimated:
        note += _(", dont %(count)s estimées") % {"count": formats.number(whole.estimated)}
    if whole.corrected:
        note += _(", dont %(count)s corrigées") % {"count": formats.number(whole.corrected)}
    figure = formats.percent(ratio, 1 if 0 < ratio < 1 else 0)
    value, unit = figure.rsplit(figure[-2], 1) if not figure[-2].isdigit() else (figure[:-1], "%")
    return Figure(_("Données reçues"), value, unit, note, "" if ratio == 1 else "warn")


def _register_figure(register: str, segments: Sequence[Segment]) -> Figure:
    values = [
        value
        for segment in segments
        if segment.register == register
        for value in segment.values
        if value is not None
    ]
    return Figure(
        register or _("Index total"),
        formats.number(values[-1] / 1000),
        "kWh",
        _("%(energy)s de plus qu’au premier relevé")
        % {"energy": formats.with_unit((values[-1] - values[0]) / 1000, "kWh")},
    )


def _caption(whole: Total, shown: Shown, limit: float | None) -> str:
    assert whole.maximum is not None
    power = whole.maximum.value / 1000
    sentence = _("%(period)s\u00a0: %(energy)s, au plus %(power)s le %(when)s") % {
        "period": _from_to(shown),
        "energy": formats.with_unit((whole.energy_wh or 0) / 1000, "kWh"),
        "power": formats.with_unit(power, "kW", 1),
        "when": formats.moment(whole.maximum.at),
    }
    if limit and power > limit:
        sentence += _(", au-dessus des %(power)s souscrits") % {"power": formats.with_unit(limit, "kVA")}
    return f"{sentence}."


def _from_to(shown: Shown) -> str:
    if shown.days == 1:
        return _("Le %(day)s") % {"day": formats.long_day(shown.first)}
    return _("Du %(first)s au %(last)s") % {
        "first": formats.long_day(shown.first),
        "last": formats.long_day(shown.last),
    }


def _expected_until(segments: Sequence[Segment], end: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Values of a day come the morning after: nothing is missing from today on, beyond what already came."""
    today = civil_day_bounds(civil_day_of(now, zone), zone).start
    return min(end, max(today, *(segment.end(zone) for segment in segments)))


def _gaps(answer: Answer, start: datetime, end: datetime) -> list[Missing]:
    """What was expected within the period and was not received; five at most, the longest."""
    inside = [
        gap for gap in answer.missing if gap.reason == "not_received" and gap.start < end and gap.end > start
    ]
    cut = [Missing(max(gap.start, start), min(gap.end, end), gap.reason) for gap in inside]
    return sorted(sorted(cut, key=lambda gap: gap.start - gap.end)[:5], key=lambda gap: gap.start)


def _gap(gap: Missing, zone: ZoneInfo) -> str:
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


def _why_nothing(answer: Answer, shown: Shown, point: MeteringPoint, now: datetime) -> str:
    reasons = {missing.reason for missing in answer.missing}
    if reasons == {"future"}:
        return _("Ces jours sont à venir.")
    if "collection_inactive" in reasons:
        return _(
            "La courbe de charge de ce compteur n’est pas collectée. Activez la collecte pour les jours à venir."
        )
    if "before_activation" in reasons:
        return _("Le point n’était pas encore en service.")
    return _("Aucune valeur n’a été reçue pour ces jours.")


def _limit(shown: Shown, point: MeteringPoint) -> float | None:
    if shown.injection or point.subscribed_power_kva is None:
        return None
    return float(point.subscribed_power_kva)


def _limit_line(limit: float | None, whole: Total) -> list[Limit]:
    """The subscribed power, unless the curve would shrink to a thread under it: the figures still tell it."""
    if not limit or whole.maximum is None or limit * 1000 > whole.maximum.value * VISIBLE_UNDER:
        return []
    return [Limit(limit, label=_("Souscrite %(power)s") % {"power": formats.with_unit(limit, "kVA")})]


def _step(segments: Sequence[Segment]) -> str:
    steps = sorted({segment.resolution for segment in segments}, key=lambda step: step.seconds)
    minutes = [str(step.seconds // 60) for step in steps if step is not Resolution.P1D]
    return _(" et ").join(minutes)


def _by_row(
    segments: list[Segment], shown: Shown, zone: ZoneInfo, until: datetime, kind: Kind
) -> list[Total]:
    period = shown.interval(zone)
    return totals(segments, shown.rows, kind=kind, start=period.start, end=until, zone=zone)


def _whole(segments: list[Segment], shown: Shown, zone: ZoneInfo, until: datetime) -> Total:
    rows = _by_row(segments, shown, zone, until, Kind.LOAD_CURVE)
    return _sum(rows, rows)


def _sum(rows: Sequence[Total], whole: Sequence[Total]) -> Total:
    """The rows as one total: a custom period is no civil one."""
    first, last = rows[0], rows[-1]
    highs = [row.maximum for row in rows if row.maximum]
    lows = [row.minimum for row in rows if row.minimum]
    energies = [row.energy_wh for row in rows if row.energy_wh is not None]
    return Total(
        first=first.first,
        interval=type(first.interval)(first.interval.start, last.interval.end),
        energy_wh=sum(energies) if energies else None,
        values=sum(row.values for row in rows),
        missing=sum(row.missing for row in rows),
        estimated=sum(row.estimated for row in rows),
        corrected=sum(row.corrected for row in rows),
        maximum=max(highs, key=lambda found: found.value, default=None),
        minimum=min(lows, key=lambda found: found.value, default=None),
    )


def _within(answer: Answer, start: datetime, end: datetime, zone: ZoneInfo) -> list[Segment]:
    """The part of the segments that lies in the period; both bounds are civil midnights or later than all values."""
    kept = []
    for segment in answer.segments:
        starts = [segment.step_start(index, zone) for index in (0, len(segment))]
        if starts[1] <= start or starts[0] >= end:
            continue
        if starts[0] >= start and starts[1] <= end:
            kept.append(segment)
            continue
        kept.extend(_cut(segment, start, end, zone))
    return kept


def _cut(segment: Segment, start: datetime, end: datetime, zone: ZoneInfo) -> list[Segment]:
    edges = [segment.step_start(index, zone) for index in range(len(segment) + 1)]
    inside = [
        index for index, (at, following) in enumerate(pairwise(edges)) if at >= start and following <= end
    ]
    if not inside:
        return []
    low, high = inside[0], inside[-1] + 1
    words = segment.qualities()[low:high]
    runs: list[tuple[str, int]] = []
    for word in words:
        if runs and runs[-1][0] == word:
            runs[-1] = (word, runs[-1][1] + 1)
        else:
            runs.append((word, 1))
    return [
        Segment(
            edges[low],
            segment.resolution,
            segment.values[low:high],
            runs,
            segment.offsets[low:high] if segment.offsets else None,
            segment.register,
        )
    ]


def _with(answer: Answer, segments: list[Segment]) -> Answer:
    return Answer(
        answer.metering_point,
        answer.kind,
        answer.direction,
        answer.unit,
        answer.start,
        answer.end,
        segments,
        answer.requested,
    )


def _labels(rows: Sequence[Total], shown: Shown) -> list[str]:
    if shown.rows is Period.MONTH:
        return [formats.month(row.first, short=True) for row in rows]
    if len(rows) <= 9:
        return [formats.day_in_week(row.first, short=True) for row in rows]
    return [
        formats.day_and_month(row.first, short=True) if index % 7 == 0 else ""
        for index, row in enumerate(rows)
    ]


def _row_name(row: Total, shown: Shown) -> str:
    return formats.month(row.first) if shown.rows is Period.MONTH else formats.week_day(row.first)


def _above_note(times: int, shown: Shown) -> str:
    if not times:
        return _("jamais dépassée")
    if shown.rows is Period.MONTH:
        return ngettext("dépassée %(times)s mois", "dépassée %(times)s mois", times) % {"times": times}
    return ngettext("dépassée %(times)s jour", "dépassée %(times)s jours", times) % {"times": times}


__all__ = ["Picture", "Reading", "curves_of", "picture"]
