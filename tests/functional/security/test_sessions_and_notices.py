"""Where the account is open, closing it from afar, and being told of a device never seen."""

import json
import logging
import re
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from typer.testing import CliRunner

from gridgate.accounts.security import sessions, sign_ins
from gridgate.accounts.security.session_store import kept_as
from gridgate.audit.models import AuditEvent
from gridgate.config.cli import app
from gridgate.organisations.models import SignIn, User
from gridgate.organisations.operations.members import add_member, end_membership
from tests.functional.security.conftest import letters_to, set_up_totp, sign_in, totp, wrong_codes
from tests.handles import handle

EMAIL = "alice@acme.example"
FIREFOX = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
CHROME = {
    "HTTP_USER_AGENT": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
    "REMOTE_ADDR": "192.0.2.7",
}


@pytest.fixture
def password(world):
    return world.give_password("alice")


class TestTheList:
    def test_says_device_address_since_when_and_which_is_this_one(self, world, password):
        here, there = world.visitor(), world.visitor()
        sign_in(here, EMAIL, password, **FIREFOX)
        sign_in(there, EMAIL, password, **CHROME)
        page = here.get("/compte/securite/", **FIREFOX).content.decode()
        table = re.search(r'aria-labelledby="sessions".*?</table>', page, re.S)[0]
        rows = re.findall(r"<tr role=\"row\"><th role=\"rowheader\".*?</tr>", table, re.S)
        assert len(rows) == 2
        assert "Firefox, Linux" in rows[0]
        assert "Celle-ci" in rows[0]
        assert "Chrome, Windows" in rows[1]
        assert "192.0.2.7" in rows[1]
        assert "Celle-ci" not in rows[1]

    def test_holds_a_session_from_its_first_request_however_it_was_opened(self, world):
        browser = world.client("alice")
        browser.get("/")
        assert UserSession.objects.filter(
            user=world.alice.user, session_key=kept_as(browser.session.session_key)
        ).exists()

    def test_is_written_every_few_minutes_only(self, world, django_assert_num_queries, later):
        browser = world.client("alice")
        browser.get("/aide/")
        first = UserSession.objects.get(user=world.alice.user).last_seen_at
        later(world.now + timedelta(minutes=4))
        browser.get("/aide/")
        assert UserSession.objects.get(user=world.alice.user).last_seen_at == first
        later(world.now + timedelta(minutes=6))
        browser.get("/aide/")
        assert UserSession.objects.get(user=world.alice.user).last_seen_at > first

    def test_keeps_a_session_whose_password_changed_and_leaves_out_those_that_ended(self, world, password):
        here, there = world.visitor(), world.visitor()
        sign_in(here, EMAIL, password)
        sign_in(there, EMAIL, password)
        since = UserSession.objects.get(session_key=kept_as(here.session.session_key)).created_at
        chosen = "encore une phrase assez longue"
        here.post(
            "/compte/mot-de-passe/",
            {"old_password": password, "new_password1": chosen, "new_password2": chosen},
        )
        page = here.get("/compte/securite/").content.decode()
        assert "Celle-ci" in page
        assert "Fermer toutes les autres" not in page
        assert UserSession.objects.get(session_key=kept_as(here.session.session_key)).created_at == since

    def test_is_of_ones_own_sessions(self, world):
        world.client("bob").get("/", **CHROME)
        assert "192.0.2.7" not in world.client("alice").get("/compte/securite/").content.decode()


class TestClosing:
    def test_one_takes_effect_at_its_next_request(self, world, password):
        here, there, third = world.visitor(), world.visitor(), world.visitor()
        for browser in (here, there, third):
            sign_in(browser, EMAIL, password)
        row = UserSession.objects.get(session_key=kept_as(there.session.session_key))
        assert (
            here.post("/compte/securite/sessions/", {"session": handle(row)})["Location"]
            == "/compte/securite/"
        )
        assert there.get("/")["Location"].startswith("/connexion/")
        assert here.get("/").status_code == third.get("/").status_code == 200

    def test_all_others_leaves_this_one(self, world, password):
        here, there, third = world.visitor(), world.visitor(), world.visitor()
        for browser in (here, there, third):
            sign_in(browser, EMAIL, password)
        here.post("/compte/securite/sessions/", {"session": "others"})
        for browser in (there, third):
            assert browser.get("/")["Location"].startswith("/connexion/")
        assert here.get("/").status_code == 200

    @pytest.mark.parametrize("sent", ["", "abc", "-1", "²", "99999999999999999999"])
    def test_what_is_no_session_of_ones_own_closes_nothing(self, world, sent):
        bob = world.client("bob")
        bob.get("/")
        alice = world.client("alice")
        row = UserSession.objects.get(user=world.bob.user)
        for session in (row.pk, sent):
            page = alice.post("/compte/securite/sessions/", {"session": session}, follow=True)
            assert "Cette session était déjà fermée." in page.content.decode()
        assert bob.get("/").status_code == 200

    def test_all_of_a_person_for_whoever_deletes_an_account(self, world):
        alice = world.client("alice")
        alice.get("/")
        assert sessions.end_sessions(user=world.alice.user) == 1
        assert not Session.objects.filter(session_key=kept_as(alice.session.session_key)).exists()
        assert alice.get("/")["Location"].startswith("/connexion/")

    def test_sweeps_up_what_is_out_of_date(self, world):
        world.client("alice").get("/")
        later = world.now + timedelta(days=15)
        sessions.forget_ended_sessions(now=later)
        assert not Session.objects.exists()
        assert not UserSession.objects.exists()

    def test_a_detached_person_is_out_at_the_next_request(self, world):
        bob = world.client("bob")
        assert bob.get("/").status_code == 200
        end_membership(membership=world.membership("bob"), now=world.now)
        assert bob.get("/")["Location"].startswith("/connexion/")


class TestASignIn:
    def test_is_written_with_its_method_address_and_device(self, world, password, later):
        sign_in(world.visitor(), EMAIL, password, **CHROME)
        one = SignIn.objects.get(user=world.alice.user)
        assert (one.method, one.address, one.device) == ("password", "192.0.2.7", "Chrome, Windows")
        secret = set_up_totp(world.client("alice"), EMAIL)
        now = world.now + timedelta(minutes=1)
        later(now)
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        assert SignIn.objects.count() == 1
        browser.post("/connexion/code/", {"code": totp(secret, now)})
        assert SignIn.objects.latest("pk").method == "totp"
        page = browser.get("/compte/securite/").content.decode()
        assert "mot de passe et application" in page

    def test_of_the_first_time_is_not_told(self, world, password):
        sign_in(world.visitor(), EMAIL, password)
        assert not letters_to(EMAIL, "new_sign_in")

    def test_from_a_device_never_seen_is_told_with_when_where_and_what_to_do(self, world, password):
        sign_in(world.visitor(), EMAIL, password)
        sign_in(world.visitor(), EMAIL, password, **CHROME)
        (letter,) = letters_to(EMAIL, "new_sign_in")
        for said in (
            "25 novembre 2026 à 10:30 (heure du réseau : Paris, UTC+1)",
            "Chrome, Windows",
            "192.0.2.7",
            "/compte/mot-de-passe/",
        ):
            assert said in letter.body.replace("\u00a0", " ")
        assert "nouvel appareil" in letter.subject

    @pytest.mark.parametrize(
        ("zone", "language", "said"),
        [
            ("America/Martinique", "fr", "25 novembre 2026 à 05:30 (votre heure : Martinique, UTC−4)"),
            ("Pacific/Auckland", "en", "25 November 2026 at 22:30 (your time: Auckland, UTC+13)"),
            ("Europe/Paris", "fr", "25 novembre 2026 à 10:30 (heure du réseau : Paris, UTC+1)"),
            ("", "en", "25 November 2026 at 10:30 (network time: Paris, UTC+1)"),
            ("Mars/Olympus_Mons", "en", "25 November 2026 at 10:30 (network time: Paris, UTC+1)"),
        ],
    )
    def test_and_a_changed_factor_are_told_on_the_persons_clock_by_its_name(
        self, world, password, zone, language, said
    ):
        User.objects.filter(pk=world.alice.user_id).update(time_zone=zone, language=language)
        sign_in(world.visitor(), EMAIL, password)
        sign_in(world.visitor(), EMAIL, password, **CHROME)
        set_up_totp(world.client("alice", language=language), EMAIL)
        for kind in ("new_sign_in", "factors_changed"):
            assert said in re.sub(r"[\u00a0\u202f]", " ", letters_to(EMAIL, kind)[0].body)

    def test_from_the_same_device_is_not(self, world, password):
        sign_in(world.visitor(), EMAIL, password)
        browser = world.visitor()
        sign_in(browser, EMAIL, password)
        browser.post("/deconnexion/")
        sign_in(browser, EMAIL, password)
        assert len(letters_to(EMAIL, "new_sign_in")) == 1

    def test_from_a_device_of_somebody_else_is_told(self, world, password):
        bobs = world.give_password("bob")
        browser = world.visitor()
        sign_in(world.visitor(), EMAIL, password)
        sign_in(browser, "bob@acme.example", bobs)
        browser.post("/deconnexion/")
        sign_in(browser, EMAIL, password)
        assert len(letters_to(EMAIL, "new_sign_in")) == 1

    def test_is_not_told_to_whoever_does_not_want_it(self, world, password):
        here = world.visitor()
        sign_in(here, EMAIL, password)
        page = here.post("/compte/securite/avis/", {"tell": "no"}, follow=True)
        assert "Vous ne serez plus averti" in page.content.decode()
        sign_in(world.visitor(), EMAIL, password)
        assert not letters_to(EMAIL, "new_sign_in")
        here.post("/compte/securite/avis/", {"tell": "yes"})
        sign_in(world.visitor(), EMAIL, password)
        assert len(letters_to(EMAIL, "new_sign_in")) == 1

    def test_names_the_device_by_a_cookie_that_scripts_cannot_read_and_keeps_its_hash(self, world, password):
        browser = world.visitor()
        cookie = sign_in(browser, EMAIL, password).cookies["device"]
        assert cookie["httponly"]
        assert cookie["max-age"] == 400 * 24 * 3600
        row = SignIn.objects.get(user=world.alice.user)
        assert cookie.value not in str(vars(row))
        assert len(row.device_sha256) == 64

    @pytest.mark.parametrize("sent", ["", "x", "a" * 5000, "é" * 30, "<script>" * 4])
    def test_replaces_a_cookie_that_it_did_not_make(self, world, password, sent):
        browser = world.visitor()
        browser.cookies["device"] = sent
        assert re.fullmatch(r"[\w-]{32}", sign_in(browser, EMAIL, password).cookies["device"].value)

    def test_is_forgotten_with_the_device(self, world, password):
        sign_in(world.visitor(), EMAIL, password)
        assert sign_ins.forget_old_sign_ins(now=world.now + timedelta(days=399)) == 0
        assert sign_ins.forget_old_sign_ins(now=world.now + timedelta(days=401)) == 1


class TestTheLog:
    def test_tells_success_and_failure_of_each_step_and_no_secret(self, world, password, later, caplog):
        caplog.set_level(logging.INFO, "gridgate.security")
        secret = set_up_totp(world.client("alice"), EMAIL)
        now = world.now + timedelta(minutes=1)
        later(now)
        browser = world.visitor()
        sign_in(browser, EMAIL, "un autre mot de passe")
        sign_in(browser, "inconnu@acme.example", "un autre mot de passe")
        sign_in(browser, EMAIL, password)
        (wrong,) = wrong_codes(secret, now, 1)
        browser.post("/connexion/code/", {"code": wrong})
        browser.post("/connexion/code/", {"code": totp(secret, now)})
        lines = [
            json.loads(record.message) for record in caplog.records if record.name == "gridgate.security"
        ]
        assert [(line["event"], line["user"]) for line in lines] == [
            ("step-up code sent", world.alice.user_id),
            ("step-up accepted", world.alice.user_id),
            ("second factor added", world.alice.user_id),
            ("sign-in refused", world.alice.user_id),
            ("sign-in refused", None),
            ("second factor refused", world.alice.user_id),
            ("signed in", world.alice.user_id),
        ]
        assert all(line["at"].endswith("+00:00") and line["address"] == "127.0.0.1" for line in lines)
        for hidden in (secret, password, wrong, totp(secret, now), EMAIL, "inconnu", "un autre mot de passe"):
            assert hidden not in caplog.text


class TestAPersonOfNoCompany:
    def test_has_the_same_page(self, world):
        user = world.bob.user
        end_membership(membership=world.membership("bob"), now=world.now)
        browser = world.visitor()
        browser.force_login(user)
        assert browser.get("/compte/securite/").status_code == 200
        set_up_totp(browser, user.email)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_is_in_both_languages(world, language):
    page = world.client("alice", language=language).get("/compte/securite/").content.decode()
    assert {"fr": "Sessions ouvertes", "en": "Open sessions"}[language] in page


class TestWhoeverLostEverything:
    """The command runs in the registry of the test, not in an instance's."""

    @pytest.fixture
    def gridgate(self, monkeypatch):
        monkeypatch.setattr("gridgate.config.commands.people.load_django", lambda: None)
        return lambda *arguments: CliRunner().invoke(app, arguments)

    def test_gets_in_again_by_the_operators_command_and_is_told(self, world, password, gridgate):
        browser = world.client("alice")
        set_up_totp(browser, EMAIL)
        done = gridgate("user", "forget-factors", EMAIL)
        assert done.exit_code == 0, done.output
        assert browser.get("/")["Location"].startswith("/connexion/")
        assert sign_in(world.visitor(), EMAIL, password)["Location"] == "/"
        told = letters_to(EMAIL, "factors_changed")[-1].body
        assert "tous les moyens de double authentification ont été retirés" in told

    def test_has_it_in_the_history_of_each_of_their_companies(self, world, gridgate):
        add_member(organisation=world.client_b, email=EMAIL, full_name="Alice", now=world.now)
        set_up_totp(world.client("alice"), EMAIL)
        gridgate("user", "forget-factors", EMAIL)
        events = AuditEvent.objects.filter(action="account.factors_forgotten")
        assert {event.organisation for event in events} == {world.acme.pk, world.client_b.pk}
        assert {event.subject_label for event in events} == {EMAIL}
        page = world.client("alice").get("/administration/historique/").content.decode()
        assert f"Moyens de double authentification d’{EMAIL} retirés" in page

    def test_of_no_company_has_it_in_the_instances_own(self, world, gridgate):
        end_membership(membership=world.membership("bob"), now=world.now)
        gridgate("user", "forget-factors", "bob@acme.example")
        assert AuditEvent.objects.get(action="account.factors_forgotten").organisation is None

    def test_is_told_and_signed_out_even_when_there_was_nothing_to_remove(self, world, gridgate):
        browser = world.client("alice")
        browser.get("/")
        gridgate("user", "forget-factors", EMAIL)
        assert browser.get("/")["Location"].startswith("/connexion/")
        assert letters_to(EMAIL, "factors_changed")

    def test_is_somebody_known(self, world, gridgate):
        refused = gridgate("user", "forget-factors", "personne@acme.example")
        assert "nobody signs in with personne@acme.example" in str(refused.exception)
