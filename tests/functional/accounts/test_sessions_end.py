"""What ends a session, at the very next request."""

from datetime import date, timedelta

import time_machine
from django.contrib.sessions.models import Session

from gridgate.accounts.security.session_store import kept_as
from gridgate.organisations.last_days import end_of
from gridgate.organisations.operations.members import (
    add_member,
    disable_user,
    end_membership,
    update_member,
)


def signed_in(client):
    return client.get("/compte/").status_code == 200


class TestSession:
    def test_ends_when_the_membership_ends(self, world):
        client = world.client("bob")
        assert signed_in(client)
        end_membership(membership=world.bob, now=world.now)
        assert client.get("/compte/")["Location"] == "/connexion/?next=/compte/"

    def test_is_said_to_have_ended_where_one_signs_in_again(self, world):
        said = "Votre session a pris fin"
        client = world.client("bob")
        world.give_password("bob")
        assert said in client.get("/compte/", follow=True).content.decode().replace("\u00a0", " ")
        assert said not in client.get("/compte/", follow=True).content.decode()
        assert said not in world.visitor().get("/compte/", follow=True).content.decode()

    def test_of_somebody_whose_last_day_is_over_says_so_there_and_on_the_home_page(self, world):
        last = date(2026, 12, 5)
        update_member(membership=world.bob, role="user", external=False, until=end_of(last), now=world.now)
        with time_machine.travel(end_of(last) - timedelta(minutes=10)):
            client = world.client("bob")
            assert signed_in(client)
        with time_machine.travel(end_of(last)):
            page = client.get("/compteurs/", follow=True).content.decode().replace("\u00a0", " ")
            again = world.visitor()
            again.force_login(world.bob.user)
            home = again.get("/").content.decode().replace("\u00a0", " ")
        for said in (page, home):
            assert "Vous agissiez pour ACME Industries jusqu’au 5 décembre 2026 inclus." in said
        assert "Votre session a pris fin" not in page

    def test_of_somebody_who_was_detached_says_so(self, world):
        client = world.client("bob")
        end_membership(membership=world.bob, now=world.now)
        page = client.get("/compte/", follow=True).content.decode().replace("\u00a0", " ")
        assert "Vous n’agissez plus pour ACME Industries." in page
        assert "Votre session a pris fin" not in page

    def test_of_an_ended_membership_does_not_go_on_for_another_company(self, world):
        client = world.client("bob")
        add_member(organisation=world.client_b, email="bob@acme.example", full_name="Bob", now=world.now)
        end_membership(membership=world.bob, now=world.now)
        assert not signed_in(client)

    def test_ends_when_the_account_is_closed_and_does_not_come_back_when_it_opens_again(self, world):
        client = world.client("bob")
        disable_user(user=world.bob.user)
        assert not signed_in(client)
        world.bob.user.is_active = True
        world.bob.user.save()
        assert not signed_in(client)

    def test_ends_when_the_password_changes_elsewhere(self, world):
        client = world.client("bob")
        world.give_password("bob")
        assert not signed_in(client)

    def test_ends_12_hours_after_sign_in_even_when_it_is_used(self, world):
        client = world.client("bob")
        with time_machine.travel(world.now + timedelta(hours=11, minutes=59)):
            assert signed_in(client)
            session = client.session
            session["something"] = 1
            session.save()
        with time_machine.travel(world.now + timedelta(hours=12, minutes=1)):
            assert not signed_in(client)

    def test_leaves_no_row_behind(self, world):
        client = world.client("bob")
        key = client.session.session_key
        end_membership(membership=world.bob, now=world.now)
        client.get("/compte/")
        assert not Session.objects.filter(session_key=kept_as(key)).exists()

    def test_belongs_to_a_membership_of_the_person_only(self, world):
        client = world.client("bob")
        session = client.session
        session["membership"] = world.alice.pk
        session.save()
        assert not signed_in(client)
