"""A second factor that a person showed to the OpenID Connect provider: whether it counts here.

Nothing does but what the operator has named in the security policy, of the provider there is: values of `acr` and `amr`
in the signed ID token (OpenID Connect Core 1.0 §2, RFC 8176). It counts for the session whose own sign-in brought that
token, and from page to page only while the operator counts it. It opens no sensitive act: the provider alone knows how
long ago it was shown.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from gridgate.organisations.models import SecurityPolicy, User
from gridgate.organisations.security.policy import policy

SHOWN = "factor_shown_elsewhere"
"""Session key: of whom, to which issuer, and by which words of the ID token."""
CLOCKS_APART = 60


def asked_of_provider(row: SecurityPolicy) -> dict[str, str]:
    """What the request to the provider says of it (OpenID Connect Core 1.0 §3.1.2.1)."""
    asked = {}
    if _is_in_force(row) and row.provider_acr:
        asked["acr_values"] = " ".join(row.provider_acr)
    if _is_in_force(row) and row.provider_minutes is not None:
        asked["max_age"] = str(row.provider_minutes * 60)
    return asked


def words_that_count(said: Mapping[str, Any], row: SecurityPolicy, *, now: datetime) -> tuple[str, ...]:
    """What of an ID token's claims, which hold, proves a second factor by this policy; nothing: it proves none."""
    if not _is_recent(said.get("auth_time"), row.provider_minutes, now):
        return ()
    methods = said.get("amr")
    words = [
        ("acr", said.get("acr")),
        *(("amr", one) for one in (methods if isinstance(methods, list) else ())),
    ]
    return tuple(f"{claim}:{word}" for claim, word in words if f"{claim}:{word}" in _counted(row))


def bring(request: HttpRequest, user: User, *, issuer: str, words: tuple[str, ...]) -> None:
    """Let the sign-in that this very request makes count as shown by these words."""
    if words:
        request.factor_brought = {"user": user.pk, "issuer": issuer, "words": list(words)}  # type: ignore[attr-defined]


def is_brought(request: HttpRequest, user: User) -> bool:
    return bool(getattr(request, "factor_brought", {}).get("user") == user.pk)


def keep(request: HttpRequest, user: User) -> None:
    """Once they have signed in: the session remembers what the request brought."""
    if is_brought(request, user):
        request.session[SHOWN] = request.factor_brought  # type: ignore[attr-defined]


def still_counts(request: HttpRequest, user: User) -> bool:
    """Whether this session's sign-in brought a second factor that the operator counts to this day."""
    kept = request.session.get(SHOWN)
    if not isinstance(kept, dict) or kept["user"] != user.pk:
        return False
    row = policy(request)
    return kept["issuer"] == row.provider_issuer and not _counted(row).isdisjoint(kept["words"])


def _is_in_force(row: SecurityPolicy) -> bool:
    """What was named of another provider says nothing of this one."""
    return bool(row.provider_issuer) and row.provider_issuer == settings.ENVIRONMENT.oidc_issuer


def _counted(row: SecurityPolicy) -> frozenset[str]:
    if not _is_in_force(row):
        return frozenset()
    return frozenset([f"acr:{one}" for one in row.provider_acr] + [f"amr:{one}" for one in row.provider_amr])


def _is_recent(at: object, minutes: int | None, now: datetime) -> bool:
    if minutes is None:
        return True
    if not isinstance(at, int | float) or isinstance(at, bool):
        return False
    return -CLOCKS_APART <= now.timestamp() - at <= minutes * 60 + CLOCKS_APART
