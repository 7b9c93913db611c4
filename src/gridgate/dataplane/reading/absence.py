"""Why what is missing from an answer is missing, as far as the registry and the days that came tell."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from gridgate.core.sharing import AccessLine, Basis, Granted, MissingReason, Wanted
from gridgate.core.time import Interval, civil_day_bounds
from gridgate.dataplane.query.answer import Missing, Segment
from gridgate.dataplane.query.coverage import without
from gridgate.dataplane.registry.port import PointFacts
from gridgate.dataplane.store.port import MeasurementStore

_LATEST = datetime.max.replace(tzinfo=UTC)


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
            Missing(part.readable.start, part.readable.end or requested.end, MissingReason.DIRECTION_ABSENT)
            for part in parts
        ]
    else:
        activated = civil_day_bounds(point.activated_on, zone).start
        spoken = [segment.start for segment in segments[:1]]
        limit = min([activated, first.end or requested.end, *spoken])
        if limit > first.start:
            reasons.append(Missing(first.start, limit, MissingReason.BEFORE_ACTIVATION))
    if last.end is not None and last.end < requested.end:
        reasons.append(Missing(last.end, requested.end, MissingReason.AFTER_TITLE))
    return reasons


def before_line(line: AccessLine) -> MissingReason:
    return (
        MissingReason.BEFORE_TITLE if line.basis is Basis.TITLE else MissingReason.BEFORE_PERMISSION_HISTORY
    )


def between_lines(following: AccessLine) -> MissingReason:
    return MissingReason.BETWEEN_TITLES if following.basis is Basis.TITLE else before_line(following)


def with_incomplete(
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
        others = without(span, days) if gap.reason == MissingReason.NOT_RECEIVED else span
        told += [Missing(start, end, gap.reason) for start, end in others]
        told += [Missing(start, end, MissingReason.INCOMPLETE) for start, end in without(span, others)]
    return _joined(sorted(told, key=lambda gap: gap.start), MissingReason.INCOMPLETE)


def by_collection(
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
    if not any(gap.reason in (MissingReason.NOT_RECEIVED, MissingReason.FUTURE) for gap in missing):
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
        inactive = (
            without(span, without(span, unrecorded))
            if gap.reason in (MissingReason.NOT_RECEIVED, MissingReason.FUTURE)
            else []
        )
        others = without(span, inactive)
        told += [Missing(start, end, gap.reason) for start, end in others]
        told += [Missing(start, end, MissingReason.COLLECTION_INACTIVE) for start, end in inactive]
    return _joined(sorted(told, key=lambda gap: gap.start), MissingReason.COLLECTION_INACTIVE)


def _came(store: MeasurementStore, wanted: Wanted, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """From which civil day to which values of the curve came, whatever was asked for of them."""
    return [
        (civil_day_bounds(info.first, zone).start, civil_day_bounds(info.last, zone).end or _LATEST)
        for info in store.series([wanted.metering_point])
        if (info.key.kind, info.key.direction) == (wanted.kind, wanted.direction)
    ]


def _instant(seconds: int | None) -> datetime:
    return _LATEST if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _joined(missing: Sequence[Missing], reason: MissingReason) -> list[Missing]:
    """The same, where those of that reason that follow each other are one."""
    joined: list[Missing] = []
    for gap in missing:
        if joined and joined[-1].reason == gap.reason == reason and joined[-1].end == gap.start:
            joined[-1] = Missing(joined[-1].start, gap.end, reason)
        else:
            joined.append(gap)
    return joined
