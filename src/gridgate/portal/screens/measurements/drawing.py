"""What the page draws and says of the values read: figures, chart, caption, table, what is missing and who acts."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from gridgate.core.quantities import Kind
from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.dataplane.query.aggregate import Earlier
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.portal.screens.measurements.absences import (
    absences,
    told_by_day,
    why_nothing,
)
from gridgate.portal.screens.measurements.kinds.daily_energy import draw_daily_energy
from gridgate.portal.screens.measurements.kinds.load_curve import draw_load_curve
from gridgate.portal.screens.measurements.kinds.maximum_power import draw_maximum_power
from gridgate.portal.screens.measurements.kinds.register_readings import draw_register_readings
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.picture import Picture
from gridgate.portal.screens.measurements.selection import within
from gridgate.portal.screens.measurements.subscribed_power import Meter, unknown_power


class Reading(Protocol):
    def __call__(
        self, kind: Kind, shown: Shown, channel: str, *, since: date | None = None
    ) -> Answer | None: ...


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
        Kind.LOAD_CURVE: draw_load_curve,
        Kind.DAILY_ENERGY: draw_daily_energy,
        Kind.MAXIMUM_POWER: draw_maximum_power,
        Kind.REGISTER_READING: draw_register_readings,
    }
    until = _expected_until(current, period.end, zone, now)
    drawn = draw[shown.kind](answer, current, shown, meter, zone, until)
    if meter.unknown and not shown.injection and shown.kind in (Kind.LOAD_CURVE, Kind.MAXIMUM_POWER):
        drawn.note = unknown_power(meter, current, period.start, zone)
    drawn.absences = absences(answer, period.start, period.end, until, zone)
    return drawn


def _nothing(answer: Answer, start: datetime, end: datetime, *, held: bool) -> str:
    """Why nothing is drawn; who no longer holds the point is not told that collection can be asked for."""
    reasons = {gap.reason for gap in answer.missing if gap.start < end and start < gap.end}
    if not held and "collection_inactive" in reasons and not told_by_day(answer, start, end):
        return _("Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours.")
    return why_nothing(answer, start, end)


def _compared_from(shown: Shown, before: date) -> date | None:
    """From where to read so that one read serves the period and the one it is compared with."""
    compares = shown.kind in (Kind.LOAD_CURVE, Kind.DAILY_ENERGY) and shown.days <= 62
    return before if compares or (shown.kind is Kind.DAILY_ENERGY and shown.days <= 366) else None


def _expected_until(segments: Sequence[Segment], end: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """Values of a day come the morning after: nothing is missing from today on, beyond what already came."""
    return min(end, max(_today(zone, now), *(segment.end(zone) for segment in segments)))


def _today(zone: ZoneInfo, now: datetime) -> datetime:
    return civil_day_bounds(civil_day_of(now, zone), zone).start
