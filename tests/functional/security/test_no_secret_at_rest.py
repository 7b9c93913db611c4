"""A copy of the registry opens nothing."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.serializers import serialize
from django.db import connection

from gridgate.accounts.security.factors import check_code, factors_of
from gridgate.accounts.security.reset_links import reset_links
from gridgate.accounts.security.sealing import Unreadable, seal, unseal
from gridgate.accounts.security.session_store import data_of, kept_as
from gridgate.onboarding.links import token_of
from gridgate.onboarding.operations.invitations import invite
from tests.functional.security.conftest import (
    ask_for,
    newest_code,
    recovery_codes,
    set_up_totp,
    sign_in,
    totp,
)
from tests.handles import handle

EMAIL = "alice@acme.example"
NEW = "encore une phrase assez longue"


def dump() -> str:
    """All that the instance itself can read in its registry, sessions opened with its key, and the bytes of the file."""
    rows = "".join(serialize("json", model.objects.all()) for model in apps.get_models())
    return rows + "".join(str(data_of(session)) for session in Session.objects.all()) + as_it_lies()


def as_it_lies() -> str:
    """What whoever has a copy reads: the bytes of the file, and sessions that are signed at most."""
    connection.ensure_connection()
    signed = "".join(str(session.get_decoded()) for session in Session.objects.all())
    return connection.connection.serialize().decode("latin-1") + signed


def reset_link(name: str, world) -> tuple[str, str]:
    """A link to choose another password, as an e-mail holds it, and its token."""
    user = world.membership(name).user
    token = reset_links.make_token(user)
    return f"/mot-de-passe/nouveau/{handle(user)}/{token}/", token


def choose(client, page: str):
    return client.post(page, {"new_password1": NEW, "new_password2": NEW})


class TestASession:
    def test_is_known_by_the_hash_of_its_key(self, world, caplog, capfd):
        password = world.give_password("alice")
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        first = browser.session.session_key
        browser.get("/compte/securite/")
        browser.post(
            "/compte/mot-de-passe/", {"old_password": password, "new_password1": NEW, "new_password2": NEW}
        )
        browser.get("/compte/securite/")
        set_up_totp(browser, EMAIL)
        browser.post("/compte/securite/sessions/", {"session": "others"})
        last = browser.session.session_key
        assert first != last
        said = capfd.readouterr()
        everything = dump() + caplog.text + said.out + said.err
        assert first not in everything
        assert last not in everything
        assert kept_as(last) in everything

    def test_is_not_opened_by_what_the_registry_knows_it_by(self, world):
        browser = world.client("alice")
        browser.get("/")
        copied = world.visitor()
        copied.cookies[settings.SESSION_COOKIE_NAME] = Session.objects.get().session_key
        assert copied.get("/compte/")["Location"].startswith("/connexion/")
        assert browser.get("/compte/").status_code == 200

    def test_keeps_its_data_sealed(self, world, settings):
        browser = world.client("alice")
        browser.get("/")
        assert world.alice.user.get_session_auth_hash() not in as_it_lies()
        assert "signed_in_at" not in as_it_lies()
        settings.SECRET_KEY = "une autre clé"
        assert data_of(Session.objects.get()) == {}
        assert browser.get("/")["Location"].startswith("/connexion/")


class TestALinkThatWasOpened:
    def test_leaves_nothing_that_opens_it(self, world):
        browser = world.visitor()
        link, token = reset_link("alice", world)
        page = browser.get(link)["Location"]
        everything = dump()
        assert token not in everything
        assert token.partition("-")[2] not in everything
        kept = browser.session["_password_reset_token"]
        assert "Ce lien ne sert plus" in world.visitor().get(link.replace(token, kept)).content.decode()
        assert choose(browser, page)["Location"] == "/mot-de-passe/change/"
        assert world.membership("alice").user.check_password(NEW)

    def test_is_over_once_the_password_changed_elsewhere(self, world):
        here, there = world.visitor(), world.visitor()
        link, _ = reset_link("alice", world)
        page = here.get(link)["Location"]
        assert choose(there, there.get(link)["Location"])["Location"] == "/mot-de-passe/change/"
        for answer in (here.get(page), choose(here, page)):
            assert "Ce lien ne sert plus" in answer.content.decode()

    def test_is_over_after_its_hour_and_is_one_persons(self, world, later):
        here = world.visitor()
        page = here.get(reset_link("alice", world)[0])["Location"]
        of_bob = page.replace(handle(world.alice.user), handle(world.bob.user))
        assert "Ce lien ne sert plus" in choose(here, of_bob).content.decode()
        later(world.now + timedelta(minutes=61))
        assert "Ce lien ne sert plus" in choose(here, page).content.decode()

    @pytest.mark.parametrize("kept", ["", "-", "é-é", "set-password"])
    def test_is_nothing_else(self, world, kept):
        here = world.visitor()
        page = here.get(reset_link("alice", world)[0])["Location"]
        session = here.session
        session["_password_reset_token"] = kept
        session.save()
        assert "Ce lien ne sert plus" in here.get(page).content.decode()

    def test_is_not_told_by_the_sign_in_that_comes_first(self, world, later):
        """An invitation of somebody who has an account: its link is where to go after the second factor."""
        password = world.give_password("alice")
        secret = set_up_totp(world.client("alice"), EMAIL)
        invited = invite(
            organisation=world.client_b, email=EMAIL, full_name="Alice", actor=world.charlie, now=world.now
        )
        link = f"/activation/{token_of(invited)}/"
        later(now := world.now + timedelta(minutes=1))
        browser = world.visitor()
        asked = browser.post("/connexion/", {"login": EMAIL, "password": password, "next": link})
        assert asked["Location"] == "/connexion/code/"
        assert token_of(invited) not in as_it_lies()
        assert browser.post("/connexion/code/", {"code": totp(secret, now)})["Location"] == link
        assert token_of(invited) not in as_it_lies()


def test_no_second_factor_and_no_code_can_be_read_in_it(world):
    alice = world.client("alice")
    ask_for(step_up_acts=["revoke_all"])
    bob = world.client("bob")
    shown = "/compte/securite/application/"
    bob.get(shown)
    code = newest_code("bob@acme.example")
    assert code not in dump()
    bob.post("/confirmation/", {"step_up_code": code})
    page = bob.get(shown).content.decode()
    begun = page[page.index("<code>") + 6 : page.index("</code>")].replace(" ", "")
    secret = set_up_totp(alice, EMAIL)
    codes = recovery_codes(alice)
    alice.post(f"/partage/{world.third_party_1.siren}/resilier/", {"kept": "ce qui est gardé"})
    everything = dump()
    for hidden in (secret, begun, *codes, "ce qui est gardé"):
        assert hidden not in everything
    assert str(world.alice.user_id) in everything


def test_the_page_that_shows_a_new_secret_shows_the_same_when_it_is_read_again(world):
    alice = world.client("alice")
    alice.get("/compte/securite/application/")
    alice.post("/confirmation/", {"step_up_code": newest_code(EMAIL)})
    first, second = (alice.get("/compte/securite/application/").content.decode() for _ in range(2))
    assert first[first.index("<code>") :][:60] == second[second.index("<code>") :][:60]


def test_another_secret_key_opens_nothing_and_breaks_nothing(world, settings):
    alice = world.client("alice")
    secret = set_up_totp(alice, EMAIL)
    settings.SECRET_KEY = "une autre clé"
    now = world.now + timedelta(minutes=1)
    assert check_code(user=world.alice.user, text=totp(secret, now), now=now) is None
    assert factors_of(user=world.alice.user).recovery_codes_left == 0


def test_a_former_secret_key_still_opens_what_it_sealed(world, settings):
    secret = set_up_totp(world.client("alice"), EMAIL)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "une autre clé"
    now = world.now + timedelta(minutes=1)
    assert check_code(user=world.alice.user, text=totp(secret, now), now=now) is not None


def test_what_is_sealed_for_one_purpose_is_not_opened_for_another(db):
    sealed = seal("bonjour", purpose="a")
    assert unseal(sealed, purpose="a") == "bonjour"
    for purpose, text in (("b", sealed), ("a", sealed[:-2]), ("a", ""), ("a", "é")):
        with pytest.raises(Unreadable):
            unseal(text, purpose=purpose)


def test_the_library_sees_the_sealed_secret_only(world):
    secret = set_up_totp(world.client("alice"), EMAIL)
    assert secret not in str(Authenticator.objects.get(type="totp").data)
