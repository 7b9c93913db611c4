"""Applications, their secrets and the end of their tokens."""

import hashlib
from datetime import timedelta

import pytest

from gridgate.applications.models import AccessToken, ApiSubscription, Credential
from gridgate.applications.operations import create_application, forget_expired_tokens
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_secret_is_shown_once_and_kept_as_its_hash(world: World) -> None:
    created = create_application(organisation=world.tiers1.organisation, name="Suivi", now=world.now)
    credential = Credential.objects.get(application=created.application)
    assert credential.secret_sha256 == hashlib.sha256(created.secret.encode()).hexdigest()
    assert len(created.secret) >= 43, "256 bits in base64"
    assert set(created.application.subscriptions.values_list("api", flat=True)) == set(
        ApiSubscription.Api.values
    )


def test_two_applications_share_neither_id_nor_secret(world: World) -> None:
    one, other = (
        create_application(organisation=world.tiers1.organisation, name="Suivi", now=world.now)
        for _ in range(2)
    )
    assert one.secret != other.secret
    assert one.application.client_id != other.application.client_id


def test_tokens_are_forgotten_a_day_after_they_end(world: World) -> None:
    application = create_application(
        organisation=world.tiers1.organisation, name="Suivi", now=world.now
    ).application
    for name, ended_ago in (
        ("just", timedelta(hours=23)),
        ("long", timedelta(hours=25)),
        ("not", -timedelta(hours=1)),
    ):
        AccessToken.objects.create(
            token_sha256=name,
            application=application,
            issued_at=0,
            expires_at=int((world.now - ended_ago).timestamp()),
        )
    assert forget_expired_tokens(now=world.now) == 1
    assert set(AccessToken.objects.values_list("token_sha256", flat=True)) == {"just", "not"}
