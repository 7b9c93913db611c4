"""Ending all sharing with a company, when the operator asks for a code first."""

import re
from datetime import timedelta

import pytest

from gridgate.accounts.models import StepUpCode
from gridgate.core.sharing import PermissionState
from gridgate.sharing.models import Permission
from tests.factories.sharing import make_permission, make_service
from tests.functional.security.conftest import (
    ask_for,
    confirm_by_email,
    letters_to,
    newest_code,
    recovery_codes,
    set_up_totp,
    totp,
    wrong_codes,
)

EMAIL = "alice@acme.example"


@pytest.fixture
def shared(world):
    make_permission(make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now)
    ask_for(step_up_acts=["revoke_all"])
    return f"/partage/{world.third_party_1.siren}/resilier/"


def ended(world) -> bool:
    found = Permission.objects.filter(holder=world.acme, eligible_party=world.third_party_1)
    return all(permission.state == PermissionState.REVOKED for permission in found)


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


class TestTheCode:
    def test_is_asked_before_anything_ends_and_carries_the_form_on(self, world, shared):
        alice = world.client("alice")
        asked = alice.post(shared, {"reason": "assez", "twice": ["1", "2"]})
        assert asked["Location"] == "/confirmation/"
        assert not ended(world)
        page = alice.get("/confirmation/").content.decode()
        assert f'action="{shared}"' in page
        assert '<input type="hidden" name="reason" value="assez">' in page
        assert page.count('name="twice"') == 2
        assert "a•••e@acme.example" in page
        kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w*)">', page))
        done = alice.post(shared, kept | {"step_up_code": newest_code(EMAIL)})
        assert done["Location"].startswith("/partage/recus/")
        assert ended(world)

    def test_is_not_asked_when_the_operator_does_not_want_it(self, world, shared):
        ask_for(step_up_acts=["rights"])
        assert world.client("alice").post(shared)["Location"].startswith("/partage/recus/")
        assert ended(world)

    def test_is_not_asked_to_look(self, world, shared):
        assert world.client("alice").get(shared).status_code == 200
        assert not StepUpCode.objects.exists()

    def test_comes_by_an_email_that_says_what_for_and_the_registry_holds_no_digit_of_it(self, world, shared):
        world.client("alice").post(shared)
        (letter,) = letters_to(EMAIL, "step_up")
        assert "Résilier une entreprise" in letter.body
        assert newest_code(EMAIL) not in letter.body

    def test_may_be_typed_with_spaces(self, world, shared):
        alice = world.client("alice")
        alice.post(shared)
        code = newest_code(EMAIL)
        alice.post(shared, {"step_up_code": f" {code[:4]} {code[4:]} "})
        assert ended(world)

    def test_opens_the_next_act_too_for_a_while_and_no_longer(self, world, shared, later):
        alice = world.client("alice")
        alice.post(shared)
        alice.post(shared, {"step_up_code": newest_code(EMAIL)})
        elsewhere = f"/partage/{world.third_party_2.siren}/resilier/"
        make_permission(make_service(world.third_party_2), world.acme, points=[world.p2], now=world.now)
        later(world.now + timedelta(minutes=9))
        assert alice.post(elsewhere)["Location"].startswith("/partage/recus/")
        later(world.now + timedelta(minutes=11))
        assert alice.post(elsewhere)["Location"] == "/confirmation/"


class TestAWrongProof:
    def test_ends_nothing_and_says_so_beside_the_field(self, world, shared):
        alice = world.client("alice")
        alice.post(shared)
        wrong = alice.post(shared, {"step_up_code": other(newest_code(EMAIL))}, follow=True)
        assert "Ce n’est pas le bon code." in wrong.content.decode()
        assert 'aria-invalid="true"' in wrong.content.decode()
        assert not ended(world)

    @pytest.mark.parametrize("sent", ["", "abcdefgh", "１２３４５６７８", "12345678" * 20, "\0"])
    def test_of_any_shape_ends_nothing(self, world, shared, sent):
        alice = world.client("alice")
        alice.post(shared)
        assert alice.post(shared, {"step_up_code": sent})["Location"] == "/confirmation/"
        assert not ended(world)

    def test_after_five_even_the_right_one_is_over(self, world, shared):
        alice = world.client("alice")
        alice.post(shared)
        code = newest_code(EMAIL)
        for _ in range(5):
            alice.post(shared, {"step_up_code": other(code)})
        page = alice.post(shared, {"step_up_code": code}, follow=True).content.decode()
        assert "Ce code ne sert plus." in page
        assert not ended(world)

    def test_cannot_be_left_out(self, world, shared):
        """Whatever else is sent, and however often."""
        alice = world.client("alice")
        for form in (
            {},
            {"step_up": "1"},
            {"step_up_key": "{}"},
            {"step_up_key": "null"},
            {"step_up_code": "0"},
        ):
            assert alice.post(shared, form)["Location"] == "/confirmation/"
        assert alice.post("/confirmation/", {"step_up": "1"})["Location"] == "/confirmation/"
        assert not ended(world)

    def test_is_over_after_ten_minutes(self, world, shared, later):
        alice = world.client("alice")
        alice.post(shared)
        code = newest_code(EMAIL)
        later(world.now + timedelta(minutes=10, seconds=1))
        alice.post(shared, {"step_up_code": code})
        assert not ended(world)


class TestARightCode:
    def test_serves_once(self, world, shared):
        alice = world.client("alice")
        alice.post(shared)
        code = newest_code(EMAIL)
        alice.post(shared, {"step_up_code": code})
        make_permission(make_service(world.third_party_1), world.acme, points=[world.p2], now=world.now)
        session = alice.session
        del session["proof"]
        session.save()
        alice.post(shared)
        assert alice.post(shared, {"step_up_code": code})["Location"] == "/confirmation/"
        assert not ended(world)

    def test_of_another_session_of_the_same_person_serves_nothing(self, world, shared):
        here, elsewhere = world.client("alice"), world.client("alice")
        elsewhere.post(shared)
        code = newest_code(EMAIL)
        here.post(shared)  # too soon for another code
        assert here.post(shared, {"step_up_code": code})["Location"] == "/confirmation/"
        assert not ended(world)

    def test_of_another_person_serves_nothing(self, world, shared):
        bob, alice = world.client("bob"), world.client("alice")
        bob.post(shared)
        alice.post(shared)
        alice.post(shared, {"step_up_code": newest_code("bob@acme.example")})
        assert not ended(world)

    def test_ends_with_the_next_one(self, world, shared, later):
        alice = world.client("alice")
        alice.post(shared)
        first = newest_code(EMAIL)
        later(world.now + timedelta(seconds=61))
        alice.post("/confirmation/", {"send": "1"})
        assert newest_code(EMAIL) != first
        alice.post(shared, {"step_up_code": first})
        assert not ended(world)
        alice.post(shared, {"step_up_code": newest_code(EMAIL)})
        assert ended(world)


class TestAnotherCode:
    def test_waits_a_minute(self, world, shared, later):
        alice = world.client("alice")
        alice.post(shared)
        page = alice.get("/confirmation/").content.decode()
        assert "Autre code possible dans 60 s" in page
        alice.post("/confirmation/", {"send": "1"})
        assert len(letters_to(EMAIL, "step_up")) == 1
        later(world.now + timedelta(seconds=60))
        assert 'name="send"' in alice.get("/confirmation/").content.decode()

    def test_is_what_the_page_is_about_when_there_is_none_to_type(self, world, shared, later):
        alice = world.client("alice")
        alice.post(shared)
        later(world.now + timedelta(minutes=11))
        page = alice.get("/confirmation/").content.decode()
        assert "<h1>Demander un code</h1>" in page
        assert 'name="step_up_code"' not in page
        assert 'name="send"' in page

    def test_six_an_hour_are_enough(self, world, shared, later):
        alice = world.client("alice")
        alice.post(shared)
        for minute in range(1, 12):
            later(world.now + timedelta(minutes=minute * 2))
            alice.post("/confirmation/", {"send": "1"})
        assert len(letters_to(EMAIL, "step_up")) == 6
        page = alice.get("/confirmation/").content.decode()
        assert "38 min" in page, page

    def test_is_not_sent_for_asking_twice(self, world, shared, later):
        alice = world.client("alice")
        alice.post(shared)
        later(world.now + timedelta(minutes=2))
        alice.post(shared)
        assert len(letters_to(EMAIL, "step_up")) == 1
        alice.post(shared, {"step_up_code": newest_code(EMAIL)})
        assert ended(world)


class TestWhatIsKept:
    def test_is_not_readable_in_the_registry(self, world, shared):
        alice = world.client("alice")
        alice.post(shared, {"reason": "secret de fabrique"})
        assert "secret de fabrique" not in str(dict(alice.session))

    def test_is_dropped_when_the_person_acts_for_another_company(self, world, shared):
        alice = world.client("alice")
        alice.post(shared)
        session = alice.session
        session["step_up"] = session["step_up"] | {"membership": world.charlie.pk}
        session.save()
        assert alice.get("/confirmation/")["Location"] == "/"

    def test_is_nothing_for_whoever_comes_by(self, world):
        assert world.client("alice").get("/confirmation/")["Location"] == "/"
        assert world.client("alice").post("/confirmation/", {"step_up_code": "12345678"})["Location"] == "/"

    def test_leads_back_to_where_the_person_was_and_nowhere_else(self, world, shared):
        alice = world.client("alice")
        alice.post(shared, HTTP_REFERER="http://testserver/partage/?tri=nom")
        assert 'href="/partage/?tri=nom"' in alice.get("/confirmation/").content.decode()
        alice.post(shared, HTTP_REFERER="https://ailleurs.example/partage/")
        assert "ailleurs.example" not in alice.get("/confirmation/").content.decode()


class TestASecondFactor:
    def test_serves_instead_and_no_email_is_sent_unless_asked(self, world, shared, later):
        alice = world.client("alice")
        secret = set_up_totp(alice, EMAIL)
        before = len(letters_to(EMAIL, "step_up"))
        later(world.now + timedelta(minutes=30))
        assert alice.post(shared)["Location"] == "/confirmation/"
        assert len(letters_to(EMAIL, "step_up")) == before
        code = totp(secret, world.now + timedelta(minutes=30))
        assert alice.post(shared, {"step_up_code": code})["Location"].startswith("/partage/recus/")
        assert ended(world)

    def test_may_be_replaced_by_an_email(self, world, shared, later):
        alice = world.client("alice")
        set_up_totp(alice, EMAIL)
        later(world.now + timedelta(minutes=30))
        alice.post(shared)
        alice.post("/confirmation/", {"send": "1"})
        alice.post(shared, {"step_up_code": newest_code(EMAIL)})
        assert ended(world)

    def test_is_guessed_at_five_times(self, world, shared, later):
        alice = world.client("alice")
        secret = set_up_totp(alice, EMAIL)
        now = world.now + timedelta(minutes=30)
        later(now)
        alice.post(shared)
        right = totp(secret, now)
        for code in wrong_codes(secret, now, 5):
            alice.post(shared, {"step_up_code": code})
        page = alice.post(shared, {"step_up_code": right}, follow=True).content.decode()
        assert "Trop d’essais." in page
        assert not ended(world)

    def test_is_what_changing_it_asks_for_and_an_email_is_not_enough(self, world, later):
        alice = world.client("alice")
        secret = set_up_totp(alice, EMAIL)
        codes = recovery_codes(alice)
        now = world.now + timedelta(minutes=30)
        later(now)
        assert alice.get("/compte/securite/codes/")["Location"] == "/confirmation/"
        assert 'name="send"' not in alice.get("/confirmation/").content.decode()
        sent = len(letters_to(EMAIL, "step_up"))
        alice.post("/confirmation/", {"send": "1"})
        assert len(letters_to(EMAIL, "step_up")) == sent
        back = alice.post("/confirmation/", {"step_up_code": totp(secret, now)})
        assert back["Location"] == "/compte/securite/codes/"
        assert codes


def test_a_page_to_read_is_come_back_to(world):
    alice = world.client("alice")
    assert alice.get("/compte/securite/application/")["Location"] == "/confirmation/"
    assert confirm_by_email(alice, EMAIL)["Location"] == "/compte/securite/application/"
    assert alice.get("/compte/securite/application/").status_code == 200
