"""Writing applications and their credentials."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from gridgate.applications.models import AccessToken, ApiSubscription, Application, Credential
from gridgate.organisations.models import Organisation


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
        name=name,
        organisation=organisation,
        redirect_uri=redirect_uri,
        created_at=now,
    )
    Credential.objects.create(
        application=application, secret_sha256=hashlib.sha256(secret.encode()).hexdigest(), created_at=now
    )
    ApiSubscription.objects.bulk_create(ApiSubscription(application=application, api=api) for api in apis)
    return CreatedApplication(application, secret)


def forget_expired_tokens(*, now: datetime) -> int:
    """Delete the tokens that ended over a day ago, and return how many; until then a caller is told "expired"."""
    ended = AccessToken.objects.filter(expires_at__lt=int(now.timestamp()) - 86400)
    return ended.delete()[0]
