"""A person's second factors: an authenticator application (TOTP, RFC 6238), security keys, recovery codes.

The account library keeps them (`Authenticator`); what is a secret is sealed by `MfaAdapter`. Whatever changes them ends
the person's sessions, which proved what was asked before: all but the one of `session_key`, which made the change and
calls `sessions.go_on`.
"""

import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.db import transaction

from gridgate.accounts.events import factors_changed
from gridgate.accounts.security.policy import FACTORS, must_have_factor
from gridgate.accounts.security.sealing import Unreadable
from gridgate.accounts.security.sessions import end_sessions
from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import compact, line
from gridgate.organisations.models import Membership, User
from gridgate.organisations.queries import memberships_of

_log = logging.getLogger(__name__)

TOTP_SECONDS = 30
DRIFT = 1
"""Steps by which the telephone's clock may be off, either way (RFC 6238, §5.2)."""
MOST_KEYS = 10
LONGEST_NAME = 60


class WrongCode(GridgateError):
    """The code is not the one that the application shows."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.INVALID, "the code is not the right one", remedy="Give the present one.")


class LastFactor(GridgateError):
    """The policy asks a second factor of the person, and this is the only one."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT, "this is the last second factor", remedy="Add another one before removing it."
        )


class FactorExists(GridgateError):
    """One application a person, and so many keys."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorKind.CONFLICT, message)


class FactorNotFound(GridgateError):
    """The person has no such factor."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such second factor")


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person has, as their page shows it."""

    totp: Authenticator | None
    keys: Sequence[Authenticator]
    recovery_codes_left: int | None
    """None: there are no recovery codes."""

    @property
    def strong(self) -> bool:
        return self.totp is not None or bool(self.keys)


def factors_of(*, user: User) -> Factors:
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return Factors(
        totp=next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        keys=[row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        recovery_codes_left=None if codes is None else _codes_left(codes),
    )


def check_code(*, user: User, text: str, now: datetime) -> Authenticator | None:
    """The factor that the code is good for; None when it is for none. A code is good once.

    Whoever calls this limits the guesses (`security/guesses.py`).
    """
    digits = _digits_of(text)
    if not (digits.isascii() and digits.isdigit()):
        return None
    try:
        return _check_totp(user, digits, now) if len(digits) == 6 else _check_recovery(user, digits, now)
    except Unreadable:
        _log.exception("the second factors of user %s were sealed with another secret key", user.pk)
        return None


def add_totp(
    *, user: User, secret: str, code: str, session_key: str | None = None, now: datetime
) -> Authenticator:
    """Add an authenticator application that has just shown `code`. Raises `WrongCode` and `FactorExists`."""
    step = _step_of(secret, _digits_of(code), now)
    if step is None:
        raise WrongCode
    with transaction.atomic():
        _hold(user)
        if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
            raise FactorExists("the person already has an authenticator application")
        row = TOTP.activate(user, secret).instance
        row.data["last_step"], row.created_at = step, now
        row.save(update_fields=["data", "created_at"])
        _added(user, "totp_added", session_key, now)
    return row


def add_key(
    *, user: User, name: str, credential: dict[str, Any], session_key: str | None = None, now: datetime
) -> Authenticator:
    """Add a security key or passkey whose registration `keys.register` has verified. Raises `FactorExists`."""
    with transaction.atomic():
        _hold(user)
        if Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).count() >= MOST_KEYS:
            raise FactorExists(f"the person already has {MOST_KEYS} keys")
        row = Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": line(name)[:LONGEST_NAME], "credential": credential},
            created_at=now,
        )
        _added(user, "key_added", session_key, now)
    return row


def rename_key(*, user: User, pk: int, name: str) -> None:
    """Raises `FactorNotFound`."""
    with transaction.atomic():
        row = _factor(user, pk, Authenticator.Type.WEBAUTHN)
        row.data["name"] = line(name)[:LONGEST_NAME]
        row.save(update_fields=["data"])


def remove_factor(*, user: User, pk: int, session_key: str | None = None, now: datetime) -> None:
    """Remove an application or a key; recovery codes go with the last one.

    Raises `FactorNotFound`, and `LastFactor` while the policy asks for one.
    """
    with transaction.atomic():
        _hold(user)
        row = _factor(user, pk, *FACTORS)
        others = Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(pk=pk)
        last = not others.exists()
        if last and must_have_factor(user=user):
            raise LastFactor
        change = "totp_removed" if row.type == Authenticator.Type.TOTP else "key_removed"
        row.delete()
        if last:
            Authenticator.objects.filter(user=user).delete()
        _changed(user, change, session_key, now)


def forget_factors(*, user: User, actor: Membership | None = None, now: datetime) -> int:
    """Remove everything, also when the policy asks for it: for a person who lost all of it. Returns how many rows.

    It opens the account to whoever has its password, so it stands in the history of every company that the person acts
    for, the person is told, and every session ends. `operations.lost_factors` says who may ask for it on the portal.
    """
    with transaction.atomic():
        _hold(user)
        removed: int = Authenticator.objects.filter(user=user).delete()[0]
        end_sessions(user=user)
        companies: list[int | None] = [one.organisation_id for one in memberships_of(user=user)]
        for company in companies or [None]:
            record(
                "account.factors_forgotten",
                subject=Subject("user", str(user.pk), user.email),
                organisation=company,
                actor=actor,
                now=now,
            )
        factors_changed.send(Authenticator, user=user, change="all_removed", now=now)
    return removed


def renew_recovery_codes(*, user: User, session_key: str | None = None, now: datetime) -> None:
    """Other recovery codes; the former ones are worth nothing. Raises `FactorNotFound` without a second factor."""
    with transaction.atomic():
        _hold(user)
        if not Authenticator.objects.filter(user=user, type__in=FACTORS).exists():
            raise FactorNotFound
        Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
        RecoveryCodes.activate(user)
        _changed(user, "codes_renewed", session_key, now)


def read_recovery_codes_once(*, user: User) -> list[str] | None:
    """The recovery codes the first time they are asked for; None ever after."""
    with transaction.atomic():
        _hold(user)
        row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
        if row is None or RecoveryCodes(row).did_view:
            return None
        codes: list[str] = RecoveryCodes(row).get_unused_codes()
        RecoveryCodes(row).mark_as_viewed()
    return codes


def _added(user: User, change: str, session_key: str | None, now: datetime) -> None:
    RecoveryCodes.activate(user)  # keeps those that are there
    _changed(user, change, session_key, now)


def _changed(user: User, change: str, session_key: str | None, now: datetime) -> None:
    end_sessions(user=user, but=session_key)
    factors_changed.send(Authenticator, user=user, change=change, now=now)


def _hold(user: User) -> None:
    """One change of a person's factors at a time."""
    User.objects.select_for_update().get(pk=user.pk)


def _factor(user: User, pk: int, *types: str) -> Authenticator:
    row: Authenticator | None = Authenticator.objects.filter(user=user, pk=pk, type__in=types).first()
    if row is None:
        raise FactorNotFound
    return row


def _check_totp(user: User, digits: str, now: datetime) -> Authenticator | None:
    with transaction.atomic():
        # The row is held while it is compared: of two processes with the same code, one finds it used.
        row = (
            Authenticator.objects.select_for_update().filter(user=user, type=Authenticator.Type.TOTP).first()
        )
        if row is None:
            return None
        step = _step_of(decrypt(row.data["secret"]), digits, now)
        if step is None or step <= row.data.get("last_step", -1):
            return None
        row.data["last_step"], row.last_used_at = step, now
        row.save(update_fields=["data", "last_used_at"])
    return row


def _check_recovery(user: User, digits: str, now: datetime) -> Authenticator | None:
    row = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    if row is None or not RecoveryCodes(row).validate_code(digits):
        return None
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def _step_of(secret: str, digits: str, now: datetime) -> int | None:
    """The time step that the code belongs to, of those around `now`."""
    present = int(now.timestamp()) // TOTP_SECONDS
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, step)).encode(), digits.encode()):
            return step
    return None


def _codes_left(row: Authenticator) -> int:
    try:
        return len(RecoveryCodes(row).get_unused_codes())
    except Unreadable:
        return 0


def sealed_with_another_key(*, among: int | None = None) -> int:
    """How many people have factors that the instance's secret key does not open, of so many rows or of all."""
    people = set()
    rows = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk")
    for user, data in rows.values_list("user", "data")[:among]:
        try:
            for name in data.keys() & {"secret", "seed"}:
                decrypt(data[name])
        except Unreadable:
            people.add(user)
    return len(people)


def _digits_of(text: str) -> str:
    return compact(text).replace("-", "")
