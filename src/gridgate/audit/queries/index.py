"""Where the lines of entries lie in the segments, and what they say."""

import logging
from collections import deque
from collections.abc import Sequence
from datetime import date
from functools import reduce
from itertools import groupby
from operator import or_
from typing import NamedTuple

import numpy as np
from django.db.models import Q

from gridgate.audit.lines import Columns, LinesMissing, LogEntry, micros_of, number_of_point, read_lines, zone
from gridgate.audit.models import AccessLogSegment, LogStretch
from gridgate.audit.queries.sums import OF_POINTS, seen_by
from gridgate.audit.queries.wanted import Actor, Wanted
from gridgate.core.time import civil_day_bounds

_log = logging.getLogger(__name__)


def is_readable(segment: str) -> bool:
    """Whether lines at both ends of what was last counted of a segment can be read; one not known is no fault."""
    found = LogStretch.objects.filter(segment__name=segment).order_by("-pk")
    stretch = found.values_list("segment__lines", "columns").first()
    if stretch is None:
        return True
    lines, packed = stretch
    try:
        offsets = Columns.unpack(bytes(packed), most=lines).offset
        ends = [int(offsets.min()), int(offsets.max())]
        return len(list(read_lines(segment, ends))) == len(ends)
    except (LinesMissing, ValueError, KeyError, TypeError):
        return False


class Line(NamedTuple):
    """A line as the index has it."""

    segment: int
    offset: int
    at: int
    point: int


def points_on(actor: Actor, wanted: Wanted, days: Sequence[date], facets: Sequence[int]) -> list[int] | None:
    """The points whose lines of these days may be shown, as the index numbers them; None when all may."""
    within = seen_by(actor, wanted)
    if not within:
        return [number_of_point(wanted.metering_point)] if wanted.metering_point else None
    seen = OF_POINTS.filter(within, facet__in=facets, day__in=days)
    if wanted.metering_point:
        seen = seen.filter(metering_point_id=wanted.metering_point)
    return [number_of_point(point) for point in seen.values_list("metering_point_id", flat=True).distinct()]


def lines_of(
    days: Sequence[date], holders: Q, facets: Sequence[int], points: Sequence[int] | None
) -> list[Line]:
    """The lines of these civil days, the earliest first."""
    spans = _spans(days)
    segments, parts = [], []
    in_days = reduce(or_, (Q(last__gte=start, first__lt=end) for start, end in spans))
    stretches = LogStretch.objects.filter(holders, in_days).order_by("pk")
    for segment, lines, packed in stretches.values_list("segment", "segment__lines", "columns"):
        try:
            columns = Columns.unpack(bytes(packed), most=lines)
        except ValueError as error:
            _log.error("the index of segment %s is damaged: %s; run gridgate audit rebuild", segment, error)
            continue
        chosen = np.isin(columns.facet, facets)
        chosen &= reduce(or_, ((columns.at >= start) & (columns.at < end) for start, end in spans))
        if points is not None:
            chosen &= np.isin(columns.point, points)
        part = columns.where(chosen)
        parts.append(part)
        segments.append(np.full(len(part.at), segment))
    if not parts:
        return []
    found, segment_of = Columns.joined(parts), np.concatenate(segments)
    order = np.lexsort((found.offset, segment_of, found.at))
    in_order = (column[order].tolist() for column in (segment_of, found.offset, found.at, found.point))
    return [Line(*line) for line in zip(*in_order, strict=True)]


def _spans(days: Sequence[date]) -> list[tuple[int, int]]:
    """From when to when they are, those that follow each other as one."""
    spans: list[tuple[int, int]] = []
    for day in sorted(days):
        bounds = civil_day_bounds(day, zone())
        assert bounds.end is not None
        start, end = micros_of(bounds.start), micros_of(bounds.end)
        if spans and spans[-1][1] == start:
            start = spans.pop()[0]
        spans.append((start, end))
    return spans


def read_all(located: Sequence[Line]) -> list[LogEntry | None]:
    """What these lines say, in that order; None for a line that cannot be read, which is told in the process's log."""
    names = dict(
        AccessLogSegment.objects.filter(pk__in={line.segment for line in located}).values_list("pk", "name")
    )
    entries: dict[Line, LogEntry] = {}
    for segment, lines in groupby(sorted(located), key=lambda line: line.segment):
        left, told = deque(lines), False
        while left:
            try:
                for entry in read_lines(names[segment], [line.offset for line in left]):
                    entries[left.popleft()] = entry
                break
            except (LinesMissing, ValueError, KeyError, TypeError) as error:
                left.popleft()  # those after it may be whole
                if not told:
                    what = "lines of %s cannot be shown: %s; run gridgate audit verify"
                    _log.error(what, names[segment], error)
                told = True
    return [entries.get(line) for line in located]
