"""Who reads a metering point, as far as the actor may know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.timezone import get_default_timezone

from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.metering.queries.points import points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation
from gridgate.sharing.queries.companies import companies_reading, shares_of_points


@dataclass(frozen=True, slots=True)
class PointReader:
    """A company that reads the point by a service of its own; `last_day` is None while the title lasts."""

    company: Organisation
    service: str
    since: datetime | None
    last_day: date | None
    last_read_at: datetime | None


def count_readers(*, actor: Membership, points: Sequence[str], now: datetime, today: date) -> dict[str, int]:
    """How many companies read each of these points, which the actor's company holds, as far as the actor may know: of
    the others nothing is said.
    """
    known = points
    if not actor.reach(EntitlementCode.DATA_SERVICES).everything:
        mine = points_readable_by(actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True)
        known = list(mine.filter(pk__in=points).values_list("pk", flat=True))
    companies = companies_reading(actor=actor, now=now, today=today, days=())
    owners = {id(share): company.company.pk for company in companies for share in company.shares}
    shares = [share for company in companies for share in company.shares]
    return {
        point: len({owners[id(share)] for share in covering})
        for point, covering in shares_of_points(shares, known).items()
    }


def readers_of(
    *, actor: Membership, point: str, held_from: date, now: datetime, today: date
) -> list[PointReader]:
    """The companies that read one point, the operator first: since its title began, or later."""
    begins = civil_day_bounds(held_from, get_default_timezone()).start
    companies = companies_reading(actor=actor, now=now, today=today, days=(), last_reads=True)
    shares = [share for company in companies for share in company.shares]
    covering = {id(share) for share in shares_of_points(shares, [point])[point]}
    return [
        PointReader(
            company=company.company,
            service=share.service.text("name"),
            since=share.since and max(share.since, begins),
            last_day=_last_day_before(share.until),
            last_read_at=company.last_read_at,
        )
        for company in companies
        for share in company.shares
        if id(share) in covering
    ]


def _last_day_before(end: datetime | None) -> date | None:
    """Midnight of the 11th ends with the 10th."""
    return None if end is None else civil_day_of(end - timedelta(microseconds=1), get_default_timezone())
