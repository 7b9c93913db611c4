"""One read, from the decision to the answer: the same for every façade and for the screens.

The store is asked only for what the decision allows; what comes back is no finer than the line allows; what
is missing is told with its reason.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.quantities import FlowDirection, Kind, Quality, bits
from gridgate.core.sharing import AccessLine, Basis, Granted, RefusalReason, Refused
from gridgate.core.time import Interval, Resolution, civil_day_bounds, civil_day_of, days_between
from gridgate.dataplane.accesslog import AccessEntry
from gridgate.dataplane.accesslog.entry import GRANTED
from gridgate.dataplane.query.aggregate import Period, totals
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.dataplane.query.assemble import assemble, columns_of, columns_of_packed
from gridgate.dataplane.query.columns import Columns
from gridgate.dataplane.query.coverage import FUTURE, INCOMPLETE, NOT_RECEIVED, coverage, without
from gridgate.dataplane.query.resample import resample
from gridgate.dataplane.query.set_aside import in_part, told_apart
from gridgate.dataplane.registry.port import PointFacts
from gridgate.dataplane.store.port import DayBlock, MeasurementStore, PackedDay, SeriesKey
from gridgate.dataplane.store.quarantine import Cause, SetAside

_BOTH_WAYS = bits(FlowDirection)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime.fromtimestamp(0, UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: an organisation, through a user of the portal or an application."""

    organisation: int
    organisation_name: str
    user: int | None = None
    user_name: str | None = None
    application: str | None = None
    """The client_id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `resolution` None means as stored; `as_of` None means what is known now."""

    metering_point: str
    kind: Kind
    direction: FlowDirection
    period: Interval
    resolution: Resolution | None = None
    as_of: datetime | None = None


def answer(
    store: MeasurementStore,
    wanted: Wanted,
    granted: Granted,
    *,
    point: PointFacts,
    at: datetime,
    zone: ZoneInfo,
) -> Answer:
    """Read what `granted` allows of `wanted`. Raises `StoreUnavailable`."""
    parts = granted.parts
    start, end = parts[0].readable.start, parts[-1].readable.end or at
    readable = [Interval(part.readable.start, part.readable.end or at) for part in parts]
    of_parts, incomplete = [], set[date]()
    for part, whole in zip(parts, readable, strict=True):
        if wanted.kind is Kind.LOAD_CURVE:
            of_parts.append(curve_of(store, wanted, part, at=at, zone=zone))
        else:
            blocks, days = _read(store, wanted, whole, zone=zone)
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
        opposed=_opposed_by_the_reader(point, granted, zone),
        zone=zone,
    )
    if curve and incomplete:
        missing = _with_incomplete(missing, incomplete, readable=readable, at=at, zone=zone)
    if wanted.kind is Kind.LOAD_CURVE:
        missing = _by_collection(store, wanted, missing, point, granted, zone)
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


def curve_of(
    store: MeasurementStore, wanted: Wanted, part: Granted, *, at: datetime, zone: ZoneInfo
) -> list[Segment]:
    """What one part of a grant allows of a load curve. Raises `StoreUnavailable`."""
    readable = Interval(part.readable.start, part.readable.end or at)
    packed = read_packed(store, wanted, readable, zone=zone)
    return [one.segment() for one in columns_of_days(packed, wanted, part.line, readable, zone=zone)]


def in_order(of_parts: Sequence[list[Segment]]) -> list[Segment]:
    """The segments of all parts of a grant, by register, then time."""
    if len(of_parts) == 1:
        return of_parts[0]
    return sorted(chain.from_iterable(of_parts), key=lambda segment: (segment.register, segment.start))


def without_set_aside(
    store: MeasurementStore,
    wanted: Wanted,
    missing: list[Missing],
    *,
    readable: Sequence[Interval],
    unsaid: bool,
    curve: bool,
    opposed: Sequence[Interval],
    zone: ZoneInfo,
) -> tuple[list[Missing], list[SetAside]]:
    """What is missing, with that of which values came and were set aside apart, and those values.

    The store is asked only where something was not received. `unsaid`: whether the reader may know of both directions,
    and so of what does not say its own. `curve`: whether of the load curve, and so why no energy is summed from it.
    `opposed`: of which days of the holder's opposition.
    """
    gaps = [gap for gap in missing if gap.reason == NOT_RECEIVED]
    if not gaps:
        return missing, []
    days = (
        civil_day_of(gaps[0].start, zone),
        civil_day_of(gaps[-1].end - timedelta(microseconds=1), zone),
    )
    as_of = None if wanted.as_of is None else epoch_milliseconds(wanted.as_of)
    about = wanted.metering_point, wanted.kind, wanted.direction
    found = store.set_aside(*about, *days, by_time=in_part(gaps, zone), unsaid=unsaid, as_of=as_of)
    if wanted.kind is Kind.DAILY_ENERGY and curve:
        found += _set_aside_of_the_curve(store, wanted, days, readable=readable, unsaid=unsaid, zone=zone)
    found = [
        one
        for one in found
        if one.cause is not Cause.OPPOSITION
        or any(days.contains(civil_day_bounds(one.day, zone).start) for days in opposed)
    ]
    return told_apart(missing, found, readable=readable, zone=zone) if found else (missing, [])


def _opposed_by_the_reader(point: PointFacts, granted: Granted, zone: ZoneInfo) -> list[Interval]:
    """The days of which an opposition may be told: those of the reader's own. What came was set aside by whoever was
    known to hold the point then; whoever turned out to hold it, and whoever the holder shares with, is not told of it.
    """
    lines = [part.line for part in granted.parts]
    if any(line.basis is not Basis.TITLE or line.holder != point.holder for line in lines):
        return []
    return [Interval(*days) for days in point.opposed(zone)]


def _set_aside_of_the_curve(
    store: MeasurementStore,
    wanted: Wanted,
    days: tuple[date, date],
    *,
    readable: Sequence[Interval],
    unsaid: bool,
    zone: ZoneInfo,
) -> list[SetAside]:
    """What keeps the load curve from telling the energy of these days: counted by day, of those still without a value.

    Not after an opposition, which the energy of a day does not wait for.
    """
    as_of = None if wanted.as_of is None else epoch_milliseconds(wanted.as_of)
    about = wanted.metering_point, Kind.LOAD_CURVE, wanted.direction

    def came(first: date, last: date, by_time: Sequence[date] = ()) -> list[SetAside]:
        found = store.set_aside(*about, first, last, by_time=by_time, unsaid=unsaid, as_of=as_of)
        return [one for one in found if one.cause is not Cause.OPPOSITION]

    found = came(*days)
    if not found:
        return []
    first, last = found[0].day, found[-1].day  # of years that were asked for, a few days as a rule
    start, end = civil_day_bounds(first, zone).start, civil_day_bounds(last, zone).end
    assert end is not None
    curve = assemble(store.read(*about, first, last, as_of=as_of), start, end, zone)
    _, holes = coverage(curve, requested=Interval(start, end), at=end, zone=zone)
    if parts := in_part(holes, zone):
        found = came(first, last, parts)
    counts: Counter[tuple[date, Cause]] = Counter()
    for one in told_apart(holes, found, readable=readable, zone=zone)[1]:
        counts[one.day, one.cause] += one.count
    return [SetAside(day, cause, count, of_curve=True) for (day, cause), count in counts.items()]


def _with_incomplete(
    missing: Sequence[Missing],
    incomplete: set[date],
    *,
    readable: Sequence[Interval],
    at: datetime,
    zone: ZoneInfo,
) -> list[Missing]:
    """What is missing, with the days apart of whose load curve some values are there: they are no sum.

    Nothing is told of a day that is not over, nor of one that is not readable whole: the rest of it is another's.
    """
    bounds = [civil_day_bounds(day, zone) for day in incomplete]
    spans = [(one.start, one.end or _LATEST) for one in bounds if any(part.covers(one) for part in readable)]
    days = [(start, end) for start, end in spans if end <= at]
    told: list[Missing] = []
    for gap in missing:
        span = [(gap.start, gap.end)]
        others = without(span, days) if gap.reason == NOT_RECEIVED else span
        told += [Missing(start, end, gap.reason) for start, end in others]
        told += [Missing(start, end, INCOMPLETE) for start, end in without(span, others)]
    return _joined(sorted(told, key=lambda gap: gap.start), INCOMPLETE)


def nothing_readable(wanted: Wanted, reason: str, *, at: datetime) -> Answer:
    """The answer to a reader who has a line on the point, but none that reaches the period asked for."""
    period = Interval(
        wanted.period.start, wanted.period.end or max(at, wanted.period.start + timedelta(days=1))
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


def read_segments(
    store: MeasurementStore, wanted: Wanted, line: AccessLine, readable: Interval, *, zone: ZoneInfo
) -> list[Segment]:
    """The values that lie wholly in `readable`, no finer than what is wanted and what the line allows."""
    return segments_of(read_blocks(store, wanted, readable, zone=zone), wanted, line, readable, zone=zone)


def segments_of(
    blocks: Sequence[DayBlock], wanted: Wanted, line: AccessLine, readable: Interval, *, zone: ZoneInfo
) -> list[Segment]:
    """The same from blocks that were read already: whole days, in any number."""
    assert readable.end is not None
    columns = columns_of(blocks, readable.start, readable.end, zone)
    return [one.segment() for one in _no_finer(columns, wanted, line, zone)]


def read_packed(
    store: MeasurementStore, wanted: Wanted, readable: Interval, *, zone: ZoneInfo
) -> list[PackedDay]:
    """The days touched by `readable`, as they are kept. Raises `StoreUnavailable`."""
    assert readable.end is not None
    days = civil_day_of(readable.start, zone), civil_day_of(readable.end - _MICROSECOND, zone)
    as_of = None if wanted.as_of is None else epoch_milliseconds(wanted.as_of)
    return store.read_packed(wanted.metering_point, wanted.kind, wanted.direction, *days, as_of=as_of)


def columns_of_days(
    days: Sequence[PackedDay], wanted: Wanted, line: AccessLine, readable: Interval, *, zone: ZoneInfo
) -> list[Columns]:
    """What such days say, as `segments_of` of their blocks."""
    assert readable.end is not None
    about = wanted.metering_point, wanted.kind, wanted.direction
    columns = columns_of_packed(days, about, readable.start, readable.end, zone)
    return _no_finer(columns, wanted, line, zone)


def _no_finer(columns: list[Columns], wanted: Wanted, line: AccessLine, zone: ZoneInfo) -> list[Columns]:
    coarsest = coarsest_wanted(wanted, line)
    if coarsest is None or wanted.kind is Kind.REGISTER_READING:
        return columns
    return resample(columns, coarsest, kind=wanted.kind, zone=zone)


def read_blocks(
    store: MeasurementStore, wanted: Wanted, readable: Interval, *, zone: ZoneInfo
) -> list[DayBlock]:
    """The day blocks touched by `readable`; days of daily energy that only a load curve tells are made from
    it.
    """
    return _read(store, wanted, readable, zone=zone)[0]


def _read(
    store: MeasurementStore, wanted: Wanted, readable: Interval, *, zone: ZoneInfo
) -> tuple[list[DayBlock], set[date]]:
    """The same, and the days without energy whose load curve tells a part of them."""
    assert readable.end is not None
    days = days_between(readable.start, readable.end, zone)
    as_of = None if wanted.as_of is None else epoch_milliseconds(wanted.as_of)
    blocks = store.read(wanted.metering_point, wanted.kind, wanted.direction, days[0], days[-1], as_of=as_of)
    if wanted.kind is not Kind.DAILY_ENERGY:
        return blocks, set()
    told = {block.day for block in blocks if block.said.any()}
    silent = [day for day in days if day not in told]
    if not silent:
        return blocks, set()
    curve = store.read(
        wanted.metering_point, Kind.LOAD_CURVE, wanted.direction, silent[0], silent[-1], as_of=as_of
    )
    made = [block for block in daily_energy_from(curve, zone=zone) if block.day not in told]
    incomplete = {block.day for block in curve if block.said.any()} - told - {block.day for block in made}
    return blocks + made, incomplete


def daily_energy_from(curve: Sequence[DayBlock], *, zone: ZoneInfo) -> list[DayBlock]:
    """The daily energy that the load curve of one point and direction tells, for each day that it tells
    whole.

    A day with a single step missing has none: its sum would be a guess. Exact to the thousandth of a Wh. Its
    quality is the least sure of the day's values.
    """
    if not curve:
        return []
    days = sorted({block.day for block in curve})
    start, end = civil_day_bounds(days[0], zone).start, civil_day_bounds(days[-1], zone).end
    assert end is not None
    made = []
    for total in totals(
        assemble(curve, start, end, zone), Period.DAY, kind=Kind.LOAD_CURVE, start=start, end=end, zone=zone
    ):
        if total.energy_wh is None or not total.values or total.missing:
            continue
        quality = (
            Quality.ESTIMATED
            if total.estimated
            else Quality.CORRECTED
            if total.corrected
            else Quality.MEASURED
        )
        made.append(_daily(curve[0].key, total.first, total.energy_wh, quality, curve))
    return made


def explained(
    wanted: Wanted,
    requested: Interval,
    granted: Granted,
    *,
    point: PointFacts,
    segments: Sequence[Segment],
    zone: ZoneInfo,
) -> list[Missing]:
    """What of the request is missing for a reason that the registry knows."""
    parts, reasons = granted.parts, []
    assert requested.end is not None
    first, last = parts[0].readable, parts[-1].readable
    if first.start > requested.start:
        reasons.append(Missing(requested.start, first.start, before_line(parts[0].line)))
    for part, following in pairwise(parts):
        end = part.readable.end
        if end is not None and end < following.readable.start:
            reasons.append(Missing(end, following.readable.start, between_lines(following.line)))
    if not point.directions & wanted.direction.bit:
        reasons += [
            Missing(part.readable.start, part.readable.end or requested.end, "direction_absent")
            for part in parts
        ]
    else:
        activated = civil_day_bounds(point.activated_on, zone).start
        spoken = [segment.start for segment in segments[:1]]
        limit = min([activated, first.end or requested.end, *spoken])
        if limit > first.start:
            reasons.append(Missing(first.start, limit, "before_activation"))
    if last.end is not None and last.end < requested.end:
        reasons.append(Missing(last.end, requested.end, "after_title"))
    return reasons


def before_line(line: AccessLine) -> str:
    return "before_title" if line.basis is Basis.TITLE else "before_permission_history"


def between_lines(following: AccessLine) -> str:
    return "between_titles" if following.basis is Basis.TITLE else before_line(following)


def coarsest_wanted(wanted: Wanted, line: AccessLine) -> Resolution | None:
    """The step below which nothing may be answered; None when values go out as stored."""
    asked = wanted.resolution.seconds if wanted.resolution else 0
    seconds = max(asked, line.finest_resolution)
    return Resolution.of_seconds(seconds) if seconds else None


def entries(
    reader: Reader,
    wanted: Wanted,
    verdict: Granted | Refused | str,
    *,
    channel: str,
    point: PointFacts | None,
    at: datetime,
    counts: Sequence[int] = (),
) -> list[AccessEntry]:
    """The lines of the access log for a read: one for each part of what was granted, with its own holder and
    permission; `counts` are the values of each.
    """
    if not isinstance(verdict, Granted):
        return [_entry(reader, wanted, verdict, channel=channel, point=point, at=at)]
    return [
        _entry(reader, wanted, part, channel=channel, point=point, at=at, values=count)
        for part, count in zip(verdict.parts, counts or [0] * len(verdict.parts), strict=True)
    ]


def _entry(
    reader: Reader,
    wanted: Wanted,
    verdict: Granted | Refused | str,
    *,
    channel: str,
    point: PointFacts | None,
    at: datetime,
    values: int = 0,
) -> AccessEntry:
    """The line of the access log for a read. A `str` verdict is a refusal in a façade's own word.

    A refusal is shown to whoever holds the point at the time, so that a holder sees who tried; that of a company which
    held it or will is shown to itself alone. What was permitted by another holder, and is over, is no reason to tell
    this one: to them there is no permission.
    """
    line = verdict.line if isinstance(verdict, Granted) else None
    shown_to = point.journal_of if point else None
    if isinstance(verdict, Refused) and verdict.holder not in (None, shown_to):
        verdict = Refused(RefusalReason.NO_PERMISSION)
    period = verdict.readable if isinstance(verdict, Granted) else wanted.period
    outcome = (
        verdict.reason.value
        if isinstance(verdict, Refused)
        else verdict
        if isinstance(verdict, str)
        else GRANTED
    )
    return AccessEntry(
        at=at,
        channel=channel,
        outcome=outcome,
        reader=reader.organisation,
        reader_name=reader.organisation_name,
        user=reader.user,
        user_name=reader.user_name,
        application=reader.application,
        permission=line.permission if line else None,
        basis=line.basis.value if line else None,
        metering_point=wanted.metering_point,
        holder=line.holder if line else shown_to,
        kind=wanted.kind.value,
        direction=wanted.direction.value,
        start=period.start,
        end=period.end,
        as_of=wanted.as_of,
        values=values,
    )


def epoch_milliseconds(at: datetime) -> int:
    """The last that is over; exactly, which a product of floats is not.

    >>> epoch_milliseconds(datetime(1970, 1, 1, 0, 0, 1, 1000, tzinfo=UTC))
    1001
    """
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _daily(
    key: SeriesKey, day: date, energy: int | float, quality: Quality, curve: Sequence[DayBlock]
) -> DayBlock:
    scale = 0 if isinstance(energy, int) else -3
    value = round(Decimal(repr(energy)).scaleb(-scale))
    return DayBlock(
        key=SeriesKey(key.metering_point, Kind.DAILY_ENERGY, key.direction, Resolution.P1D),
        day=day,
        values=np.array([value], np.int64),
        quality=np.array([quality], np.uint8),
        scale=scale,
        recorded_at=max(block.recorded_at for block in curve if block.day == day),
    )


def _by_collection(
    store: MeasurementStore,
    wanted: Wanted,
    missing: Sequence[Missing],
    point: PointFacts,
    granted: Granted,
    zone: ZoneInfo,
) -> list[Missing]:
    """Where no collection of the curve is recorded, that is why it is missing, before its first value as after its last.

    The records are those of one holder, and say nothing of another's time. Nor does it say anything that they lack of a
    stretch of days when a curve came in it all the same.
    """
    if not any(gap.reason in (NOT_RECEIVED, FUTURE) for gap in missing):
        return list(missing)
    lines = [part.line for part in granted.parts if part.line.holder == point.holder]
    given = [(_instant(line.data_from), _instant(line.data_to)) for line in lines]
    unrecorded = without(given, [(start, end or _LATEST) for start, end in point.collected(zone)])
    if unrecorded:
        came = _came(store, wanted, zone)
        unrecorded = [span for span in unrecorded if without([span], came) == [span]]
    if not unrecorded:
        return list(missing)
    told: list[Missing] = []
    for gap in missing:
        span = [(gap.start, gap.end)]
        inactive = without(span, without(span, unrecorded)) if gap.reason in (NOT_RECEIVED, FUTURE) else []
        others = without(span, inactive)
        told += [Missing(start, end, gap.reason) for start, end in others]
        told += [Missing(start, end, "collection_inactive") for start, end in inactive]
    return _joined(sorted(told, key=lambda gap: gap.start), "collection_inactive")


def _came(store: MeasurementStore, wanted: Wanted, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """From which civil day to which values of the curve came, whatever was asked for of them."""
    return [
        (civil_day_bounds(info.first, zone).start, civil_day_bounds(info.last, zone).end or _LATEST)
        for info in store.series([wanted.metering_point])
        if (info.key.kind, info.key.direction) == (wanted.kind, wanted.direction)
    ]


def _instant(seconds: int | None) -> datetime:
    return _LATEST if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _joined(missing: Sequence[Missing], reason: str) -> list[Missing]:
    """The same, where those of that reason that follow each other are one."""
    joined: list[Missing] = []
    for gap in missing:
        if joined and joined[-1].reason == gap.reason == reason and joined[-1].end == gap.start:
            joined[-1] = Missing(joined[-1].start, gap.end, reason)
        else:
            joined.append(gap)
    return joined
