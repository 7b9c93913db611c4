"""What is written to a person whose account ends: one last letter, and nothing else any more."""

from datetime import datetime

from gridgate.accounts import events
from gridgate.notifications import letters
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.models import User


def tell_of_deletion(
    *, user: User, email: str, full_name: str, language: str, companies: list[str], now: datetime, **_: object
) -> None:
    """Confirm it to the former address. What was written to it before is erased, sent or not: it names the person,
    and what was still to leave is no longer theirs to read.
    """
    OutgoingEmail.objects.filter(recipient__iexact=email).delete()
    letters.write(
        "account_deleted",
        key=str(user.pk),
        email=email,
        language=language,
        facts={"name": full_name, "email": email, "companies": companies, "at": now},
        now=now,
    )


def connect() -> None:
    """Listen to accounts."""
    events.account_deleted.connect(tell_of_deletion)
