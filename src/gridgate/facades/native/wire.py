"""The native API on the wire: parameters in, JSON and CSV out. Pure: no HTTP, no SQL, no clock.

Times are UTC. Values come in columns, qualities as run lengths; what is not in an answer stands in its
`coverage`, with the reason.
"""

import base64
import binascii
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import orjson

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import FlowDirection, Kind, directions_of, kinds_of
from gridgate.core.sharing import AccessLine
from gridgate.core.time import (
    FIRST_DAY,
    LAST_DAY,
    Interval,
    Resolution,
    civil_day_bounds,
    may_be_asked,
    parse_day,
)
from gridgate.dataplane.export import ExportFormat, document, export
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.registry.port import Access, PointFacts
from gridgate.dataplane.store.port import SeriesInfo
from gridgate.dataplane.summing import SumAsked
from gridgate.facades.native.problems import InvalidParameter, invalid_parameters

LONGEST_PERIOD_DAYS: Final = 1830
"""Five years and a few days: what one request may ask."""
LARGEST_PAGE: Final = 500
DEFAULT_PAGE: Final = 100
MOST_NAMED_POINTS: Final = 100
"""How many points one request may name; a query string has no room for many more."""
_MOST_PARAMETERS: Final = 16


class MediaType(StrEnum):
    """The forms in which measurements are answered."""

    JSON = "application/json"
    CSV = "text/csv"


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
    given = _Given(query_string, known=("kind", "direction", "start", "end", "resolution", "as_of"))
    kind = given.read("kind", _word(Kind))
    direction = given.read("direction", _word(FlowDirection))
    period = _period(given, zone)
    resolution = given.read("resolution", Resolution.parse, optional=True)
    as_of = given.read("as_of", _instant, optional=True)
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
    given = _Given(query_string, known=known, repeated="metering_point", most=MOST_NAMED_POINTS)
    kind = given.read("kind", _summed)
    direction = given.read("direction", _word(FlowDirection))
    period = _period(given, zone)
    step = given.read("step", _step_of(kind))
    by = given.read("by", _by_point, optional=True)
    as_of = given.read("as_of", _instant, optional=True)
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


def _period(given: "_Given", zone: ZoneInfo) -> Interval | None:
    start = given.read("start", lambda text: _instant_or_day(text, zone))
    end = given.read("end", lambda text: _instant_or_day(text, zone))
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
    given = _Given(query_string, known=("cursor", "limit"))
    after = given.read("cursor", _cursor, optional=True)
    limit = given.read("limit", _limit, optional=True)
    given.check()
    return PageQuery(after or "", limit or DEFAULT_PAGE)


def cursor_after(metering_point: str) -> str:
    """The opaque text that asks for what follows a point."""
    return base64.urlsafe_b64encode(metering_point.encode()).decode().rstrip("=")


def preferred(accept: str | None) -> MediaType | None:
    """Choose between the forms of an answer (RFC 9110, 12.5.1); JSON when equal, None when neither is
    accepted.
    """
    if not accept:
        return MediaType.JSON
    weights = dict.fromkeys(MediaType, 0.0)
    specificity = dict.fromkeys(MediaType, -1)
    for part in accept.split(","):
        pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((_weight(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        for media_type in MediaType:
            level = _specificity(pattern, media_type)
            if level > specificity[media_type]:
                specificity[media_type], weights[media_type] = level, weight
    best = max(MediaType, key=lambda media_type: weights[media_type])
    return best if weights[best] > 0 else None


def encode_answer(answer: Answer, form: MediaType, *, zone: ZoneInfo) -> bytes:
    if form is MediaType.JSON:
        return orjson.dumps(document(answer))
    target = io.BytesIO()
    export(answer, target, format=ExportFormat.CSV, zone=zone)
    return target.getvalue()


def encode_page(accesses: Sequence[Access], *, next_path: str | None) -> bytes:
    points = [_point(access.point, access.lines) for access in accesses if access.point is not None]
    return orjson.dumps({"metering_points": points, "next": next_path})


def encode_point(
    point: PointFacts, lines: Sequence[AccessLine], series: Iterable[SeriesInfo], *, zone: ZoneInfo
) -> bytes:
    """One point with what may be read of it: series that no line covers are not told."""
    readable = [shown for info in series if (shown := _series(info, lines, zone)) is not None]
    return orjson.dumps({**_point(point, lines), "series": readable})


def encode_perimeters(named: Iterable[tuple[str, str]]) -> bytes:
    """Their handles and names."""
    return orjson.dumps({"perimeters": [{"id": handle, "name": name} for handle, name in named]})


def encode_token(token: str, expires_in: int) -> bytes:
    return orjson.dumps({"access_token": token, "token_type": "Bearer", "expires_in": expires_in})


def _point(point: PointFacts, lines: Sequence[AccessLine]) -> dict[str, Any]:
    return {
        "id": point.id,
        "segment": point.segment,
        "directions": None if point.unknown else _directions(point.directions),
        "activated_on": point.activated_on.isoformat(),
        "subscribed_power_kva": point.subscribed_power_kva,
        "access": [_line(line) for line in lines],
    }


def _line(line: AccessLine) -> dict[str, Any]:
    finest = line.finest_resolution
    return {
        "basis": line.basis.value,
        "permission": line.permission,
        "kinds": covered_kinds([line]),
        "directions": _directions(line.directions),
        "finest_resolution": Resolution.of_seconds(finest).iso if finest else None,
        "data_from": _seconds(line.data_from),
        "data_to": _seconds(line.data_to),
        "valid_from": _seconds(line.valid_from),
        "valid_until": _seconds(line.valid_until),
    }


def covered_kinds(lines: Iterable[AccessLine]) -> list[str]:
    """The kinds that at least one of the lines covers, in the order of the documentation."""
    mask = 0
    for line in lines:
        mask |= line.kinds
    covered = kinds_of(mask)
    return [kind.value for kind in Kind if kind in covered]


def covered_directions(lines: Iterable[AccessLine]) -> list[str]:
    mask = 0
    for line in lines:
        mask |= line.directions
    return _directions(mask)


def _directions(mask: int) -> list[str]:
    covered = directions_of(mask)
    return [direction.value for direction in FlowDirection if direction in covered]


def _series(info: SeriesInfo, lines: Sequence[AccessLine], zone: ZoneInfo) -> dict[str, Any] | None:
    """The series as far as some line reaches: its days, and a step that is no finer than the line allows."""
    key = info.key
    begin, end = (civil_day_bounds(day, zone) for day in (info.first, info.last))
    assert end.end is not None
    stored = Interval(begin.start, end.end)
    reaches = []
    for line in lines:
        if line.kinds & key.kind.bit and line.directions & key.direction.bit:
            limit = None if line.data_to is None else datetime.fromtimestamp(line.data_to, UTC)
            part = stored.intersect(Interval(datetime.fromtimestamp(line.data_from, UTC), limit))
            if part is not None:
                reaches.append((part, max(line.finest_resolution, key.resolution.seconds)))
    if not reaches:
        return None
    first = min(part.start for part, _ in reaches)
    last = max(part.end for part, _ in reaches if part.end is not None)
    shown: dict[str, Any] = {
        "kind": key.kind.value,
        "direction": key.direction.value,
        "resolution": Resolution.of_seconds(min(seconds for _, seconds in reaches)).iso,
        "first": first.astimezone(zone).date().isoformat(),
        "last": (last - timedelta(microseconds=1)).astimezone(zone).date().isoformat(),
    }
    if key.register:
        shown["register"] = key.register
    return shown


T = TypeVar("T")


class _Given:
    """Parameters, and the faults found in them so far."""

    def __init__(
        self, query_string: bytes, *, known: Sequence[str], repeated: str = "", most: int = 0
    ) -> None:
        self._faults: list[InvalidParameter] = []
        self._values: dict[str, str] = {}
        self.repeated: dict[str, None] = {}
        """The values of the parameter that may be repeated, each once, in their order."""
        try:
            pairs = parse_qsl(
                query_string.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS + most
            )
        except ValueError:
            raise invalid_parameters([InvalidParameter("query", "it cannot be decoded.")]) from None
        for name, value in pairs:
            if name not in known:
                self.fault(name[:64], f"is not known here. Known are {', '.join(known)}.")
            elif name == repeated:
                if not value:
                    self.fault(name, "is empty. Give it a value, or leave it out.")
                self.repeated[value] = None
                continue
            elif name in self._values:
                self.fault(name, "was given twice.")
            self._values[name] = value

    def read(self, name: str, parse: Callable[[str], T], *, optional: bool = False) -> T | None:
        text = self._values.get(name)
        if not text:
            if not optional:
                self.fault(name, "is required.")
            elif text is not None:
                # Whoever writes it means something, and would take the answer for what they meant.
                self.fault(name, "is empty. Give it a value, or leave it out.")
            return None
        try:
            return parse(text)
        except GridgateError as error:
            self.fault(name, f"{error}")
        except _Wrong as error:
            self.fault(name, str(error))
        return None

    def fault(self, name: str, detail: str) -> None:
        self._faults.append(InvalidParameter(name, detail))

    def check(self) -> None:
        if self._faults:
            raise invalid_parameters(self._faults)


class _Wrong(Exception):
    """Why a text is not a value of its parameter."""


W = TypeVar("W", bound=StrEnum)


def _word(words: type[W]) -> Callable[[str], W]:
    def parse(text: str) -> W:
        try:
            return words(text)
        except ValueError:
            known = ", ".join(word.value for word in words)
            raise _Wrong(f"is one of {known}.") from None

    return parse


_SUMMED: Final = (Kind.LOAD_CURVE, Kind.DAILY_ENERGY)
_PERIODS: Final = {"P1D": Period.DAY, "P1W": Period.WEEK, "P1M": Period.MONTH, "P1Y": Period.YEAR}


def _summed(text: str) -> Kind:
    if text not in _SUMMED:
        raise _Wrong(
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
            raise _Wrong(f"is one of {', '.join([*steps, *_PERIODS])}.")
        if kind is Kind.LOAD_CURVE and power is None:
            raise _Wrong(f"is one of {', '.join(steps)} for load_curve; ask for daily_energy by {text}.")
        if kind is Kind.DAILY_ENERGY and energy is None:
            raise _Wrong(f"is one of {', '.join(_PERIODS)} for daily_energy; ask for load_curve by {text}.")
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
        raise _Wrong("is metering_point, or left out.")
    return True


_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OF_THE_CALENDAR: Final = f"of the calendar, from {FIRST_DAY.year} to {LAST_DAY.year}"
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _instant_or_day(text: str, zone: ZoneInfo) -> datetime:
    if not _DATE.fullmatch(text):
        return _instant(text, or_day="a date, 2026-11-25, or ")
    day = parse_day(text)
    if day is None:
        raise _Wrong(f"is no day {_OF_THE_CALENDAR}.")
    return civil_day_bounds(day, zone).start


def _instant(text: str, *, or_day: str = "") -> datetime:
    # A plus sign that was not percent-encoded arrives as a space.
    text = re.sub(r" ([0-9]{2}:[0-9]{2})$", r"+\1", text)
    if not _INSTANT.fullmatch(text):
        raise _Wrong(f"is {or_day}an instant with its offset, 2026-11-25T00:00:00+01:00.")
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError:
        instant = None
    if instant is None or not may_be_asked(instant.date()):
        raise _Wrong(f"is no instant {_OF_THE_CALENDAR}.")
    return instant.astimezone(UTC)


def _cursor(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        raise _Wrong("is not one that this API gave.") from None


_NUMBER: Final = re.compile(r"[0-9]{1,9}")


def _limit(text: str) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= LARGEST_PAGE:
        raise _Wrong(f"is a number from 1 to {LARGEST_PAGE}.")
    return int(text)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _specificity(pattern: str, media_type: MediaType) -> int:
    if pattern == media_type.value:
        return 2
    if pattern == media_type.value.partition("/")[0] + "/*":
        return 1
    return 0 if pattern == "*/*" else -1


def _seconds(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
