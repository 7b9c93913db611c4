"""What the person asks to see: which quantity, which direction, which civil days. Everything stands in the address."""

from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.core.quantities import FlowDirection, Kind, directions_of
from gridgate.core.time import FIRST_DAY, LAST_DAY, Interval, civil_day_bounds, parse_day
from gridgate.dataplane.query.aggregate import Period
from gridgate.portal.kit import formats

Span = Callable[[Kind, FlowDirection], tuple[date, date]]
"""The first and the last day with data of a kind and direction; the first after the last when there are none."""

LONGEST = timedelta(days=366 * 3)
_LIMITS = {"first": FIRST_DAY.year, "last": LAST_DAY.year}

VIEWS = {
    "jour": (Period.DAY, gettext_lazy("Jour")),
    "semaine": (Period.WEEK, gettext_lazy("Semaine")),
    "mois": (Period.MONTH, gettext_lazy("Mois")),
    "annee": (Period.YEAR, gettext_lazy("Année")),
}
QUANTITIES = {
    "puissance": (Kind.LOAD_CURVE, gettext_lazy("Puissance")),
    "energie": (Kind.DAILY_ENERGY, gettext_lazy("Énergie")),
    "maximum": (Kind.MAXIMUM_POWER, gettext_lazy("Maximum")),
    "index": (Kind.REGISTER_READING, gettext_lazy("Index")),
}
DIRECTIONS = {
    "soutirage": (FlowDirection.WITHDRAWAL, gettext_lazy("Soutirage")),
    "injection": (FlowDirection.INJECTION, gettext_lazy("Injection")),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One link of a segmented control."""

    label: str
    address: str
    current: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown: civil days from `first` up to, not including, `after`. `error` says what was not understood."""

    quantity: str
    direction: str
    view: str
    first: date
    after: date
    directions: tuple[str, ...]
    """Empty where neither the point nor what came of it tells which it has."""
    earliest: date = FIRST_DAY
    latest: date = LAST_DAY
    """The first and last days with data: the arrows go no farther."""
    error: str = ""
    typed_from: str = ""
    typed_to: str = ""
    kept: tuple[tuple[str, str], ...] = ()
    """What else the address says, and says on every link."""

    @property
    def kind(self) -> Kind:
        return QUANTITIES[self.quantity][0]

    @property
    def flow(self) -> FlowDirection:
        return DIRECTIONS[self.direction][0]

    @property
    def injection(self) -> bool:
        return self.flow is FlowDirection.INJECTION

    @property
    def last(self) -> date:
        return self.after - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.after - self.first).days

    @property
    def rows(self) -> Period:
        """The civil period that one bar and one row of the table stand for."""
        return Period.DAY if self.days <= 62 else Period.MONTH

    def interval(self, zone: ZoneInfo) -> Interval:
        return Interval(civil_day_bounds(self.first, zone).start, civil_day_bounds(self.after, zone).start)

    @property
    def by_day(self) -> bool:
        """Whether so long a curve is drawn by days, each from its lowest to its highest value."""
        return self.kind is Kind.LOAD_CURVE and self.rows is Period.MONTH

    def title(self) -> str:
        match self.view:
            case "mois":
                return formats.month(self.first)
            case "annee":
                return str(self.first.year)
        return formats.period(self.first, self.last)

    def query(self, **changes: str) -> str:
        """The address of this page with some of its parameters changed."""
        parameters = {"vue": self.view, "grandeur": self.quantity, "sens": self.direction}
        parameters |= (
            {"du": self.first.isoformat(), "au": self.last.isoformat()}
            if self.view == "dates"
            else {"le": self.first.isoformat()}
        )
        parameters |= changes
        if "vue" in changes and "le" in parameters:
            parameters.pop("du", None)
            parameters.pop("au", None)
        return "?" + urlencode([*self.kept, *((name, value) for name, value in parameters.items() if value)])

    @property
    def alone(self) -> str:
        """The address of the same days on the page of one meter."""
        return replace(self, kept=()).query()

    def moved(self, steps: int) -> str:
        """The address of the period before (-1) or after (+1)."""
        if self.view == "dates":
            length = self.after - self.first
            moved = replace(self, first=self.first + steps * length, after=self.after + steps * length)
            return moved.query()
        period = VIEWS[self.view][0]
        to = period.after(self.first) if steps > 0 else period.first_day(self.first - timedelta(days=1))
        return self.query(le=to.isoformat())

    @property
    def elsewhere(self) -> bool:
        """Whether other days of it came."""
        return bool(self.earliest <= self.latest and (self.before() or self.following()))

    def before(self) -> str:
        """Empty when nothing came before: from farther on it leads back to the last that came."""
        if self.first <= self.earliest:
            return ""
        return self._at(self.latest) if self.first > self.latest else self.moved(-1)

    def following(self) -> str:
        """Empty when nothing came after; from farther back it leads to the first that came."""
        if self.after > self.latest:
            return ""
        earliest = min(self.earliest, self.latest)
        return self._at(earliest) if self.after <= earliest else self.moved(1)

    def views(self) -> list[Choice]:
        # Changing to a longer view keeps the day in sight; to a shorter one, the end of what was shown and came.
        day = min(self.last, max(self.latest, self.first))
        return [
            Choice(
                str(label),
                self.query(vue=name, le=period.first_day(day).isoformat()),
                name == self.view,
            )
            for name, (period, label) in VIEWS.items()
        ]

    @property
    def day_address(self) -> str:
        """The address of the curve of one day, but for that day."""
        return "?" + urlencode({"vue": "jour", "grandeur": "puissance", "sens": self.direction, "le": ""})

    @property
    def days_address(self) -> str:
        """The address of this quantity, but for its days."""
        return "?" + urlencode({"grandeur": self.quantity, "sens": self.direction})

    def _at(self, day: date) -> str:
        """The address of the same view where it shows that day."""
        if self.view == "dates":
            return replace(self, first=day, after=day + (self.after - self.first)).query()
        return self.query(le=VIEWS[self.view][0].first_day(day).isoformat())

    def quantities(self) -> list[Choice]:
        return [
            Choice(str(label), self.query(grandeur=name), name == self.quantity)
            for name, (_kind, label) in QUANTITIES.items()
        ]

    def ways(self) -> list[Choice]:
        return [
            Choice(str(DIRECTIONS[name][1]), self.query(sens=name), name == self.direction)
            for name in self.directions
        ]


def read_choice(query: QueryDict, *, directions: int, span: Span) -> Shown:
    """Read the address; what is absent or unknown falls back to the week, Monday to Sunday, of the last day with data.

    Dates that cannot be read, or that end before they begin, keep what was typed and say what is wrong.
    """
    held = tuple(name for name, (flow, _label) in DIRECTIONS.items() if flow in directions_of(directions))
    quantity = _one_of(query.get("grandeur"), QUANTITIES, "puissance")
    direction = _one_of(query.get("sens"), held or DIRECTIONS, (*held, *DIRECTIONS)[0])
    view = _one_of(query.get("vue"), VIEWS, "semaine")
    error, typed_from, typed_to = "", query.get("du", ""), query.get("au", "")
    earliest, latest = span(QUANTITIES[quantity][0], DIRECTIONS[direction][0])
    day = parse_day(query.get("le", "")) or latest
    if typed_from or typed_to:
        start, end = parse_day(typed_from), parse_day(typed_to)
        error = _fault(start, end)
        if start and end and not error:
            return Shown(
                quantity,
                direction,
                "dates",
                start,
                end + timedelta(days=1),
                held,
                earliest,
                latest,
                typed_from=typed_from,
                typed_to=typed_to,
            )
    elif query.get("le") and not parse_day(query.get("le", "")):
        error = _("« %(typed)s » n’est pas une date de %(first)s à %(last)s.") % {
            "typed": query.get("le"),
            **_LIMITS,
        }
    period = VIEWS[view][0]
    first = max(FIRST_DAY, period.first_day(day))
    return Shown(
        quantity,
        direction,
        view,
        first,
        period.after(first),
        held,
        earliest,
        latest,
        error,
        typed_from,
        typed_to,
    )


def _one_of(asked: str | None, known: Container[str], otherwise: str) -> str:
    return asked if asked is not None and asked in known else otherwise


def _fault(start: date | None, end: date | None) -> str:
    if start is None or end is None:
        return _("Donnez les deux dates, du et au, de %(first)s à %(last)s.") % _LIMITS
    if end < start:
        return _("La date de fin, le %(end)s, précède la date de début, le %(start)s.") % {
            "start": formats.long_day(start),
            "end": formats.long_day(end),
        }
    if end - start >= LONGEST:
        return _("Trois ans au plus à la fois\u202f; l’export donne davantage en plusieurs fois.")
    return ""
