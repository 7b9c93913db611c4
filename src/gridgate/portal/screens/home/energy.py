"""The energy of all the person's points, day by day over thirty days, beside the same days a year before."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from numpy.typing import NDArray

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection
from gridgate.dataplane.client import DailyTotals, Latest, Reader
from gridgate.organisations.models import Membership
from gridgate.portal import measurements
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import Bars, bars
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.sharing import quantities
from gridgate.portal.screens.sharing.moment import Moment

DAYS = 30
MANY = 5_000
"""Points of which the two years are read at the same time: of 50,000, that is half a second of somebody's wait."""
YEAR = timedelta(days=364)
"""52 weeks: a Monday is compared with a Monday."""

MOST_POINTS = 500
"""Beyond, the sum waits until it is asked for: each point read takes time and a line of the access log."""


@dataclass(frozen=True, slots=True)
class Energy:
    """What the page shows of one direction."""

    direction: FlowDirection
    points: int
    whole: bool
    """True when these are all the points of the company."""
    days: Sequence[date]
    by_day: Sequence[float | None]
    """Wh."""
    before: Sequence[float | None]
    change: float | None
    """Against the year before, over the points and days that both have; None when they share too little."""
    compared: int
    """How many points the change is of."""
    measured: int
    """How many points have a value this year."""

    @property
    def total(self) -> float | None:
        known = [value for value in self.by_day if value is not None]
        return sum(known) if known else None

    @property
    def figure(self) -> Figure:
        value, unit = formats.scaled(self.total, "Wh")
        decimals = 1 if value is not None and value < 100 else 0
        label = (
            _("Énergie soutirée, 30 jours")
            if self.direction is FlowDirection.WITHDRAWAL
            else _("Énergie injectée, 30 jours")
        )
        return Figure(label, formats.number(value, decimals), unit, self._note)

    @property
    def highest(self) -> Figure | None:
        """The day with the most."""
        known = [(value, day) for value, day in zip(self.by_day, self.days, strict=True) if value is not None]
        if not known:
            return None
        most, on = max(known)
        value, unit = formats.scaled(most, "Wh")
        label = _("Jour le plus haut")
        decimals = 1 if value is not None and value < 100 else 0
        return Figure(label, formats.number(value, decimals), unit, formats.day_and_month(on))

    @property
    def _note(self) -> str:
        if self.change is None:
            return ""
        text = formats.change(self.change)
        if self.compared < self.measured:
            return self._note_of_some(text, self.change)
        if not text:
            return _("sans changement depuis l’an dernier")
        if self.change < 0:
            return _("%(percent)s de moins que l’an dernier") % {"percent": text}
        return _("%(percent)s de plus que l’an dernier") % {"percent": text}

    def _note_of_some(self, percent: str, change: float) -> str:
        """Points that came since are in the sum, and not in the comparison."""
        if not percent:
            text = ngettext(
                "sans changement depuis l’an dernier, sur le compteur mesuré les deux années",
                "sans changement depuis l’an dernier, sur les %(count)s compteurs mesurés les deux années",
                self.compared,
            )
            return text % {"count": self.compared}
        text = (
            ngettext(
                "%(percent)s de moins que l’an dernier, sur le compteur mesuré les deux années",
                "%(percent)s de moins que l’an dernier, sur les %(count)s compteurs mesurés les deux années",
                self.compared,
            )
            if change < 0
            else ngettext(
                "%(percent)s de plus que l’an dernier, sur le compteur mesuré les deux années",
                "%(percent)s de plus que l’an dernier, sur les %(count)s compteurs mesurés les deux années",
                self.compared,
            )
        )
        return text % {"percent": percent, "count": self.compared}

    @property
    def chart(self) -> Bars:
        return bars(
            [self._in_unit(value) for value in self.by_day],
            labels=[
                formats.day_and_month(day, short=True) if index % 7 == 0 else ""
                for index, day in enumerate(self.days)
            ],
            names=[formats.day_in_week(day) for day in self.days],
            previous=[self._in_unit(value) for value in self.before],
            unit=self.unit,
            injection=self.direction is FlowDirection.INJECTION,
        )

    @property
    def blank(self) -> bool:
        """Whether there is nothing to draw, of these days or of those a year before."""
        return all(value is None for value in (*self.by_day, *self.before))

    @property
    def caption(self) -> str:
        """Total, most and when: the same figures for who does not see the bars."""
        known = [(value, day) for value, day in zip(self.by_day, self.days, strict=True) if value is not None]
        if not known:
            return _("Aucune donnée sur ces 30 jours.")
        (most, on), (least, other) = max(known), min(known)
        text = _("%(which)s, en %(unit)s. Au plus %(most)s le %(on)s, au moins %(least)s le %(other)s.") % {
            "which": _("Tous vos compteurs") if self.whole else quantities.points(self.points),
            "unit": self.unit,
            "most": self._said(most),
            "on": formats.day_and_month(on),
            "least": self._said(least),
            "other": formats.day_and_month(other),
        }
        missing = len(self.days) - len(known)
        if missing:
            text += " " + ngettext("%(count)s jour sans donnée.", "%(count)s jours sans donnée.", missing) % {
                "count": missing
            }
        return text

    @property
    def unit(self) -> str:
        most = max((value for value in self.by_day if value is not None), default=None)
        return formats.scaled(most, "Wh")[1]

    def _in_unit(self, value: float | None) -> float | None:
        return None if value is None else value / {"Wh": 1, "kWh": 1e3, "MWh": 1e6, "GWh": 1e9}[self.unit]

    def _said(self, value: float) -> str:
        amount = self._in_unit(value)
        return formats.number(amount, 0 if not amount or amount >= 100 else 1)


def energy_of(
    *, actor: Membership, points: Sequence[str], whole: bool, direction: FlowDirection, moment: Moment
) -> Energy:
    """Sum the points' energy, day by day up to yesterday; `whole` when they are all of the company's.

    Raises as `MeasurementClient.daily_totals` does.
    """
    days = [moment.today - timedelta(days=back) for back in range(DAYS, 0, -1)]
    client, reader = measurements.client(), reader_of(actor)
    first, last = days[0], days[-1]
    of_days = partial(client.daily_totals, reader, points, direction, at=moment.now)
    if len(points) < MANY:
        present, past = of_days(first, last), of_days(first - YEAR, last - YEAR)
    else:
        with ThreadPoolExecutor(1) as beside:
            promised = beside.submit(of_days, first - YEAR, last - YEAR)
            present, past = of_days(first, last), promised.result()
    now, before = _side_by_side(present, past)
    return Energy(
        direction,
        len(points),
        whole,
        days,
        _sums(now),
        _sums_of_the_same(now, before),
        *_change(now, before),
        int(_told(now).any(axis=1).sum()),
    )


def latest_of(since: Mapping[str, date]) -> dict[str, Latest] | None:
    """The last day with data of each point, of those since the company holds it; None when the measurements do not
    answer.
    """
    try:
        latest = measurements.client().latest(list(since))
    except GridgateError as error:
        if error.kind is not ErrorKind.UNAVAILABLE:
            raise
        return None
    return {point: found for point, found in latest.items() if found.day >= since[point]}


def reader_of(actor: Membership) -> Reader:
    """The member as the access log names who reads."""
    return Reader(
        organisation=actor.organisation_id,
        organisation_name=actor.organisation.legal_name,
        user=actor.user_id,
        user_name=actor.user.full_name,
    )


Values = NDArray[np.float64]
"""Points by days; NaN where there is none."""


def _side_by_side(present: DailyTotals, past: DailyTotals) -> tuple[Values, Values]:
    """Both of the same points in the same order: all that one of them has."""
    place = {point: row for row, point in enumerate(dict.fromkeys([*present.points, *past.points]))}

    def rows(totals: DailyTotals) -> Values:
        values = np.full((len(place), DAYS), np.nan)
        values[[place[point] for point in totals.points]] = totals.values
        return values

    return rows(present), rows(past)


def _told(values: Values) -> NDArray[np.bool_]:
    return ~np.isnan(values)


def _sums(values: Values) -> list[float | None]:
    told: list[bool] = np.any(_told(values), axis=0).reshape(-1).tolist()
    total: list[float] = np.nansum(values, axis=0).tolist()
    return [of_day if any_told else None for any_told, of_day in zip(told, total, strict=True)]


def _sums_of_the_same(now: Values, before: Values) -> list[float | None]:
    """The year before, on the days whose points are the same in both: a line over a bar compares the two."""
    same = (_told(now) == _told(before)).all(axis=0).tolist()
    return [total if of_day else None for of_day, total in zip(same, _sums(before), strict=True)]


def _change(now: Values, before: Values) -> tuple[float | None, int]:
    """The change, and of how many points it is."""
    both = _told(now) & _told(before)
    current, earlier = float(now[both].sum()), float(before[both].sum())
    compared = int(both.any(axis=1).sum())
    return (current / earlier - 1 if earlier and both.sum() >= DAYS // 2 else None), compared
