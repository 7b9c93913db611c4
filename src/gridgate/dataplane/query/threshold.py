"""How long, and when, a curve was above a power: the question of subscribed power."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

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


def above(
    segments: Sequence[Segment], threshold: int | float, *, zone: ZoneInfo, each: bool = False
) -> Above:
    """Return when the values were above (not at) `threshold`, which is in their unit.

    A missing step ends an episode: nothing is known of it. With `each`, every step is its own episode, as for the
    maximum of each day: that two days in a row had one says nothing of the time between. For a threshold that
    changes, cut the segments at the change and ask twice.
    """
    episodes: list[Episode] = []
    for segment in segments:
        values = np.array(segment.values, np.float64)  # None becomes NaN, which is above nothing
        for first, after in _alone(values > threshold) if each else _in_a_row(values > threshold):
            place = first + int(np.argmax(values[first:after]))
            value, offset = segment.values[place], segment.offsets[place] if segment.offsets else 0
            assert value is not None
            highest = Extreme(value, segment.step_start(place, zone) + timedelta(seconds=offset))
            interval = Interval(segment.step_start(first, zone), segment.step_start(after, zone))
            episodes.append(Episode(interval, highest))
    episodes.sort(key=lambda e: e.interval.start)
    joined = episodes if each else _joined(episodes)
    return Above(sum((_length(e.interval) for e in joined), timedelta()), joined)


def _alone(over: NDArray[np.bool_]) -> list[tuple[int, int]]:
    return [(place, place + 1) for place in np.flatnonzero(over).tolist()]


def _in_a_row(over: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where each run begins, and where it is over."""
    padded = np.concatenate(([False], over, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1]).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


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
