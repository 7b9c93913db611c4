"""Cutting what was read to the period shown, and adding its rows up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from gridgate.core.time import Resolution
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
    """The part of the answer that lies in the period; both bounds are civil midnights or later than all values."""
    return cut(answer.segments, start, end, zone)


def cut(segments: Sequence[Segment], start: datetime, end: datetime, zone: ZoneInfo) -> list[Segment]:
    """The steps that lie wholly in the period, as segments."""
    kept = []
    for segment in segments:
        begun, over = segment.start, segment.end(zone)
        if over <= start or begun >= end:
            continue
        if begun >= start and over <= end:
            kept.append(segment)
            continue
        low, high = _steps(segment, start, end, zone)
        if low < high:
            kept.append(_part(segment, low, high, zone))
    return kept


def _steps(segment: Segment, start: datetime, end: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """The first step that lies in the period, and the one after the last."""
    if segment.resolution is Resolution.P1D:
        edges = [segment.step_start(index, zone) for index in range(len(segment) + 1)]
        inside = [index for index, at in enumerate(edges[:-1]) if at >= start and edges[index + 1] <= end]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)
    step = timedelta(seconds=segment.resolution.seconds)
    return max(0, -((segment.start - start) // step)), min(len(segment), (end - segment.start) // step)


def _part(segment: Segment, low: int, high: int, zone: ZoneInfo) -> Segment:
    words = segment.qualities()[low:high]
    return Segment(
        segment.step_start(low, zone),
        segment.resolution,
        segment.values[low:high],
        [(word, len(list(same))) for word, same in groupby(words)],
        segment.offsets[low:high] if segment.offsets else None,
        segment.register,
    )
