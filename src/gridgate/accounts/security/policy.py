"""What the operator asks beyond a password: second factors by role, one-time codes by act."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from gridgate.accounts.models import SecurityPolicy, SensitiveAct
from gridgate.audit.events import Subject, changed, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.as_read import fingerprint, require_read
from gridgate.organisations.authority import require_operator_administrator
from gridgate.organisations.models import Membership, User
from gridgate.organisations.queries import memberships_of, operator

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as a second factor; recovery codes only replace one."""

_ROLES = ("strong_for_operator", "strong_for_administrators", "strong_for_users")
_OF_PROVIDER = ("provider_issuer", "provider_acr", "provider_amr", "provider_minutes")
MOST_MINUTES = 30 * 24 * 60
NO_SECOND_FACTOR = {
    "provider_acr": frozenset({"0"}),
    "provider_amr": frozenset({"pwd", "pin", "kba", "geo", "rba", "user"}),
}
"""What says by its own standard that no second factor was checked: OpenID Connect Core 1.0 §2, RFC 8176 §2."""


class UnknownAct(GridgateError):
    """A code that is not one of `SensitiveAct`."""

    def __init__(self, codes: Iterable[str]) -> None:
        known = ", ".join(SensitiveAct.values)
        super().__init__(
            ErrorKind.INVALID,
            f"no sensitive act {', '.join(sorted(codes))}",
            remedy=f"Acts are {known}.",
            where="step_up_acts",
        )


class NotASecondFactor(GridgateError):
    """A value of `acr` or `amr` that nobody can send, or that says no second factor was checked."""

    def __init__(self, where: str, word: str) -> None:
        self.word = word
        super().__init__(
            ErrorKind.INVALID,
            f"{word!r} says of no second factor that it was checked",
            remedy="Name the values that the provider documents, without spaces, 200 characters each at most.",
            where=where,
        )


@dataclass(frozen=True, slots=True)
class ProviderFactors:
    """By what the OpenID Connect provider says that it checked a second factor; by nothing: none of its own counts."""

    issuer: str
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    minutes: int | None = None


def policy(request: HttpRequest | None = None) -> SecurityPolicy:
    """The policy in force, by default the model's; read once a request, and never kept longer."""
    known = getattr(request, "_security_policy", None)
    if isinstance(known, SecurityPolicy):
        return known
    found = SecurityPolicy.objects.filter(pk=1).first() or SecurityPolicy(pk=1)
    if request is not None:
        request._security_policy = found  # type: ignore[attr-defined]
    return found


def set_policy(
    *,
    strong_for_operator: bool,
    strong_for_administrators: bool,
    strong_for_users: bool,
    step_up_acts: Iterable[str],
    provider: ProviderFactors | None = None,
    seen: str | None = None,
    actor: Membership | None = None,
    now: datetime,
) -> SecurityPolicy:
    """Change the policy; it holds from everyone's next request on. For the operator's administrators.

    Without `provider`, what counts of the provider stays. `seen`: the `policy_as_read` that is changed, None to ask
    nothing. Raises `NotAllowed`, `UnknownAct`, `NotASecondFactor`, and `ChangedMeanwhile` when somebody else set
    something that would be undone.
    """
    require_operator_administrator(actor)
    acts = set(step_up_acts)
    if unknown := acts - set(SensitiveAct.values):
        raise UnknownAct(unknown)
    with transaction.atomic():
        row = SecurityPolicy.objects.select_for_update().filter(pk=1).first() or SecurityPolicy(pk=1)
        before = _facts(row)
        row.strong_for_operator = strong_for_operator
        row.strong_for_administrators = strong_for_administrators
        row.strong_for_users = strong_for_users
        row.step_up_acts = [act for act in SensitiveAct.values if act in acts]
        if provider is not None:
            _count(row, provider)
        was, became = changed(before, _facts(row))
        if row.changed_at is not None and not became:
            return row
        require_read(seen, before)
        row.changed_at = now
        row.save()
        if became:
            found = operator()
            record(
                "policy.changed",
                subject=Subject("policy", "1", ""),
                organisation=found.pk if found is not None else None,
                actor=actor,
                before=was,
                after=became,
                now=now,
            )
    return row


def with_asked_factor(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """Each membership with `asks_factor`, whether the policy asks a second factor of it, and `has_factor`, whether the
    person has one. Whether a session has proved it, the session knows (`security/proof.py`).

    Worked out by the query that a request makes anyway, so that the policy costs nothing and is never stale.
    """
    has = RawSQL(_WITH_FACTOR, FACTORS, output_field=BooleanField())  # noqa: S611 — a constant
    return memberships.annotate(asks_factor=_asked_of(), has_factor=has)


def must_have_factor(*, user: User) -> bool:
    """Whether the policy asks a second factor of the person, for any of the companies they act for."""
    return memberships_of(user=user).filter(_asked_of()).exists()


def has_factor(*, user: User) -> bool:
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type__in=FACTORS)
    return found.exists()


_ASKED_OF = """EXISTS (
    SELECT 1 FROM accounts_securitypolicy AS policy
    JOIN organisations_organisation AS company ON company.id = organisations_membership.organisation_id
    WHERE policy.id = 1 AND CASE
      WHEN company.is_operator THEN policy.strong_for_operator
      WHEN organisations_membership.role = %s THEN policy.strong_for_administrators
      ELSE policy.strong_for_users
    END)"""
"""Whether the policy asks a second factor of a membership. Every request asks: as an expression it would take longer to
build than all else in the statement takes to build and to answer.
"""


_WITH_FACTOR = """EXISTS (
    SELECT 1 FROM mfa_authenticator AS factor
    WHERE factor.user_id = organisations_membership.user_id AND factor.type IN (%s, %s))"""


def _count(row: SecurityPolicy, provider: ProviderFactors) -> None:
    row.provider_acr = checked_words("provider_acr", provider.acr)
    row.provider_amr = checked_words("provider_amr", provider.amr)
    some = bool(row.provider_acr or row.provider_amr)
    row.provider_issuer = provider.issuer if some else ""
    row.provider_minutes = provider.minutes if some else None


def checked_words(where: str, words: Iterable[str]) -> list[str]:
    """The values, each once; `where` is the policy's field. Raises `NotASecondFactor`."""
    found = list(dict.fromkeys(words))
    for word in found:
        if not re.fullmatch(r"[!-~]{1,200}", word) or word in NO_SECOND_FACTOR[where]:
            raise NotASecondFactor(where, word)
    return found


def _asked_of() -> RawSQL:
    return RawSQL(_ASKED_OF, (Membership.Role.ADMINISTRATOR,), output_field=BooleanField())  # noqa: S611 — a constant


def policy_as_read(row: SecurityPolicy) -> str:
    """Differs when what the policy asks does."""
    return fingerprint(_facts(row))


def _facts(row: SecurityPolicy) -> dict[str, object]:
    return {name: getattr(row, name) for name in (*_ROLES, "step_up_acts", *_OF_PROVIDER)}
