"""How long, and when, a curve was above a power: the question of subscribed power."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

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
        if max((v for v in segment.values if v is not None), default=threshold) <= threshold:
            continue
        begun: datetime | None = None
        highest = Extreme(threshold, segment.start)
        for step in segment.steps(zone):
            if step.value is not None and step.value > threshold:
                if begun is None:
                    begun, highest = step.start, Extreme(threshold, step.start)
                if step.value > highest.value:
                    highest = Extreme(step.value, step.observed_at)
            elif begun is not None:
                episodes.append(Episode(Interval(begun, step.start), highest))
                begun = None
        if begun is not None:
            episodes.append(Episode(Interval(begun, segment.end(zone)), highest))
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
