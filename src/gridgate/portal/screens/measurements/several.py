"""Several meters at once: which are chosen, and what they have together, each and by site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from numpy.typing import NDArray

from gridgate.core.sharing import RefusalReason
from gridgate.core.time import Resolution, civil_day_bounds, civil_day_of
from gridgate.dataplane.client import DailyTotals, Decided, Sums
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import Bars, bars
from gridgate.portal.kit.charts.load_curve.chart import LoadCurve, load_curve
from gridgate.portal.kit.charts.load_curve.series import SUM, Curve
from gridgate.portal.kit.charts.stack import MOST_LAYERS, Stack, stack
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.period import Choice, Shown, Span, read_choice

MOST_CHOSEN = 50
"""Chosen one by one: more make an address that some programs cut."""
MOST_DAYS = 2_000_000
"""Points times days that one page reads."""
MOST_COMPARED = 12
MOST_LISTED = 200
LONGEST_CURVE = 62
"""Days of which the power of all is drawn step by step."""
STEP = Resolution.PT30M
MOST_NAMED = 5
"""Of those that are not counted for one reason."""

LOOKS = {
    "somme": gettext_lazy("Somme"),
    "comparer": gettext_lazy("Comparaison"),
    "sites": gettext_lazy("Par site"),
}
_QUANTITIES = ("energie", "puissance")

_NOT_YET = gettext_lazy("Pas encore à votre entreprise ces jours-là\u202f: %(names)s.")
_NO_MORE = gettext_lazy("Plus à votre entreprise ces jours-là\u202f: %(names)s.")
_OTHER_WAY = gettext_lazy("Sans mesure dans ce sens\u202f: %(names)s.")
_NOT_OPEN = gettext_lazy("Pas ouverts à la lecture pour ces jours\u202f: %(names)s.")
_REASONS = {
    RefusalReason.NOT_YET_VALID: _NOT_YET,
    RefusalReason.BEFORE_HISTORY: _NOT_YET,
    RefusalReason.EXPIRED: _NO_MORE,
    RefusalReason.HOLDER_LEFT: _NO_MORE,
    RefusalReason.AFTER_TITLE: _NO_MORE,
    RefusalReason.BETWEEN_TITLES: gettext_lazy(
        "À votre entreprise avant et après, pas ces jours-là\u202f: %(names)s."
    ),
    RefusalReason.DIRECTION_NOT_COVERED: _OTHER_WAY,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for: all meters, or those named in it; and how to look at them."""

    all: bool
    points: tuple[str, ...]
    look: str

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        points = [("tous", "1")] if self.all else [("compteur", point) for point in self.points]
        return (*points, ("montrer", self.look))

    @property
    def too_many(self) -> bool:
        return not self.all and len(self.points) > MOST_CHOSEN

    @property
    def none(self) -> bool:
        return not self.all and not self.points


def read_chosen(query: QueryDict) -> Chosen:
    look = query.get("montrer", "")
    return Chosen(
        query.get("tous") == "1",
        tuple(dict.fromkeys(query.getlist("compteur"))),
        look if look in LOOKS else "somme",
    )


def read_shown(query: QueryDict, chosen: Chosen, *, directions: int, span: Span) -> Shown:
    """As the page of one meter reads it, but for energy, by the month, unless something else is asked for."""
    asked = query.copy()
    if asked.get("grandeur") not in _QUANTITIES:
        asked["grandeur"] = _QUANTITIES[0]
    asked.setdefault("vue", "mois")
    return replace(read_choice(asked, directions=directions, span=span), kept=chosen.kept)


def quantities(shown: Shown) -> list[Choice]:
    known = [choice for choice in shown.quantities() if choice.address]
    named = dict(zip(("puissance", "energie"), known[:2], strict=True))
    return [named[name] for name in _QUANTITIES]


def looks(shown: Shown, chosen: Chosen) -> list[Choice]:
    return [
        Choice(str(label), replace(shown, kept=replace(chosen, look=name).kept).query(), name == chosen.look)
        for name, label in LOOKS.items()
    ]


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the table: one meter, or one site."""

    name: str
    point: str
    """Its number; empty for a site of several."""
    count: int
    energy: str
    share: str
    lacking: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of days or months."""

    name: str
    energy: str
    counted: str


@dataclass(frozen=True, slots=True)
class Small:
    """One chart of the comparison."""

    name: str
    chart: Bars
    caption: str


@dataclass(slots=True)
class Together:
    """What the page shows."""

    figures: list[Figure] = field(default_factory=list)
    stack: Stack | None = None
    curve: LoadCurve | None = None
    smalls: list[Small] = field(default_factory=list)
    caption: str = ""
    note: str = ""
    members: list[Member] = field(default_factory=list)
    unlisted: str = ""
    """Of those that the table has no room for."""
    rows: list[Row] = field(default_factory=list)
    empty: str = ""
    counted: str = ""
    """How many of those chosen are counted, when not all are."""
    uncounted: list[str] = field(default_factory=list)
    """Why the others are not, and which they are."""


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    point: str
    count: int
    values: list[float | None]
    """kWh, by bar."""
    lacking: int

    @property
    def total(self) -> float:
        return sum(value for value in self.values if value is not None)


def energy_together(
    totals: DailyTotals,
    names: Mapping[str, str],
    sites: Mapping[str, str],
    shown: Shown,
    chosen: Chosen,
    *,
    today: date,
    zone: ZoneInfo,
) -> Together:
    """The energy of all, of each or by site, by days or months. `sites` are where the meters that have a place are."""
    if not np.isfinite(totals.values).any():
        return Together(empty=_("Aucune valeur de ces compteurs n’est venue pour ces jours."))
    firsts = [shown.rows.first_day(day) for day in totals.days]
    starts = [at for at, first in enumerate(firsts) if at == 0 or first != firsts[at - 1]]
    bars_of = [totals.days[at] for at in starts]
    due = _days_due(totals, today, zone)
    groups = _grouped(totals, names, sites if chosen.look == "sites" else {}, starts, due)
    every = _values(totals.values, starts)
    counted = np.logical_or.reduceat(np.isfinite(totals.values), starts, axis=1).sum(axis=0).tolist()
    found = Together(
        members=_members(groups),
        unlisted=_unlisted(groups),
        rows=[
            Row(_bar_name(first, shown), _energy(value), formats.number(count))
            for first, value, count in zip(bars_of, every, counted, strict=True)
        ],
    )
    whole = sum(value for value in every if value is not None)
    value, unit = formats.scaled(whole * 1000, "Wh")
    found.figures = [
        Figure(
            _("Énergie injectée") if shown.injection else _("Énergie soutirée"),
            formats.number(value, 1 if value is not None and value < 100 else 0),
            unit,
        ),
        Figure(_("Compteurs"), formats.number(len(totals.points)), "", _with_values(totals)),
    ]
    labels, said = _labels(bars_of, shown), [_bar_name(first, shown) for first in bars_of]
    if chosen.look == "comparer":
        compared = groups[:MOST_COMPARED]
        top = max((v for group in compared for v in group.values if v is not None), default=None)
        found.smalls = [
            Small(
                group.name,
                bars(
                    group.values,
                    labels=[""] * len(bars_of),
                    names=said,
                    unit="kWh",
                    injection=shown.injection,
                    lines=3,
                    highest=top,
                ),
                formats.with_unit(group.total, "kWh"),
            )
            for group in compared
        ]
        if len(groups) > len(compared):
            found.note = _("Les %(count)s plus hauts sont dessinés, à la même échelle.") % {
                "count": len(compared)
            }
    else:
        found.stack = stack(_layers(groups), labels=labels, names=said, unit="kWh", injection=shown.injection)
    found.caption = _caption(every, bars_of, shown, len(totals.points))
    return found


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


def say_uncounted(found: Together, names: Mapping[str, str], decided: Decided) -> None:
    """Of the meters chosen, by number, that are not in the sums: those without the direction were not asked for."""
    counted = sum(1 for point in names if point in decided.granted)
    if counted == len(names):
        return
    whole = {"counted": formats.number(counted), "count": formats.number(len(names))}
    if counted:
        said = ngettext(
            "%(counted)s des %(count)s compteurs choisis est compté.",
            "%(counted)s des %(count)s compteurs choisis sont comptés.",
            counted,
        )
    else:
        said = ngettext(
            "Le compteur choisi n’est pas compté.",
            "Aucun des %(count)s compteurs choisis n’est compté.",
            len(names),
        )
    found.counted = said % whole
    by_reason: dict[str, list[str]] = {}
    for point, name in names.items():
        if point not in decided.granted:
            refused = decided.refused.get(point)
            reason = _OTHER_WAY if refused is None else _REASONS.get(refused.reason, _NOT_OPEN)
            by_reason.setdefault(str(reason), []).append(name)
    found.uncounted = [reason % {"names": _named(of_reason)} for reason, of_reason in by_reason.items()]


def _named(names: Sequence[str]) -> str:
    """Names have commas of their own."""
    said, rest = list(names[:MOST_NAMED]), len(names) - MOST_NAMED
    if rest > 0:
        said.append(ngettext("%(count)s autre", "%(count)s autres", rest) % {"count": formats.number(rest)})
    return "\u00a0· ".join(said)


def _days_due(totals: DailyTotals, today: date, zone: ZoneInfo) -> list[int]:
    """Days before today that may be read whole, of each point: of those before one held it, nothing is lacking."""
    past = [civil_day_bounds(day, zone) for day in totals.days if day < today]
    counted: dict[int, int] = {}  # by the verdict, which many points share
    of_points = []
    for point in totals.points:
        verdict = totals.decided.granted[point]
        if id(verdict) not in counted:
            counted[id(verdict)] = sum(
                any(part.readable.covers(day) for part in verdict.parts) for day in past
            )
        of_points.append(counted[id(verdict)])
    return of_points


def _grouped(
    totals: DailyTotals,
    names: Mapping[str, str],
    sites: Mapping[str, str],
    starts: Sequence[int],
    due: Sequence[int],
) -> list[_Group]:
    """Meters, or sites, the highest first."""
    members: dict[str, list[int]] = {}
    for row, point in enumerate(totals.points):
        members.setdefault(sites.get(point, point), []).append(row)
    groups = []
    for site, rows in members.items():
        values = totals.values[rows]
        only = totals.points[rows[0]] if len(rows) == 1 else ""
        name = site if site != only else names.get(only, only)
        told = int(np.isfinite(values).sum())
        lacking = max(0, sum(due[row] for row in rows) - told)
        groups.append(_Group(name, only, len(rows), _values(values, starts), lacking))
    return sorted(groups, key=lambda group: (-group.total, group.name))


def _values(values: NDArray[np.float64], starts: Sequence[int]) -> list[float | None]:
    """kWh of each bar, of all rows together; None where none has a value."""
    told = np.logical_or.reduceat(np.isfinite(values).any(axis=0), starts).tolist()
    total = (np.add.reduceat(np.nansum(values, axis=0), starts) / 1000).tolist()
    return [value if any_told else None for value, any_told in zip(total, told, strict=True)]


def _layers(groups: Sequence[_Group]) -> list[tuple[str, list[float | None]]]:
    """The highest apart, the rest together."""
    apart = list(groups) if len(groups) <= MOST_LAYERS else list(groups[: MOST_LAYERS - 1])
    layers = [(group.name, group.values) for group in apart]
    rest = groups[len(apart) :]
    if rest:
        columns = zip(*(group.values for group in rest), strict=True)
        together = [
            None if all(v is None for v in column) else sum(v or 0 for v in column) for column in columns
        ]
        said = ngettext("%(count)s autre", "%(count)s autres", len(rest)) % {
            "count": formats.number(len(rest))
        }
        layers.append((said, together))
    return layers


def _members(groups: Sequence[_Group]) -> list[Member]:
    whole = sum(group.total for group in groups)
    return [
        Member(
            group.name,
            group.point,
            group.count,
            _energy(group.total if any(v is not None for v in group.values) else None),
            formats.percent(group.total / whole, 1) if whole else "",
            formats.number(group.lacking) if group.lacking else "",
        )
        for group in groups[:MOST_LISTED]
    ]


def _unlisted(groups: Sequence[_Group]) -> str:
    rest = groups[MOST_LISTED:]
    if not rest:
        return ""
    said = ngettext(
        "Un autre, plus bas, a %(energy)s kWh.",
        "%(count)s autres, plus bas, ont ensemble %(energy)s kWh.",
        len(rest),
    )
    energy = _energy(sum(group.total for group in rest))
    return said % {"count": formats.number(len(rest)), "energy": energy}


def _with_values(totals: DailyTotals) -> str:
    told = int(np.isfinite(totals.values).any(axis=1).sum())
    if told == len(totals.points):
        return ""
    return ngettext("%(count)s a des valeurs", "%(count)s ont des valeurs", told) % {
        "count": formats.number(told)
    }


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
        rows.append(Row(formats.day_in_week(day), _energy(energy), formats.number(most)))
    return rows


def _energy(kilowatt_hours: float | None) -> str:
    if kilowatt_hours is None:
        return ""
    return formats.number(kilowatt_hours, 0 if kilowatt_hours >= 100 else 1)


def _bar_name(first: date, shown: Shown) -> str:
    return formats.day_in_week(first) if shown.rows.value == "day" else formats.month(first)


def _labels(firsts: Sequence[date], shown: Shown) -> list[str]:
    if shown.rows.value != "day":
        return [formats.month(first, short=True) for first in firsts]
    every = 1 if len(firsts) <= 7 else 7
    return [
        formats.day_and_month(first, short=True) if at % every == 0 else "" for at, first in enumerate(firsts)
    ]


def _caption(values: Sequence[float | None], firsts: Sequence[date], shown: Shown, count: int) -> str:
    known = [(value, first) for value, first in zip(values, firsts, strict=True) if value is not None]
    most, on = max(known)
    text = ngettext(
        "Énergie d’un compteur, en kWh. Au plus %(most)s\u202f: %(when)s.",
        "Énergie de %(count)s compteurs ensemble, en kWh. Au plus %(most)s\u202f: %(when)s.",
        count,
    )
    return text % {"count": formats.number(count), "most": _energy(most), "when": _bar_name(on, shown)}
