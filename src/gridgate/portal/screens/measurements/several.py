"""What a page shows of several meters: figures, a chart, a row a meter or site, a row a day or month."""

from dataclasses import dataclass, field

from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.bars import Bars
from gridgate.portal.kit.charts.load_curve.chart import LoadCurve
from gridgate.portal.kit.charts.stack import Stack
from gridgate.portal.kit.shapes import Figure

MOST_DAYS = 2_000_000
"""Points times days that one page reads."""


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


def energy_text(kilowatt_hours: float | None) -> str:
    if kilowatt_hours is None:
        return ""
    return formats.number(kilowatt_hours, 0 if kilowatt_hours >= 100 else 1)
