"""A second factor that a person showed to the OpenID Connect provider: whether it counts here.

Nothing does but what the operator has named in the security policy, of the provider there is: values of `acr` and `amr`
in the signed ID token (OpenID Connect Core 1.0 §2, RFC 8176). It counts for the session whose own sign-in brought that
token, and at that sign-in as on every page after it only by the policy of that very moment. How long ago the person
signed in there is reckoned from their sign-in here, then as later: a session does not grow too old by being used. It
opens no sensitive act: the provider alone knows how long ago the second factor was shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from gridgate.accounts.models import SecurityPolicy
from gridgate.accounts.security.policy import policy
from gridgate.organisations.models import User

SHOWN = "factor_shown_elsewhere"
"""Session key: of whom, to which issuer, by which words of the ID token, its `auth_time`, when they signed in here."""
CLOCKS_APART = 60
LATEST = 10**11
"""Seconds since 1970 UTC. JSON numbers have no end, and instants that a clock can show do."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of an ID token's claims says that a second factor was shown; without a word, nothing does."""

    words: tuple[str, ...] = ()
    at: float | None = None
    """`auth_time`; None when the token says no instant."""


def asked_of_provider(row: SecurityPolicy) -> dict[str, str]:
    """What the request to the provider says of it (OpenID Connect Core 1.0 §3.1.2.1)."""
    asked = {}
    if _is_in_force(row) and row.provider_acr:
        asked["acr_values"] = " ".join(row.provider_acr)
    if _is_in_force(row) and row.provider_minutes is not None:
        asked["max_age"] = str(row.provider_minutes * 60)
    return asked


def shown_by(said: Mapping[str, Any], row: SecurityPolicy) -> Shown:
    """What an ID token's claims, which hold, say of a second factor, of the words that this policy counts."""
    methods = said.get("amr")
    words = [
        ("acr", said.get("acr")),
        *(("amr", one) for one in (methods if isinstance(methods, list) else ())),
    ]
    counted = _counted(row)
    found = tuple(f"{claim}:{word}" for claim, word in words if f"{claim}:{word}" in counted)
    return Shown(found, _instant(said.get("auth_time"))) if found else Shown()


def bring(request: HttpRequest, user: User, *, issuer: str, shown: Shown, now: datetime) -> None:
    """Let the sign-in that this very request makes count as shown there, if the policy counts it."""
    request.factor_brought = {  # type: ignore[attr-defined]
        "user": user.pk,
        "issuer": issuer,
        "words": list(shown.words),
        "at": shown.at,
        "signed_in": now.timestamp(),
    }


def is_brought(request: HttpRequest, user: User) -> bool:
    brought = getattr(request, "factor_brought", None)
    return brought is not None and _counts(brought, user, policy(request))


def keep(request: HttpRequest, user: User) -> None:
    """Once they have signed in: the session remembers what the request brought."""
    if is_brought(request, user):
        request.session[SHOWN] = request.factor_brought  # type: ignore[attr-defined]


def still_counts(request: HttpRequest, user: User) -> bool:
    """Whether this session's sign-in brought a second factor that the operator counts to this day."""
    kept = request.session.get(SHOWN)
    return kept is not None and _counts(kept, user, policy(request))


def _counts(shown: dict[str, Any], user: User, row: SecurityPolicy) -> bool:
    if shown["user"] != user.pk or shown["issuer"] != row.provider_issuer:
        return False
    if _counted(row).isdisjoint(shown["words"]):
        return False
    # A session of before these were kept has neither.
    return _is_recent(shown.get("at"), row.provider_minutes, shown.get("signed_in", 0))


def _is_in_force(row: SecurityPolicy) -> bool:
    """What was named of another provider says nothing of this one."""
    return bool(row.provider_issuer) and row.provider_issuer == settings.ENVIRONMENT.oidc_issuer


def _counted(row: SecurityPolicy) -> frozenset[str]:
    if not _is_in_force(row):
        return frozenset()
    return frozenset([f"acr:{one}" for one in row.provider_acr] + [f"amr:{one}" for one in row.provider_amr])


def _instant(said: object) -> float | None:
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    return said if is_number and 0 <= said < LATEST else None  # type: ignore[operator,return-value]


def _is_recent(at: float | None, minutes: int | None, signed_in: float) -> bool:
    if minutes is None:
        return True
    return at is not None and -CLOCKS_APART <= signed_in - at <= minutes * 60 + CLOCKS_APART
