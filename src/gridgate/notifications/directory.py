"""What is written to a person whom a company's own directory lets act for it: nobody asked them before."""

from datetime import datetime

from gridgate.accounts.provider import provider_name
from gridgate.directory import events
from gridgate.notifications import letters
from gridgate.organisations.models import Membership


def tell_of_addition(*, membership: Membership, now: datetime, **_: object) -> None:
    """The same letter whether the account was opened for it or was there before."""
    letters.write(
        "added_by_directory",
        key=str(membership.pk),
        email=membership.user.email,
        language=membership.user.language,
        facts={"company": membership.organisation, "provider": provider_name()},
        now=now,
    )


def connect() -> None:
    """Listen to directories."""
    events.added_by_directory.connect(tell_of_addition)
