"""Data Connect v5 on the wire: parameters in, JSON out, and back. Pure: no HTTP, no SQL, no clock.

Gridgate stamps an interval by its start, in UTC. Data Connect stamps it by its end, in Paris time without an
offset, so that the last of a day is the next day's 00:00:00 and the hour that autumn repeats is told twice.
The conversion is here and nowhere else.

A week of half hours is 336 objects. They are not built one by one: a day has a template for each step and
stamping rule, made once, that the day's values are printed into.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from itertools import compress
from typing import Any, Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import orjson

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.time import LAST_DAY, Resolution, civil_day_of, months_from, slot_start, slots_in_day
from gridgate.dataplane.query.answer import Segment
from gridgate.dataplane.query.columns import Columns, numbers
from gridgate.dataplane.query.days import instant, midnight
from gridgate.facades.enedis import catalogue

PARIS: Final = ZoneInfo("Europe/Paris")
LOAD_CURVE_DAYS: Final = 7
_MOST_PARAMETERS: Final = 16


class Stamp(Enum):
    """By which of its ends an interval is named."""

    END = "end"
    """C5 and P4 in every flow; every point on Data Connect."""
    START = "start"
    """C1 to C4 and P1 to P3 in the flows of the SGE."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One of the five paths: what it reads, and how far back it may be asked."""

    path: str
    kind: Kind
    direction: FlowDirection
    history_months: int

    @property
    def is_curve(self) -> bool:
        return self.kind is Kind.LOAD_CURVE


RESOURCES: Final = (
    Resource("/metering_data_clc/v5/consumption_load_curve", Kind.LOAD_CURVE, FlowDirection.WITHDRAWAL, 24),
    Resource("/metering_data_dc/v5/daily_consumption", Kind.DAILY_ENERGY, FlowDirection.WITHDRAWAL, 36),
    Resource(
        "/metering_data_dcmp/v5/daily_consumption_max_power", Kind.MAXIMUM_POWER, FlowDirection.WITHDRAWAL, 36
    ),
    Resource("/metering_data_plc/v5/production_load_curve", Kind.LOAD_CURVE, FlowDirection.INJECTION, 24),
    Resource("/metering_data_dp/v5/daily_production", Kind.DAILY_ENERGY, FlowDirection.INJECTION, 36),
)
HISTORY_DAYS: Final = 15
"""On top of the months."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, checked. `end` is the first day not asked for, and never after `today`."""

    usage_point_id: str
    start: date
    end: date
    asked_end: date
    """As the caller wrote it, unless that is beyond every day that may be asked for."""


_FOURTEEN_DIGITS: Final = re.compile(r"[0-9]{14}")
_PLAIN: Final = re.compile(r"[a-z_]+=[0-9-]+(&[a-z_]+=[0-9-]+){0,7}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def decode_query(query_string: bytes, resource: Resource, *, today: date) -> Query:
    """Read and check the parameters, in the order of the catalogue. Raises `EnedisError`.

    `end` may be today, tomorrow or later, since clients in use send all of them: what has not been yet is
    left out rather than refused. Parameters that the interface does not know are ignored; one that it knows
    may occur once.
    """
    given = _parameters(query_string)
    point = given.get("usage_point_id", "")
    if not point:
        raise catalogue.point_required()
    if not _FOURTEEN_DIGITS.fullmatch(point):
        raise catalogue.point_not_14_digits()
    start = _date(given.get("start", ""), catalogue.start_required, catalogue.start_not_a_date)
    if start > LAST_DAY:
        raise catalogue.start_not_a_date()
    end = _date(given.get("end", ""), catalogue.end_required, catalogue.end_not_a_date)
    if start >= end:
        raise catalogue.start_not_before_end()
    clipped = min(end, today)
    if start < history_starts(today, resource):
        raise catalogue.before_history_deadline()
    if resource.is_curve and (clipped - start).days > LOAD_CURVE_DAYS:
        raise catalogue.more_than_7_days()
    return Query(point, start, clipped, min(end, LAST_DAY + timedelta(days=1)))


@lru_cache(maxsize=64)
def history_starts(today: date, resource: Resource) -> date:
    """The earliest day that may be asked: 24 or 36 months and 15 days ago."""
    return months_from(today, -resource.history_months) - timedelta(days=HISTORY_DAYS)


def encode(
    resource: Resource, *, usage_point_id: str, start: date, end: date, readings: Iterable[bytes]
) -> bytes:
    """The answer's body around readings that are encoded already."""
    head = _HEADS[resource.kind] % (
        usage_point_id.encode(),
        start.isoformat().encode(),
        end.isoformat().encode(),
    )
    return b"".join((head, b",".join(readings), b"]}}"))


@dataclass(slots=True)
class Readings:
    """Encoded readings, a whole day of a curve as one piece of text, and how many values each part of a grant has."""

    encoded: list[bytes] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def add(self, encoded: Iterable[bytes], count: int) -> None:
        """What another part gives."""
        self.encoded += encoded
        self.counts.append(count)


def curve_readings(
    columns: Iterable[Columns], *, stamp: Stamp = Stamp.END, zone: ZoneInfo = PARIS
) -> Iterator[tuple[date, bytes, int]]:
    """The readings of load curves, no more than a day in a piece, and how many; a missing value is left out."""
    for one in columns:
        texts, said = number_texts(numbers(one.values, one.divisor)), one.said.tolist()
        begin, index = one.start, 0
        day = civil_day_of(instant(begin), zone)
        while index < len(texts):
            readings = _day_templates(day, one.resolution, stamp, zone)
            first = (begin - midnight(day, zone)) // one.resolution.seconds
            upto = index + len(readings) - first
            values, there = texts[index:upto], said[index:upto]
            if all(there):
                whole = len(values) == len(readings)
                template = (
                    _day_template(day, one.resolution, stamp, zone)
                    if whole
                    else b",".join(readings[first : first + len(values)])
                )
                yield day, template % tuple(values), len(values)
            elif any(there):
                values = list(compress(values, there))
                yield day, b",".join(compress(readings[first:], there)) % tuple(values), len(values)
            index, day = upto, day + timedelta(days=1)
            begin = midnight(day, zone)


def daily_readings(segments: Iterable[Segment], *, zone: ZoneInfo = PARIS) -> Iterator[bytes]:
    """The readings of daily energy, dated by their civil day, in whole Wh: clients read them as integers.

    A day that is summed from a curve may have a fraction; half a Wh goes to the even neighbour.
    """
    for segment in segments:
        first = segment.first_day(zone)
        for index, value in enumerate(segment.values):
            if value is not None:
                day = first + timedelta(days=index)
                yield _READING % (number(round(value)), day.isoformat().encode())


def maximum_readings(segments: Iterable[Segment], *, zone: ZoneInfo = PARIS) -> Iterator[bytes]:
    """The readings of daily maximum power, dated to the second at which it was reached."""
    for segment in segments:
        for step in segment.steps(zone):
            if step.value is not None:
                yield _READING % (number(step.value), _local(step.observed_at, zone))


def number(value: int | float) -> bytes:
    """A value as the text that Data Connect makes of it: plain digits, decimals only when there are some."""
    return b"%d" % value if isinstance(value, int) else format(Decimal(repr(value)), "f").encode()


def number_texts(values: Sequence[int | float]) -> list[bytes]:
    """The same of many at once."""
    texts = orjson.dumps(values)[1:-1]
    return [number(value) for value in values] if b"e" in texts else texts.split(b",")


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading, decoded: the start of its interval in UTC, or the day, or the instant of a maximum."""

    at: datetime | date
    value: Decimal
    resolution: Resolution | None = None


def decode(body: bytes, *, stamp: Stamp = Stamp.END, zone: ZoneInfo = PARIS) -> list[Reading]:
    """Read a `meter_reading` answer back. Readings must be in order, as they are sent.

    In autumn, 02:30 occurs twice without a word on which is which: the second is the one that does not come
    after the reading before it.
    """
    meter_reading = orjson.loads(body)["meter_reading"]
    decoded: list[Reading] = []
    previous: datetime | None = None
    for raw in meter_reading["interval_reading"]:
        value = Decimal(raw["value"])
        if len(raw["date"]) == 10:
            decoded.append(Reading(date.fromisoformat(raw["date"]), value))
            continue
        previous = _instant(raw["date"], previous, zone)
        if "interval_length" in raw:
            resolution = Resolution.parse(raw["interval_length"])
            length = timedelta(seconds=resolution.seconds if stamp is Stamp.END else 0)
            decoded.append(Reading(previous - length, value, resolution))
        else:
            decoded.append(Reading(previous, value))
    return decoded


_TYPES: Final = {
    Kind.LOAD_CURVE: b'{"unit":"W","measurement_kind":"power","aggregate":"average"}',
    Kind.DAILY_ENERGY: b'{"unit":"Wh","measurement_kind":"energy","aggregate":"sum",'
    b'"measuring_period":"P1D"}',
    Kind.MAXIMUM_POWER: b'{"unit":"VA","measurement_kind":"power","aggregate":"maximum",'
    b'"measuring_period":"P1D"}',
}
_HEADS: Final = {
    kind: b'{"meter_reading":{"usage_point_id":"%b","start":"%b","end":"%b","quality":"BRUT","reading_type":'
    + reading_type
    + b',"interval_reading":['
    for kind, reading_type in _TYPES.items()
}
_READING: Final = b'{"value":"%b","date":"%b"}'
_CURVE_READING: Final = b'{"value":"%b","date":"%b","interval_length":"%b","measure_type":"B"}'


@lru_cache(maxsize=2048)
def _day_template(day: date, resolution: Resolution, stamp: Stamp, zone: ZoneInfo) -> bytes:
    """Every reading of a day, with `%b` where its value goes. About 4 kB for half hours, hence the bound."""
    return b",".join(_day_templates(day, resolution, stamp, zone))


@lru_cache(maxsize=512)
def _day_templates(day: date, resolution: Resolution, stamp: Stamp, zone: ZoneInfo) -> tuple[bytes, ...]:
    """The same one by one."""
    edges = [
        *(slot_start(day, index, resolution, zone) for index in range(slots_in_day(day, resolution, zone))),
        slot_start(day + timedelta(days=1), 0, resolution, zone),
    ]
    stamps = edges[1:] if stamp is Stamp.END else edges[:-1]
    return tuple(_CURVE_READING % (b"%b", _local(at, zone), resolution.iso.encode()) for at in stamps)


def _parameters(query_string: bytes) -> dict[str, str]:
    try:
        text = query_string.decode("ascii")
        if _PLAIN.fullmatch(text):
            # The usual query has nothing to decode, and splitting it takes a third of the time.
            pairs = [(name, value) for name, _, value in (part.partition("=") for part in text.split("&"))]
        else:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise catalogue.malformed() from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise catalogue.malformed()
    return given


def _date(text: str, absent: Any, wrong: Any) -> date:
    if not text:
        raise absent()
    if not _DATE.fullmatch(text):
        raise wrong()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong() from None


def _local(at: datetime, zone: ZoneInfo) -> bytes:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S").encode()


def _instant(text: str, previous: datetime | None, zone: ZoneInfo) -> datetime:
    naive = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    first, second = naive.astimezone(UTC), naive.replace(fold=1).astimezone(UTC)
    return second if previous is not None and first <= previous else first
