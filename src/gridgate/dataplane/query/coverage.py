"""What is in an answer, and what is missing from it with its reason."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from gridgate.core.sharing import MissingReason
from gridgate.core.time import Interval
from gridgate.dataplane.query.answer import Missing, Segment


def coverage(
    segments: Sequence[Segment],
    *,
    requested: Interval,
    at: datetime,
    zone: ZoneInfo,
    explained: Sequence[Missing] = (),
) -> tuple[Interval | None, list[Missing]]:
    """Return the interval from the first value to the end of the last, and what of `requested` has no value.

    `explained` are the intervals whose absence the caller can account for (before a title began, say). What
    lies after `at` is `future`; an edge of the request too short to hold a step is `partial_step`; the rest
    was `not_received`. Registers count together: an instant is there when one of them speaks. `requested`
    without an end is taken to end at `at`.
    """
    end = requested.end or max(at, requested.start)
    covered = merged(interval for segment in segments for interval in _spoken(segment, zone))
    available = Interval(covered[0][0], covered[-1][1]) if covered else None
    known = [(max(m.start, requested.start), min(m.end, end), m.reason) for m in explained]
    missing = [Missing(a, b, reason) for a, b, reason in known if a < b]
    gaps = without(without([(requested.start, end)], covered), [(m.start, m.end) for m in missing])
    for a, b in gaps:
        if _is_partial_step(a, b, (requested.start, end), segments, zone):
            missing.append(Missing(a, b, MissingReason.PARTIAL_STEP))
            continue
        if a < at:
            missing.append(Missing(a, min(b, at), MissingReason.NOT_RECEIVED))
        if b > at:
            missing.append(Missing(max(a, at), b, MissingReason.FUTURE))
    return available, sorted(missing, key=lambda m: m.start)


Span = tuple[datetime, datetime]
Point = TypeVar("Point", datetime, int)


def _spoken(segment: Segment, zone: ZoneInfo) -> Iterable[Span]:
    index = 0
    for word, count in segment.quality:
        if word != "missing":
            yield segment.step_start(index, zone), segment.step_start(index + count, zone)
        index += count


def merged(spans: Iterable[tuple[Point, Point]]) -> list[tuple[Point, Point]]:
    """The same time in spans that follow each other and do not touch."""
    apart: list[tuple[Point, Point]] = []
    for start, end in sorted(spans):
        if apart and start <= apart[-1][1]:
            apart[-1] = apart[-1][0], max(apart[-1][1], end)
        else:
            apart.append((start, end))
    return apart


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """What the holes leave of the spans, each in its place."""
    apart = merged(holes)
    ends = [end for _, end in apart]
    left: list[Span] = []
    for start, end in spans:
        for index in range(bisect_right(ends, start), len(apart)):
            hole_start, hole_end = apart[index]
            if hole_start >= end:
                break
            if start < hole_start:
                left.append((start, hole_start))
            start = hole_end
        if start < end:
            left.append((start, end))
    return left


def _is_partial_step(
    a: datetime, b: datetime, request: Span, segments: Sequence[Segment], zone: ZoneInfo
) -> bool:
    """True for an edge of the request that cannot hold a step of the values beside it."""
    if a != request[0] and b != request[1]:
        return False
    for segment in segments:
        count = len(segment)
        if a == request[0] and b == segment.start and b - a < segment.step_start(1, zone) - segment.start:
            return True
        last = segment.end(zone)
        if b == request[1] and a == last and b - a < segment.step_start(count + 1, zone) - last:
            return True
    return False
