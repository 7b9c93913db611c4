"""The same figures as rows: a civil day or month each, or every single value."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.quantities import Kind
from gridgate.dataplane.query.aggregate import Period, Total
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.portal.kit import formats
from gridgate.portal.screens.measurements.period import Shown


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. Empty texts show as a dash; `tone` and `quality` make the state tag."""

    name: str
    energy: str = ""
    maximum: str = ""
    maximum_at: str = ""
    minimum: str = ""
    values: str = ""
    tone: str = ""
    quality: str = ""
    register: str = ""
    difference: str = ""


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One value: the start and end of its step, the measure, its quality."""

    start: datetime
    end: datetime
    value: str
    quality: str
    tone: str
    register: str
    observed_at: datetime | None


def total_rows(rows: Sequence[Total], shown: Shown, whole: Total) -> tuple[list[Row], Row]:
    written = formats.month if shown.rows is Period.MONTH else formats.week_day
    powers = [one.value / 1000 for row in rows for one in (row.maximum, row.minimum) if one]
    energies = [row.energy_wh / 1000 for row in rows if row.energy_wh]
    places = (formats.decimals(energies), formats.decimals(powers))
    lines = [_total(row, capfirst(written(row.first)), shown, places) for row in rows]
    foot = _total(whole, _("Ensemble"), shown, places)
    return lines, foot


def reading_rows(segments: Sequence[Segment], returns: Sequence[datetime], zone: ZoneInfo) -> list[Row]:
    """Readings by day and register, each with what the register moved since the reading before of the same time of the
    company: what it moved up to one of `returns` is another's.
    """
    rows = []
    before: dict[tuple[str, int], int | float] = {}
    for segment in sorted(segments, key=lambda found: (found.register, found.start)):
        for step in segment.steps(zone):
            if step.value is None:
                continue
            series = segment.register, bisect_right(returns, step.start)
            moved = step.value - before[series] if series in before else None
            before[series] = step.value
            tone, quality = _state(step.quality)
            rows.append(
                Row(
                    name=formats.moment(step.observed_at),
                    register=segment.register or _("Total"),
                    energy=formats.number(step.value / 1000, 3),
                    difference="" if moved is None else formats.number(moved / 1000, 3),
                    tone=tone,
                    quality=quality,
                )
            )
    return rows


def value_rows(answer: Answer, zone: ZoneInfo) -> list[ValueRow]:
    """Every value of the answer, in the order of time."""
    rows = []
    for segment in answer.segments:
        for step in segment.steps(zone):
            tone, quality = _state(step.quality)
            rows.append(
                ValueRow(
                    step.start,
                    step.end,
                    "" if step.value is None else formats.number(step.value),
                    quality,
                    tone,
                    segment.register,
                    step.observed_at if segment.offsets else None,
                )
            )
    return rows


def _total(row: Total, name: str, shown: Shown, places: tuple[int, int]) -> Row:
    """`places` are the decimals of energies and of powers: the same all down a column."""
    curve = shown.kind is Kind.LOAD_CURVE
    tone, quality = _quality(row)
    return Row(
        name=name,
        energy=""
        if row.energy_wh is None or not row.values
        else formats.number(row.energy_wh / 1000, places[0]),
        maximum="" if row.maximum is None else formats.number(row.maximum.value / 1000, places[1]),
        maximum_at="" if row.maximum is None else _when(row.maximum.at, shown, name),
        minimum=formats.number(row.minimum.value / 1000, places[1]) if curve and row.minimum else "",
        values=formats.number(row.values),
        tone=tone,
        quality=quality,
    )


def _when(at: datetime, shown: Shown, name: str) -> str:
    if shown.rows is Period.DAY and name != _("Ensemble"):
        return formats.clock(at)
    return f"{formats.day_and_month(at, short=True)} {formats.clock(at)}"


def _quality(row: Total) -> tuple[str, str]:
    if not row.values:
        return ("warn", _("Aucune valeur")) if row.missing else ("", _("Rien à recevoir"))
    if row.missing:
        text = ngettext("%(count)s\u00a0valeur manque", "%(count)s\u00a0valeurs manquent", row.missing)
        return "warn", text % {"count": formats.number(row.missing)}
    if row.estimated:
        return "", _("Estimé") if row.estimated == row.values else _("Estimé en partie")
    if row.corrected:
        return "info", _("Corrigé") if row.corrected == row.values else _("Corrigé en partie")
    return "good", _("Mesuré")


def _state(word: str) -> tuple[str, str]:
    return {
        "measured": ("good", _("Mesuré")),
        "estimated": ("", _("Estimé")),
        "corrected": ("info", _("Corrigé")),
    }.get(word, ("warn", _("Manque")))
