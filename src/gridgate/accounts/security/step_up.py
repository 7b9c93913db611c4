"""One-time codes by e-mail, asked before sensitive acts.

A code is worked out from the secret key and the row's nonce, so the registry holds none. It is good once, for
`step_up_minutes`, for five attempts, in the session that asked for it; a new one ends those before it.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from gridgate.accounts.events import step_up_code_made
from gridgate.accounts.models import StepUpCode
from gridgate.accounts.security.sealing import derived_key
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.models import User

DIGITS = 8
MOST_ATTEMPTS = 5
PAUSE = timedelta(minutes=1)
"""Between two codes."""
MOST_AN_HOUR = 6
KEPT = timedelta(days=1)
"""Rows of codes that are over; what is limited looks back an hour."""


class Refusal(StrEnum):
    """Why a proof was not accepted."""

    WRONG = "wrong"
    OVER = "over"
    """Used, out of date, replaced, or guessed at five times."""
    TOO_MANY = "too_many"


class TooManyCodes(GridgateError):
    """Another code may be asked for at `again_at`."""

    def __init__(self, again_at: datetime) -> None:
        self.again_at = again_at
        super().__init__(
            ErrorKind.TOO_MANY, "too many one-time codes were asked for", remedy="Use the last one, or wait."
        )


def make_code(*, user: User, act: object, now: datetime) -> StepUpCode:
    """Make a code and have it sent; every other code of the person is over. Raises `TooManyCodes`.

    `act` is what the e-mail says the code is for: a lazy text, put in the person's language.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        again_at = next_code_at(user=user, now=now)
        if again_at is not None:
            raise TooManyCodes(again_at)
        StepUpCode.objects.filter(user=user, used_at=None, expires_at__gt=now).update(expires_at=now)
        code = StepUpCode.objects.create(
            user=user,
            nonce=secrets.token_urlsafe(24),
            created_at=now,
            expires_at=now + timedelta(minutes=settings.ENVIRONMENT.step_up_minutes),
        )
        step_up_code_made.send(StepUpCode, code=code, act=act, now=now)
    return code


def next_code_at(*, user: User, now: datetime) -> datetime | None:
    """When another code may be asked for; None: now."""
    if settings.ENVIRONMENT.quotas == "off":
        return None
    recent = StepUpCode.objects.filter(user=user, created_at__gt=now - timedelta(hours=1))
    asked = list(recent.order_by("-created_at").values_list("created_at", flat=True)[:MOST_AN_HOUR])
    if len(asked) == MOST_AN_HOUR:
        return asked[-1] + timedelta(hours=1)
    if asked and now < asked[0] + PAUSE:
        return asked[0] + PAUSE
    return None


def digits_of(code: StepUpCode) -> str:
    """The eight digits. For the e-mail that carries them, and to compare."""
    made = hmac.new(derived_key("step-up"), f"{code.pk}:{code.nonce}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(made[:16], 'big') % 10**DIGITS:0{DIGITS}}"


def live_code(pk: int | None, *, now: datetime) -> StepUpCode | None:
    """The code of this row while it is good."""
    return None if pk is None else _live(pk, now).first()


def use_code(*, user: User, pk: int | None, text: str, now: datetime) -> Refusal | None:
    """Use the code up; None when it was right. `pk` is the code that this session asked for.

    The attempt is counted before it is looked at, by a conditional UPDATE: any number at once are five.
    """
    if pk is None:
        return Refusal.OVER
    with transaction.atomic():
        if not _live(pk, now).filter(user=user).update(attempts=F("attempts") + 1):
            return Refusal.OVER
        code = StepUpCode.objects.get(pk=pk)
        if not hmac.compare_digest(digits_of(code).encode(), text.encode()):
            return Refusal.OVER if code.attempts >= MOST_ATTEMPTS else Refusal.WRONG
        used = StepUpCode.objects.filter(pk=pk, used_at=None).update(used_at=now)
    return None if used else Refusal.OVER


def forget_old_codes(*, now: datetime) -> int:
    """Delete the rows that nothing looks at any more; returns how many."""
    return StepUpCode.objects.filter(created_at__lt=now - KEPT).delete()[0]


def _live(pk: int, now: datetime) -> QuerySet[StepUpCode]:
    return StepUpCode.objects.filter(pk=pk, used_at=None, expires_at__gt=now, attempts__lt=MOST_ATTEMPTS)
