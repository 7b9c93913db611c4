"""Of what is missing, that of which values came and were set aside."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from operator import itemgetter
from zoneinfo import ZoneInfo

from gridgate.core.sharing import MissingReason
from gridgate.core.time import Interval, civil_day_bounds, civil_day_of
from gridgate.dataplane.query.answer import Missing
from gridgate.dataplane.query.coverage import merged
from gridgate.dataplane.store.quarantine import Cause, SetAside


def told_apart(
    missing: Sequence[Missing], set_aside: Sequence[SetAside], *, readable: Sequence[Interval], zone: ZoneInfo
) -> tuple[list[Missing], list[SetAside]]:
    """Return what is missing with that of which values were set aside apart, and those values.

    A value counts where there is still none: one that came well afterwards is no reason for another's absence. Of a
    day, the gap in which it lies is told whole. A value whose time nobody knows counts for each gap of its day, if the
    whole day lies in what is `readable`: else it may be of the part that is another's. One that repeats another leaves
    no gap.
    """
    of_day: dict[date, list[SetAside]] = {}
    for item in set_aside:
        if item.cause is not Cause.REPEATED:
            of_day.setdefault(item.day, []).append(item)
    days = [_Day(civil_day_bounds(day, zone), of_day[day], readable) for day in sorted(of_day)]
    ends = [day.end for day in days]
    apart: list[tuple[Missing, frozenset[Cause]]] = []

    def add(gap: Missing, causes: frozenset[Cause] = frozenset()) -> None:
        last, of_last = apart[-1] if apart else (None, causes)
        if last and causes and of_last == causes and last.end == gap.start:
            apart[-1] = Missing(last.start, gap.end, MissingReason.SET_ASIDE), causes
        else:
            apart.append((gap, causes))

    for gap in missing:
        if gap.reason != MissingReason.NOT_RECEIVED:
            add(gap)
            continue
        start = gap.start
        for index in range(bisect_right(ends, gap.start), len(days)):
            day = days[index]
            if day.start >= gap.end:
                break
            begin, stop = max(gap.start, day.start), min(gap.end, day.end)
            causes = day.causes_within(begin, stop)
            if not causes:
                continue
            if start < begin:
                add(Missing(start, begin, MissingReason.NOT_RECEIVED))
            start = stop
            add(Missing(begin, stop, MissingReason.SET_ASIDE), causes)
        if start < gap.end:
            add(Missing(start, gap.end, MissingReason.NOT_RECEIVED))
    return [gap for gap, _ in apart], [item for day in days for item in day.told()]


def in_part(missing: Sequence[Missing], zone: ZoneInfo) -> list[date]:
    """The civil days of which a part was not received: of these it matters of when a value is that was set aside."""
    days: dict[date, None] = {}
    day, bounds = date.min, None
    for gap in missing:
        for edge in (gap.start, gap.end) if gap.reason == MissingReason.NOT_RECEIVED else ():
            if bounds is None or not bounds.contains(edge):
                day = civil_day_of(edge, zone)
                bounds = civil_day_bounds(day, zone)
            if edge != bounds.start:
                days[day] = None
    return list(days)


class _Day:
    """What was set aside of a civil day, and the gaps of it that were asked about, in the order of time."""

    def __init__(self, bounds: Interval, set_aside: Sequence[SetAside], readable: Sequence[Interval]) -> None:
        self.start, self.end = bounds.start, _end(bounds)
        self._set_aside = set_aside
        self._gaps: list[tuple[float, float]] = []
        self._always: set[Cause] = set()
        if any(interval.covers(bounds) for interval in readable):
            self._always = {item.cause for item in set_aside if item.span is None}
        spans: dict[Cause, list[tuple[int, int]]] = {}
        for item in set_aside:
            if item.span is not None:
                spans.setdefault(item.cause, []).append(item.span)
        self._spans = [(cause, merged(of_cause)) for cause, of_cause in spans.items()]

    def causes_within(self, start: datetime, end: datetime) -> frozenset[Cause]:
        """Why something of a gap was set aside; nothing when nothing was."""
        gap = start.timestamp(), end.timestamp()
        causes = self._always | {cause for cause, spans in self._spans if _touches(spans, gap)}
        if causes:
            self._gaps.append(gap)
        return frozenset(causes)

    def told(self) -> Iterator[SetAside]:
        """What lies in one of the gaps."""
        for item in self._set_aside if self._gaps else ():
            if item.cause in self._always if item.span is None else _touches(self._gaps, item.span):
                yield item


def _touches(spans: Sequence[tuple[float, float]], span: tuple[float, float]) -> bool:
    """Whether a span shares time with one of those, which follow each other and share none."""
    start, end = span
    index = bisect_right(spans, start, key=itemgetter(1))
    return index < len(spans) and spans[index][0] < end


def _end(interval: Interval) -> datetime:
    assert interval.end is not None
    return interval.end
