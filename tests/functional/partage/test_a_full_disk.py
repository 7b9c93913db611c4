"""A registry whose disk is full: pages say so in plain words, nothing changes, and all goes on when there is room."""

from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.db import OperationalError
from django.test import Client

from gridgate.organisations.handles import handle_of
from gridgate.sharing.models import AccessLine, Receipt
from tests.full_disk import Disk, disk
from tests.functional.partage.test_end_a_sharing import COMPANY, state_of
from tests.functional.partage.test_who_reads_our_data import text_of

__all__ = ["disk"]


def test_ending_a_sharing_says_that_nothing_has_changed_and_works_again(sharing: Any, disk: Disk) -> None:
    client = sharing.client("alice")
    client.raise_request_exception = False
    client.get(COMPANY)
    disk.fill()
    response = client.post(COMPANY)
    assert response.status_code == 503
    assert "n’est pas enregistré" in text_of(response)
    assert response["Retry-After"]
    assert state_of(sharing.one) == "active"
    assert AccessLine.objects.filter(permission=sharing.one).exists()
    assert not Receipt.objects.exists()
    disk.make_room()
    assert client.post(COMPANY).status_code == 302
    assert state_of(sharing.one) == "revoked"


def test_an_end_that_is_recorded_is_said_though_the_session_finds_no_room(sharing: Any, disk: Disk) -> None:
    client = sharing.client("alice")
    client.raise_request_exception = False
    disk.fill("django_session")
    response = client.post(COMPANY)
    assert state_of(sharing.one) == "revoked"
    assert response.status_code == 302
    assert client.get(response["Location"]).status_code == 200


def test_a_company_that_cannot_be_opened_is_not_said_to_be(sharing: Any, disk: Disk) -> None:
    client = sharing.client("alice")
    client.raise_request_exception = False
    client.get("/")
    disk.fill("django_session")
    chosen = {"membership": handle_of("member", sharing.alice.pk)}
    assert client.post("/compte/entreprise/", chosen).status_code == 503
    disk.make_room()
    assert client.post("/compte/entreprise/", chosen).status_code == 302


def test_who_cannot_be_signed_in_is_told(sharing: Any, disk: Disk) -> None:
    password = sharing.give_password("alice")
    client = Client(raise_request_exception=False)
    client.get("/connexion/")
    disk.fill("django_session")
    form = {"login": sharing.alice.user.email, "password": password}
    response = client.post("/connexion/", form)
    assert response.status_code == 503
    assert "n’est pas enregistré" in text_of(response)
    disk.make_room()
    assert client.post("/connexion/", form).status_code == 302


def test_a_session_that_cannot_be_kept_is_not_taken_for_one_that_is_gone(sharing: Any, disk: Disk) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore(sharing.client("alice").session.session_key)
    store["long"] = "x" * 100_000
    disk.fill()
    with pytest.raises(OperationalError, match="full"):
        store.save()
    disk.make_room()
    store.save()
    gone = type(store)(store.session_key)
    assert gone["long"] == store["long"]
    store.delete()
    with pytest.raises(UpdateError):
        gone.save()
