"""When a page is made: the instant, the civil day, the zone. Read once a request, then passed on."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from gridgate.core.time import Interval, civil_day_bounds, civil_day_of


@dataclass(frozen=True, slots=True)
class Moment:
    now: datetime
    zone: ZoneInfo

    @classmethod
    def present(cls) -> "Moment":
        return cls(timezone.now(), ZoneInfo(settings.TIME_ZONE))

    @property
    def today(self) -> date:
        return civil_day_of(self.now, self.zone)

    def last_days(self, count: int) -> list[date]:
        """The last `count` civil days, oldest first, today included."""
        return [self.today - timedelta(days=back) for back in range(count - 1, -1, -1)]

    def bounds(self, days: list[date]) -> list[Interval]:
        return [civil_day_bounds(day, self.zone) for day in days]

    def last_day_before(self, end: datetime) -> date:
        """The last civil day of what ends at `end`, excluded: midnight of the 11th ends with the 10th."""
        return civil_day_of(end - timedelta(microseconds=1), self.zone)

    def end_of(self, day: date) -> datetime:
        """The instant at which a civil day is over."""
        end = civil_day_bounds(day, self.zone).end
        assert end is not None
        return end
