"""Whoever guesses is slowed down, and nobody else is: neither the person whose account it is nor their colleagues."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import override_settings

from gridgate.accounts.models import AttemptCount
from gridgate.accounts.security import pace
from gridgate.portal.screens.account import mails
from tests.world import PASSWORD

ALICE, BOB = "alice@acme.example", "bob@acme.example"
SITE = "198.51.100.1"
"""A company's one address."""


@pytest.fixture(autouse=True)
def passwords(world):
    for name in ("alice", "bob"):
        world.give_password(name)


@pytest.fixture
def clock(world):
    with time_machine.travel(world.now, tick=False) as traveller:
        yield traveller


def sign_in(browser, email, password=PASSWORD, *, address="192.0.2.1"):
    return browser.post("/connexion/", {"login": email, "password": password}, REMOTE_ADDR=address)


def guess_from_everywhere(world, email, times=8):
    """That many wrong guesses at one account, each from another address; returns the answers."""
    return [sign_in(world.visitor(), email, f"essai {one}", address=f"10.0.0.{one}") for one in range(times)]


def guess_at_everyone(world, times=22, address=SITE):
    return [
        sign_in(world.visitor(), f"personne{one}@acme.example", "x", address=address) for one in range(times)
    ]


def known_browser(world, email, address):
    browser = world.visitor()
    assert sign_in(browser, email, address=address).status_code == 302
    browser.post("/deconnexion/")
    return browser


class TestOneAccountFromEverywhere:
    def test_is_guessed_at_five_times_then_after_a_growing_wait(self, world, clock):
        answers = guess_from_everywhere(world, ALICE, 25)
        assert [one.status_code for one in answers].count(200) == 5
        assert {one.status_code for one in answers} == {200, 429}
        waits, now = [], world.now
        for _ in range(8):
            refused = sign_in(world.visitor(), ALICE, "x", address="10.9.9.9")
            waits.append(int(refused["Retry-After"]))
            now += timedelta(seconds=waits[-1])
            clock.move_to(now)
            assert sign_in(world.visitor(), ALICE, "x", address="10.9.9.9").status_code == 200
        assert waits == [60, 120, 240, 480, 900, 900, 900, 900]

    def test_opens_to_its_owner_on_a_device_that_they_signed_in_with_before(self, world, clock):
        owner = known_browser(world, ALICE, SITE)
        guess_from_everywhere(world, ALICE)
        assert sign_in(owner, ALICE, address=SITE)["Location"] == "/"

    def test_gives_a_device_of_somebody_else_nothing(self, world, clock):
        colleague = known_browser(world, BOB, SITE)
        guess_from_everywhere(world, ALICE)
        assert sign_in(colleague, ALICE, address=SITE).status_code == 429

    def test_is_guessed_at_from_its_owners_device_no_more_often(self, world, clock):
        owner = known_browser(world, ALICE, SITE)
        codes = [sign_in(owner, ALICE, "x", address=SITE).status_code for _ in range(20)]
        assert codes.count(200) == 5
        assert codes.count(429) == 15

    def test_opens_at_once_by_the_link_of_a_mailbox_while_the_guesses_go_on(self, world, clock, settings):
        guess_from_everywhere(world, ALICE)
        owner = world.visitor()
        assert sign_in(owner, ALICE, address=SITE).status_code == 429
        owner.post("/mot-de-passe/oublie/", {"email": ALICE}, REMOTE_ADDR=SITE)
        mails.wait()
        link = re.search(r"/mot-de-passe/\S+", mail.outbox[-1].body)[0]
        page = owner.get(link, follow=True)
        chosen = "une autre phrase assez longue"
        owner.post(page.request["PATH_INFO"], {"new_password1": chosen, "new_password2": chosen})
        guess_from_everywhere(world, ALICE, 10)
        assert sign_in(owner, ALICE, chosen, address=SITE)["Location"] == "/"

    def test_opens_to_a_stranger_device_after_the_longest_wait(self, world, clock):
        guess_from_everywhere(world, ALICE)
        clock.move_to(world.now + timedelta(minutes=15))
        assert sign_in(world.visitor(), ALICE, address=SITE)["Location"] == "/"

    def test_answers_the_same_whether_it_exists(self, world, clock):
        def seen(email):
            answers = guess_from_everywhere(world, email, 8)
            pages = [re.sub(r'(token|value)="[^"]*"', "", one.content.decode()) for one in answers]
            return [(one.status_code, one.get("Retry-After")) for one in answers], pages

        assert seen(ALICE) == seen("nadie@acme.example")


class TestOneAddress:
    def test_that_fails_for_many_accounts_is_slowed_down_by_seconds(self, world, clock):
        answers = guess_at_everyone(world, 35)
        assert [one.status_code for one in answers].count(200) == 20
        assert all(int(one["Retry-After"]) <= 30 for one in answers if one.status_code == 429)

    def test_lets_a_colleague_in_at_once_on_their_own_device(self, world, clock):
        colleague = known_browser(world, BOB, SITE)
        guess_at_everyone(world)
        assert sign_in(colleague, BOB, address=SITE)["Location"] == "/"

    def test_lets_a_colleague_in_on_a_new_device_after_the_seconds_it_says(self, world, clock):
        guess_at_everyone(world)
        browser = world.visitor()
        refused = sign_in(browser, BOB, address=SITE)
        assert refused.status_code == 429
        clock.move_to(world.now + timedelta(seconds=int(refused["Retry-After"])))
        assert sign_in(browser, BOB, address=SITE)["Location"] == "/"

    def test_never_asks_for_more_than_the_longest_wait_however_long_it_failed(self, world, clock):
        now = world.now
        guess_at_everyone(world)
        for _ in range(20):
            guess_at_everyone(world, 2)
            now += timedelta(seconds=30)
            clock.move_to(now)
        assert sign_in(world.visitor(), BOB, address=SITE)["Location"] == "/"

    def test_is_not_slowed_down_by_one_person_who_hammers_at_one_account(self, world, clock):
        for _ in range(35):
            sign_in(world.visitor(), ALICE, "x", address=SITE)
        assert sign_in(world.visitor(), BOB, address=SITE)["Location"] == "/"

    def test_is_not_slowed_down_by_those_who_get_in(self, world, clock):
        for _ in range(30):
            assert sign_in(world.visitor(), BOB, address=SITE).status_code == 302
        assert sign_in(world.visitor(), ALICE, address=SITE).status_code == 302

    def test_is_the_64_of_ipv6(self, world, clock):
        for one in range(20):
            sign_in(world.visitor(), f"personne{one}@acme.example", "x", address=f"2001:db8:0:7::{one + 1:x}")
        assert sign_in(world.visitor(), BOB, address="2001:db8:0:7:ffff::1").status_code == 429
        assert sign_in(world.visitor(), BOB, address="2001:db8:0:8::1").status_code == 302


class TestForgottenPasswords:
    def ask(self, world, email, address=SITE):
        return world.visitor().post("/mot-de-passe/oublie/", {"email": email}, REMOTE_ADDR=address)

    def test_of_a_whole_company_are_answered(self, world, clock):
        now, refused = world.now, 0
        for one in range(30):
            while (answer := self.ask(world, f"personne{one}@acme.example")).status_code == 429:
                refused += 1
                assert int(answer["Retry-After"]) <= 30
                now += timedelta(seconds=int(answer["Retry-After"]))
                clock.move_to(now)
            assert answer.status_code == 302
        assert refused == 10
        assert now - world.now <= timedelta(minutes=5)

    def test_of_one_account_are_answered_once_an_hour_at_the_least_whoever_asks(self, world, clock):
        for one in range(30):
            self.ask(world, ALICE, f"10.0.0.{one}")
        refused = self.ask(world, ALICE)
        assert refused.status_code == 429
        assert "Vous pourrez recommencer dans" in refused.content.decode()
        clock.move_to(world.now + timedelta(hours=1))
        assert self.ask(world, ALICE).status_code == 302

    def test_answer_the_same_whether_there_is_an_account(self, world, clock):
        known, unknown = (
            [(one.status_code, one.get("Retry-After")) for one in [self.ask(world, email) for _ in range(8)]]
            for email in (ALICE, "nadie@acme.example")
        )
        assert known == unknown


class TestTheSettings:
    def test_say_how_often_and_how_long(self, world, settings, clock):
        said = {"account_attempts": 2, "account_wait_minutes": 1, "address_attempts": 3}
        with override_settings(ENVIRONMENT=settings.ENVIRONMENT.model_copy(update=said)):
            codes = [one.status_code for one in guess_from_everywhere(world, ALICE, 4)]
            assert codes == [200, 200, 429, 429]
            assert [one.status_code for one in guess_at_everyone(world, 4)] == [200, 200, 200, 429]
            clock.move_to(world.now + timedelta(minutes=1))
            assert sign_in(world.visitor(), ALICE)["Location"] == "/"

    def test_can_lift_all_limits(self, world, settings):
        with override_settings(ENVIRONMENT=settings.ENVIRONMENT.model_copy(update={"quotas": "off"})):
            assert {one.status_code for one in guess_from_everywhere(world, ALICE, 10)} == {200}


def test_the_counts_say_of_nobody_and_are_forgotten(world, clock):
    guess_at_everyone(world, 3)
    assert not any("acme" in row.key or SITE in row.key for row in AttemptCount.objects.all())
    assert pace.forget_old_counts(now=world.now + timedelta(days=8)) == 4
