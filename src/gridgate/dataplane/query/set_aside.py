"""Of what is missing, that of which values came and were set aside."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gridgate.core.time import Interval, civil_day_bounds
from gridgate.dataplane.query.answer import Missing
from gridgate.dataplane.query.coverage import NOT_RECEIVED
from gridgate.dataplane.store.port import Cause, SetAside

SET_ASIDE = "set_aside"


def told_apart(
    missing: Sequence[Missing], found: Sequence[SetAside], *, readable: Sequence[Interval], zone: ZoneInfo
) -> tuple[list[Missing], list[SetAside]]:
    """Return what is missing with that of which values were set aside apart, and those values.

    A value counts where there is still none: one that came well afterwards is no reason for another's absence. Of a
    day, the gap in which it lies is told whole. A value whose time nobody knows counts for each gap of its day, if the
    whole day lies in what is `readable`: else it may be of the part that is another's. One that repeats another leaves
    no gap.
    """
    of_day: dict[date, list[SetAside]] = {}
    for one in found:
        if one.cause is not Cause.REPEATED:
            of_day.setdefault(one.day, []).append(one)
    days = [(day, civil_day_bounds(day, zone)) for day in sorted(of_day)]
    ends = [_end(bounds) for _, bounds in days]
    told: dict[SetAside, None] = {}
    apart: list[tuple[Missing, frozenset[Cause]]] = []

    def add(gap: Missing, causes: frozenset[Cause] = frozenset()) -> None:
        last, of_last = apart[-1] if apart else (None, causes)
        if last and causes and of_last == causes and last.end == gap.start:
            apart[-1] = Missing(last.start, gap.end, SET_ASIDE), causes
        else:
            apart.append((gap, causes))

    for gap in missing:
        if gap.reason != NOT_RECEIVED:
            add(gap)
            continue
        start = gap.start
        for day, bounds in days[bisect_right(ends, gap.start) :]:
            if bounds.start >= gap.end:
                break
            piece = Interval(max(gap.start, bounds.start), min(gap.end, _end(bounds)))
            whole = any(one.covers(bounds) for one in readable)
            begin, stop = piece.start.timestamp(), _end(piece).timestamp()
            counted = [
                one
                for one in of_day[day]
                if (whole if one.span is None else one.span[0] < stop and begin < one.span[1])
            ]
            if not counted:
                continue
            if start < piece.start:
                add(Missing(start, piece.start, NOT_RECEIVED))
            start = _end(piece)
            add(Missing(piece.start, start, SET_ASIDE), frozenset(one.cause for one in counted))
            told |= dict.fromkeys(counted)
        if start < gap.end:
            add(Missing(start, gap.end, NOT_RECEIVED))
    return [gap for gap, _ in apart], list(told)


def _end(interval: Interval) -> datetime:
    assert interval.end is not None
    return interval.end
