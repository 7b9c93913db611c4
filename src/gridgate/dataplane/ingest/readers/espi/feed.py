"""What a feed tells, entry by entry, in whatever order: a ReadingType may come after the readings it describes."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import numpy as np

from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.readers.espi.blocks import UNSAID, About, Block
from gridgate.dataplane.ingest.readers.espi.clock import Clock, clock_of
from gridgate.dataplane.ingest.readers.espi.codes import (
    FORECAST,
    ReadingType,
    Share,
    refusal_of_service,
    refusal_of_type,
)
from gridgate.dataplane.ingest.readers.espi.places import Places
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.dataplane.ingest.xml import line_of, other_namespace

if TYPE_CHECKING:
    from lxml.etree import _Element
from gridgate.dataplane.ingest.readers.espi.elements import (
    ESPI,
    integer,
    local_name,
    milliseconds,
    number_in,
    path_of,
    reading_type_of,
    short,
    type_key,
    worst_quality,
)

_ATOM: Final = "{http://www.w3.org/2005/Atom}"
ELEMENTS: Final = (f"{ESPI}IntervalReading", f"{ESPI}IntervalBlock", f"{_ATOM}entry", f"{_ATOM}updated")
"""What `Feed.take` is given, when each is complete."""
_RESOURCES: Final = ("UsagePoint", "MeterReading", "ReadingType", "IntervalBlock", "LocalTimeParameters")
_CLOCK_UNTOLD: Final = "the feed's LocalTimeParameters do not say what its clock shows, or when it changes"
_CLOCKS_SEVERAL: Final = (
    "the feed has several LocalTimeParameters and does not say which are the usage point's"
)
_CLOCK_ABSENT: Final = "the feed has no LocalTimeParameters, which would say where its days begin"
_OTHER_EXPORT: Final = "Ask the sender for an export with its readings (IntervalBlock)."
_TYPE_DIFFERS: Final = "the feed describes {} more than once, and not alike: the unit is unknown; correct it"


@dataclass(slots=True)
class _UsagePoint:
    id: str
    service: int | None
    clock: str


@dataclass(slots=True)
class _Readings:
    """The columns of the block that is being read."""

    places: Places
    starts: list[int] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    shares: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


class Feed:
    """Give it every element of `ELEMENTS`, then ask for its blocks and what is about each."""

    def __init__(self, notes: Notes) -> None:
        self.blocks: list[Block] = []
        self._shares: dict[Share, int] = {Share(): 0}
        self._abouts: dict[str, About] = {}
        self._notes = notes
        self._entries = 1
        self._readings = 0
        self._updated = 0
        self._blocks_of_entry = 0
        self._of_entry: list[Block] = []
        self._rejected_of_entry: list[tuple[str, str, str]] = []
        self._rejected: list[tuple[tuple[str, str, str], str]] = []
        self._open = _Readings(Places(1, 1))
        self._usage_points: dict[str, _UsagePoint] = {}
        self._written: dict[str, tuple[str, ...]] = {}
        self._type_of: dict[str, str] = {}
        self._types: dict[str, ReadingType] = {}
        self._differing: set[str] = set()
        self._clocks: dict[str, Clock | None] = {}

    def take(self, element: "_Element") -> None:
        if element.tag == f"{ESPI}IntervalReading":
            self._readings += 1
            self._reading(element)
        elif element.tag == f"{ESPI}IntervalBlock":
            self._block(element.find(f"{ESPI}interval"))
        elif element.tag == f"{_ATOM}entry":
            self._entry(element)
        elif (parent := element.getparent()) is not None and parent.getparent() is None:
            self._notes.published_at = milliseconds(element.text)
        else:
            self._updated = milliseconds(element.text) or 0

    @property
    def shares(self) -> list[Share]:
        return list(self._shares)

    def finish(self) -> None:
        """Raises `UnreadableFile` when the feed held no reading at all, with what it held instead."""
        if self._entries == 1:
            raise UnreadableFile(
                f"the feed has no entry of Atom (namespace {_ATOM.strip('{}')})", remedy=_OTHER_EXPORT
            )
        if not self._readings:
            what = "the feed describes meters, bills or customers and has no reading"
            raise UnreadableFile(what, remedy=_OTHER_EXPORT)
        for rejected, meter_reading in self._rejected:
            self._notes.reject(*rejected, meter=self.about(meter_reading).names)

    def about(self, meter_reading: str) -> About:
        """What the feed says of the readings of a MeterReading, once it was read to its end."""
        if meter_reading not in self._abouts:
            self._abouts[meter_reading] = self._about(meter_reading)
        return self._abouts[meter_reading]

    def _about(self, meter_reading: str) -> About:
        if meter_reading not in self._type_of and len(self._type_of) == 1:
            meter_reading = next(iter(self._type_of))
        meter = meter_reading.partition("/MeterReading")[0]
        type_key = self._type_of.get(meter_reading, "")
        reading_type = self._types.get(type_key)
        point = self._usage_points.get(meter)
        refusal = refusal_of_service(point.service) if point else ""
        if not refusal and type_key in self._differing:
            refusal = _TYPE_DIFFERS.format(type_key)
        elif not refusal and reading_type is None:
            refusal = (
                f"no ReadingType describes {short(meter_reading) or 'this reading'}: its unit is unknown"
            )
        elif not refusal and reading_type is not None:
            refusal = refusal_of_type(reading_type)
        clock, fault = self._clock(point)
        return About(meter, self._other_names(meter), reading_type, refusal, clock, fault)

    def _clock(self, point: _UsagePoint | None) -> tuple[Clock | None, str]:
        key = point.clock if point and point.clock in self._clocks else ""
        if not key and len(self._clocks) == 1:
            key = next(iter(self._clocks))
        if key in self._clocks:
            return self._clocks[key], _CLOCK_UNTOLD
        return None, _CLOCKS_SEVERAL if self._clocks else _CLOCK_ABSENT

    def _reading(self, reading: "_Element") -> None:
        told: dict[str, str] = {}
        qualities: list[str] = []
        for child in reading:
            if child.tag == f"{ESPI}ReadingQuality":
                qualities.append(child.findtext(f"{ESPI}quality") or "")
            elif child.tag == f"{ESPI}timePeriod":
                told.update((f"period/{local_name(part)}", (part.text or "").strip()) for part in child)
                told["period"] = "told"
            else:
                told[local_name(child)] = (child.text or "").strip()
        start, length = integer(told.get("period/start")), told.get("period/duration", "")
        number = self._open.places.add(line_of(reading), start)
        text = told.get("value", "")
        if not text:
            self._without_value(told.get("cost", ""), number)
            return
        value, duration = integer(text), integer(length) if length else UNSAID
        quality, share = worst_quality(qualities), self._share(told)
        if value is None:
            reason = f"« {short(text)} » is not a whole number of 48 bits, which ESPI values are; correct it"
        elif start is None and "period" in told:
            reason = "the reading has no readable timePeriod/start; correct it"
        elif duration is None:
            reason = f"timePeriod/duration « {short(length)} » is not a whole number of seconds; correct it"
        elif quality == FORECAST:
            reason = "the reading is a projection (quality 12), not a measurement"
        elif share is None:
            reason = "the tou, consumptionTier or cpp of the reading is not a whole number; correct it"
        else:
            columns = self._open
            columns.starts.append(UNSAID if start is None else start)
            columns.durations.append(duration)
            columns.values.append(value)
            columns.qualities.append(quality)
            columns.shares.append(share)
            columns.numbers.append(number)
            return
        self._reject(number, reason, text)

    def _without_value(self, cost: str, number: int) -> None:
        if cost:
            reason = "the reading has a cost and no value; costs are not kept"
            self._reject(number, reason, cost)
        else:
            self._notes.holes += 1

    def _reject(self, number: int, reason: str, text: str) -> None:
        """Set one reading aside; of which meter it is, is known with its entry, as for those that are taken."""
        self._rejected_of_entry.append((self._open.places.format(number), reason, short(text)))

    def _share(self, told: dict[str, str]) -> int | None:
        """Which share of a tariff the reading is of; None when it says so in no number."""
        texts = [told.get(name, "") for name in ("tou", "consumptionTier", "cpp")]
        if not any(texts):
            return 0
        codes = [integer(text) if text else 0 for text in texts]
        share = Share(*(code for code in codes if code is not None))
        return self._shares.setdefault(share, len(self._shares)) if None not in codes else None

    def _block(self, interval: "_Element | None") -> None:
        """The block is complete; which MeterReading it belongs to is known with its entry."""
        columns = self._open
        begins = integer(interval.findtext(f"{ESPI}start")) if interval is not None else None
        lasts = integer(interval.findtext(f"{ESPI}duration")) if interval is not None else None
        if columns.values:
            self._of_entry.append(
                Block(
                    meter_reading="",
                    starts=np.array(columns.starts, np.int64),
                    durations=np.array(columns.durations, np.int64),
                    values=np.array(columns.values, np.int64),
                    qualities=np.array(columns.qualities, np.int64),
                    shares=np.array(columns.shares, np.int64),
                    numbers=np.array(columns.numbers, np.int64),
                    places=columns.places,
                    begins=begins,
                    lasts=lasts or 0,
                )
            )
        self._blocks_of_entry += 1
        self._open = _Readings(Places(self._entries, self._blocks_of_entry + 1))

    def _entry(self, entry: "_Element") -> None:
        links: dict[str, list[str]] = {}
        for link in entry.iterfind(f"{_ATOM}link"):
            links.setdefault(link.get("rel", ""), []).append(link.get("href", "").strip())
        own_written, up_written = (next(iter(links.get(rel, [])), "") for rel in ("self", "up"))
        related = [path_of(href) for href in links.get("related", [])]
        own = path_of(own_written)
        for resource in entry.iterfind(f"{_ATOM}content/*"):
            try:
                self._resource(entry, resource, own, related)
            except UnreadableFile as error:
                where = f"line {line_of(resource)}, entry {self._entries}"
                raise UnreadableFile(error.message, remedy=error.remedy, where=where) from None
        if self._open.values:  # readings that stand in no IntervalBlock
            self._block(None)
        for written in (own_written, up_written):
            self._remember(written, entry.base)
        meter_reading = path_of(up_written or own_written).partition("/IntervalBlock")[0]
        for block in self._of_entry:
            block.meter_reading = meter_reading
            block.updated = self._updated
        self._rejected += [(rejected, meter_reading) for rejected in self._rejected_of_entry]
        self.blocks += self._of_entry
        self._entries += 1
        self._updated, self._blocks_of_entry = 0, 0
        self._of_entry, self._rejected_of_entry = [], []
        self._open = _Readings(Places(self._entries, 1))

    def _resource(self, entry: "_Element", resource: "_Element", own: str, related: list[str]) -> None:
        namespace, _, name = str(resource.tag).rpartition("}")
        if name in _RESOURCES and f"{namespace}}}" != ESPI:
            raise other_namespace(namespace.removeprefix("{"), ESPI.strip("{}"))
        match name:
            case "UsagePoint":
                id_ = (entry.findtext(f"{_ATOM}id") or "").strip()
                clock = next((href for href in related if "LocalTimeParameters" in href), "")
                self._usage_points[own] = _UsagePoint(
                    id_, number_in(resource, "ServiceCategory", "kind"), clock
                )
            case "MeterReading":
                of_types = [href for href in related if "ReadingType/" in href]
                self._type_of[own] = type_key(of_types[0]) if of_types else ""
            case "ReadingType":
                key, described = type_key(own), reading_type_of(resource)
                if self._types.setdefault(key, described) != described:
                    self._differing.add(key)
            case "LocalTimeParameters":
                self._clocks[own] = clock_of(
                    number_in(resource, "tzOffset"),
                    number_in(resource, "dstOffset"),
                    (resource.findtext(f"{ESPI}dstStartRule") or "").strip(),
                    (resource.findtext(f"{ESPI}dstEndRule") or "").strip(),
                )

    def _remember(self, href: str, base: str | None) -> None:
        """The ways in which the feed writes a usage point, for a mapping to name it by."""
        written = href.partition("/MeterReading")[0].rstrip("/")
        meter = path_of(written)
        if "UsagePoint/" not in meter or meter in self._written:
            return
        try:
            whole = urljoin(base, written) if base else written
            path = urlsplit(whole).path
        except ValueError:  # of brackets that are no address
            whole = path = written
        self._written[meter] = tuple(dict.fromkeys((written, f"/{meter}", whole, path, path.strip("/"))))

    @cached_property
    def _last_parts(self) -> Counter[str]:
        return Counter(href.rpartition("/")[2] for href in self._usage_points)

    def _other_names(self, meter: str) -> tuple[str, ...]:
        last = meter.rpartition("/")[2]
        alone = self._last_parts[last] <= 1
        id_ = self._usage_points[meter].id if meter in self._usage_points else ""
        names = (id_.removeprefix("urn:uuid:"), last if alone else "", *self._written.get(meter, ()), id_)
        return tuple(dict.fromkeys(name for name in names if name and name != meter))
