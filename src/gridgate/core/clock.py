"""The clock that an instant is told on: which it is, and what people call it."""

from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of that name; None for no name, and for one that the system no longer knows."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def city_of(zone: str) -> str:
    """The city that a zone is named after; a zone that is no city's keeps its name.

    >>> city_of("America/Argentina/Buenos_Aires"), city_of("UTC")
    ('Buenos Aires, Argentina', 'UTC')
    """
    _region, slash, place = zone.partition("/")
    return ", ".join(reversed(place.replace("_", " ").split("/"))) if slash else zone


def offset_of(offset: timedelta) -> str:
    """How far a clock is from UTC.

    >>> offset_of(timedelta(hours=1)), offset_of(timedelta(hours=-3, minutes=-30)), offset_of(timedelta())
    ('UTC+1', 'UTC−3:30', 'UTC')
    """
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02d}" if rest else "")
