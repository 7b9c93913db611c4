"""Name, language, password, company."""

import re

from django.core import mail
from django.utils import timezone

from gridgate.accounts.models import AttemptCount
from gridgate.accounts.security.pace import by_account
from gridgate.organisations.models import User
from gridgate.portal.screens.account import mails
from tests.world import PASSWORD

NEW = "une autre phrase de passe"


def said(response):
    return response.content.decode()


class TestProfile:
    def test_changes_the_name_and_the_language_at_once(self, world):
        client = world.client("alice")
        response = client.post("/compte/", {"full_name": "Alice B.", "language": "en"}, follow=True)
        assert "Your account is up to date." in said(response)
        assert '<html lang="en">' in said(response)
        user = User.objects.get(pk=world.alice.user_id)
        assert (user.full_name, user.language) == ("Alice B.", "en")

    def test_keeps_what_was_typed_when_it_is_not_right(self, world):
        response = world.client("alice").post("/compte/", {"full_name": "", "language": "de"})
        assert 'aria-invalid="true"' in said(response)
        assert User.objects.get(pk=world.alice.user_id).full_name == "Alice"

    def test_does_not_change_the_address(self, world):
        world.client("alice").post(
            "/compte/", {"full_name": "A", "language": "fr", "email": "x@evil.example"}
        )
        assert User.objects.get(pk=world.alice.user_id).email == "alice@acme.example"


class TestPassword:
    def change(self, client, **typed):
        return client.post(
            "/compte/mot-de-passe/",
            {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW} | typed,
        )

    def test_changes_keep_this_session_and_end_the_others(self, world):
        world.give_password("alice")
        here, elsewhere = world.client("alice"), world.client("alice")
        assert self.change(here)["Location"] == "/compte/"
        assert here.get("/compte/").status_code == 200
        assert elsewhere.get("/compte/").status_code == 302

    def test_changes_are_told_by_e_mail(self, world):
        world.give_password("alice")
        self.change(world.client("alice"))
        mails.wait()
        assert [message.to for message in mail.outbox] == [["alice@acme.example"]]
        assert NEW not in mail.outbox[0].body

    def test_asks_for_the_present_one(self, world):
        world.give_password("alice")
        response = self.change(world.client("alice"), old_password="faux")
        assert response.status_code == 200
        assert User.objects.get(pk=world.alice.user_id).check_password(PASSWORD)

    def test_refuses_a_short_or_common_one_and_two_that_differ(self, world):
        world.give_password("alice")
        client = world.client("alice")
        for typed in (
            {"new_password1": "court", "new_password2": "court"},
            {"new_password1": "passwordpassword1", "new_password2": "différent"},
            {"new_password1": "alice@acme.example", "new_password2": "alice@acme.example"},
        ):
            assert 'aria-invalid="true"' in said(self.change(client, **typed))

    def test_cannot_be_guessed_from_an_open_session(self, world):
        world.give_password("alice")
        client = world.client("alice")
        for _ in range(5):
            assert self.change(client, old_password="faux").status_code == 200
        refused = self.change(client)
        assert refused.status_code == 429
        assert "Vous pourrez recommencer dans 60" in said(refused)
        assert 'name="old_password"' in refused.content.decode()
        assert "Revenir à la connexion" not in said(refused)
        assert User.objects.get(pk=world.alice.user_id).check_password(PASSWORD)

    def test_guessed_at_from_one_session_is_changed_in_another(self, world):
        world.give_password("alice")
        stolen, owners = world.client("alice"), world.client("alice")
        for _ in range(6):
            guessed = self.change(stolen, old_password="faux")
        assert guessed.status_code == 429
        assert self.change(owners)["Location"] == "/compte/"

    def test_is_not_guessed_at_without_end_from_many_sessions(self, world):
        world.give_password("alice")
        limit = by_account(f"password change of {world.alice.user_id}", wide=True)
        AttemptCount.objects.create(key=limit.key, count=limit.free, at=timezone.now())
        assert self.change(world.client("alice")).status_code == 429


class TestWithoutAPassword:
    """Somebody who signs in by a provider alone."""

    def alice(self, world):
        user = world.alice.user
        user.set_unusable_password()
        user.save()
        return world.client("alice")

    def test_one_may_be_chosen_where_others_change_theirs(self, world):
        client = self.alice(world)
        for path in ("/compte/", "/compte/securite/", "/compte/mot-de-passe/"):
            assert "Choisir un mot de passe" in said(client.get(path))
            assert "Changer de mot de passe" not in said(client.get(path))

    def test_it_is_chosen_by_a_link_sent_to_the_address(self, world):
        client = self.alice(world)
        page = said(client.get("/compte/mot-de-passe/"))
        assert 'name="old_password"' not in page
        asked = {"email": re.search(r'name="email" value="([^"]+)"', page)[1]}
        client.post(re.search(r'<form class="row" action="([^"]+)"', page)[1], asked)
        mails.wait()
        assert [message.to for message in mail.outbox] == [["alice@acme.example"]]
        link = re.search(r"http\S+(/mot-de-passe/nouveau/\S+)", mail.outbox[0].body)[1]
        form = client.get(link)["Location"]
        client.post(form, {"new_password1": NEW, "new_password2": NEW})
        assert User.objects.get(pk=world.alice.user_id).check_password(NEW)
