"""How long a permission lasts: until when at most, and as the service says without another end."""

from datetime import UTC, date, datetime

from django.utils.timezone import get_default_timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.time import civil_day_bounds, civil_day_of, months_from
from gridgate.sharing.models import DataService

LONGEST_MONTHS = 36
"""The longest that a holder's permission lasts before it must be given again (Enedis, service d'accès: 36
months).
"""


class InvalidEnd(GridgateError):
    """The end is past, or too far."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy)


def end_of_day(day: date) -> datetime:
    """The instant at which a civil day is over."""
    end = civil_day_bounds(day, get_default_timezone()).end
    assert end is not None
    return end


def furthest_end(now: datetime) -> datetime:
    """The latest end that a holder may choose."""
    return end_of_day(months_from(civil_day_of(now, get_default_timezone()), LONGEST_MONTHS))


def settle_end(service: DataService, chosen: datetime | None, now: datetime) -> datetime | None:
    """The end asked for, or without one what the service says. Raises `InvalidEnd`."""
    today = civil_day_of(now, get_default_timezone())
    if chosen is None:
        if not service.duration_months:
            return None
        return civil_day_bounds(months_from(today, service.duration_months), get_default_timezone()).start
    if chosen <= now:
        raise InvalidEnd("the permission would end before it begins", remedy="Choose a later end.")
    if service.terminable and chosen > furthest_end(now):
        raise InvalidEnd(
            f"a permission lasts {LONGEST_MONTHS} months at most",
            remedy="Choose an earlier end; it can be extended.",
        )
    return chosen.astimezone(UTC)
