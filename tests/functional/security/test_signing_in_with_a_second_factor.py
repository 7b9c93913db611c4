"""After the password, a code; or a key instead of both."""

import json
import re
from datetime import timedelta

import pytest

from gridgate.organisations.models import SignIn
from tests.functional.security.authenticator import SecurityKey
from tests.functional.security.conftest import (
    letters_to,
    newest_code,
    recovery_codes,
    set_up_totp,
    sign_in,
    totp,
    wrong_codes,
)
from tests.handles import handle

EMAIL = "alice@acme.example"


@pytest.fixture
def alice(world):
    """Her password, her application's secret, her recovery codes."""
    password = world.give_password("alice")
    browser = world.client("alice")
    secret = set_up_totp(browser, EMAIL)
    return password, secret, recovery_codes(browser)


class TestACode:
    def test_is_asked_after_the_password_and_nothing_opens_before_it(self, world, alice, later):
        password, secret, _ = alice
        browser = world.visitor()
        assert sign_in(browser, EMAIL, password)["Location"] == "/connexion/code/"
        assert browser.get("/")["Location"].startswith("/connexion/")
        assert browser.get("/connexion/code/").status_code == 200
        later(world.now + timedelta(seconds=60))
        done = browser.post("/connexion/code/", {"code": totp(secret, world.now + timedelta(seconds=60))})
        assert done["Location"] == "/"
        assert browser.get("/").status_code == 200

    def test_is_asked_after_the_password_only(self, world, alice):
        browser = world.visitor()
        assert browser.get("/connexion/code/")["Location"] == "/connexion/"
        sign_in(browser, EMAIL, "pas le bon mot de passe")
        assert browser.get("/connexion/code/")["Location"] == "/connexion/"

    def test_leads_to_the_page_that_was_asked_for(self, world, alice, later):
        password, secret, _ = alice
        browser = world.visitor()
        browser.post(
            "/connexion/?next=/compteurs/", {"login": EMAIL, "password": password, "next": "/compteurs/"}
        )
        later(world.now + timedelta(seconds=60))
        done = browser.post("/connexion/code/", {"code": totp(secret, world.now + timedelta(seconds=60))})
        assert done["Location"] == "/compteurs/"

    def test_is_good_once(self, world, alice, later):
        password, secret, _ = alice
        now = world.now + timedelta(seconds=60)
        later(now)
        for landing in ("/", None):
            browser = world.visitor()
            sign_in(browser, EMAIL, password)
            answer = browser.post("/connexion/code/", {"code": totp(secret, now)})
            assert answer.get("Location") == landing
        assert "il a déjà servi" in answer.content.decode()

    def test_is_not_good_again_while_the_clock_lets_it_be_shown_late(self, world, alice, later):
        """A code is accepted for a minute and a half, for telephones that are late: used once all that time."""
        password, secret, _ = alice
        now = world.now + timedelta(seconds=60)
        code = totp(secret, now)
        for seconds, landing in ((0, "/"), (31, None)):
            later(now + timedelta(seconds=seconds))
            browser = world.visitor()
            sign_in(browser, EMAIL, password)
            assert browser.post("/connexion/code/", {"code": code}).get("Location") == landing

    def test_that_set_the_application_up_is_used(self, world, alice):
        password, secret, _ = alice
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        assert browser.post("/connexion/code/", {"code": totp(secret, world.now)}).status_code == 200

    @pytest.mark.parametrize("late", [-30, 30])
    def test_of_a_clock_a_little_off_is_good_and_of_one_further_off_is_not(self, world, alice, later, late):
        password, secret, _ = alice
        now = world.now + timedelta(minutes=5)
        later(now)
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        far = totp(secret, now + timedelta(seconds=2 * late))
        assert browser.post("/connexion/code/", {"code": far}).status_code == 200
        assert (
            browser.post("/connexion/code/", {"code": totp(secret, now + timedelta(seconds=late))})[
                "Location"
            ]
            == "/"
        )

    @pytest.mark.parametrize("sent", ["", "12345", "abcdef", "１２３４５６", "1" * 500, "\0"])
    def test_of_any_shape_opens_nothing(self, world, alice, sent):
        browser = world.visitor()
        sign_in(browser, EMAIL, alice[0])
        page = browser.post("/connexion/code/", {"code": sent})
        assert page.status_code == 200
        assert 'aria-invalid="true"' in page.content.decode()

    def test_is_guessed_at_five_times_and_the_right_one_waits_too(self, world, alice, later):
        password, secret, _ = alice
        now = world.now + timedelta(minutes=1)
        later(now)
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        right = totp(secret, now)
        for code in wrong_codes(secret, now, 5):
            browser.post("/connexion/code/", {"code": code})
        assert "Trop d’essais" in browser.post("/connexion/code/", {"code": right}).content.decode()
        later(now + timedelta(minutes=5, seconds=1))
        right = totp(secret, now + timedelta(minutes=5, seconds=1))
        assert browser.post("/connexion/code/", {"code": right})["Location"] == "/"

    def test_is_guessed_at_a_few_times_an_hour_whoever_signs_in_between(self, world, alice, later):
        """The owner's own sign-ins give whoever knows the password no further guess; and whoever guesses keeps nobody
        from signing in on the device that they always do.
        """
        password, secret, _ = alice
        owner, looked_at = world.visitor(), 0
        for number in range(30):
            now = world.now + timedelta(minutes=2 + 2 * number)
            later(now)
            if number:
                thief = world.visitor()
                sign_in(thief, EMAIL, password)
                (wrong,) = wrong_codes(secret, now, 1)
                page = thief.post("/connexion/code/", {"code": wrong})
                looked_at += page.status_code == 200
                assert page.status_code == 200 or int(page["Retry-After"]) <= 3600
            later(now + timedelta(seconds=1))
            sign_in(owner, EMAIL, password)
            assert owner.post("/connexion/code/", {"code": totp(secret, now)})["Location"] == "/"
            owner.post("/deconnexion/")
        assert 5 <= looked_at <= 10

    def test_can_be_given_up(self, world, alice):
        browser = world.visitor()
        sign_in(browser, EMAIL, alice[0])
        assert browser.get("/connexion/")["Location"] == "/connexion/code/"
        assert browser.post("/connexion/code/", {"cancel": "1"})["Location"] == "/connexion/"
        assert browser.get("/connexion/").status_code == 200

    def test_opens_no_account_that_was_closed_meanwhile(self, world, alice, later):
        password, secret, _ = alice
        now = world.now + timedelta(minutes=1)
        later(now)
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        user = world.alice.user
        user.is_active = False
        user.save()
        assert browser.post("/connexion/code/", {"code": totp(secret, now)})["Location"] == "/connexion/"
        assert browser.get("/")["Location"].startswith("/connexion/")

    def test_is_asked_after_a_new_password_too(self, world, alice):
        """A lost password is no way around it."""
        from django.contrib.auth.tokens import default_token_generator

        user = world.membership("alice").user
        number, token = handle(user), default_token_generator.make_token(user)
        browser = world.visitor()
        form = browser.get(f"/mot-de-passe/nouveau/{number}/{token}/")
        chosen = "encore une phrase assez longue"
        browser.post(form["Location"], {"new_password1": chosen, "new_password2": chosen})
        assert sign_in(browser, EMAIL, chosen)["Location"] == "/connexion/code/"


class TestARecoveryCode:
    def test_serves_once_and_there_are_ten(self, world, alice):
        password, _, codes = alice
        assert len(set(codes)) == 10
        assert {len(code) for code in codes} == {12}
        for landing in ("/", None):
            browser = world.visitor()
            sign_in(browser, EMAIL, password)
            grouped = f"{codes[3][:4]} {codes[3][4:8]}-{codes[3][8:]}"
            assert browser.post("/connexion/code/", {"code": grouped}).get("Location") == landing

    def test_is_shown_once(self, world, alice, later):
        browser = world.client("alice")
        browser.get("/compte/securite/codes/")
        browser.post("/confirmation/", {"step_up_code": alice[2][0]})
        page = browser.get("/compte/securite/codes/").content.decode()
        assert "9 codes n’ont pas servi" in page
        digits = re.sub(r"\s", "", page)
        assert all(code not in digits for code in alice[2])

    def test_is_worth_nothing_once_others_are_made(self, world, alice):
        password, _, codes = alice
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        browser.post("/connexion/code/", {"code": codes[0]})
        assert browser.post("/compte/securite/codes/")["Location"] == "/compte/securite/codes/"
        others = recovery_codes(browser)
        assert len(others) == 10
        assert not set(others) & set(codes)
        again = world.visitor()
        sign_in(again, EMAIL, password)
        assert again.post("/connexion/code/", {"code": codes[1]}).status_code == 200
        assert again.post("/connexion/code/", {"code": others[1]})["Location"] == "/"
        assert len(letters_to(EMAIL, "factors_changed")) == 2

    def test_can_be_kept_as_a_file_without_another_request(self, world):
        import base64

        browser = world.client("alice")
        set_up_totp(browser, EMAIL)
        page = browser.get("/compte/securite/codes/").content.decode()
        found = re.search(
            r'href="data:text/plain;charset=utf-8;base64,([^"]+)" download="codes-de-secours.txt"', page
        )
        assert found
        text = base64.b64decode(found[1]).decode()
        shown = re.findall(r"<li><code>([\d ]+)</code>", page)
        assert [line for line in text.splitlines() if line[:1].isdigit()] == shown


HTTPS = {"secure": True, "SERVER_NAME": "portail.example"}


@pytest.fixture
def portal_host(settings):
    settings.ALLOWED_HOSTS = ["portail.example", "testserver"]


def options_of(page) -> dict:
    found = re.search(
        r'<script id="key-options" type="application/json">(.*?)</script>', page.content.decode()
    )
    assert found, page.content.decode()
    return json.loads(found[1])


def add_key(browser, key: SecurityKey, name: str = "Téléphone"):
    page = browser.get("/compte/securite/cles/ajouter/", **HTTPS)
    if page.status_code == 302:
        browser.get("/confirmation/", **HTTPS)
        browser.post("/confirmation/", {"step_up_code": newest_code(EMAIL)}, **HTTPS)
        page = browser.get("/compte/securite/cles/ajouter/", **HTTPS)
    form = {"name": name, "credential": key.make(options_of(page))}
    return browser.post("/compte/securite/cles/ajouter/", form, **HTTPS)


@pytest.mark.usefixtures("portal_host")
class TestAKey:
    def test_opens_the_account_without_a_password(self, world):
        key = SecurityKey()
        assert add_key(world.client("alice"), key)["Location"] == "/compte/securite/codes/"
        browser = world.visitor()
        options = browser.get("/connexion/cle/", **HTTPS).json()
        assert options["publicKey"]["userVerification"] == "required"
        form = {"credential": key.answer(options), "next": "/compteurs/"}
        assert browser.post("/connexion/cle/", form, **HTTPS)["Location"] == "/compteurs/"
        assert browser.get("/", **HTTPS).status_code == 200
        assert SignIn.objects.latest("pk").method == "webauthn"

    def test_is_a_second_factor_too(self, world):
        key = SecurityKey()
        password = world.give_password("alice")
        add_key(world.client("alice"), key)
        browser = world.visitor()
        assert sign_in(browser, EMAIL, password, **HTTPS)["Location"] == "/connexion/code/"
        options = options_of(browser.get("/connexion/code/", **HTTPS))
        done = browser.post("/connexion/code/", {"credential": key.answer(options)}, **HTTPS)
        assert done["Location"] == "/"

    def test_confirms_a_sensitive_act(self, world, later):
        key = SecurityKey()
        browser = world.client("alice")
        add_key(browser, key)
        later(world.now + timedelta(minutes=30))
        assert browser.get("/compte/securite/codes/", **HTTPS)["Location"] == "/confirmation/"
        options = options_of(browser.get("/confirmation/", **HTTPS))
        back = browser.post(
            "/confirmation/", {"step_up_key": key.answer(options), "step_up_code": ""}, **HTTPS
        )
        assert back["Location"] == "/compte/securite/codes/"

    def test_says_of_its_owner_nothing_but_what_was_drawn(self, world):
        browser = world.client("alice")
        keys = [SecurityKey(), SecurityKey()]
        for key in keys:
            add_key(browser, key)
        first, second = (key.owner for key in keys)
        assert first == second != world.charlie.user.key_handle.encode()
        assert 32 <= len(first) <= 64, "at least 256 bits drawn, at most what the standard allows"

    def test_that_names_its_owner_by_their_number_opens_the_account_still(self, world):
        """Keys made before owners had a handle of their own."""
        key = SecurityKey()
        add_key(world.client("alice"), key)
        key.owner = str(world.alice.user_id).encode()
        browser = world.visitor()
        answer = key.answer(browser.get("/connexion/cle/", **HTTPS).json())
        browser.post("/connexion/cle/", {"credential": answer}, **HTTPS)
        assert browser.session["_auth_user_id"] == str(world.alice.user_id)

    def test_is_shown_named_and_removed(self, world):
        browser = world.client("alice")
        add_key(browser, SecurityKey(), "Clé du trousseau")
        page = browser.get("/compte/securite/", **HTTPS).content.decode()
        assert "Clé du trousseau" in page
        address = re.search(r'href="(/compte/securite/cles/[0-9a-f-]{36}/)"', page)[1]
        browser.post(address, {"name": "Clé du bureau"}, **HTTPS)
        assert "Clé du bureau" in browser.get("/compte/securite/", **HTTPS).content.decode()
        browser.post(address, {"remove": "1"}, **HTTPS)
        assert "Clé du bureau" not in browser.get("/compte/securite/", **HTTPS).content.decode()
        assert browser.get(address, **HTTPS).status_code == 404

    def test_is_not_offered_where_browsers_refuse_it(self, world):
        browser = world.client("alice")
        add_key(browser, SecurityKey())
        for host in ({"SERVER_NAME": "127.0.0.1"}, {"SERVER_NAME": "portail.example"}):
            assert "security-keys.js" not in world.visitor().get("/connexion/", **host).content.decode()
        assert "security-keys.js" in world.visitor().get("/connexion/", **HTTPS).content.decode()


@pytest.mark.usefixtures("portal_host")
class TestAKeyIsRefused:
    """Whatever the browser sends that no key of the person would."""

    @pytest.fixture
    def key(self, world):
        key = SecurityKey()
        add_key(world.client("alice"), key)
        return key

    def send(self, browser, credential: str):
        return browser.post("/connexion/cle/", {"credential": credential}, **HTTPS)

    def refused(self, browser, credential: str) -> bool:
        answer = self.send(browser, credential)
        return answer["Location"] == "/connexion/" and "_auth_user_id" not in browser.session

    def test_without_the_owners_finger_or_code(self, world, key):
        browser = world.visitor()
        key.verifies = False
        assert self.refused(browser, key.answer(browser.get("/connexion/cle/", **HTTPS).json()))

    def test_from_another_site(self, world, key):
        browser = world.visitor()
        key.origin = "https://portail.example.pirate.example"
        assert self.refused(browser, key.answer(browser.get("/connexion/cle/", **HTTPS).json()))

    def test_answering_another_sessions_challenge(self, world, key):
        browser, other = world.visitor(), world.visitor()
        browser.get("/connexion/cle/", **HTTPS)
        assert self.refused(browser, key.answer(other.get("/connexion/cle/", **HTTPS).json()))

    def test_answering_twice(self, world, key):
        browser = world.visitor()
        answer = key.answer(browser.get("/connexion/cle/", **HTTPS).json())
        kept = browser.cookies["session"].value
        self.send(browser, answer)
        again = world.visitor()
        again.cookies["session"] = kept
        assert self.refused(again, answer)

    def test_of_a_closed_account(self, world, key):
        user = world.alice.user
        user.is_active = False
        user.save()
        browser = world.visitor()
        assert self.refused(browser, key.answer(browser.get("/connexion/cle/", **HTTPS).json()))

    @pytest.mark.parametrize("by", ["handle", "number"])
    def test_naming_another_owner(self, world, key, by):
        browser = world.visitor()
        charlie = world.charlie.user
        key.owner = (charlie.key_handle if by == "handle" else str(charlie.pk)).encode()
        assert self.refused(browser, key.answer(browser.get("/connexion/cle/", **HTTPS).json()))

    def test_of_another_person_after_the_password(self, world, key):
        password = world.give_password("bob")
        set_up_totp(world.client("bob"), "bob@acme.example")
        browser = world.visitor()
        sign_in(browser, "bob@acme.example", password, **HTTPS)
        browser.get("/connexion/code/", **HTTPS)
        options = {"publicKey": {"rpId": "portail.example", "challenge": "AAAA"}}
        answer = browser.post("/connexion/code/", {"credential": key.answer(options)}, **HTTPS)
        assert answer["Location"] == "/connexion/code/"
        assert "_auth_user_id" not in browser.session

    def test_that_is_none(self, world, key):
        browser = world.visitor()
        for sent in (
            "",
            "{}",
            "[]",
            "null",
            "12",
            '{"id": 1}',
            '{"response": []}',
            "é",
            '{"response": {"userHandle": 7}}',
        ):
            browser.get("/connexion/cle/", **HTTPS)
            assert self.refused(browser, sent)

    @pytest.mark.parametrize(
        "spoilt",
        [
            {"authenticatorData": "AA"},
            {"clientDataJSON": "W1tb" * 25_000},
            {"clientDataJSON": 10**400},
            {"signature": 7},
            {"userHandle": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"},
        ],
        ids=lambda spoilt: next(iter(spoilt)),
    )
    def test_of_bytes_that_mean_nothing(self, world, key, spoilt):
        browser = world.visitor()
        options = browser.get("/connexion/cle/", **HTTPS).json()
        answer = json.loads(key.answer(options))
        answer["response"] |= spoilt
        assert self.refused(browser, json.dumps(answer))

    def test_being_added_of_bytes_that_mean_nothing(self, world):
        browser = world.client("alice")
        add_key(browser, SecurityKey(verifies=False))  # and so confirms who it is
        for spoilt in ("Gw", "gYGB" * 3000, "o2Nm", 10**400):
            page = browser.get("/compte/securite/cles/ajouter/", **HTTPS)
            credential = json.loads(SecurityKey().make(options_of(page)))
            credential["response"]["attestationObject"] = spoilt
            form = {"name": "x", "credential": json.dumps(credential)}
            assert browser.post("/compte/securite/cles/ajouter/", form, **HTTPS).status_code == 200

    def test_being_added_without_the_owners_finger_or_code(self, world):
        browser = world.client("alice")
        page = add_key(browser, SecurityKey(verifies=False))
        assert "La clé n’a pas répondu comme attendu" in page.content.decode()
        assert browser.get("/compte/securite/", **HTTPS).content.decode().count("/compte/securite/cles/") == 1

    def test_being_added_with_another_challenge(self, world):
        browser = world.client("alice")
        add_key(browser, SecurityKey(verifies=False))
        page = browser.get("/compte/securite/cles/ajouter/", **HTTPS)
        options = options_of(page)
        browser.get("/compte/securite/cles/ajouter/", **HTTPS)
        form = {"name": "x", "credential": SecurityKey().make(options)}
        assert browser.post("/compte/securite/cles/ajouter/", form, **HTTPS).status_code == 200
