"""Writing applications and their credentials."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from gridgate.applications.models import AccessToken, ApiSubscription, Application, Credential
from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import line
from gridgate.organisations.authority import require_administrator
from gridgate.organisations.models import Membership, Organisation, UserGroup


@dataclass(frozen=True, slots=True)
class CreatedApplication:
    """An application with the secret that is shown once and never stored."""

    application: Application
    secret: str


@transaction.atomic
def create_application(
    *,
    organisation: Organisation,
    name: str,
    now: datetime,
    apis: Iterable[str] = tuple(ApiSubscription.Api.values),
    redirect_uri: str = "",
    client_id: str | None = None,
    secret: str | None = None,
) -> CreatedApplication:
    """Create an application, its first credential and its API subscriptions.

    `client_id` and `secret` are given only by worlds that must be the same at each run; a secret needs 128 random bits.
    """
    secret = secret or secrets.token_urlsafe(32)
    application = Application.objects.create(
        client_id=client_id or secrets.token_hex(16),
        name=line(name),
        organisation=organisation,
        redirect_uri=redirect_uri,
        created_at=now,
    )
    Credential.objects.create(
        application=application, secret_sha256=hashlib.sha256(secret.encode()).hexdigest(), created_at=now
    )
    apis = list(apis)
    ApiSubscription.objects.bulk_create(ApiSubscription(application=application, api=api) for api in apis)
    record(
        "application.created",
        subject=Subject("application", str(application.pk), application.name),
        organisation=organisation.pk,
        after={"apis": apis},
        now=now,
    )
    return CreatedApplication(application, secret)


def forget_expired_tokens(*, now: datetime) -> int:
    """Delete the tokens that ended over a day ago, and return how many; until then a caller is told "expired"."""
    ended = AccessToken.objects.filter(expires_at__lt=int(now.timestamp()) - 86400)
    return ended.delete()[0]


def revoke_all_tokens(*, now: datetime) -> int:
    """Let every program sign in anew; returns how many tokens were still good."""
    seconds = int(now.timestamp())
    return AccessToken.objects.filter(revoked_at=None, expires_at__gt=seconds).update(revoked_at=seconds)


def set_group(
    *, application: Application, group: UserGroup | None, actor: Membership | None = None, now: datetime
) -> None:
    """Let an application read within a group's perimeter of the measurements only; None: on all points again.

    Effective at its next request. Raises `NotAllowed`, and `GridgateError` (INVALID) for another company's group.
    """
    require_administrator(actor, application.organisation)
    if group is not None and group.organisation_id != application.organisation_id:
        raise GridgateError(ErrorKind.INVALID, "the group is another company's", where="group")
    with transaction.atomic():
        before = Application.objects.filter(pk=application.pk).values_list("group__name", flat=True).get()
        Application.objects.filter(pk=application.pk).update(group=group)
        application.group = group
        record(
            "application.group_changed",
            subject=Subject("application", str(application.pk), application.name),
            organisation=application.organisation_id,
            actor=actor,
            before={"group": before},
            after={"group": None if group is None else group.name},
            now=now,
        )
