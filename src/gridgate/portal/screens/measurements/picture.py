"""What the page draws and says of the values read: figures, chart, caption, table, what is missing and who acts."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from gridgate.core.quantities import Kind
from gridgate.core.time import Resolution, civil_day_bounds, civil_day_of
from gridgate.dataplane.query.aggregate import Earlier, Period, Total, totals
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.dataplane.query.heatmap import heat_map as hours_of
from gridgate.dataplane.query.threshold import above
from gridgate.portal import formats
from gridgate.portal.charts import Bars, Curve, HeatMap, Limit, LoadCurve, bars, heat_map, load_curve
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
from gridgate.portal.screens.measurements.selection import summed, with_segments, within
from gridgate.portal.screens.measurements.sentences import (
    caption,
    from_to,
    gap_in_words,
    gaps,
    labels,
    row_name,
    why_nothing,
)
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
    note: str = ""
    heat: HeatMap | None = None
    heat_caption: str = ""
    empty: str = ""
    step: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Meter:
    """What is measured: its name, and the power subscribed in kVA, when one held through all the days shown."""

    name: str
    subscribed: float | None
    changed: bool
    """It did not: no excess is told, for what was subscribed then is not one power."""

    @classmethod
    def of(cls, name: str, powers: Collection[Decimal | None]) -> "Meter":
        known = [power for power in powers if power is not None]
        one = float(known[0]) if len(known) == len(powers) == 1 else None
        return cls(name, one, changed=len(powers) > 1)


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
        return Picture(shown.kind, empty=why_nothing(answer))
    draw: dict[Kind, Callable[..., Picture]] = {
        Kind.LOAD_CURVE: _power,
        Kind.DAILY_ENERGY: _energy,
        Kind.MAXIMUM_POWER: _maximum,
        Kind.REGISTER_READING: _index,
    }
    until = _expected_until(current, period.end, zone, now)
    drawn = draw[shown.kind](answer, current, shown, meter, zone, until)
    if meter.changed and not shown.injection and shown.kind in (Kind.LOAD_CURVE, Kind.MAXIMUM_POWER):
        drawn.note = _(
            "La puissance souscrite a changé pendant ces jours, ou n’est pas connue pour chacun\u00a0: les "
            "dépassements ne sont pas indiqués. Choisissez des jours où elle est la même."
        )
    drawn.gaps = [gap_in_words(missing, zone) for missing in gaps(answer, period.start, until)]
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
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    period = shown.interval(zone)
    assert period.end is not None
    limit = _limit(shown, meter)
    whole = _whole(current, shown, zone, until)
    over = above(current, limit * 1000, zone=zone) if limit else None
    count = sum(len(segment) for segment in current)
    drawn = Picture(Kind.LOAD_CURVE, count=count, step=_step(current))
    drawn.curve = load_curve(
        curves_of(with_segments(answer, current)),
        start=period.start,
        end=period.end,
        zone=zone,
        limits=_limit_line(limit, whole),
        until=until,
        name=meter.name,
        injection=shown.injection,
        data_url=f"serie.json{shown.query()}" if count > FETCHED_FROM else "",
    )
    drawn.figures = [
        energy_figure(whole, comparison(answer, shown, zone, until), shown),
        peak_figure(whole, limit),
        *([over_figure(over)] if over else []),
        received(whole),
    ]
    drawn.caption = caption(whole, from_to(shown, until, zone), limit)
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
    meter: Meter,
    zone: ZoneInfo,
    until: datetime,
) -> Picture:
    of_rows = _by_row(current, shown, zone, until, Kind.DAILY_ENERGY)
    whole = summed(of_rows)
    drawn = Picture(Kind.DAILY_ENERGY, count=whole.values)
    drawn.bars = bars(
        [None if not row.values else (row.energy_wh or 0) / 1000 for row in of_rows],
        labels=labels(of_rows, shown),
        names=[row_name(row, shown) for row in of_rows],
        unit="kWh",
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
        received(whole),
    ]
    drawn.caption = _("%(period)s\u00a0: %(energy)s.") % {
        "period": from_to(shown, until, zone),
        "energy": formats.with_unit((whole.energy_wh or 0) / 1000, "kWh"),
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
    limit = _limit(shown, meter)
    of_rows = _by_row(current, shown, zone, until, Kind.MAXIMUM_POWER)
    values = [None if row.maximum is None else row.maximum.value / 1000 for row in of_rows]
    whole = summed(of_rows)
    hot = [index for index, value in enumerate(values) if limit and value is not None and value > limit]
    drawn = Picture(Kind.MAXIMUM_POWER, count=whole.values)
    drawn.bars = bars(
        values,
        labels=labels(of_rows, shown),
        names=[row_name(row, shown) for row in of_rows],
        unit="kVA",
        hot=hot,
        limit=next(iter(_limit_line(limit, whole)), None),
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
            [Figure(_("Puissance souscrite"), formats.number(limit), "kVA", above_note(len(hot), shown))]
            if limit
            else []
        ),
        received(whole),
    ]
    drawn.caption = _("%(period)s\u00a0: au plus %(power)s, le %(when)s.") % {
        "period": from_to(shown, until, zone),
        "power": formats.with_unit(peak.value / 1000, "kVA", 1),
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
    drawn.rows = reading_rows(current, zone)
    registers = sorted({segment.register for segment in current})
    drawn.figures = [register_figure(register, current) for register in registers][:4]
    drawn.caption = _("%(period)s\u00a0: %(count)s relevés.") % {
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
    today = civil_day_bounds(civil_day_of(now, zone), zone).start
    return min(end, max(today, *(segment.end(zone) for segment in segments)))


def _limit(shown: Shown, meter: Meter) -> float | None:
    return None if shown.injection else meter.subscribed


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
    return summed(rows)


__all__ = ["Picture", "Reading", "curves_of", "picture"]
