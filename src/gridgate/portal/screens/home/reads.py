"""*Dernières lectures*: who else read, what, how many points, when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gridgate.audit.queries import reads
from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.screens.sharing import quantities, service_data
from gridgate.portal.screens.sharing.moment import Moment

MOST = 4
WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Read:
    name: str
    what: str
    at: datetime
    when: str
    """The hour today, the day before."""


def last_reads(*, actor: Membership, moment: Moment) -> list[Read]:
    """One line for each reader and kind of data, latest first, over thirty days; one's own excepted."""
    return [
        Read(
            read.reader_name,
            f"{service_data.kind(read.kind)}, {_unbroken(quantities.points(read.points))}",
            read.at,
            _when(read.at, moment),
        )
        for read in reads.last_reads(actor=actor, since=moment.now - WITHIN, most=MOST)
    ]


def _unbroken(count: str) -> str:
    """A number stays with what it counts."""
    return count.replace(" ", formats.NO_BREAK)


def _when(at: datetime, moment: Moment) -> str:
    """On the reader's own clock, as the hour is."""
    day, today = formats.local(at).date(), formats.local(moment.now).date()
    return formats.clock(at) if day == today else formats.day_and_month(day, short=True)
