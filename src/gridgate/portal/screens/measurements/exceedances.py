"""Each time that more than the subscribed power was drawn: when, how long, how much, and the way to its day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from gridgate.core.quantities import Kind
from gridgate.dataplane.query.aggregate import Extreme
from gridgate.dataplane.query.threshold import Episode
from gridgate.portal.kit import formats
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.sentences import active_beside_apparent

MOST = 30
"""Beyond, the highest are listed, and how many they are of."""


@dataclass(frozen=True, slots=True)
class Exceedance:
    """One of them, and the power in kVA that was subscribed then."""

    episode: Episode
    subscribed: float

    @property
    def maximum(self) -> Extreme:
        return self.episode.maximum

    @property
    def over(self) -> float:
        """By how much, in kW or kVA; taken in whole watts, or the difference is not that of the two numbers shown."""
        return (self.maximum.value - self.subscribed * 1000) / 1000

    @property
    def length(self) -> timedelta:
        interval = self.episode.interval
        assert interval.end is not None
        return interval.end - interval.start


@dataclass(frozen=True, slots=True)
class OverRow:
    when: str
    address: str
    length: str
    highest: str
    over: str
    subscribed: str


@dataclass(frozen=True, slots=True)
class Over:
    """The list, in the order of time; `note` says when it does not hold all, and what is compared with what."""

    rows: list[OverRow]
    note: str
    timed: bool
    """Whether it is known how long each lasted: of a day's maximum only the instant is."""

    @property
    def unit_highest(self) -> str:
        return _("Maximum, kW") if self.timed else _("Maximum, kVA")

    @property
    def unit_over(self) -> str:
        return _("Dépassement, kW") if self.timed else _("Dépassement, kVA")


def over_rows(exceedances: Sequence[Exceedance], shown: Shown) -> Over | None:
    """None when there is nothing to list."""
    if not exceedances:
        return None
    timed = shown.kind is Kind.LOAD_CURVE
    highest = sorted(exceedances, key=lambda exceedance: exceedance.over, reverse=True)[:MOST]
    notes = [active_beside_apparent()] if timed else []
    if len(exceedances) > MOST:
        few = _("Les %(most)s\u00a0plus forts des %(count)s\u00a0dépassements de la période.") % {
            "most": formats.number(MOST),
            "count": formats.number(len(exceedances)),
        }
        notes.insert(0, few)
    in_order = sorted(highest, key=lambda exceedance: exceedance.maximum.at)
    rows = [_row(exceedance, shown, timed=timed) for exceedance in in_order]
    return Over(rows, " ".join(notes), timed)


def _row(exceedance: Exceedance, shown: Shown, *, timed: bool) -> OverRow:
    began = exceedance.episode.interval.start if timed else exceedance.maximum.at
    power = exceedance.maximum.value / 1000
    day = {"vue": "jour", "grandeur": "puissance", "sens": shown.direction}
    return OverRow(
        when=formats.moment(began),
        address="?" + urlencode({**day, "le": formats.civil_day(began).isoformat()}),
        length=formats.duration(exceedance.length.total_seconds()) if timed else "",
        highest=formats.number(power, 1),
        over=formats.number(exceedance.over, formats.decimals([exceedance.over])),
        subscribed=formats.number(exceedance.subscribed, 1 if exceedance.subscribed % 1 else 0),
    )
