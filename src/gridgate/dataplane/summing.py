"""One read of many points, from the decisions to the sum: the same for the API and for the screens.

Each point is decided and logged as if it were read alone, and what may be read of it is all that enters the sum. Points
of which one line says the same are decided once, and their lines of the log differ in two places: so a company of
50,000 points does not cost 50,000 of each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, groupby, repeat
from operator import itemgetter
from secrets import token_hex
from zoneinfo import ZoneInfo

import numpy as np
import orjson

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.core.sharing import AccessLine, Granted, RefusalReason, Refused, Wanted, decide
from gridgate.core.time import Interval, Resolution
from gridgate.dataplane.accesslog.entry import Encoded, Entry
from gridgate.dataplane.query.aggregate import Period
from gridgate.dataplane.query.days import epoch, epoch_up
from gridgate.dataplane.query.sums.energy import sum_of_energy
from gridgate.dataplane.query.sums.parts import Parts, Span
from gridgate.dataplane.query.sums.power import sum_of_power
from gridgate.dataplane.query.sums.tally import Sums
from gridgate.dataplane.reading.days import epoch_milliseconds
from gridgate.dataplane.reading.log_lines import entries
from gridgate.dataplane.reading.reader import Reader
from gridgate.dataplane.registry.port import PointFacts
from gridgate.dataplane.store.port import MeasurementStore


@dataclass(frozen=True, slots=True)
class SumAsked:
    """The power of steps shorter than a day, or the energy of civil periods."""

    direction: FlowDirection
    period: Interval
    step: Resolution | Period
    as_of: datetime | None = None
    """As it was known then; None: as it is known."""

    @property
    def kind(self) -> Kind:
        return Kind.LOAD_CURVE if isinstance(self.step, Resolution) else Kind.DAILY_ENERGY

    def wanted(self, metering_point: str, at: datetime) -> Wanted:
        """The read of one of the points alone."""
        step = self.step if isinstance(self.step, Resolution) else None
        return Wanted(metering_point, self.kind, self.direction, self.period, at, step, self.as_of)


@dataclass(frozen=True, slots=True)
class Decided:
    """The verdict on each point, in the order in which they were asked for."""

    granted: dict[str, Granted] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)

    def parts(self, at: datetime, groups: Mapping[str, int]) -> Parts:
        """What may be read, one for each part of each grant; points that are in no group are in the first."""
        spans: dict[tuple[Span, ...], int] = {}
        named: list[str] = []
        which: list[int] = []
        for verdict, points in _runs(self.granted):
            each = [spans.setdefault((_span(part.readable, at),), len(spans)) for part in verdict.parts]
            named += points if len(each) == 1 else [point for point in points for _ in each]
            which += each * len(points)
        group = map(groups.get, named, repeat(0))
        return Parts(named, list(spans), np.array(which, np.int64), np.fromiter(group, np.int64, len(named)))


def decide_each(
    asked: SumAsked,
    metering_points: Sequence[str],
    lines: Mapping[str, tuple[AccessLine, ...]],
    *,
    at: datetime,
) -> Decided:
    """Decide each point once; those that share a tuple of lines, together."""
    none: tuple[AccessLine, ...] = ()
    of_points = [lines.get(point, none) for point in metering_points]
    one_of = {id(of_point): place for place, of_point in enumerate(of_points)}
    verdicts = {
        which: decide(asked.wanted(metering_points[place], at), of_points[place])
        for which, place in one_of.items()
    }
    decided = [verdicts[id(of_point)] for of_point in of_points]
    return Decided(
        {point: one for point, one in zip(metering_points, decided, strict=True) if isinstance(one, Granted)},
        {point: one for point, one in zip(metering_points, decided, strict=True) if isinstance(one, Refused)},
    )


def _runs(granted: Mapping[str, Granted]) -> Iterator[tuple[Granted, list[str]]]:
    """Points in a row that one verdict grants, in their order."""
    each = zip(granted, map(id, granted.values()), strict=True)
    for _, run in groupby(each, key=itemgetter(1)):
        points = [point for point, _ in run]
        yield granted[points[0]], points


def add_up(
    store: MeasurementStore,
    asked: SumAsked,
    parts: Parts,
    *,
    at: datetime,
    zone: ZoneInfo,
    groups: int = 1,
) -> Sums:
    """Sum what the parts allow, all as the store shows it at one instant. The store is the caller's alone meanwhile.

    Raises `StoreUnavailable`.
    """
    start, end = asked.period.start, asked.period.end or at
    as_of = None if asked.as_of is None else epoch_milliseconds(asked.as_of)
    with store.snapshot():
        if isinstance(asked.step, Resolution):
            return sum_of_power(
                store,
                parts,
                asked.direction,
                start=start,
                end=end,
                step=asked.step,
                until=at,
                zone=zone,
                groups=groups,
                as_of=as_of,
            )
        return sum_of_energy(
            store,
            parts,
            asked.direction,
            start=start,
            end=end,
            period=asked.step,
            until=at,
            zone=zone,
            groups=groups,
            as_of=as_of,
        )


def log_entries(
    reader: Reader,
    asked: SumAsked,
    decided: Decided,
    *,
    channel: str,
    at: datetime,
    counts: Sequence[int] = (),
    facts: Mapping[str, PointFacts] | None = None,
) -> list[Entry | Encoded]:
    """The lines of the access log: for each point those that a read of it alone would leave.

    `counts` are the values of each part, in the order of `Decided.parts`; `facts` who is shown a refusal.
    """
    bodies: list[bytes] = []
    left = chain(counts, repeat(0))
    templates: dict[int, list[_Template]] = {}
    for verdict, points in _runs(decided.granted):
        of_verdict = templates.get(id(verdict))
        if of_verdict is None:
            of_verdict = templates[id(verdict)] = [
                _Template(reader, asked, part, channel, at) for part in verdict.parts
            ]
        names = _encoded(points)
        if len(of_verdict) == 1:
            head, tails = of_verdict[0].head, of_verdict[0].tails
            bodies += [head + name + tails[next(left)] for name in names]
        else:
            bodies += [one.head + name + one.tails[next(left)] for name in names for one in of_verdict]
    lines: list[Entry | Encoded] = [Encoded(at, bodies)] if bodies else []
    for point, refused in decided.refused.items():
        about = None if facts is None else facts.get(point)
        lines += entries(reader, asked.wanted(point, at), refused, channel=channel, point=about)
    return lines


def is_unknown(reason: RefusalReason) -> bool:
    """Whether the reader has no line on the point at the time, so that it looks to them as if it did not exist."""
    return reason in (RefusalReason.NO_PERMISSION, RefusalReason.NOT_YET_VALID, RefusalReason.EXPIRED)


class _Template:
    """The lines of points that were granted the same: cut where they name the point and the number of its values."""

    def __init__(self, reader: Reader, asked: SumAsked, part: Granted, channel: str, at: datetime) -> None:
        mark = token_hex(16)
        (entry,) = entries(reader, asked.wanted(mark, at), part, channel=channel, point=None, counts=[0])
        self.head, _, rest = entry.encode().partition(b'"%b"' % mark.encode())
        middle, _, end = rest.rpartition(b'"values":0')
        self.tails = _Tails(middle + b'"values":', end)


class _Tails(dict[int, bytes]):
    """What follows the point, by the number of values, of which few differ."""

    def __init__(self, before: bytes, after: bytes) -> None:
        self._before, self._after = before, after

    def __missing__(self, values: int) -> bytes:
        tail = self[values] = b"%b%d%b" % (self._before, values, self._after)
        return tail


def _encoded(points: Sequence[str]) -> list[bytes]:
    """Each as JSON.

    >>> _encoded(["17X-0", "a,b"])
    [b'"17X-0"', b'"a,b"']
    """
    together = orjson.dumps(points)[1:-1].split(b",")
    return together if len(together) == len(points) else [orjson.dumps(point) for point in points]


def _span(readable: Interval, at: datetime) -> tuple[int, int]:
    return epoch_up(readable.start), epoch(readable.end or at)
