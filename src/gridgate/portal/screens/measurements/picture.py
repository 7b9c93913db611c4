"""What the page draws and says of the values read: figures, chart, caption, table, what is missing and who acts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution, civil_day_bounds, civil_day_of, days_between
from gridgate.dataplane.query.aggregate import Earlier, Period, Total, totals
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.dataplane.query.heatmap import heat_map as hours_of
from gridgate.dataplane.query.threshold import above
from gridgate.metering.queries.titles import HeldTime
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import Bars, bars
from gridgate.portal.kit.charts.heat_map import HeatMap, heat_map
from gridgate.portal.kit.charts.limits import Limit
from gridgate.portal.kit.charts.load_curve.chart import LoadCurve, load_curve
from gridgate.portal.kit.charts.load_curve.series import Curve, DaySpan
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.absences import (
    Absence,
    absences,
    not_expected,
    only_expected,
    told_by_day,
    why_nothing,
)
from gridgate.portal.screens.measurements.exceedances import Exceedance, Over, over_rows
from gridgate.portal.screens.measurements.figures import (
    above_note,
    comparison,
    energy_figure,
    over_figure,
    peak_figure,
    received,
    register_figure,
)
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.selection import cut, summed, within
from gridgate.portal.screens.measurements.sentences import (
    active_beside_apparent,
    caption,
    energy_in_words,
    from_to,
    labels,
    row_name,
)
from gridgate.portal.screens.measurements.table import Row, reading_rows, total_rows

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
    over: Over | None = None
    figures: list[Figure] = field(default_factory=list)
    curve: LoadCurve | None = None
    bars: Bars | None = None
    caption: str = ""
    rows: list[Row] = field(default_factory=list)
    foot: Row | None = None
    absences: list[Absence] = field(default_factory=list)
    note: str = ""
    heat: HeatMap | None = None
    heat_caption: str = ""
    empty: str = ""
    step: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The power in kVA subscribed from `start` up to, not including, `end`."""

    power: float
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Meter:
    """What is measured: its name, and the powers subscribed in the days shown, in the order of time."""

    name: str
    subscribed: tuple[Subscribed, ...] = ()
    unknown: bool = False
    """For some of its own days nobody knows here what was subscribed."""
    known_from: date | None = None
    """The day from which it is known, when all these days are before it."""
    held: bool = True
    """Whether it is the company's today: of another nothing can be asked for."""

    @classmethod
    def of(
        cls, name: str, times: Sequence[HeldTime], shown: Shown, zone: ZoneInfo, *, today: date
    ) -> "Meter":
        found: list[Subscribed] = []
        unknown: date | None = None
        for time in times:
            first = max(time.first, shown.first)
            after = min(time.after or shown.after, shown.after)
            if first >= after:
                continue
            if time.subscribed_power_kva is None:
                unknown = first
                continue
            power = float(time.subscribed_power_kva)
            start, end = (civil_day_bounds(day, zone).start for day in (first, after))
            if found and found[-1].power == power and found[-1].end == start:
                start = found.pop().start
            found.append(Subscribed(power, start, end))
        known = next((time.first for time in times if time.subscribed_power_kva is not None), None)
        if unknown is None or (known is not None and known <= unknown):
            known = None
        held = any(time.first <= today and (time.after is None or today < time.after) for time in times)
        return cls(name, tuple(found), unknown is not None, known, held)

    def at(self, instant: datetime) -> float | None:
        """The power in force at an instant."""
        return next((one.power for one in self.subscribed if one.start <= instant < one.end), None)


def picture(read: Reading, shown: Shown, meter: Meter, now: datetime) -> Picture:
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
    current = within(answer, period.start, period.end, zone)
    if not any(current):
        days = period.start, period.end
        until = min(period.end, _today(zone, now))
        told = absences(answer, *days, until, zone) if told_by_day(answer, *days) else []
        return Picture(shown.kind, empty=_nothing(answer, *days, held=meter.held), absences=told)
    draw: dict[Kind, Callable[..., Picture]] = {
        Kind.LOAD_CURVE: _power,
        Kind.DAILY_ENERGY: _energy,
        Kind.MAXIMUM_POWER: _maximum,
        Kind.REGISTER_READING: _index,
    }
    until = _expected_until(current, period.end, zone, now)
    drawn = draw[shown.kind](answer, current, shown, meter, zone, until)
    if meter.unknown and not shown.injection and shown.kind in (Kind.LOAD_CURVE, Kind.MAXIMUM_POWER):
        drawn.note = _unknown_power(meter, current, period.start, zone)
    drawn.absences = absences(answer, period.start, period.end, until, zone)
    return drawn


def _nothing(answer: Answer, start: datetime, end: datetime, *, held: bool) -> str:
    """Why nothing is drawn; who no longer holds the point is not told that collection can be asked for."""
    reasons = {gap.reason for gap in answer.missing if gap.start < end and start < gap.end}
    if not held and "collection_inactive" in reasons and not told_by_day(answer, start, end):
        return _("Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours.")
    return why_nothing(answer, start, end)


def _unknown_power(meter: Meter, current: Sequence[Segment], start: datetime, zone: ZoneInfo) -> str:
    """What is said of the days whose subscribed power nobody knows here; empty where they have no value to compare."""
    if meter.known_from is not None:
        begins = civil_day_bounds(meter.known_from, zone).start
        before = cut(current, start, begins, zone)
        if not any(value is not None for segment in before for value in segment.values):
            return ""
        return _(
            "La puissance souscrite n’est connue qu’à partir du %(day)s\u00a0: avant, aucun dépassement n’est cherché."
        ) % {"day": formats.long_day(meter.known_from)}
    if meter.subscribed:
        return _(
            "La puissance souscrite n’est pas connue de tous ces jours\u00a0: les dépassements sont ceux des seuls "
            "jours où elle l’est."
        )
    return _("La puissance souscrite de ces jours n’est pas connue\u00a0: aucun dépassement n’est cherché.")


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


def exceedances(
    segments: Sequence[Segment], limits: Sequence[Subscribed], zone: ZoneInfo, *, each: bool = False
) -> list[Exceedance]:
    """Each time the subscribed power of its moment was exceeded, in the order of time; `each` value by itself when
    they are the maxima of days.
    """
    return [
        Exceedance(episode, one.power)
        for one in limits
        for episode in above(
            cut(segments, one.start, one.end, zone), one.power * 1000, zone=zone, each=each
        ).episodes
    ]


def _power(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    period = shown.interval(zone)
    assert period.end is not None
    of_rows = _by_row(answer, current, shown, zone, until)
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
        limits=_limit_lines(limits, whole),
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
            for one in not_expected(answer)
            for day in days_between(one.start, one.end or period.end, zone)
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


def _energy(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    of_rows = _by_row(answer, current, shown, zone, until)
    whole = summed(of_rows)
    drawn = Picture(Kind.DAILY_ENERGY, count=whole.values)
    drawn.bars = bars(
        [None if not row.values else (row.energy_wh or 0) / 1000 for row in of_rows],
        labels=labels(of_rows, shown),
        names=[row_name(row, shown) for row in of_rows],
        unit="kWh",
        absent=_not_expected(of_rows),
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


def _maximum(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    limits = () if shown.injection else meter.subscribed
    of_rows = _by_row(answer, current, shown, zone, until)
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
        absent=_not_expected(of_rows),
        hot=hot,
        levels=[
            (_place(limit.start, of_rows, zone), _place(limit.end, of_rows, zone), limit)
            for limit in _limit_lines(limits, whole)
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


def _index(
    answer: Answer,
    current: list[Segment],
    shown: Shown,
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    drawn = Picture(Kind.REGISTER_READING, count=sum(len(segment) for segment in current))
    returns = [gap.end for gap in answer.missing if gap.reason == "between_titles"]
    drawn.rows = reading_rows(current, returns, zone)
    registers = sorted({segment.register for segment in current})
    drawn.figures = [register_figure(register, current, returns) for register in registers][:4]
    drawn.caption = ngettext(
        "%(period)s\u00a0: %(count)s\u00a0relevé.", "%(period)s\u00a0: %(count)s\u00a0relevés.", drawn.count
    ) % {
        "period": from_to(shown, until, zone),
        "count": formats.number(drawn.count),
    }
    return drawn


def _compared_from(shown: Shown, before: date) -> date | None:
    """From where to read so that one read serves the period and the one it is compared with."""
    compares = shown.kind in (Kind.LOAD_CURVE, Kind.DAILY_ENERGY) and shown.days <= 62
    return before if compares or (shown.kind is Kind.DAILY_ENERGY and shown.days <= 366) else None


def _expected_until(segments: Sequence[Segment], end: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Values of a day come the morning after: nothing is missing from today on, beyond what already came."""
    return min(end, max(_today(zone, now), *(segment.end(zone) for segment in segments)))


def _today(zone: ZoneInfo, now: datetime) -> datetime:
    return civil_day_bounds(civil_day_of(now, zone), zone).start


def _not_expected(rows: Sequence[Total]) -> list[int]:
    """The rows of which there is nothing and nothing is missing."""
    return [index for index, row in enumerate(rows) if not row.values and not row.missing]


def _limit_lines(limits: Sequence[Subscribed], whole: Total) -> list[Limit]:
    """The subscribed powers, a step where they change, unless the curve would shrink to a thread under them: the
    figures still tell them.
    """
    highest = 0 if whole.maximum is None else whole.maximum.value * VISIBLE_UNDER
    return [
        Limit(
            one.power,
            one.start,
            one.end,
            _("Souscrite %(power)s") % {"power": formats.with_unit(one.power, "kVA", _decimals(one.power))},
        )
        for one in limits
        if one.power * 1000 <= highest
    ]


def _decimals(power: float) -> int:
    return 1 if power % 1 else 0


def said_powers(limits: Sequence[Subscribed]) -> str:
    """One, or one after another when it changed."""
    powers = [formats.number(one.power, _decimals(one.power)) for one in limits]
    return _(" puis ").join(dict.fromkeys(powers))


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


def _step(segments: Sequence[Segment]) -> str:
    steps = sorted({segment.resolution for segment in segments}, key=lambda step: step.seconds)
    minutes = [str(step.seconds // 60) for step in steps if step is not Resolution.P1D]
    return _(" et ").join(minutes)


def _by_row(
    answer: Answer, segments: list[Segment], shown: Shown, zone: ZoneInfo, until: datetime
) -> list[Total]:
    period = shown.interval(zone)
    rows = totals(segments, shown.rows, kind=shown.kind, start=period.start, end=until, zone=zone)
    return only_expected(rows, not_expected(answer), segments, shown.kind, zone)


__all__ = ["Picture", "Reading", "curves_of", "picture"]
