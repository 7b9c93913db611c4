"""One read, from what was granted to the answer: the same for every façade and for the screens.

The store is asked only for what the decision allows; what comes back is no finer than the line allows; what
is missing is told with its reason.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.sharing import Granted, MissingReason, Wanted
from gridgate.core.time import Interval
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.dataplane.query.coverage import coverage
from gridgate.dataplane.reading.absence import by_collection, explained, with_incomplete
from gridgate.dataplane.reading.aside import opposed_by_the_reader, without_set_aside
from gridgate.dataplane.reading.days import columns_of_days, read_days, read_packed, segments_of
from gridgate.dataplane.registry.port import PointFacts
from gridgate.dataplane.store.port import MeasurementStore

_BOTH_WAYS = bits(FlowDirection)


def answer(
    store: MeasurementStore,
    wanted: Wanted,
    granted: Granted,
    *,
    point: PointFacts,
    zone: ZoneInfo,
) -> Answer:
    """Read what `granted` allows of `wanted`. Raises `StoreUnavailable`."""
    parts, at = granted.parts, wanted.at
    start, end = parts[0].readable.start, parts[-1].readable.end or at
    readable = [Interval(part.readable.start, part.readable.end or at) for part in parts]
    of_parts, incomplete = [], set[date]()
    for part, whole in zip(parts, readable, strict=True):
        if wanted.kind is Kind.LOAD_CURVE:
            of_parts.append(curve_of(store, wanted, part, zone=zone))
        else:
            blocks, days = read_days(store, wanted, whole, zone=zone)
            of_parts.append(segments_of(blocks, wanted, part.line, whole, zone=zone))
            incomplete |= days
    segments = in_order(of_parts)
    requested = Interval(wanted.period.start, wanted.period.end or at)
    available, missing = coverage(
        segments,
        requested=requested,
        at=at,
        zone=zone,
        explained=explained(wanted, requested, granted, point=point, segments=segments, zone=zone),
    )
    curve = all(part.line.kinds & Kind.LOAD_CURVE.bit for part in parts)
    missing, set_aside = without_set_aside(
        store,
        wanted,
        missing,
        readable=readable,
        unsaid=all(part.line.directions == _BOTH_WAYS for part in parts),
        curve=curve,
        opposed=opposed_by_the_reader(point, granted, zone),
        zone=zone,
    )
    if curve and incomplete:
        missing = with_incomplete(missing, incomplete, readable=readable, at=at, zone=zone)
    if wanted.kind is Kind.LOAD_CURVE:
        missing = by_collection(store, wanted, missing, point, granted, zone)
    return Answer(
        metering_point=wanted.metering_point,
        kind=wanted.kind,
        direction=wanted.direction,
        unit=wanted.kind.unit,
        start=start,
        end=end,
        segments=segments,
        requested=requested,
        available=available,
        missing=missing,
        set_aside=set_aside,
        counts=[sum(segment.count for segment in part) for part in of_parts],
    )


def curve_of(store: MeasurementStore, wanted: Wanted, part: Granted, *, zone: ZoneInfo) -> list[Segment]:
    """What one part of a grant allows of a load curve. Raises `StoreUnavailable`."""
    readable = Interval(part.readable.start, part.readable.end or wanted.at)
    packed = read_packed(store, wanted, readable, zone=zone)
    return [one.segment() for one in columns_of_days(packed, wanted, part.line, readable, zone=zone)]


def in_order(of_parts: Sequence[list[Segment]]) -> list[Segment]:
    """The segments of all parts of a grant, by register, then time."""
    if len(of_parts) == 1:
        return of_parts[0]
    return sorted(chain.from_iterable(of_parts), key=lambda segment: (segment.register, segment.start))


def nothing_readable(wanted: Wanted, reason: MissingReason) -> Answer:
    """The answer to a reader who has a line on the point, but none that reaches the period asked for."""
    period = Interval(
        wanted.period.start, wanted.period.end or max(wanted.at, wanted.period.start + timedelta(days=1))
    )
    assert period.end is not None
    return Answer(
        metering_point=wanted.metering_point,
        kind=wanted.kind,
        direction=wanted.direction,
        unit=wanted.kind.unit,
        start=period.start,
        end=period.start,
        segments=[],
        requested=period,
        missing=[Missing(period.start, period.end, reason)],
    )
