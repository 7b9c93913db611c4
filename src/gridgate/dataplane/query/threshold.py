"""How long, and when, a curve was above a power: the question of subscribed power."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from gridgate.core.time import Interval
from gridgate.dataplane.query.aggregate import Extreme
from gridgate.dataplane.query.answer import Segment


@dataclass(frozen=True, slots=True)
class Episode:
    """Steps in a row above the threshold, and the highest of them."""

    interval: Interval
    maximum: Extreme


@dataclass(frozen=True, slots=True)
class Above:
    """How long in all, and each time."""

    duration: timedelta
    episodes: list[Episode]


def above(segments: Sequence[Segment], threshold: int | float, *, zone: ZoneInfo) -> Above:
    """Return when the values were above (not at) `threshold`, which is in their unit.

    A missing step ends an episode: nothing is known of it. For a threshold that changes, cut the segments at
    the change and ask twice.
    """
    episodes: list[Episode] = []
    for segment in segments:
        values = np.array(segment.values, np.float64)  # None becomes NaN, which is above nothing
        over = np.concatenate(([False], values > threshold, [False]))
        edges = np.flatnonzero(over[1:] != over[:-1]).tolist()
        for first, after in zip(edges[::2], edges[1::2], strict=True):
            place = first + int(np.argmax(values[first:after]))
            value, offset = segment.values[place], segment.offsets[place] if segment.offsets else 0
            assert value is not None
            highest = Extreme(value, segment.step_start(place, zone) + timedelta(seconds=offset))
            interval = Interval(segment.step_start(first, zone), segment.step_start(after, zone))
            episodes.append(Episode(interval, highest))
    joined = _joined(sorted(episodes, key=lambda e: e.interval.start))
    return Above(sum((_length(e.interval) for e in joined), timedelta()), joined)


def _joined(episodes: Sequence[Episode]) -> list[Episode]:
    """Episodes that touch, where the step changes, are one."""
    joined: list[Episode] = []
    for episode in episodes:
        if joined and joined[-1].interval.end == episode.interval.start:
            last = joined[-1]
            highest = max(last.maximum, episode.maximum, key=lambda extreme: extreme.value)
            joined[-1] = Episode(Interval(last.interval.start, episode.interval.end), highest)
        else:
            joined.append(episode)
    return joined


def _length(interval: Interval) -> timedelta:
    assert interval.end is not None
    return interval.end - interval.start
