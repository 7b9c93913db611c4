"""What time does to invitations and members: links expire, one more goes to a first administrator, old sign-ups are
forgotten; last days come, and are over.
"""

from datetime import datetime, timedelta

from gridgate.organisations.events import last_day_comes
from gridgate.organisations.last_days import end_of, today
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import end_lapsed

REMINDED = 7
"""Days before their last one on which people are told that it comes."""


def end_past_last_days(*, now: datetime) -> int:
    """Write the end of memberships whose last day is over; returns how many. They had ended already: this says so in
    the company's history, and clears their groups.
    """
    return end_lapsed(Membership.objects.all(), now=now)


def tell_of_last_days(*, now: datetime) -> int:
    """Tell people whose last day is near; returns how many are concerned. Who listens tells each once."""
    near = Membership.objects.present(now).filter(
        until__lte=end_of(today(now) + timedelta(days=REMINDED)), user__is_active=True
    )
    members = list(near.select_related("user", "organisation").order_by("until", "pk"))
    for membership in members:
        last_day_comes.send(Membership, membership=membership, now=now)
    return len(members)
