"""The bars of reads a day, shown for one company and for the whole journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from gridgate.audit.queries.unusual import unusual_day
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import Bars, bars
from gridgate.portal.screens.sharing import quantities


@dataclass(frozen=True, slots=True)
class ReadsChart:
    bars: Bars
    caption: str
    period: str


def reads_chart(counts: Sequence[int], days: Sequence[date], *, flagged: bool = True) -> ReadsChart:
    """One bar a day, the unusual one in the colour of limits and with its figure, unless not `flagged`: that one's own
    people look more often is nothing to warn of.
    """
    unusual = unusual_day(counts) if flagged else None
    labels = [_label(day, index, len(days)) for index, day in enumerate(days)]
    mark = ""
    if unusual:
        mark = _("%(count)s le %(day)s") % {
            "count": formats.number(unusual.count),
            "day": formats.day_and_month(days[unusual.index], short=True),
        }
    most = max(counts, default=0)
    caption = _("Du %(first)s au %(last)s : %(reads)s") % {
        "first": formats.day_and_month(days[0]),
        "last": formats.long_day(days[-1]),
        "reads": quantities.reads(sum(counts)),
    }
    if most:
        caption += _(", au plus %(most)s le %(day)s") % {
            "most": formats.number(most),
            "day": formats.day_and_month(days[list(counts).index(most)]),
        }
    drawn = bars(
        counts,
        labels=labels,
        unit="",
        names=[formats.day_in_week(day) for day in days],
        hot=[unusual.index] if unusual else [],
        mark=mark,
        lines=3,
        counted=quantities.reads,
    )
    return ReadsChart(drawn, f"{caption}.", formats.period(days[0], days[-1]))


def _label(day: date, index: int, days: int) -> str:
    """A name for the first day, and each Monday that has room beside it and before the end on a narrow screen."""
    named = index == 0 or (day.weekday() == 0 and max(3, days // 4) <= index < days - 2)
    return formats.day_and_month(day, short=True) if named else ""
