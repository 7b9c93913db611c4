"""Of what is missing, what came and was set aside, as far as the reader may know of it."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from gridgate.core.quantities import Kind
from gridgate.core.sharing import Basis, Granted, MissingReason, Wanted
from gridgate.core.time import Interval, civil_day_bounds, civil_day_of
from gridgate.dataplane.query.answer import Missing
from gridgate.dataplane.query.assemble import assemble
from gridgate.dataplane.query.coverage import coverage
from gridgate.dataplane.query.set_aside import in_part, told_apart
from gridgate.dataplane.reading.days import epoch_milliseconds
from gridgate.dataplane.registry.port import PointFacts
from gridgate.dataplane.store.port import MeasurementStore
from gridgate.dataplane.store.quarantine import Cause, SetAside


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
    gaps = [gap for gap in missing if gap.reason == MissingReason.NOT_RECEIVED]
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


def opposed_by_the_reader(point: PointFacts, granted: Granted, zone: ZoneInfo) -> list[Interval]:
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
