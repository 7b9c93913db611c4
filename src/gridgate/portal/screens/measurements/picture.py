"""What a page shows of the values of one meter, and the rows that all kinds of measurements have."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.dataplane.query.aggregate import Total, totals
from gridgate.dataplane.query.answer import Answer, Segment
from gridgate.portal.kit.charts.bars import Bars
from gridgate.portal.kit.charts.heat_map import HeatMap
from gridgate.portal.kit.charts.load_curve.chart import LoadCurve
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.screens.measurements.absences import Absence, not_expected, only_expected
from gridgate.portal.screens.measurements.exceedances import Over
from gridgate.portal.screens.measurements.period import Shown
from gridgate.portal.screens.measurements.table import Row


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


def rows_not_expected(rows: Sequence[Total]) -> list[int]:
    """The rows of which there is nothing and nothing is missing."""
    return [index for index, row in enumerate(rows) if not row.values and not row.missing]


def totals_by_row(
    answer: Answer, segments: list[Segment], shown: Shown, zone: ZoneInfo, until: datetime
) -> list[Total]:
    period = shown.interval(zone)
    rows = totals(segments, shown.rows, kind=shown.kind, start=period.start, end=until, zone=zone)
    return only_expected(rows, not_expected(answer), segments, shown.kind, zone)
