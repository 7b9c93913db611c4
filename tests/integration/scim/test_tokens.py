"""The bearer token: asked for at every request, revoked at once, and kept as a hash."""

import sys
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from gridgate.audit.models import AuditEvent
from gridgate.directory.models import DirectoryToken
from gridgate.directory.operations.tokens import (
    InvalidToken,
    TokenNameTaken,
    create_token,
    revoke_token,
    token_with_secret,
)
from gridgate.organisations.authority import NotAllowed
from gridgate.portal import scim
from gridgate.portal.scim import asking

PATHS = [
    "/ServiceProviderConfig",
    "/ResourceTypes",
    "/Schemas",
    "/Users",
    "/Users/1",
    "/Groups",
    "/Groups/1",
    "/Me",
    "/nowhere",
    "",
    "/",
]


HEADERS = [None, "", "Bearer", "Bearer ", "Basic QTpC", "Bearer ggd_other", "Bearer é"]


def test_nothing_is_said_without_one(world):
    for path in PATHS:
        for header in HEADERS:
            headers = {} if header is None else {"Authorization": header}
            answer = Client().get(f"/scim/v2{path or '/'}", headers=headers)
            assert answer.status_code == 401, (path, header)
            assert answer["WWW-Authenticate"] == 'Bearer realm="scim"'
            assert answer.json()["status"] == "401"
            assert answer["Content-Type"] == "application/scim+json"


def test_without_one_nothing_of_the_interface_is_loaded(world, directory, monkeypatch):
    """Its models take a second: for whoever has a token."""
    monkeypatch.delattr(scim, "views", raising=False)
    monkeypatch.setitem(sys.modules, "gridgate.portal.scim.views", None)
    for header in HEADERS[3:]:
        assert Client().get("/scim/v2/Users", headers={"Authorization": header}).status_code == 401
    with pytest.raises(ImportError):
        directory.get("/Users")


def test_revoked_is_refused_at_the_very_next_request(world, directory):
    assert directory.get("/Users").status_code == 200
    revoke_token(token=directory.token, actor=world.alice, now=world.now)
    assert directory.get("/Users").status_code == 401
    assert directory.call("POST", "/Users", {"userName": "x@acme.example"}).status_code == 401


def test_revoking_one_leaves_the_others(world, directory):
    other, secret = create_token(organisation=world.acme, name="Script", actor=world.alice, now=world.now)
    revoke_token(token=directory.token, actor=world.alice, now=world.now)
    assert token_with_secret(secret, now=world.now) == other


def test_twice_revoked_keeps_the_first_instant_and_one_event(world, directory):
    revoke_token(token=directory.token, actor=world.alice, now=world.now)
    revoke_token(token=directory.token, actor=world.alice, now=world.now + timedelta(days=1))
    assert DirectoryToken.objects.get().revoked_at == world.now
    assert AuditEvent.objects.filter(action="directory.token_revoked").count() == 1


def test_is_not_in_the_registry(world, directory):
    row = DirectoryToken.objects.filter(pk=directory.token.pk).values().get()
    assert directory.secret not in str(row)
    assert directory.secret.removeprefix("ggd_") not in str(AuditEvent.objects.values())
    assert len(directory.secret) == 4 + 43, "256 random bits"


def test_use_is_noted_once_a_minute(world, directory):
    def used():
        return DirectoryToken.objects.get(pk=directory.token.pk).last_used_at

    with time_machine.travel(world.now, tick=False) as clock:
        directory.get("/Users")
        assert used() == world.now
        clock.shift(59)
        with CaptureQueriesContext(connection) as seen:
            directory.get("/Users")
        assert used() == world.now
        assert not [query for query in seen if query["sql"].startswith("UPDATE")]
        clock.shift(1)
        directory.get("/Users")
        assert used() == world.now + timedelta(minutes=1)


class TestMaking:
    def test_is_for_administrators_of_the_company(self, world):
        for actor in (world.bob, world.charlie, world.operateur):
            with pytest.raises(NotAllowed):
                create_token(organisation=world.acme, name="Entra", actor=actor, now=world.now)

    def test_revoking_too(self, world, directory):
        for actor in (world.bob, world.charlie):
            with pytest.raises(NotAllowed):
                revoke_token(token=directory.token, actor=actor, now=world.now)

    @pytest.mark.parametrize("name", ["", "  ", "x" * 81])
    def test_asks_for_a_name(self, world, name):
        with pytest.raises(InvalidToken):
            create_token(organisation=world.acme, name=name, actor=world.alice, now=world.now)

    def test_of_a_name_in_use_is_refused_until_that_one_is_revoked(self, world, directory):
        with pytest.raises(TokenNameTaken):
            create_token(organisation=world.acme, name=" entra  id", actor=world.alice, now=world.now)
        revoke_token(token=directory.token, actor=world.alice, now=world.now)
        create_token(organisation=world.acme, name="Entra ID", actor=world.alice, now=world.now)

    def test_is_in_the_history(self, world, directory):
        event = AuditEvent.objects.get(action="directory.token_created")
        assert (event.organisation, event.user, event.subject_label) == (
            world.acme.pk,
            world.alice.user_id,
            "Entra ID",
        )


def test_too_many_requests_wait(world, directory, monkeypatch):
    monkeypatch.setattr(asking, "REQUESTS_A_MINUTE", 2)
    monkeypatch.setattr(asking, "_counts", asking._Counts())
    with time_machine.travel(world.now, tick=False) as clock:
        assert [directory.get("/Me").status_code for _ in range(3)] == [501, 501, 429]
        assert directory.get("/Users")["Retry-After"] == "60"
        clock.shift(60)
        assert directory.get("/Me").status_code == 501


def test_benchmarks_are_not_limited(directory, monkeypatch, settings):
    monkeypatch.setattr(asking, "REQUESTS_A_MINUTE", 0)
    with override_settings(ENVIRONMENT=settings.ENVIRONMENT.model_copy(update={"quotas": "off"})):
        assert directory.get("/Me").status_code == 501
