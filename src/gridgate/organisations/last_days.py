"""The last day on which somebody acts for a company: a civil day of the operator's, kept as the instant that ends it."""

from datetime import date, datetime, timedelta

from django.utils.timezone import get_default_timezone

from gridgate.core.time import civil_day_bounds, civil_day_of


def end_of(day: date) -> datetime:
    """The first instant after the day."""
    return civil_day_bounds(day + timedelta(days=1), get_default_timezone()).start


def last_day(until: datetime) -> date:
    """The day that ends then."""
    return civil_day_of(until - timedelta(microseconds=1), get_default_timezone())


def today(now: datetime) -> date:
    return civil_day_of(now, get_default_timezone())
