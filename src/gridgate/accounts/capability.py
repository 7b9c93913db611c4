"""What this room tells the rest of the house of itself (`core.capability`)."""

from collections.abc import Iterator
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings

from gridgate.accounts.security.factors import sealed_with_another_key
from gridgate.accounts.security.sessions import end_sessions
from gridgate.core.capability import PersonalData, Rows, iso
from gridgate.core.text import counted
from gridgate.organisations.models import User


def _favourites(user: User) -> Rows:
    return [
        {
            "company": None if row.membership is None else row.membership.organisation.as_said,
            "path": row.path,
            "label": row.label,
            "kept_at": iso(row.created_at),
        }
        for row in user.favourites.select_related("membership__organisation").order_by("created_at", "pk")
    ]


def _sessions(user: User) -> Rows:
    return [
        {
            "opened_at": iso(row.created_at),
            "last_seen_at": iso(row.last_seen_at),
            "address": row.ip,
            "device": row.user_agent,
        }
        for row in UserSession.objects.filter(user=user).order_by("created_at", "pk")
    ]


def _second_factors(user: User) -> Rows:
    return [
        {"type": row.type, "added_at": iso(row.created_at), "last_used_at": iso(row.last_used_at)}
        for row in Authenticator.objects.filter(user=user).order_by("created_at", "pk")
    ]


def _identity_checks(user: User) -> Rows:
    return [
        {
            "at": iso(row.created_at),
            "how": row.how,
            "note": row.note,
            "objected_at": iso(row.objected_at),
            "cancelled_at": iso(row.cancelled_at),
            "second_factors_removed_at": iso(row.done_at),
        }
        for row in user.lost_factors.order_by("created_at", "pk")
    ]


def _external_identities(user: User) -> Rows:
    return [
        {"provider": row.provider, "identifier": row.uid, "said": row.extra_data}
        for row in SocialAccount.objects.filter(user=user).order_by("pk")
    ]


def _forget(user: User, now: datetime) -> None:
    end_sessions(user=user)
    for of_the_library in (EmailAddress, Authenticator, SocialAccount):
        of_the_library.objects.filter(user=user).delete()
    user.favourites.all().delete()
    user.step_up_codes.all().delete()
    user.lost_factors.all().delete()


PERSONAL_DATA = PersonalData(
    sections={
        "favourites": _favourites,
        "sessions": _sessions,
        "second_factors": _second_factors,
        "identity_checks": _identity_checks,
        "external_identities": _external_identities,
    },
    forget=_forget,
)


def faults() -> Iterator[str]:
    """Second factors that were sealed with another secret key open no more."""
    environment = settings.ENVIRONMENT
    if others := sealed_with_another_key():
        where = "GRIDGATE_SECRET_KEY" if environment.secret_key else environment.secret_key_file
        yield (
            f"{where}: it is another secret key than the one that sealed the second factors of "
            f"{counted(others, 'person', 'people')}. {settings.HOW_TO_RESTORE_KEYS}"
        )
