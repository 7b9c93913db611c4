"""The energy of several meters: together, of each, or by site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from numpy.typing import NDArray

from gridgate.core.time import civil_day_bounds
from gridgate.dataplane.client import DailyTotals
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import bars
from gridgate.portal.kit.charts.stack import MOST_LAYERS, stack
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.choosing import Chosen
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.several import Member, Row, Small, Together, energy_text

MOST_COMPARED = 12
MOST_LISTED = 200


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
    together = Together(
        members=_members(groups),
        unlisted=_unlisted(groups),
        rows=[
            Row(_bar_name(first, shown), energy_text(value), formats.number(count))
            for first, value, count in zip(bars_of, every, counted, strict=True)
        ],
    )
    whole = sum(value for value in every if value is not None)
    value, unit = formats.scaled(whole * 1000, "Wh")
    together.figures = [
        Figure(
            _("Énergie injectée") if shown.injection else _("Énergie soutirée"),
            formats.number(value, 1 if value is not None and value < 100 else 0),
            unit,
        ),
        Figure(_("Compteurs"), formats.number(len(totals.points)), "", _with_values(totals)),
    ]
    labels, bar_names = _labels(bars_of, shown), [_bar_name(first, shown) for first in bars_of]
    if chosen.look == "comparer":
        compared = groups[:MOST_COMPARED]
        top = max((v for group in compared for v in group.values if v is not None), default=None)
        together.smalls = [
            Small(
                group.name,
                bars(
                    group.values,
                    labels=[""] * len(bars_of),
                    names=bar_names,
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
            together.note = _("Les %(count)s plus hauts sont dessinés, à la même échelle.") % {
                "count": len(compared)
            }
    else:
        together.stack = stack(
            _layers(groups), labels=labels, names=bar_names, unit="kWh", injection=shown.injection
        )
    together.caption = _caption(every, bars_of, shown, len(totals.points))
    return together


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
        text = ngettext("%(count)s autre", "%(count)s autres", len(rest)) % {
            "count": formats.number(len(rest))
        }
        layers.append((text, together))
    return layers


def _members(groups: Sequence[_Group]) -> list[Member]:
    whole = sum(group.total for group in groups)
    return [
        Member(
            group.name,
            group.point,
            group.count,
            energy_text(group.total if any(v is not None for v in group.values) else None),
            formats.percent(group.total / whole, 1) if whole else "",
            formats.number(group.lacking) if group.lacking else "",
        )
        for group in groups[:MOST_LISTED]
    ]


def _unlisted(groups: Sequence[_Group]) -> str:
    rest = groups[MOST_LISTED:]
    if not rest:
        return ""
    text = ngettext(
        "Un autre, plus bas, a %(energy)s kWh.",
        "%(count)s autres, plus bas, ont ensemble %(energy)s kWh.",
        len(rest),
    )
    energy = energy_text(sum(group.total for group in rest))
    return text % {"count": formats.number(len(rest)), "energy": energy}


def _with_values(totals: DailyTotals) -> str:
    told = int(np.isfinite(totals.values).any(axis=1).sum())
    if told == len(totals.points):
        return ""
    return ngettext("%(count)s a des valeurs", "%(count)s ont des valeurs", told) % {
        "count": formats.number(told)
    }


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
    return text % {"count": formats.number(count), "most": energy_text(most), "when": _bar_name(on, shown)}
