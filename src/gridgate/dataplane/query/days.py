"""Civil days as seconds since the epoch, computed once for each day and zone."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gridgate.core.time import Resolution, civil_day_bounds


@lru_cache(maxsize=16384)
def midnight(day: date, zone: ZoneInfo) -> int:
    """Epoch second at which the civil day starts."""
    return int(civil_day_bounds(day, zone).start.timestamp())


def next_midnight(day: date, zone: ZoneInfo) -> int:
    return midnight(day + timedelta(days=1), zone)


def day_length(day: date, zone: ZoneInfo) -> int:
    """Seconds in the civil day: 82,800, 86,400 or 90,000 in Europe."""
    return next_midnight(day, zone) - midnight(day, zone)


def step_length(resolution: Resolution, day: date, zone: ZoneInfo) -> int:
    """Seconds in a step of that resolution on that day: a step of P1D is as long as the day."""
    return day_length(day, zone) if resolution is Resolution.P1D else resolution.seconds


def instant(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def epoch(at: datetime) -> int:
    """Whole epoch second at or before the instant."""
    return int(at.timestamp() // 1)


def epoch_up(at: datetime) -> int:
    """Whole epoch second at or after the instant."""
    return -int(-at.timestamp() // 1)
