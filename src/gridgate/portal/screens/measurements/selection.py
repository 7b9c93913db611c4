"""Cutting what was read to the period shown, and adding its rows up."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from gridgate.dataplane.query.aggregate import Total
from gridgate.dataplane.query.answer import Answer, Segment


def summed(rows: Sequence[Total]) -> Total:
    """The rows as one total: a custom period is no civil one."""
    first, last = rows[0], rows[-1]
    highs = [row.maximum for row in rows if row.maximum]
    lows = [row.minimum for row in rows if row.minimum]
    energies = [row.energy_wh for row in rows if row.energy_wh is not None]
    return Total(
        first=first.first,
        interval=type(first.interval)(first.interval.start, last.interval.end),
        energy_wh=sum(energies) if energies else None,
        values=sum(row.values for row in rows),
        missing=sum(row.missing for row in rows),
        estimated=sum(row.estimated for row in rows),
        corrected=sum(row.corrected for row in rows),
        maximum=max(highs, key=lambda found: found.value, default=None),
        minimum=min(lows, key=lambda found: found.value, default=None),
    )


def within(answer: Answer, start: datetime, end: datetime, zone: ZoneInfo) -> list[Segment]:
    """The part of the segments that lies in the period; both bounds are civil midnights or later than all values."""
    kept = []
    for segment in answer.segments:
        starts = [segment.step_start(index, zone) for index in (0, len(segment))]
        if starts[1] <= start or starts[0] >= end:
            continue
        if starts[0] >= start and starts[1] <= end:
            kept.append(segment)
            continue
        kept.extend(_cut(segment, start, end, zone))
    return kept


def _cut(segment: Segment, start: datetime, end: datetime, zone: ZoneInfo) -> list[Segment]:
    edges = [segment.step_start(index, zone) for index in range(len(segment) + 1)]
    inside = [
        index for index, (at, following) in enumerate(pairwise(edges)) if at >= start and following <= end
    ]
    if not inside:
        return []
    low, high = inside[0], inside[-1] + 1
    words = segment.qualities()[low:high]
    runs: list[tuple[str, int]] = []
    for word in words:
        if runs and runs[-1][0] == word:
            runs[-1] = (word, runs[-1][1] + 1)
        else:
            runs.append((word, 1))
    return [
        Segment(
            edges[low],
            segment.resolution,
            segment.values[low:high],
            runs,
            segment.offsets[low:high] if segment.offsets else None,
            segment.register,
        )
    ]


def with_segments(answer: Answer, segments: list[Segment]) -> Answer:
    return Answer(
        answer.metering_point,
        answer.kind,
        answer.direction,
        answer.unit,
        answer.start,
        answer.end,
        segments,
        answer.requested,
    )
