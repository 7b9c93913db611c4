"""Whoever must have a second factor, and has none, sets one up before anything else."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import set_role
from gridgate.portal.pages import SIGN_IN
from tests.functional.security.conftest import ask_for, set_up_totp, sign_in, totp
from tests.pages.listed import PAGES
from tests.pages.objects import ABSENT

EVERYONE = {
    "operateur": "strong_for_operator",
    "alice": "strong_for_administrators",
    "charlie": "strong_for_administrators",
    "bob": "strong_for_users",
    "acme_user": "strong_for_users",
}


@pytest.mark.parametrize(("name", "asked"), EVERYONE.items())
class TestWhoever:
    def test_must_have_one_is_led_to_set_it_up(self, world, name, asked):
        ask_for(**{asked: True})
        browser = world.client(name)
        for path in ("/", "/compte/", "/compteurs/", "/administration/", "/compte/mot-de-passe/"):
            assert browser.get(path)["Location"] == "/compte/securite/", path
        page = browser.get("/compte/securite/").content.decode()
        assert "Votre rôle demande la double authentification" in page
        assert re.search(r">Double authentification</h2>[^\n]*Obligatoire</span></header>", page)

    def test_need_not_goes_on(self, world, name, asked):
        ask_for(**{other: True for other in EVERYONE.values() if other != asked})
        assert world.client(name).get("/compte/").status_code == 200


class TestWhoeverMustSetOneUp:
    @pytest.fixture
    def bob(self, world):
        ask_for(strong_for_users=True)
        return world.client("bob")

    def test_can_do_nothing_else(self, world, bob):
        opened = {
            page.name
            for page in PAGES.values()
            if page.name
            and page.get[0] == SIGN_IN  # not open to visitors anyway
            and bob.get(page.path.format(**ABSENT)).get("Location") != reverse("account_security")
        }
        own = {
            "account_security",
            "account_totp",
            "account_key_add",
            "account_key",
            "account_codes",
            "account_external",
            "step_up",
        }
        assert opened <= own | {"account_sessions", "account_notices", "terms_accept"}

    def test_changes_nothing_by_a_form_and_is_told_so(self, world, bob):
        done = bob.post("/compte/", {"full_name": "Robert", "language": "fr"}, follow=True)
        assert "Rien n’a été enregistré" in done.content.decode()
        assert world.membership("bob").user.full_name == "Bob"

    def test_signs_out_and_changes_language(self, bob):
        assert bob.post("/langue/", {"language": "en", "next": "/aide/"})["Location"] == "/aide/"
        assert bob.post("/deconnexion/")["Location"] == "/connexion/"

    def test_goes_on_once_it_is_done(self, world, bob):
        set_up_totp(bob, "bob@acme.example")
        assert bob.get("/").status_code == 200

    def test_cannot_remove_the_last_one(self, world, bob):
        set_up_totp(bob, "bob@acme.example")
        done = bob.post("/compte/securite/application/", follow=True).content.decode()
        assert "ajoutez une clé d’accès avant de retirer l’application" in done
        assert bob.get("/").status_code == 200
        ask_for(strong_for_users=False)
        assert (
            "L’application de codes est retirée"
            in bob.post("/compte/securite/application/", follow=True).content.decode()
        )

    def test_cannot_remove_it_either_when_it_is_asked_in_another_company(self, world, bob):
        ask_for(strong_for_users=False, strong_for_administrators=True)
        set_up_totp(bob, "bob@acme.example")
        Membership.objects.create(
            user=world.bob.user, organisation=world.client_b, role="administrator", created_at=world.now
        )
        bob.post("/compte/securite/application/")
        ask_for(strong_for_administrators=False, strong_for_users=True)
        assert bob.get("/").status_code == 200


def test_a_new_role_asks_at_the_next_request(world):
    ask_for(strong_for_administrators=True)
    browser = world.client("bob")
    assert browser.get("/").status_code == 200
    set_role(membership=world.membership("bob"), role="administrator", now=world.now)
    assert browser.get("/")["Location"] == "/compte/securite/"


def test_a_new_policy_asks_at_the_next_request(world):
    browser = world.client("bob")
    assert browser.get("/").status_code == 200
    ask_for(strong_for_users=True)
    assert browser.get("/")["Location"] == "/compte/securite/"


def test_whoever_has_one_always_uses_it_whatever_the_policy(world, later):
    password = world.give_password("bob")
    secret = set_up_totp(world.client("bob"), "bob@acme.example")
    browser = world.visitor()
    assert sign_in(browser, "bob@acme.example", password)["Location"] == "/connexion/code/"
    now = world.now + timedelta(minutes=1)
    later(now)
    browser.post("/connexion/code/", {"code": totp(secret, now)})
    assert browser.get("/").status_code == 200


def test_a_stolen_password_is_not_enough_to_add_ones_own(world):
    """The first second factor takes a code from the mailbox."""
    password = world.give_password("alice")
    thief = world.visitor()
    sign_in(thief, "alice@acme.example", password)
    assert thief.get("/compte/securite/application/")["Location"] == "/confirmation/"
    assert thief.post("/compte/securite/application/", {"code": "123456"})["Location"] == "/confirmation/"
