"""What companies do to their members, as far as their directories go by it."""

from typing import Any

from django.dispatch import receiver

from gridgate.organisations.events import leaves
from gridgate.organisations.models import Membership


@receiver(leaves)
def _leave_dated_places(membership: Membership, **_: Any) -> None:
    """A directory that lets the person in again gives no dated place back, as its dates would be gone."""
    dated = membership.groups.exclude(valid_from=None, valid_until=None).values_list("group", flat=True)
    groups = list(dated)
    if groups:
        for person in membership.user.directory_people.filter(organisation=membership.organisation_id):
            person.groups.remove(*groups)
