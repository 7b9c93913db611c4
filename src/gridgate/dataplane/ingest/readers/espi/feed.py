"""What a feed tells, entry by entry, in whatever order: a ReadingType may come after the readings it describes."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gridgate.dataplane.ingest.port import Notes, UnreadableFile
from gridgate.dataplane.ingest.readers.espi.codes import (
    FORECAST,
    ReadingType,
    quality_of,
    refusal_of_service,
    refusal_of_type,
)
from gridgate.dataplane.ingest.xml import line_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_ESPI: Final = "{http://naesb.org/espi}"
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
ELEMENTS: Final = (f"{_ESPI}IntervalReading", f"{_ATOM}entry", f"{_ATOM}updated")
"""What `Feed.take` is given, when each is complete."""
_LARGEST: Final = 2**47
"""ESPI's integers have 48 bits; sums of a few of these fit in 64."""
_DIGITS: Final = re.compile(r"[+-]?[0-9]{1,40}")
"""As XML Schema writes an integer, which `int` alone does not hold to."""


@dataclass(slots=True)
class Block:
    """The readings of one entry, column by column."""

    meter_reading: str
    starts: NDArray[np.int64]
    durations: NDArray[np.int64]
    values: NDArray[np.int64]
    qualities: NDArray[np.int64]
    lines: NDArray[np.int64]


@dataclass(slots=True)
class About:
    """What the rest of the feed says of a block."""

    meter: str
    other_names: tuple[str, ...]
    reading_type: ReadingType | None
    refusal: str
    """Why none of its values is taken; empty when they are."""
    clock: tuple[int, ...]
    """Offsets from UTC that the feed's own clock has, in seconds; empty when it does not say."""


@dataclass(slots=True)
class _UsagePoint:
    uuid: str
    service: int | None


@dataclass(slots=True)
class _Readings:
    """The columns of the entry that is being read."""

    starts: list[int] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


class Feed:
    """Give it every element of `ELEMENTS`, then ask for its blocks and what is about each."""

    def __init__(self, notes: Notes) -> None:
        self.blocks: list[Block] = []
        self._notes = notes
        self._open = _Readings()
        self._usage_points: dict[str, _UsagePoint] = {}
        self._type_of: dict[str, str] = {}
        self._types: dict[str, ReadingType] = {}
        self._clock: tuple[int, ...] = ()

    def take(self, element: "_Element") -> None:
        if element.tag == f"{_ESPI}IntervalReading":
            self._reading(element)
        elif element.tag == f"{_ATOM}entry":
            self._entry(element)
        elif (parent := element.getparent()) is not None and parent.tag == f"{_ATOM}feed":
            self._notes.published_at = _milliseconds(element.text)

    def about(self, block: Block) -> About:
        """What the feed says of a block, once it was read to its end."""
        meter_reading = block.meter_reading
        if meter_reading not in self._type_of and len(self._type_of) == 1:
            meter_reading = next(iter(self._type_of))
        meter = meter_reading.partition("/MeterReading")[0]
        reading_type = self._types.get(self._type_of.get(meter_reading, ""))
        point = self._usage_points.get(meter)
        refusal = refusal_of_service(point.service) if point else ""
        if not refusal and reading_type is None:
            refusal = f"no ReadingType describes {meter_reading or 'this reading'}: its unit is unknown"
        elif not refusal and reading_type is not None:
            refusal = refusal_of_type(reading_type)
        return About(meter, self._other_names(meter), reading_type, refusal, self._clock)

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
        length = ((period.findtext(f"{_ESPI}duration") if period is not None else None) or "").strip()
        duration = _integer(length) if length else 0
        quality = _quality(reading)
        if value is None:
            self._notes.reject(
                line, f"« {text} » is not a whole number of 48 bits, which ESPI values are; correct it", text
            )
        elif start is None:
            self._notes.reject(line, "the reading has no readable timePeriod/start; correct it", text)
        elif duration is None:
            self._notes.reject(
                line, f"timePeriod/duration « {length} » is not a whole number of seconds; correct it", text
            )
        elif quality == FORECAST:
            self._notes.reject(line, "the reading is a projection (quality 12), not a measurement", text)
        else:
            columns = self._open
            columns.starts.append(start)
            columns.durations.append(duration)
            columns.values.append(value)
            columns.qualities.append(quality_of(quality))
            columns.lines.append(line_of(reading))

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
                    self._clock = (zone, zone + summer)
        self._close(next(iter(links.get("up", [])), "") or own)

    def _close(self, link: str) -> None:
        """The entry is complete: its readings belong to the MeterReading that its link leads up to."""
        columns = self._open
        if columns.values:
            arrays = (
                np.array(column, np.int64)
                for column in (
                    columns.starts,
                    columns.durations,
                    columns.values,
                    columns.qualities,
                    columns.lines,
                )
            )
            self.blocks.append(Block(link.partition("/IntervalBlock")[0], *arrays))
        self._open = _Readings()

    def _other_names(self, meter: str) -> tuple[str, ...]:
        last = meter.rpartition("/")[2]
        alone = sum(href.rpartition("/")[2] == last for href in self._usage_points) <= 1
        uuid = self._usage_points[meter].uuid if meter in self._usage_points else ""
        return tuple(name for name in (uuid, last if alone else "") if name and name != meter)


def _quality(reading: "_Element") -> int:
    """The least certain of the qualities that a reading bears."""
    texts = [quality.text or "" for quality in reading.iterfind(f"{_ESPI}ReadingQuality/{_ESPI}quality")]
    numbers = [_integer(text) for text in texts if text.strip()]
    codes = [-1 if number is None else number for number in numbers]  # no code of ESPI's, so not known here
    return max(codes, key=lambda code: (code == FORECAST, quality_of(code)), default=0)


def _reading_type(element: "_Element") -> ReadingType:
    return ReadingType(
        unit=_number(element, "uom"),
        multiplier=_number(element, "powerOfTenMultiplier") or 0,
        accumulation=_number(element, "accumulationBehaviour"),
        qualifier=_number(element, "dataQualifier"),
        flow=_number(element, "flowDirection"),
        commodity=_number(element, "commodity"),
    )


def _number(element: "_Element", *path: str) -> int | None:
    """The number at that path, None where there is none. Raises `UnreadableFile` for what is no number: whatever it
    describes would be read as if it were not said.
    """
    text = (element.findtext("/".join(f"{_ESPI}{name}" for name in path)) or "").strip()
    number = _integer(text)
    if text and number is None:
        raise UnreadableFile(
            f"{'/'.join(path)} « {text} » is not a whole number of 48 bits",
            remedy="Correct it.",
            where=f"line {line_of(element)}",
        )
    return number


def _integer(text: str | None) -> int | None:
    digits = (text or "").strip()
    if not _DIGITS.fullmatch(digits):
        return None
    number = int(digits)
    return number if -_LARGEST <= number < _LARGEST else None


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
