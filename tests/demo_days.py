"""The days of the demo world, which its servers outlive: a test that begins before midnight may look after it."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gridgate.core.time import Resolution, slots_in_day
from tests.instance import Server

PARIS = ZoneInfo("Europe/Paris")


def today_of(server: Server) -> date:
    """The day that the world was made on: it has measurements up to the day before."""
    return date.fromisoformat(server.world["today"])


def present_day() -> date:
    """The day that servers go by."""
    return datetime.now(PARIS).date()


def slots(day: date, step: Resolution) -> int:
    """How many values a day has; those of the clock changes have others than the rest."""
    return slots_in_day(day, step, PARIS)


def half_hours_of_last_week(server: Server) -> int:
    return sum(slots(today_of(server) - timedelta(days=n), Resolution.PT30M) for n in range(1, 8))
