"""What becomes of sessions as accounts are closed."""

from typing import Any

from django.dispatch import receiver

from gridgate.accounts.security.sessions import end_sessions
from gridgate.organisations.events import account_closed
from gridgate.organisations.models import User


@receiver(account_closed)
def _end_sessions(user: User, **_: Any) -> None:
    end_sessions(user=user)
