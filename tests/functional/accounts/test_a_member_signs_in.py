"""Signing in and out, and what a thief of passwords meets."""

import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from gridgate.accounts.passwords import Argon2idHasher
from gridgate.organisations.models import User
from gridgate.organisations.operations.members import disable_user, end_membership
from tests.comparing import without_what_differs
from tests.world import PASSWORD


def sign_in(client, email, password, next_url="", **extra):
    return client.post(
        "/connexion/",
        {"login": email, "password": password} | ({"next": next_url} if next_url else {}),
        **extra,
    )


def said(response):
    return response.content.decode()


class TestSignIn:
    def test_opens_the_home_page_of_the_company(self, world):
        world.give_password("alice")
        client = world.visitor()
        response = sign_in(client, "Alice@ACME.example", PASSWORD)
        assert (response.status_code, response["Location"]) == (302, "/")
        page = client.get("/compte/")
        assert page.wsgi_request.membership == world.alice
        assert "ACME Industries" in said(page)

    def test_opens_the_account_of_a_person_whose_last_company_detached_them(self, world):
        world.give_password("bob")
        end_membership(membership=world.bob, now=world.now)
        client = world.visitor()
        assert sign_in(client, "bob@acme.example", PASSWORD)["Location"] == "/"
        page = client.get("/compte/")
        assert (page.status_code, page.wsgi_request.membership) == (200, None)
        assert client.get("/compteurs/").status_code == 403, "which is about a company"

    def test_gives_the_session_a_new_key(self, world):
        world.give_password("alice")
        client = world.client("bob")
        client.logout()
        session = client.session
        session["planted"] = True
        session.save()
        before = client.session.session_key
        client.cookies["session"] = before
        sign_in(client, "alice@acme.example", PASSWORD)
        assert client.cookies["session"].value != before

    def test_speaks_the_persons_language_unless_the_browser_chose_one(self, world):
        world.give_password("alice")
        User.objects.filter(pk=world.alice.user_id).update(language="en")
        client = Client()
        sign_in(client, "alice@acme.example", PASSWORD)
        assert '<html lang="en">' in said(client.get("/compte/"))

    @pytest.mark.parametrize("target", ["/partage/", "/compte/?x=1"])
    def test_comes_back_to_the_page_asked_for(self, world, target):
        world.give_password("alice")
        assert sign_in(world.visitor(), "alice@acme.example", PASSWORD, target)["Location"] == target

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/",
            "//evil.example/",
            r"\\evil.example",
            "javascript:alert(1)",
            "http://localhost/x",
        ],
    )
    def test_goes_nowhere_else_than_this_host(self, world, target):
        world.give_password("alice")
        assert sign_in(world.visitor(), "alice@acme.example", PASSWORD, target)["Location"] == "/"

    def test_shows_every_visitor_the_sign_in_page_first(self, world):
        response = world.visitor().get("/compte/")
        assert (response.status_code, response["Location"]) == (302, "/connexion/?next=/compte/")

    def test_keeps_the_page_asked_for_in_the_form(self, world):
        assert 'name="next" value="/compte/"' in said(world.visitor().get("/connexion/?next=/compte/"))

    def test_makes_the_hash_anew_when_its_parameters_are_old(self, world, costly_passwords):
        old = Argon2idHasher()
        old.time_cost = 1
        User.objects.filter(pk=world.alice.user_id).update(password=old.encode(PASSWORD, old.salt()))
        sign_in(world.visitor(), "alice@acme.example", PASSWORD)
        assert User.objects.get(pk=world.alice.user_id).password.startswith(
            "argon2_nfkc$argon2id$v=19$m=19456,t=2,p=1$"
        )


class TestRefusal:
    def test_keeps_the_address_typed_and_not_the_password(self, world):
        page = said(sign_in(world.visitor(), "alice@acme.example", "faux mot de passe"))
        assert 'value="alice@acme.example"' in page
        assert "faux mot de passe" not in page
        assert 'aria-invalid="true"' in page

    def test_says_the_same_for_an_unknown_address_and_a_wrong_password(self, world):
        world.give_password("alice")
        wrong = sign_in(world.visitor(), "alice@acme.example", "faux mot de passe")
        unknown = sign_in(world.visitor(), "nadie@acme.example", "faux mot de passe")
        none = sign_in(world.visitor(), "bob@acme.example", "faux mot de passe")
        assert wrong.status_code == unknown.status_code == none.status_code == 200
        assert bare(wrong) == bare(unknown) == bare(none)

    def test_hashes_once_whoever_the_address_belongs_to(self, world, monkeypatch):
        world.give_password("alice")
        counted = count_hashes(monkeypatch)
        for email in ("alice@acme.example", "bob@acme.example", "nadie@acme.example"):
            counted.clear()
            sign_in(world.visitor(), email, "faux mot de passe")
            assert len(counted) == 1, email

    def test_of_a_closed_account_is_told_to_whoever_knows_its_password_only(self, world):
        world.give_password("alice")
        disable_user(user=world.alice.user)
        assert "Ce compte est fermé" in said(sign_in(world.visitor(), "alice@acme.example", PASSWORD))
        assert "incorrect" in said(sign_in(world.visitor(), "alice@acme.example", "faux mot de passe"))

    def test_is_in_english_too(self, world):
        assert "Wrong address or password" in said(sign_in(world.visitor(language="en"), "x@y.example", "x"))


class TestGuesses:
    def test_are_five_whatever_the_computer_the_name_of_the_portal_and_the_spelling(self, world):
        world.give_password("alice")
        spellings = ["alice@acme.example", "ALICE@acme.example", " alice@acme.example ", "Alice@Acme.Example"]
        for number in range(5):
            page = sign_in(
                world.visitor(),
                spellings[number % 4],
                f"essai {number}",
                REMOTE_ADDR=f"192.0.2.{number}",
                HTTP_HOST="localhost" if number % 2 else "127.0.0.1",
            )
            assert "incorrect" in said(page)
        client = world.visitor()
        assert "Trop d’essais" in said(
            sign_in(client, "alice@acme.example", PASSWORD, REMOTE_ADDR="192.0.2.99")
        )
        assert SESSION_KEY not in client.session

    def test_of_an_unknown_address_are_five_too(self, world):
        for number in range(5):
            sign_in(world.visitor(), "nadie@acme.example", "x", REMOTE_ADDR=f"192.0.2.{number}")
        assert "Trop d’essais" in said(sign_in(world.visitor(), "nadie@acme.example", "x"))

    def test_of_one_do_not_lock_another(self, world):
        world.give_password("bob")
        for number in range(6):
            sign_in(world.visitor(), "alice@acme.example", "x", REMOTE_ADDR=f"192.0.2.{number}")
        assert sign_in(world.visitor(), "bob@acme.example", PASSWORD).status_code == 302

    def test_that_succeed_are_not_counted(self, world):
        world.give_password("alice")
        for _ in range(7):
            assert sign_in(world.visitor(), "alice@acme.example", PASSWORD).status_code == 302


class TestSignOut:
    def test_ends_the_session(self, world):
        client = world.client("alice")
        key = client.session.session_key
        response = client.post("/deconnexion/", follow=True)
        assert response.redirect_chain == [("/connexion/", 302)]
        assert "Vous êtes déconnecté." in said(response)
        client.cookies["session"] = key
        assert client.get("/compte/").status_code == 302

    def test_takes_a_form_not_a_link(self, world):
        assert world.client("alice").get("/deconnexion/").status_code == 405

    def test_leaves_nothing_in_the_browsers_cache(self, world):
        assert world.client("alice").get("/compte/")["Cache-Control"] == "private, no-store"


def test_no_page_of_the_account_library_is_reachable_but_ours(world):
    for path in ("accounts/login/", "accounts/signup/", "login/", "signup/", "accounts/", "accounts/email/"):
        assert world.visitor().get(f"/{path}").status_code == 404


def bare(response):
    return without_what_differs(said(response), *re.findall(r"\w+@acme\.example", said(response)))


def count_hashes(monkeypatch):
    counted = []
    for name in ("encode", "verify"):
        original = getattr(Argon2idHasher, name)

        def counting(self, *args, _original=original):
            counted.append(args)
            return _original(self, *args)

        monkeypatch.setattr(Argon2idHasher, name, counting)
    return counted
