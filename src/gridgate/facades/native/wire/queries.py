"""What may be asked of each path, checked."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import Interval, Resolution
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.summing import SumAsked
from gridgate.facades.native.wire.parameters import Given, Wrong, instant, instant_or_day, word

LONGEST_PERIOD_DAYS: Final = 1830
"""Five years and a few days: what one request may ask."""
LARGEST_PAGE: Final = 500
DEFAULT_PAGE: Final = 100
MOST_NAMED_POINTS: Final = 100
"""How many points one request may name; a query string has no room for many more."""


@dataclass(frozen=True, slots=True)
class MeasurementsQuery:
    """What is asked of `/metering-points/{id}/measurements`."""

    kind: Kind
    direction: FlowDirection
    period: Interval
    resolution: Resolution | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class AggregatesQuery:
    """What is asked of `/aggregates`. No `points` means all that the application may read, at the `site`
    or within the `perimeter` if one is named.
    """

    asked: SumAsked
    points: tuple[str, ...]
    by_point: bool
    site: str | None = None
    perimeter: str | None = None


@dataclass(frozen=True, slots=True)
class PageQuery:
    """What is asked of `/metering-points`: the id after which to go on, and how many."""

    after: str
    limit: int


def decode_measurements_query(query_string: bytes, *, zone: ZoneInfo) -> MeasurementsQuery:
    """Read and check the parameters. Raises `Problem` naming every one that is at fault.

    `start` and `end` are instants of RFC 3339, or dates: the local midnights at which those days begin.
    """
    given = Given(query_string, known=("kind", "direction", "start", "end", "resolution", "as_of"))
    kind = given.read("kind", word(Kind))
    direction = given.read("direction", word(FlowDirection))
    period = _period(given, zone)
    resolution = given.read("resolution", Resolution.parse, optional=True)
    as_of = given.read("as_of", instant, optional=True)
    given.check()
    assert kind is not None
    assert direction is not None
    assert period is not None
    return MeasurementsQuery(kind, direction, period, resolution, as_of)


def decode_aggregates_query(query_string: bytes, *, zone: ZoneInfo) -> AggregatesQuery:
    """Read and check the parameters, of which `metering_point` may be repeated. Raises `Problem`."""
    known = (
        "kind",
        "direction",
        "start",
        "end",
        "step",
        "by",
        "as_of",
        "site",
        "perimeter",
        "metering_point",
    )
    given = Given(query_string, known=known, repeated="metering_point", most=MOST_NAMED_POINTS)
    kind = given.read("kind", _summed)
    direction = given.read("direction", word(FlowDirection))
    period = _period(given, zone)
    step = given.read("step", _step_of(kind))
    by = given.read("by", _by_point, optional=True)
    as_of = given.read("as_of", instant, optional=True)
    site = given.read("site", str, optional=True)
    if site is not None and given.repeated:
        given.fault("site", "is not given together with metering_point.")
    perimeter = given.read("perimeter", str, optional=True)
    if perimeter is not None and (given.repeated or site is not None):
        given.fault("perimeter", "is not given together with metering_point or site.")
    given.check()
    assert direction is not None
    assert period is not None
    assert step is not None
    asked = SumAsked(direction, period, step, as_of)
    return AggregatesQuery(asked, tuple(given.repeated), by is not None, site, perimeter)


def _period(given: Given, zone: ZoneInfo) -> Interval | None:
    start = given.read("start", lambda text: instant_or_day(text, zone))
    end = given.read("end", lambda text: instant_or_day(text, zone))
    if start is None or end is None:
        return None
    if end <= start:
        given.fault("end", "must come after start; the period does not include it.")
    elif end - start > timedelta(days=LONGEST_PERIOD_DAYS):
        given.fault("end", f"is more than {LONGEST_PERIOD_DAYS} days after start. Ask in several requests.")
    else:
        return Interval(start, end)
    return None


def decode_page_query(query_string: bytes) -> PageQuery:
    """Read and check the parameters. Raises `Problem`."""
    given = Given(query_string, known=("cursor", "limit"))
    after = given.read("cursor", _cursor, optional=True)
    limit = given.read("limit", _limit, optional=True)
    given.check()
    return PageQuery(after or "", limit or DEFAULT_PAGE)


def cursor_after(metering_point: str) -> str:
    """The opaque text that asks for what follows a point."""
    return base64.urlsafe_b64encode(metering_point.encode()).decode().rstrip("=")


_SUMMED: Final = (Kind.LOAD_CURVE, Kind.DAILY_ENERGY)
_PERIODS: Final = {"P1D": Period.DAY, "P1W": Period.WEEK, "P1M": Period.MONTH, "P1Y": Period.YEAR}


def _summed(text: str) -> Kind:
    if text not in _SUMMED:
        raise Wrong(
            "is load_curve or daily_energy: of several points, maxima and what registers show have no sum."
        )
    return Kind(text)


def _step_of(kind: Kind | None) -> Callable[[str], Resolution | Period]:
    """Power is summed by steps of the day, energy by days and what is made of them."""
    steps = {step.iso: step for step in Resolution if step is not Resolution.P1D}
    steps["PT1H"] = Resolution.PT60M

    def parse(text: str) -> Resolution | Period:
        power, energy = steps.get(text), _PERIODS.get(text)
        if power is None and energy is None:
            raise Wrong(f"is one of {', '.join([*steps, *_PERIODS])}.")
        if kind is Kind.LOAD_CURVE and power is None:
            raise Wrong(f"is one of {', '.join(steps)} for load_curve; ask for daily_energy by {text}.")
        if kind is Kind.DAILY_ENERGY and energy is None:
            raise Wrong(f"is one of {', '.join(_PERIODS)} for daily_energy; ask for load_curve by {text}.")
        found = power or energy
        assert found is not None
        return found

    return parse


def iso_step(step: Resolution | Period) -> str:
    if isinstance(step, Resolution):
        return step.iso
    return next(text for text, period in _PERIODS.items() if period is step)


def shortest_seconds(step: Resolution | Period) -> int:
    """Of a civil period, a day: there are no more of them than days."""
    return step.seconds if isinstance(step, Resolution) else Resolution.P1D.seconds


def _by_point(text: str) -> bool:
    if text != "metering_point":
        raise Wrong("is metering_point, or left out.")
    return True


def _cursor(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise Wrong("is not one that this API gave.") from None


_NUMBER: Final = re.compile(r"[0-9]{1,9}")


def _limit(text: str) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= LARGEST_PAGE:
        raise Wrong(f"is a number from 1 to {LARGEST_PAGE}.")
    return int(text)
