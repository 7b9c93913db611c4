"""The powers subscribed for a meter in the days shown, and when they were exceeded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.query.aggregate import Total
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.threshold import above
from gridgate.metering.queries.titles import HeldTime
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.limits import Limit
from gridgate.portal.screens.measurements.exceedances import Exceedance
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.selection import cut

VISIBLE_UNDER = 4
"""A limit so many times the highest value is left out of the drawing."""


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
        subscribed: list[Subscribed] = []
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
            if subscribed and subscribed[-1].power == power and subscribed[-1].end == start:
                start = subscribed.pop().start
            subscribed.append(Subscribed(power, start, end))
        known = next((time.first for time in times if time.subscribed_power_kva is not None), None)
        if unknown is None or (known is not None and known <= unknown):
            known = None
        held = any(time.first <= today and (time.after is None or today < time.after) for time in times)
        return cls(name, tuple(subscribed), unknown is not None, known, held)

    def at(self, instant: datetime) -> float | None:
        """The power in force at an instant."""
        return next((one.power for one in self.subscribed if one.start <= instant < one.end), None)


def unknown_power(meter: Meter, current: Sequence[Segment], start: datetime, zone: ZoneInfo) -> str:
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


def exceedances(
    segments: Sequence[Segment], limits: Sequence[Subscribed], zone: ZoneInfo, *, each: bool = False
) -> list[Exceedance]:
    """Each time the subscribed power of its moment was exceeded, in the order of time; `each` value by itself when
    they are the maxima of days.
    """
    return [
        Exceedance(episode, limit.power)
        for limit in limits
        for episode in above(
            cut(segments, limit.start, limit.end, zone), limit.power * 1000, zone=zone, each=each
        ).episodes
    ]


def limits_drawn(limits: Sequence[Subscribed], whole: Total) -> list[Limit]:
    """The subscribed powers, a step where they change, unless the curve would shrink to a thread under them: the
    figures still tell them.
    """
    highest = 0 if whole.maximum is None else whole.maximum.value * VISIBLE_UNDER
    return [
        Limit(
            limit.power,
            limit.start,
            limit.end,
            _("Souscrite %(power)s")
            % {"power": formats.with_unit(limit.power, "kVA", decimals_of_power(limit.power))},
        )
        for limit in limits
        if limit.power * 1000 <= highest
    ]


def decimals_of_power(power: float) -> int:
    return 1 if power % 1 else 0


def said_powers(limits: Sequence[Subscribed]) -> str:
    """One, or one after another when it changed."""
    powers = [formats.number(one.power, decimals_of_power(one.power)) for one in limits]
    return _(" puis ").join(dict.fromkeys(powers))
