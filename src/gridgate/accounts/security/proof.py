"""What a session has proved of who sits before it, by more than its cookie: lately, and at all.

Both lie in the session, so that what one has proved counts for no other of the same person.
"""

from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.http import HttpRequest

from gridgate.accounts.security.sessions import renew_key
from gridgate.organisations.models import User

PROOF = "proof"
"""Session key: who proved it, when (seconds since 1970 UTC), and how."""


STRONG = "strong"
"""Session key: the person of whom it has proved a second factor, at sign-in or since."""


class By(StrEnum):
    EMAIL = "email"
    """A one-time code sent to the person's address."""
    FACTOR = "factor"
    """A second factor, at sign-in or since."""


def prove(request: HttpRequest, user: User, by: By, *, now: datetime) -> None:
    """Remember the proof in the session; a fresh second factor is not replaced by a code.

    The session goes on under another key (OWASP ASVS 5.0, 7.2.4): a copy of the cookie that was made before is worth
    nothing after.
    """
    renew_key(request)
    if by is By.FACTOR:
        request.session[STRONG] = user.pk
    if by is By.EMAIL and is_proved(request, user, now=now, by_factor=True):
        return
    request.session[PROOF] = {"user": user.pk, "at": int(now.timestamp()), "by": str(by)}


def is_proved(request: HttpRequest, user: User, *, now: datetime, by_factor: bool = False) -> bool:
    """Whether this session proved it within `step_up_minutes`; `by_factor`: by a second factor."""
    proof = request.session.get(PROOF)
    if not isinstance(proof, dict) or proof.get("user") != user.pk:
        return False
    if not 0 <= now.timestamp() - proof["at"] <= settings.ENVIRONMENT.step_up_minutes * 60:
        return False
    return not by_factor or proof["by"] == By.FACTOR


def is_strong(request: HttpRequest, user: User) -> bool:
    """Whether this very session has proved a second factor of the person."""
    return bool(request.session.get(STRONG) == user.pk)
