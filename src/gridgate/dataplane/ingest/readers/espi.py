"""Green Button: NAESB REQ.21 ESPI in Atom, versions 1.1 to 4.0 (the elements read here are the same in all).

What is decided here, and by which rule of `espi.xsd` (v4.0):

- An `IntervalReading` covers `[start, start + duration)`; `start` is an instant, so clock changes need no
  care.
- `uom` 72 (Wh) with `accumulationBehaviour` 4 (deltaData) or 0 is the energy of the interval: a load curve
  for steps of 5 to 60 minutes, the daily energy when the interval is a civil day of the feed's own clock
  (`LocalTimeParameters`). With 1, 2, 3 or 9 (registers that count up) it is a register reading at the end of
  the interval.
- `uom` 38 (W) is mean power, unless `dataQualifier` says maximum or minimum; `uom` 61 (VA) with
  `dataQualifier` 8 (maximum) over a day is the maximum power. Everything else is rejected, value by value.
- `flowDirection` 1 (forward, delivered) is withdrawal, 19 (reverse, received) injection; 0 or none leaves it
  to the metering point; net, total and reactive quadrants are rejected: they are not what a meter has counted
  one way.
- `powerOfTenMultiplier` applies to every value. `QualityOfReading` 0, 14, 17, 18, 19 is measured, 7 (edited
  by a person) corrected, 12 (projected) no measurement, any other estimated.
- Costs and summaries for billing are not measurements and are passed over; a reading with a cost only is
  rejected.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.dataplane.ingest.columns import Columns, observe
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.decimals import Numbers
from gridgate.dataplane.ingest.local_time import DAY
from gridgate.dataplane.ingest.port import Notes, Observations, Stamp
from gridgate.dataplane.ingest.stamps import Stamps
from gridgate.dataplane.ingest.xml import elements, line_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_ESPI: Final = "{http://naesb.org/espi}"
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_FORECAST: Final = 12
_QUALITIES: Final = {
    **dict.fromkeys((0, 14, 17, 18, 19), Quality.MEASURED),
    7: Quality.CORRECTED,
    **dict.fromkeys((8, 9, 10, 11, 13, 15, 16), Quality.ESTIMATED),
}
_DIRECTIONS: Final = {1: FlowDirection.WITHDRAWAL, 19: FlowDirection.INJECTION, 0: None, None: None}
_ELECTRICITY: Final = (None, 0, 1, 2, 26)
_COMMODITIES: Final = {
    7: "natural gas",
    8: "propane",
    9: "drinking water",
    10: "steam",
    12: "heat",
    13: "cold",
    14: "water",
}
_SERVICES: Final = {
    1: "gas",
    2: "water",
    4: "heat",
    5: "refuse",
    6: "sewerage",
    7: "rates",
    8: "television",
    9: "internet",
}
_UNITS: Final = {
    71: "VAh",
    73: "VArh",
    63: "VAr",
    29: "V",
    5: "A",
    80: "money",
    132: "BTU",
    169: "therm",
    119: "ft³",
    42: "m³",
}
_COUNTS_UP: Final = (1, 2, 3, 9)
_MAXIMUM: Final = 8
_LARGEST_INT64: Final = 2**63 - 1


class EspiReader:
    """Green Button, as « Download My Data » and the batch resources of « Connect My Data » give it."""

    name: ClassVar[str] = "espi"
    title: ClassVar[str] = "Green Button (NAESB ESPI, Atom XML)"

    def recognises(self, content: Content) -> bool:
        return content.xml_root in ("feed", "entry") and b"http://naesb.org/espi" in content.head

    def read(self, content: Content, notes: Notes) -> Iterator[Observations]:
        feed = _Feed(notes)
        tags = [f"{_ESPI}IntervalReading", f"{_ATOM}entry", f"{_ATOM}updated"]
        for element in elements(content, tags):
            feed.take(element)
        yield from feed.observations()


READER: Final = EspiReader()


@dataclass(slots=True)
class _ReadingType:
    unit: int | None
    multiplier: int
    accumulation: int | None
    qualifier: int | None
    flow: int | None
    commodity: int | None


@dataclass(slots=True)
class _UsagePoint:
    uuid: str
    service: int | None


@dataclass(slots=True)
class _Readings:
    """The columns of one entry's interval blocks."""

    starts: list[int] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Block:
    """The same once complete: five columns of int64."""

    meter_reading: str
    columns: NDArray[np.int64]


class _Feed:
    """What a feed tells, in whatever order: a ReadingType may come after the readings it describes."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._open = _Readings()
        self._blocks: list[_Block] = []
        self._usage_points: dict[str, _UsagePoint] = {}
        self._type_of: dict[str, str] = {}
        self._types: dict[str, _ReadingType] = {}
        self._offsets: tuple[int, ...] = ()

    def take(self, element: "_Element") -> None:
        if element.tag == f"{_ESPI}IntervalReading":
            self._reading(element)
        elif element.tag == f"{_ATOM}entry":
            self._entry(element)
        elif (parent := element.getparent()) is not None and parent.tag == f"{_ATOM}feed":
            self._notes.published_at = _milliseconds(element.text)

    def observations(self) -> Iterator[Observations]:
        for block in self._blocks:
            yield from self._of_block(block)

    def _reading(self, reading: "_Element") -> None:
        line = f"line {line_of(reading)}"
        text = (reading.findtext(f"{_ESPI}value") or "").strip()
        period = reading.find(f"{_ESPI}timePeriod")
        if not text:
            cost = (reading.findtext(f"{_ESPI}cost") or "").strip()
            if cost:
                self._notes.reject(line, "the reading has a cost and no value; costs are not kept", cost)
            else:
                self._notes.holes += 1
            return
        value = _integer(text)
        start = _integer(period.findtext(f"{_ESPI}start")) if period is not None else None
        duration = _integer(period.findtext(f"{_ESPI}duration")) if period is not None else None
        quality = self._quality(reading)
        if value is None:
            self._notes.reject(
                line, f"« {text} » is not a whole number, which ESPI values are; correct it", text
            )
        elif start is None:
            self._notes.reject(line, "the reading has no readable timePeriod/start; correct it", text)
        elif quality == _FORECAST:
            self._notes.reject(line, "the reading is a projection (quality 12), not a measurement", text)
        else:
            columns = self._open
            columns.starts.append(start)
            columns.durations.append(duration if duration is not None else 0)
            columns.values.append(value)
            columns.qualities.append(_QUALITIES.get(quality, Quality.ESTIMATED))
            columns.lines.append(line_of(reading))

    def _quality(self, reading: "_Element") -> int:
        codes = [
            _integer(found.text) or 0 for found in reading.iterfind(f"{_ESPI}ReadingQuality/{_ESPI}quality")
        ]
        return max(
            codes, key=lambda code: (code == _FORECAST, _QUALITIES.get(code, Quality.ESTIMATED)), default=0
        )

    def _entry(self, entry: "_Element") -> None:
        links: dict[str, list[str]] = {}
        for link in entry.iterfind(f"{_ATOM}link"):
            links.setdefault(link.get("rel", ""), []).append(_path(link.get("href", "")))
        own = next(iter(links.get("self", [])), "")
        for resource in entry.iterfind(f"{_ATOM}content/*"):
            match str(resource.tag).removeprefix(_ESPI):
                case "UsagePoint":
                    uuid = (entry.findtext(f"{_ATOM}id") or "").strip().removeprefix("urn:uuid:")
                    self._usage_points[own] = _UsagePoint(uuid, _number(resource, "ServiceCategory", "kind"))
                case "MeterReading":
                    of_types = [href for href in links.get("related", []) if "ReadingType/" in href]
                    self._type_of[own] = _type_key(of_types[0]) if of_types else ""
                case "ReadingType":
                    self._types[_type_key(own)] = _reading_type(resource)
                case "LocalTimeParameters":
                    zone, summer = _number(resource, "tzOffset") or 0, _number(resource, "dstOffset") or 0
                    self._offsets = (zone, zone + summer)
        self._close(next(iter(links.get("up", [])), "") or own)

    def _close(self, link: str) -> None:
        columns = self._open
        if columns.values:
            as_array = np.array(
                [columns.starts, columns.durations, columns.values, columns.qualities, columns.lines],
                np.int64,
            )
            self._blocks.append(_Block(link.partition("/IntervalBlock")[0], as_array))
        self._open = _Readings()

    def _of_block(self, block: _Block) -> Iterator[Observations]:
        reading_type, point, refusal = self._about(block.meter_reading)
        starts, durations, values, qualities, lines = block.columns
        if reading_type is None or refusal:
            for value, line in zip(values.tolist(), lines.tolist(), strict=True):
                self._notes.reject(f"line {line}", refusal, str(value))
            return
        kind, unit = _kind_and_unit(reading_type)
        other_names, direction = self._other_names(point), _DIRECTIONS[reading_type.flow]

        def batch(
            kind: Kind, stamp: Stamp, times: NDArray[np.int64], wall: bool, rows: NDArray[np.bool_]
        ) -> Observations | None:
            count = int(rows.sum())
            return observe(
                Columns(
                    meter=point,
                    also_known_as=other_names,
                    direction=direction,
                    unit=unit,
                    exponent=reading_type.multiplier,
                    kind=kind,
                    stamp=stamp,
                    stamps=Stamps(times[rows], np.full(count, wall), np.ones(count, bool)),
                    values=Numbers(values[rows], 0, np.ones(count, bool), np.zeros(count, bool)),
                    raw=pl.Series(values[rows]).cast(pl.String),
                    rows=lines[rows],
                    steps=durations[rows],
                    quality=qualities[rows].astype(np.uint8),
                ),
                self._notes,
            )

        found: list[Observations | None] = []
        everything = durations > 0
        if kind is Kind.REGISTER_READING:
            everything = durations >= 0
        self._reject_rows(
            block, ~everything, "the interval has no length: it covers no time; ask the source to correct it"
        )
        if kind is Kind.REGISTER_READING:
            found.append(batch(kind, Stamp.MOMENT, starts + durations, False, everything))
        else:
            of_days = (durations >= DAY - 3600) & (durations <= DAY + 3600)
            days, wall, whole = self._civil_days(starts, durations)
            for_days = Kind.DAILY_ENERGY if kind is Kind.LOAD_CURVE else kind
            if unit == "W":
                self._reject_rows(
                    block,
                    of_days,
                    "the mean power of a whole day is no step of a load curve (5 to 60 minutes)",
                )
            else:
                found.append(batch(for_days, Stamp.DAY, days, wall, of_days & whole))
                self._reject_part_days(block, of_days & ~whole)
            if kind is Kind.LOAD_CURVE:
                rest = everything & ~of_days
                found.append(batch(kind, Stamp.START, starts, False, rest))
            else:
                self._reject_short(block, everything & ~of_days)
        yield from (observations for observations in found if observations is not None)

    def _about(self, meter_reading: str) -> tuple[_ReadingType | None, str, str]:
        """The reading type and the usage point of a MeterReading, and why its values are refused, if they
        are."""
        if meter_reading not in self._type_of and len(self._type_of) == 1:
            meter_reading = next(iter(self._type_of))
        point = meter_reading.partition("/MeterReading")[0]
        reading_type = self._types.get(self._type_of.get(meter_reading, ""))
        service = self._usage_points[point].service if point in self._usage_points else None
        if service not in (None, 0):
            named = _SERVICES.get(service, "another service")
            return (
                None,
                point,
                f"the usage point is for {named} (ServiceCategory {service}); only electricity is kept",
            )
        if reading_type is None:
            return (
                None,
                point,
                f"no ReadingType describes {meter_reading or 'this reading'}: its unit is unknown",
            )
        return reading_type, point, _refusal(reading_type)

    def _civil_days(
        self, starts: NDArray[np.int64], durations: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], bool, NDArray[np.bool_]]:
        """The civil day of each interval: by the feed's clock when it tells, else by ours (checked further
        on)."""
        if not self._offsets:
            return starts, False, np.ones(len(starts), bool)
        days, begins, ends = starts.copy(), np.zeros(len(starts), bool), np.zeros(len(starts), bool)
        for offset in self._offsets:
            at_midnight = (starts + offset) % DAY == 0
            days[at_midnight] = starts[at_midnight] + offset
            begins |= at_midnight
            ends |= (starts + durations + offset) % DAY == 0
        return days, True, begins & ends

    def _reject_part_days(self, block: _Block, rows: NDArray[np.bool_]) -> None:
        reason = "the interval is as long as a day but is no civil day by the feed's LocalTimeParameters"
        self._reject_rows(block, rows, reason)

    def _reject_short(self, block: _Block, rows: NDArray[np.bool_]) -> None:
        self._reject_rows(
            block, rows, "the maximum is of an interval that is no civil day; only daily maxima are kept"
        )

    def _reject_rows(self, block: _Block, rows: NDArray[np.bool_], reason: str) -> None:
        for value, line in zip(block.columns[2][rows].tolist(), block.columns[4][rows].tolist(), strict=True):
            self._notes.reject(f"line {line}", reason, str(value))

    def _other_names(self, point: str) -> tuple[str, ...]:
        last = point.rpartition("/")[2]
        alone = sum(href.rpartition("/")[2] == last for href in self._usage_points) <= 1
        uuid = self._usage_points[point].uuid if point in self._usage_points else ""
        return tuple(name for name in (uuid, last if alone else "") if name and name != point)


def _reading_type(element: "_Element") -> _ReadingType:
    return _ReadingType(
        unit=_number(element, "uom"),
        multiplier=_number(element, "powerOfTenMultiplier") or 0,
        accumulation=_number(element, "accumulationBehaviour"),
        qualifier=_number(element, "dataQualifier"),
        flow=_number(element, "flowDirection"),
        commodity=_number(element, "commodity"),
    )


def _refusal(reading_type: _ReadingType) -> str:
    if reading_type.commodity not in _ELECTRICITY:
        named = _COMMODITIES.get(reading_type.commodity or 0, "another commodity")
        return f"the values are of {named} (commodity {reading_type.commodity}); only electricity is kept"
    if reading_type.flow not in _DIRECTIONS:
        return f"flowDirection {reading_type.flow} is neither delivered (1) nor received (19): not kept"
    if not -9 <= reading_type.multiplier <= 9:
        return f"powerOfTenMultiplier {reading_type.multiplier} is none that ESPI has (-9 to 9)"
    if reading_type.unit == 72:
        return ""
    if reading_type.unit == 38:
        extreme = reading_type.qualifier in (8, 9, 16, 17, 23, 24, 25)
        return "the values are extremes of power in W; of maxima only those in VA are kept" if extreme else ""
    if reading_type.unit == 61:
        return (
            ""
            if reading_type.qualifier == _MAXIMUM
            else "of values in VA only maxima (dataQualifier 8) are kept"
        )
    named = _UNITS.get(reading_type.unit or 0, "another unit")
    return f"the values are in {named} (uom {reading_type.unit}); Wh (72), W (38) and VA (61) are kept"


def _kind_and_unit(reading_type: _ReadingType) -> tuple[Kind, str]:
    match reading_type.unit:
        case 72:
            return (
                Kind.REGISTER_READING if reading_type.accumulation in _COUNTS_UP else Kind.LOAD_CURVE
            ), "Wh"
        case 38:
            return Kind.LOAD_CURVE, "W"
        case _:
            return Kind.MAXIMUM_POWER, "VA"


def _number(element: "_Element", *path: str) -> int | None:
    return _integer(element.findtext("/".join(f"{_ESPI}{name}" for name in path)))


def _integer(text: str | None) -> int | None:
    try:
        number = int((text or "").strip())
    except ValueError:
        return None
    return number if -_LARGEST_INT64 <= number <= _LARGEST_INT64 else None


def _path(href: str) -> str:
    """A link without host and API prefix, so that absolute and relative links to one resource are equal."""
    path = href.partition("://")[2].partition("/")[2] if "://" in href else href
    return path.rpartition("/resource/")[2].strip("/")


def _type_key(href: str) -> str:
    return href[href.rfind("ReadingType/") :] if "ReadingType/" in href else href


def _milliseconds(text: str | None) -> int | None:
    try:
        instant = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return int(instant.timestamp() * 1000) if instant.tzinfo is not None else None
