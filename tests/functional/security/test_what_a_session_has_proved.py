"""A session counts for what it proved itself, whatever another of the same person did."""

import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings

from gridgate.accounts.security import factors
from gridgate.accounts.security.session_store import kept_as
from gridgate.organisations.operations.members import disable_user
from tests.functional.security.authenticator import SecurityKey
from tests.functional.security.conftest import (
    ask_for,
    confirm_by_email,
    recovery_codes,
    set_up_totp,
    sign_in,
    totp,
)
from tests.handles import handle

EMAIL = "alice@acme.example"
ROLE = {"strong_for_administrators": True}


@pytest.fixture
def password(world):
    return world.give_password("alice")


def is_out(browser):
    return browser.get("/compte/").get("Location", "").startswith("/connexion/")


def is_in(browser):
    return browser.get("/compte/").status_code == 200


def copy_of(world, browser):
    """Another browser with the same cookie, as a thief would have it."""
    thief = world.visitor()
    thief.cookies[settings.SESSION_COOKIE_NAME] = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return thief


def enrolled(world, later):
    """Alice's secret, her recovery codes, and the clock at which her next code is good."""
    owner = world.client("alice")
    secret = set_up_totp(owner, EMAIL)
    codes = recovery_codes(owner)
    now = world.now + timedelta(minutes=1)
    later(now)
    return secret, codes, now


class TestAddingAFactor:
    def test_ends_the_sessions_opened_by_the_password_alone_and_keeps_this_one(self, world, password):
        thief, owner = world.visitor(), world.visitor()
        for browser in (thief, owner):
            sign_in(browser, EMAIL, password)
        set_up_totp(owner, EMAIL)
        assert is_out(thief)
        assert is_in(owner)
        assert UserSession.objects.filter(user=world.alice.user).count() == 1

    def test_that_is_a_key_does_so_too(self, world, password):
        thief, owner = world.visitor(), world.visitor()
        for browser in (thief, owner):
            sign_in(browser, EMAIL, password, HTTP_HOST="localhost")
        owner.get("/compte/securite/cles/ajouter/", HTTP_HOST="localhost")
        confirm_by_email(owner, EMAIL)
        page = owner.get("/compte/securite/cles/ajouter/", HTTP_HOST="localhost")
        key = SecurityKey(origin="http://localhost").make(page.context["options"])
        owner.post(
            "/compte/securite/cles/ajouter/",
            {"name": "Clé", "credential": key},
            HTTP_HOST="localhost",
        )
        assert factors.factors_of(user=world.alice.user).keys
        assert is_out(thief)
        assert is_in(owner)

    def test_ends_one_that_no_list_shows(self, world, password):
        thief = world.visitor()
        sign_in(thief, EMAIL, password)
        UserSession.objects.all().delete()
        set_up_totp(world.client("alice"), EMAIL)
        assert is_out(thief)

    def test_ends_one_that_was_being_opened(self, world, password):
        """It read the account before, and is written after."""
        before = world.membership("alice").user
        set_up_totp(world.client("alice"), EMAIL)
        late = world.visitor()
        late.force_login(before)
        assert is_out(late)

    def test_leaves_nothing_to_a_copy_of_its_own_cookie(self, world, password):
        owner = world.visitor()
        sign_in(owner, EMAIL, password)
        thief = copy_of(world, owner)
        assert is_in(thief)
        set_up_totp(owner, EMAIL)
        assert is_out(thief)

    def test_proves_it_for_a_policy_that_comes_later(self, world, password):
        owner = world.visitor()
        sign_in(owner, EMAIL, password)
        set_up_totp(owner, EMAIL)
        ask_for(**ROLE)
        assert is_in(owner)


class TestChangingTheOthers:
    def test_removing_one_ends_the_sessions_it_may_have_opened(self, world, password, later):
        _, codes, _ = enrolled(world, later)
        elsewhere, here = world.visitor(), world.visitor()
        for browser, code in ((elsewhere, codes[0]), (here, codes[1])):
            sign_in(browser, EMAIL, password)
            browser.post("/connexion/code/", {"code": code})
        here.post("/compte/securite/application/")
        assert factors.factors_of(user=world.alice.user).totp is None
        assert is_out(elsewhere)
        assert is_in(here)

    def test_new_recovery_codes_end_the_sessions_that_former_ones_opened(self, world, password, later):
        _, codes, _ = enrolled(world, later)
        thief, owner = world.visitor(), world.visitor()
        for browser, code in ((thief, codes[0]), (owner, codes[1])):
            sign_in(browser, EMAIL, password)
            browser.post("/connexion/code/", {"code": code})
        owner.post("/compte/securite/codes/")
        assert is_out(thief)
        assert is_in(owner)


class TestAPolicyThatAsks:
    """The session below was opened without a factor by an account that has one: however that came to be."""

    @pytest.fixture
    def weak(self, world, later):
        self.secret, self.codes, self.now = enrolled(world, later)
        ask_for(**ROLE)
        return world.client("alice")

    def test_asks_the_session_and_not_the_account(self, weak):
        for path in ("/", "/compte/", "/compte/securite/", "/compte/mot-de-passe/"):
            assert weak.get(path)["Location"] == "/confirmation/", path
        page = weak.get("/confirmation/").content.decode()
        assert "Continuer avec la double authentification" in page
        assert "Recevoir un code par e-mail" not in page

    def test_lets_it_go_on_once_it_has_proved_one(self, weak):
        weak.get("/compte/")
        done = weak.post("/confirmation/", {"step_up_code": totp(self.secret, self.now)})
        assert done["Location"] == "/compte/"
        assert is_in(weak)

    def test_takes_a_recovery_code_and_refuses_a_wrong_one(self, weak):
        weak.get("/compte/")
        weak.post("/confirmation/", {"step_up_code": "000000000000"})
        assert weak.get("/compte/")["Location"] == "/confirmation/"
        weak.post("/confirmation/", {"step_up_code": self.codes[0]})
        assert is_in(weak)

    def test_does_nothing_before_and_keeps_what_was_typed(self, weak, world):
        form = {"full_name": "Alice Durand", "language": "fr", "time_zone": ""}
        assert weak.post("/compte/", form)["Location"] == "/confirmation/"
        assert world.membership("alice").user.full_name != "Alice Durand"
        weak.post("/compte/", form | {"step_up_code": totp(self.secret, self.now)})
        assert world.membership("alice").user.full_name == "Alice Durand"

    def test_does_not_take_another_sessions_proof(self, weak, world, password):
        weak = world.client("alice")
        other = world.client("alice")
        for browser in (weak, other):
            browser.get("/compte/")
        other.post("/confirmation/", {"step_up_code": totp(self.secret, self.now)})
        assert is_in(other)
        assert weak.get("/compte/")["Location"] == "/confirmation/"

    def test_lets_it_sign_out(self, weak):
        assert weak.post("/deconnexion/")["Location"] == "/connexion/"

    @pytest.mark.parametrize("how", ["totp", "recovery"])
    def test_is_content_with_what_was_proved_at_sign_in_for_as_long_as_the_session_lasts(
        self, weak, world, how, later
    ):
        password = world.give_password("alice")
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        code = totp(self.secret, self.now) if how == "totp" else self.codes[0]
        browser.post("/connexion/code/", {"code": code})
        assert is_in(browser)
        later(self.now + timedelta(hours=5))
        assert is_in(browser)


class TestAStepUp:
    def test_is_worth_nothing_in_another_session(self, world, password, later):
        secret, _, now = enrolled(world, later)
        one, other = world.client("alice"), world.client("alice")
        for browser in (one, other):
            browser.get("/compte/securite/application/")
        one.post("/confirmation/", {"step_up_code": totp(secret, now)})
        assert one.get("/compte/securite/application/").status_code == 200
        assert other.get("/compte/securite/application/")["Location"] == "/confirmation/"

    def test_gives_the_session_another_key_so_that_a_copy_of_the_cookie_gains_nothing(
        self, world, password, later
    ):
        secret, _, now = enrolled(world, later)
        owner = world.client("alice")
        thief = copy_of(world, owner)
        owner.get("/compte/securite/application/")
        owner.post("/confirmation/", {"step_up_code": totp(secret, now)})
        assert owner.get("/compte/securite/application/").status_code == 200
        assert is_out(thief)
        page = owner.get("/compte/securite/").content.decode()
        assert len(re.findall("Celle-ci", page)) == 1


def test_a_session_that_has_just_proved_something_is_closed_from_the_list_all_the_same(
    world, password, later
):
    secret, _, now = enrolled(world, later)
    lost, here = world.visitor(), world.client("alice")
    sign_in(lost, EMAIL, password)
    lost.post("/connexion/code/", {"code": totp(secret, now)})
    row = UserSession.objects.get(session_key=kept_as(lost.session.session_key))
    here.post("/compte/securite/sessions/", {"session": handle(row)})
    assert is_out(lost)
    assert is_in(here)


def test_an_account_that_is_opened_again_does_not_open_its_former_sessions(world):
    browser = world.client("bob")
    user = world.membership("bob").user
    disable_user(user=user)
    user.is_active = True
    user.save(update_fields=["is_active"])
    assert is_out(browser)
